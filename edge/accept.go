package edge

import (
	"maps"
	"sync/atomic"

	"github.com/imgedge/imgedge/resize"
)

// capability is a set of formats a client takes beyond the fallback, reduced to the three that are
// negotiated: nothing else of a request header may reach a key.
type capability uint8

const (
	takesAVIF capability = 1 << iota
	takesWebP
	takesJXL
	capabilitySets = 1 << iota // how many sets there are
)

// capabilities returns the set of formats in a list.
func capabilities(formats []resize.Format) capability {
	var c capability
	for _, f := range formats {
		c |= capabilityOf(f)
	}
	return c
}

func capabilityOf(f resize.Format) capability {
	switch f {
	case resize.FormatAVIF:
		return takesAVIF
	case resize.FormatWebP:
		return takesWebP
	case resize.FormatJXL:
		return takesJXL
	default:
		return 0
	}
}

// offer lists what a client takes, in the order given.
func (c capability) offer(order []resize.Format) resize.Offer {
	var o resize.Offer
	n := 0
	for _, f := range order {
		if bit := capabilityOf(f); c&bit != 0 && n < len(o) {
			o[n] = f
			n++
			c &^= bit
		}
	}
	return o
}

const (
	maxAccepts   = 256 // distinct Accept values remembered; browsers send few
	maxAcceptLen = 512 // bytes; longer ones are read each time
)

// acceptMemo remembers what Accept values mean. Readers take no lock; when it is full it begins anew.
type acceptMemo struct {
	seen atomic.Pointer[map[string]capability]
}

// read returns what an Accept value takes.
func (m *acceptMemo) read(header []byte) capability {
	if len(header) == 0 {
		return 0
	}
	if seen := m.seen.Load(); seen != nil {
		if c, ok := (*seen)[string(header)]; ok {
			return c
		}
	}
	return m.learn(string(header))
}

// learn parses an Accept value. Of two that learn at once one may be forgotten; it is learned again.
func (m *acceptMemo) learn(header string) capability {
	offer := resize.ParseAccept(header, []resize.Format{resize.FormatAVIF, resize.FormatWebP, resize.FormatJXL})
	c := capabilities(offer[:])
	if len(header) > maxAcceptLen {
		return c
	}
	next := map[string]capability{header: c}
	if seen := m.seen.Load(); seen != nil && len(*seen) < maxAccepts {
		maps.Copy(next, *seen)
	}
	m.seen.Store(&next)
	return c
}
