package edge

import (
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/resize"
)

// signOrder is the body of POST /v1/sign: url, or source and key with options as query text.
type signOrder struct {
	URL     string   `json:"url"`     // an unsigned target, or an absolute URL below the base
	Source  string   `json:"source"`  //
	Key     string   `json:"key"`     // decoded
	Options string   `json:"options"` // "w=300&f=webp"
	Open    []string `json:"open"`    // options that may follow the signature
	Exp     int64    `json:"exp"`     // Unix seconds; 0 = never
	Widths  []int    `json:"widths"`  // CSS px; makes srcset and picture
	Sizes   string   `json:"sizes"`   // of the snippet; "" = 100vw
	Alt     string   `json:"alt"`     // of the snippet
}

// signed is the answer.
type signed struct {
	URL     string `json:"url"`
	Srcset  string `json:"srcset,omitempty"`
	Picture string `json:"picture,omitempty"`
}

// maxSignWidths bounds one order.
const maxSignWidths = 64

// serveSign answers POST /v1/sign.
func (x *exchange) serveSign() error {
	order, err := decode[signOrder](x.body)
	if err != nil {
		return err
	}
	s, err := x.signer(order)
	if err != nil {
		return err
	}
	out := signed{}
	if out.URL, err = s.sign(s.options); err != nil {
		return err
	}
	if len(order.Widths) > 0 {
		if out.Srcset, err = s.srcset(order.Widths, ""); err != nil {
			return err
		}
		if out.Picture, err = s.picture(order, out); err != nil {
			return err
		}
	}
	respondJSON(x, http.StatusOK, out)
	return nil
}

// signer signs the variants of one picture.
type signer struct {
	source  *served
	base    string // of absolute URLs, may be empty
	path    string // encoded, with its leading slash
	options string // as query text, exp and open included
	opened  map[string]bool
}

// signer reads an order.
func (x *exchange) signer(o signOrder) (*signer, error) {
	if (o.URL == "") == (o.Source == "" && o.Key == "") {
		return nil, badBody("either url, or source and key are needed")
	}
	if len(o.Widths) > maxSignWidths {
		return nil, badBody("widths: at most " + strconv.Itoa(maxSignWidths) + " are taken")
	}
	target := dialect.Target(o.Source, o.Key, o.Options)
	if o.URL != "" {
		var err error
		if target, err = x.native(o.URL); err != nil {
			return nil, err
		}
		target = join(target, o.Options)
	}
	if o.Exp != 0 {
		target = join(target, "exp="+strconv.FormatInt(o.Exp, 10))
	}
	if len(o.Open) > 0 {
		target = join(target, "open="+strings.Join(o.Open, ","))
	}
	s := &signer{base: x.base(), opened: make(map[string]bool)}
	s.path, s.options, _ = strings.Cut(target, "?")
	for _, name := range o.Open {
		s.opened[name] = true
	}
	s.source = x.state.sources[dialect.Split(target).Source]
	if s.source == nil {
		return nil, errUnknownSource
	}
	return s, nil
}

// join appends options to a target.
func join(target, options string) string {
	switch {
	case options == "":
		return target
	case strings.Contains(target, "?"):
		return target + "&" + options
	default:
		return target + "?" + options
	}
}

// sign returns the URL of the picture with these options. What the source would not serve is refused.
func (s *signer) sign(options string) (string, error) {
	target := join(s.path, options)
	if len(s.source.Keys) == 0 {
		if !s.source.Rules.Unsigned {
			return "", badBody("the source " + s.source.Name + " has no key to sign with")
		}
		_, err := dialect.Split(target).Request(s.source.Rules)
		return s.base + target, err
	}
	full, err := s.source.Keys.SignTarget(target)
	if err != nil {
		return "", err
	}
	return s.base + full, s.check(full)
}

// check reads a signed target as a request for it would be read.
func (s *signer) check(target string) error {
	rules := s.source.Rules
	rules.Unsigned = false
	_, err := dialect.Split(target).Request(rules)
	return err
}

// srcset returns the candidates of several widths; more is further options text. Where w is opened, one
// signature serves them all.
func (s *signer) srcset(widths []int, more string) (string, error) {
	var b strings.Builder
	common := withOption(without(s.options, "w"), more)
	shared, err := "", error(nil)
	if s.opened["w"] {
		if shared, err = s.sign(common); err != nil {
			return "", err
		}
	}
	for i, w := range widths {
		url := ""
		if s.opened["w"] {
			url = shared + "&w=" + strconv.Itoa(w)
			err = s.check(strings.TrimPrefix(url, s.base))
		} else {
			url, err = s.sign(withOption(common, "w="+strconv.Itoa(w)))
		}
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(url + " " + strconv.Itoa(w) + "w")
	}
	return b.String(), nil
}

// picture returns a snippet that lets the browser choose width and format: one <source> for each format
// of the source's order, unless the order names a format itself.
func (s *signer) picture(o signOrder, out signed) (string, error) {
	sizes := o.Sizes
	if sizes == "" {
		sizes = "100vw"
	}
	var b strings.Builder
	b.WriteString("<picture>")
	if !has(s.options, "f") {
		for _, f := range negotiationOrder(s.source.Source) {
			set, err := s.srcset(o.Widths, "f="+f.String())
			if err != nil {
				return "", err
			}
			b.WriteString(`<source type="` + mediaType(f) + `" srcset="` + html.EscapeString(set) + `" sizes="` + html.EscapeString(sizes) + `">`)
		}
	}
	b.WriteString(`<img src="` + html.EscapeString(out.URL) + `" srcset="` + html.EscapeString(out.Srcset) +
		`" sizes="` + html.EscapeString(sizes) + `" alt="` + html.EscapeString(o.Alt) + `"></picture>`)
	return b.String(), nil
}

// mediaType returns the type of a negotiated format.
func mediaType(f resize.Format) string { return "image/" + f.String() }

// withOption appends one option to options text.
func withOption(options, option string) string {
	if options == "" || option == "" {
		return options + option
	}
	return options + "&" + option
}

// without drops an option from options text.
func without(options, name string) string {
	kept := ""
	for option := range strings.SplitSeq(options, "&") {
		if !strings.HasPrefix(option, name+"=") {
			kept = withOption(kept, option)
		}
	}
	return kept
}

// has reports whether options text names an option.
func has(options, name string) bool { return without(options, name) != options }
