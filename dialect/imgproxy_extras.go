package dialect

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imgedge/imgedge/resize"
)

// This file is the options that speak of overlays, pages, and of what surrounds the picture.

func applyWatermark(w *imgproxyWish, name string, args []string) error {
	if err := real64(name, args[0], 0, 1, &w.markOpacity); err != nil {
		return err
	}
	if at := argument(args, 1); at != "" {
		positions := []string{"ce", "no", "so", "ea", "we", "noea", "nowe", "soea", "sowe", "re"}
		if !slices.Contains(positions, at) {
			return badArgument(name, at, strings.Join(positions, ", "))
		}
		w.markAt = at
	}
	if err := real64(name, argument(args, 2), -maxImgproxySide, maxImgproxySide, &w.markX); err != nil {
		return err
	}
	if err := real64(name, argument(args, 3), -maxImgproxySide, maxImgproxySide, &w.markY); err != nil {
		return err
	}
	if err := real64(name, argument(args, 4), 0, 1, &w.mark.Scale); err != nil {
		return err
	}
	if w.mark.Scale > 0 && w.mark.Scale < 0.0001 {
		return badArgument(name, args[4], "0, or a number from 0.0001 to 1")
	}
	return nil
}

func applyWatermarkURL(w *imgproxyWish, name string, args []string) (err error) {
	w.markURL, err = base64Text(name, args[0])
	return err
}

// applyWatermarkText takes plain text: markup is shown, not obeyed.
func applyWatermarkText(w *imgproxyWish, name string, args []string) error {
	text, err := base64Text(name, args[0])
	if err != nil {
		return err
	}
	const longest = 200
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > longest || strings.ContainsFunc(text, unicode.IsControl) {
		return badArgument(name, args[0], "base64url of up to 200 characters of UTF-8 without control characters")
	}
	w.markText = text
	return nil
}

func applyWatermarkSize(w *imgproxyWish, name string, args []string) error {
	if err := whole(name, args[0], 0, maxImgproxySide, &w.mark.Width); err != nil {
		return err
	}
	return whole(name, argument(args, 1), 0, maxImgproxySide, &w.mark.Height)
}

func applyWatermarkRotate(w *imgproxyWish, name string, args []string) error {
	angle := w.mark.Rotate
	if err := real64(name, args[0], -360, 360, &angle); err != nil {
		return err
	}
	if angle < 0 {
		angle += 360
	}
	if angle >= 360 {
		angle = 0
	}
	w.mark.Rotate = angle
	return nil
}

// applyPage reads a page from 0.
func applyPage(w *imgproxyWish, name string, args []string) error {
	n := max(0, w.o.Page-1)
	err := whole(name, args[0], 0, 999_999, &n)
	w.o.Page = n + 1
	return err
}

// applyPages takes one page: pages are not stacked.
func applyPages(_ *imgproxyWish, name string, args []string) error {
	n := 1
	if err := whole(name, args[0], 0, 999_999, &n); err != nil {
		return err
	}
	if n > 1 {
		return badArgument(name, args[0], "1: pages are not stacked here")
	}
	return nil
}

func applyFilename(w *imgproxyWish, name string, args []string) (err error) {
	var encoded bool
	truth(argument(args, 1), &encoded)
	text := args[0]
	if encoded {
		text, err = base64Text(name, text)
	} else if text, err = url.PathUnescape(text); err != nil {
		err = badArgument(name, args[0], "percent-encoded text")
	}
	if err != nil {
		return err
	}
	if _, err := fileName(text); err != nil {
		return badArgument(name, text, "a file name of up to 255 bytes of UTF-8 without slashes and control characters")
	}
	w.name = text
	return nil
}

func applyFallback(w *imgproxyWish, name string, args []string) (err error) {
	w.fallback, err = base64Text(name, args[0])
	return err
}

func applyCacheTags(w *imgproxyWish, name string, args []string) error {
	const longest = 128
	var tags []string
	for _, arg := range args {
		tag, err := url.PathUnescape(arg)
		bad := func(r rune) bool { return r <= ' ' || r == ',' || r == 0x7f }
		if err != nil || len(tag) > longest || !utf8.ValidString(tag) || strings.ContainsFunc(tag, bad) {
			return badArgument(name, arg, "tags of up to 128 bytes without spaces and commas")
		}
		if tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	w.tags = strings.Join(tags, ",")
	return nil
}

// hashsumLengths are the hex digits of each kind of sum.
func hashsumLength(kind string) int {
	switch kind {
	case "md5":
		return 32
	case "sha1":
		return 40
	case "sha256":
		return 64
	case "sha512":
		return 128
	default:
		return 0
	}
}

func applyHashsum(w *imgproxyWish, name string, args []string) error {
	if args[0] == "none" || args[0] == "" {
		w.o.Hashsum = ""
		return nil
	}
	sum := strings.ToLower(argument(args, 1))
	if _, err := hex.DecodeString(sum); err != nil || sum == "" || len(sum) != hashsumLength(args[0]) {
		return badArgument(name, strings.Join(args, " "), "none, or md5, sha1, sha256 or sha512 with the sum in hex")
	}
	w.o.Hashsum = args[0] + "." + sum
	return nil
}

// applyMaxSrcResolution reads megapixels.
func applyMaxSrcResolution(w *imgproxyWish, name string, args []string) error {
	return megapixels(name, args[0], &w.limits.SourcePixels)
}

// applyMaxFrameResolution is read and has no effect: frames have the limits of the source.
func applyMaxFrameResolution(_ *imgproxyWish, name string, args []string) error {
	var px int
	return megapixels(name, args[0], &px)
}

func megapixels(name, arg string, to *int) error {
	v := float64(*to) / 1e6
	err := real64(name, arg, 0, 1e6, &v)
	*to = int(v * 1e6)
	return err
}

func applyMaxSrcFileSize(w *imgproxyWish, name string, args []string) error {
	return whole(name, args[0], 0, 1<<40, &w.sourceBytes)
}

// applyMaxFrames keeps that many frames of an animation.
func applyMaxFrames(w *imgproxyWish, name string, args []string) error {
	n := w.o.Frames
	if err := whole(name, args[0], 1, 1_000_000, &n); err != nil {
		return err
	}
	w.o.Frames = n
	return nil
}

func applyMaxResult(w *imgproxyWish, name string, args []string) error {
	return whole(name, args[0], 0, maxImgproxySide, &w.o.MaxSide)
}

// validatePreset checks the text of a preset of a mount for itself: known options with good
// arguments, presets that exist. Errors are *resize.Error.
func (m *ImgproxyMount) validatePreset(name string) error {
	all := *m
	all.AllowSecurity = true // presets are trusted; whether they may is said when they are used
	w := imgproxyWish{mount: &all}
	if err := w.preset(name, m.Presets[name], nil); err != nil {
		return err
	}
	_, err := w.options()
	return err
}

// Validate tells what is wrong with the mount's own settings: no source, a source that is not known, a
// preset that does not read, presets-only without presets.
func (m *ImgproxyMount) Validate() error {
	if len(m.Sources) == 0 {
		return resize.BadOption("sources: an imgproxy mount needs at least one, as \"local:///\": name")
	}
	for prefix, name := range m.Sources {
		if _, ok := m.About[name]; !ok {
			return resize.BadOption("sources: " + quote(prefix) + " names the unknown source " + quote(name))
		}
	}
	if m.PresetsOnly && len(m.Presets) == 0 {
		return resize.BadOption("presets_only: there are no presets")
	}
	for name := range m.Presets {
		if err := m.validatePreset(name); err != nil {
			return resize.BadOption("presets: " + quote(name) + ": " + err.Error())
		}
	}
	return nil
}
