package libvips_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/resize/libvips"
)

func Example() {
	var original bytes.Buffer
	if err := jpeg.Encode(&original, image.NewRGBA(image.Rect(0, 0, 640, 480)), nil); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	engine, err := libvips.New(libvips.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := engine.Probe(ctx, original.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	options := resize.Options{Width: 200, Height: 200, Fit: resize.FitCover, Format: resize.FormatWebP}
	plan, err := options.Plan(source, resize.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := engine.Run(ctx, original.Bytes(), plan)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(results[0].Format, results[0].Width, results[0].Height)
	// Output: webp 200 200
}
