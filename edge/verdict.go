package edge

import "github.com/imgedge/imgedge/pipeline"

// verdict is what an answer owes to the cache, as metrics and the access log name it.
type verdict uint8

const (
	verdictNone        verdict = iota // refused or answered before the cache was asked
	verdictMemory                     // this node's memory had it
	verdictRedis                      // the fleet's Redis had it
	verdictMiss                       // made now
	verdictCollapsed                  // made now for another request, which this one waited for
	verdictRevalidated                // the origin said "unchanged"
	verdictStale                      // the origin failed, the old copy was served
	verdicts
)

// String returns the label.
func (v verdict) String() string {
	return [verdicts]string{"none", "memory", "redis", "miss", "collapsed", "revalidated", "stale"}[v]
}

// verdictOf reads a verdict from how an answer came about.
func verdictOf(via pipeline.Via) verdict {
	switch {
	case via.StaleError != 0:
		return verdictStale
	case via.Hit == pipeline.TierMemory:
		return verdictMemory
	case via.Hit == pipeline.TierRedis:
		return verdictRedis
	case via.Collapsed:
		return verdictCollapsed
	case via.Revalidated:
		return verdictRevalidated
	default:
		return verdictMiss
	}
}
