package cache

import "encoding/hex"

// Every name this package uses in Redis. Names that meet in one command share a hash tag (the part in
// braces), so that they live on one node of a cluster: all that is of one object under the object's
// hash, all that is of the fleet's purges under "purge".
//
//	imgedge:{OBJECT}:v1:VARIANT   string: an entry in its wire form, to the end of its stale time
//	imgedge:{OBJECT}:lease:VARIANT string: the token of the node that works on the entry
//	imgedge:{OBJECT}:generation   string: drawn anew by each purge of the object
//	imgedge:{purge}               hash: seq and tip (number and random mark of the last purge of any
//	                              kind), all, and s:NAME for each source ever purged
//	imgedge:{purge}:push          channel: purges and wake-ups
//	imgedge:{tag:HASH}            set: hashes of the objects that carry the tag
//	imgedge:{rate:HASH}           string: until when (µs) what one client did uses up its rate, till then
//	imgedge:{tags}                sorted set: hashes of the tags with a set, by the time (ms) it may end
//	imgedge:{answer:HASH}         string: the answer to a request with an Idempotency-Key; a note while it runs
//	imgedge:{turn}:WORK           string: there while a node has done the periodic work
const (
	keyPrefix    = "imgedge:{"
	answerPrefix = "imgedge:{answer:"
	turnPrefix   = "imgedge:{turn}:"
	purgeKey     = "imgedge:{purge}"
	pushChannel  = "imgedge:{purge}:push"
	tagsKey      = "imgedge:{tags}"

	fieldSeq    = "seq"
	fieldTip    = "tip"
	fieldAll    = "all"
	fieldSource = "s:" // before the source's name
)

func valueKey(k Key) string {
	return keyPrefix + k.Object.String() + "}:v1:" + k.Variant.String()
}

func leaseKey(k Key) string {
	return keyPrefix + k.Object.String() + "}:lease:" + k.Variant.String()
}

func objectKey(object Hash) string { return keyPrefix + object.String() + "}:generation" }

func tagKey(tag Hash) string { return keyPrefix + "tag:" + tag.String() + "}" }

func rateKey(who Hash) string { return keyPrefix + "rate:" + who.String() + "}" }

// String returns 32 hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// parseHash reads what String wrote.
func parseHash(s string) (h Hash, ok bool) {
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, false
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err == nil
}
