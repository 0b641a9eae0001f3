package edge

import (
	"sync/atomic"
	"time"
)

// clock is a clock that the test moves.
type clock struct{ offset atomic.Int64 }

func newClock() *clock { return new(clock) }

func (c *clock) now() time.Time { return testTime.Add(time.Duration(c.offset.Load())) }

func (c *clock) add(d time.Duration) { c.offset.Add(int64(d)) }
