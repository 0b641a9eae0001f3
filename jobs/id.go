package jobs

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// idText writes ids so that they sort as their bytes do.
var idText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

const idLength = 26 // of 16 bytes in base 32

// newID returns the id of a job submitted now: its time in ms in 6 bytes, then 10 random ones, so that
// ids sort by age and cannot be guessed.
func newID(now time.Time) string {
	var raw [16]byte
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(raw[:6], ms[2:])
	_, _ = rand.Read(raw[6:]) // never fails, as its documentation says
	return idText.EncodeToString(raw[:])
}

// idTime returns when a job was submitted, to the millisecond; false where id is none of ours.
func idTime(id string) (time.Time, bool) {
	if len(id) != idLength {
		return time.Time{}, false
	}
	raw, err := idText.DecodeString(id)
	if err != nil || len(raw) != 16 {
		return time.Time{}, false
	}
	var ms [8]byte
	copy(ms[2:], raw[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC(), true
}

// ValidID reports whether text has the form of a job's id.
func ValidID(text string) bool {
	_, ok := idTime(text)
	return ok
}
