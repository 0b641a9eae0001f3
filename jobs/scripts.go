package jobs

import "github.com/redis/go-redis/v9"

// Each change of a job's state is one of these scripts. Their first key is the job's hash, the second its
// stream. Times are Redis' own, so the nodes' clocks do not matter.

// createScript begins a job unless it exists. ARGV: owner, kind, created (ms), life (ms), total, and
// the JSON of each item as it stands before it is worked on.
var createScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'state', 'queued', 'owner', ARGV[1], 'kind', ARGV[2], 'created', ARGV[3],
	'total', ARGV[5], 'done', 0, 'failed', 0, 'gone', 0, 'run', 1)
for n = 0, tonumber(ARGV[5]) - 1 do
	redis.call('HSET', KEYS[1], 's'..n, 'q', 'e'..n, 1, 'r'..n, ARGV[6 + n])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`)

// claimScript gives an item to a worker. ARGV: item, worker, lease (ms). It returns go; over where the
// item has ended; busy where another works on it; lost where the job is not known.
var claimScript = redis.NewScript(`
local s = redis.call('HGET', KEYS[1], 's'..ARGV[1])
if not s then return 'lost' end
if s ~= 'q' and s ~= 'r' then return 'over' end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if s == 'r' and now < tonumber(redis.call('HGET', KEYS[1], 't'..ARGV[1])) then return 'busy' end
redis.call('HSET', KEYS[1], 's'..ARGV[1], 'r', 'w'..ARGV[1], ARGV[2], 't'..ARGV[1], now + ARGV[3])
if redis.call('HGET', KEYS[1], 'state') == 'queued' then redis.call('HSET', KEYS[1], 'state', 'running') end
return 'go'`)

// renewScript prolongs a lease. ARGV: item, worker, lease (ms).
var renewScript = redis.NewScript(`
if redis.call('HGET', KEYS[1], 's'..ARGV[1]) ~= 'r' or redis.call('HGET', KEYS[1], 'w'..ARGV[1]) ~= ARGV[2] then return 0 end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 't'..ARGV[1], t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3])
return 1`)

// releaseScript puts an item back that its worker could not finish. ARGV: item, worker.
var releaseScript = redis.NewScript(`
if redis.call('HGET', KEYS[1], 's'..ARGV[1]) ~= 'r' or redis.call('HGET', KEYS[1], 'w'..ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 's'..ARGV[1], 'q')
return 1`)

// finishScript ends an item, which is counted by the first who does. ARGV: item, state (d, f, c), the
// item as JSON, the job's id, channel, most events kept, life of the stream (ms). It returns lost, over,
// or, where it counted, last if no item is left and more if some are.
var finishScript = redis.NewScript(`
local n, to = ARGV[1], ARGV[2]
local s = redis.call('HGET', KEYS[1], 's'..n)
if not s then return 'lost' end
if s ~= 'q' and s ~= 'r' then return 'over' end
redis.call('HSET', KEYS[1], 's'..n, to, 'r'..n, ARGV[3])
if to == 'd' then redis.call('HINCRBY', KEYS[1], 'done', 1) end
if to == 'f' then redis.call('HINCRBY', KEYS[1], 'failed', 1) end
local gone = redis.call('HINCRBY', KEYS[1], 'gone', 1)
local v = redis.call('HMGET', KEYS[1], 'done', 'failed', 'total')
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'type', 'item', 'data',
	'{"state":"running","done":'..v[1]..',"failed":'..v[2]..',"total":'..v[3]..',"item":'..ARGV[3]..'}')
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('PUBLISH', ARGV[5], ARGV[4])
if gone == tonumber(v[3]) then return 'last' end
return 'more'`)

// takeScript takes an item back whose worker has been silent beyond its lease. ARGV: item, most times
// it may be queued. It returns the new number of times, 0 where there is nothing to take, -1 where the
// item was queued too often.
var takeScript = redis.NewScript(`
if redis.call('HGET', KEYS[1], 's'..ARGV[1]) ~= 'r' then return 0 end
local t = redis.call('TIME')
if t[1] * 1000 + math.floor(t[2] / 1000) < tonumber(redis.call('HGET', KEYS[1], 't'..ARGV[1])) then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'e'..ARGV[1])) >= tonumber(ARGV[2]) then return -1 end
redis.call('HSET', KEYS[1], 's'..ARGV[1], 'q')
return redis.call('HINCRBY', KEYS[1], 'e'..ARGV[1], 1)`)

// sealScript ends a job all of whose items have ended, once. ARGV: state, id, channel, finished (ms),
// life of the stream (ms).
var sealScript = redis.NewScript(`
local v = redis.call('HMGET', KEYS[1], 'gone', 'total', 'state', 'done', 'failed')
if not v[1] then return 0 end
if v[1] ~= v[2] or v[3] ~= 'running' and v[3] ~= 'queued' then return 0 end
local last = redis.call('XADD', KEYS[2], '*', 'type', 'done', 'data',
	'{"state":"'..ARGV[1]..'","done":'..v[4]..',"failed":'..v[5]..',"total":'..v[2]..'}')
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'finished', ARGV[4], 'last', last)
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1`)

// cancelScript notes that a job is to end; what waits ends now and counts as no failure. It returns -1
// where the job is not known or has ended, else 1.
var cancelScript = redis.NewScript(`
local v = redis.call('HMGET', KEYS[1], 'state', 'total')
if v[1] ~= 'queued' and v[1] ~= 'running' then return -1 end
redis.call('HSET', KEYS[1], 'cancel', 1)
for n = 0, tonumber(v[2]) - 1 do
	if redis.call('HGET', KEYS[1], 's'..n) == 'q' then
		redis.call('HSET', KEYS[1], 's'..n, 'c')
		redis.call('HINCRBY', KEYS[1], 'gone', 1)
	end
end
return 1`)

// retryScript queues the failed items of an ended job again. ARGV: life (ms). It returns the numbers of
// the items; -1 where the job has not ended or is not known. The event done is taken back, so that a
// stream read from its beginning does not end there.
var retryScript = redis.NewScript(`
local v = redis.call('HMGET', KEYS[1], 'state', 'total', 'last')
if v[1] ~= 'partial' and v[1] ~= 'failed' then return {-1} end
local items = {}
for n = 0, tonumber(v[2]) - 1 do
	if redis.call('HGET', KEYS[1], 's'..n) == 'f' then
		redis.call('HSET', KEYS[1], 's'..n, 'q')
		redis.call('HINCRBY', KEYS[1], 'e'..n, 1)
		items[#items + 1] = n
	end
end
redis.call('HINCRBY', KEYS[1], 'failed', -#items)
redis.call('HINCRBY', KEYS[1], 'gone', -#items)
redis.call('HINCRBY', KEYS[1], 'run', 1)
redis.call('HSET', KEYS[1], 'state', 'queued')
redis.call('HDEL', KEYS[1], 'finished', 'last')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if v[3] then redis.call('XDEL', KEYS[2], v[3]) end
return items`)
