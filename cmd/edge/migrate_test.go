package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readGuide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each setting that the guide gives for one of thumbor or imagor exists.
func TestThumborGuideSettings(t *testing.T) {
	_, table, found := strings.Cut(readGuide(t, "migrate-thumbor.md"), "| thumbor | imagor | here |\n|---|---|---|\n")
	if !found {
		t.Fatal("the guide has no table of settings")
	}
	code := regexp.MustCompile("`([^`]*)`")
	seen := map[string]bool{}
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 3 {
			break
		}
		if strings.HasPrefix(cells[2], "absent: ") {
			continue
		}
		named := code.FindAllStringSubmatch(cells[2], -1)
		if len(named) == 0 {
			t.Errorf("%s names no setting", line)
		}
		for _, name := range named {
			path := strings.Replace(name[1], "[]", "[0]", 1)
			if seen[path] = true; settingAt(path).Type == "" && settingAt(path).Ref == "" {
				t.Errorf("%s is no setting", name[1])
			}
		}
	}
	for _, setting := range thumborSettings(&Mount{}) {
		if path := "dialects[0]." + setting.name; !seen[path] && !slices.Contains([]string{"flavor", "source"}, setting.name) {
			t.Errorf("the table lacks %s", path)
		}
	}
}

// The configurations that the guides show load.
func TestGuideConfigurations(t *testing.T) {
	sources := "sources:\n  local: {dir: photos, keys: [{id: k1, secret: " + testKey + "}]}\n" +
		"  shop: {bucket: {endpoint: \"http://127.0.0.1:9000\", name: shop}, keys: [{id: k1, secret: " + testKey + "}]}\n" +
		"  web: {http: {allow: [\"https://*/\"]}, keys: [{id: k1, secret: " + testKey + "}]}\n"
	for _, row := range []struct{ guide, text, begins, before, indent string }{
		{"migrate-imgproxy.md", readGuide(t, "migrate-imgproxy.md"), "    dialects:\n", sources, "    "},
		{"migrate-thumbor.md", readGuide(t, "migrate-thumbor.md"), "       sources:\n", "", "       "},
	} {
		at := strings.Index(row.text, row.begins)
		if at < 0 {
			t.Fatalf("%s shows no configuration", row.guide)
		}
		yaml := row.before
		for line := range strings.SplitSeq(row.text[at:], "\n") {
			if !strings.HasPrefix(line, row.indent) {
				break
			}
			yaml += strings.TrimPrefix(line, row.indent) + "\n"
		}
		yaml = strings.ReplaceAll(yaml, `"…"`, `"`+testKey+`"`)
		if _, err := Load(writeConfig(t, yaml), nil, Overrides{}); err != nil {
			t.Errorf("%s: %v\n%s", row.guide, err, yaml)
		}
	}
}
