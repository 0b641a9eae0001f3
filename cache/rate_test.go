package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/internal/testpeer"
)

func TestRates(t *testing.T) {
	testRates(t, testpeer.Redis(t).URL)
}

func TestRatesOnACluster(t *testing.T) {
	testRates(t, "redis+cluster://"+strings.Join(testpeer.RedisCluster(t), ","))
}

// A window of an hour does not move while a test runs.
func testRates(t *testing.T, url string) {
	a, b := Rates{newNode(t, url).fleet}, Rates{newNode(t, url).fleet}
	hourly := Rate{Events: 5, Window: time.Hour}
	const each = time.Hour / 5
	near := func(got, want time.Duration) bool { return got > want-time.Minute && got <= want+time.Second }
	take := func(who string) (wait, lead time.Duration) {
		t.Helper()
		wait, lead, err := a.Take(t.Context(), who, hourly)
		if err != nil {
			t.Fatal(err)
		}
		a, b = b, a // in turn on both nodes
		return wait, lead
	}
	for n := range 5 {
		if wait, lead := take("one"); wait != 0 || !near(lead, time.Duration(n+1)*each) {
			t.Errorf("event %d: wait %v, lead %v; want 0 and %v", n+1, wait, lead, time.Duration(n+1)*each)
		}
	}
	for range 3 { // a refusal is not counted
		if wait, lead := take("one"); !near(wait, each) || !near(lead, time.Hour) {
			t.Errorf("one too many: wait %v, lead %v; want %v and 1h", wait, lead, each)
		}
	}
	if wait, _ := take("another"); wait != 0 {
		t.Errorf("another client waits %v", wait)
	}
	lead, err := b.Spend(t.Context(), "spender", hourly, 3)
	if err != nil || !near(lead, 3*each) {
		t.Errorf("3 spent: lead %v, %v; want %v", lead, err, 3*each)
	}
	lead, err = b.Spend(t.Context(), "spender", hourly, 1000)
	if err != nil || !near(lead, time.Hour) {
		t.Errorf("1000 spent: lead %v, %v; want a window, no more", lead, err)
	}
	short := Rate{Events: 1, Window: 10 * time.Minute} // after a reload
	if wait, lead, err := b.Take(t.Context(), "one", short); err != nil || !near(wait, 10*time.Minute) || !near(lead, 10*time.Minute) {
		t.Errorf("in a shorter window: wait %v, lead %v, %v; want 10m", wait, lead, err)
	}
	if ttl, err := b.Fleet.client.PTTL(t.Context(), rateKey(rateHash("one"))).Result(); err != nil || !near(ttl, 10*time.Minute) {
		t.Errorf("in a shorter window the key lives for %v, %v; want 10m", ttl, err)
	}
	ttl, err := b.Fleet.client.PTTL(t.Context(), rateKey(rateHash("spender"))).Result()
	if err != nil || !near(ttl, time.Hour) {
		t.Errorf("the key lives for %v, %v; want as long as the lead", ttl, err)
	}
}

func TestRatesWithoutRedis(t *testing.T) {
	rate := Rate{Events: 1, Window: time.Second}
	alone := Rates{newNode(t, "").fleet}
	if _, _, err := alone.Take(t.Context(), "one", rate); err == nil {
		t.Error("Take without a Redis says nothing")
	}
	s := testpeer.Redis(t)
	r := Rates{newNode(t, s.URL).fleet}
	s.Stop()
	if _, _, err := r.Take(t.Context(), "one", rate); err == nil {
		t.Error("Take with a Redis that is gone says nothing")
	}
	if r.Fleet.Stats().Errors["rate"] == 0 {
		t.Error("its trouble is not counted")
	}
}
