package dialect

import (
	"strings"

	"github.com/imgedge/imgedge/resize"
)

// infoOptions are the options of /info/ that choose what is told, and those that fetch no other picture.
// The answer tells all that f=json does, whatever they say.
var infoOptions = [...]string{
	"size", "s", "format", "f", "dimensions", "d", "exif", "iptc", "xmp", "video_meta", "vm", "palette", "p", "average", "avg",
	"dominant_colors", "dc", "blurhash", "bh", "page", "pg", "alpha", "colorspace", "bands", "sample_format", "pages_number",
}

// readInfo reads the options of an /info/ path, and returns the segments that are the source.
func (w *imgproxyWish) readInfo(p string) (source []string, err error) {
	segments := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, segment := range segments {
		name, args, ok := w.mount.cutOption(segment)
		if !ok {
			return segments[i:], nil
		}
		if err := w.applyInfo(name, args); err != nil {
			return nil, err
		}
	}
	return nil, badSource("is missing")
}

func (w *imgproxyWish) applyInfo(name string, args []string) error {
	switch name {
	case "cachebuster", "cb", "expires", "exp":
		return w.apply(name, args, nil)
	}
	if option := findImgproxy(name); option != nil && option.security {
		return w.apply(name, args, nil)
	}
	for _, known := range infoOptions {
		if known == name {
			return nil
		}
	}
	return imgproxyNotFound("bad_option", quote(name)+": this option of /info/ is not served here")
}

// info returns the options of an /info/ path.
func (w *imgproxyWish) info() resize.Options {
	return resize.Options{Format: resize.FormatJSON, Version: w.o.Version}
}
