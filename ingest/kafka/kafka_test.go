package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/imgedge/imgedge/internal/testpeer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const topic = "bucket-events"

// broker starts a Kafka inside this process.
func broker(t *testing.T, more ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append(more, kfake.NumBrokers(1), kfake.SeedTopics(1, topic))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// produce writes records into the topic.
func produce(t *testing.T, brokers []string, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, v := range values {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// follow reads the topic into a channel until the test or stop ends it; answer decides what becomes of a record.
func follow(t *testing.T, brokers []string, answer func(value string) error) (r *Reader, values <-chan string) {
	t.Helper()
	came := make(chan string, 100) // more than any test has
	r = &Reader{Brokers: brokers, Topic: topic, Group: "g", Handle: func(_ context.Context, value []byte) error {
		came <- string(value)
		return answer(string(value))
	}, Passed: func(partition int32, offset int64, cause error) {
		came <- fmt.Sprintf("passed %d/%d: %v", partition, offset, cause)
	}}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, came
}

// next waits for records.
func next(t *testing.T, values <-chan string, want ...string) {
	t.Helper()
	var got []string
	late := time.After(20 * time.Second)
	for len(got) < len(want) {
		select {
		case v := <-values:
			got = append(got, v)
		case <-late:
			t.Fatalf("came %q, want %q", got, want)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("came %q, want %q", got, want)
	}
}

func eventually(t *testing.T, r *Reader, want Stats) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); r.Stats() != want; {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%+v, want %+v", r.Stats(), want)
		}
	}
}

type badError struct{}

func (badError) Error() string   { return "no event message" }
func (badError) HTTPStatus() int { return 400 }

func well(string) error { return nil }

// What was handled does not come again, what was not does; a bad record holds nobody up.
func TestReader(t *testing.T) {
	brokers := broker(t).ListenAddrs()
	produce(t, brokers, "a", "bad", "b")
	answer := func(value string) error {
		if value == "bad" {
			return badError{}
		}
		return nil
	}
	r, values := follow(t, brokers, answer)
	next(t, values, "a", "bad", "passed 0/1: no event message", "b")
	eventually(t, r, Stats{Done: 2, Bad: 1})
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}

	away := errors.New("redis is away")
	r, values = follow(t, brokers, func(string) error { return away })
	produce(t, brokers, "c", "d")
	next(t, values, "c", "c", "c") // until it is done, and nothing before it
	if s := r.Stats(); s.Errors < 2 || s.Done != 0 {
		t.Errorf("%+v while nothing can be done", s)
	}
	_ = r.Close()

	_, values = follow(t, brokers, answer)
	next(t, values, "c", "d")
}

// Nobody waits for a broker: it may come later, and may be away at the end.
func TestBrokerComesLater(t *testing.T) {
	address := testpeer.FreePort(t)
	r, values := follow(t, []string{address}, well)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); r.Stats().Errors == 0; {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("no failure is counted")
		}
	}
	_, port, _ := net.SplitHostPort(address) // FreePort's own form
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c := broker(t, kfake.Ports(number))
	produce(t, c.ListenAddrs(), "a")
	next(t, values, "a")
	c.Close()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	r := &Reader{Topic: topic, Group: "g"}
	if err := r.Start(); err == nil {
		t.Error("it starts without brokers")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// Brokers refuse a commit in a field of their answer.
func TestCommitThatIsRefused(t *testing.T) {
	r := &Reader{}
	answer := kmsg.NewPtrOffsetCommitResponse()
	answer.Topics = []kmsg.OffsetCommitResponseTopic{{Topic: topic, Partitions: []kmsg.OffsetCommitResponseTopicPartition{{}, {Partition: 1}}}}
	r.committed(nil, nil, answer, nil)
	if n := r.Stats().Errors; n != 0 {
		t.Errorf("%d errors of a commit that went well", n)
	}
	answer.Topics[0].Partitions[1].ErrorCode = 30 // group authorization failed
	r.committed(nil, nil, answer, nil)
	if n := r.Stats().Errors; n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
}
