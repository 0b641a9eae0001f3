package dialect

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// ThumborFlavor says whose semantics a mount has where thumbor and imagor differ.
type ThumborFlavor string

// The flavors; the empty one is FlavorThumbor.
const (
	FlavorThumbor ThumborFlavor = "thumbor"
	FlavorImagor  ThumborFlavor = "imagor"
)

// ThumborMount is a place where URLs of thumbor and imagor are served. Its key is checked outside, with
// signing.ThumborKey. The zero value serves nothing, as it has no source.
type ThumborMount struct {
	Flavor     ThumborFlavor
	Unsafe     bool                   // "unsafe" stands for a hash
	Source     string                 // the source whose keys the images are
	Sources    map[string]string      // source by prefix of the image, the longest one counts; Source is for the rest, "" = 404
	About      map[string]MountSource // what is to be known of a source, by its name
	Scheme     string                 // of an image that is a host and a path; "" = http, for imagor https
	NoOrient   bool                   // EXIF orientation is not followed (respect_orientation: false)
	AutoFormat bool                   // without format(), the client's Accept decides; else the source's format is kept
	BaseParams string                 // imagor's base params: read behind each URL, whose segments they override
}

// ThumborEnvelope is a target cut into its parts, before anything of it is believed.
type ThumborEnvelope struct {
	Unsafe bool   // the target says unsafe instead of a hash
	Hash   string // percent-decoded; "" if there is none
	Path   string // what the hash speaks of: as sent, without leading slash, without the query
	Query  string // behind the question mark; means nothing
}

// Split cuts a target, which begins behind the mount's prefix, into its parts. It never fails; what is
// wrong with the parts is said by Request, after the hash has been checked.
//
//	target  = "/" ( "unsafe" | hash ) "/" path [ "?" query ]
//	path    = [ "meta/" ] [ trim "/" ] [ crop "/" ] [ fit "/" ] [ size "/" [ pad "/" ] ]
//	          [ ( "left" | "center" | "right" ) "/" ] [ ( "top" | "middle" | "bottom" ) "/" ]
//	          [ "smart/" ] [ "filters:" filter *( ":" filter ) "/" ] image
//	trim    = "trim" [ ":top-left" | ":bottom-right" ] [ ":" tolerance ]     thumbor 0 to 442, imagor 0 to 255
//	crop    = left "x" top ":" right "x" bottom        px; imagor also fractions, where all are 0 to 1
//	fit     = [ "adaptive-" ] [ "full-" ] "fit-in"     imagor also "stretch", behind it
//	size    = [ "-" ] side "x" [ "-" ] side            a minus flips
//	side    = digits | "" | "orig"                     orig: thumbor only
//	pad     = left "x" top [ ":" right "x" bottom ]    imagor only
//	filter  = name "(" [ argument *( "," argument ) ] ")"
//
// The hash is any first segment; for imagor 17 or more of [A-Za-z0-9_=-]. Filters end at the first ")/";
// for imagor at the first slash outside brackets, so that brackets nest. Arguments and image are decoded
// once, for imagor with + as a space; an image of imagor may be "b64:" and unpadded base64url.
func (m *ThumborMount) Split(target string) ThumborEnvelope {
	if m.imagor() {
		target = withoutBreaks(target)
	}
	path, query, _ := strings.Cut(target, "?")
	e := ThumborEnvelope{Path: strings.TrimPrefix(path, "/"), Query: query}
	first, rest, more := strings.Cut(e.Path, "/")
	if !more {
		return e
	}
	if first == "unsafe" {
		e.Unsafe, e.Path = true, rest
		return e
	}
	hash := first
	if plain, err := url.PathUnescape(first); err == nil {
		hash = plain
	}
	if m.imagor() && !imagorHash(hash) {
		return e
	}
	e.Hash, e.Path = hash, rest
	return e
}

// Check refuses a target without a path: a 404, whatever the hash.
func (e ThumborEnvelope) Check() error {
	if e.Path == "" && e.Hash == "" && !e.Unsafe {
		return &resize.Error{Status: http.StatusNotFound, Kind: "not_found", Text: "the path is empty: /{hash}/{options}/{image} is expected"}
	}
	return nil
}

// Expires returns the Unix second after which the URL is gone, rounded down from the milliseconds of
// expire(); 0 if it has none. signed is as for Request. Errors are *resize.Error with code bad_option.
func (m *ThumborMount) Expires(e ThumborEnvelope, signed string) (int64, error) {
	p, err := m.read(e, signed)
	if err != nil {
		return 0, nil //nolint:nilerr // Request says what is wrong
	}
	var second int64
	for _, f := range p.filters {
		if f.name != "expire" {
			continue
		}
		w := thumborWish{mount: m}
		if err := w.apply(f); err != nil {
			return 0, err
		}
		second = w.request.Expires
	}
	return second, nil
}

// Request reads what the URL asks for. signed is the text that the hash was found to sign, which is
// e.Path but for imagor's second reading; with unsafe it is e.Path. To be asked once the hash is known to
// be good. Errors are *resize.Error with code bad_key or bad_option, or unknown_source with status 404.
func (m *ThumborMount) Request(e ThumborEnvelope, signed string) (Request, error) {
	request, err := m.wish(e, signed)
	if err != nil {
		return Request{}, err
	}
	if err := request.Options.Unavailable(); err != nil {
		return Request{}, err
	}
	return request, nil
}

// wish is Request for what cannot be rendered yet, too.
func (m *ThumborMount) wish(e ThumborEnvelope, signed string) (Request, error) {
	p, err := m.read(e, signed)
	if err != nil {
		return Request{}, err
	}
	w := thumborWish{mount: m, path: p, flip: p.flip()}
	if w.request.Source, w.request.Key, err = m.resolve(p.image); err != nil {
		return Request{}, err
	}
	for _, f := range p.filters {
		if err := w.apply(f); err != nil {
			return Request{}, err
		}
	}
	o, err := w.options()
	if err != nil {
		return Request{}, err
	}
	w.request.Options = o.Normalize()
	if err := w.request.Options.Validate(); err != nil {
		return Request{}, err
	}
	return w.request, w.request.Options.CheckBox(m.About[w.request.Source].Limits)
}

// Validate tells what is wrong with the mount's own settings: an unknown flavor, base params that do not
// read, no source.
func (m *ThumborMount) Validate() error {
	switch m.Flavor {
	case "", FlavorThumbor, FlavorImagor:
	default:
		return resize.BadOption("flavor: " + quote(string(m.Flavor)) + " is not allowed; allowed: thumbor and imagor")
	}
	if m.Source == "" && len(m.Sources) == 0 {
		return resize.BadOption("source: the mount has none")
	}
	p, err := m.readBase(thumborPath{})
	if err != nil {
		return err
	}
	w := thumborWish{mount: m, path: p}
	for _, f := range p.filters {
		if err := w.apply(f); err != nil {
			return err
		}
	}
	_, err = w.options()
	return err
}

func (m *ThumborMount) imagor() bool { return m.Flavor == FlavorImagor }

// read reads the path and the base params behind it.
func (m *ThumborMount) read(e ThumborEnvelope, signed string) (thumborPath, error) {
	r := thumborReader{imagor: m.imagor(), decoded: signed != e.Path}
	p, err := r.read(thumborPath{}, signed)
	if err != nil {
		return p, err
	}
	return m.readBase(p)
}

func (m *ThumborMount) readBase(p thumborPath) (thumborPath, error) {
	if m.BaseParams == "" {
		return p, nil
	}
	r := thumborReader{imagor: m.imagor()}
	base, err := r.read(p, strings.Trim(m.BaseParams, "/")+"/-")
	base.image = p.image
	return base, err
}
