package cache

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// The wire form of an entry (all integers big-endian or as varints of encoding/binary):
//
//	"IEC" version    4 bytes; the version is 1
//	variant          16 bytes, the hash of the key it was stored under
//	checksum         4 bytes, CRC-32C of all before and after it
//	all source object   3 × 8 bytes, the generation
//	stored fresh swr stale modified   times: 0, or 1 with seconds (varint) and nanoseconds (uvarint)
//	status           uvarint
//	original size    varint
//	type etag origin-etag code detail   strings: length (uvarint), bytes
//	tags             count (uvarint), strings
//	body             length (uvarint), bytes, to the end
const (
	entryMagic  = "IEC\x01"
	entrySum    = len(entryMagic) + len(Hash{}) // offset of the checksum
	entryFields = entrySum + 4
	maxTags     = 1 << 16
)

// AppendEntry appends the wire form of e, stored under key, to dst. Generation.Node is left out.
func AppendEntry(dst []byte, key Key, e *Entry) []byte {
	start := len(dst)
	dst = append(dst, entryMagic...)
	dst = append(dst, key.Variant[:]...)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, e.Generation.All)
	dst = binary.BigEndian.AppendUint64(dst, e.Generation.Source)
	dst = binary.BigEndian.AppendUint64(dst, e.Generation.Object)
	for _, t := range [...]time.Time{e.Stored, e.Fresh, e.Swr, e.Stale, e.Modified} {
		dst = appendTime(dst, t)
	}
	dst = binary.AppendUvarint(dst, uint64(e.Status))
	dst = binary.AppendVarint(dst, e.OriginalSize)
	for _, s := range [...]string{e.Type, e.ETag, e.OriginETag, e.Code, e.Detail} {
		dst = appendString(dst, s)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Tags)))
	for _, t := range e.Tags {
		dst = appendString(dst, t)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Body)))
	dst = append(dst, e.Body...)
	binary.BigEndian.PutUint32(dst[start+entrySum:], checksum(dst[start:]))
	return dst
}

// DecodeEntry reads what AppendEntry wrote under key. Times come back in UTC. Body is a part of data,
// which must not change any more. Anything else than a whole entry of this very key is ErrDamaged.
func DecodeEntry(key Key, data []byte) (*Entry, error) {
	if len(data) < entryFields || string(data[:len(entryMagic)]) != entryMagic ||
		!bytes.Equal(data[len(entryMagic):entrySum], key.Variant[:]) ||
		binary.BigEndian.Uint32(data[entrySum:]) != checksum(data) {
		return nil, ErrDamaged
	}
	r := reader{rest: data[entryFields:]}
	e := new(Entry)
	e.Generation = Generation{All: r.uint64(), Source: r.uint64(), Object: r.uint64()}
	for _, t := range [...]*time.Time{&e.Stored, &e.Fresh, &e.Swr, &e.Stale, &e.Modified} {
		*t = r.time()
	}
	e.Status = int(r.uvarint(1 << 16))
	e.OriginalSize = r.varint()
	for _, s := range [...]*string{&e.Type, &e.ETag, &e.OriginETag, &e.Code, &e.Detail} {
		*s = string(r.bytes())
	}
	e.Tags = r.strings()
	e.Body = r.bytes()
	if r.bad || len(r.rest) > 0 {
		return nil, ErrDamaged
	}
	return e, nil
}

// checksum sums data but for the four bytes that hold the sum.
func checksum(data []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(data[:entrySum], table), table, data[entryFields:])
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(append(dst, 1), t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond()))
}

// reader takes fields off the front of rest; after the first that is not there, bad is set and all
// that follow are zero.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint64() uint64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// uvarint reads a number of at most limit.
func (r *reader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > limit {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) bytes() []byte {
	b := r.take(r.uvarint(uint64(len(r.rest))))
	if len(b) == 0 {
		return nil
	}
	return b
}

func (r *reader) strings() []string {
	n := r.uvarint(maxTags)
	if n > uint64(len(r.rest)) { // each takes a byte at least
		r.bad = true
	}
	if r.bad || n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = string(r.bytes())
	}
	return list
}

func (r *reader) time() time.Time {
	if r.uvarint(1) == 0 {
		return time.Time{}
	}
	sec := r.varint()
	t := time.Unix(sec, int64(r.uvarint(1e9-1))).UTC()
	if t.IsZero() {
		r.bad = true // the zero time is written in one way
	}
	return t
}
