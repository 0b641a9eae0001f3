package libvips

import (
	"context"
	"image"

	"github.com/imgedge/imgedge/resize"
)

// overlay lays watermark and text over the picture.
func (p *picture) overlay(ctx context.Context) error {
	if p.plan.Overlay.Image == "" && p.plan.Caption.Value == "" {
		return nil
	}
	if err := p.threeBands(); err != nil {
		return err
	}
	if !p.first.laid {
		if err := p.prepareOverlays(ctx); err != nil {
			return err
		}
		p.first.laid = true
	}
	mark, text := p.first.mark, p.first.text
	return p.edit(ctx, func(px *raster) {
		if mark != nil {
			px.lay(mark, p.plan.Overlay)
		}
		if text != nil {
			at := p.plan.Caption.Place.In(image.Pt(px.width, px.height), image.Pt(text.width, text.height))
			px.blend(text, at, p.plan.Caption.Opacity)
		}
	})
}

// prepareOverlays makes what all frames share.
func (p *picture) prepareOverlays(ctx context.Context) (err error) {
	if p.plan.Overlay.Image != "" {
		if p.first.mark, err = mark(ctx, p.plan.Overlay); err != nil {
			return err
		}
	}
	if p.plan.Caption.Value != "" {
		p.first.text, err = set(p.plan.Caption)
	}
	return err
}

// mark makes a watermark's px, with alpha.
func mark(ctx context.Context, o resize.Overlay) (*raster, error) {
	m := &picture{plan: *o.Picture, data: o.Data, first: &decided{}}
	defer m.close()
	err := m.load()
	if err == nil {
		err = m.shape(ctx)
	}
	if err == nil {
		err = m.threeBands()
	}
	if err == nil {
		err = m.ref.AddAlpha()
	}
	if err != nil {
		return nil, broken(ctx, "watermark", err)
	}
	px, err := m.raster(ctx)
	if err != nil {
		return nil, broken(ctx, "watermark", err)
	}
	return px, nil
}

// lay lays a watermark once, or as a pattern.
func (r *raster) lay(mark *raster, o resize.Overlay) {
	outer, size := image.Pt(r.width, r.height), image.Pt(mark.width, mark.height)
	at := o.Place.In(outer, size)
	step := size.Add(o.Gap)
	from, to := at, at.Add(image.Pt(1, 1))
	if o.TileX {
		from.X, to.X = back(at.X, step.X), outer.X
	}
	if o.TileY {
		from.Y, to.Y = back(at.Y, step.Y), outer.Y
	}
	for y := from.Y; y < to.Y; y += step.Y {
		for x := from.X; x < to.X; x += step.X {
			r.blend(mark, image.Pt(x, y), o.Opacity)
		}
	}
}

// back returns the last repetition of at that begins at or before 0.
func back(at, step int) int {
	at %= step
	if at > 0 {
		at -= step
	}
	return at
}

// blend lays RGBA px over these, their top left corner at the given place. What lies outside is cut off.
func (r *raster) blend(over *raster, at image.Point, opacity float64) {
	area := image.Rectangle{Min: at, Max: at.Add(image.Pt(over.width, over.height))}.Intersect(image.Rect(0, 0, r.width, r.height))
	strength := int(opacity*255 + 0.5)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			from, to := over.at(x-at.X, y-at.Y), r.at(x, y)
			alpha := int(from[3]) * strength
			if alpha == 0 {
				continue
			}
			r.mix(to, from, alpha)
		}
	}
}

// opaque is full alpha as mix counts it.
const opaque = 255 * 255

// mix lays a color of the given alpha, 0–opaque, over a px.
func (r *raster) mix(to, from []byte, alpha int) {
	under := opaque - alpha // how much of the px is seen
	if r.alpha {
		under = under * int(to[3]) / 255
	}
	all := alpha + under
	for i := range 3 {
		to[i] = byte((int(from[i])*alpha + int(to[i])*under + all/2) / all)
	}
	if r.alpha {
		to[3] = byte((all + 127) / 255)
	}
}
