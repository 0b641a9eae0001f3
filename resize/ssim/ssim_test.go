package ssim

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

// scene returns a picture with edges and shades; noise is the largest error added to a px.
func scene(noise int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 61, 43))
	r := rand.New(rand.NewPCG(1, 2))
	for y := range 43 {
		for x := range 61 {
			v := 60 + 2*x + 40*((x/7+y/9)%2)
			v += r.IntN(2*noise+1) - noise
			m.SetNRGBA(x, y, color.NRGBA{uint8(max(0, min(v, 255))), uint8(3 * y), 90, 255})
		}
	}
	return m
}

func TestCompare(t *testing.T) {
	a := scene(0)
	if got := Compare(a, a); math.Abs(got-1) > 1e-12 {
		t.Errorf("Compare of a picture with itself = %v, want 1", got)
	}
	little, much := Compare(a, scene(4)), Compare(a, scene(60))
	if little < 0.9 || little >= 1 {
		t.Errorf("Compare with a little noise = %v, want 0.9 to 1", little)
	}
	if much > little-0.2 {
		t.Errorf("Compare with much noise = %v, with a little %v", much, little)
	}
	if got := Compare(a, image.NewNRGBA(image.Rect(0, 0, 61, 42))); got != 0 {
		t.Errorf("Compare of different sizes = %v, want 0", got)
	}
	gray := image.NewGray(image.Rect(3, 3, 8, 6))
	if got := Compare(gray, gray); math.Abs(got-1) > 1e-12 {
		t.Errorf("Compare of a picture smaller than a window = %v, want 1", got)
	}
}

func TestMeanDifference(t *testing.T) {
	a, b := image.NewNRGBA(image.Rect(0, 0, 2, 1)), image.NewNRGBA(image.Rect(0, 0, 2, 1))
	copy(a.Pix, []byte{10, 20, 30, 255, 10, 20, 30, 255})
	copy(b.Pix, []byte{16, 20, 30, 255, 10, 20, 24, 255})
	if absolute, shift := MeanDifference(a, b); absolute != 2 || shift != 3 {
		t.Errorf("MeanDifference = %v, %v; want 2, 3", absolute, shift)
	}
}

func ExampleCompare() {
	m := image.NewGray(image.Rect(0, 0, 16, 16))
	fmt.Println(Compare(m, m))
	// Output: 1
}
