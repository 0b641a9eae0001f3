// Package kafka reads the records of a topic as a member of a consumer group, for those who are told by it what
// a bucket has done.
//
//	r := &kafka.Reader{Brokers: []string{"127.0.0.1:9092"}, Topic: "bucket-events", Group: "imgedge", Handle: take}
//	if err := r.Start(); err != nil { … }
//	defer r.Close()
package kafka

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	commitEvery = time.Second            // what was handled since
	firstPause  = 250 * time.Millisecond // after a failure; it doubles
	longPause   = 30 * time.Second       // the longest
	lookBack    = time.Minute            // before Start, where a group begins that has read nothing; clocks differ
	leaveTime   = 2 * time.Second        // of taking leave of the brokers
)

// Reader hands the records of a topic to Handle, one after the other, and commits them when they are handled: a
// record may come again, and none that came after the group's first is lost. Its fields are set before Start and not changed after.
type Reader struct {
	Brokers []string // host:port of some
	Topic   string
	Group   string // of all who share the records

	// Handle takes the value of a record. An error that knows a status below 500 says that the record is bad: it
	// is passed over. After any other error the record comes again, until ctx ends.
	Handle func(ctx context.Context, value []byte) error

	// Passed is told of bad records; nil = nobody is.
	Passed func(partition int32, offset int64, cause error)

	client *kgo.Client
	leave  context.CancelFunc // gives up the brokers
	stop   context.CancelFunc // ends the loop
	done   sync.WaitGroup
	once   sync.Once

	handled, bad, failures atomic.Uint64
}

// Stats counts what a Reader did.
type Stats struct {
	Done   uint64 // records handled
	Bad    uint64 // records passed over
	Errors uint64 // connections, fetches, commits and tries of Handle that failed
}

// Stats returns a snapshot.
func (r *Reader) Stats() Stats {
	return Stats{Done: r.handled.Load(), Bad: r.bad.Load(), Errors: r.failures.Load()}
}

// Start begins to read. It waits for no broker; an error is one of the settings.
func (r *Reader) Start() error {
	life, leave := context.WithCancel(context.Background())
	client, err := kgo.NewClient(
		kgo.WithContext(life),
		kgo.SeedBrokers(r.Brokers...),
		kgo.ClientID("imgedge"),
		kgo.ConsumerGroup(r.Group),
		kgo.ConsumeTopics(r.Topic),
		kgo.ConsumeStartOffset(kgo.NewOffset().AfterMilli(time.Now().Add(-lookBack).UnixMilli())),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitMarks(), // also at the end, and when partitions go to another member
		kgo.AutoCommitInterval(commitEvery),
		kgo.AutoCommitCallback(r.committed),
		kgo.DisableClientMetrics(),
		kgo.WithHooks(connects{r}),
	)
	if err != nil {
		leave()
		return err
	}
	ctx, stop := context.WithCancel(life)
	r.client, r.leave, r.stop = client, leave, stop
	r.done.Go(func() { r.read(ctx) })
	return nil
}

// Close ends the reading, after the record that is being handled if that does not wait, and leaves the group.
// Twice is fine.
func (r *Reader) Close() error {
	r.once.Do(func() {
		if r.client == nil {
			return
		}
		r.stop()
		r.done.Wait()
		late := time.AfterFunc(leaveTime, r.leave)
		defer late.Stop()
		r.client.Close()
		r.leave()
	})
	return nil
}

// read goes on until ctx ends.
func (r *Reader) read(ctx context.Context) {
	pause := pauses()
	for ctx.Err() == nil {
		fetches := r.client.PollFetches(ctx)
		for records := fetches.RecordIter(); !records.Done(); {
			record := records.Next()
			if !r.handle(ctx, record) {
				return // it comes again, and what was fetched behind it
			}
			r.client.MarkCommitRecords(record)
		}
		if fetches.Err() == nil {
			pause.Reset()
		} else if !r.failed(ctx, pause) {
			return
		}
	}
}

// committed counts commits that failed, as a whole or for a partition; the next one makes up for them.
func (r *Reader) committed(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
	if err != nil || refused(answer) {
		r.failures.Add(1)
	}
}

// refused reports whether the brokers did not take the offset of a partition.
func refused(answer *kmsg.OffsetCommitResponse) bool {
	if answer == nil {
		return false
	}
	for _, topic := range answer.Topics {
		for _, partition := range topic.Partitions {
			if partition.ErrorCode != 0 {
				return true
			}
		}
	}
	return false
}

// handle has a record handled or passed over; false = ctx has ended before.
func (r *Reader) handle(ctx context.Context, record *kgo.Record) bool {
	pause := pauses()
	for ctx.Err() == nil {
		err := r.Handle(ctx, record.Value)
		switch {
		case err == nil:
			r.handled.Add(1)
			return true
		case isBad(err):
			r.bad.Add(1)
			if r.Passed != nil {
				r.Passed(record.Partition, record.Offset, err)
			}
			return true
		case !r.failed(ctx, pause):
			return false
		}
	}
	return false
}

// failed counts a failure and waits; false = ctx has ended.
func (r *Reader) failed(ctx context.Context, pause backoff.BackOff) bool {
	if ctx.Err() != nil {
		return false
	}
	r.failures.Add(1)
	wait := time.NewTimer(pause.NextBackOff())
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func pauses() *backoff.ExponentialBackOff {
	p := backoff.NewExponentialBackOff()
	p.InitialInterval, p.MaxInterval = firstPause, longPause
	return p
}

// isBad reports whether an error says that the record itself is bad.
func isBad(err error) bool {
	var known interface{ HTTPStatus() int }
	return errors.As(err, &known) && known.HTTPStatus() < http.StatusInternalServerError
}

// connects counts connections that fail; the client makes them again by itself.
type connects struct{ reader *Reader }

var _ kgo.HookBrokerConnect = connects{}

// OnBrokerConnect is told of each connection.
func (c connects) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		c.reader.failures.Add(1)
	}
}
