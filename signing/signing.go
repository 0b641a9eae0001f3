// Package signing makes and checks the signatures of URLs: keys, rotation, expiry. It needs only the
// standard library, so that any Go program that embeds pictures can import it.
//
//	key := signing.Key{ID: "k1", Secret: secret}
//	target, err := key.SignTarget("/shop/a.jpg?w=300")   // "/shop/a.jpg?w=300&s=…"
//
// The signed text is the request target (path, ?, query) exactly as it will be sent, up to and not
// including &s= or ?s=. Nothing is normalised: what was signed is what is checked.
package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// Bounds of a secret, in bytes.
const (
	MinSecret = 16
	MaxSecret = 64
)

// Length is the number of characters of a signature.
const Length = 43

// encoding is base64url without padding; bits that stand for nothing must be zero.
var encoding = base64.RawURLEncoding.Strict()

// Key is one secret and the name by which kid= asks for it.
type Key struct {
	ID     string // "" = cannot be asked for by name
	Secret []byte // MinSecret to MaxSecret bytes
}

// Keyring is the live keys of a source: the newest first, then those being retired.
type Keyring []Key

// ParseSecret reads a secret from hex: MinSecret to MaxSecret bytes. The error is ErrSecret.
func ParseSecret(text string) ([]byte, error) {
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) < MinSecret || len(secret) > MaxSecret {
		return nil, ErrSecret
	}
	return secret, nil
}

// Sign returns the signature of text: Length characters of base64url, HMAC-SHA256.
func (k Key) Sign(text string) string {
	return encoding.EncodeToString(k.sum([]byte(text)))
}

// SignTarget returns target with its signature, as &s= behind a query or ?s= behind a bare path. Options
// opened with open= may then follow unsigned. target is a request target in origin form, percent-encoded
// as it will be sent; ErrTarget if it does not begin with one slash, holds spaces or control characters or
// a fragment, or is signed already.
func (k Key) SignTarget(target string) (string, error) {
	path, query, hasQuery := strings.Cut(target, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(target, unsendable) {
		return "", ErrTarget
	}
	if strings.HasPrefix(query, "s=") || strings.Contains(query, "&s=") {
		return "", ErrTarget
	}
	separator := "?s="
	if hasQuery {
		separator = "&s="
	}
	return target + separator + k.Sign(target), nil
}

// SignTarget is Key.SignTarget with the key that the target's kid names, else with the first key. Where
// there is no such key the error is ErrNoKey.
func (r Keyring) SignTarget(target string) (string, error) {
	_, query, _ := strings.Cut(target, "?")
	kid := ""
	for option := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(option, "="); name == "kid" {
			kid = value
			break
		}
	}
	for _, k := range r {
		if kid == "" || kid == k.ID {
			return k.SignTarget(target)
		}
	}
	return "", ErrNoKey
}

// unsendable tells what cannot stand in a request target as it is.
func unsendable(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }

// Verify checks that one of the keys made signature from text; with kid, the key of that ID alone. Any
// failure is ErrBadSignature. The time it takes tells nothing of the right signature. A key with a
// secret shorter than MinSecret never verifies.
func (r Keyring) Verify(text, signature, kid string) error {
	got, ok := decode(signature)
	if !ok {
		return ErrBadSignature
	}
	message := []byte(text)
	for _, k := range r {
		if len(k.Secret) < MinSecret || (kid != "" && kid != k.ID) {
			continue
		}
		if hmac.Equal(k.sum(message), got[:]) {
			return nil
		}
	}
	return ErrBadSignature
}

// CheckExpiry returns ErrExpired once now is past that Unix second; exp 0 never expires.
func CheckExpiry(exp int64, now time.Time) error {
	if exp != 0 && now.Unix() > exp {
		return ErrExpired
	}
	return nil
}

func (k Key) sum(message []byte) []byte {
	mac := hmac.New(sha256.New, k.Secret)
	_, _ = mac.Write(message) // a hash never fails
	return mac.Sum(nil)
}

// decode reads a signature; it must be spelt as Sign spells it.
func decode(signature string) (sum [sha256.Size]byte, ok bool) {
	if len(signature) != Length {
		return sum, false
	}
	n, err := encoding.Decode(sum[:], []byte(signature))
	return sum, err == nil && n == len(sum)
}
