package cache

import (
	"context"
	"errors"
	"net"
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

const (
	quiet      = time.Second            // without a message until the subscription is asked whether it lives
	resubEvery = 100 * time.Millisecond // pause between attempts
)

// follow keeps the one subscription of this process, for ever. Nothing rests on it: a purge that it
// misses is seen by the poll, a wake-up that it misses by the waiter's own.
//
// It reads by itself and not through the library's channels: those parse in a goroutine of their own,
// where what a broken peer sends can end the process.
func (f *Fleet) follow(ctx context.Context) {
	for ctx.Err() == nil {
		sub := f.client.Subscribe(ctx, pushChannel)                                     // an error shows in the first Receive
		stop := context.AfterFunc(ctx, func() { _ = sub.Close() })                      // what Receive waits for
		_ = caught(ctx, func(ctx context.Context) error { return f.receive(ctx, sub) }) // the poll tells whether Redis is there
		if stop() {
			_ = sub.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(resubEvery):
		}
	}
}

// receive reads messages until the subscription fails. A connection on which the subscription is not
// confirmed counts as failed: the library can lose the command and keep the connection.
func (f *Fleet) receive(ctx context.Context, sub *redis.PubSub) error {
	for subscribed, asked := false, false; ; {
		m, err := sub.ReceiveTimeout(ctx, quiet)
		var silence net.Error
		switch {
		case err == nil:
			asked = false
		case errors.As(err, &silence) && silence.Timeout() && subscribed && !asked:
			asked = true
			err = sub.Ping(ctx)
		}
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *redis.Message:
			f.dispatch(m.Payload)
		case *redis.Subscription: // the first, or one after a break
			subscribed = true
			f.dispatch(resubscribed)
		}
	}
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
