package cache

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// draw returns a random number that is neither 0 (never purged) nor unknown.
func draw() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])>>1 | 1
}

func format(n uint64) string { return strconv.FormatUint(n, 10) }

// counters is what a poll reads.
type counters struct {
	seq  uint64
	tip  string
	view view
}

// beginCounters makes the counters where there are none. A small seq: it is counted in doubles.
//
// KEYS purgeKey  ARGV seq tip all
var beginCounters = redis.NewScript(`
if redis.call('HSETNX', KEYS[1], 'seq', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], 'tip', ARGV[2], 'all', ARGV[3])
end
return 1`)

// readCounters reads the counters, and makes them where there are none.
func (g *Generations) readCounters(ctx context.Context) (counters, error) {
	var fields map[string]string
	err := g.fleet.try(ctx, opPoll, g.fleet.timeout, func(ctx context.Context) (err error) {
		fields, err = g.fleet.client.HGetAll(ctx, purgeKey).Result()
		if err != nil || fields[fieldSeq] != "" {
			return err
		}
		seq, tip, all := beginArgs()
		if err = beginCounters.Run(ctx, g.fleet.client, []string{purgeKey}, seq, tip, all).Err(); err != nil {
			return err
		}
		fields, err = g.fleet.client.HGetAll(ctx, purgeKey).Result()
		if err == nil && fields[fieldSeq] == "" {
			err = errReply
		}
		return err
	})
	return parseCounters(fields), err
}

// beginArgs are the first values of seq, tip and all.
func beginArgs() (seq, tip, all string) {
	return format(draw() >> 24), format(draw()), format(draw())
}

func parseCounters(fields map[string]string) counters {
	c := counters{view: view{sources: make(map[string]uint64, len(fields))}}
	for name, value := range fields {
		n, _ := strconv.ParseUint(value, 10, 64) // what is no number differs from all that is
		switch {
		case name == fieldSeq:
			c.seq = n
		case name == fieldTip:
			c.tip = value
		case name == fieldAll:
			c.view.all = n
		case strings.HasPrefix(name, fieldSource):
			c.view.sources[name[len(fieldSource):]] = n
		}
	}
	return c
}
