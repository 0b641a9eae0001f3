package cache

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	defaultDelay = 10 * time.Second
	firstPoll    = 10 * time.Millisecond
	lastPoll     = 100 * time.Millisecond
)

// Leases let one node of the fleet do the work that many nodes ask for at once. A lease is a hint, not
// a lock: who loses it works on, and the worst is work done twice.
type Leases struct {
	fleet *Fleet
	ttl   time.Duration
	first time.Duration // pause before the first poll; it doubles
	last  time.Duration // the longest pause
	stop  context.CancelFunc
	base  context.Context //nolint:containedctx // the life of the renewals, which belong to no caller
	done  sync.WaitGroup

	led, collapsed, alone atomic.Uint64
}

// LeaseStats is a snapshot of Leases.
type LeaseStats struct {
	Led       uint64 // work taken on with the lease
	Collapsed uint64 // work another node did
	Alone     uint64 // work taken on without the lease: no Redis, trouble with it, or its holder made nothing
}

// NewLeases returns the fleet's leases. delay is how long a dead holder may keep the others waiting,
// 1 s at least; 0 = 10 s. A lease stands a little less, for the others' next poll comes on top.
func NewLeases(f *Fleet, delay time.Duration) *Leases {
	if delay <= 0 {
		delay = defaultDelay
	}
	ttl := max(delay, time.Second) - 2*lastPoll
	l := &Leases{fleet: f, ttl: ttl, first: firstPoll, last: lastPoll}
	l.base, l.stop = context.WithCancel(context.Background())
	return l
}

// takeLease takes a free lease and says whether there is a value (1) or not (0), or names the token that holds it.
//
// KEYS leaseKey valueKey  ARGV token ttl-in-ms
var takeLease = redis.NewScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return tostring(redis.call('EXISTS', KEYS[2])) end
return 'held by ' .. redis.call('GET', KEYS[1])`)

// keepLease renews the lease if it is still ours.
//
// KEYS leaseKey  ARGV token ttl-in-ms
var keepLease = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)

// endLease deletes the lease if it is still ours, and wakes who waits for the entry in any case.
//
// KEYS leaseKey  ARGV token channel message
var endLease = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return redis.call('PUBLISH', ARGV[2], ARGV[3])`)

// Lead returns led = true to the one that is to do the work. It calls release when the value is in
// Redis, or never will be; once or more. The others wait until look, which reads Redis, says that the value is
// there: led = false, and release does nothing. Where the holder releases without a value, led is true for
// all who wait: one has the lease then and the others work beside it, so that a failure costs the fleet
// its time once more and not once for each node. With Redis in trouble, and when ctx ends while it waits,
// led is true at once: everybody works alone.
func (l *Leases) Lead(ctx context.Context, key Key, look func(ctx context.Context) bool) (release func(), led bool) {
	nothing := func() {}
	if l.fleet.client == nil {
		l.alone.Add(1)
		return nothing, true
	}
	// Before the first look: a wake-up between look and wait is kept in the channel.
	woken, leave := l.fleet.awaken(key.Variant)
	defer leave()
	token, woke, before := format(draw()), false, ""
	for pause := l.first; ; pause = min(2*pause, l.last) {
		state, holder, err := l.take(ctx, key, token)
		if err != nil {
			l.alone.Add(1)
			return nothing, true
		}
		mine := state >= 0
		if mine {
			release = l.hold(key, token)
		}
		// A value may have come between the caller's own look and now.
		if state != 0 && look(ctx) {
			if mine {
				release()
			}
			l.collapsed.Add(1)
			return nothing, false
		}
		if mine {
			l.led.Add(1)
			return release, true
		}
		// A wake-up may come late, from a holder before the one that is waited for: only where another
		// has the lease now has that one ended its work.
		if woke && before != "" && holder != before {
			l.alone.Add(1)
			return nothing, true
		}
		before = holder
		woke = wait(ctx, woken, pause)
		if ctx.Err() != nil {
			l.alone.Add(1)
			return nothing, true
		}
	}
}

// wait waits for a wake-up, the pause's end or ctx's; true = it was a wake-up.
func wait(ctx context.Context, woken <-chan struct{}, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-woken:
		return true
	}
	return false
}

// take asks for the lease: state is −1 where holder has it, else whether there is a value (1) or not (0).
func (l *Leases) take(ctx context.Context, key Key, token string) (state int, holder string, err error) {
	err = l.fleet.call(ctx, opLease, func(ctx context.Context) error {
		text, err := takeLease.Run(ctx, l.fleet.client, []string{leaseKey(key), valueKey(key)}, token, l.ttl.Milliseconds()).Text()
		if err != nil {
			return err
		}
		var held bool
		if holder, held = strings.CutPrefix(text, "held by "); held {
			state = -1
			return nil
		}
		holder = ""
		state, err = strconv.Atoi(text)
		return err
	})
	return state, holder, err
}

// hold renews the lease until release. A renewal that fails is not made up for: see Leases.
func (l *Leases) hold(key Key, token string) (release func()) {
	ctx, cancel := context.WithCancel(l.base)
	l.done.Go(func() {
		tick := time.NewTicker(l.ttl / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = l.fleet.call(ctx, opLease, func(ctx context.Context) error {
					return keepLease.Run(ctx, l.fleet.client, []string{leaseKey(key)}, token, l.ttl.Milliseconds()).Err()
				})
			}
		}
	})
	return sync.OnceFunc(func() {
		cancel()
		// If it fails, the lease ends by itself and the others poll.
		_ = l.fleet.call(context.Background(), opLease, func(ctx context.Context) error {
			return endLease.Run(ctx, l.fleet.client, []string{leaseKey(key)}, token, pushChannel, wakePrefix+key.Variant.String()).Err()
		})
	})
}

// Close ends the renewals; leases still held run out. Twice is fine.
func (l *Leases) Close() error {
	l.stop()
	l.done.Wait()
	return nil
}

// Stats returns a snapshot.
func (l *Leases) Stats() LeaseStats {
	return LeaseStats{Led: l.led.Load(), Collapsed: l.collapsed.Load(), Alone: l.alone.Load()}
}
