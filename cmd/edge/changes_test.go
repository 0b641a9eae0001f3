package main

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"

	s3 "github.com/minio/minio-go/v7"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/pipeline"
)

// changed is an S3 event message.
func changed(event string, keys ...string) string {
	var records []string
	for _, key := range keys {
		records = append(records, fmt.Sprintf(`{"eventName":%q,"s3":{"bucket":{"name":"shop"},"object":{"key":%q}}}`, event, url.QueryEscape(key)))
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// cardWidth asks for a picture as a client that takes JPEG alone, and returns its width and where it was found.
func (e edgeServer) cardWidth(t *testing.T, key string) (px int, found string) {
	t.Helper()
	a := ask(t, http.MethodGet, e.sign(t, "/old/"+key+"?p=card"))
	c, err := jpeg.DecodeConfig(bytes.NewReader(a.body))
	if err != nil {
		t.Fatalf("%d: %v", a.StatusCode, err)
	}
	return c.Width, a.Header.Get("Cache-Status")
}

// What was replaced behind our back is fetched once and made again, for every kind of browser; what was removed
// is forgotten and left alone.
func TestBucketEventsWarm(t *testing.T) {
	store, endpoint := newCountedS3(t)
	text := strings.Replace(ingestConfig(store.S3Server, endpoint, "redis: {url: "+testpeer.Redis(t).URL+"}\n"),
		"events: {webhook: true}", "events: {webhook: true, warm: [card, thumb]}", 1)
	s, other := start(t, text), start(t, text)
	put := func(key string, width, height int) {
		store.Put(t, "shop", "originals/"+key, painted(t, width, height), s3.PutObjectOptions{})
	}
	tell := func(message string) {
		t.Helper()
		if status, answer := s.call(t, http.MethodPost, "/v1/events/old", strings.NewReader(message)); status != http.StatusOK {
			t.Errorf("events: %d %s", status, answer)
		}
	}
	fetches := func() int { return store.count("GET originals/a b.jpg") }
	warmed := func(want pipeline.WarmerStats) {
		t.Helper()
		eventually(t, fmt.Sprintf("%+v", want), func() bool { return s.Node.Warmer.Stats() == want })
	}

	put("a b.jpg", 640, 480)
	if px, _ := s.cardWidth(t, "a%20b.jpg"); px != 400 || fetches() != 1 {
		t.Fatalf("%d px wide after %d fetches", px, fetches())
	}
	put("a b.jpg", 300, 100)
	tell(strings.ReplaceAll(changed("ObjectCreated:Put", "originals/x"), "%2Fx", "/x+y.jpg")) // may mean two keys; there is neither
	warmed(pipeline.WarmerStats{Failed: 1})
	twice := changed("ObjectRemoved:Delete", "originals/a b.jpg", "elsewhere/a.jpg", "originals/")
	again := changed("ObjectCreated:Put", "originals/a b.jpg", "originals/a b.jpg")
	tell(strings.Replace(twice, "]}", ","+strings.TrimPrefix(again, `{"Records":[`), 1))
	warmed(pipeline.WarmerStats{Done: 1, Failed: 1})
	for _, accept := range []string{"", "image/webp", "image/avif,image/webp,*/*"} {
		for _, preset := range []string{"thumb", "card"} {
			a := ask(t, http.MethodGet, s.sign(t, "/old/a%20b.jpg?p="+preset), "Accept", accept)
			if found := a.Header.Get("Cache-Status"); a.StatusCode != http.StatusOK || !strings.HasPrefix(found, "imgedge; hit; detail=memory") {
				t.Errorf("%s for %q: %d, %s", preset, accept, a.StatusCode, found)
			}
		}
	}
	if px, _ := s.cardWidth(t, "a%20b.jpg"); px != 300 {
		t.Errorf("%d px wide, want 300: the old picture", px)
	}
	if err := s.Node.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if px, found := other.cardWidth(t, "a%20b.jpg"); px != 300 || !strings.HasPrefix(found, "imgedge; hit; detail=redis") {
		t.Errorf("on another node %d px wide, %s", px, found)
	}
	if n := fetches(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}

	tell(changed("s3:ObjectRemoved:Delete", "originals/a b.jpg"))
	put("broken.jpg", 64, 48)
	store.Put(t, "shop", "originals/broken.jpg", []byte("no picture"), s3.PutObjectOptions{})
	tell(changed("ObjectCreated:Put", "originals/broken.jpg", "originals/.hidden", "originals/folder/"))
	warmed(pipeline.WarmerStats{Done: 1, Failed: 2})
	if n := fetches(); n != 2 {
		t.Errorf("%d fetches after the removal, want still 2", n)
	}
	for _, line := range []string{`imgedge_events_warmed_total{result="done"} 1`, `imgedge_events_warmed_total{result="failed"} 2`, "imgedge_events_waiting 0"} {
		if metrics := ask(t, http.MethodGet, s.admin+"/metrics"); !bytes.Contains(metrics.body, []byte("\n"+line+"\n")) {
			t.Errorf("/metrics has no %s", line)
		}
	}
}

// Without events.warm nothing is made that nobody asks for.
func TestBucketEventsAlone(t *testing.T) {
	store, endpoint := newCountedS3(t)
	s := start(t, ingestConfig(store.S3Server, endpoint, ""))
	store.Put(t, "shop", "originals/a.jpg", painted(t, 64, 48), s3.PutObjectOptions{})
	if status, answer := s.call(t, http.MethodPost, "/v1/events/old", strings.NewReader(changed("ObjectCreated:Put", "originals/a.jpg"))); status != http.StatusOK {
		t.Errorf("events: %d %s", status, answer)
	}
	if stats := s.Node.Warmer.Stats(); stats != (pipeline.WarmerStats{}) || store.count("GET originals/") != 0 {
		t.Errorf("%+v, %d fetches; want none", stats, store.count("GET originals/"))
	}
}

// The same from a topic that a real S3 server writes to: no source is named there.
func TestBucketEventsFromKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "changes"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	broker := cluster.ListenAddrs()[0]
	store, endpoint := newCountedS3(t, "--event-kafka-url", broker, "--event-kafka-topic", "changes")
	s := start(t, strings.Replace(ingestConfig(store.S3Server, endpoint, ""), "events: {webhook: true}",
		fmt.Sprintf("events: {kafka: {brokers: [%q], topic: changes}, warm: [card]}", broker), 1))
	for i, width := range []int{64, 96} {
		store.Put(t, "shop", "originals/a b+ü.jpg", painted(t, width, 48), s3.PutObjectOptions{})
		eventually(t, "the picture is warm", func() bool { return s.Node.Warmer.Stats().Done == uint64(i+1) })
		if px, found := s.cardWidth(t, "a%20b+%C3%BC.jpg"); px != width || !strings.HasPrefix(found, "imgedge; hit") {
			t.Errorf("%d px wide, %s; want %d and a hit", px, found, width)
		}
	}
	producer, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("changes"), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	if err := producer.ProduceSync(t.Context(), kgo.StringRecord("no message")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a bad record is passed over", func() bool { return s.Node.Kafka.Stats().Bad == 1 })
	metrics := ask(t, http.MethodGet, s.admin+"/metrics").body
	for _, line := range []string{`imgedge_kafka_records_total{result="done"} 3`, `imgedge_kafka_records_total{result="bad"} 1`} { // the server begins with a test
		if !bytes.Contains(metrics, []byte("\n"+line+"\n")) {
			t.Errorf("/metrics has no %s", line)
		}
	}
}

func TestEventSettings(t *testing.T) {
	for _, row := range []struct{ name, events, want string }{
		{"off", "{}", ""},
		{"all", `{webhook: true, warm: [thumb], kafka: {brokers: ["a:9092", "[::1]:9092"], topic: t, group: g}}`, ""},
		{"no such preset", "{warm: [thumbs]}", `there is no preset "thumbs"`},
		{"no port", `{kafka: {brokers: [a], topic: t}}`, `"a" is no address; write host:port`},
		{"no topic", `{kafka: {brokers: ["a:1"]}}`, "a topic is needed beside brokers"},
		{"no brokers", `{kafka: {topic: t}}`, "brokers are needed beside a topic"},
		{"no group", `{kafka: {brokers: ["a:1"], topic: t, group: ""}}`, "a group is needed beside brokers"},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := writeConfig(t, fmt.Sprintf("sources: {local: {dir: %q, unsigned: true}}\npresets: {thumb: \"w=20\"}\nevents: %s\n", t.TempDir(), row.events))
			_, err := Load(file, nil, Overrides{})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("Load: %v, want %q", err, row.want)
			}
		})
	}
}
