package cache

import (
	"crypto/sha256"
	"encoding/binary"
)

// NewKey returns the key of the picture that text (canonical options) makes of an original. version
// is resize.KeyVersion.
func NewKey(version int, source, object, text string) Key {
	var v [8]byte
	binary.BigEndian.PutUint64(v[:], uint64(version))
	return Key{
		Source:  source,
		Object:  objectHash(source, object),
		Variant: hashOf("variant", string(v[:]), source, object, text),
	}
}

// OriginalKey returns the key under which the bytes of an original itself are kept. No NewKey equals
// it; a purge of the picture removes it too.
func OriginalKey(source, object string) Key {
	return Key{
		Source:  source,
		Object:  objectHash(source, object),
		Variant: hashOf("original", source, object),
	}
}

// hashOf hashes parts, each preceded by its length, so that no two lists of parts hash the same text.
func hashOf(parts ...string) Hash {
	n := 0
	for _, p := range parts {
		n += binary.MaxVarintLen64 + len(p)
	}
	text := make([]byte, 0, n)
	for _, p := range parts {
		text = binary.AppendUvarint(text, uint64(len(p)))
		text = append(text, p...)
	}
	sum := sha256.Sum256(text)
	return Hash(sum[:16])
}

// objectHash is the Object of every key of an original.
func objectHash(source, object string) Hash { return hashOf("object", source, object) }

// tagHash stands for a tag in Redis' names, whatever the tag holds.
func rateHash(who string) Hash { return hashOf("rate", who) }

func tagHash(tag string) Hash { return hashOf("tag", tag) }
