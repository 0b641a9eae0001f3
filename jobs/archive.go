package jobs

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Archive is the ZIP of a job's outputs. Its length is known before a byte of it is read: the outputs
// are stored and not deflated, and their sizes and checksums stand in the manifest.
type Archive struct {
	Name string // of the file
	Size int64  // bytes of the whole ZIP

	engine  *Engine
	entries []entry
	made    time.Time
}

// entry is one file of an archive.
type entry struct {
	name  string
	size  int64
	crc32 uint32
	key   string // of the object; "" = data
	data  []byte
}

// Archive returns the archive of a job that has ended.
func (e *Engine) Archive(ctx context.Context, id string) (*Archive, error) {
	e.setup()
	j, err := e.Get(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case j.State == StateExpired:
		return nil, ErrExpired
	case !j.State.Ended():
		return nil, ErrNotReady
	case j.Kind != KindRender || j.Done == 0:
		return nil, ErrNothing
	}
	r, err := e.record(ctx, id)
	if err != nil {
		return nil, err
	}
	a := &Archive{Name: "imgedge-" + id + ".zip", engine: e, made: *j.Finished}
	if err := a.list(r, &j); err != nil {
		return nil, err
	}
	return a, a.measure()
}

// measure sets Size: what the same writer writes of bodies that are all zeros.
func (a *Archive) measure() error {
	var length counter
	zeros := make([]byte, 1<<20)
	err := a.write(&length, func(n *entry, to io.Writer) error {
		for left := n.size; left > 0; left -= int64(len(zeros)) {
			if _, err := to.Write(zeros[:min(left, int64(len(zeros)))]); err != nil {
				return err
			}
		}
		return nil
	})
	a.Size = int64(length)
	return err
}

// list fills the entries: the outputs, and errors.json where items have failed.
func (a *Archive) list(r *Record, j *Job) error {
	folders := outputFolders(r.Spec.Outputs)
	names := newNames()
	type failure struct {
		Name string `json:"name"`
		*Problem
	}
	var failures []failure
	for n := range j.Items {
		it := &j.Items[n]
		if it.State == StateFailed {
			failures = append(failures, failure{it.Name, it.Error})
		}
		for o, out := range it.Outputs {
			if it.State != StateDone || out.Key == "" {
				continue
			}
			folder := ""
			if len(folders) > 1 && o < len(folders) {
				folder = folders[o] + "/"
			}
			a.entries = append(a.entries, entry{
				name: names.unique(folder, it.Name, keyExtension(out.Key)), size: out.Bytes, crc32: out.CRC32, key: out.Key,
			})
		}
	}
	if len(failures) == 0 {
		return nil
	}
	data, err := json.MarshalIndent(failures, "", "  ")
	if err != nil {
		return err
	}
	a.entries = append(a.entries, entry{
		name: names.unique("", "errors", "json"), size: int64(len(data)), crc32: crc32.ChecksumIEEE(data), data: data,
	})
	return nil
}

// WriteTo writes the archive, reading each object as it comes to it: one buffer is all the memory that it
// takes, whatever the size. It ends early when ctx does.
func (a *Archive) WriteTo(ctx context.Context, to io.Writer) error {
	buffer := make([]byte, 64<<10)
	return a.write(to, func(n *entry, to io.Writer) error {
		if n.key == "" {
			_, err := to.Write(n.data)
			return err
		}
		body, err := a.engine.Bucket.Open(ctx, n.key)
		if err != nil {
			return fmt.Errorf("open %s: %w", n.key, err)
		}
		sum := crc32.NewIEEE()
		size, err := io.CopyBuffer(io.MultiWriter(to, sum), body, buffer)
		if err = errors.Join(err, body.Close()); err != nil {
			return fmt.Errorf("read %s: %w", n.key, err)
		}
		if size != n.size || sum.Sum32() != n.crc32 {
			return fmt.Errorf("%s is not what was stored: %d bytes, want %d", n.key, size, n.size)
		}
		return nil
	})
}

// Open returns the archive as a stream; the caller closes it, at any point.
func (a *Archive) Open(ctx context.Context) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(a.WriteTo(ctx, w)) }() // ends when the reader is closed
	return r
}

// write writes the ZIP with the bodies that body writes.
func (a *Archive) write(to io.Writer, body func(*entry, io.Writer) error) error {
	z := zip.NewWriter(to)
	for i := range a.entries {
		n := &a.entries[i]
		header := &zip.FileHeader{
			Name: n.name, Method: zip.Store, Flags: utf8Names, CRC32: n.crc32,
			CompressedSize64: uint64(n.size), UncompressedSize64: uint64(n.size),
		}
		header.SetModTime(a.made) //nolint:staticcheck // CreateRaw writes no date of Modified
		w, err := z.CreateRaw(header)
		if err != nil {
			return err
		}
		if err := body(n, w); err != nil {
			return err
		}
	}
	return z.Close()
}

// utf8Names is bit 11 of the flags (APPNOTE 4.4.4): names are UTF-8.
const utf8Names = 0x800

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// keyExtension returns what stands behind the last dot of an output's key.
func keyExtension(key string) string {
	if i := bytes.LastIndexByte([]byte(key), '.'); i >= 0 {
		return key[i+1:]
	}
	return "bin"
}
