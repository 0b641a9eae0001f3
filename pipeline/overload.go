package pipeline

import "time"

// The times of Retry-After on a refusal.
const (
	leastRetry = time.Second
	mostRetry  = time.Minute // beyond this the estimate says nothing any more
)

// overload is an ErrOverloaded that knows when it makes sense to ask again.
type overload struct{ after time.Duration }

// Error returns the public text.
func (o overload) Error() string { return ErrOverloaded.Error() }

// HTTPStatus is 503.
func (o overload) HTTPStatus() int { return ErrOverloaded.HTTPStatus() }

// Code is the code of ErrOverloaded.
func (o overload) Code() string { return ErrOverloaded.Code() }

// Unwrap returns ErrOverloaded.
func (o overload) Unwrap() error { return ErrOverloaded }

// RetryAfter returns when there may be room, 1 s to 1 min.
func (o overload) RetryAfter() time.Duration { return min(max(o.after, leastRetry), mostRetry) }

// hopelessLocked reports whether, and why, the last in a lane's queue is to be refused at once.
func (g *Gate) hopelessLocked(l Lane) (Refusal, bool) {
	small, huge, batch := g.lanes[LaneSmall].waiting.Len(), g.lanes[LaneHuge].waiting.Len(), g.lanes[LaneBatch].waiting.Len()
	if l == LaneBatch {
		return RefusedFull, batch > g.Queue
	}
	if small+huge > g.Queue || l == LaneHuge && huge > (g.Queue+1)/2 {
		return RefusedFull, true
	}
	return RefusedPredicted, g.Wait > 0 && g.aheadLocked(l) > g.Wait
}

// aheadLocked estimates how long the last in a lane's queue waits for those before it. Those under way are
// not counted, for they may end now: so what finds nobody waiting is never refused, and the estimate
// recovers from a few slow pictures.
func (g *Gate) aheadLocked(l Lane) time.Duration {
	slots := g.longSlots()
	if l == LaneSmall {
		long, _ := g.takenLocked(LaneHuge, LaneBatch)
		slots = max(1, g.slots()-long)
	}
	return g.lanes[l].mean * time.Duration(max(0, g.lanes[l].waiting.Len()-1)) / time.Duration(slots)
}

// overloadLocked counts a refusal and makes its error.
func (g *Gate) overloadLocked(l Lane, why Refusal) error {
	g.refused[why]++
	return overload{g.aheadLocked(l)}
}

// note averages the time of a render in: each counts for an eighth, as in TCP's round-trip time (RFC 6298),
// so that one slow picture does not decide and twenty do.
func (l *lane) note(took time.Duration) {
	if l.mean == 0 {
		l.mean = took
		return
	}
	l.mean += (took - l.mean) / 8
}
