package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/signing"
)

// Every setting of a mount changes what is read of some URL.
func TestMountSettingsReachTheGrammar(t *testing.T) {
	const sourceKey = "1eb5b0e971ad7f45324c1bb15c947cb2"
	secret := []byte{0x1e, 0xb5, 0xb0, 0xe9, 0x71, 0xad, 0x7f, 0x45, 0x32, 0x4c, 0x1b, 0xb1, 0x5c, 0x94, 0x7c, 0xb2}
	encrypted, err := signing.SourceKey(secret).Encrypt("local:///enc.jpg")
	if err != nil {
		t.Fatal(err)
	}
	const imgproxy, thumbor = `dialect: imgproxy, prefix: /m, sources: {"local:///": a, "local:///b/": b}`, "dialect: thumbor, prefix: /m, source: a"
	for _, row := range []struct {
		name, settings string
		target         string
		want           string // source key options; "" = refused
	}{
		{"longest source", imgproxy + ", unsigned: true", "/m/x/plain/local:///b/c.jpg", "b c.jpg f=keep&_kf=jpeg.png.gif&meta=copyright"},
		{"rooted http source", `dialect: imgproxy, prefix: /m, sources: {"https://": rooted}, unsigned: true`, "/m/x/plain/https://a.example/p/c%20d.jpg@png", "rooted c d.jpg f=png&meta=copyright"},
		{"outside of its base", `dialect: imgproxy, prefix: /m, sources: {"https://": rooted}, unsigned: true`, "/m/x/plain/https://a.example/q/c.jpg@png", ""},
		{"open http source", `dialect: imgproxy, prefix: /m, sources: {"https://": web}, unsigned: true`, "/m/x/plain/https://b.example/c.jpg@png", "web https://b.example/c.jpg f=png&meta=copyright"},
		{"keys needed", imgproxy + ", keys: [{key: 7765616b, salt: 62}]", "/m/x/plain/local:///c.jpg", ""},
		{"trusted_signatures", imgproxy + ", trusted_signatures: [yes]", "/m/yes/plain/local:///c.jpg@png", "a c.jpg f=png&meta=copyright"},
		{"another signature", imgproxy + ", trusted_signatures: [yes]", "/m/no/plain/local:///c.jpg@png", ""},
		{"signature_size", imgproxy + ", keys: [{key: 736563726574, salt: 68656c6c6f}], signature_size: 8", "/m/" + imgproxyPair().Sign("/plain/local:///c.jpg@png", 8) + "/plain/local:///c.jpg@png", "a c.jpg f=png&meta=copyright"},
		{"source_key", imgproxy + ", unsigned: true, source_key: " + sourceKey, "/m/x/enc/" + encrypted + ".png", "a enc.jpg f=png&meta=copyright"},
		{"no source_key", imgproxy + ", unsigned: true", "/m/x/enc/" + encrypted + ".png", ""},
		{"presets", imgproxy + `, unsigned: true, presets: {default: "q:50", s: "w:10"}`, "/m/x/pr:s/plain/local:///c.jpg@jpg", "a c.jpg w=10&f=jpeg&q=50&meta=copyright"},
		{"presets_only", imgproxy + `, unsigned: true, presets: {s: "w:10"}, presets_only: true`, "/m/x/s/plain/local:///c.jpg@png", "a c.jpg w=10&f=png&meta=copyright"},
		{"presets_only refuses options", imgproxy + `, unsigned: true, presets: {s: "w:10"}, presets_only: true`, "/m/x/w:10/plain/local:///c.jpg@png", ""},
		{"base_url", imgproxy + `, unsigned: true, base_url: "local:///b/"`, "/m/x/plain/c.jpg@png", "b c.jpg f=png&meta=copyright"},
		{"replacements", imgproxy + `, unsigned: true, replacements: ["old://*/=local:///b/${1}/"]`, "/m/x/plain/old://x/c.jpg@png", "b x/c.jpg f=png&meta=copyright"},
		{"base64_filename", imgproxy + ", unsigned: true, base64_filename: true", "/m/x/bG9jYWw6Ly8vYS5qcGc/name.jpg", "a a.jpg f=keep&_kf=jpeg.png.gif&meta=copyright"},
		{"separator", imgproxy + `, unsigned: true, separator: ","`, "/m/x/rs,fill,10,20/plain/local:///c.jpg@png", "a c.jpg w=10&h=20&fit=cover&f=png&meta=copyright"},
		{"allowed_options", imgproxy + ", unsigned: true, allowed_options: [w]", "/m/x/h:10/plain/local:///c.jpg@png", ""},
		{"an allowed option", imgproxy + ", unsigned: true, allowed_options: [w]", "/m/x/w:10/plain/local:///c.jpg@png", "a c.jpg w=10&f=png&meta=copyright"},
		{"security_options", imgproxy + ", unsigned: true, security_options: true", "/m/x/msr:1/plain/local:///c.jpg@png", "a c.jpg f=png&meta=copyright limits"},
		{"no security_options", imgproxy + ", unsigned: true", "/m/x/msr:1/plain/local:///c.jpg@png", ""},
		{"preferred_formats", imgproxy + ", unsigned: true, preferred_formats: [jpg, webp]", "/m/x/plain/local:///c.jpg", "a c.jpg f=keep&_kf=jpeg.webp&meta=copyright"},
		{"auto_format", imgproxy + ", unsigned: true, auto_format: true", "/m/x/plain/local:///c.jpg", "a c.jpg _kf=jpeg.png.gif&meta=copyright"},
		{"respect_orientation", imgproxy + ", unsigned: true, respect_orientation: false", "/m/x/plain/local:///c.jpg@png", "a c.jpg orient=0&f=png&meta=copyright"},
		{"watermark", imgproxy + ", unsigned: true, watermark: logo", "/m/x/wm:0.5:soea/plain/local:///c.jpg@png", "a c.jpg wm=b%2Flogo.png&wmg=southeast&wmo=0.5&f=png&meta=copyright"},
		{"source", thumbor + ", unsafe: true", "/m/unsafe/10x0/c.jpg", "a c.jpg w=10&enlarge=1&f=keep"},
		{"no unsafe", thumbor + ", key: weak", "/m/unsafe/10x0/c.jpg", ""},
		{"sources", thumbor + `, unsafe: true, sources: {"bb/": b}`, "/m/unsafe/10x0/bb/c.jpg", "b c.jpg w=10&enlarge=1&f=keep"},
		{"key, algorithm, truncate", thumbor + ", key: weak, algorithm: sha512, truncate: 20", "/m/" + signing.ThumborKey{Secret: "weak", Algorithm: signing.SHA512, Truncate: 20}.Sign("10x0/c.jpg") + "/10x0/c.jpg", "a c.jpg w=10&enlarge=1&f=keep"},
		{"flavor", thumbor + ", unsafe: true, flavor: imagor", "/m/unsafe/10x0/b64:Yy5qcGc", "a c.jpg w=10&enlarge=1&f=keep"},
		{"thumbor's flavor", thumbor + ", unsafe: true", "/m/unsafe/10x0/b64:Yy5qcGc", "a b64:Yy5qcGc w=10&enlarge=1&f=keep"},
		{"scheme", "dialect: thumbor, prefix: /m, source: web, unsafe: true, scheme: https", "/m/unsafe/10x0/a.example/c.jpg", "web https://a.example/c.jpg w=10&enlarge=1&f=keep"},
		{"no scheme", "dialect: thumbor, prefix: /m, source: web, unsafe: true", "/m/unsafe/10x0/a.example/c.jpg", "web http://a.example/c.jpg w=10&enlarge=1&f=keep"},
		{"base_params", thumbor + `, unsafe: true, base_params: "filters:quality(33)"`, "/m/unsafe/10x0/c.jpg", "a c.jpg w=10&enlarge=1&f=keep&q=33"},
		{"thumbor's orientation", thumbor + ", unsafe: true, respect_orientation: false", "/m/unsafe/10x0/c.jpg", "a c.jpg w=10&enlarge=1&orient=0&f=keep"},
		{"thumbor's auto_format", thumbor + ", unsafe: true, auto_format: true", "/m/unsafe/10x0/c.jpg", "a c.jpg w=10&enlarge=1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg, err := Load(writeConfig(t, `
sources:
  a: {dir: photos, unsigned: true}
  b: {dir: photos, unsigned: true}
  rooted: {http: {base: "https://a.example/p/"}, unsigned: true}
  web: {http: {allow: ["https://*.example/", "http://*.example/"]}, unsigned: true}
watermarks: {logo: {image: b/logo.png}}
dialects: [{`+row.settings+"}]\n"), nil, Overrides{})
			if err != nil {
				t.Fatal(err)
			}
			found, err := cfg.inspect("", row.target, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			refused := found.err != nil || strings.HasPrefix(found.signature, "bad")
			if row.want == "" {
				if !refused {
					t.Errorf("%s is taken: %+v", row.target, found.request)
				}
				return
			}
			if refused {
				t.Fatalf("%s: signature %s, %v", row.target, found.signature, found.err)
			}
			r := found.request
			got := fmt.Sprintf("%s %s %s", r.Source, r.Key, r.Options)
			if r.Limits.SourcePixels != 0 {
				got += " limits"
			}
			if got != row.want {
				t.Errorf("%s means %q, want %q", row.target, got, row.want)
			}
		})
	}
}
