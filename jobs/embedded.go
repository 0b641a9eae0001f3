package jobs

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Embedded is a Redis inside this process, for a node that has none: jobs are known to this node alone,
// and after a restart those that have not ended begin again from their records.
type Embedded struct {
	server *miniredis.Miniredis
	URL    string // redis://:password@127.0.0.1:port/0

	stop chan struct{} // closed when it is
	once sync.Once
	done sync.WaitGroup
}

// agePause lies between two looks at what has outlived its time. With miniredis' own ClockTTL each command looks
// at all keys, which is a millisecond where a thousand pictures are queued.
const agePause = 100 * time.Millisecond

// StartEmbedded starts one on a free loopback port, with a password of its own.
func StartEmbedded() (*Embedded, error) {
	m := miniredis.NewMiniRedis()
	password := rand.Text()
	m.RequireAuth(password)
	if err := m.Start(); err != nil {
		return nil, err
	}
	e := &Embedded{server: m, URL: "redis://:" + password + "@" + m.Addr() + "/0", stop: make(chan struct{})}
	e.done.Go(e.age)
	return e, nil
}

// age lets the keys grow older.
func (e *Embedded) age() {
	tick := time.NewTicker(agePause)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-e.stop:
			return
		case now := <-tick.C:
			e.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close stops it. What it held is gone. Twice is fine.
func (e *Embedded) Close() error {
	e.once.Do(func() { close(e.stop) })
	e.done.Wait()
	e.server.Close()
	return nil
}
