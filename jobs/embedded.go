package jobs

import (
	"crypto/rand"

	"github.com/alicebob/miniredis/v2"
)

// Embedded is a Redis inside this process, for a node that has none: jobs are known to this node alone,
// and after a restart those that have not ended begin again from their records.
type Embedded struct {
	server *miniredis.Miniredis
	URL    string // redis://:password@127.0.0.1:port/0
}

// StartEmbedded starts one on a free loopback port, with a password of its own.
func StartEmbedded() (*Embedded, error) {
	m := miniredis.NewMiniRedis()
	password := rand.Text()
	m.RequireAuth(password)
	if err := m.Start(); err != nil {
		return nil, err
	}
	m.ClockTTL(true)
	return &Embedded{server: m, URL: "redis://:" + password + "@" + m.Addr() + "/0"}, nil
}

// Close stops it. What it held is gone.
func (e *Embedded) Close() error {
	e.server.Close()
	return nil
}
