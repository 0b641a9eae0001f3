package resize

import (
	"image"
	"math"
	"slices"
)

// Batch says how several plans for one file are made with as few decodes as possible. It follows from the
// plans alone, so whoever admits the work and the engine that does it agree.
type Batch struct {
	Groups []Group
	Memory int64 // bytes, estimated peak beyond the file itself; groups are made one after another
	Pixels int64 // px that the decoder has to produce
}

// Group is plans that are made from one decode: that of the first one, of which Copied, premultiplied in 8
// bits, is halved and resampled row by row for all parts at a time. A group of one is made as its plan says.
type Group struct {
	Parts  []Part          // the finest first; Halvings never fall
	Copied image.Rectangle // what is used of the picture as the first plan loads it, px
	Memory int64           // bytes, as in Batch
}

// Part is how one plan is made within a group.
type Part struct {
	Index    int             // of the plan in what was given to Together
	Halvings int             // how often Copied is reduced to the means of 2 × 2 px before, sides rounded down, at least 1
	From     image.Rectangle // what is resampled to the plan's Scaled: px of Copied, halved so often
}

// maxShared is how many bytes the scaled pictures of a group may have, which are in memory at a time: 50 MP
// of RGB. What is beyond is another group.
const maxShared = 160 << 20

// maxStretch is how much more one side may be reduced than the other: rows that are resampled together are
// kept, six for each time.
const maxStretch = 8

// Together groups plans for one file. Plans share a decode where they show the same page, and the region
// of the finest, which decides how far the decoder reduces, holds theirs: a crop that needs more detail
// than the rest decodes on its own. So do animations, drawings, borders that have to be searched for, what
// is enlarged, and sources of more than 8 bits a channel. Sizes are each plan's own and do not depend on
// the group.
func Together(plans ...Plan) Batch {
	var b Batch
	left := make([]int, len(plans))
	for i := range plans {
		left[i] = i
	}
	for len(left) > 0 {
		first := finest(plans, left)
		lead := plans[first]
		g := lead.group(first)
		room := maxShared - lead.scaledBytes()
		var rest []int
		for _, i := range left {
			switch {
			case i == first:
			case lead.serves(plans[i]) && plans[i].scaledBytes() <= room:
				room -= plans[i].scaledBytes()
				g.Parts = append(g.Parts, lead.part(plans[i], i, g.Copied))
			default:
				rest = append(rest, i)
			}
		}
		if len(g.Parts) > 1 {
			slices.SortStableFunc(g.Parts, func(a, b Part) int { return a.Halvings - b.Halvings })
			g.Memory = g.cost(plans)
		}
		b.Groups, left = append(b.Groups, g), rest
		b.Memory, b.Pixels = max(b.Memory, g.Memory), b.Pixels+lead.Pixels
	}
	return b
}

// finest returns the plan that needs most detail of its source; of equal ones the one that shows most of it,
// then the largest result.
func finest(plans []Plan, of []int) int {
	best := of[0]
	for _, i := range of[1:] {
		p, q := plans[i], plans[best]
		switch {
		case p.reduction() != q.reduction():
			if p.reduction() < q.reduction() {
				best = i
			}
		case area(p.Region) != area(q.Region):
			if area(p.Region) > area(q.Region) {
				best = i
			}
		case p.Scaled.X*p.Scaled.Y > q.Scaled.X*q.Scaled.Y:
			best = i
		}
	}
	return best
}

// reduction returns how much the decoder reduces a side, at least 1 for what has px.
func (p Plan) reduction() float64 { return float64(max(1, p.Shrink)) / orOne(p.Scale) }

func area(r image.Rectangle) int64 { return int64(r.Dx()) * int64(r.Dy()) }

// serves reports whether q can be made from the px that p decodes.
func (p Plan) serves(q Plan) bool {
	return p.shares() && q.shares() && p.Page == q.Page && q.Region.In(p.Region)
}

// shares reports whether the plan can share a decode. What has alpha and is not resampled would lose color
// by being premultiplied.
func (p Plan) shares() bool {
	exact := p.Source.Alpha && p.Scaled == p.Loaded.Size()
	return !p.Animated() && !p.Trim.On && !exact && p.reduces() && p.Source.Format != FormatSVG && p.Source.Depth <= 8 &&
		p.scaledBytes() <= maxShared
}

// reduces reports whether the resampler makes no side longer, and none much shorter than the other.
func (p Plan) reduces() bool {
	x, y := float64(p.Loaded.Dx())/float64(p.Scaled.X), float64(p.Loaded.Dy())/float64(p.Scaled.Y)
	return min(x, y) >= 1 && max(x, y) <= maxStretch*min(x, y)
}

// scaledBytes returns the size of the scaled picture.
func (p Plan) scaledBytes() int64 {
	return int64(p.Scaled.X) * int64(p.Scaled.Y) * p.Source.pixelBytes()
}

// group returns the group of the plan alone.
func (p Plan) group(index int) Group {
	g := Group{Copied: p.Loaded, Memory: p.Memory}
	// From where the decoder's largest reduction begins a px.
	most := max(1, 8/max(1, int(math.Round(p.reduction()))))
	g.Copied.Min.X -= p.Loaded.Min.X % most
	g.Copied.Min.Y -= p.Loaded.Min.Y % most
	g.Parts = []Part{{Index: index, From: p.Loaded.Sub(g.Copied.Min)}}
	return g
}

// part returns how q is made from the px that p decodes, of which copied are kept: they are halved as often
// as the decoder would do it for q alone. Its px at 1/2, 1/4 and 1/8 are means of 2, 4 and 8 a side;
// libjpeg's last ones, if they are not full, are left out.
func (p Plan) part(q Plan, index int, copied image.Rectangle) Part {
	n := int(math.Round(math.Log2(q.reduction() / p.reduction())))
	at := image.Pt(copied.Min.X>>n, copied.Min.Y>>n)
	return Part{Index: index, Halvings: n, From: q.Loaded.Sub(at)}
}

// cost estimates the group's peak: what is decoded and all scaled pictures, or these and the dearest of the
// plans behind its decoder.
func (g *Group) cost(plans []Plan) int64 {
	lead := plans[g.Parts[0].Index]
	loaded, whole := lead.loadedPixels(), int64(lead.Source.Width)*int64(lead.Source.Height)
	var behind, scaled, bodies int64
	for _, part := range g.Parts {
		p := plans[part.Index]
		alone, px := p.loadedPixels(), int64(p.Source.Width)*int64(p.Source.Height)
		behind = max(behind, p.Memory-p.decodeBytes(alone, px))
		scaled += p.scaledBytes()
		bodies += int64(p.Width) * int64(p.Height) / 2 // of a result; few have more than 4 bits a px
	}
	return lead.decodeBytes(loaded, whole) + scaled + max(behind, baseBytes) + bodies
}
