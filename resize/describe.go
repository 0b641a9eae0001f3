package resize

import (
	"encoding/base64"
	"encoding/json"
)

// description is the body of f=json.
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
	*seen
}

// seen is what only the px tell. Colors are #rrggbb in sRGB.
type seen struct {
	AverageColor   string   `json:"average_color"` // of what is not transparent; "" if nothing is
	DominantColors []string `json:"dominant_colors"`
	ThumbHash      string   `json:"thumbhash"` // base64
	BlurHash       string   `json:"blurhash"`
}

// Describe returns the JSON body that f=json answers with, as far as the header tells. Width and height are
// upright. Equal sources give equal bytes.
func Describe(src Source) []byte { return src.description().body() }

// Describe returns the JSON body that f=json answers with; s is a small render of the upright source.
func (src Source) Describe(s Small) []byte {
	d := src.description()
	d.seen = &seen{
		DominantColors: []string{}, ThumbHash: base64.StdEncoding.EncodeToString(s.ThumbHash()), BlurHash: s.BlurHash(0, 0),
	}
	if mean := s.Average(); mean.A > 0 {
		d.AverageColor = hexOf(mean)
	}
	for _, c := range s.Dominant() {
		d.DominantColors = append(d.DominantColors, hexOf(c))
	}
	return d.body()
}

func (src Source) description() description {
	w, h := src.Upright()
	d := description{
		Format: src.Format.String(), Width: w, Height: h, Bytes: src.Bytes,
		Frames: max(1, src.Pages), Alpha: src.Alpha, Orientation: max(1, src.Orientation),
		ICC: src.ICC, EXIF: map[string]string{},
	}
	for _, tag := range src.EXIF {
		d.EXIF[tag.Name] = tag.Value
	}
	return d
}

func (d description) body() []byte {
	body, err := json.Marshal(d)
	if err != nil {
		panic("resize: a description of strings and numbers has no JSON: " + err.Error())
	}
	return append(body, '\n')
}
