package origin

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// Bounds on memory taken before the bytes that fill it have come.
const (
	firstRead   = 64 << 10 // bytes, where the size is not announced
	preallocate = 8 << 20  // bytes; an announced size above this is believed as it arrives
)

// readAll reads obj.Body to its end: at most limit bytes, and exactly obj.Size where that is known.
// The bytes read so far are returned with every error. take is asked before memory beyond firstCap is taken.
func readAll(ctx context.Context, obj *Object, limit int64, take func(n int64) error) ([]byte, error) {
	if obj.Size > limit {
		return nil, tooLarge(limit)
	}
	buf := make([]byte, 0, firstCap(obj.Size, limit))
	for {
		if err := ctx.Err(); err != nil {
			return buf, err
		}
		if len(buf) == cap(buf) {
			more := growth(buf, obj.Size, limit)
			if err := take(more); err != nil {
				return buf, err
			}
			buf = grow(buf, more)
		}
		n, err := obj.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf, tooLarge(limit)
		}
		if obj.Size >= 0 && int64(len(buf)) > obj.Size {
			return buf, errWrongLength
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return buf, err
		}
	}
	if obj.Size >= 0 && int64(len(buf)) != obj.Size {
		return buf, errWrongLength
	}
	return trim(buf), nil
}

// firstCap leaves one byte beyond the announced size, so that its end is seen without growing.
func firstCap(size, limit int64) int64 {
	if size < 0 {
		return min(firstRead, limit+1)
	}
	return min(size+1, preallocate)
}

// growth is by how much a full buffer is enlarged: to twice its size, up to what may still come.
func growth(buf []byte, size, limit int64) int64 {
	most := limit + 1
	if size >= 0 {
		most = size + 1
	}
	return min(2*int64(cap(buf)), most) - int64(cap(buf))
}

func grow(buf []byte, by int64) []byte {
	bigger := make([]byte, len(buf), int64(cap(buf))+by)
	copy(bigger, buf)
	return bigger
}

// trim gives back memory where more than a quarter of it is unused: originals are kept for a while.
func trim(buf []byte) []byte {
	if cap(buf)-len(buf) > len(buf)/4 {
		return bytes.Clone(buf)
	}
	return buf
}
