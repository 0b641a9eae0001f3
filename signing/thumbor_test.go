package signing_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/signing"
)

func ExampleThumborKey() {
	key := signing.ThumborKey{Secret: "my-security-key"}
	path := "300x200/my.server.com/some/path/to/image.jpg"
	fmt.Println("/" + key.Sign(path) + "/" + path)
	signed, err := key.Verify(path, "8ammJH8D-7tXy6kU3lTvoXlhu4o=")
	fmt.Println(signed == path, err)
	// Output:
	// /8ammJH8D-7tXy6kU3lTvoXlhu4o=/300x200/my.server.com/some/path/to/image.jpg
	// true <nil>
}

const gopher = "raw.githubusercontent.com/cshum/imagor/master/testdata/gopher.png"

// The vectors that thumbor's and imagor's own documentation and tests give, and some computed with
// Python's hmac.
func TestThumborVectors(t *testing.T) {
	t.Parallel()
	parameters := "meta/10x11:12x13/fit-in/-300x-200/5x6/left/top/smart/filters:some_filter()/img"
	for _, test := range []struct {
		secret    string
		algorithm signing.ThumborAlgorithm
		truncate  int
		path      string
		want      string
	}{
		{"mysecret", "sha1", 0, "500x500/top/" + gopher, "cST4Ko5_FqwT3BDn-Wf4gO3RFSk="},
		{"mysecret", "sha256", 40, "500x500/top/" + gopher, "IGEn3TxngivD0jy4uuiZim2bdUCvhcnVi1Nm0xGy"},
		{"mysecret", "", 0, "fit-in/500x400/0x20/filters:fill(white)/" + gopher, "OyGJyvfYJw8xNkYDmXU-4NPA2U0="},
		{"1234", "", 0, parameters, "VTAq7YIRbEXgtwAcsTMhAjvBuT8="},
		{"1234", "sha256", 40, parameters, "XBCO7esuLsNQuSF2v9ie36pESRGx2rzLjhUxXWnV"},
		{"abcd", "sha256", 28, "assfasf", "zb6uWXQxwJDOe_zOgxkuj96Etrsz"},
		{"my-security-key", "", 0, "300x200/my.server.com/some/path/to/image.jpg", "8ammJH8D-7tXy6kU3lTvoXlhu4o="},
		{"my-security-key", "", 0, "10x10:200x200/300x200/my.server.com/some/path/to/image.jpg", "B35oBEIwztbc3jm7vsdqLez2C78="},
		{"my-security-key", "", 0, "10x10:200x200/300x200/filters:brightness(20):contrast(10)/my.server.com/some/path/to/image.jpg", "as8U2DbUUtTMgvPF26LkjS3MocY="},
		{"something", "", 0, "10x11:12x13/-300x-300/center/middle/smart/some/image.jpg", "jF7DnlqMr04h7IQ3QBGQ3P991X8="},
		{"MY_SECURE_KEY", "", 0, "300x200/smart/path/to/image.jpg", "3ZAFIB9OK_j_R10MafCdhFO99mE="},
		{"k", "sha512", 0, "a.jpg", "m5Q7rNEF_nmI5vtDnjrTwB_F_Kt-mlyUS1Lf7aycwjJP5XKkTVDdCT1Tw6D_CCNyaqpLYLrIkzKqnLjGAtCJGQ=="},
	} {
		for _, imagor := range []bool{false, true} {
			key := signing.ThumborKey{Secret: test.secret, Algorithm: test.algorithm, Truncate: test.truncate, Imagor: imagor}
			if got := key.Sign(test.path); got != test.want {
				t.Errorf("%+v signs %q as %q, want %q", key, test.path, got, test.want)
			}
			if signed, err := key.Verify(test.path, test.want); err != nil || signed != test.path {
				t.Errorf("%+v: Verify(%q, %q) = %q, %v", key, test.path, test.want, signed, err)
			}
			for i := range test.want {
				changed := []byte(test.want)
				changed[i] ^= 1
				if _, err := key.Verify(test.path, string(changed)); err == nil {
					t.Errorf("%+v verifies %q with %q", key, test.path, changed)
				}
			}
			if _, err := key.Verify(test.path+"x", test.want); err == nil {
				t.Errorf("%+v verifies %q with the hash of %q", key, test.path+"x", test.path)
			}
		}
	}
}

func TestThumborFlavours(t *testing.T) {
	t.Parallel()
	thumbor, imagor := signing.ThumborKey{Secret: "s3"}, signing.ThumborKey{Secret: "s3", Imagor: true}
	path := "fit-in/30x20/a%20b%2Bc.jpg"
	whole := thumbor.Sign(path)
	unpadded := strings.TrimRight(whole, "=")
	unescaped, _ := url.QueryUnescape(path)
	for _, test := range []struct {
		name       string
		key        signing.ThumborKey
		hash, want string // want: the text signed; "" = refused
	}{
		{"thumbor, whole", thumbor, whole, path},
		{"thumbor, unpadded", thumbor, unpadded, path},
		{"thumbor, padded twice", thumbor, whole + "=", ""},
		{"thumbor, cut", thumbor, whole[:20], ""},
		{"thumbor, nothing", thumbor, "", ""},
		{"thumbor, unsafe", thumbor, "unsafe", ""},
		{"thumbor, hash of the unescaped path", thumbor, thumbor.Sign(unescaped), ""},
		{"imagor, whole", imagor, whole, path},
		{"imagor, unpadded", imagor, unpadded, ""},
		{"imagor, hash of the unescaped path", imagor, imagor.Sign(unescaped), unescaped},
		{"no secret", signing.ThumborKey{}, signing.ThumborKey{}.Sign(path), ""},
	} {
		got, err := test.key.Verify(path, test.hash)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: Verify(%q, %q) = %q, %v; want %q", test.name, path, test.hash, got, err, test.want)
		}
		if want := test.key.Mismatch(); err != nil && !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", test.name, err, want)
		}
	}
	var status interface {
		HTTPStatus() int
		Code() string
	}
	for key, want := range map[signing.ThumborKey]int{thumbor: 400, imagor: 403} {
		if !errors.As(key.Mismatch(), &status) || status.HTTPStatus() != want || status.Code() != "bad_signature" {
			t.Errorf("a mismatch of %+v is %v, want %d bad_signature", key, status, want)
		}
	}
}

func TestThumborKeyCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		key  signing.ThumborKey
		want []string // parts of the error; none = good
	}{
		{signing.ThumborKey{Secret: "a long and good secret"}, nil},
		{signing.ThumborKey{Secret: "1234", Algorithm: "sha256", Truncate: 40}, nil},
		{signing.ThumborKey{Secret: "1234", Algorithm: "sha512", Truncate: 88}, nil},
		{signing.ThumborKey{}, []string{"empty"}},
		{signing.ThumborKey{Secret: "MY_SECURE_KEY"}, []string{"MY_SECURE_KEY"}},
		{signing.ThumborKey{Secret: "mysecret", Algorithm: "md5", Truncate: 16}, []string{"mysecret", "md5", "truncate: 16", "17 to 28"}},
		{signing.ThumborKey{Secret: "1234", Truncate: 29}, []string{"truncate: 29"}},
		{signing.ThumborKey{Secret: "1234", Truncate: -1}, []string{"truncate: -1"}},
	} {
		err := test.key.Check()
		if (err == nil) != (test.want == nil) {
			t.Errorf("Check of %+v: %v", test.key, err)
		}
		for _, part := range test.want {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("Check of %+v: %q does not speak of %q", test.key, err, part)
			}
		}
	}
}

func TestThumborExplain(t *testing.T) {
	t.Parallel()
	thumbor := signing.ThumborKey{Secret: "a secret"}
	imagor := signing.ThumborKey{Secret: "a secret", Imagor: true}
	sha256 := signing.ThumborKey{Secret: "a secret", Algorithm: signing.SHA256}
	cut := signing.ThumborKey{Secret: "a secret", Algorithm: signing.SHA256, Truncate: 40}
	path := "30x20/filters:quality(80)/http%3A//h.example/a%20b.jpg"
	for _, test := range []struct {
		name             string
		key              signing.ThumborKey
		path, hash, want string // want: part of the one sentence; "" = none
	}{
		{"good", thumbor, path, thumbor.Sign(path), ""},
		{"nothing found", thumbor, path, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", ""},
		{"missing", thumbor, path, "", "no hash"},
		{"unsafe", thumbor, path, "unsafe", "unsafe"},
		{"leading slash", thumbor, path, thumbor.Sign("/" + path), "leading slash"},
		{"prefix", thumbor, path, thumbor.Sign("t/" + path), "prefix"},
		{"query", thumbor, path, thumbor.Sign(path + "?v=1"), "query"},
		{"colon", thumbor, path, thumbor.Sign(strings.Replace(path, "%3A", ":", 1)), "%3A"},
		{"decoded", thumbor, path, thumbor.Sign("30x20/filters:quality(80)/http://h.example/a b.jpg"), "decoded"},
		{"folded", thumbor, "30x20/http:/h.example/a.jpg", thumbor.Sign("30x20/http://h.example/a.jpg"), "folded"},
		{"unpadded for imagor", imagor, path, strings.TrimRight(imagor.Sign(path), "="), "padding"},
		{"sha256 for sha1", thumbor, path, sha256.Sign(path), "sha256"},
		{"sha1 for sha256", sha256, path, thumbor.Sign(path), "sha1"},
		{"not cut", cut, path, sha256.Sign(path), "not cut"},
		{"cut", thumbor, path, thumbor.Sign(path)[:20], "cut short"},
		{"other alphabet", thumbor, "q32", base64.StdEncoding.EncodeToString(decode(t, thumbor.Sign("q32"))), "alphabet"},
	} {
		got := test.key.Explain(test.path, test.hash, "/t", "v=1")
		if test.want == "" && len(got) > 0 || test.want != "" && !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, test.want) }) {
			t.Errorf("%s: Explain(%q, %q) = %q, want %q", test.name, test.path, test.hash, got, test.want)
		}
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.URLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
