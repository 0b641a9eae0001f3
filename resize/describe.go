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

	// What only the px tell. Colors are #rrggbb in sRGB.
	AverageColor   string   `json:"average_color"` // of what is not transparent; "" if nothing is
	DominantColors []string `json:"dominant_colors"`
	ThumbHash      string   `json:"thumbhash"` // base64
	BlurHash       string   `json:"blurhash"`
}

// Describe returns the JSON body that f=json answers with; small is a render of the upright source. Equal
// sources give equal bytes.
func (s Source) Describe(small Small) []byte {
	w, h := s.Upright()
	d := description{
		Format: s.Format.String(), Width: w, Height: h, Bytes: s.Bytes,
		Frames: max(1, s.Pages), Alpha: s.Alpha, Orientation: max(1, s.Orientation),
		ICC: s.ICC, EXIF: map[string]string{}, DominantColors: []string{},
		ThumbHash: base64.StdEncoding.EncodeToString(small.ThumbHash()), BlurHash: small.BlurHash(0, 0),
	}
	for _, tag := range s.EXIF {
		d.EXIF[tag.Name] = tag.Value
	}
	if mean := small.Average(); mean.A > 0 {
		d.AverageColor = hexOf(mean)
	}
	for _, c := range small.Dominant() {
		d.DominantColors = append(d.DominantColors, hexOf(c))
	}
	body, err := json.Marshal(d)
	if err != nil {
		panic("resize: a description of strings and numbers has no JSON: " + err.Error())
	}
	return append(body, '\n')
}

// Raw returns the body that f=raw answers with: the original unchanged, but for an SVG, which could
// run scripts: that one cleaned, as CleanSVG does it.
func Raw(data []byte, f Format) ([]byte, error) {
	if f == FormatSVG {
		return CleanSVG(data)
	}
	return data, nil
}
