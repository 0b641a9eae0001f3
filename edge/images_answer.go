package edge

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/ingest"
)

// imageAnswer is an uploaded image as the API shows it.
type imageAnswer struct {
	ID        string            `json:"id"`
	Key       string            `json:"key"` // within the source
	Source    string            `json:"source"`
	Name      string            `json:"name"`
	URLs      map[string]string `json:"urls"`             // original, and one for each preset
	Srcset    map[string]string `json:"srcset,omitempty"` // by preset
	Width     int               `json:"width"`            // upright px
	Height    int               `json:"height"`           // upright px
	Format    string            `json:"format"`
	Bytes     int64             `json:"bytes"`
	BytesSent int64             `json:"bytes_sent"`
	SHA256    string            `json:"sha256"`
	ThumbHash string            `json:"thumbhash"`
	Color     string            `json:"dominant_color"`
	Created   time.Time         `json:"created"`
	Focus     *ingest.Focus     `json:"focus,omitempty"`
	Tags      []string          `json:"tags,omitempty"`
	Presets   []ingest.Preset   `json:"presets,omitempty"`
	Existing  bool              `json:"existing"` // at an upload: it had been there
}

// uploadAnswer is the answer to an upload.
type uploadAnswer struct {
	Images []imageAnswer      `json:"images"`
	Errors []ingest.FileError `json:"errors,omitempty"` // of an upload with atomic=false
}

// imageAnswer words an image.
func (x *exchange) imageAnswer(i *ingest.Image) imageAnswer {
	a := imageAnswer{
		ID: i.ID, Key: i.Key, Source: x.server.Ingest.Source, Name: i.Name, Width: i.Width, Height: i.Height, Format: i.Format,
		Bytes: i.Bytes, BytesSent: i.BytesSent, SHA256: i.SHA256, ThumbHash: i.ThumbHash, Color: i.Color, Created: i.Created,
		Focus: i.Focus, Tags: i.Tags, Presets: i.Presets, URLs: map[string]string{}, Srcset: map[string]string{},
	}
	src := x.state.sources[a.Source]
	if src == nil {
		return a // the source was taken out of the configuration
	}
	if original, err := x.imageURL(i, ""); err == nil {
		a.URLs["original"] = original
	}
	for name := range src.Rules.Presets {
		if name == "default" {
			continue
		}
		url, err := x.imageURL(i, "p="+name)
		if err != nil {
			continue // the source does not serve it
		}
		a.URLs[name] = url
		if set := x.imageSrcset(src, i, name); set != "" {
			a.Srcset[name] = set
		}
	}
	return a
}

// imageURL signs the URL of an image with options.
func (x *exchange) imageURL(i *ingest.Image, options string) (string, error) {
	s, err := x.signer(signOrder{URL: "", Source: x.server.Ingest.Source, Key: i.Key, Options: options})
	if err != nil {
		return "", err
	}
	return s.sign(s.options)
}

// imageSrcset returns the candidates of a preset: of one that has a size, by density; of any other, by the
// widths of the source that the image has. "" = there is no choice.
func (x *exchange) imageSrcset(src *served, i *ingest.Image, preset string) string {
	text := src.Rules.Presets[preset]
	var all []string
	add := func(option, descriptor string) {
		if url, err := x.imageURL(i, "p="+preset+"&"+option); err == nil {
			all = append(all, url+" "+descriptor)
		}
	}
	if has(text, "w") || has(text, "h") {
		add("dpr=1", "1x")
		add("dpr=2", "2x")
	} else {
		for _, w := range src.Rules.Widths {
			if w <= i.Width {
				add("w="+strconv.Itoa(w), strconv.Itoa(w)+"w")
			}
		}
	}
	if len(all) < 2 {
		return ""
	}
	return strings.Join(all, ", ")
}

// failUpload answers an error about uploads; one that concerns single files names them.
func (x *exchange) failUpload(err error) {
	p := problemOf(err)
	x.logCause(p, err)
	d := x.document(p)
	var refused *ingest.UploadError
	if errors.As(err, &refused) {
		d.Errors = refused.Files
	}
	x.write(p, d)
}
