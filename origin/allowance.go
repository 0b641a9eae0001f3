package origin

import (
	"context"
	"sync"
	"sync/atomic"
)

// maxAsks is how often one request reaches one server, redirects aside: a fetch's tries, and one that meets a
// dead connection.
const maxAsks = 4

// Allowance bounds how often the fetches of one request together reach each server: of its picture, of the
// watermark on it, of what is sent in its place. The zero value is ready.
type Allowance struct {
	mu   sync.Mutex // guards what follows
	asks map[*peer]*asks
}

// asks counts how often a server was asked; nil counts nothing.
type asks struct{ made atomic.Int32 }

type (
	allowanceKey struct{}
	asksKey      struct{}
)

// Context returns a context whose fetches share the allowance.
func (a *Allowance) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, allowanceKey{}, a)
}

// Sparing returns a context whose fetches share an allowance: that of ctx, or a new one.
func Sparing(ctx context.Context) context.Context {
	if ctx.Value(allowanceKey{}) != nil {
		return ctx
	}
	return new(Allowance).Context(ctx)
}

// asksOf returns the count of a server, which is of this fetch alone where ctx has no allowance.
func asksOf(ctx context.Context, p *peer) *asks {
	a, _ := ctx.Value(allowanceKey{}).(*Allowance)
	if a == nil {
		return &asks{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asks == nil {
		a.asks = map[*peer]*asks{}
	}
	if a.asks[p] == nil {
		a.asks[p] = &asks{}
	}
	return a.asks[p]
}

// left reports whether the server may be asked once more.
func (a *asks) left() bool { return a == nil || a.made.Load() < maxAsks }

// take counts one more, if that is left.
func (a *asks) take() bool { return a == nil || a.made.Add(1) <= maxAsks }
