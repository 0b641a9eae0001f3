package resize

import (
	"image"
	"testing"
)

func TestAround(t *testing.T) {
	src := Source{Format: FormatJPEG, Width: 400, Height: 200, Orientation: 1, Pages: 1, Bands: 3, Depth: 8}
	for _, row := range []struct {
		options string
		window  image.Rectangle // of the scaled picture
		changed bool
	}{
		{"w=100&h=100&fit=cover", image.Rect(100, 0, 200, 100), true},
		{"w=100&h=100&fit=cover-down", image.Rect(100, 0, 200, 100), true},
		{"w=100&h=100&fit=cover&g=west", image.Rect(0, 0, 100, 100), false},
		{"w=100&h=100&fit=cover&g=fp&fx=0.5&fy=0", image.Rect(50, 0, 150, 100), false},
		{"w=100&h=100", image.Rect(0, 0, 100, 50), false},
	} {
		o, err := Parse(row.options)
		if err != nil {
			t.Fatal(err)
		}
		around := o.Around(Focus{1, 0.5})
		plan, err := around.Plan(src, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if plan.Window != row.window || (around != o) != row.changed {
			t.Errorf("%s: window %v, want %v; changed %v", row.options, plan.Window, row.window, around != o)
		}
	}
}
