package origin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Room{Bytes: 100, Wait: 5 * time.Second}
		enter := r.Enter
		first, err := enter(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.grow(30); err != nil {
			t.Errorf("grow to 90 of 100: %v", err)
		}
		start := time.Now()
		_, err = enter(t.Context(), 20)
		var e *Error
		if !errors.As(err, &e) || e.HTTPStatus() != 503 || e.Code() != "overloaded" || e.RetryAfter() <= 0 || time.Since(start) != r.Wait {
			t.Errorf("enter without room: %v after %v, want 503 after %v", err, time.Since(start), r.Wait)
		}
		in := make(chan *Place, 2)
		for _, n := range []int64{50, 10} { // the small one waits behind the larger
			go func() {
				g, err := enter(t.Context(), n)
				if err != nil {
					t.Errorf("enter %d: %v", n, err)
				}
				in <- g
			}()
			synctest.Wait()
		}
		if s := r.Stats(); s != (RoomStats{Used: 90, Waiting: 2, Refused: 1}) {
			t.Errorf("Stats() = %+v", s)
		}
		first.Release()
		one, two := <-in, <-in
		if err := one.grow(50); err == nil {
			t.Error("grow over the bound while others are in: want a refusal")
		}
		held := r.Hold(200) // what is there, is there
		one.Release()
		two.Release()
		held.Release()
		held.Release()
		alone, err := enter(t.Context(), 500)
		if err != nil || alone.grow(500) != nil {
			t.Errorf("one alone: %v, want it in whatever its size", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { _, err := enter(ctx, 50); gone <- err }()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who leaves: %v, want Canceled", err)
		}
		alone.Release()
		if s := r.Stats(); s.Used != 0 || s.Waiting != 0 {
			t.Errorf("at the end %+v", s)
		}
	})
}

// drip sends its bytes slowly, a kibibyte a millisecond.
type drip struct{ left int }

func (d *drip) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Millisecond)
	n := min(len(p), d.left, 1<<10)
	clear(p[:n])
	d.left -= n
	return n, nil
}

// Whatever arrives in whatever order: the bytes in memory stay within the room, or are one fetch's; every
// fetch ends with its bytes or is refused; nothing is left.
func TestRoomProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 400<<10), 1, 12).Draw(rt, "sizes")
		announced := rapid.SliceOfN(rapid.Bool(), len(sizes), len(sizes)).Draw(rt, "announced")
		room := &Room{Bytes: rapid.Int64Range(1, 600<<10).Draw(rt, "room"), Wait: time.Duration(rapid.IntRange(0, 200).Draw(rt, "wait")) * time.Millisecond}
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var all sync.WaitGroup
			say := func(s string) { mu.Lock(); defer mu.Unlock(); wrong = append(wrong, s) }
			for i, n := range sizes {
				all.Go(func() {
					src := &Source{Room: room, Timeout: time.Minute, MaxBytes: 1 << 20, Opener: openFunc(func(context.Context, string, Conditions) (*Object, error) {
						size := int64(-1)
						if announced[i] {
							size = int64(n)
						}
						return &Object{Body: io.NopCloser(&drip{n}), Size: size}, nil
					})}
					o, err := src.Fetch(t.Context(), "a", Conditions{})
					var e *Error
					switch {
					case err == nil && len(o.Data) != n:
						say("wrong length")
					case err == nil:
						time.Sleep(time.Duration(n) * time.Microsecond) // the render
						o.Place.Release()
					case err != nil && (!errors.As(err, &e) || e.Result != ResultOverloaded):
						say(err.Error())
					}
				})
			}
			done := make(chan struct{})
			go func() { all.Wait(); close(done) }()
			for ended := false; !ended; {
				room.mu.Lock()
				if room.used > max(room.Bytes, 1<<20) {
					say("over the bound")
				}
				room.mu.Unlock()
				select {
				case <-done:
					ended = true
				case <-time.After(time.Millisecond):
				}
			}
			if s := room.Stats(); s.Used != 0 || s.Waiting != 0 {
				say("something is left")
			}
		})
		for _, w := range wrong {
			rt.Error(w)
		}
	})
}

// Pictures with an original and a watermark on a room of any size: none waits for ever, the room is overrun by one
// watermark at most, and nothing is left.
func TestHoldersGetTheirSecond(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.Int64Range(1, 100), 1, 12)
		originals, marks := sizes.Draw(rt, "originals"), sizes.Draw(rt, "marks")
		room := &Room{Bytes: rapid.Int64Range(1, 300).Draw(rt, "room")}
		bound := max(room.Bytes, slices.Max(originals)) + slices.Max(marks)
		var most int64
		synctest.Test(t, func(t *testing.T) {
			var all sync.WaitGroup
			enter := func(ctx context.Context, n int64) *Place {
				p, err := room.Enter(ctx, n)
				if err != nil {
					t.Errorf("Enter: %v", err)
				}
				room.mu.Lock()
				most = max(most, room.used)
				room.mu.Unlock()
				time.Sleep(time.Duration(n) * time.Millisecond)
				return p
			}
			for i, n := range originals {
				all.Go(func() {
					original := enter(t.Context(), n)
					mark := enter(Holding(t.Context()), marks[i%len(marks)])
					mark.Release()
					original.Release()
				})
			}
			all.Wait() // panics where all wait for each other
			if s := room.Stats(); s != (RoomStats{}) {
				t.Errorf("at the end %+v", s)
			}
		})
		if most > bound {
			rt.Errorf("%d bytes at once, want at most %d", most, bound)
		}
	})
}

// Many slow, huge originals at once hold no more than the room, though they announce gigabytes.
func TestManyHugeOriginals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound = 32 << 20
		room := &Room{Bytes: bound, Wait: time.Second}
		src := &Source{Room: room, Timeout: 10 * time.Second, Opener: openFunc(func(ctx context.Context, _ string, _ Conditions) (*Object, error) {
			return &Object{Body: io.NopCloser(&stuck{ctx, bytes.NewReader(make([]byte, 64<<10))}), Size: 60 << 20}, nil
		})}
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				if _, err := src.Fetch(t.Context(), "a", Conditions{}); err == nil {
					t.Error("a stuck origin's original came")
				}
			})
		}
		synctest.Wait()
		if s := room.Stats(); s.Used > bound || s.Used < bound/2 || s.Waiting == 0 {
			t.Errorf("%+v, want the room used and no more", s)
		}
		all.Wait()
		if s := room.Stats(); s.Used != 0 || s.Waiting != 0 {
			t.Errorf("at the end %+v", s)
		}
	})
}

// stuck sends a little and then nothing until ctx ends.
type stuck struct {
	ctx  context.Context
	some io.Reader
}

func (s *stuck) Read(p []byte) (int, error) {
	if n, err := s.some.Read(p); err == nil {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
