// Command contactsheet renders every option on a folder of pictures and lays the results out on one HTML
// page, for eyes: halos, banding, shifted colors and wrong corners show there.
//
//	go run ./cmd/contactsheet -dir samples -out contact-sheet
package main

import (
	"context"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

// source is the name that watermarks on the sheet are read under.
const source = "local"

func main() {
	s := sheet{}
	flag.StringVar(&s.dir, "dir", "samples", "folder with the pictures, as cmd/sample paints it")
	flag.StringVar(&s.out, "out", "contact-sheet", "folder to write into")
	pictures := flag.String("pictures", "coast.jpg,portrait-orient6.jpg,cutout.png,spin.gif", "pictures of the folder, comma separated")
	flag.Parse()
	if err := s.write(strings.Split(*pictures, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "contactsheet:", err)
		os.Exit(1)
	}
	fmt.Println(filepath.Join(s.out, "index.html"))
}

// rows are the options shown, each behind a fixed size.
func rows() []string {
	return []string{
		"", "fit=contain", "fit=cover", "fit=pad&bg=ffcc88", "fit=stretch", "fit=cover&g=north", "fit=cover&g=southeast",
		"fit=cover&g=fp&fx=0.2&fy=0.5", "fit=cover&g=smart", "fit=cover&g=entropy", "crop=10p,10p,50p,50p", "ar=1:1", "zoom=0.5",
		"dpr=2", "trim=20", "pad=10,30&bg=204060", "bg=ff000080", "fit=pad&bg=auto", "fit=pad&bg=blur", "orient=0", "rot=90", "rot=15&bg=eeeeee",
		"flip=h", "flip=v", "blur=3", "sharpen=1", "pixelate=12", "bri=30", "con=40", "sat=-60", "sat=60", "hue=120",
		"gray=1", "duotone=102040,ffe0b0", "round=30", "round=max", "wm=local/icon.png&wms=0.3&wmg=southeast&wmx=8&wmy=8",
		"wm=local/icon.png&wms=0.15&wmr=1&wmo=0.4", "txt=Olá%20imgedge&txtg=south&txty=12&txts=28", "anim=0", "frames=3",
		"f=jpeg&q=20", "f=jpeg&q=auto", "f=webp", "f=avif", "f=gif", "f=webp&lossless=1", "f=webp&mb=6000", "icc=keep",
	}
}

// sheet is a page in the making.
type sheet struct {
	dir, out string
	engine   *libvips.Engine
	page     strings.Builder
}

func (s *sheet) write(pictures []string) (err error) {
	if s.engine, err = libvips.New(libvips.Config{}); err != nil {
		return err
	}
	defer func() { _ = s.engine.Close() }() // it holds nothing that could be lost
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	s.page.WriteString(`<!doctype html><meta charset="utf-8"><title>Contact sheet</title><style>
body{font:14px system-ui,sans-serif;background:repeating-conic-gradient(#ddd 0 25%,#fff 0 50%) 0 0/24px 24px}
td,th{padding:6px;text-align:left;vertical-align:top}th{background:#fff}td small{display:block;background:#fff}</style><table>` + "\n")
	for i, options := range rows() {
		fmt.Fprintf(&s.page, "<tr><th>%s</th>", html.EscapeString(options))
		for _, name := range pictures {
			file := fmt.Sprintf("%02d-%s", i, strings.TrimSuffix(name, filepath.Ext(name)))
			s.cell(name, file, options)
		}
		s.page.WriteString("</tr>\n")
	}
	s.page.WriteString("</table>\n")
	return os.WriteFile(filepath.Join(s.out, "index.html"), []byte(s.page.String()), 0o644) //nolint:gosec // for whoever looks
}

// cell renders one picture. What cannot be made says why in its place.
func (s *sheet) cell(name, file, options string) {
	result, err := s.render(name, "w=320&h=240&"+options)
	if err == nil {
		file += "." + result.Format.Extension()
		err = os.WriteFile(filepath.Join(s.out, file), result.Body, 0o644) //nolint:gosec // for whoever looks
	}
	if err != nil {
		fmt.Fprintf(&s.page, "<td>%s</td>", html.EscapeString(err.Error()))
		return
	}
	fmt.Fprintf(&s.page, `<td><img src="%s" width="%d" height="%d" alt=""><small>%s %d×%d, %d bytes</small></td>`,
		file, result.Width, result.Height, result.Format, result.Width, result.Height, len(result.Body))
}

func (s *sheet) render(name, options string) (resize.Result, error) {
	limits := resize.DefaultLimits()
	rules := dialect.Rules{Unsigned: true, Free: true, Limits: limits, OverlaySources: []string{source}}
	request, err := dialect.Split("/" + source + "/a?" + strings.TrimSuffix(options, "&")).Request(rules)
	if err != nil {
		return resize.Result{}, err
	}
	data, probed, err := s.probe(name)
	if err != nil {
		return resize.Result{}, err
	}
	plan, err := request.Options.Plan(probed, limits)
	if err != nil {
		return resize.Result{}, err
	}
	if image := plan.Overlay.Image; image != "" {
		mark, of, err := s.probe(strings.TrimPrefix(image, source+"/"))
		if err != nil {
			return resize.Result{}, err
		}
		if plan, err = plan.WithMark(mark, of, limits); err != nil {
			return resize.Result{}, err
		}
	}
	results, err := s.engine.Run(context.Background(), data, plan)
	if err != nil {
		return resize.Result{}, err
	}
	return results[0], nil
}

func (s *sheet) probe(name string) ([]byte, resize.Source, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return nil, resize.Source{}, err
	}
	probed, err := s.engine.Probe(context.Background(), data)
	return data, probed, err
}
