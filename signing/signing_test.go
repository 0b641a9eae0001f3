package signing_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/signing"
)

// vectors are facts that must never change: URLs signed with them live in pages for years.
var vectors = []struct{ key, text, signature, target string }{
	{
		"6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b",
		"/shop/a.jpg?w=300",
		"dq0g2YUAXYq-x4bripmOF0cKp5USoLJaH74FGV9RN6s",
		"/shop/a.jpg?w=300&s=dq0g2YUAXYq-x4bripmOF0cKp5USoLJaH74FGV9RN6s",
	},
	{
		"6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b",
		"/shop/a.jpg",
		"Ehpm1ZhHbLm1e8k1d-zZhIEQZUTFdwWPa27Nft5IrTU",
		"/shop/a.jpg?s=Ehpm1ZhHbLm1e8k1d-zZhIEQZUTFdwWPa27Nft5IrTU",
	},
	{
		"6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b",
		"/shop/2026/summer%20sale/h%C3%A9ro.png?w=640&h=480&fit=cover&f=webp&q=80",
		"-AaumlwC-DmZ62X-RiXQ99hpDaptYy0MWH8hEEIC3Os",
		"/shop/2026/summer%20sale/h%C3%A9ro.png?w=640&h=480&fit=cover&f=webp&q=80&s=-AaumlwC-DmZ62X-RiXQ99hpDaptYy0MWH8hEEIC3Os",
	},
	{
		"6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b",
		"/shop/a.jpg?fit=cover&ar=4:3&open=w",
		"RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY",
		"/shop/a.jpg?fit=cover&ar=4:3&open=w&s=RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY",
	},
	{
		"6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b",
		"/cdn/https%3A%2F%2Fassets.example.com%2Fa%2Fb.jpg?w=200&exp=1893456000",
		"f8--e-sjzs7Td4PAX8WAZ3dMBYJBZRsHuhrWMTDhdB4",
		"/cdn/https%3A%2F%2Fassets.example.com%2Fa%2Fb.jpg?w=200&exp=1893456000&s=f8--e-sjzs7Td4PAX8WAZ3dMBYJBZRsHuhrWMTDhdB4",
	},
	{
		"6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b",
		"/shop/a.jpg?w=300&kid=k2",
		"Q_ekVeQUV8RjJmrcxeO7algOk2XbOhm05xUtAO3_Isg",
		"/shop/a.jpg?w=300&kid=k2&s=Q_ekVeQUV8RjJmrcxeO7algOk2XbOhm05xUtAO3_Isg",
	},
}

func ExampleKey_SignTarget() {
	secret, err := signing.ParseSecret("6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b")
	if err != nil {
		fmt.Println(err)
		return
	}
	key := signing.Key{ID: "k1", Secret: secret}
	target, err := key.SignTarget("/shop/a.jpg?w=300")
	fmt.Println(target, err)
	// Output: /shop/a.jpg?w=300&s=dq0g2YUAXYq-x4bripmOF0cKp5USoLJaH74FGV9RN6s <nil>
}

// One signature serves a whole srcset, where the width is opened.
func ExampleKey_SignTarget_srcset() {
	key := signing.Key{Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}
	target, err := key.SignTarget("/shop/a.jpg?fit=cover&ar=4:3&open=w")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, width := range []int{320, 640} {
		fmt.Printf("%s&w=%d %dw\n", target, width, width)
	}
	// Output:
	// /shop/a.jpg?fit=cover&ar=4:3&open=w&s=RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY&w=320 320w
	// /shop/a.jpg?fit=cover&ar=4:3&open=w&s=RkSPslI8uCKwBYaY7HzhbjO4i-lDD7J6GcU6Zfd2SvY&w=640 640w
}

func ExampleKeyring_Verify() {
	ring := signing.Keyring{
		{ID: "new", Secret: []byte("0123456789abcdef0123456789abcdef")},
		{ID: "old", Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")},
	}
	const text, signature = "/shop/a.jpg?w=300", "dq0g2YUAXYq-x4bripmOF0cKp5USoLJaH74FGV9RN6s"
	fmt.Println(ring.Verify(text, signature, ""))
	fmt.Println(ring.Verify(text, signature, "new"))
	// Output:
	// <nil>
	// the signature does not match
}

func ExampleExplain() {
	ring := signing.Keyring{{Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}}
	fmt.Println(signing.Explain(ring, "/shop/a.jpg?w=300", "dq0g2YUAXYq+x4bripmOF0cKp5USoLJaH74FGV9RN6s="))
	// Output: [the signature uses the base64 alphabet with + and / and is padded]
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, vector := range vectors {
		secret, err := signing.ParseSecret(vector.key)
		if err != nil {
			t.Fatalf("ParseSecret(%q): %v", vector.key, err)
		}
		key := signing.Key{Secret: secret}
		if got := key.Sign(vector.text); got != vector.signature {
			t.Errorf("Sign(%q) = %q, want %q", vector.text, got, vector.signature)
		}
		if got, err := key.SignTarget(vector.text); err != nil || got != vector.target {
			t.Errorf("SignTarget(%q) = %q, %v; want %q", vector.text, got, err, vector.target)
		}
		if err := (signing.Keyring{key}).Verify(vector.text, vector.signature, ""); err != nil {
			t.Errorf("Verify(%q, %q): %v", vector.text, vector.signature, err)
		}
	}
}

// Each changed, missing or added byte of signature and text is refused, and so is another spelling of
// the same bits.
func TestVerifyRefusesEveryChange(t *testing.T) {
	t.Parallel()
	ring := signing.Keyring{{Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}}
	for _, vector := range vectors {
		refuse := func(text, signature string) {
			t.Helper()
			if err := ring.Verify(text, signature, ""); !errors.Is(err, signing.ErrBadSignature) {
				t.Errorf("Verify(%q, %q) = %v, want ErrBadSignature", text, signature, err)
			}
		}
		for i := range vector.signature {
			for _, c := range "A_-z9=\n\x00" {
				if changed := vector.signature[:i] + string(c) + vector.signature[i+1:]; changed != vector.signature {
					refuse(vector.text, changed)
				}
			}
			refuse(vector.text, vector.signature[:i])
			refuse(vector.text, vector.signature[:i]+vector.signature[i+1:])
		}
		for i := range vector.text {
			refuse(vector.text[:i]+string(vector.text[i]^1)+vector.text[i+1:], vector.signature)
			refuse(vector.text[:i]+vector.text[i+1:], vector.signature)
		}
		refuse(vector.text, vector.signature+"=")
		refuse(vector.text, vector.signature+"A")
		refuse(vector.text, "\n"+vector.signature)
		refuse(vector.text, vector.signature[:42]+"\n")
		refuse(vector.text+"/", vector.signature)
		refuse(vector.text, "")
	}
}

// The last character of a signature carries four bits; the two that stand for nothing must be zero.
func TestVerifyIsStrictBase64(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	ring := signing.Keyring{{Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}}
	vector := vectors[0]
	last := strings.IndexByte(alphabet, vector.signature[42])
	for unused := 1; unused < 4; unused++ {
		twin := vector.signature[:42] + string(alphabet[last|unused])
		loose, err := base64.RawURLEncoding.DecodeString(twin)
		want, errWant := base64.RawURLEncoding.DecodeString(vector.signature)
		if err != nil || errWant != nil || string(loose) != string(want) {
			t.Fatalf("%q is no twin of %q", twin, vector.signature)
		}
		if ring.Verify(vector.text, twin, "") == nil {
			t.Errorf("Verify takes %q for %q", twin, vector.signature)
		}
	}
}

func TestVerifyKeys(t *testing.T) {
	t.Parallel()
	one := signing.Key{ID: "k1", Secret: []byte(strings.Repeat("1", 16))}
	two := signing.Key{ID: "k2", Secret: []byte(strings.Repeat("2", 64))}
	nameless := signing.Key{Secret: []byte(strings.Repeat("3", 32))}
	weak := signing.Key{ID: "weak", Secret: []byte(strings.Repeat("4", 15))}
	const text = "/shop/a.jpg"
	for _, test := range []struct {
		name string
		ring signing.Keyring
		by   signing.Key
		kid  string
		good bool
	}{
		{"only key", signing.Keyring{one}, one, "", true},
		{"second of two", signing.Keyring{one, two}, two, "", true},
		{"named", signing.Keyring{one, two}, two, "k2", true},
		{"named another", signing.Keyring{one, two}, two, "k1", false},
		{"named an unknown one", signing.Keyring{one, two}, two, "k3", false},
		{"nameless by no name", signing.Keyring{one, nameless}, nameless, "", true},
		{"retired", signing.Keyring{one}, two, "", false},
		{"no keys", nil, one, "", false},
		{"too short a secret", signing.Keyring{weak}, weak, "", false},
		{"empty secret", signing.Keyring{{}}, signing.Key{}, "", false},
	} {
		err := test.ring.Verify(text, test.by.Sign(text), test.kid)
		if (err == nil) != test.good || (err != nil && !errors.Is(err, signing.ErrBadSignature)) {
			t.Errorf("%s: Verify = %v, want good = %t", test.name, err, test.good)
		}
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		strings.Repeat("ab", 16): true, strings.Repeat("AB", 64): true, strings.Repeat("ab", 15): false, strings.Repeat("ab", 65): false,
		"": false, strings.Repeat("ab", 16) + "c": false, strings.Repeat("zz", 16): false, " " + strings.Repeat("ab", 16): false,
	} {
		secret, err := signing.ParseSecret(text)
		if (err == nil) != good || (good && len(secret) != len(text)/2) || (!good && (secret != nil || !errors.Is(err, signing.ErrSecret))) {
			t.Errorf("ParseSecret(%q) = %x, %v; want good = %t", text, secret, err, good)
		}
	}
}

func TestSignTargetRefuses(t *testing.T) {
	t.Parallel()
	key := signing.Key{Secret: []byte(strings.Repeat("k", 32))}
	for _, target := range []string{
		"", "shop/a.jpg", "//shop/a.jpg", "https://img.example.com/shop/a.jpg", "/shop/a b.jpg", "/shop/a.jpg#top", "/shop/é.jpg", "/shop/a.jpg?w=5\n",
		"/shop/a.jpg?s=abc", "/shop/a.jpg?w=300&s=abc", "?w=300",
	} {
		if got, err := key.SignTarget(target); !errors.Is(err, signing.ErrTarget) || got != "" {
			t.Errorf("SignTarget(%q) = %q, %v; want ErrTarget", target, got, err)
		}
	}
}

func TestCheckExpiry(t *testing.T) {
	t.Parallel()
	at := time.Unix(1893456000, 0)
	for _, test := range []struct {
		exp  int64
		now  time.Time
		want error
	}{
		{0, at, nil},
		{1893456000, at, nil},
		{1893456000, at.Add(999 * time.Millisecond), nil},
		{1893456000, at.Add(time.Second), signing.ErrExpired},
		{1, at, signing.ErrExpired},
	} {
		if err := signing.CheckExpiry(test.exp, test.now); !errors.Is(err, test.want) {
			t.Errorf("CheckExpiry(%d, %v) = %v, want %v", test.exp, test.now, err, test.want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    signing.Error
		status int
		code   string
	}{
		{signing.ErrBadSignature, http.StatusForbidden, "bad_signature"},
		{signing.ErrExpired, http.StatusGone, "expired"},
		{signing.ErrTarget, http.StatusBadRequest, "bad_signed_text"},
	} {
		if test.err.HTTPStatus() != test.status || test.err.Code() != test.code || test.err.Error() == "" {
			t.Errorf("%q: %d %s, want %d %s", test.err, test.err.HTTPStatus(), test.err.Code(), test.status, test.code)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	key := signing.Key{ID: "k1", Secret: []byte(strings.Repeat("\xab", 32))}
	ring := signing.Keyring{{ID: "k0", Secret: []byte(strings.Repeat("z", 32))}, key}
	text := "/shop/a%2Fb.jpg?w=300&fit=cover&ar=4:3"
	standard := strings.NewReplacer("-", "+", "_", "/").Replace
	ascii := signing.Key{Secret: []byte(strings.Repeat("ab", 32))}
	for _, test := range []struct{ name, text, signature, says string }{
		{"good", text, key.Sign(text), ""},
		{"nonsense", text, strings.Repeat("A", 43), ""},
		{"missing", text, "", "missing"},
		{"padded", text, key.Sign(text) + "=", "padded"},
		{"percent-encoded padding", text, key.Sign(text) + "%3D", "percent-encoded"},
		{"hex", text, hexOf(key.Sign(text)), "hex instead"},
		{"cut", text, key.Sign(text)[:20], "cut short"},
		{"line end", text, key.Sign(text + "\n"), "line end"},
		{"line end and padding", text, key.Sign(text+"\n") + "=", "line end behind it, and the signature is padded"},
		{"order", text, key.Sign("/shop/a%2Fb.jpg?ar=4:3&w=300&fit=cover"), "another order"},
		{"slash", text, key.Sign("/shop/a/b.jpg?w=300&fit=cover&ar=4:3"), "/ where %2F was sent"},
		{"lower escapes", text, key.Sign("/shop/a%2fb.jpg?w=300&fit=cover&ar=4:3"), "lower case"},
		{"escaped slash", "/shop/x/y.jpg", key.Sign("/shop/x%2Fy.jpg"), "%2F where / was sent"},
		{"double slash sent", "/shop//a.jpg", key.Sign("/shop/a.jpg"), "double slash"},
		{"path alone", text, key.Sign("/shop/a%2Fb.jpg"), "path alone"},
		{"without source", text, key.Sign("/a%2Fb.jpg?w=300&fit=cover&ar=4:3"), "without the source"},
		{"trailing separator", text, key.Sign(text + "&"), "trailing &"},
		{"with s", text, key.Sign(text + "&s="), "&s= behind"},
		{"colon", text, key.Sign("/shop/a%2Fb.jpg?w=300&fit=cover&ar=4%3A3"), "%3A"},
		{"html", text, key.Sign(strings.ReplaceAll(text, "&", "&amp;")), "&amp;"},
		{"plus", "/shop/a%20b.jpg", key.Sign("/shop/a+b.jpg"), "+ where %20"},
		{"decoded", "/shop/%C3%A9.jpg", key.Sign("/shop/é.jpg"), "decoded"},
		{"hex text as the secret", text, ascii.Sign(text), "hex text"},
	} {
		got := strings.Join(signing.Explain(ring, test.text, test.signature), "; ")
		if (test.says == "") != (got == "") || !strings.Contains(got, test.says) {
			t.Errorf("%s: Explain = %q, want %q", test.name, got, test.says)
		}
		if strings.Contains(got, key.Sign(test.text)) {
			t.Errorf("%s: Explain gives the right signature away: %q", test.name, got)
		}
	}
	if got := standardOf(t, ring, key, standard); !strings.Contains(got, "alphabet with + and /") {
		t.Errorf("Explain of the standard alphabet = %q", got)
	}
}

// standardOf explains a signature that both alphabets spell differently.
func standardOf(t *testing.T, ring signing.Keyring, key signing.Key, standard func(string) string) string {
	t.Helper()
	for i := range 1000 {
		text := fmt.Sprintf("/shop/%d.jpg", i)
		if signature := key.Sign(text); standard(signature) != signature {
			return strings.Join(signing.Explain(ring, text, standard(signature)), "; ")
		}
	}
	t.Fatal("no signature with - or _")
	return ""
}

func hexOf(signature string) string {
	sum, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", sum)
}

// Verifying stands before every picture that no memo knows; trying one key more must stay cheap.
func TestVerifyAllocations(t *testing.T) {
	vector := vectors[2]
	ring := signing.Keyring{{ID: "k1", Secret: []byte(strings.Repeat("1", 32))}, {ID: "k0", Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}}
	const ceiling = 14
	n := testing.AllocsPerRun(100, func() {
		if err := ring.Verify(vector.text, vector.signature, ""); err != nil {
			t.Fatal(err)
		}
	})
	if n > ceiling {
		t.Errorf("Verify with two keys allocates %v times, want at most %d", n, ceiling)
	}
}

func BenchmarkVerify(b *testing.B) {
	vector := vectors[2]
	ring := signing.Keyring{{Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}}
	b.ReportAllocs()
	for b.Loop() {
		if err := ring.Verify(vector.text, vector.signature, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func TestKeyringSignsWithTheKeyThatKidNames(t *testing.T) {
	ring := signing.Keyring{
		{ID: "k1", Secret: bytes.Repeat([]byte{1}, 32)},
		{ID: "k0", Secret: bytes.Repeat([]byte{2}, 32)},
	}
	for target, want := range map[string]signing.Key{
		"/shop/a.jpg?w=300":        ring[0],
		"/shop/a.jpg?w=300&kid=k0": ring[1],
		"/shop/a.jpg?kid=k1":       ring[0],
	} {
		got, err := ring.SignTarget(target)
		if expected, _ := want.SignTarget(target); err != nil || got != expected {
			t.Errorf("SignTarget(%q) = %q, %v, want %q", target, got, err, expected)
		}
	}
	if _, err := ring.SignTarget("/shop/a.jpg?kid=k9"); !errors.Is(err, signing.ErrNoKey) {
		t.Errorf("with an unknown kid: %v, want ErrNoKey", err)
	}
}
