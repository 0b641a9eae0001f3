package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	idempotentLife = 24 * time.Hour
	idempotentWait = 10 * time.Minute // a request that is under way for longer has died
)

// Repeat is what is known of a request with an Idempotency-Key.
type Repeat struct {
	engine *Engine
	key    string
	Before string // the job that the key made before; "" = none
	body   string // hash of the body that came with the key before
}

// Remember looks an Idempotency-Key of a caller up, and reserves it where it is new. ErrRunning: a
// request with it is under way. The caller ends a new one with Keep or Drop, and compares a repeated
// one's body with Same.
func (e *Engine) Remember(ctx context.Context, owner, key string) (*Repeat, error) {
	e.setup()
	sum := sha256.Sum256([]byte(owner + "\x00" + key))
	r := &Repeat{engine: e, key: idempotentKey(hex.EncodeToString(sum[:16]))}
	err := e.Redis.SetArgs(ctx, r.key, "", redis.SetArgs{Mode: "NX", TTL: idempotentWait}).Err()
	if err == nil {
		return r, nil
	} else if !errors.Is(err, redis.Nil) {
		return nil, queueFailed(err)
	}
	value, err := e.Redis.Get(ctx, r.key).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, queueFailed(err)
	}
	var done bool
	if r.Before, r.body, done = strings.Cut(value, " "); !done {
		return nil, ErrRunning
	}
	return r, nil
}

// Same is nil where the body is the one that came with the key before, else ErrMismatch.
func (r *Repeat) Same(body [sha256.Size]byte) error {
	if hex.EncodeToString(body[:]) != r.body {
		return ErrMismatch
	}
	return nil
}

// Keep remembers what a new key made, for 24 hours.
func (r *Repeat) Keep(ctx context.Context, job string, body [sha256.Size]byte) error {
	return r.engine.Redis.Set(ctx, r.key, job+" "+hex.EncodeToString(body[:]), idempotentLife).Err()
}

// Drop forgets a new key whose request was refused, so that it can be sent again.
func (r *Repeat) Drop(ctx context.Context) error {
	return r.engine.Redis.Del(context.WithoutCancel(ctx), r.key).Err()
}
