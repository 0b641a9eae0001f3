package dialect_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

const thumborGuide = "migrate-thumbor.md"

// guideThumbor is the mount of the guide's examples, with each flavor.
func guideThumbor() []dialect.ThumborMount {
	limits := resize.DefaultLimits()
	thumbor := dialect.ThumborMount{
		Flavor:  dialect.FlavorThumbor,
		Source:  "local",
		Sources: map[string]string{"http://": "web", "https://": "web", "https://assets.example.com/": "assets", "shop/": "shop"},
		About: map[string]dialect.MountSource{
			"local": {Limits: limits}, "shop": {Limits: limits}, "web": {OpenHTTP: true, Limits: limits},
			"assets": {Base: "https://assets.example.com/img/", Limits: limits},
		},
	}
	imagor := thumbor
	imagor.Flavor = dialect.FlavorImagor
	return []dialect.ThumborMount{thumbor, imagor}
}

// forFlavor returns the text of a cell that holds one for both flavors or one for each; "" for —.
func (r guideRow) forFlavor(t *testing.T, column string, flavor dialect.ThumborFlavor) string {
	t.Helper()
	all := r.code(column)
	switch {
	case len(all) == 1:
		return all[0]
	case len(all) == 2 && flavor == dialect.FlavorImagor:
		return all[1]
	case len(all) == 2:
		return all[0]
	case len(all) == 0 && r.cells[column] == "—":
		return ""
	}
	t.Fatalf("%s: %s is %q: one or two texts between back quotes, or —, are expected", r, column, r.cells[column])
	return ""
}

func TestThumborGuidePath(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, thumborGuide, "part", "example", "thumbor", "imagor", "native") {
		for _, mount := range guideThumbor() {
			checkThumborRow(t, row, mount, row.one(t, "example")+"/a.jpg", strings.Join(row.code("part"), "")+"/")
		}
	}
}

func TestThumborGuideFilters(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, row := range guideTables(t, thumborGuide, "filter", "example", "thumbor", "imagor", "native") {
		name, example := row.one(t, "filter"), row.one(t, "example")
		if named[name] = true; !strings.Contains(example, name+"(") {
			t.Errorf("%s: %s is no example of %s", row, example, name)
		}
		if !strings.Contains(example, "filters:") {
			example = "filters:" + example
		}
		for _, mount := range guideThumbor() {
			checkThumborRow(t, row, mount, example+"/a.jpg", name)
		}
	}
	for _, name := range dialect.ThumborNames() {
		if !named[name] {
			t.Errorf("%s: no table has the filter %q", thumborGuide, name)
		}
	}
}

func checkThumborRow(t *testing.T, row guideRow, mount dialect.ThumborMount, path, absent string) {
	t.Helper()
	e := mount.Split("/unsafe/" + path)
	got, err := mount.Request(e, e.Path)
	if row.verdict(t, string(mount.Flavor)) == "absent" {
		if err == nil || !strings.Contains(err.Error(), absent) {
			t.Errorf("%s: %s: %s: %v; want an error that names %s", row, mount.Flavor, path, err, absent)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %s: %s: %v", row, mount.Flavor, path, err)
		return
	}
	native := row.forFlavor(t, "native", mount.Flavor)
	if native == "" {
		e = mount.Split("/unsafe/a.jpg")
		if plain, err := mount.Request(e, e.Path); err != nil || got == plain {
			t.Errorf("%s: %s: %s changes nothing, %v", row, mount.Flavor, path, err)
		}
		return
	}
	if !strings.Contains(native, "f=") {
		native += "&f=keep"
	}
	want, err := dialect.ParseOptions(native, dialect.Rules{})
	if err != nil {
		t.Fatalf("%s: %s: %v", row, native, err)
	}
	if got.Options != want {
		t.Errorf("%s: %s: %s is %q, the native equivalent %q: %s", row, mount.Flavor, path, got.Options, want, cmp.Diff(want, got.Options))
	}
}

func TestThumborGuideImages(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, thumborGuide, "form", "example", "thumbor", "imagor", "source and key") {
		first, second, two := strings.Cut(row.cells["source and key"], " · ")
		for _, mount := range guideThumbor() {
			cell := first
			if two && mount.Flavor == dialect.FlavorImagor {
				cell = second
			}
			want := guideRow{cells: map[string]string{"want": cell}}.code("want")
			if len(want) == 1 { // the source is the same
				want = []string{row.code("source and key")[0], want[0]}
			}
			e := mount.Split("/unsafe/" + row.one(t, "example"))
			got, err := mount.Request(e, e.Path)
			if row.verdict(t, string(mount.Flavor)) == "absent" {
				if _, code := errorOf(err); code != "bad_key" {
					t.Errorf("%s: %s: %q of %q, %v; want bad_key", row, mount.Flavor, got.Key, got.Source, err)
				}
				continue
			}
			if err != nil || !slices.Equal(want, []string{got.Source, got.Key}) {
				t.Errorf("%s: %s: %q of %q, %v; want %q", row, mount.Flavor, got.Key, got.Source, err, want)
			}
		}
	}
}

func TestThumborGuideHashes(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, thumborGuide, "key", "algorithm", "characters", "path", "hash") {
		characters, err := strconv.Atoi(row.cells["characters"])
		if err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		key := signing.ThumborKey{Secret: row.one(t, "key"), Algorithm: signing.ThumborAlgorithm(row.one(t, "algorithm")), Truncate: characters, Imagor: true}
		if got := key.Sign(row.one(t, "path")); got != row.one(t, "hash") {
			t.Errorf("%s: the hash is %s", row, got)
		}
	}
}

func TestThumborGuideStatuses(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, thumborGuide, "case", "request", "thumbor", "imagor", "here, thumbor", "here, imagor") {
		request := row.one(t, "request")
		if request == "" {
			continue
		}
		for _, mount := range guideThumbor() {
			key := signing.ThumborKey{Secret: "my-security-key", Imagor: mount.Flavor == dialect.FlavorImagor}
			signed := request
			if path, ok := strings.CutPrefix(request, "/{hash}/"); ok {
				signed = "/" + key.Sign(path) + "/" + path
			}
			_, err := (&edge.Thumbor{Mount: &mount, Key: key}).Read(signed, time.Unix(2e9, 0))
			row.cells["here"] = row.cells["here, "+string(mount.Flavor)]
			checkGuideStatus(t, row, signed, err)
		}
	}
}
