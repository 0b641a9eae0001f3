package signing

import (
	"encoding/hex"
	"strings"
)

// published are the secrets that other servers ship with, or that their documentation shows. Whoever copied
// one has a lock that everybody has the key to.
var published = [...]string{
	"943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881", // imgproxy, IMGPROXY_KEY in its guide to signing
	"520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5", // imgproxy, IMGPROXY_SALT there
	"1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1", // imgproxy, the key of its guide to encrypting sources
	"MY_SECURE_KEY", // thumbor's default
	"mysecret",      // imagor's documentation
}

// Published reports whether a secret, as text or in hex, is one that another server ships with or shows in
// its documentation: no secret at all.
func Published(secret string) bool {
	for _, known := range published {
		if strings.EqualFold(secret, known) || strings.EqualFold(secret, hex.EncodeToString([]byte(known))) {
			return true
		}
	}
	return false
}
