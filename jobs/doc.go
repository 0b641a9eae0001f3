// Package jobs renders many pictures behind an answer: a job has items, an item an original and one
// or more outputs. Items are tasks of an asynq queue in Redis, so that any node takes them; progress is
// counted in Redis and pushed to watchers; outputs, the record of what was asked and the manifest of
// what came of it lie in a bucket.
//
// The bucket is the record and Redis is forgettable: a job whose state is lost is queued again from its
// record. An item may be worked on twice, and is counted once: outputs have names of their own, made of
// job, item and output, and every change of an item's state is one script in Redis.
//
//	e := &jobs.Engine{Redis: client, Bucket: bucket, Pictures: pictures}
//	defer e.Close(ctx)
//	err := e.Work()                                  // on nodes that render
//	job, err := e.Submit(ctx, jobs.Spec{Source: "shop", Outputs: []string{"w=400&f=webp"}}, items)
//	watcher, err := e.Watch(ctx, job.ID, "")         // on any node
package jobs
