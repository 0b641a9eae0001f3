package sample_test

import (
	"bytes"
	"fmt"
	"image/jpeg"

	"github.com/imgedge/imgedge/sample"
)

func ExampleJPEG() {
	upright := sample.Scene(300, 200, 0)
	data, err := sample.JPEG(sample.Turned(upright, 6), sample.Meta{Orientation: 6, ICC: sample.DisplayP3.ICC()})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := jpeg.DecodeConfig(bytes.NewReader(data))
	fmt.Println(file.Width, file.Height, err)
	// Output: 200 300 <nil>
}
