// Package dialect reads URL grammars. Each grammar is one file and ends in the same Request, so that
// every spelling of one wish meets in one cache entry. The parsers are pure functions of strings.
package dialect

import "github.com/imgedge/imgedge/resize"

// Request is what an image URL means.
type Request struct {
	Source   string         // name of the configured source
	Key      string         // the object's key, decoded; an absolute URL for an open HTTP source
	Options  resize.Options // presets applied; not yet negotiated
	Download string         // file name of dl; "" = inline
	Expires  int64          // Unix seconds; 0 = never
	MaxAge   int64          // seconds that clients may keep the answer; 0 = as the source says, −1 = not at all

	// What only a dialect can say.
	Name        string        // file name of an inline answer; "" = that of the key
	Tags        string        // tags of the cache entry, comma separated
	Fallback    string        // source/key of the picture that stands in where this one cannot be had; "" = the source's own
	Limits      resize.Limits // redefined by a trusted URL: what is not zero takes the place of the source's
	SourceBytes int           // likewise, of the original; 0 = the source's
}
