package resize

import "encoding/json"

// description is the body of f=json. Colours and hashes, which need pixels, are not part of it yet.
type description struct {
	Format      string            `json:"format"`
	Width       int               `json:"width"`  // upright px
	Height      int               `json:"height"` // upright px, of one frame
	Bytes       int64             `json:"bytes"`
	Frames      int               `json:"frames"` // or pages
	Alpha       bool              `json:"alpha"`
	Orientation int               `json:"orientation"` // EXIF 1–8
	ICC         string            `json:"icc"`         // profile description, "" = none
	EXIF        map[string]string `json:"exif"`        // without position
}

// Describe returns the JSON body that f=json answers with: what the source is, without decoding it.
// Width and height are upright. Equal sources give equal bytes.
func Describe(src Source) []byte {
	w, h := src.Upright()
	d := description{
		Format: src.Format.String(), Width: w, Height: h, Bytes: src.Bytes,
		Frames: max(1, src.Pages), Alpha: src.Alpha, Orientation: max(1, src.Orientation),
		ICC: src.ICC, EXIF: map[string]string{},
	}
	for _, tag := range src.EXIF {
		d.EXIF[tag.Name] = tag.Value
	}
	body, err := json.Marshal(d)
	if err != nil {
		panic("resize: a description of strings and numbers has no JSON: " + err.Error())
	}
	return append(body, '\n')
}
