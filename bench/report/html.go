package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed assets
var assets embed.FS

// page is what the HTML template sees.
type page struct {
	Title     string
	Reports   []*Report // one, or two that are compared
	Rows      []Row
	Style     template.CSS
	PlotStyle template.CSS
	Plot      template.JS
	Script    template.JS
	License   string
}

// WriteHTML writes one file with plots that needs nothing else: of one report, or of two with their
// comparison.
func WriteHTML(w io.Writer, reports ...*Report) error {
	p := page{Title: "bench", Reports: reports}
	var license, text []byte
	var err error
	read := func(name string) []byte {
		data, e := assets.ReadFile("assets/" + name)
		if e != nil {
			err = e
		}
		return data
	}
	text, license = read("page.html"), read("uplot/LICENSE")
	// The files are part of the program.
	p.Style, p.PlotStyle = template.CSS(read("page.css")), template.CSS(read("uplot/uPlot.min.css")) //nolint:gosec // likewise
	p.Plot, p.Script = template.JS(read("uplot/uPlot.iife.min.js")), template.JS(read("page.js"))    //nolint:gosec // likewise
	p.License = string(license)
	if err != nil {
		return err
	}
	if len(reports) == 2 {
		p.Rows = Compare(reports[0], reports[1])
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"ms": ms, "cpu": cpu, "mib": mib, "change": Row.change,
		"percent": func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
		"short":   func(v float64) string { return fmt.Sprintf("%.4g", v) },
		"label":   func(i int) string { return string(rune('A' + i)) },
		"each":    func(s Stage) string { return ms(1000 * s.Seconds / max(s.Count, 1)) },
	}).Parse(string(text))
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}
