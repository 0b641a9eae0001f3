package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/imgedge/imgedge"

// arrow is what a package may import: packages of ours, and those libraries that are named below.
type arrow struct {
	from    string   // a package of ours
	ours    []string // "*" = all
	named   []string
	stdlib  bool // nothing but the standard library and ours
	program bool // may read flags and the environment
}

// arrows are those of the design. A package without a row fails the test, and so does a row without a
// package; test files are free.
func arrows() []arrow {
	return []arrow{
		{from: "cmd/edge", ours: []string{"*"}, named: namedLibraries(), program: true},
		{from: "cmd/contactsheet", ours: []string{"dialect", "resize", "resize/libvips"}, program: true},
		{from: "cmd/soak", ours: []string{"bench/soak", "sample"}, program: true},
		{from: "cmd/sample", ours: []string{"sample"}, program: true},
		{from: "edge", ours: []string{"pipeline", "dialect", "signing", "resize", "origin", "cache", "ingest", "jobs"}, named: []string{fasthttp, prometheus}},
		{from: "ingest", ours: []string{"resize"}},
		{from: "ingest/kafka", named: []string{franz}},
		{from: "pipeline", ours: []string{"resize", "origin", "cache"}, named: []string{otel}},
		{from: "dialect", ours: []string{"resize"}, stdlib: true},
		{from: "resize", stdlib: true},
		{from: "resize/ssim", stdlib: true},
		{from: "resize/libvips", ours: []string{"resize", "resize/ssim"}, named: []string{govips}},
		{from: "resize/sandbox", ours: []string{"resize"}, named: []string{landlock}},
		{from: "signing", stdlib: true},
		{from: "cache", named: []string{goRedis, otter, otel}},
		{from: "origin", named: []string{minio, otel}},
		{from: "jobs", ours: []string{"resize"}, named: []string{goRedis, asynq, otel}},
		{from: "bench", ours: []string{"bench/load", "bench/measure", "bench/report"}, named: []string{minio}, program: true},
		{from: "bench/check"},
		{from: "bench/load", ours: []string{"bench/check"}, named: []string{fasthttp}},
		{from: "bench/compare", ours: []string{"bench/check", "bench/load", "bench/measure", "bench/report"}, program: true},
		{from: "bench/measure", ours: []string{"signing", "bench/check", "bench/load", "bench/proc", "bench/report", "bench/scrape"}},
		{from: "bench/report", ours: []string{"bench/check", "bench/load", "bench/proc", "bench/scrape"}},
		{from: "bench/soak", ours: []string{"bench/check", "bench/proc", "bench/scrape", "internal/hostile"}},
		{from: "bench/proc", stdlib: true},
		{from: "bench/scrape", stdlib: true},
		{from: "sample"},
		{from: "internal/hostile", stdlib: true},
		{from: "internal/testpeer", named: []string{minio, goRedis}},
	}
}

// The libraries that are bound to their places; other small helpers go where they are used.
const (
	fasthttp   = "github.com/valyala/fasthttp"
	prometheus = "github.com/prometheus"
	govips     = "github.com/davidbyttow/govips"
	goRedis    = "github.com/redis/go-redis"
	otter      = "github.com/maypok86/otter"
	minio      = "github.com/minio/minio-go"
	asynq      = "github.com/hibiken/asynq"
	otel       = "go.opentelemetry.io/otel"
	landlock   = "github.com/landlock-lsm/go-landlock"
	franz      = "github.com/twmb/franz-go"
)

func namedLibraries() []string {
	return []string{fasthttp, prometheus, govips, goRedis, otter, minio, asynq, otel, landlock, franz}
}

func TestArrows(t *testing.T) {
	for _, violation := range checkArrows(t, os.DirFS("../.."), arrows()) {
		t.Error(violation)
	}
}

// TestArrowsAreSeen breaks each kind of rule once.
func TestArrowsAreSeen(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tree := fstest.MapFS{
		"edge/a.go":           file("package edge\nimport _ \"" + module + "/pipeline\"\nimport _ \"" + fasthttp + "\"\n"),
		"pipeline/a.go":       file("package pipeline\nimport _ \"" + module + "/edge\"\nimport _ \"" + fasthttp + "/reuseport\"\n"),
		"pipeline/a_test.go":  file("package pipeline\nimport _ \"" + fasthttp + "\"\n"),
		"resize/a.go":         file("package resize\nimport _ \"golang.org/x/sync/errgroup\"\n"),
		"signing/a.go":        file("package signing\nimport env \"os\"\nvar _ = env.Getenv(\"A\")\n"),
		"cache/a.go":          file("package cache\nimport \"log/slog\"\nfunc f() { slog.Info(\"a\"); slog.New(nil) }\n"),
		"origin/a.go":         file("package origin\nimport _ \"flag\"\n"),
		"cmd/edge/a.go":       file("package main\nimport _ \"flag\"\nimport _ \"" + fasthttp + "\"\n"),
		"surprise/a.go":       file("package surprise\n"),
		"testdata/x/a.go":     file("package x\nimport _ \"" + fasthttp + "\"\n"),
		".tools/mod/a.go":     file("package mod\n"),
		"dialect/a.go":        file("package dialect\nimport _ \"" + module + "/cmd/edge\"\n"),
		"dialect/empty/x.txt": file(""),
	}
	rows := []arrow{
		{from: "cmd/edge", ours: []string{"*"}, named: namedLibraries(), program: true},
		{from: "edge", ours: []string{"pipeline"}, named: []string{fasthttp}},
		{from: "pipeline"},
		{from: "dialect"},
		{from: "resize", stdlib: true},
		{from: "signing", stdlib: true},
		{from: "cache"},
		{from: "origin"},
		{from: "ingest"},
	}
	got := checkArrows(t, tree, rows)
	want := []string{
		"cache/a.go calls slog.Info",
		"dialect/a.go imports cmd/edge",
		"ingest has a row but no files",
		"origin/a.go imports flag",
		"pipeline/a.go imports edge",
		"pipeline/a.go imports " + fasthttp + "/reuseport",
		"resize/a.go imports golang.org/x/sync/errgroup",
		"signing/a.go calls os.Getenv",
		"surprise has no row",
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// checkArrows returns what breaks a rule below tree.
func checkArrows(t *testing.T, tree fs.FS, rows []arrow) (violations []string) {
	t.Helper()
	byPackage := map[string]arrow{}
	for _, row := range rows {
		byPackage[row.from] = row
	}
	seen := map[string]bool{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "samples" || base == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		dir := path.Dir(name)
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || dir == "." {
			return nil
		}
		row, ok := byPackage[dir]
		if !ok && !seen[dir] {
			violations = append(violations, dir+" has no row")
		}
		seen[dir] = true
		if ok {
			violations = append(violations, checkFile(t, tree, name, row)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if !seen[row.from] {
			violations = append(violations, row.from+" has a row but no files")
		}
	}
	return violations
}

func checkFile(t *testing.T, tree fs.FS, name string, row arrow) (violations []string) {
	t.Helper()
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	local := map[string]string{} // the name a package goes by in the file → its path
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		as := path.Base(imported)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		local[as] = imported
		if !row.allows(imported) {
			violations = append(violations, fmt.Sprintf("%s imports %s", name, strings.TrimPrefix(imported, module+"/")))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && !row.program && forbidden(local[x.Name], s.Sel.Name) {
				violations = append(violations, fmt.Sprintf("%s calls %s.%s", name, path.Base(local[x.Name]), s.Sel.Name))
			}
		}
		return true
	})
	return violations
}

// allows reports whether the row's package may import that one.
func (a arrow) allows(imported string) bool {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
		return ours != "cmd/edge" && (slices.Contains(a.ours, ours) || slices.Contains(a.ours, "*"))
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return imported != "flag" || a.program
	}
	within := func(library string) bool { return imported == library || strings.HasPrefix(imported, library+"/") }
	if slices.ContainsFunc(namedLibraries(), within) {
		return slices.ContainsFunc(a.named, within)
	}
	return !a.stdlib
}

// forbidden tells what only programs may call: the environment, and the process-wide logger.
func forbidden(imported, name string) bool {
	switch imported {
	case "os":
		return slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, name)
	case "log/slog":
		return slices.Contains([]string{
			"Default", "SetDefault", "Debug", "Info", "Warn", "Error", "Log", "LogAttrs", "With",
			"DebugContext", "InfoContext", "WarnContext", "ErrorContext",
		}, name)
	case "log":
		return strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")
	}
	return false
}
