package origin

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A server that dies with many connections open is asked at most 4 times for one fetch: net/http would send
// a request again over each of them.
func TestDyingServerIsAskedFourTimes(t *testing.T) {
	const open = 8
	openers := map[string]func(base string) (Opener, error){
		"web server": func(base string) (Opener, error) {
			return NewHTTP(HTTPSettings{Base: base, AllowNetworks: loopback})
		},
		"bucket": func(base string) (Opener, error) {
			return NewBucket(BucketSettings{Endpoint: base, Name: "shop", PathStyle: true})
		},
	}
	for name, opener := range openers {
		t.Run(name, func(t *testing.T) {
			var dying atomic.Bool
			var meet sync.WaitGroup
			meet.Add(open)
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if dying.Load() {
					panic(http.ErrAbortHandler)
				}
				meet.Done()
				meet.Wait()                                                               // so that each has a connection of its own
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat)) // S3 always says
				_, _ = w.Write([]byte("picture"))
			})
			from, err := opener(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			src := &Source{Opener: from, Timeout: 5 * time.Second}
			var wait sync.WaitGroup
			for range open {
				wait.Go(func() {
					if _, err := src.Fetch(t.Context(), "a.jpg", Conditions{}); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			dying.Store(true)
			before := server.n.Load()
			_, err = src.Fetch(t.Context(), "a.jpg", Conditions{})
			wantStatus(t, err, http.StatusBadGateway, "origin_failed")
			if asked := server.n.Load() - before; asked < maxTries || asked > 4 {
				t.Errorf("asked %d times with %d connections open, want %d or 4", asked, open, maxTries)
			}
			if err := from.(io.Closer).Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Who is too busy and does not say for how long is left alone for a second by clients; the next try
// does not wait for that.
func TestBusyWithoutRetryAfter(t *testing.T) {
	for status, want := range map[int]time.Duration{
		http.StatusTooManyRequests: time.Second, http.StatusServiceUnavailable: time.Second,
		http.StatusInternalServerError: 0, http.StatusBadGateway: 0,
	} {
		e := statusError(status, http.Header{}, nil, time.Now())
		if e.RetryAfter() != want || e.Wait != 0 {
			t.Errorf("%d: Retry-After %v and a wait of %v before the next try, want %v and 0", status, e.RetryAfter(), e.Wait, want)
		}
	}
}
