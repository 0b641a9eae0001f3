package jobs

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// queue puts tasks into asynq. A task's payload is its id, so that equal tasks are one.
type queue struct {
	client    *asynq.Client
	inspector *asynq.Inspector
	retry     []time.Duration // of webhooks
}

// item queues an item of a job; that it is queued already is fine.
func (q *queue) item(ctx context.Context, kind Kind, id string, item, epoch int) error {
	name := renderQueue
	if kind == KindWarm {
		name = warmQueue
	}
	payload := itemID(id, item, epoch)
	return q.put(ctx, asynq.NewTask(itemTask, []byte(payload)),
		asynq.TaskID(payload), asynq.Queue(name), asynq.MaxRetry(maxTries-1), asynq.Timeout(itemTimeout))
}

// hook queues the delivery of a job's end. The id is kept for a while, so that a run is told of once.
func (q *queue) hook(ctx context.Context, id string, run int) error {
	payload := id + ":" + strconv.Itoa(run)
	return q.put(ctx, asynq.NewTask(hookTask, []byte(payload)),
		asynq.TaskID("hook:"+payload), asynq.Queue(hookQueue), asynq.MaxRetry(len(q.retry)),
		asynq.Timeout(2*hookTimeout), asynq.Retention(time.Hour))
}

func (q *queue) put(ctx context.Context, task *asynq.Task, options ...asynq.Option) error {
	_, err := q.client.EnqueueContext(ctx, task, options...)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// stop asks the worker of an item to stop.
func (q *queue) stop(id string, item, epoch int) error {
	return q.inspector.CancelProcessing(itemID(id, item, epoch))
}

// forget takes the tasks of an item out of the queue and the dead letters.
func (q *queue) forget(kind Kind, id string, item, epoch int) {
	name := renderQueue
	if kind == KindWarm {
		name = warmQueue
	}
	_ = q.inspector.DeleteTask(name, itemID(id, item, epoch)) // mostly there is none
}

func itemID(id string, item, epoch int) string {
	return id + ":" + strconv.Itoa(item) + ":" + strconv.Itoa(epoch)
}

// parseItem reads a payload of itemTask.
func parseItem(payload []byte) (id string, item int, ok bool) {
	parts := strings.Split(string(payload), ":")
	if len(parts) != 3 || !ValidID(parts[0]) {
		return "", 0, false
	}
	item, err := strconv.Atoi(parts[1])
	return parts[0], item, err == nil && item >= 0
}

// parseHook reads a payload of hookTask.
func parseHook(payload []byte) (id string, run int, ok bool) {
	id, text, _ := strings.Cut(string(payload), ":")
	run, err := strconv.Atoi(text)
	return id, run, err == nil && ValidID(id)
}

// calmDial pauses after a connection that failed: asynq asks again at once when Redis is away.
type calmDial struct{}

var _ redis.Hook = calmDial{}

// DialHook implements redis.Hook.
func (calmDial) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil {
			return conn, nil
		}
		pause := time.NewTimer(100 * time.Millisecond)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		return nil, err
	}
}

// ProcessHook implements redis.Hook.
func (calmDial) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (calmDial) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// quiet drops what asynq would print; what matters is told through Engine.Log.
type quiet struct{}

var _ asynq.Logger = quiet{}

// Debug drops a line.
func (quiet) Debug(...any) {}

// Info drops a line.
func (quiet) Info(...any) {}

// Warn drops a line.
func (quiet) Warn(...any) {}

// Error drops a line.
func (quiet) Error(...any) {}

// Fatal drops a line.
func (quiet) Fatal(...any) {}
