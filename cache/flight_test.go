package cache

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestFlightShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		var fills, shared atomic.Int32
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				v, s, err := f.Do(t.Context(), Hash{1}, func(context.Context, context.Context) (int, error) {
					fills.Add(1)
					time.Sleep(time.Second)
					return 7, nil
				})
				if v != 7 || err != nil {
					t.Errorf("Do = %d, %v; want 7, nil", v, err)
				}
				if s {
					shared.Add(1)
				}
			})
		}
		wg.Go(func() {
			if v, _, _ := f.Do(t.Context(), Hash{2}, func(context.Context, context.Context) (int, error) { return 8, nil }); v != 8 {
				t.Errorf("another key: %d, want 8", v)
			}
		})
		wg.Wait()
		if fills.Load() != 1 || shared.Load() != 99 {
			t.Errorf("%d fills, %d shared; want 1, 99", fills.Load(), shared.Load())
		}
		if got, want := f.Stats(), (FlightStats{Fills: 2, Collapsed: 99}); got != want {
			t.Errorf("Stats = %+v, want %+v", got, want)
		}
		_ = f.Close()
	})
}

// The first caller's leaving hurts nobody, and fill keeps its values.
func TestFlightLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[string]
		type name struct{}
		leader, leave := context.WithCancel(context.WithValue(t.Context(), name{}, "trace"))
		fill := func(ctx, patience context.Context) (string, error) {
			time.Sleep(time.Second)
			if err := errors.Join(ctx.Err(), patience.Err()); err != nil {
				return "", err
			}
			return ctx.Value(name{}).(string), nil
		}
		go func() {
			if _, _, err := f.Do(leader, Hash{1}, fill); !errors.Is(err, context.Canceled) {
				t.Errorf("the leader that left: %v", err)
			}
		}()
		synctest.Wait()
		go func() {
			if v, shared, err := f.Do(t.Context(), Hash{1}, fill); v != "trace" || !shared || err != nil {
				t.Errorf("the other: %q, %v, %v; want trace, true, nil", v, shared, err)
			}
		}()
		synctest.Wait()
		leave()
		_ = f.Close()
	})
}

// Ruling 25: a fill that nobody waits for is dropped while it queues.
func TestFlightGivenUpWhileQueueing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		var fills atomic.Int32
		fill := func(_, patience context.Context) (int, error) {
			if fills.Add(1) == 2 {
				return 7, nil
			}
			<-patience.Done() // the queue
			time.Sleep(time.Second)
			return 0, patience.Err()
		}
		ctx, leave := context.WithCancel(t.Context())
		go func() { _, _, _ = f.Do(ctx, Hash{1}, fill) }()
		synctest.Wait()
		leave()
		synctest.Wait()
		// A newcomer that joins between the giving up and the fill's end starts afresh.
		if v, _, err := f.Do(t.Context(), Hash{1}, fill); v != 7 || err != nil {
			t.Errorf("the newcomer: %d, %v; want 7, nil", v, err)
		}
		if fills.Load() != 2 {
			t.Errorf("%d fills, want 2", fills.Load())
		}
		_ = f.Close()
	})
}

// Ruling 25: … and finished once it works; who comes back finds it.
func TestFlightGivenUpWhileWorking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		var fills atomic.Int32
		fill := func(context.Context, context.Context) (int, error) {
			fills.Add(1)
			time.Sleep(time.Second)
			return 7, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := f.Do(ctx, Hash{1}, fill); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who left: %v", err)
		}
		if v, shared, err := f.Do(t.Context(), Hash{1}, fill); v != 7 || !shared || err != nil {
			t.Errorf("who came back: %d, %v, %v; want 7, true, nil", v, shared, err)
		}
		if fills.Load() != 1 {
			t.Errorf("%d fills, want 1", fills.Load())
		}
		_ = f.Close()
	})
}

func TestFlightTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Flight[int]{Timeout: time.Second}
		start := time.Now()
		_, _, err := f.Do(t.Context(), Hash{1}, func(ctx, _ context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v; want the deadline after 1 s", time.Since(start), err)
		}
		_ = f.Close()
	})
}

// A fill whose time ends while it queues gives up, and who came later begins anew.
func TestFlightTimeoutWhileQueueing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Flight[int]{Timeout: time.Second}
		var fills atomic.Int32
		free := make(chan struct{})
		fill := func(_, patience context.Context) (int, error) {
			fills.Add(1)
			select { // the queue
			case <-patience.Done():
				return 0, patience.Err()
			case <-free:
				return 7, nil
			}
		}
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, err := f.Do(t.Context(), Hash{1}, fill)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("who began: %v after %v; want the deadline after 1 s", err, time.Since(start))
			}
		})
		time.Sleep(900 * time.Millisecond)
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, _, err := f.Do(ctx, Hash{1}, fill)
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 1200*time.Millisecond {
				t.Errorf("whose own time ends: %v after %v; want the deadline after 1.2 s", err, took)
			}
		})
		time.AfterFunc(400*time.Millisecond, func() { close(free) })
		if v, _, err := f.Do(t.Context(), Hash{1}, fill); v != 7 || err != nil {
			t.Errorf("who came late: %d, %v; want 7, nil", v, err)
		}
		wg.Wait()
		if fills.Load() != 2 {
			t.Errorf("%d fills, want 2", fills.Load())
		}
		_ = f.Close()
	})
}

// Nobody waits for ever by joining one late fill after the other.
func TestFlightTimeoutEndsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Flight[int]{Timeout: time.Second}
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 90 * time.Millisecond)
				came := time.Now()
				_, _, err := f.Do(t.Context(), Hash{1}, func(_, patience context.Context) (int, error) {
					<-patience.Done()
					return 0, patience.Err()
				})
				if waited := time.Since(came); !errors.Is(err, context.DeadlineExceeded) || waited >= 2*time.Second {
					t.Errorf("who came after %d ms: %v after %v; want the deadline before 2 s", i*90, err, waited)
				}
			})
		}
		wg.Wait()
		if took, fills := time.Since(start), f.Stats().Fills; took != 2*time.Second || fills != 2 {
			t.Errorf("%d fills in %v, want 2 in 2 s", fills, took)
		}
		_ = f.Close()
	})
}

// A cancellation that is the fill's own failure is no reason to begin anew.
func TestFlightOwnCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		var fills int
		_, _, err := f.Do(t.Context(), Hash{1}, func(context.Context, context.Context) (int, error) {
			fills++
			return 0, context.Canceled
		})
		if !errors.Is(err, context.Canceled) || fills != 1 {
			t.Errorf("%v after %d fills; want context.Canceled after 1", err, fills)
		}
		_ = f.Close()
	})
}

func TestFlightPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, fill := range map[string]func(context.Context, context.Context) (int, error){
			"boom": func(context.Context, context.Context) (int, error) { time.Sleep(time.Second); panic("boom") },
			"fill ended its goroutine": func(context.Context, context.Context) (int, error) {
				time.Sleep(time.Second)
				runtime.Goexit()
				return 0, nil
			},
		} {
			var f Flight[int]
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					_, _, err := f.Do(t.Context(), Hash{1}, fill)
					var p *PanicError
					if !errors.As(err, &p) || !strings.Contains(err.Error(), name) {
						t.Errorf("%v, want a PanicError of %q", err, name)
					}
				})
			}
			wg.Wait()
			if v, _, err := f.Do(t.Context(), Hash{1}, func(context.Context, context.Context) (int, error) { return 7, nil }); v != 7 || err != nil {
				t.Errorf("afterwards: %d, %v", v, err)
			}
			_ = f.Close()
		}
	})
}

// A look that finds spares the fill, for all who ask meanwhile; one that does not is followed by one fill.
func TestFlightLooksFirst(t *testing.T) {
	for name, found := range map[string]bool{"found": true, "not found": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := Flight[int]{Timeout: time.Minute}
				var looks, fills atomic.Int32
				look := func(ctx context.Context) (int, bool) {
					looks.Add(1)
					time.Sleep(time.Second)
					if ctx.Err() != nil {
						t.Error("the look ended with its caller")
					}
					return 7, found
				}
				fill := func(context.Context, context.Context) (int, error) {
					fills.Add(1)
					time.Sleep(time.Second)
					return 8, nil
				}
				leader, leave := context.WithCancel(t.Context())
				go func() {
					v, _, err := f.DoAfter(leader, Hash{1}, look, fill)
					if left := errors.Is(err, context.Canceled); !left && (!found || v != 7) {
						t.Errorf("the leader that left: %d, %v", v, err)
					}
				}()
				synctest.Wait()
				for range 3 {
					go func() {
						want := 8
						if found {
							want = 7
						}
						if v, shared, err := f.DoAfter(t.Context(), Hash{1}, look, fill); v != want || !shared || err != nil {
							t.Errorf("who joined: %d, %v, %v; want %d, true, nil", v, shared, err, want)
						}
					}()
				}
				synctest.Wait()
				leave()
				_ = f.Close()
				synctest.Wait()
				if looks.Load() != 1 || fills.Load() == 1 == found {
					t.Errorf("%d looks, %d fills", looks.Load(), fills.Load())
				}
				if s := f.Stats(); s != (FlightStats{Fills: 1, Collapsed: 3}) {
					t.Errorf("Stats = %+v", s)
				}
			})
		})
	}
}

// A look that panics is an error for all who wait, and the next caller begins anew.
func TestFlightLookPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Flight[int]
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, _, err := f.DoAfter(t.Context(), Hash{1}, func(context.Context) (int, bool) {
					time.Sleep(time.Second)
					panic("boom")
				}, nil)
				if p := (*PanicError)(nil); !errors.As(err, &p) || !strings.Contains(err.Error(), "boom") {
					t.Errorf("%v, want a PanicError", err)
				}
			})
		}
		wg.Wait()
		v, _, err := f.DoAfter(t.Context(), Hash{1}, func(context.Context) (int, bool) { return 7, true }, nil)
		if v != 7 || err != nil {
			t.Errorf("afterwards: %d, %v", v, err)
		}
		_ = f.Close()
	})
}

func TestFlightCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Flight[int]{MaxWaiters: 3}
		var refused, served atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, _, err := f.Do(t.Context(), Hash{1}, func(context.Context, context.Context) (int, error) {
					time.Sleep(time.Second)
					return 1, nil
				})
				switch {
				case errors.Is(err, ErrOverloaded):
					refused.Add(1)
				case err == nil:
					served.Add(1)
				}
			})
		}
		wg.Wait()
		if served.Load() != 3 || refused.Load() != 7 || f.Stats().Refused != 7 {
			t.Errorf("%d served, %d refused; want 3, 7", served.Load(), refused.Load())
		}
		if ErrOverloaded.HTTPStatus() != 503 || ErrOverloaded.Code() != "overloaded" {
			t.Error("ErrOverloaded is no 503 overloaded")
		}
		_ = f.Close()
	})
}

func TestFlightClosed(t *testing.T) {
	var f Flight[int]
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := f.Do(t.Context(), Hash{1}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Do after Close: %v, want ErrClosed", err)
	}
	if ErrClosed.HTTPStatus() != 503 || ErrClosed.Code() != "draining" {
		t.Error("ErrClosed is no 503 draining")
	}
}

// TestOnJoin holds that a caller is told when it waits for another's work, and not when it does its own.
func TestOnJoin(t *testing.T) {
	var f Flight[int]
	begun, release, told := make(chan struct{}), make(chan struct{}), make(chan string, 2)
	own := func(ctx, _ context.Context) (int, error) {
		close(begun)
		<-release
		return 1, nil
	}
	first := make(chan error, 1)
	go func() {
		_, _, err := f.Do(OnJoin(context.Background(), func() { told <- "first" }), Hash{}, own)
		first <- err
	}()
	<-begun
	second := make(chan error, 1)
	go func() {
		_, _, err := f.Do(OnJoin(context.Background(), func() { told <- "second" }), Hash{}, own)
		second <- err
	}()
	if who := <-told; who != "second" {
		t.Errorf("%s was told", who)
	}
	close(release)
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
	if len(told) > 0 {
		t.Errorf("%s was told too", <-told)
	}
}

// What a caller says of itself holds for its own call, and not for the flights that its fill waits for.
func TestFillIsNotItsCaller(t *testing.T) {
	var outer, inner Flight[int]
	begun, release := make(chan struct{}), make(chan struct{})
	other := make(chan error, 1)
	go func() {
		_, _, err := inner.Do(t.Context(), Hash{}, func(context.Context, context.Context) (int, error) {
			close(begun)
			<-release
			return 1, nil
		})
		other <- err
	}()
	<-begun
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "kept")
	ctx = OnJoin(ctx, func() { t.Error("the caller was told of a flight that its fill has joined") })
	ctx = WithGone(ctx, func() bool { t.Error("the caller was asked for its fill"); return true })
	_, _, err := outer.Do(ctx, Hash{}, func(ctx, _ context.Context) (int, error) {
		if ctx.Value(key{}) != "kept" || ctx.Value(goneKey{}) != nil {
			t.Errorf("the fill has %v", ctx)
		}
		go func() {
			for deadline := time.Now().Add(5 * time.Second); inner.Stats().Waiting < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			}
			close(release)
		}()
		n, _, err := inner.Do(ctx, Hash{}, func(context.Context, context.Context) (int, error) { return 2, nil })
		return n, err
	})
	if err := errors.Join(err, <-other); err != nil {
		t.Error(err)
	}
}

// A value that is counted is dropped by the flight exactly when the fill has ended and nobody waits, and each
// caller that gets it holds it once, whoever leaves when.
func TestFlightCountsItsValues(t *testing.T) {
	for name, tt := range map[string]struct {
		leave []time.Duration // when callers leave; 0 = they stay
		got   int32
	}{
		"one stays":            {[]time.Duration{0}, 1},
		"all stay":             {[]time.Duration{0, 0, 0}, 3},
		"who began leaves":     {[]time.Duration{time.Millisecond, 0, 0}, 2},
		"all leave":            {[]time.Duration{1, 2, 3}, 0},
		"all leave at the end": {[]time.Duration{time.Second, time.Second}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var holders, got atomic.Int32
				f := Flight[int]{
					Take: func(int) {
						if holders.Add(1) == 1 {
							t.Error("taken when it was given back already")
						}
					},
					Drop: func(int) { holders.Add(-1) },
				}
				var wg sync.WaitGroup
				for _, d := range tt.leave {
					wg.Go(func() {
						ctx := t.Context()
						if d > 0 {
							var cancel context.CancelFunc
							ctx, cancel = context.WithTimeout(ctx, d)
							defer cancel()
						}
						_, _, err := f.Do(ctx, Hash{1}, func(context.Context, context.Context) (int, error) {
							time.Sleep(time.Second)
							holders.Add(1) // the fill's own
							return 7, nil
						})
						if err == nil {
							got.Add(1)
							f.Drop(7)
						}
					})
				}
				wg.Wait()
				_ = f.Close()
				if n := holders.Load(); n != 0 {
					t.Errorf("%d holders are left", n)
				}
				if n := got.Load(); tt.got >= 0 && n != tt.got {
					t.Errorf("%d callers got it, want %d", n, tt.got)
				}
			})
		})
	}
}
