package signing

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strings"
)

// ThumborKey signs and verifies paths as thumbor and imagor do: base64url of an HMAC over the path behind
// the hash, without a leading slash and without the query, still percent-encoded as it is sent.
//
//	key := signing.ThumborKey{Secret: "…"}
//	path := "300x200/smart/a.jpg"
//	target := "/" + key.Sign(path) + "/" + path
type ThumborKey struct {
	Secret    string           // any text; CheckThumborKey refuses the peers' defaults. "" verifies nothing
	Algorithm ThumborAlgorithm // "" = SHA1
	Truncate  int              // characters of the hash that are sent; 0 = all
	Imagor    bool             // imagor's rules instead of thumbor's: no hash without its padding, query-unescaped paths too, 403
}

// ThumborAlgorithm names the hash function of a ThumborKey.
type ThumborAlgorithm string

// The hash functions that imagor knows; thumbor knows SHA1.
const (
	SHA1   ThumborAlgorithm = "sha1"
	SHA256 ThumborAlgorithm = "sha256"
	SHA512 ThumborAlgorithm = "sha512"
)

// minTruncate is the least number of characters of a hash, which imagor's grammar sets.
const minTruncate = 17

// ErrBadHash is ErrBadSignature with the status that thumbor answers, 400.
const ErrBadHash = thumborError("the hash does not match")

type thumborError string

func (e thumborError) Error() string { return string(e) }

// HTTPStatus returns the status to answer with.
func (thumborError) HTTPStatus() int { return http.StatusBadRequest }

// Code returns the machine-readable code.
func (thumborError) Code() string { return "bad_signature" }

// Check tells what is wrong with a configured key, all of it at once; nil if nothing is.
func (k ThumborKey) Check() error {
	var problems []error
	if err := CheckThumborKey(k.Secret); err != nil {
		problems = append(problems, err)
	}
	whole := base64.URLEncoding.EncodedLen(sha1.Size)
	if create, ok := k.Algorithm.create(); ok {
		whole = base64.URLEncoding.EncodedLen(create().Size())
	} else {
		problems = append(problems, fmt.Errorf("algorithm: %q is not allowed; allowed: sha1, sha256 and sha512", k.Algorithm))
	}
	if k.Truncate != 0 && (k.Truncate < minTruncate || k.Truncate > whole) {
		problems = append(problems, fmt.Errorf("truncate: %d is not allowed; allowed: 0 (whole) and %d to %d characters", k.Truncate, minTruncate, whole))
	}
	return errors.Join(problems...)
}

// CheckThumborKey refuses what is no secret: nothing, and what is published.
func CheckThumborKey(secret string) error {
	switch {
	case secret == "":
		return errors.New("key: it is empty")
	case Published(secret):
		return fmt.Errorf("key: %q is a published example; make your own, and sign with it", secret)
	default:
		return nil
	}
}

// Sign returns the hash of a path: base64url with padding, cut to Truncate characters. An unknown
// algorithm signs as SHA1; Check tells.
func (k ThumborKey) Sign(path string) string {
	create, ok := k.Algorithm.create()
	if !ok {
		create = sha1.New
	}
	mac := hmac.New(create, []byte(k.Secret))
	_, _ = mac.Write([]byte(path)) // a hash never fails
	text := base64.URLEncoding.EncodeToString(mac.Sum(nil))
	if k.Truncate > 0 && k.Truncate < len(text) {
		return text[:k.Truncate]
	}
	return text
}

// Verify checks a hash and returns the text that it signs: path, or, by imagor's rules, path
// query-unescaped. What the request means is to be read from that text alone, so that one hash never
// speaks for two pictures. Any failure is ErrBadHash, by imagor's rules ErrBadSignature. The time it
// takes tells nothing of the right hash.
func (k ThumborKey) Verify(path, hash string) (signed string, err error) {
	if k.Secret != "" && hash != "" {
		if k.matches(path, hash) {
			return path, nil
		}
		if unescaped, err := url.QueryUnescape(path); k.Imagor && err == nil && unescaped != path && k.matches(unescaped, hash) {
			return unescaped, nil
		}
	}
	return "", k.Mismatch()
}

// Mismatch returns the error for a missing or wrong hash.
func (k ThumborKey) Mismatch() error {
	if k.Imagor {
		return ErrBadSignature
	}
	return ErrBadHash
}

// matches compares in constant time. thumbor's rules take a hash without its padding.
func (k ThumborKey) matches(path, hash string) bool {
	want := k.Sign(path)
	if !k.Imagor && !strings.HasSuffix(hash, "=") {
		want = strings.TrimRight(want, "=")
	}
	return hmac.Equal([]byte(want), []byte(hash))
}

// create returns the constructor of the hash function; false for an unknown name.
func (a ThumborAlgorithm) create() (func() hash.Hash, bool) {
	switch a {
	case "", SHA1:
		return sha1.New, true
	case SHA256:
		return sha256.New, true
	case SHA512:
		return sha512.New, true
	default:
		return nil, false
	}
}
