package dialect

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

func applyStripMetadata(w *imgproxyWish, _ string, args []string) error {
	strip := !w.keepMetadata
	truth(args[0], &strip)
	w.keepMetadata = !strip
	return nil
}

func applyKeepCopyright(w *imgproxyWish, _ string, args []string) error {
	keep := !w.noCopyright
	truth(args[0], &keep)
	w.noCopyright = !keep
	return nil
}

func applyStripColorProfile(w *imgproxyWish, _ string, args []string) error {
	strip := !w.o.KeepICC
	truth(args[0], &strip)
	w.o.KeepICC = !strip
	return nil
}

// setFormat is the option format, and the extension of the source.
func (w *imgproxyWish) setFormat(name string, args []string) error {
	if args[0] == "" {
		return nil
	}
	f, ok := imgproxyFormat(args[0])
	if !ok {
		return badArgument(name, args[0], "jpg, jpeg, png, webp, avif, jxl, gif, tiff, best")
	}
	w.format, w.formatName = f, args[0]
	return nil
}

func applyFormatQuality(w *imgproxyWish, name string, args []string) error {
	if len(args)%2 != 0 {
		return badArgument(name, strings.Join(args, " "), "pairs of a format and its quality")
	}
	for i := 0; i < len(args); i += 2 {
		f, ok := imgproxyFormat(args[i])
		if !ok {
			return badArgument(name, args[i], "names of formats, each with a quality")
		}
		q := w.o.Qualities.Of(f)
		if err := whole(name, args[i+1], 0, 100, &q); err != nil {
			return err
		}
		w.o.Qualities.Set(f, q)
	}
	return nil
}

// applyMaxBytes raises a limit that no picture reaches to the least that is tried.
func applyMaxBytes(w *imgproxyWish, name string, args []string) error {
	err := whole(name, args[0], 0, 1<<30, &w.o.MaxBytes)
	if w.o.MaxBytes > 0 {
		w.o.MaxBytes = max(256, w.o.MaxBytes)
	}
	return err
}

func applyAutoquality(w *imgproxyWish, name string, args []string) error {
	for _, arg := range args[1:] {
		var v float64
		if err := real64(name, arg, 0, 1<<30, &v); err != nil {
			return err
		}
	}
	switch args[0] {
	case "", "none":
		w.o.QualityAuto = false
	case "dssim", "ml":
		w.o.QualityAuto = true
	case "size":
		if argument(args, 1) == "" {
			return badArgument(name, "size", "size with a number of bytes")
		}
		return applyMaxBytes(w, name, args[1:2])
	default:
		return badArgument(name, args[0], "none, size, dssim, ml")
	}
	return nil
}

func applyWebPOptions(w *imgproxyWish, name string, args []string) error {
	switch args[0] {
	case "":
	case "lossy":
		w.lossless = false
	case "lossless", "near_lossless":
		w.lossless = true
	default:
		return badArgument(name, args[0], "lossy, near_lossless, lossless")
	}
	return nil
}

func applySkipProcessing(w *imgproxyWish, name string, args []string) error {
	for _, arg := range args {
		f, ok := imgproxyFormat(arg)
		if !ok || f == resize.FormatBest {
			return badArgument(name, arg, "names of formats")
		}
		w.o.Untouched |= resize.Formats(f)
	}
	return nil
}

// applyCacheBuster keeps the text as the version; of one that is too long for that, its hash.
func applyCacheBuster(w *imgproxyWish, name string, args []string) error {
	const longest = 64
	text := args[0]
	if !utf8.ValidString(text) || strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return badArgument(name, text, "text without control characters")
	}
	if utf8.RuneCountInString(text) > longest {
		sum := sha256.Sum256([]byte(text))
		text = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	w.o.Version = text
	return nil
}

func applyExpires(w *imgproxyWish, name string, args []string) error {
	if args[0] == "" {
		return nil
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil || n > 9_999_999_999 {
		return badArgument(name, args[0], "Unix seconds")
	}
	w.expires = max(0, n)
	return nil
}
