package jobs

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// The Redis within forgets what has outlived its time, and nothing else.
func TestEmbeddedForgetsInTime(t *testing.T) {
	m, err := StartEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Errorf("Close, twice: %v", err)
		}
	}()
	options, err := redis.ParseURL(m.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	for key, life := range map[string]time.Duration{"soon": time.Millisecond, "late": time.Hour, "never": 0} {
		if err := client.Set(t.Context(), key, "x", life).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		n, err := client.Exists(t.Context(), "soon").Result()
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("a key that had a millisecond to live: %d are left, %v", n, err)
		}
		if n == 0 {
			break
		}
	}
	if n, err := client.Exists(t.Context(), "late", "never").Result(); n != 2 || err != nil {
		t.Errorf("of two keys that have time, %d are left, %v", n, err)
	}
}
