package cache

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	answerLife    = 24 * time.Hour
	answerRunning = 20 * time.Minute // a request that is under way for longer has died
	answersHere   = 10_000           // remembered without a Redis
)

// Answers remember what requests with an Idempotency-Key were answered, for 24 hours: in Redis, or without
// one in this process. Where Redis fails a request is taken for a new one.
type Answers struct {
	Fleet *Fleet

	mu   sync.Mutex // guards here
	here map[string]keptAnswer
}

type keptAnswer struct {
	text string
	ends time.Time
}

// Answer is what a request was answered.
type Answer struct {
	Sum    string `json:"sum"` // of the request's content, hex
	Status int    `json:"status"`
	Body   []byte `json:"body"`
}

// Begin reserves a key of an owner. It returns what the key was answered before, nil where it is new: then
// Keep or Drop ends it. ErrUnderWay: another request with it has not ended.
func (a *Answers) Begin(ctx context.Context, owner, key string) (*Answer, error) {
	text, err := a.reserve(ctx, answerKey(owner, key))
	switch {
	case err != nil || text == nil:
		return nil, nil //nolint:nilnil,nilerr // new, or nobody can tell
	case *text == "":
		return nil, ErrUnderWay
	}
	var before Answer
	if err := json.Unmarshal([]byte(*text), &before); err != nil {
		return nil, nil //nolint:nilnil,nilerr // not of our making
	}
	return &before, nil
}

// Keep remembers an answer.
func (a *Answers) Keep(ctx context.Context, owner, key string, answer Answer) {
	text, err := json.Marshal(answer)
	if err == nil {
		_ = a.set(ctx, answerKey(owner, key), string(text)) // the request is repeated otherwise, which does no harm
	}
}

// Drop forgets a key whose request failed, so that it can be sent again.
func (a *Answers) Drop(ctx context.Context, owner, key string) {
	name := answerKey(owner, key)
	if a.Fleet.client == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.here, name)
		return
	}
	_ = a.Fleet.callPatiently(ctx, opAnswer, func(ctx context.Context) error { // it ends by itself
		return a.Fleet.client.Del(ctx, name).Err()
	})
}

// reserve returns what is there, and puts "" where nothing is.
func (a *Answers) reserve(ctx context.Context, name string) (*string, error) {
	if a.Fleet.client == nil {
		return a.reserveHere(name), nil
	}
	var found *string
	err := a.Fleet.callPatiently(ctx, opAnswer, func(ctx context.Context) error {
		err := a.Fleet.client.SetArgs(ctx, name, "", redis.SetArgs{Mode: "NX", TTL: answerRunning}).Err()
		if !errors.Is(err, redis.Nil) {
			return err
		}
		text, err := a.Fleet.client.Get(ctx, name).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		found = &text
		return err
	})
	return found, err
}

func (a *Answers) reserveHere(name string) *string {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if kept, ok := a.here[name]; ok && now.Before(kept.ends) {
		return &kept.text
	}
	if a.here == nil {
		a.here = map[string]keptAnswer{}
	}
	for other, kept := range a.here {
		if len(a.here) >= answersHere || now.After(kept.ends) {
			delete(a.here, other)
		}
	}
	a.here[name] = keptAnswer{"", now.Add(answerRunning)}
	return nil
}

func (a *Answers) set(ctx context.Context, name, text string) error {
	if a.Fleet.client == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.here[name] = keptAnswer{text, time.Now().Add(answerLife)}
		return nil
	}
	return a.Fleet.callPatiently(ctx, opAnswer, func(ctx context.Context) error {
		return a.Fleet.client.Set(ctx, name, text, answerLife).Err()
	})
}

// answerKey keeps what clients send out of Redis' names.
func answerKey(owner, key string) string {
	sum := sha256.Sum256([]byte(owner + "\x00" + key))
	return answerPrefix + Hash(sum[:16]).String() + "}"
}
