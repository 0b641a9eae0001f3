package ingest

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imgedge/imgedge/resize"
)

// Engine looks at pictures and makes them. It is safe for concurrent use and bounds by itself how many
// work at a time. data is neither changed nor kept.
type Engine interface {
	// Probe reads the header alone: 415 if data is no allowed image, 422 if it is broken.
	Probe(ctx context.Context, data []byte) (resize.Source, error)
	// Run makes one picture for each plan, in order; 422 where the px are broken.
	Run(ctx context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error)
}

// fallback is how a picture is encoded anew that cannot be cleaned as it is: in its own format where we
// write that, else as JPEG or PNG.
var fallback = resize.Options{Format: resize.FormatKeep, KeepICC: true, Quality: 92} //nolint:gochecknoglobals // a constant

// checked is a picture whose header is sound, and how it is stored.
type checked struct {
	image    Image // without Upload and Created
	original *File
	src      resize.Source // of the original
	plans    []resize.Plan // by which all of its px are looked at; nil = they were
	clean    *File
	handed   bool // clean belongs to another
}

// drop gives back what was made of the original.
func (c *checked) drop() {
	if c != nil && c.clean != nil && !c.handed {
		_ = c.clean.Close() // nothing is written behind
	}
}

// mime returns the Content-Type of what is stored.
func (c *checked) mime() string {
	f, _ := resize.ParseFormat(c.image.Format) // it was written by us
	return f.MIME()
}

// prepare finds out what a file is and cleans it, so that it has its name. The magic number decides what it is,
// its header whether it is within the limits; px are only decoded where it has to be encoded anew. With an error there
// is nothing to store.
func (s *Store) prepare(ctx context.Context, f *File) (*checked, error) {
	if f.Size() == 0 {
		return nil, resize.Unsupported("not_an_image", "the file is empty")
	}
	leave, err := s.room(ctx, f.Size())
	if err != nil {
		return nil, err
	}
	defer leave()
	v, err := f.view()
	if err != nil {
		return nil, err
	}
	c, err := s.examine(ctx, f, v.data)
	if err = errors.Join(err, v.Close()); err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

// examine is prepare for a file whose content is data.
func (s *Store) examine(ctx context.Context, f *File, data []byte) (*checked, error) {
	src, err := s.Engine.Probe(ctx, data)
	if err != nil {
		return nil, err
	}
	c := &checked{original: f, src: src}
	w, h := src.Upright()
	c.image = Image{Name: f.Name, Format: src.Format.String(), Width: w, Height: h, BytesSent: f.Size()}
	encode := s.encoding(src)
	if encode == nil {
		if pieces, ok := resize.CleanPieces(data, src.Format, src.Orientation); ok {
			if c.plans, err = s.plans(src, nil); err == nil {
				c.clean, err = s.cleaned(f, data, pieces)
			}
			if err == nil {
				c.name()
			}
			return c, err
		}
		encode = &fallback
	}
	if c.plans, err = s.plans(src, encode); err != nil {
		return nil, err
	}
	results, err := s.look(ctx, c, data)
	if err == nil {
		err = s.take(c, results[len(results)-1])
	}
	if err == nil {
		c.name()
	}
	return c, err
}

// decode looks at all px of a picture, unless that was done.
func (s *Store) decode(ctx context.Context, c *checked) error {
	if c.plans == nil {
		return nil
	}
	leave, err := s.room(ctx, c.original.Size())
	if err != nil {
		return err
	}
	defer leave()
	v, err := c.original.view()
	if err != nil {
		return err
	}
	_, err = s.look(ctx, c, v.data)
	return errors.Join(err, v.Close())
}

// look decodes a picture for all that is to be known of it.
func (s *Store) look(ctx context.Context, c *checked, data []byte) ([]resize.Result, error) {
	results, err := s.Engine.Run(ctx, data, c.plans...)
	if err != nil {
		return nil, err
	}
	c.plans = nil
	return results, c.image.describe(results[0].Body)
}

// take makes a picture that was encoded anew the one that is stored.
func (s *Store) take(c *checked, made resize.Result) (err error) {
	c.image.Format, c.image.Width, c.image.Height = made.Format.String(), made.Width, made.Height
	c.clean, err = s.keep(made.Body)
	return err
}

// name gives the image its id, which is made from what is stored.
func (c *checked) name() {
	format, _ := resize.ParseFormat(c.image.Format) // it was written here
	c.image.ID = imageID(c.clean.sum)
	c.image.Key = fileName(c.image.ID, format.Extension())
	c.image.SHA256 = hex.EncodeToString(c.clean.sum[:])
	c.image.Bytes = c.clean.Size()
}

// encoding returns how a picture is normalized, nil if it is stored as it came. What moves and what is
// drawn stays as it is: one tidy format would end both.
func (s *Store) encoding(src resize.Source) *resize.Options {
	if src.Animated || src.Format == resize.FormatSVG {
		return nil
	}
	return s.Normalize
}

// plans are what is made of a picture while it is decoded: its description, for an animation a small one
// so that every frame is looked at, and the encoded one if there is to be one, last.
func (s *Store) plans(src resize.Source, encode *resize.Options) ([]resize.Plan, error) {
	wishes := []resize.Options{{Format: resize.FormatJSON}}
	if src.Animated {
		wishes = append(wishes, resize.Options{Format: resize.FormatWebP, Width: 16})
	}
	if encode != nil {
		wishes = append(wishes, *encode)
	}
	plans := make([]resize.Plan, 0, len(wishes))
	for _, o := range wishes {
		plan, err := o.Plan(src, s.Limits)
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// describe takes what is wanted of an f=json description.
func (i *Image) describe(description []byte) error {
	var d struct {
		ThumbHash      string   `json:"thumbhash"`
		DominantColors []string `json:"dominant_colors"`
	}
	if err := json.Unmarshal(description, &d); err != nil {
		return fmt.Errorf("describe an upload: %w", err)
	}
	i.ThumbHash = d.ThumbHash
	if len(d.DominantColors) > 0 {
		i.Color = d.DominantColors[0]
	}
	return nil
}
