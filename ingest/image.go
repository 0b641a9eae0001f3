package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Image is one picture that was uploaded: the content of its manifest.
type Image struct {
	ID        string    `json:"id"`
	Key       string    `json:"key"`    // of the object within the source
	Name      string    `json:"name"`   // as the client called its file
	Upload    string    `json:"upload"` // the request that brought it
	Created   time.Time `json:"created"`
	Format    string    `json:"format"`
	Width     int       `json:"width"`             // upright px
	Height    int       `json:"height"`            // upright px
	Bytes     int64     `json:"bytes"`             // as stored
	BytesSent int64     `json:"bytes_sent"`        // as received
	SHA256    string    `json:"sha256"`            // of the stored bytes, hex
	ThumbHash string    `json:"thumbhash"`         // base64
	Color     string    `json:"color"`             // the dominant one, #rrggbb; "" if nothing is opaque
	Archive   string    `json:"archive,omitempty"` // key of the untouched original in the archive source
	Focus     *Focus    `json:"focus,omitempty"`   // nil = none
	Tags      []string  `json:"tags,omitempty"`    // for purge by tag
	Presets   []Preset  `json:"presets,omitempty"` // those that are made in the background
}

// Focus is the point that a picture is cut around, as a part of its upright size, 0–1.
type Focus struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Valid reports whether the point lies within the picture.
func (f Focus) Valid() bool { return f.X >= 0 && f.X <= 1 && f.Y >= 0 && f.Y <= 1 }

// record commits the images of one upload.
type record struct {
	Upload  string    `json:"upload"`
	Created time.Time `json:"created"`
	Images  []Image   `json:"images"` // those that it brought; what was there before is named by its own record

	// Of an order that had an ID: what it was answered.
	Files  []answered  `json:"files,omitempty"`
	Errors []FileError `json:"errors,omitempty"`
	Sum    string      `json:"sum,omitempty"`
}

// find returns the record's image of that id, nil if it names none.
func (r *record) find(id string) *Image {
	for i := range r.Images {
		if r.Images[i].ID == id {
			return &r.Images[i]
		}
	}
	return nil
}

// maxDocument bounds manifests and records, in bytes.
const maxDocument = 4 << 20

// load reads a JSON object.
func load[T Image | record](ctx context.Context, b Bucket, key string) (*T, Object, error) {
	data, object, err := b.Get(ctx, key, maxDocument)
	if err != nil {
		return nil, Object{}, fmt.Errorf("read %s: %w", key, err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, Object{}, fmt.Errorf("read %s: %w", key, err)
	}
	return &v, object, nil
}

// save writes a JSON object.
func save[T Image | record](ctx context.Context, b Bucket, key string, v *T, how How) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	how.Type = "application/json"
	if err := b.Put(ctx, key, document(data), how); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
