package libvips

import (
	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// color brings the picture to 8 bits: gray or sRGB, or with KeepICC the numbers as they are beside the
// profile that says what they mean.
func (p *picture) color() error {
	profile := p.ref.GetICCProfile()
	if p.plan.KeepICC && len(profile) > 0 && p.holdsProfile() {
		p.profile = profile
		return p.eightBits()
	}
	if err := p.toSRGB(profile); err != nil {
		return err
	}
	return p.eightBits()
}

// holdsProfile reports whether the output can carry the source's numbers and its profile.
func (p *picture) holdsProfile() bool {
	switch p.plan.Format {
	case resize.FormatJPEG, resize.FormatPNG, resize.FormatWebP, resize.FormatAVIF, resize.FormatJXL, resize.FormatTIFF:
	default:
		return false
	}
	rgb := p.ref.Bands() >= 3
	if p.ref.Interpretation() == vips.InterpretationCMYK {
		return false // of our formats JPEG alone has CMYK, and no browser shows it right
	}
	return rgb || p.plan.Format == resize.FormatJPEG || p.plan.Format == resize.FormatPNG
}

// toSRGB converts px that mean something else. A profile that cannot be used never refuses a good
// picture: libvips' own idea of the color space then stands. CMYK goes by the embedded profile, else by
// libvips' own, both colorimetric; RGB perceptual, which is the same for profiles without tables.
func (p *picture) toSRGB(profile []byte) error {
	if p.ref.Interpretation() == vips.InterpretationCMYK {
		if err := p.ref.ToColorSpace(vips.InterpretationSRGB); err == nil || len(profile) == 0 {
			return err
		}
		if err := p.ref.RemoveICCProfile(); err != nil {
			return err
		}
		return p.ref.ToColorSpace(vips.InterpretationSRGB)
	}
	if len(profile) > 0 && !resize.ICCIsSRGB(profile) {
		_ = p.ref.TransformICCProfileWithFallback("srgb", "srgb") // eightBits goes on without it
	}
	return nil
}

// eightBits ends in gray or sRGB with 8 bits a channel, with or without alpha. Gray stays gray where
// nothing colored is added and the encoder takes it.
func (p *picture) eightBits() error {
	want := vips.InterpretationSRGB
	switch p.ref.Interpretation() {
	case vips.InterpretationBW, vips.InterpretationGrey16:
		if p.staysGray() {
			want = vips.InterpretationBW
		}
	default:
	}
	if p.ref.Interpretation() != want {
		if err := p.ref.ToColorSpace(want); err != nil {
			return err
		}
	}
	if p.ref.BandFormat() != vips.BandFormatUchar {
		return p.ref.Cast(vips.BandFormatUchar)
	}
	return nil
}

func (p *picture) staysGray() bool {
	bg := p.plan.Background
	if p.plan.Colored() {
		return false
	}
	return bg.R == bg.G && bg.G == bg.B && (p.plan.Format == resize.FormatJPEG || p.plan.Format == resize.FormatPNG)
}

// background flattens or lays the picture on its background, and pads it.
func (p *picture) background() error {
	bg := p.plan.Background
	switch p.plan.Behind {
	case resize.BackgroundAuto:
		bg = p.first.border
	case resize.BackgroundBlur:
		return p.layOnBlur()
	default:
	}
	if p.ref.HasAlpha() && p.plan.Flatten {
		if err := p.ref.Flatten(&vips.Color{R: bg.R, G: bg.G, B: bg.B}); err != nil {
			return err
		}
	}
	if p.plan.Canvas.X > 0 {
		if err := p.pad(bg); err != nil {
			return err
		}
	}
	if p.ref.HasAlpha() && !p.plan.Flatten && bg.A > 0 {
		return p.underlay(bg)
	}
	return nil
}

// pad lays the picture on a canvas: of the background where the result is opaque, else transparent, for
// underlay to fill.
func (p *picture) pad(bg resize.Color) error {
	fill := vips.ColorRGBA{R: bg.R, G: bg.G, B: bg.B, A: 255}
	if !p.plan.Flatten {
		fill = vips.ColorRGBA{}
		if err := p.ref.AddAlpha(); err != nil {
			return err
		}
	}
	if err := p.onePage(); err != nil {
		return err
	}
	return p.ref.EmbedBackgroundRGBA(p.plan.Offset.X, p.plan.Offset.Y, p.plan.Canvas.X, p.plan.Canvas.Y, &fill)
}

// underlay puts a translucent color behind a picture with alpha.
func (p *picture) underlay(bg resize.Color) error {
	if err := p.ref.ToColorSpace(vips.InterpretationSRGB); err != nil {
		return err
	}
	canvas, err := vips.NewTransparentCanvas(p.ref.Width(), p.ref.Height())
	if err != nil {
		return err
	}
	fill := []float64{float64(bg.R), float64(bg.G), float64(bg.B), float64(bg.A)}
	if err := canvas.Linear([]float64{0, 0, 0, 0}, fill); err != nil {
		canvas.Close()
		return err
	}
	if err := canvas.Composite(p.ref, vips.BlendModeOver, 0, 0); err != nil {
		canvas.Close()
		return err
	}
	p.replace(canvas)
	return p.ref.Cast(vips.BandFormatUchar)
}
