package libvips

import (
	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// Ability is what this libvips can do with one format.
type Ability struct {
	Format resize.Format
	Load   bool // the loader is there; whether sources may have the format is Config.FormatsIn's
	Save   bool // a small picture could be written
}

// Formats reports what libvips can do here, for edge doctor. Writing is tried, not looked up: the
// operation for AVIF is there also where libheif has no encoder for it.
func (e *Engine) Formats() []Ability {
	kinds := [...]struct {
		format resize.Format
		kind   vips.ImageType
	}{
		{resize.FormatJPEG, vips.ImageTypeJPEG},
		{resize.FormatPNG, vips.ImageTypePNG},
		{resize.FormatGIF, vips.ImageTypeGIF},
		{resize.FormatWebP, vips.ImageTypeWEBP},
		{resize.FormatAVIF, vips.ImageTypeAVIF},
		{resize.FormatHEIC, vips.ImageTypeHEIF},
		{resize.FormatTIFF, vips.ImageTypeTIFF},
		{resize.FormatJXL, vips.ImageTypeJXL},
		{resize.FormatSVG, vips.ImageTypeSVG},
	}
	all := make([]Ability, 0, len(kinds))
	for _, f := range kinds {
		all = append(all, Ability{Format: f.format, Load: vips.IsTypeSupported(f.kind), Save: canSave(f.format)})
	}
	return all
}

// canSave writes a gray square.
func canSave(f resize.Format) bool {
	const side = 16
	square, err := vips.NewImageFromMemory(make([]byte, side*side*3), side, side, 3, vips.BandFormatUchar, vips.InterpretationSRGB)
	if err != nil {
		return false
	}
	p := picture{ref: square, plan: resize.Plan{Format: f, Quality: 50, Effort: 1, Frames: 1}}
	defer p.close()
	if f == resize.FormatJXL {
		p.plan.Effort = 3 // the least it takes
	}
	body, err := p.encode()
	return err == nil && len(body) > 0
}
