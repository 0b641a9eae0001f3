package dialect_test

import (
	"testing"

	"github.com/imgedge/imgedge/dialect"
)

func watermarkRules() dialect.Rules {
	return dialect.Rules{
		Watermarks: map[string]dialect.WatermarkRule{
			"logo":  {Image: "brand/logo v2.png", Options: "wmg=southeast&wmx=16&wms=0.2&wmo=0.8"},
			"plain": {Image: "brand/plain.png"},
		},
		OverlaySources: []string{"overlays", "shop"},
		Presets:        map[string]string{"marked": "wm=logo&wmo=0.5", "big": "wms=0.9"},
	}
}

// A configured name stands for its picture and its options; the URL's own go before them.
func TestWatermarkNames(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"wm=logo":                   "wm=brand%2Flogo%20v2.png&wmg=southeast&wmx=16&wms=0.2&wmo=0.8",
		"wm=logo&wms=0.4":           "wm=brand%2Flogo%20v2.png&wmg=southeast&wmx=16&wms=0.4&wmo=0.8",
		"wm=logo&wmg=center&wmr=1":  "wm=brand%2Flogo%20v2.png&wmx=16&wms=0.2&wmo=0.8&wmr=1",
		"wm=logo&wmo=1":             "wm=brand%2Flogo%20v2.png&wmg=southeast&wmx=16&wms=0.2",
		"p=marked":                  "wm=brand%2Flogo%20v2.png&wmg=southeast&wmx=16&wms=0.2&wmo=0.5",
		"p=marked&wm=plain":         "wm=brand%2Fplain.png&wmo=0.5",
		"p=big&wm=logo":             "wm=brand%2Flogo%20v2.png&wmg=southeast&wmx=16&wms=0.9&wmo=0.8",
		"wm=shop%2Fa.png&wms=0.2":   "wm=shop%2Fa.png&wms=0.2",
		"wm=overlays/x/y.png":       "wm=overlays%2Fx%2Fy.png",
		"wm=plain&wmrot=45&wmy=10p": "wm=brand%2Fplain.png&wmy=10p&wmrot=45",
	} {
		got, err := request("/shop/a.jpg?"+query+"&s=x", watermarkRules())
		if err != nil || got.Options.String() != want {
			t.Errorf("%q = %q, %v; want %q", query, got.Options, err, want)
		}
	}
	named, err := request("/shop/a.jpg?wm=plain&wms=0.5&s=x", watermarkRules())
	rules := watermarkRules()
	rules.OverlaySources = []string{"brand"}
	direct, errDirect := request("/shop/a.jpg?wm=brand/plain.png&wms=0.5&s=x", rules)
	if err != nil || errDirect != nil || named != direct {
		t.Errorf("a name and its picture differ: %v %v, %v %v", named, err, direct, errDirect)
	}
}

func TestWatermarkRefuses(t *testing.T) {
	t.Parallel()
	const names = "the name of a configured watermark"
	for query, says := range map[string]string{
		"wm=nope":                  `wm: "nope" is not allowed; allowed: ` + names + ", or source/key of the sources overlays, shop",
		"wm=brand/plain.png":       `wm: "brand/plain.png" is not allowed`, // configured, but not to be named
		"wm=secret/a.png":          `wm: "secret/a.png" is not allowed`,
		"wm=shop/../a.png":         "wm",
		"wm=shop%2F%252e%252e%2Fa": "wm",
		"wm=shop/":                 "wm",
		"wm=Logo":                  "wm",
		"wmg=north":                "wmg: needs wm",
		"wm=logo&wms=2":            "wms",
		"wm=logo&wm=logo":          "twice",
		"f=raw&wm=logo":            "wm: f=raw",
	} {
		got, err := request("/shop/a.jpg?"+query+"&s=x", watermarkRules())
		checkRefused(t, query, got, err, "bad_option", says)
	}
	got, err := request("/shop/a.jpg?wm=logo&s=x", dialect.Rules{})
	checkRefused(t, "no rules", got, err, "bad_option", names)
}

func TestWatermarkRuleValidate(t *testing.T) {
	t.Parallel()
	for _, rule := range watermarkRules().Watermarks {
		if err := rule.Validate(); err != nil {
			t.Errorf("Validate(%+v): %v", rule, err)
		}
	}
	for _, rule := range []dialect.WatermarkRule{
		{},
		{Image: "logo.png"},
		{Image: "brand/../x"},
		{Image: "brand/a.png", Options: "w=5"},
		{Image: "brand/a.png", Options: "wm=x"},
		{Image: "brand/a.png", Options: "wms=2"},
		{Image: "brand/a.png", Options: "wmo=0.5&"},
		{Image: "brand/a.png", Options: "_wmb=1"},
	} {
		if rule.Validate() == nil {
			t.Errorf("Validate(%+v) = nil, want an error", rule)
		}
	}
}
