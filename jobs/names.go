package jobs

// Every name this package uses in Redis, beside asynq's own (asynq:…). What is of one job shares a hash
// tag, so that its scripts work on a cluster.
//
//	imgedge:{job:ID}          hash: state, run, kind, owner, created, finished, total, done, failed, gone
//	                          (how many items), cancel (1 = wanted), last (the id of the event done), and
//	                          for item N: sN state (q, r, d, f, c), eN times it was queued, wN who works,
//	                          tN until when (ms), rN the item as JSON
//	imgedge:{job:ID}:events   stream: type and data of each event
//	imgedge:{job:ID}:hooks    list: deliveries, as JSON
//	imgedge:{job:ID}:record   string: the record, where there is no bucket
//	imgedge:jobs:active       sorted set: jobs that have not ended, score 0
//	imgedge:jobs:of:OWNER     sorted set: jobs of one owner, score 0, so that ids sort by age
//	imgedge:jobs:all          sorted set: all jobs
//	imgedge:jobs:index        string: there while the sorted sets are complete
//	imgedge:jobs:turn:WORK    string: held by the node whose turn it is to look after the others' work
//	imgedge:jobs:push         channel: ids of jobs with new events
//	imgedge:{idem:HASH}       string: the request of an Idempotency-Key
const (
	activeKey   = "imgedge:jobs:active"
	allKey      = "imgedge:jobs:all"
	indexKey    = "imgedge:jobs:index"
	pushChannel = "imgedge:jobs:push"
)

func jobKey(id string) string       { return "imgedge:{job:" + id + "}" }
func eventsKey(id string) string    { return jobKey(id) + ":events" }
func hooksKey(id string) string     { return jobKey(id) + ":hooks" }
func redisRecord(id string) string  { return jobKey(id) + ":record" }
func ownerKey(owner string) string  { return "imgedge:jobs:of:" + owner }
func turnKey(work string) string    { return "imgedge:jobs:turn:" + work }
func idempotentKey(h string) string { return "imgedge:{idem:" + h + "}" }

// The queues. A task of one never waits for a task of another.
const (
	renderQueue = "imgedge-render"
	warmQueue   = "imgedge-warm"
	hookQueue   = "imgedge-hook"

	itemTask = "item" // payload ID:ITEM:EPOCH, which is the task's id too
	hookTask = "hook" // payload ID:RUN, its id hook:ID:RUN
)
