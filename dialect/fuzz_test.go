package dialect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// FuzzNative puts targets through both stages: nothing panics, what is accepted has a canonical text
// that reads back, has a sound key, and no changed byte in front of the signature verifies.
func FuzzNative(f *testing.F) {
	for _, seed := range []string{
		"/shop/a.jpg", "/shop/a.jpg?w=300", "/shop/2026/summer%20sale/h%C3%A9ro.png?w=640&h=480&fit=cover&f=webp&q=80", "/shop/a.jpg?fit=cover&ar=4:3&open=w",
		"/cdn/https%3A%2F%2Fassets.example.com%2Fa%2Fb.jpg?w=200&exp=1893456000", "/shop/a.jpg?w=300&kid=k2", "/shop/a.jpg?open=w,dpr&s=x&w=320&dpr=2", "//shop/a.jpg",
		"/shop/%252e%252e/a", "/shop/a.jpg?p=thumb,card&dl=a%20b.jpg", "/shop/a.jpg?s=&s=", "/shop/a.jpg?&&==&s", "/shop/a%2Fb?f=raw&v=%25", "?", "", "/s/k?g=fp&fx=0&fy=1",
	} {
		f.Add(seed, uint(3), byte(1))
	}
	key := signing.Key{ID: "k1", Secret: []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")}
	ring := signing.Keyring{key}
	presets := map[string]string{"default": "q=70", "thumb": "w=200&h=200&fit=cover", "card": "f=png"}
	f.Fuzz(func(t *testing.T, target string, at uint, change byte) {
		for _, rules := range []dialect.Rules{
			{Widths: []int{320, 640}, Presets: presets, Limits: resize.DefaultLimits()},
			{OpenHTTP: true},
			{Unsigned: true, Widths: []int{320}, Presets: presets},
			{Unsigned: true, Free: true},
		} {
			checkRequest(t, target, rules)
		}
		signed, err := key.SignTarget(target)
		if err != nil {
			return
		}
		e := dialect.Split(signed)
		if err := ring.Verify(e.Signed, e.Signature, ""); err != nil {
			t.Fatalf("%q, just signed, does not verify: signed text %q, signature %q", signed, e.Signed, e.Signature)
		}
		checkRequest(t, signed, dialect.Rules{})
		if change == 0 {
			return
		}
		changed := []byte(signed)
		changed[at%uint(len(changed))] ^= change
		e = dialect.Split(string(changed))
		if ring.Verify(e.Signed, e.Signature, "") == nil {
			t.Fatalf("%q verifies as well as %q", changed, signed)
		}
	})
}

func checkRequest(t *testing.T, target string, rules dialect.Rules) {
	t.Helper()
	e := dialect.Split(target)
	_, _ = e.Expires() // must only not panic
	request, err := e.Request(rules)
	if err != nil {
		return
	}
	again, err := resize.Parse(request.Options.String())
	if err != nil || again != request.Options {
		t.Fatalf("%q: Parse(%q) = %v, %v: %s", target, request.Options, again, err, cmp.Diff(request.Options, again))
	}
	check := dialect.CheckKey
	if rules.OpenHTTP {
		check = dialect.CheckURL
	}
	if err := check(request.Key); err != nil {
		t.Fatalf("%q: key %q: %v", target, request.Key, err)
	}
	again2, err := dialect.Split(dialect.Target(request.Source, request.Key, "")).Request(dialect.Rules{OpenHTTP: rules.OpenHTTP})
	if err != nil || again2.Key != request.Key || again2.Source != request.Source {
		t.Fatalf("%q: the target of source %q, key %q is read as %+v, %v", target, request.Source, request.Key, again2, err)
	}
}
