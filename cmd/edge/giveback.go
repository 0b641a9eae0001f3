package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// How memory that a burst has left is given back to the system: the collector by itself would keep it for
// minutes.
const (
	giveBackEvery = 4 * time.Second // twice this at the latest after a burst; 10 s are promised (ruling 42)
	worthGiving   = 32 << 20        // bytes
)

// startGivingBack begins giveBack; stop ends it and waits for that.
func startGivingBack(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { giveBack(ctx, giveBackEvery, allocated, debug.FreeOSMemory) })
	return func() {
		cancel()
		running.Wait()
	}
}

// giveBack collects garbage and returns memory to the system until ctx ends, once more than worthGiving was
// allocated: when a quiet interval has followed, or at the second look of a time that is not quiet.
func giveBack(ctx context.Context, every time.Duration, allocated func() uint64, free func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last, freed := allocated(), allocated()
	waited := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		due, quiet := now-freed > worthGiving, now-last <= worthGiving
		last = now
		if due && (quiet || waited) {
			free()
			freed, due = now, false
		}
		waited = due
	}
}

// allocated returns the bytes that the heap has handed out since the process began.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
