package main

import (
	"fmt"
	"strings"
	"testing"
)

// Secrets that everybody can read are refused wherever one is needed, and so are those that are found at once.
func TestPublishedAndShortSecretsAreRefused(t *testing.T) {
	const (
		imgproxyKey  = "943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881"
		imgproxySalt = "520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5"
		sourceKey    = "1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1"
		good         = "00112233445566778899aabbccddeeff"
	)
	mount := func(text string) string {
		return "sources: {s: {dir: photos, unsigned: true}}\ndialects: [{prefix: /m, sources: {\"local:///\": s}, " + text + "}]\n"
	}
	imgproxy := func(key, salt string) string {
		return mount(fmt.Sprintf("dialect: imgproxy, keys: [{key: %q, salt: %q}]", key, salt))
	}
	for _, tt := range []struct{ name, text, want string }{
		{"imgproxy's key", imgproxy(imgproxyKey, good), "keys[0].key: is a published example"},
		{"imgproxy's salt", imgproxy(good, imgproxySalt), "keys[0].salt: is a published example"},
		{"in capitals", imgproxy(strings.ToUpper(imgproxyKey), good), "keys[0].key: is a published example"},
		{"thumbor's key", mount("dialect: thumbor, key: MY_SECURE_KEY"), `key: "MY_SECURE_KEY" is a published example`},
		{"imagor's key", mount("dialect: thumbor, flavor: imagor, key: mysecret"), `key: "mysecret" is a published example`},
		{"a native key", "sources: {s: {dir: photos, keys: [{id: k, secret: " + imgproxyKey + "}]}}", "keys[0].secret: is a published example"},
		{"a token", "tokens: [{name: t, scopes: [sign], secret: " + imgproxyKey + "}]", "tokens[0].secret: is a published example"},
		{"a short native key", "sources: {s: {dir: photos, keys: [{id: k, secret: 00112233445566778899aabbccddee}]}}", "a key is 16 to 64 bytes"},
		{"a short token", "tokens: [{name: t, scopes: [sign], secret: fifteen-letters}]", "has 15 characters; a token has at least 16"},
		{"a short debug token", "admin: {debug_token: fifteen-letters}", "admin.debug_token: has 15 characters"},
		{"a short key of imgproxy", imgproxy("001122", good), "keys[0].key: has 3 bytes; a key has at least 4"},
		{"a short key of thumbor", mount("dialect: thumbor, key: abc"), "key: has 3 bytes; a key has at least 4"},
		{"good ones", imgproxy(good, good), ""},
	} {
		_, err := Load(writeConfig(t, tt.text), nil, Overrides{})
		if got := fmt.Sprint(err); !strings.Contains(got, tt.want) || tt.want == "" && err != nil {
			t.Errorf("%s: %s, want %q", tt.name, got, tt.want)
		}
	}
	for text, want := range map[string]string{
		imgproxy("736563726574", good):                                       "warning: dialects[0].keys[0].key has 6 bytes",
		mount("dialect: thumbor, key: abcd"):                                 "warning: dialects[0].key has 4 bytes",
		mount("dialect: imgproxy, unsigned: true, source_key: " + sourceKey): "warning: dialects[0].source_key is a published example",
	} {
		stdout, _, code := run(t, nil, "config", "check", "--config", writeConfig(t, text))
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, %q; want %q", code, stdout, want)
		}
	}
}
