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

// checked is a picture that was found sound, and how it is stored.
type checked struct {
	image    Image // without Upload and Created
	original *File
	sent     resize.Format // of the original
	clean    *File
	handed   bool // clean belongs to another
}

// drop gives back what was made of the original.
func (c *checked) drop() {
	if c != nil && c.clean != nil && !c.handed {
		_ = c.clean.Close() // memory alone
	}
}

// mime returns the Content-Type of what is stored.
func (c *checked) mime() string {
	f, _ := resize.ParseFormat(c.image.Format) // it was written by us
	return f.MIME()
}

// check finds out whether a file is a sound picture, cleans it and describes it. The magic number decides
// what it is. All px are decoded, once.
func (s *Store) check(ctx context.Context, f *File) (*checked, error) {
	if f.Size() == 0 {
		return nil, resize.Unsupported("not_an_image", "the file is empty")
	}
	leave, err := s.room(ctx, 2*f.Size()) // it and its cleaned copy
	if err != nil {
		return nil, err
	}
	defer leave()
	data, err := f.Bytes()
	if err != nil {
		return nil, err
	}
	src, err := s.Engine.Probe(ctx, data)
	if err != nil {
		return nil, err
	}
	c := &checked{original: f, sent: src.Format}
	w, h := src.Upright()
	c.image = Image{Name: f.Name, Format: src.Format.String(), Width: w, Height: h, BytesSent: f.Size()}
	encode := s.encoding(src)
	var kept func() (*File, error) // of what could be cleaned as it is; nil = it is encoded anew
	if encode == nil {
		if body, ok := resize.Clean(data, src.Format, src.Orientation); ok {
			kept = s.keepBeside(body)
		} else {
			encode = &fallback
		}
	}
	results, err := s.run(ctx, src, data, encode)
	if kept != nil {
		var late error
		c.clean, late = kept()
		err = errors.Join(err, late)
	}
	if err != nil {
		c.drop()
		return nil, err
	}
	if encode != nil {
		if err := s.take(c, results[len(results)-1]); err != nil {
			return nil, err
		}
	}
	if err := c.image.describe(results[0].Body); err != nil {
		c.drop()
		return nil, err
	}
	c.name()
	return c, nil
}

// keepBeside keeps bytes while something else is done; the function it returns waits for that.
func (s *Store) keepBeside(body []byte) func() (*File, error) {
	var f *File
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err = s.keep(body)
	}()
	return func() (*File, error) {
		<-done
		return f, err
	}
}

// run decodes a picture for all that is to be known of it, and encodes it anew where that is wanted, last.
func (s *Store) run(ctx context.Context, src resize.Source, data []byte, encode *resize.Options) ([]resize.Result, error) {
	plans, err := s.plans(src, encode)
	if err != nil {
		return nil, err
	}
	return s.Engine.Run(ctx, data, plans...)
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
	c.image.ID = imageID(c.clean.Sum)
	c.image.Key = fileName(c.image.ID, format.Extension())
	c.image.SHA256 = hex.EncodeToString(c.clean.Sum[:])
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
