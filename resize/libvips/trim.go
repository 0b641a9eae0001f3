package libvips

import (
	"context"
	"errors"
	"image"

	"github.com/imgedge/imgedge/resize"
)

// handedIn is nil where every plan has its watermark.
func handedIn(plans []resize.Plan) error {
	for i := range plans {
		if o := &plans[i].Overlay; o.Image != "" && o.Picture == nil {
			return errors.New("the plan's watermark was not handed in")
		}
	}
	return nil
}

// settle returns the plan to execute: p, or the one that follows from a search for borders.
func settle(ctx context.Context, data []byte, p resize.Plan) (resize.Plan, error) {
	if !p.Trim.On {
		return p, nil
	}
	pic := &picture{plan: p, data: data}
	pic.plan.Shrink, pic.plan.Scale = 1, 1
	pic.plan.Format, pic.plan.Background = resize.FormatPNG, resize.Color{} // gray stays gray, alpha alpha
	defer pic.close()
	left, err := pic.trimBox(ctx)
	if err != nil {
		return p, broken(ctx, "trim", err)
	}
	return p.Trimmed(left)
}

// trimBox returns the smallest rectangle, in stored px, that holds what differs from the border in any
// frame of the plan. The border's color is that of the first.
func (p *picture) trimBox(ctx context.Context) (image.Rectangle, error) {
	if err := p.load(); err != nil {
		return image.Rectangle{}, err
	}
	var all image.Rectangle
	var border []byte
	height := p.plan.Source.Height
	for i := range p.plan.Frames {
		px, err := p.whole(ctx, i, height)
		if err != nil {
			return all, err
		}
		if border == nil {
			border = px.border(p.plan.Trim)
		}
		all = all.Union(px.content(border, p.plan.Trim.Tolerance))
	}
	return all, nil
}

// whole computes one frame at full size. The numbers are the file's own where they are RGB and no color
// was named: a border is found in any color space, and converting costs more than the search.
func (p *picture) whole(ctx context.Context, i, height int) (*raster, error) {
	ref, err := p.ref.Copy()
	if err != nil {
		return nil, err
	}
	f := &picture{plan: p.plan, data: p.data, ref: ref}
	defer f.close()
	if err := f.onePage(); err != nil {
		return nil, err
	}
	if p.plan.Frames > 1 {
		if err := f.extract(image.Rect(0, i*height, ref.Width(), (i+1)*height)); err != nil {
			return nil, err
		}
	}
	if p.plan.Source.CMYK || p.plan.Trim.Color.Given {
		err = f.toSRGB(f.ref.GetICCProfile())
	}
	if err == nil {
		err = f.eightBits()
	}
	if err == nil && p.plan.Trim.Color.Given {
		err = f.threeBands()
	}
	if err != nil {
		return nil, err
	}
	return f.raster(ctx)
}

// border returns the border's color, premultiplied.
func (r *raster) border(t resize.Trim) []byte {
	px := make([]byte, r.bands)
	if c := t.Color.Color; t.Color.Given && r.colors() == 3 {
		copy(px, []byte{c.R, c.G, c.B, 255})
		return px
	}
	copy(px, r.at(min(t.At.X, r.width-1), min(t.At.Y, r.height-1)))
	r.premultiply(px)
	return px
}

func (r *raster) premultiply(px []byte) {
	if r.alpha {
		for i := range px[:len(px)-1] {
			px[i] = byte((int(px[i])*int(px[len(px)-1]) + 127) / 255)
		}
	}
}

// content returns the smallest rectangle that holds all px that differ from the border and have a
// neighbor that does: single px, as dust and noise are, are no content. It is empty where there are none.
func (r *raster) content(border []byte, tolerance int) image.Rectangle {
	found := image.Rectangle{Min: image.Pt(r.width, r.height)}
	differs := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < r.width && y < r.height && r.differs(r.at(x, y), border, tolerance)
	}
	counts := func(x, y int) bool {
		return differs(x, y) && (differs(x+1, y) || differs(x, y+1) || differs(x-1, y) || differs(x, y-1))
	}
	for y := range r.height {
		left := 0
		for left < r.width && !counts(left, y) {
			left++
		}
		if left == r.width {
			continue
		}
		right := r.width - 1
		for right >= found.Max.X && right > left && !counts(right, y) {
			right--
		}
		found.Min = image.Pt(min(found.Min.X, left), min(found.Min.Y, y))
		found.Max = image.Pt(max(found.Max.X, right+1), y+1)
	}
	if found.Max.Y == 0 {
		return image.Rectangle{}
	}
	return found
}

// differs compares a px with the border. Colors count by their alpha.
func (r *raster) differs(px, border []byte, tolerance int) bool {
	alpha := 255
	if r.alpha {
		alpha = int(px[len(px)-1])
	}
	for i, v := range px {
		n := int(v)
		if r.alpha && i < len(px)-1 {
			n = (n*alpha + 127) / 255
		}
		if d := n - int(border[i]); d > tolerance || -d > tolerance {
			return true
		}
	}
	return false
}
