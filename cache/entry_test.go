package cache

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestKeys(t *testing.T) {
	keys := map[string]Key{
		"base":            NewKey(1, "shop", "a.jpg", "w=1"),
		"version":         NewKey(2, "shop", "a.jpg", "w=1"),
		"source":          NewKey(1, "shopa", ".jpg", "w=1"),
		"object and text": NewKey(1, "shop", "a.jpgw", "=1"),
		"original":        OriginalKey("shop", "a.jpg"),
		"empty":           NewKey(0, "", "", ""),
	}
	seen := map[Hash]string{}
	for name, k := range keys {
		if other, ok := seen[k.Variant]; ok {
			t.Errorf("%s and %s have one variant", name, other)
		}
		seen[k.Variant] = name
	}
	base := keys["base"]
	if base.Object != keys["original"].Object || base.Object != keys["version"].Object || base.Object != objectHash("shop", "a.jpg") {
		t.Error("keys of one original differ in Object")
	}
	if base.Object == keys["source"].Object {
		t.Error("keys of two originals share Object")
	}
	if base != NewKey(1, "shop", "a.jpg", "w=1") {
		t.Error("the same input gives two keys")
	}
	// The variant names things in Redis: it must not change unnoticed.
	if got, want := base.Variant.String(), "58725860257d2821bbcb9a437e1f9e88"; got != want {
		t.Errorf("variant of the base key = %s, want %s; if meant, bump the version in valueKey", got, want)
	}
}

func TestEntryRoundTrip(t *testing.T) {
	k := key("shop", "a", 1)
	for name, e := range map[string]*Entry{"full": fullEntry(), "zero": {}} {
		t.Run(name, func(t *testing.T) {
			e.Generation = Generation{All: 1, Source: 1 << 63, Object: 3}
			prefix := "before"
			data := AppendEntry([]byte(prefix), k, e)
			got, err := DecodeEntry(k, data[len(prefix):])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(e, got, sameTimes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEntryRoundTripAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		e := &Entry{
			Body: rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "body"), Type: text.Draw(t, "type"), ETag: text.Draw(t, "etag"),
			OriginETag: text.Draw(t, "origin etag"), Code: text.Draw(t, "code"), Detail: text.Draw(t, "detail"),
			Tags:   rapid.SliceOfN(text, 1, 5).Draw(t, "tags"),
			Status: rapid.IntRange(0, 999).Draw(t, "status"), OriginalSize: rapid.Int64().Draw(t, "size"),
		}
		k := key("shop", text.Draw(t, "object"), 1)
		got, err := DecodeEntry(k, AppendEntry(nil, k, e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got, sameTimes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// T22: each changed byte, each cut and each extension is noticed.
func TestEntryDamage(t *testing.T) {
	k := key("shop", "a", 1)
	good := AppendEntry(nil, k, fullEntry())
	check := func(what string, k Key, data []byte) {
		t.Helper()
		if e, err := DecodeEntry(k, data); !errors.Is(err, ErrDamaged) || e != nil {
			t.Errorf("%s: %v, %v; want nil, ErrDamaged", what, e, err)
		}
	}
	for i := range good {
		for _, flip := range []byte{1, 0x80} {
			data := append([]byte(nil), good...)
			data[i] ^= flip
			check("changed byte", k, data)
		}
		check("cut", k, good[:i])
	}
	check("longer", k, append(append([]byte(nil), good...), 0))
	check("of another key", key("shop", "a", 2), good)
}

// FuzzEntry puts the right frame around what the fuzzer makes of the fields, so that it gets past the checksum.
func FuzzEntry(f *testing.F) {
	k := key("shop", "a", 1)
	for _, e := range []*Entry{fullEntry(), {}, entry("body")} {
		f.Add(AppendEntry(nil, k, e)[entryFields:])
	}
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, fields []byte) {
		_, _ = DecodeEntry(k, fields) // whatever comes without the frame
		data := append([]byte(entryMagic), k.Variant[:]...)
		data = append(append(data, 0, 0, 0, 0), fields...)
		binary.BigEndian.PutUint32(data[entrySum:], checksum(data))
		e, err := DecodeEntry(k, data)
		if err != nil {
			return
		}
		again, err := DecodeEntry(k, AppendEntry(nil, k, e))
		if err != nil {
			t.Fatalf("what was decoded does not decode again: %v", err)
		}
		if diff := cmp.Diff(e, again, sameTimes); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
