package signing_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/signing"
)

func TestPublished(t *testing.T) {
	for _, known := range []string{
		"943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881",
		"520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5",
		"1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1",
		"MY_SECURE_KEY",
		"mysecret",
	} {
		for _, spelt := range []string{known, strings.ToUpper(known), hex.EncodeToString([]byte(known))} {
			if !signing.Published(spelt) {
				t.Errorf("Published(%q) = false", spelt)
			}
		}
		if signing.Published(known + "0") {
			t.Errorf("Published(%q) = true", known+"0")
		}
	}
	if signing.Published("") {
		t.Error("Published of nothing = true")
	}
}
