package ingest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"time"
)

// Folders of the bucket.
const (
	imagesFolder    = "images/"
	manifestsFolder = "manifests/"
	uploadsFolder   = "uploads/"
)

// idLength is that of an image's and of an upload's id, in hex digits.
const idLength = 32

// imageID is made from the cleaned bytes: equal pictures are one object.
func imageID(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:idLength/2]) }

// NewUploadID returns the id of an upload, an id that sorts before all older ones: a listing shows the newest first.
func NewUploadID(now time.Time) string {
	var b [idLength / 2]byte
	_, _ = rand.Read(b[6:]) // never fails, as its documentation says
	millis := ^uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(millis >> (8 * (5 - i)))
	}
	return hex.EncodeToString(b[:])
}

// isID reports whether a name has our form.
func isID(name string) bool { return len(name) == idLength && isHex(name) }

func isHex(name string) bool {
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func imageKey(file string) string      { return imagesFolder + file }
func manifestKey(id string) string     { return manifestsFolder + id + ".json" }
func markPrefix(id string) string      { return manifestsFolder + id + "-" }
func recordKey(upload string) string   { return uploadsFolder + upload + ".json" }
func partKey(upload string) string     { return uploadsFolder + upload + ".part" }
func fileName(id, ext string) string   { return id + "." + ext }
func idOf(file string) (id string)     { id, _, _ = strings.Cut(file, "."); return id }
func baseName(key string) string       { return path.Base(key) }
func within(key, folder string) bool   { return strings.HasPrefix(key, folder) }
func isImageFile(name string) bool     { return splits(name, "") }
func isJSONFile(name string) bool      { return splits(name, "json") }
func isPartFile(name string) bool      { return splits(name, "part") }
func inFolder(key, folder string) bool { return within(key, folder) && path.Dir(key)+"/" == folder }

// markEnd ends the names of marks, see Store.marked.
const markEnd = ".mark"

// isMarkFile reports whether a name is that of a mark: an id of ours and eight hex digits.
func isMarkFile(name string) bool {
	id, rest, ok := strings.Cut(name, "-")
	nonce, ends := strings.CutSuffix(rest, markEnd)
	return ok && ends && isID(id) && len(nonce) == 8 && isHex(nonce)
}

// splits reports whether a name is an id of ours with an extension; ext "" = any of a picture.
func splits(name, ext string) bool {
	id, got, ok := strings.Cut(name, ".")
	if !ok || !isID(id) {
		return false
	}
	if ext != "" {
		return got == ext
	}
	return got != "" && !strings.ContainsAny(got, "./") && len(got) <= 4
}

// maxName bounds the name that a client gave its file, in bytes.
const maxName = 255

// cleanName returns the base name of what a client calls its file, without what could harm a terminal or a
// header. It names nothing in the bucket.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	for len(name) > maxName {
		name = name[:len(name)-1]
	}
	return strings.ToValidUTF8(name, "")
}
