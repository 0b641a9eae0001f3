package sample

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// field is a plane of smooth random values, named by its seed.
type field uint64

// bits returns 64 random bits for a lattice point.
func (f field) bits(x, y int) uint64 {
	z := uint64(f) + uint64(int64(x))*0x9e3779b97f4a7c15 + uint64(int64(y))*0xc2b2ae3d27d4eb4f
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// unit returns a random value 0–1 for a lattice point.
func (f field) unit(x, y int) float64 {
	return float64(f.bits(x, y)>>11) / (1 << 53)
}

// slope is the height at (dx, dy) of a random plane through a lattice point.
func (f field) slope(x, y int, dx, dy float64) float64 {
	b := f.bits(x, y)
	gx := float64(int32(uint32(b))) / (1 << 31)
	gy := float64(int32(uint32(b>>32))) / (1 << 31)
	return gx*dx + gy*dy
}

// at is gradient noise, about −1 to 1, with one bump a unit.
func (f field) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	dx, dy := x-fx, y-fy
	top := lerp(f.slope(ix, iy, dx, dy), f.slope(ix+1, iy, dx-1, dy), fade(dx))
	bottom := lerp(f.slope(ix, iy+1, dx, dy-1), f.slope(ix+1, iy+1, dx-1, dy-1), fade(dx))
	return 1.7 * lerp(top, bottom, fade(dy))
}

// fractal sums octaves of noise, each twice as fine and half as strong; about −1 to 1.
func (f field) fractal(x, y float64, octaves int) float64 {
	sum, strength := 0.0, 0.5
	for range octaves {
		sum += strength * f.at(x, y)
		x, y = 2.03*x+17.3, 2.03*y-9.1
		strength /= 2
		f++
	}
	return sum * 1.4
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func fade(t float64) float64 { return t * t * t * (t*(t*6-15) + 10) }

func clamp(v float64) float64 { return min(max(v, 0), 1) }

// step rises smoothly from 0 at a to 1 at b.
func step(a, b, v float64) float64 {
	t := clamp((v - a) / (b - a))
	return t * t * (3 - 2*t)
}

// bell is 1 at 0 and falls off smoothly to both sides; about a third is left at ±1.
func bell(v float64) float64 { return math.Exp(-v * v) }

// bandRows is how many rows one turn of a painter takes: small enough to share evenly.
const bandRows = 16

// bands calls paint for bands of rows that together are 0 to h, on all cores.
func bands(h int, paint func(y0, y1 int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), h/bandRows+1) {
		wg.Go(func() {
			for {
				y := int(next.Add(bandRows)) - bandRows
				if y >= h {
					return
				}
				paint(y, min(y+bandRows, h))
			}
		})
	}
	wg.Wait()
}
