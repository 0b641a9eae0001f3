package dialect

import (
	"net/http"
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// MountSource is what a mount knows of a source.
type MountSource struct {
	OpenHTTP bool   // the key is an absolute URL
	Base     string // of a rooted HTTP source: what its URLs begin with; "" = the key is what follows the mount's prefix of the source
	Limits   resize.Limits
}

// ImgproxyMount is a place where URLs of imgproxy are served. Its signatures are checked outside, with
// signing.Imgproxy. The zero value serves nothing, as it has no source.
type ImgproxyMount struct {
	Sources        map[string]string      // source by prefix of the image's URL, the longest one counts; none = 404
	About          map[string]MountSource // what is to be known of a source, by its name
	Presets        map[string]string      // in imgproxy's text, opt:arg/opt:arg; "default" is applied to every request
	PresetsOnly    bool                   // the first segment names presets, and there are no options
	BaseURL        string                 // in front of a source that does not begin with it
	Replacements   []Replacement          // of the source, in their order, before BaseURL
	Base64Filename bool                   // the last segment of a base64 source is a file name and means nothing
	Separator      string                 // between the arguments of an option; "" = ":"
	Allowed        []string               // options that URLs, not presets, may use, as they are written; none = all
	AllowSecurity  bool                   // max_src_resolution and its like are taken, else 403
	AutoFormat     bool                   // without a format, the client's Accept decides first; else only the source's format
	Preferred      resize.FormatSet       // source formats that are kept without a format; zero = JPEG, PNG and GIF
	NoOrient       bool                   // EXIF orientation is not followed, unless auto_rotate says so
	Watermark      string                 // what watermark lays over: a configured name, or source/key; "" = nothing

	// Decrypt reads an encrypted source, as (signing.SourceKey).Decrypt; nil = there are none.
	Decrypt func(text string) (string, error)
}

// ImgproxyEnvelope is a target cut into its parts, before anything of it is believed.
type ImgproxyEnvelope struct {
	Signature string // first segment; "" if it is empty
	Path      string // what Signature speaks of: repaired, with its leading slash, without the query; "" if there is none
	Sent      string // Path before its repair
	Query     string // behind the path, with its question mark; means nothing
	Info      bool   // /info/: the picture is described
}

// Split cuts a target, which begins behind the mount's prefix, into its parts and repairs what proxies do
// to paths. It never fails; what is wrong with the parts is said by Check before, and by Request after
// the signature has been checked.
//
//	target   = [ "/info" ] "/" signature path [ "?" query ]      /info: the options are those of imgproxy's info
//	path     = *( "/" option ) "/" source                        presets-only: "/" name *( ":" name ) "/" source
//	option   = name 1*( ":" argument )                           a segment without ":" begins the source
//	source   = "plain/" URL [ "@" extension ]                    percent-encoded once, + is a plus
//	         | base64url [ "." extension ]                       may be cut by slashes, = at the end is dropped
//	         | "enc/" base64url [ "." extension ]                IV and AES-CBC ciphertext
//
// Names and arguments are those of imgproxy; the table is imgproxyOptions. Presets are the same without
// a source. Repaired is %3A for ":" before "/plain/", and "https:/x" for "https://x" behind it.
func (m *ImgproxyMount) Split(target string) ImgproxyEnvelope {
	path, query, found := strings.Cut(target, "?")
	e := ImgproxyEnvelope{}
	if found {
		e.Query = "?" + query
	}
	rest := strings.TrimPrefix(path, "/")
	if described, ok := strings.CutPrefix(rest, "info/"); ok {
		e.Info, rest = true, described
	}
	e.Signature, rest, _ = strings.Cut(rest, "/")
	if rest != "" {
		e.Sent = "/" + rest
		e.Path = repairImgproxy(e.Sent)
	}
	return e
}

// Check refuses a target without a path: a 404, whatever the signature.
func (e ImgproxyEnvelope) Check() error {
	if e.Path == "" {
		return imgproxyNotFound("bad_option", "the path is empty: /{signature}/{options}/{source} is expected")
	}
	return nil
}

// repairImgproxy undoes what browsers and proxies do to a path.
func repairImgproxy(path string) string {
	options, source, plain := strings.Cut(path, "/plain/")
	options = strings.ReplaceAll(options, "%3A", ":")
	if !plain {
		return options
	}
	return options + "/plain/" + repairScheme(source)
}

// repairScheme restores the slashes behind the scheme, of which a proxy has left one.
func repairScheme(source string) string {
	scheme, rest, ok := strings.Cut(source, ":/")
	if !ok || rest == "" || rest[0] == '/' || strings.ContainsAny(scheme, "/?#@") || scheme == "" {
		return source
	}
	if scheme == "local" {
		return scheme + ":///" + rest
	}
	return scheme + "://" + rest
}

// Expires returns the Unix second after which the URL is gone, presets included; 0 if it has none or
// cannot be read: Request says why.
func (m *ImgproxyMount) Expires(e ImgproxyEnvelope) int64 {
	w := imgproxyWish{mount: m}
	if _, err := w.segments(e); err != nil {
		return 0
	}
	return w.expires
}

// ImgproxyExpired returns the error of a URL whose last second has passed: on this mount a 404.
func ImgproxyExpired() error { return imgproxyNotFound("expired", "the URL has expired") }

// Request reads what the URL asks for. To be asked once the signature is known to be good. Errors are
// *resize.Error with imgproxy's own statuses: 404 for what cannot be read, code bad_option, bad_key or
// unknown_source; 403 forbidden_option; 422 unsupported_format for an output that is not made. A box beyond
// the limits is a 400, as everywhere.
func (m *ImgproxyMount) Request(e ImgproxyEnvelope) (Request, error) {
	if err := e.Check(); err != nil {
		return Request{}, err
	}
	w := imgproxyWish{mount: m}
	source, err := w.segments(e)
	if err != nil {
		return Request{}, err
	}
	address, extension, err := m.decodeSource(source)
	if err != nil {
		return Request{}, err
	}
	if extension != "" && !w.raw && !e.Info {
		if err := w.setFormat("extension", []string{extension}); err != nil {
			return Request{}, err
		}
	}
	r := Request{Expires: w.expires, Tags: w.tags}
	if r.Source, r.Key, err = m.resolve(address); err != nil {
		return Request{}, err
	}
	r.Download, r.Name = w.fileNames(r.Key)
	if w.fallback != "" {
		source, key, err := m.resolve(w.fallback)
		if err != nil {
			return Request{}, err
		}
		r.Fallback = source + "/" + key
	}
	o := w.info()
	if !e.Info {
		if o, err = w.options(); err != nil {
			return Request{}, err
		}
	}
	r.Options, err = m.check(o, r.Source)
	r.Limits, r.SourceBytes = w.limits, w.sourceBytes
	return r, err
}

// segments reads the options and returns the segments that are the source.
func (w *imgproxyWish) segments(e ImgproxyEnvelope) ([]string, error) {
	if e.Info {
		return w.readInfo(e.Path)
	}
	return w.read(e.Path)
}

// check normalizes the options and refuses what contradicts itself, passes the limits or cannot be made.
func (m *ImgproxyMount) check(o resize.Options, source string) (resize.Options, error) {
	o = o.Normalize()
	if err := o.Validate(); err != nil {
		return resize.Options{}, imgproxyNotFound("bad_option", err.Error())
	}
	if err := checkWatermark(o.Watermark.Image); err != nil {
		return resize.Options{}, imgproxyNotFound("bad_option", err.Error())
	}
	if err := o.CheckBox(m.About[source].Limits); err != nil {
		return resize.Options{}, err
	}
	err := o.Unavailable()
	if err == nil {
		return o, nil
	}
	other := o
	other.Format = resize.FormatAuto
	if other.Unavailable() == nil {
		return resize.Options{}, imgproxyUnsupported(o.Format.String())
	}
	return resize.Options{}, imgproxyNotFound("bad_option", err.Error())
}

// imgproxyNotFound is the 404 that imgproxy gives for whatever it cannot read.
func imgproxyNotFound(code, text string) *resize.Error {
	return &resize.Error{Status: http.StatusNotFound, Kind: code, Text: text}
}

func imgproxyForbidden(text string) *resize.Error {
	return &resize.Error{Status: http.StatusForbidden, Kind: "forbidden_option", Text: text}
}

func imgproxyUnsupported(format string) *resize.Error {
	return resize.Unprocessable("unsupported_format", "format: "+quote(format)+" is not made here; allowed: jpg, jpeg, png, webp, avif, jxl, gif, tiff and best")
}
