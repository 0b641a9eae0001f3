package signing_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/signing"
)

// imgproxyVectors are imgproxy's own: documentation, test-suite, and what was derived from the key of the
// documentation with other tools.
var imgproxyVectors = []struct {
	key, salt       string // hex
	size            int
	path, signature string
}{
	{"736563726574", "68656c6c6f", 32, "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png", "oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8"},
	{"736563726574", "68656c6c6f", 8, "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png", "oKfUtW34Dvo"},
	{"736563726574", "68656c6c6f", 16, "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png", "oKfUtW34Dvo2BGQehJFR4A"},
	{"736563726574", "68656c6c6f", 32, "/rs:fill:300:400:0/g:sm/plain/http://example.com/images/curiosity.jpg@png", "v4il5rmSYrVOW341NliE_MPcqrwWLyWyeHNDz9YGFBs"},
	{"736563726574", "68656c6c6f", 32, "/plain/local:///image.jpg", "Q5C97UfJ9gfXNLXqkVaZuQrbid-m6n18CmYZ_2tO6g4"},
	{"746573742d6b6579", "746573742d73616c74", 32, "/asd", "oWaL7QoW5TsgbuiS9-5-DI8S3Ibbo1gdB2SteJh3a20"},
	{"746573742d6b6579", "746573742d73616c74", 8, "/asd", "oWaL7QoW5Ts"},
	{"746573742d6b657932", "746573742d73616c7432", 32, "/asd", "jYz1UZ7j1BCdSzH3pZhaYf0iuz0vusoOTdqJsUT6WXI"},
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ExampleImgproxy_SignPath() {
	mount := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("secret"), Salt: []byte("hello")}}}
	target := mount.SignPath("/rs:fill:300:400:0/g:sm/plain/http://example.com/images/curiosity.jpg@png")
	fmt.Println(target)
	// Output: /v4il5rmSYrVOW341NliE_MPcqrwWLyWyeHNDz9YGFBs/rs:fill:300:400:0/g:sm/plain/http://example.com/images/curiosity.jpg@png
}

func TestImgproxyVectors(t *testing.T) {
	t.Parallel()
	for _, v := range imgproxyVectors {
		pair := signing.Salted{Key: unhex(t, v.key), Salt: unhex(t, v.salt)}
		if got := pair.Sign(v.path, v.size); got != v.signature {
			t.Errorf("Sign(%q, %d) = %q, want %q", v.path, v.size, got, v.signature)
		}
		other := signing.Salted{Key: []byte("other"), Salt: []byte("salt")}
		mount := signing.Imgproxy{Pairs: []signing.Salted{other, pair}, Size: v.size}
		if err := mount.Verify(v.path, v.signature); err != nil {
			t.Errorf("Verify(%q, %q): %v", v.path, v.signature, err)
		}
	}
}

// Every changed, missing or added byte is refused, and every other spelling of the same bits.
func TestImgproxyRefusesEveryChange(t *testing.T) {
	t.Parallel()
	for _, v := range imgproxyVectors {
		mount := signing.Imgproxy{Pairs: []signing.Salted{{Key: unhex(t, v.key), Salt: unhex(t, v.salt)}}, Size: v.size}
		refuse := func(path, signature string) {
			t.Helper()
			if err := mount.Verify(path, signature); !errors.Is(err, signing.ErrBadSignature) {
				t.Errorf("Verify(%q, %q) = %v, want ErrBadSignature", path, signature, err)
			}
		}
		for i := range v.signature {
			for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=\n\x00" {
				if changed := v.signature[:i] + string(c) + v.signature[i+1:]; changed != v.signature {
					refuse(v.path, changed)
				}
			}
			refuse(v.path, v.signature[:i])
		}
		for i := range v.path {
			refuse(v.path[:i]+string(v.path[i]^1)+v.path[i+1:], v.signature)
		}
		refuse(v.path, v.signature+"=")
		refuse(v.path, v.signature+"\n")
		refuse(v.path, "")
		refuse(v.path+"/", v.signature)
		refuse("", v.signature)
	}
}

func TestImgproxyKeys(t *testing.T) {
	t.Parallel()
	pair := signing.Salted{Key: []byte("key"), Salt: []byte("salt")}
	empty := signing.Salted{Salt: []byte("salt")}
	const path = "/w:100/plain/local:///a.jpg"
	for _, test := range []struct {
		name      string
		mount     signing.Imgproxy
		signature string
		good      bool
	}{
		{"trusted", signing.Imgproxy{Pairs: []signing.Salted{pair}, Trusted: []string{"cdn"}}, "cdn", true},
		{"nearly trusted", signing.Imgproxy{Pairs: []signing.Salted{pair}, Trusted: []string{"cdn"}}, "cdm", false},
		{"an empty one is never trusted", signing.Imgproxy{Trusted: []string{""}}, "", false},
		{"zero value", signing.Imgproxy{}, pair.Sign(path, 0), false},
		{"unsigned", signing.Imgproxy{Unsigned: true}, "unsafe", true},
		{"unsigned, forgotten", signing.Imgproxy{Unsigned: true}, "w:100", false},
		{"unsigned, empty", signing.Imgproxy{Unsigned: true}, "", false},
		{"unsigned is overruled by keys", signing.Imgproxy{Unsigned: true, Pairs: []signing.Salted{pair}}, "unsafe", false},
		{"empty key", signing.Imgproxy{Pairs: []signing.Salted{empty}}, empty.Sign(path, 0), false},
		{"another size", signing.Imgproxy{Pairs: []signing.Salted{pair}, Size: 16}, pair.Sign(path, 32), false},
		{"size out of range is 32", signing.Imgproxy{Pairs: []signing.Salted{pair}, Size: 33}, pair.Sign(path, 0), true},
	} {
		if err := test.mount.Verify(path, test.signature); (err == nil) != test.good || (err != nil && !errors.Is(err, signing.ErrBadSignature)) {
			t.Errorf("%s: Verify = %v, want good = %t", test.name, err, test.good)
		}
	}
	if got := (signing.Imgproxy{}).SignPath(path); got != "" {
		t.Errorf("SignPath without pairs = %q", got)
	}
}

// The vector of imgproxy's documentation.
func TestSourceKey(t *testing.T) {
	t.Parallel()
	const source = "http://example.com/images/curiosity.jpg"
	key := signing.SourceKey(unhex(t, "1eb5b0e971ad7f45324c1bb15c947cb207c43152fa5c6c7f35c4f36e0c18e0f1"))
	iv := [16]byte(unhex(t, "A79563A2B35D86CEE6451C3C800F535A"))
	const want = "p5VjorNdhs7mRRw8gA9TWoRlGci3l1kuzqN43UQlRaRIQ0qtBKW3qFABIsx-ZRz_cVc8iVTYbhsNsxNBL1BHaQ"
	if got, err := key.EncryptWith(source, iv); err != nil || got != want {
		t.Errorf("EncryptWith = %q, %v; want %q", got, err, want)
	}
	for _, text := range []string{want, want + "=", want + "=="} {
		if got, err := key.Decrypt(text); err != nil || got != source {
			t.Errorf("Decrypt(%q) = %q, %v; want %q", text, got, err, source)
		}
	}
	for _, size := range []int{16, 24, 32} {
		for n := range 40 {
			key, source := signing.SourceKey(strings.Repeat("k", size)), strings.Repeat("s", n)
			text, err := key.Encrypt(source)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := key.Encrypt(source); err != nil || again != text {
				t.Errorf("Encrypt(%q) twice: %q and %q, %v", source, text, again, err)
			}
			if got, err := key.Decrypt(text); err != nil || got != source {
				t.Errorf("Decrypt(Encrypt(%q)) = %q, %v", source, got, err)
			}
		}
	}
}

func TestSourceKeyRefuses(t *testing.T) {
	t.Parallel()
	key := signing.SourceKey(strings.Repeat("k", 16))
	text, err := key.Encrypt("local:///a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "A", text[:22], text[:40], text + "AAAA", "!" + text[1:]} {
		if got, err := key.Decrypt(bad); !errors.Is(err, signing.ErrEncryptedSource) {
			t.Errorf("Decrypt(%q) = %q, %v; want ErrEncryptedSource", bad, got, err)
		}
	}
	for _, key := range []signing.SourceKey{nil, signing.SourceKey("short")} {
		if _, err := key.Decrypt(text); !errors.Is(err, signing.ErrEncryptedSource) {
			t.Errorf("Decrypt with %d bytes: %v", len(key), err)
		}
		if _, err := key.Encrypt("a"); !errors.Is(err, signing.ErrEncryptedSource) {
			t.Errorf("Encrypt with %d bytes: %v", len(key), err)
		}
	}
	if signing.ErrEncryptedSource.HTTPStatus() != http.StatusBadRequest {
		t.Errorf("status %d", signing.ErrEncryptedSource.HTTPStatus())
	}
}

func TestImgproxyExplain(t *testing.T) {
	t.Parallel()
	one, two := signing.Salted{Key: []byte("key one"), Salt: []byte("salt one")}, signing.Salted{Key: []byte("key two"), Salt: []byte("salt two")}
	mount := signing.Imgproxy{Pairs: []signing.Salted{one, two}}
	text := signing.ImgproxyText{
		Path: "/rs:fill:300:200/plain/https://example.com/%C3%A9.jpg@png", Sent: "/rs%3Afill%3A300%3A200/plain/https:/example.com/%C3%A9.jpg@png",
		Query: "?v=1", Prefix: "/imgproxy",
	}
	good := one.Sign(text.Path, 0)
	hexKey := signing.Salted{Key: []byte(hex.EncodeToString(one.Key)), Salt: []byte(hex.EncodeToString(one.Salt))}
	for _, test := range []struct{ name, signature, says string }{
		{"good", good, ""},
		{"nonsense", strings.Repeat("A", 43), ""},
		{"missing", "", "is empty"},
		{"forgotten", "rs:fill:300:200", "is an option"},
		{"padded", good + "=", "padded with ="},
		{"hex", hexOf(good), "hex instead"},
		{"raw path", one.Sign(text.Sent, 0), "before its repair"},
		{"query", one.Sign(text.Path+text.Query, 0), "the query was signed"},
		{"prefix", one.Sign("/imgproxy"+text.Path, 0), "prefix was signed"},
		{"no slash", one.Sign(text.Path[1:], 0), "leading slash"},
		{"colons", one.Sign(strings.ReplaceAll(text.Path, ":", "%3A"), 0), "%3A"},
		{"folded", one.Sign(strings.Replace(text.Path, "://", ":/", 1), 0), "folded slash"},
		{"decoded", one.Sign("/rs:fill:300:200/plain/https://example.com/é.jpg@png", 0), "decoded"},
		{"extension", one.Sign("/rs:fill:300:200/plain/https://example.com/%C3%A9.jpg", 0), "without its extension"},
		{"no salt", signing.Salted{Key: one.Key}.Sign(text.Path, 0), "salt was left out"},
		{"swapped", signing.Salted{Key: one.Salt, Salt: one.Key}.Sign(text.Path, 0), "swapped"},
		{"mixed", signing.Salted{Key: one.Key, Salt: two.Salt}.Sign(text.Path, 0), "salt of another pair"},
		{"hex text", hexKey.Sign(text.Path, 0), "hex text"},
		{"cut", one.Sign(text.Path, 20), "another size"},
		{"two at once", signing.Salted{Key: one.Key}.Sign(text.Path+text.Query, 0) + "=", "salt was left out, and the query was signed too, and the signature is padded"},
	} {
		got := strings.Join(mount.Explain(text, test.signature), "; ")
		if (test.says == "") != (got == "") || !strings.Contains(got, test.says) {
			t.Errorf("%s: Explain = %q, want %q", test.name, got, test.says)
		}
		if strings.Contains(got, good) {
			t.Errorf("%s: Explain gives the right signature away: %q", test.name, got)
		}
	}
}
