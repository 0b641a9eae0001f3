package ssim

import "testing"

func TestCompareLuma(t *testing.T) {
	const w, h = 40, 30
	a, b := make([]byte, w*h), make([]byte, w*h)
	for i := range a {
		a[i] = byte(i * 7 % 251)
	}
	copy(b, a)
	if got := CompareLuma(a, b, w, h); got != 1 {
		t.Errorf("CompareLuma of equal pictures = %v", got)
	}
	last := 1.0
	for _, step := range []int{2, 8, 40} {
		for i := range b {
			b[i] = byte(min(255, max(0, int(a[i])+step*(i%3-1))))
		}
		got := CompareLuma(a, b, w, h)
		if got >= last || got <= 0 {
			t.Errorf("CompareLuma with noise of %d = %v, want less than %v", step, got, last)
		}
		last = got
	}
	if got := CompareLuma(a[:1], a[:1], 1, 1); got != 1 {
		t.Errorf("CompareLuma of one px = %v", got)
	}
	if got := CompareLuma(a, b, w, h+1); got != 0 {
		t.Errorf("CompareLuma beyond the px = %v", got)
	}
	if got := Luma([]byte{255, 255, 255, 0, 255, 0, 0, 255}, 4); got[0] != 128 || got[1] != 77 {
		t.Errorf("Luma = %v, want 128 77", got)
	}
	if got := Luma([]byte{1, 2, 3, 4, 5}, 5); got != nil {
		t.Errorf("Luma of 5 bands = %v", got)
	}
}

// TestCompareLumaIsCompare holds both forms against each other, edges included.
func TestCompareLumaIsCompare(t *testing.T) {
	x, y := scene(0), scene(30)
	w, h := x.Rect.Dx(), x.Rect.Dy()
	fast, exact := CompareLuma(Luma(x.Pix, 4), Luma(y.Pix, 4), w, h), Compare(x, y)
	if d := fast - exact; d > 0.005 || d < -0.005 {
		t.Errorf("CompareLuma = %.4f, Compare = %.4f", fast, exact)
	}
}
