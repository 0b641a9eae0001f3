package resize

import (
	"math"
	"strconv"
)

// fixed tells whether f names what comes out, whatever source and client are.
func (f Format) fixed() bool { return !f.Negotiated() && f != FormatKeep }

// bare tells whether f is about the original and not about a picture made of it.
func (f Format) bare() bool { return f == FormatRaw || f == FormatJSON }

// Validate refuses options that contradict each other, each being in its range: q, mb or lossless on
// a format without them; anything but v with f=raw or f=json. It speaks of normalized options.
// Errors are *Error with code bad_option.
func (o Options) Validate() error {
	if o.Format.bare() {
		if o != (Options{Format: o.Format, Version: o.Version}) {
			return BadOption("f: " + o.Format.String() + " takes no other option than v, dl, exp and kid")
		}
		return nil
	}
	if !o.Format.fixed() {
		return nil
	}
	if !o.Format.HasQuality() {
		if o.Quality != 0 || o.QualityAuto {
			return lacks("q", o.Format)
		}
		if o.MaxBytes != 0 {
			return lacks("mb", o.Format)
		}
	}
	if o.Lossless && !o.Format.HasLossless() {
		return lacks("lossless", o.Format)
	}
	return nil
}

func lacks(name string, f Format) *Error {
	return BadOption(name + ": f=" + f.String() + " has no such setting")
}

// CheckBox refuses a box whose sides or area, in output px (w and h times dpr, rounded half away from
// zero), pass the limits. Errors are *Error with code bad_option that name the limit.
func (o Options) CheckBox(lim Limits) error {
	dpr := o.DPR
	if dpr == 0 {
		dpr = 1
	}
	w, h := int(math.Round(float64(o.Width)*dpr)), int(math.Round(float64(o.Height)*dpr))
	for _, side := range [...]struct {
		name      string
		asked, px int
	}{{"w", o.Width, w}, {"h", o.Height, h}} {
		if lim.OutputSide > 0 && side.px > lim.OutputSide {
			return BadOption(side.name + ": " + strconv.Itoa(side.asked) + " times dpr is " + strconv.Itoa(side.px) +
				" px; limits.output_side is " + strconv.Itoa(lim.OutputSide))
		}
	}
	if lim.OutputPixels > 0 && w*h > lim.OutputPixels {
		return BadOption("w, h: the box is " + strconv.Itoa(w) + " by " + strconv.Itoa(h) + " px; limits.output_pixels is " +
			strconv.Itoa(lim.OutputPixels))
	}
	return nil
}

// Unavailable names the option used that is part of the URL contract but cannot be rendered; nil if there
// is none. No well-kept face detector is to be had, so g=face is refused rather than guessed at.
func (o Options) Unavailable() error {
	if o.Gravity == GravityFace || o.CropAt.Gravity == GravityFace {
		return BadOption("g=face: this server has no face detector")
	}
	return nil
}
