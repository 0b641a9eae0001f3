package dialect_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
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

// guideRow is a row of a table of a guide, its cells by the names of their columns.
type guideRow struct {
	file  string
	line  int
	cells map[string]string
}

func (r guideRow) String() string { return fmt.Sprintf("%s:%d", r.file, r.line) }

// code returns the texts of a cell that stand between back quotes.
func (r guideRow) code(column string) []string {
	var all []string
	for i, text := range strings.Split(r.cells[column], "`") {
		if i%2 == 1 {
			all = append(all, text)
		}
	}
	return all
}

// one returns the only such text of a cell; "" for —.
func (r guideRow) one(t *testing.T, column string) string {
	t.Helper()
	all := r.code(column)
	if len(all) > 1 || len(all) == 0 && r.cells[column] != "—" {
		t.Fatalf("%s: %s is %q: one text between back quotes, or —, is expected", r, column, r.cells[column])
	}
	return strings.Join(all, "")
}

// verdict returns what a cell says first: same, different or absent. The last two say why.
func (r guideRow) verdict(t *testing.T, column string) string {
	t.Helper()
	word, rest, why := strings.Cut(r.cells[column], ": ")
	if why = why && rest != ""; word == "different" && why || word == "absent" && why {
		return word
	}
	if regexp.MustCompile(`^same\b`).MatchString(r.cells[column]) {
		return "same"
	}
	t.Fatalf("%s: %s is %q, want same, different: … or absent: …", r, column, r.cells[column])
	return ""
}

// guideTables returns the tables of a guide that have exactly these columns.
func guideTables(t *testing.T, file string, columns ...string) []guideRow {
	t.Helper()
	text, err := os.ReadFile("../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []guideRow
	var head []string
	for i, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "|") {
			head = nil
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		switch {
		case head == nil:
			head = cells
		case strings.HasPrefix(line, "|---"), !slices.Equal(head, columns):
		case len(cells) != len(head):
			t.Fatalf("%s:%d has %d cells, want %d", file, i+1, len(cells), len(head))
		default:
			row := guideRow{file: file, line: i + 1, cells: map[string]string{}}
			for j, name := range head {
				row.cells[name] = cells[j]
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table of %q", file, columns)
	}
	return rows
}

const imgproxyGuide = "migrate-imgproxy.md"

// guideImgproxy is the mount of the guide's examples.
func guideImgproxy() *dialect.ImgproxyMount {
	limits := resize.DefaultLimits()
	key := signing.SourceKey("0123456789abcdef")
	return &dialect.ImgproxyMount{
		Sources: map[string]string{"local://": "local", "s3://shop/": "shop", "https://": "web", "https://assets.example.com/img/": "assets"},
		About: map[string]dialect.MountSource{
			"local": {Limits: limits}, "shop": {Limits: limits}, "web": {OpenHTTP: true, Limits: limits},
			"assets": {Base: "https://assets.example.com/img/", Limits: limits},
		},
		Presets:   map[string]string{"card": "rs:fill:120:80", "sharp": "sh:0.7", "self": "w:100/pr:self"},
		Watermark: "brand/logo.png",
		Decrypt:   key.Decrypt,
	}
}

// Each option of the guide is read as the guide says, under each of its names.
func TestImgproxyGuideOptions(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, row := range guideTables(t, imgproxyGuide, "option", "example", "here", "native") {
		names, example := row.code("option"), row.one(t, "example")
		used, rest, _ := strings.Cut(example, ":")
		spellings := []string{example}
		for _, name := range names {
			named[name] = true
			if slices.Contains(names, used) && name != used {
				spellings = append(spellings, name+":"+rest)
			}
		}
		for _, spelling := range spellings {
			checkImgproxyRow(t, row, names[0], spelling)
		}
	}
	for _, name := range dialect.ImgproxyNames() {
		if !named[name] {
			t.Errorf("%s: no table has the option %q", imgproxyGuide, name)
		}
	}
}

func checkImgproxyRow(t *testing.T, row guideRow, absent, example string) {
	t.Helper()
	m := guideImgproxy()
	m.AllowSecurity = true
	got, err := m.Request(m.Split("/sig/f:jpeg/" + example + "/plain/local:///a.jpg"))
	if row.verdict(t, "here") == "absent" {
		name, _, _ := strings.Cut(example, ":")
		if err == nil || !strings.Contains(err.Error(), quoted(absent)) && !strings.Contains(err.Error(), quoted(name)) {
			t.Errorf("%s: %s: %v; want an error that names %q", row, example, err, absent)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %s: %v", row, example, err)
		return
	}
	plain, err := m.Request(m.Split("/sig/f:jpeg/plain/local:///a.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	native := row.one(t, "native")
	if native == "" {
		if got == plain {
			t.Errorf("%s: %s changes nothing", row, example)
		}
		return
	}
	if !strings.Contains(native, "f=") {
		native += "&f=jpeg"
	}
	if !strings.Contains(native, "meta=") && native != "f=raw" {
		native += "&meta=copyright"
	}
	want, err := dialect.ParseOptions(native, dialect.Rules{Presets: map[string]string{"card": "w=120&h=80&fit=cover"}})
	if err != nil {
		t.Fatalf("%s: %s: %v", row, native, err)
	}
	if got.Options != want {
		t.Errorf("%s: %s is %q, the native equivalent %q: %s", row, example, got.Options, want, cmp.Diff(want, got.Options))
	}
}

// quoted is how errors name what they refuse.
func quoted(name string) string { return strconv.Quote(name) }

func TestImgproxyGuideInfo(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, imgproxyGuide, "option", "example", "here") {
		names, example := row.code("option"), row.one(t, "example")
		used, rest, _ := strings.Cut(example, ":")
		if !slices.Contains(names, used) {
			t.Errorf("%s: %s is none of %q", row, example, names)
		}
		m := guideImgproxy()
		m.AllowSecurity = true
		for _, name := range names {
			request, err := m.Request(m.Split("/info/sig/" + name + ":" + rest + "/plain/local:///a.jpg"))
			switch {
			case row.verdict(t, "here") == "absent":
				if err == nil || !strings.Contains(err.Error(), quoted(name)) {
					t.Errorf("%s: %s: %v; want an error that names it", row, name, err)
				}
			case err != nil || request.Options.Format != resize.FormatJSON:
				t.Errorf("%s: %s: %v, %v", row, name, request.Options, err)
			}
		}
	}
}

func TestImgproxyGuideSources(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, imgproxyGuide, "form", "example", "here", "source and key") {
		m := guideImgproxy()
		example := row.one(t, "example")
		if at := strings.Index(example, "{encrypted "); at >= 0 {
			text, err := signing.SourceKey("0123456789abcdef").Encrypt(strings.TrimSuffix(example[at+len("{encrypted "):], "}"))
			if err != nil {
				t.Fatal(err)
			}
			example = example[:at] + text
		}
		got, err := m.Request(m.Split("/sig/" + example))
		if row.verdict(t, "here") == "absent" {
			var known *resize.Error
			if !errors.As(err, &known) || known.Status != 404 {
				t.Errorf("%s: %s is %s of %s, %v; want a 404", row, example, got.Key, got.Source, err)
			}
			continue
		}
		if want := row.code("source and key"); err != nil || len(want) != 2 || got.Source != want[0] || got.Key != want[1] {
			t.Errorf("%s: %s is %q of %q, %v; want %q", row, example, got.Key, got.Source, err, want)
		}
	}
}

func TestImgproxyGuidePresets(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, imgproxyGuide, "form", "example", "here") {
		if row.file != imgproxyGuide {
			continue
		}
		m := guideImgproxy()
		m.PresetsOnly = strings.Contains(row.cells["here"], "presets_only")
		_, err := m.Request(m.Split("/sig/" + row.one(t, "example")))
		if refused := strings.Contains(row.cells["here"], "404"); row.verdict(t, "here") != "same" || (err != nil) != refused {
			t.Errorf("%s: %s: %v", row, row.one(t, "example"), err)
		}
	}
}

func TestImgproxyGuideSignatures(t *testing.T) {
	t.Parallel()
	for _, row := range guideTables(t, imgproxyGuide, "key", "salt", "bytes", "path", "signature") {
		size, err := strconv.Atoi(row.cells["bytes"])
		if err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		pair := signing.Salted{Key: unhexed(t, row.one(t, "key")), Salt: unhexed(t, row.one(t, "salt"))}
		path, signature := row.one(t, "path"), row.one(t, "signature")
		keys := signing.Imgproxy{Pairs: []signing.Salted{pair}, Size: size}
		if got := pair.Sign(path, size); got != signature || keys.Verify(path, signature) != nil {
			t.Errorf("%s: the signature is %s, want %s", row, got, signature)
		}
	}
}

func unhexed(t *testing.T, text string) []byte {
	t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(text, "%x", &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestImgproxyGuideStatuses(t *testing.T) {
	t.Parallel()
	keys := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("secret"), Salt: []byte("hello")}}}
	for _, row := range guideTables(t, imgproxyGuide, "case", "request", "imgproxy", "here") {
		request := row.one(t, "request")
		if request == "" {
			continue
		}
		m := guideImgproxy()
		path := m.Split(strings.ReplaceAll(request, "{signature}=", "{signature}")).Path
		request = strings.Replace(request, "{signature}", keys.Pairs[0].Sign(path, 0), 1)
		_, err := (&edge.Imgproxy{Mount: m, Keys: keys}).Read(request, time.Unix(2e9, 0))
		checkGuideStatus(t, row, request, err)
	}
}

// checkGuideStatus compares the status of an error, or 200, with the row's.
func checkGuideStatus(t *testing.T, row guideRow, request string, err error) {
	t.Helper()
	status := 200
	var known interface{ HTTPStatus() int }
	if errors.As(err, &known) {
		status = known.HTTPStatus()
	}
	if strconv.Itoa(status) != row.cells["here"] || err != nil && known == nil {
		t.Errorf("%s: %s is %d (%v), want %s", row, request, status, err, row.cells["here"])
	}
}
