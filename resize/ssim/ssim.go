// Package ssim compares pictures as eyes do: the structural similarity of their luma (Wang, Bovik,
// Sheikh, Simoncelli 2004), over windows of 8×8 px that overlap by half.
//
//	if ssim.Compare(got, want) < 0.98 { … }
package ssim

import (
	"image"
	"image/color"
	"math"
)

// window is the side of a window in px; step is how far the next one is.
const (
	window = 8
	step   = 4
)

// The constants of the paper for 8-bit px: (0.01 × 255)² and (0.03 × 255)².
const (
	c1 = 6.5025
	c2 = 58.5225
)

// Compare returns the mean similarity of two pictures, 1 for equal ones and near 0 for unrelated ones.
// Alpha is laid on black. Pictures of different sizes are as unlike as can be: 0.
func Compare(a, b image.Image) float64 {
	size := a.Bounds().Size()
	if size != b.Bounds().Size() || size.X == 0 || size.Y == 0 {
		return 0
	}
	x, y := luma(a), luma(b)
	sum, n := 0.0, 0
	for _, top := range starts(size.Y) {
		for _, left := range starts(size.X) {
			r := image.Rect(left, top, min(left+window, size.X), min(top+window, size.Y))
			sum += similarity(x, y, r, size.X)
			n++
		}
	}
	return sum / float64(n)
}

// MeanDifference returns the mean over all px and the channels R, G, B of |a − b|, 0–255, and the largest
// mean of a − b of any one channel: a shift in color.
//
//go:norace
func MeanDifference(a, b image.Image) (absolute, shift float64) {
	size := a.Bounds().Size()
	if size != b.Bounds().Size() || size.X == 0 || size.Y == 0 {
		return 255, 255
	}
	var signed [3]float64
	for y := range size.Y {
		for x := range size.X {
			p, q := rgb(a, x, y), rgb(b, x, y)
			for i := range p {
				absolute += math.Abs(p[i] - q[i])
				signed[i] += p[i] - q[i]
			}
		}
	}
	n := float64(size.X * size.Y)
	for _, s := range signed {
		shift = math.Max(shift, math.Abs(s)/n)
	}
	return absolute / (3 * n), shift
}

// starts returns where windows begin along a side; the last one ends with it.
func starts(side int) []int {
	var s []int
	for at := 0; at+window <= side; at += step {
		s = append(s, at)
	}
	if len(s) == 0 {
		return []int{0}
	}
	if last := side - window; s[len(s)-1] != last {
		s = append(s, last)
	}
	return s
}

// similarity returns the index of one window.
//
//go:norace
func similarity(x, y []float64, r image.Rectangle, stride int) float64 {
	var sx, sy, sxx, syy, sxy float64
	for row := r.Min.Y; row < r.Max.Y; row++ {
		for i := row*stride + r.Min.X; i < row*stride+r.Max.X; i++ {
			sx += x[i]
			sy += y[i]
			sxx += x[i] * x[i]
			syy += y[i] * y[i]
			sxy += x[i] * y[i]
		}
	}
	n := float64(r.Dx() * r.Dy())
	mx, my := sx/n, sy/n
	vx, vy, cov := sxx/n-mx*mx, syy/n-my*my, sxy/n-mx*my
	return (2*mx*my + c1) * (2*cov + c2) / ((mx*mx + my*my + c1) * (vx + vy + c2))
}

// luma returns BT.601 luma, 0–255, row by row.
//
// The race detector is kept out: it would look at every px and make tests of pictures ten times as slow.
//
//go:norace
func luma(m image.Image) []float64 {
	size := m.Bounds().Size()
	out := make([]float64, 0, size.X*size.Y)
	for y := range size.Y {
		for x := range size.X {
			c := rgb(m, x, y)
			out = append(out, 0.299*c[0]+0.587*c[1]+0.114*c[2])
		}
	}
	return out
}

// rgb returns a px, premultiplied, 0–255, counted from the picture's corner.
//
//go:norace
func rgb(m image.Image, x, y int) [3]float64 {
	at := m.Bounds().Min.Add(image.Pt(x, y))
	if n, ok := m.(*image.NRGBA); ok {
		p := n.Pix[n.PixOffset(at.X, at.Y):]
		a := float64(p[3]) / 255
		return [3]float64{float64(p[0]) * a, float64(p[1]) * a, float64(p[2]) * a}
	}
	c, ok := color.RGBA64Model.Convert(m.At(at.X, at.Y)).(color.RGBA64)
	if !ok {
		return [3]float64{}
	}
	return [3]float64{float64(c.R) / 257, float64(c.G) / 257, float64(c.B) / 257}
}
