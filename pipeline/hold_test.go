package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/origin"
	"github.com/imgedge/imgedge/resize"
)

// opener opens originals of so many bytes.
type opener struct{ bytes int }

func (o opener) Open(context.Context, string, origin.Conditions) (*origin.Object, error) {
	data := append(jpeg(""), make([]byte, o.bytes-4)...)
	return &origin.Object{Body: io.NopCloser(bytes.NewReader(data)), Size: int64(len(data)), Meta: origin.Meta{MaxAge: -1}}, nil
}

// inRoom gives the bench a room and an origin that fetches within it.
func (b *bench) inRoom(room, size int) {
	b.Room = &origin.Room{Bytes: int64(room), Wait: time.Minute}
	b.source.Origin = &origin.Source{Opener: opener{size}, Room: b.Room}
}

// Fills that wait to be made hold the bytes of their original, which are counted once wherever they come from.
func TestOriginalsAtTheGateAreCountedOnce(t *testing.T) {
	const size = 10_000
	for name, prepare := range map[string]func(t *testing.T, b *bench){
		"fetched": func(*testing.T, *bench) {},
		"kept in memory": func(t *testing.T, b *bench) {
			b.get(t, b.request(50))
		},
		"kept in Redis": func(t *testing.T, b *bench) {
			b.onRedis(t)
			b.RedisOriginals, b.OriginalsWriter = b.Redis, b.Writer
			b.get(t, b.request(50))
			if err := b.Writer.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.Originals = cache.NewMemory(64<<20, b.purger) // has it from the first load on
			t.Cleanup(func() { _ = b.Originals.Close() })   // not what is tested
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.inRoom(100_000, size)
			prepare(t, b)
			if used := b.Room.Stats().Used; used != 0 {
				t.Fatalf("%d bytes are used before anything is asked for", used)
			}
			open := make(chan struct{})
			b.engine.run = func(context.Context) error { <-open; return nil }
			var all []<-chan outcome
			for width := 100; width < 105; width++ {
				all = append(all, b.async(t.Context(), b.request(width)))
			}
			until(t, func() bool { s := b.Gate.Stats(); return s.Busy+s.Waiting == len(all) })
			if used := b.Room.Stats().Used; used < size || used > size*11/10 {
				t.Errorf("%d bytes are used by five fills of an original of %d", used, size)
			}
			close(open)
			for _, c := range all {
				if o := <-c; o.err != nil {
					t.Error(o.err)
				}
			}
			until(t, func() bool { return b.Room.Stats().Used == 0 }) // fills end behind their answers
		})
	}
}

// What comes from Redis passes the room as what comes from an origin does.
func TestLoadsFromRedisPassTheRoom(t *testing.T) {
	b := newBench(t)
	b.onRedis(t)
	b.inRoom(20_000, 10_000)
	b.RedisOriginals, b.OriginalsWriter = b.Redis, b.Writer
	b.get(t, b.request(50))
	if err := b.Writer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Room.Wait = time.Millisecond
	full := b.Room.Hold(15_000)
	hits := b.Redis.Stats().Hits
	if _, _, err := b.Get(t.Context(), b.request(100)); statusOf(err) != http.StatusServiceUnavailable {
		t.Errorf("without room: %v, want 503", err)
	}
	if n := b.Redis.Stats().Hits - hits; n != 0 {
		t.Errorf("%d originals were read without room", n)
	}
	full.Release()
	if _, via := b.get(t, b.request(100)); !via.OriginalKept {
		t.Errorf("with room: %+v, want it made from what is kept", via)
	}
}

// From the first byte of a fetch to the end of the render an original has its place: there is no moment between
// the two in which another one is let in instead.
func TestRoomIsHandedOverWithoutAGap(t *testing.T) {
	const size, pictures = 10_000, 200
	b := newBench(t)
	b.inRoom(5*(size+1), size)
	b.KeepMaxItem = 0
	b.Gate = &Gate{Slots: 50, Queue: pictures, Wait: time.Minute}
	within := func() {
		if used := b.Room.Stats().Used; used > b.Room.Bytes {
			t.Errorf("%d bytes are used of %d", used, b.Room.Bytes)
		}
	}
	b.engine.probe = func(data []byte) (resize.Source, error) {
		within()
		return resize.Source{Format: resize.FormatJPEG, Width: 400, Height: 300, Orientation: 1, Pages: 1, Bands: 3, Depth: 8, Bytes: int64(len(data))}, nil
	}
	b.engine.run = func(context.Context) error { within(); return nil }
	var all sync.WaitGroup
	for i := range pictures {
		all.Go(func() {
			if _, _, err := b.Get(t.Context(), b.coldPage(i)); err != nil {
				t.Errorf("picture %d: %v", i, err)
			}
		})
	}
	all.Wait()
	until(t, func() bool { return b.Room.Stats().Used == 0 })
}

// Fills that hold their originals and fill the room with them get their watermarks all the same.
func TestWatermarksOnATightRoom(t *testing.T) {
	const size = 10_000
	for _, fills := range []int{2, 7} {
		t.Run(fmt.Sprint(fills), func(t *testing.T) {
			b := newBench(t)
			b.inRoom(fills*(size+1), size)
			b.Gate = &Gate{Slots: fills, Queue: fills}
			b.SourceOf = func(string) *Source { return b.source }
			var originals sync.WaitGroup
			originals.Add(fills)
			probed := make(chan struct{}, 2*fills)
			b.engine.probe = func(data []byte) (resize.Source, error) {
				probed <- struct{}{}
				if len(probed) <= fills { // of an original: no watermark is asked for before all of them are in
					originals.Done()
					originals.Wait()
				}
				if used := b.Room.Stats().Used; used > b.Room.Bytes+size+1 {
					t.Errorf("%d bytes are used, of %d and a watermark", used, b.Room.Bytes)
				}
				return resize.Source{Format: resize.FormatJPEG, Width: 400, Height: 300, Orientation: 1, Pages: 1, Bands: 3, Depth: 8, Bytes: int64(len(data))}, nil
			}
			began := time.Now()
			var all []<-chan outcome
			for i := range fills {
				o := resize.Options{Width: 100, Format: resize.FormatJPEG, Watermark: resize.Watermark{Image: fmt.Sprintf("shop/mark%d.jpg", i)}}
				all = append(all, b.async(t.Context(), NewRequest(b.source, fmt.Sprintf("%d.jpg", i), o)))
			}
			for i, c := range all {
				if o := <-c; o.err != nil {
					t.Errorf("picture %d after %v: %v", i, time.Since(began), o.err)
				}
			}
			until(t, func() bool { return b.Room.Stats().Used == 0 })
		})
	}
}
