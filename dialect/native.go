package dialect

import (
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// Envelope is a native target cut into its parts, before anything of it is believed. All fields are
// pieces of Target, nothing is decoded.
type Envelope struct {
	Target    string // the request target as sent: path, ?, query
	Source    string // first segment of the path; "" if the path has none, as in "//a.jpg"
	Signed    string // the text that Signature speaks of; the whole target if there is no s
	Signature string // value of the first s; "" if there is none
	KeyID     string // kid, from the signed part; "" if there is none

	key    string // the path behind the source, still encoded
	query  string // the signed options
	open   string // the options behind s
	signed bool   // there is an s
}

// Rules are what a source grants to its URLs. The zero value grants what its own keys have signed.
type Rules struct {
	Widths   []int             // values that an open or unsigned w or h may have; none = no such size
	Presets  map[string]string // those the source may use, as options text; "default" is applied to every request
	Unsigned bool              // the request was not verified
	Free     bool              // an unsigned request may use every option
	OpenHTTP bool              // the key is an absolute URL
	Limits   resize.Limits

	Watermarks     map[string]WatermarkRule // that wm may name
	OverlaySources []string                 // sources whose pictures wm may name as source/key
}

// Split cuts a native target into its parts. It never fails and does not allocate; what is wrong with
// the parts is said by Request, after the signature has been checked.
//
//	target   = "/" source "/" key [ "?" query ]
//	query    = options | [ options "&" ] "s=" signature *( "&" open )     before s: the signed text ends in front of its ? or &
//	options  = option *( "&" option )
//	option   = name "=" value        each name once; value percent-encoded, + is a plus
//	open     = option                name listed by the signed option open: any of w, h, dpr, q, f
//	source   = lower / digit, then up to 31 of lower / digit / "-"
//	key      = segment *( "/" segment )     percent-encoded once, at most 1,024 bytes decoded
//	segment  = neither empty nor "." nor ".."; no backslash, no control character, UTF-8;
//	           the same once more after another decoding, and then without a slash
//	name     = an option that describes the picture (resize.Names)
//	         | "p"      preset names, comma separated, applied left to right before the URL's own options
//	         | "open"   names, comma separated
//	         | "exp"    Unix seconds
//	         | "kid"    name of the key
//	         | "dl"     file name
//	whole    = 0 | [1-9][0-9]{0,9}
//	decimal  = (0|[1-9][0-9]*)(\.[0-9]+)?
//
// For an open HTTP source the key is an absolute http(s) URL, percent-encoded, whose path obeys the
// segment rules. Values are whole numbers, decimals or words as the option says; only bri, con and sat
// take a minus.
func Split(target string) Envelope {
	e := Envelope{Target: target, Signed: target}
	path, query, _ := strings.Cut(target, "?")
	if rest, ok := strings.CutPrefix(path, "/"); ok {
		e.Source, e.key, _ = strings.Cut(rest, "/")
	}
	e.query = query
	for at := 0; at <= len(query); {
		pair, _, _ := strings.Cut(query[at:], "&")
		if value, ok := strings.CutPrefix(pair, "s="); ok {
			e.signed, e.Signature = true, value
			e.query = query[:max(at-1, 0)]
			e.Signed = target[:len(path)+at] // the ? or & before s is the first byte that is not signed
			e.open = strings.TrimPrefix(query[at:], pair)
			break
		}
		if value, ok := strings.CutPrefix(pair, "kid="); ok && e.KeyID == "" {
			e.KeyID = value
		}
		at += len(pair) + 1
	}
	return e
}

// Expires returns the Unix second after which the URL is gone; 0 if it has none. To be asked once the
// signature is known to be good. Errors are *resize.Error with code bad_option.
func (e Envelope) Expires() (int64, error) {
	value, ok := lookup(e.query, "exp")
	if !ok {
		return 0, nil
	}
	return parseExpiry(value)
}

func parseExpiry(value string) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 1 || n > 9_999_999_999 || value[0] == '0' || value[0] == '+' {
		return 0, resize.BadOption("exp: " + quote(value) + " is not allowed; allowed: Unix seconds from 1 to 9999999999")
	}
	return n, nil
}

// Request reads what the URL asks for. To be asked once the signature is known to be good, or, with
// r.Unsigned, where none is needed. Errors are *resize.Error with code bad_key or bad_option.
func (e Envelope) Request(r Rules) (Request, error) {
	if e.Source == "" {
		return Request{}, resize.BadKey("the path does not begin with the name of a source")
	}
	key, err := decodeKey(e.key, r.OpenHTTP)
	if err != nil {
		return Request{}, err
	}
	p := parser{rules: r, request: Request{Source: e.Source, Key: key}}
	if err := p.applyPresets(e.query); err != nil {
		return Request{}, err
	}
	if err := p.readSigned(e); err != nil {
		return Request{}, err
	}
	if err := p.readOpen(e.open); err != nil {
		return Request{}, err
	}
	if err := r.resolveWatermark(&p.draft); err != nil {
		return Request{}, err
	}
	return p.finish()
}

// parser holds what has been read of one query.
type parser struct {
	rules   Rules
	request Request
	draft   resize.Draft
	seen    [len(outside)]bool // of outside, by index
	opened  string             // value of open
}

// outside are the options that say nothing of the picture.
var outside = [...]string{"p", "open", "exp", "kid", "dl"}

// readSigned reads the options before s, or all of an unsigned URL.
func (p *parser) readSigned(e Envelope) error {
	if p.rules.Unsigned && e.signed {
		return resize.BadOption("s: this source takes no signature")
	}
	for rest := e.query; rest != ""; {
		pair, after, more := strings.Cut(rest, "&")
		if more && after == "" {
			return emptyOption()
		}
		rest = after
		name, value, err := option(pair)
		if err != nil {
			return err
		}
		if err := p.readOne(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) readOne(name, value string) error {
	restricted := p.rules.Unsigned && !p.rules.Free
	for i := range outside {
		if outside[i] != name {
			continue
		}
		if restricted && name != "p" {
			return notUnsigned(name)
		}
		if p.seen[i] {
			return twice(name)
		}
		p.seen[i] = true
		return p.readOutside(name, value)
	}
	if restricted && !openable(name) {
		return notUnsigned(name)
	}
	if err := set(&p.draft, name, value); err != nil {
		return err
	}
	if restricted {
		return p.checkOpened(name)
	}
	return nil
}

func (p *parser) readOutside(name, value string) (err error) {
	if p.rules.Unsigned && (name == "open" || name == "kid") {
		return resize.BadOption(name + ": means nothing without a signature")
	}
	switch name {
	case "open":
		p.opened, err = value, checkOpen(value)
	case "exp":
		p.request.Expires, err = parseExpiry(value)
	case "dl":
		p.request.Download, err = fileName(value)
	}
	return err
}

// readOpen reads the options behind s; rest is empty or begins with &.
func (p *parser) readOpen(rest string) error {
	for rest != "" {
		var pair string
		pair, rest, _ = cutPair(rest[1:])
		name, value, err := option(pair)
		if err != nil {
			return err
		}
		if name == "s" {
			return twice("s")
		}
		if !openable(name) || !listed(p.opened, name) {
			return resize.BadOption(quote(name) + " stands behind the signature but is not opened; open lists what may")
		}
		if err := set(&p.draft, name, value); err != nil {
			return err
		}
		if err := p.checkOpened(name); err != nil {
			return err
		}
	}
	return nil
}

// cutPair cuts the first option off; rest keeps the & it begins with.
func cutPair(s string) (pair, rest string, found bool) {
	if i := strings.IndexByte(s, '&'); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

func (p *parser) finish() (Request, error) {
	if f := p.draft.Options.Format; f == resize.FormatRaw || f == resize.FormatJSON {
		for i, name := range outside {
			if p.seen[i] && (name == "p" || name == "open") {
				return Request{}, resize.BadOption(name + ": f=" + f.String() + " takes no other option than v, dl, exp and kid")
			}
		}
	}
	o, err := finish(&p.draft, p.rules.Limits)
	if err != nil {
		return Request{}, err
	}
	p.request.Options = o
	return p.request, nil
}

// finish returns the options of a draft that are sound, within the limits, and can be rendered.
func finish(d *resize.Draft, lim resize.Limits) (resize.Options, error) {
	o, err := d.Finish()
	if err != nil {
		return resize.Options{}, err
	}
	if err := checkWatermark(o.Watermark.Image); err != nil {
		return resize.Options{}, err
	}
	if err := o.CheckBox(lim); err != nil {
		return resize.Options{}, err
	}
	if err := o.Unavailable(); err != nil {
		return resize.Options{}, err
	}
	return o, nil
}

// ParseOptions reads the options of a native query without a signature, as a trusted caller gives them;
// p is taken, and open, exp, kid and dl are refused. Of r, only Presets, Limits, Watermarks and
// OverlaySources matter; where neither of the last two is set, wm stays as it is written.
func ParseOptions(query string, r Rules) (resize.Options, error) {
	p := parser{rules: Rules{Presets: r.Presets, Limits: r.Limits, Watermarks: r.Watermarks, OverlaySources: r.OverlaySources}}
	if err := p.applyPresets(query); err != nil {
		return resize.Options{}, err
	}
	for _, name := range outside[1:] {
		if _, ok := lookup(query, name); ok {
			return resize.Options{}, resize.BadOption(name + ": belongs to a URL and says nothing of the picture")
		}
	}
	if err := p.readSigned(Envelope{query: query}); err != nil {
		return resize.Options{}, err
	}
	if r.Watermarks != nil || r.OverlaySources != nil {
		if err := p.rules.resolveWatermark(&p.draft); err != nil {
			return resize.Options{}, err
		}
	}
	request, err := p.finish()
	return request.Options, err
}
