package cache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Rate is how often something may happen: Events at once, and Events in each Window.
type Rate struct {
	Events int           // 1 or more
	Window time.Duration // 1 ms or more
}

// Rates counts what clients do, over all nodes, by the generic cell rate algorithm: of each client Redis
// keeps one time, at which all that it did would be done at an even pace. The times are Redis' own. It may be
// used concurrently.
type Rates struct{ Fleet *Fleet }

// countRate keeps the time at which who would be done at an even pace, never more than a window from now.
// It returns by how much an event more would pass the window, which then is not counted, and how far
// ahead of the pace who is. Events that have happened are counted in any case.
//
// KEYS rateKey  ARGV events window-in-µs how-many happened(0|1)
var countRate = redis.NewScript(`
local window = tonumber(ARGV[2])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local done = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if done > now + window then
  done = now + window
  redis.call('SET', KEYS[1], string.format('%.0f', done), 'PX', math.ceil(window / 1000))
end
local next = done + window / tonumber(ARGV[1]) * tonumber(ARGV[3])
local over = next - now - window
if ARGV[4] == '1' then
  next = math.min(next, now + window)
elseif over > 0.5 then
  return {math.ceil(over), math.ceil(done - now)}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return {0, math.ceil(next - now)}`)

// Take counts an event of who, unless that passes the rate: then wait says when it will not. lead is how
// far who is ahead of an even pace, at most the window. On an error nothing may have been counted.
func (r *Rates) Take(ctx context.Context, who string, rate Rate) (wait, lead time.Duration, err error) {
	return r.count(ctx, who, rate, 1, 0)
}

// Spend counts n events of who that have happened, and returns how far who is ahead of an even pace.
func (r *Rates) Spend(ctx context.Context, who string, rate Rate, n int) (lead time.Duration, err error) {
	_, lead, err = r.count(ctx, who, rate, n, 1)
	return lead, err
}

func (r *Rates) count(ctx context.Context, who string, rate Rate, n, happened int) (wait, lead time.Duration, err error) {
	if r.Fleet.client == nil {
		return 0, 0, ErrBreaker
	}
	err = r.Fleet.call(ctx, opRate, func(ctx context.Context) error {
		reply, err := countRate.Run(ctx, r.Fleet.client, []string{rateKey(rateHash(who))},
			rate.Events, rate.Window.Microseconds(), n, happened).Int64Slice()
		if err == nil && len(reply) != 2 {
			err = errReply
		}
		if err != nil {
			return err
		}
		wait, lead = time.Duration(reply[0])*time.Microsecond, time.Duration(reply[1])*time.Microsecond
		return nil
	})
	return wait, lead, err
}
