package resize

import (
	"strconv"
	"strings"
)

// The functions of this file are the rows of the option table that have a shape of their own.

func setCrop(o *Options, value string) (ok bool) {
	o.Crop, ok = parseRegion(value)
	return ok
}

func cropText(b []byte, o *Options) []byte {
	if o.Crop != (Region{}) {
		b = appendRegion(b, o.Crop)
	}
	return b
}

func setRatio(o *Options, value string) (ok bool) {
	o.Ratio, ok = parseRatio(value)
	return ok
}

func ratioText(b []byte, o *Options) []byte {
	if o.Ratio != (Ratio{}) {
		b = appendDecimal(b, o.Ratio.W)
		b = append(b, ':')
		b = appendDecimal(b, o.Ratio.H)
	}
	return b
}

func setPad(o *Options, value string) (ok bool) {
	o.Pad, ok = parsePadding(value)
	return ok
}

func padText(b []byte, o *Options) []byte {
	if o.Pad != (Padding{}) {
		b = appendPadding(b, o.Pad)
	}
	return b
}

func setBackground(o *Options, value string) bool {
	switch value {
	case "auto":
		o.Background = Background{Kind: BackgroundAuto}
		return true
	case "blur":
		o.Background = Background{Kind: BackgroundBlur}
		return true
	}
	c, ok := parseColor(value, true)
	o.Background = Background{Kind: BackgroundColor, Color: c}
	return ok
}

func backgroundText(b []byte, o *Options) []byte {
	switch o.Background.Kind {
	case BackgroundColor:
		return appendColor(b, o.Background.Color)
	case BackgroundAuto:
		return append(b, "auto"...)
	case BackgroundBlur:
		return append(b, "blur"...)
	case BackgroundNone:
	}
	return b
}

func setFlip(o *Options, value string) bool {
	o.FlipH = value == "h" || value == "hv"
	o.FlipV = value == "v" || value == "hv"
	return o.FlipH || o.FlipV
}

func flipText(b []byte, o *Options) []byte {
	if o.FlipH {
		b = append(b, 'h')
	}
	if o.FlipV {
		b = append(b, 'v')
	}
	return b
}

func setDuotone(o *Options, value string) (ok bool) {
	o.Duotone, ok = parseDuotone(value)
	return ok
}

func duotoneText(b []byte, o *Options) []byte {
	if o.Duotone.On {
		b = appendColor(b, o.Duotone.Dark)
		b = append(b, ',')
		b = appendColor(b, o.Duotone.Light)
	}
	return b
}

func setRound(o *Options, value string) (ok bool) {
	if value == "max" {
		o.Round = Round{Max: true}
		return true
	}
	o.Round = Round{}
	o.Round.Radius, ok = parseWhole(value, 1, maxSide)
	return ok
}

func roundText(b []byte, o *Options) []byte {
	if o.Round.Max {
		return append(b, "max"...)
	}
	if o.Round.Radius != 0 {
		b = strconv.AppendInt(b, int64(o.Round.Radius), 10)
	}
	return b
}

func setWatermark(o *Options, value string) bool {
	o.Watermark.Image = value
	return isText(value, maxImage)
}

func watermarkText(b []byte, o *Options) []byte { return appendEscaped(b, o.Watermark.Image) }

func setText(o *Options, value string) bool {
	o.Text.Value = value
	return isText(value, maxText)
}

func textText(b []byte, o *Options) []byte { return appendEscaped(b, o.Text.Value) }

func setTextColor(o *Options, value string) (ok bool) {
	o.Text.Color, ok = parseColor(value, true)
	o.Text.Colored = true
	return ok
}

func textColorText(b []byte, o *Options) []byte {
	if o.Text.Colored {
		b = appendColor(b, o.Text.Color)
	}
	return b
}

func setFormat(o *Options, value string) bool {
	f, ok := ParseFormat(value)
	if !ok || (f >= FormatHEIC && f <= FormatICO) {
		return false
	}
	o.Format = f
	return true
}

func formatText(b []byte, o *Options) []byte {
	if o.Format != FormatAuto {
		b = append(b, o.Format.String()...)
	}
	return b
}

func setOffer(o *Options, value string) bool {
	o.Offer = Offer{}
	for more := true; more; {
		var name string
		name, value, more = strings.Cut(value, ".")
		f, ok := ParseFormat(name)
		if !ok || !f.offerable() || !o.Offer.add(f) {
			return false
		}
	}
	return true
}

func offerText(b []byte, o *Options) []byte {
	for i, f := range o.Offer {
		if f == FormatAuto {
			break
		}
		if i > 0 {
			b = append(b, '.')
		}
		b = append(b, f.String()...)
	}
	return b
}

func setQuality(o *Options, value string) (ok bool) {
	if value == "auto" {
		o.Quality, o.QualityAuto = 0, true
		return true
	}
	o.QualityAuto = false
	o.Quality, ok = parseWhole(value, 1, 100)
	return ok
}

func qualityText(b []byte, o *Options) []byte {
	if o.QualityAuto {
		return append(b, "auto"...)
	}
	if o.Quality != 0 {
		b = strconv.AppendInt(b, int64(o.Quality), 10)
	}
	return b
}

func setICC(o *Options, value string) bool {
	o.KeepICC = value == "keep"
	return value == "keep" || value == "srgb"
}

func iccText(b []byte, o *Options) []byte {
	if o.KeepICC {
		b = append(b, "keep"...)
	}
	return b
}

func setVersion(o *Options, value string) bool {
	o.Version = value
	return isText(value, maxVersion)
}

func versionText(b []byte, o *Options) []byte { return appendEscaped(b, o.Version) }
