package resize

import (
	"image"
	"math"
)

// leastFactor is what decoding at half size leaves to the resampler, at least. Measured: down to 1.3 the
// result stays above 41 dB of a full decode and within 2 of 255 of libvips' own thumbnail; at 1.04 it is
// visibly worse (37 dB). It is the largest single saving there is for results above 1,000 px.
const leastFactor = 1.3

// leastFactorSmall is the same for a quarter and an eighth, where fine detail differs by up to 4.5 of 255
// at 1.3, and little is saved: most of the time goes into the entropy decoder, which reads everything.
const leastFactorSmall = 2

// shrinkOnLoad returns how much the decoder itself reduces, and the region in px of what it gives.
// Only a still is reduced: in an animation every frame has its own rounding.
func shrinkOnLoad(src Source, frames int, region image.Rectangle, scaled image.Point) (shrink int, scale float64, loaded image.Rectangle) {
	factor := min(float64(region.Dx())/float64(scaled.X), float64(region.Dy())/float64(scaled.Y))
	size := image.Pt(src.Width, src.Height)
	switch {
	case src.Format == FormatJPEG:
		shrink = decoderShrink(factor)
		for lost(size, region, scaled, shrink) > mostLost {
			shrink /= 2
		}
		by := float64(shrink)
		size = image.Pt((size.X+shrink-1)/shrink, (size.Y+shrink-1)/shrink)
		return shrink, 1, reduced(region, 1/by, 1/by, size)
	case src.Format == FormatWebP && frames == 1 && src.Pages <= 1:
		scale = webpScale(size, 1/float64(decoderShrink(factor)))
		size = image.Pt(side(float64(size.X)*scale), side(float64(size.Y)*scale))
		sx, sy := float64(size.X)/float64(src.Width), float64(size.Y)/float64(src.Height)
		return 1, scale, reduced(region, sx, sy, size)
	case src.Format == FormatSVG:
		scale = svgScale(size, region, scaled)
		size = image.Pt(side(float64(size.X)*scale), side(float64(size.Y)*scale))
		sx, sy := float64(size.X)/float64(src.Width), float64(size.Y)/float64(src.Height)
		return 1, scale, reduced(region, sx, sy, size)
	default:
		return 1, 1, region
	}
}

// mostLost is how far, in output px, the far edge may move inward. At 0.3 fine detail of a small result has an SSIM
// below 0.985 with that of a full decode.
const mostLost = 0.2

// lost returns by how many output px the far edge moves, at most, as libvips leaves out a JPEG's last px
// where it is not full, and what is left is resampled to the size of the whole.
func lost(size image.Point, region image.Rectangle, scaled image.Point, shrink int) float64 {
	x, y := 0, 0
	if region.Max.X == size.X {
		x = size.X % shrink
	}
	if region.Max.Y == size.Y {
		y = size.Y % shrink
	}
	return max(float64(x*scaled.X)/float64(region.Dx()), float64(y*scaled.Y)/float64(region.Dy()))
}

// What an SVG is drawn at is at most this large; what is larger, because little of it is kept, is
// drawn smaller and enlarged.
const (
	maxDrawnSide = 16384
	maxDrawn     = 32 << 20 // px
)

// svgScale returns the scale that gives the region its size, or a little more where its ratio changes.
func svgScale(size image.Point, region image.Rectangle, scaled image.Point) float64 {
	scale := max(float64(scaled.X)/float64(region.Dx()), float64(scaled.Y)/float64(region.Dy()))
	most := math.Sqrt(maxDrawn / (float64(size.X) * float64(size.Y)))
	return min(scale, most, maxDrawnSide/float64(max(size.X, size.Y)))
}

// decoderShrink returns the largest of 1, 2, 4, 8 that leaves enough to resample. A WebP could be reduced
// by any factor; by these its px are means, as a JPEG's are, and pictures that share a decode are equal.
func decoderShrink(factor float64) int {
	switch {
	case factor >= 8*leastFactorSmall:
		return 8
	case factor >= 4*leastFactorSmall:
		return 4
	case factor >= 2*leastFactor:
		return 2
	default:
		return 1
	}
}

// webpScale returns the scale, raised so that the longer side is a whole number of px: both sides
// then keep their ratio as well as px allow.
func webpScale(size image.Point, scale float64) float64 {
	long := float64(max(size.X, size.Y))
	return min(1, math.Ceil(long*scale)/long)
}

// reduced maps a rectangle into the picture as loaded. Edges are rounded to the nearest px, so the
// error stays below half a px there and below 0.4 px of the output.
func reduced(r image.Rectangle, sx, sy float64, size image.Point) image.Rectangle {
	x0 := min(round(float64(r.Min.X)*sx), size.X-1)
	y0 := min(round(float64(r.Min.Y)*sy), size.Y-1)
	x1 := max(x0+1, edge(float64(r.Max.X)*sx, size.X))
	y1 := max(y0+1, edge(float64(r.Max.Y)*sy, size.Y))
	return image.Rect(x0, y0, x1, y1)
}

// edge rounds the far edge of a region. A last, partly filled px belongs to a region that reaches the
// picture's own edge.
func edge(x float64, size int) int {
	if x > float64(size)-1 && x < float64(size) {
		return size
	}
	return min(round(x), size)
}
