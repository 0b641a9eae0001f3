package cache

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Messages on the push channel: "w VARIANT" wakes those who wait for an entry; what begins with "p " is
// a purge, see generation.go.
const (
	wakePrefix  = "w "
	purgePrefix = "p "

	resubscribed = "s" // never sent: stands for a break in the subscription
)

// subscribe opens the one subscription of this process; the library reconnects it for ever. Nothing
// rests on it: a purge that it misses is seen by the poll, a wake-up that it misses by the waiter's own.
func (f *Fleet) subscribe() {
	sub := f.client.Subscribe(context.Background(), pushChannel)
	messages := sub.ChannelWithSubscriptions(
		redis.WithChannelSize(1000), // a burst of wake-ups while a big purge is swept
		redis.WithChannelHealthCheckInterval(time.Second),
		redis.WithChannelSendTimeout(time.Second),
	)
	f.stop = sub.Close
	f.done.Go(func() {
		for m := range messages {
			switch m := m.(type) {
			case *redis.Message:
				f.dispatch(m.Payload)
			case *redis.Subscription: // the first, or one after a break
				f.dispatch(resubscribed)
			}
		}
	})
}

func (f *Fleet) dispatch(message string) {
	if variant, ok := strings.CutPrefix(message, wakePrefix); ok {
		f.wake(variant)
		return
	}
	f.mu.Lock()
	onPush := f.onPush
	f.mu.Unlock()
	if onPush != nil {
		onPush(message)
	}
}

func (f *Fleet) wake(variant string) {
	h, ok := parseHash(variant)
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.wakers[h] {
		select {
		case c <- struct{}{}:
		default: // woken already
		}
	}
}

// awaken registers for the wake-ups of an entry; the channel holds one. leave ends it.
func (f *Fleet) awaken(variant Hash) (woken <-chan struct{}, leave func()) {
	c := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wakers[variant] == nil {
		f.wakers[variant] = map[chan struct{}]struct{}{}
	}
	f.wakers[variant][c] = struct{}{}
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.wakers[variant], c)
		if len(f.wakers[variant]) == 0 {
			delete(f.wakers, variant)
		}
	}
}
