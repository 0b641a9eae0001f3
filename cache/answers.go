package cache

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
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
// one in this process. What Redis could not be told while it failed, this process knows; where it has lost its
// memory a request is taken for a new one.
type Answers struct {
	Fleet *Fleet

	mu   sync.Mutex // guards here
	here map[string]keptAnswer
}

type keptAnswer struct {
	text string // as in Redis; dropped = it is in vain there
	ends time.Time
}

// dropped stands in the place of a request that failed, where Redis could not be told.
const dropped = "dropped"

// Answer is what a request was answered.
type Answer struct {
	Sum    string `json:"sum"` // of the request's content, hex
	Status int    `json:"status"`
	Body   []byte `json:"body"`
}

// Begin reserves a key of an owner, with a note of what is going to happen, which does not begin with "{". It
// returns what the key was answered before, nil where it is new: then Keep or Drop ends it. ErrUnderWay: another
// request with it has not ended, or died; other is its note.
func (a *Answers) Begin(ctx context.Context, owner, key, note string) (before *Answer, other string, err error) {
	name := answerKey(owner, key)
	text, err := a.reserve(ctx, name, note)
	if err != nil {
		text = a.reserveHere(name, note) // nobody else can tell
	} else if a.Fleet.client != nil && !finished(text) {
		text = a.knownBetter(ctx, name, text, note)
	}
	switch {
	case text == "":
		return nil, "", nil
	case !finished(text):
		return nil, text, ErrUnderWay
	}
	before = &Answer{}
	if err := json.Unmarshal([]byte(text), before); err != nil {
		return nil, "", nil //nolint:nilerr // not of our making
	}
	return before, "", nil
}

// finished tells an answer from a note.
func finished(text string) bool { return strings.HasPrefix(text, "{") }

// knownBetter returns what this process knows of a request that Redis takes for a new one or one under way; "" = the
// caller's takes its place.
func (a *Answers) knownBetter(ctx context.Context, name, text, note string) string {
	a.mu.Lock()
	known, ok := a.here[name]
	ok = ok && time.Now().Before(known.ends)
	if known.text == dropped {
		delete(a.here, name)
	}
	a.mu.Unlock()
	switch {
	case !ok || text != "" && !finished(known.text) && known.text != dropped:
		return text
	case known.text == dropped:
		_ = a.set(ctx, name, note, answerRunning) // it stays what it was, which only makes others wait
		return ""
	}
	_ = a.set(ctx, name, known.text, time.Until(known.ends)) // this process goes on knowing it
	return known.text
}

// Keep remembers an answer.
func (a *Answers) Keep(ctx context.Context, owner, key string, answer Answer) {
	text, err := json.Marshal(answer)
	if err != nil {
		return // a struct of strings and numbers cannot fail
	}
	name := answerKey(owner, key)
	if a.Fleet.client == nil || a.set(ctx, name, string(text), answerLife) != nil || a.reservedHere(name) {
		a.keepHere(name, string(text), answerLife)
	}
}

// Drop forgets a key whose request failed, so that it can be sent again.
func (a *Answers) Drop(ctx context.Context, owner, key string) {
	name := answerKey(owner, key)
	a.mu.Lock()
	delete(a.here, name)
	a.mu.Unlock()
	if a.Fleet.client == nil {
		return
	}
	err := a.Fleet.callPatiently(ctx, opAnswer, func(ctx context.Context) error {
		return a.Fleet.client.Del(ctx, name).Err()
	})
	if err != nil {
		a.keepHere(name, dropped, answerRunning)
	}
}

// reserve returns what is there, and puts the note where nothing is: then it returns "".
func (a *Answers) reserve(ctx context.Context, name, note string) (string, error) {
	if a.Fleet.client == nil {
		return a.reserveHere(name, note), nil
	}
	found := ""
	err := a.Fleet.callPatiently(ctx, opAnswer, func(ctx context.Context) error {
		err := a.Fleet.client.SetArgs(ctx, name, note, redis.SetArgs{Mode: "NX", TTL: answerRunning}).Err()
		if !errors.Is(err, redis.Nil) {
			return err
		}
		text, err := a.Fleet.client.Get(ctx, name).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		found = text
		return err
	})
	return found, err
}

func (a *Answers) reserveHere(name, note string) string {
	a.mu.Lock()
	kept, ok := a.here[name]
	a.mu.Unlock()
	if ok && kept.text != dropped && time.Now().Before(kept.ends) {
		return kept.text
	}
	a.keepHere(name, note, answerRunning)
	return ""
}

// reservedHere reports whether the request began while Redis failed.
func (a *Answers) reservedHere(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.here[name]
	return ok
}

// keepHere remembers a text in this process, and forgets what is over, or anything where it is too much.
func (a *Answers) keepHere(name, text string, life time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.here == nil {
		a.here = map[string]keptAnswer{}
	}
	for other, kept := range a.here {
		if len(a.here) >= answersHere || now.After(kept.ends) {
			delete(a.here, other)
		}
	}
	a.here[name] = keptAnswer{text, now.Add(life)}
}

func (a *Answers) set(ctx context.Context, name, text string, life time.Duration) error {
	return a.Fleet.callPatiently(ctx, opAnswer, func(ctx context.Context) error {
		return a.Fleet.client.Set(ctx, name, text, life).Err()
	})
}

// answerKey keeps what clients send out of Redis' names.
func answerKey(owner, key string) string {
	sum := sha256.Sum256([]byte(owner + "\x00" + key))
	return answerPrefix + Hash(sum[:16]).String() + "}"
}
