package origin

import "sync/atomic"

// Stats is a snapshot of what a source has done since it was made.
type Stats struct {
	Requests map[Result]uint64 // fetches by how they ended; every result is present
	Tries    uint64            // times the opener was asked, retries included
	Bytes    uint64            // read from the origin, also by fetches that failed
	Open     int               // servers whose circuit breaker is open or half open; a rooted source has one server
}

// counters are the living numbers behind Stats.
type counters struct {
	requests [results]atomic.Uint64
	tries    atomic.Uint64
	bytes    atomic.Uint64
}

// Stats returns a snapshot.
func (s *Source) Stats() Stats {
	st := Stats{
		Requests: make(map[Result]uint64, results),
		Tries:    s.counters.tries.Load(),
		Bytes:    s.counters.bytes.Load(),
		Open:     s.peers.open(),
	}
	for r := range results {
		st.Requests[r] = s.counters.requests[r].Load()
	}
	return st
}
