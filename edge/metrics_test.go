package edge

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imgedge/imgedge/pipeline"
)

// metricsOf returns what /metrics says now.
func (r *running) metricsNow() string { return r.do("GET", r.admin, "/metrics", "").body }

func TestMetrics(t *testing.T) {
	via := pipeline.Via{Timing: pipeline.Timing{Fetch: time.Millisecond, Decode: 30 * time.Millisecond}}
	fake := held(picture("body", "image/jpeg"))
	r := start(t, &Server{Pictures: fake, Stats: func(emit Emit) {
		emit(CacheHits, 3, "memory")
		emit(CacheHits, 5, "redis")
		emit(CacheBytes, 4096, "memory")
		emit(Collapsed, 2, "fleet")
		emit(OriginRequests, 9, "shop", "ok")
		emit(Renders, 1, "webp", "small")
		emit(QueueLength, 4, "small")
		emit(PurgeUnverified, 1)
	}}, testSite())
	for range 3 {
		r.signed("/shop/a.jpg")
	}
	r.signed("/shop/a.jpg", "If-None-Match: *")
	r.get("/shop/a.jpg")
	r.get("/evil%22%0A/a.jpg")
	fake.lookup = nil
	fake.get = made(picture("body", "image/jpeg"), via, nil).get
	r.signed("/shop/b.jpg")
	r.ReloadFailed()
	got := r.metricsNow()
	for _, line := range []string{
		`imgedge_requests_total{cache="memory",source="shop",status="200"} 3`,
		`imgedge_requests_total{cache="memory",source="shop",status="304"} 1`,
		`imgedge_requests_total{cache="none",source="shop",status="403"} 1`,
		`imgedge_requests_total{cache="none",source="",status="404"} 1`,
		`imgedge_requests_total{cache="miss",source="shop",status="200"} 1`,
		`imgedge_request_duration_seconds_count{cache="memory"} 4`,
		`imgedge_stage_duration_seconds_count{stage="decode"} 1`,
		`imgedge_stage_duration_seconds_sum{stage="decode"} 0.03`,
		`imgedge_stage_duration_seconds_count{stage="encode"} 0`,
		`imgedge_bytes_saved_total 384`, // 4 × (100 − 4)
		`imgedge_config_reload_success 0`,
		`imgedge_cache_hits_total{tier="memory"} 3`,
		`imgedge_cache_hits_total{tier="redis"} 5`,
		`imgedge_cache_bytes{tier="memory"} 4096`,
		`imgedge_collapsed_total{scope="fleet"} 2`,
		`imgedge_origin_requests_total{result="ok",source="shop"} 9`,
		`imgedge_render_total{format="webp",lane="small"} 1`,
		`imgedge_queue_length{lane="small"} 4`,
		`imgedge_purge_unverified 1`,
		`imgedge_connections{state="quiet"} 0`,
	} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if strings.Contains(got, "evil") || strings.Contains(got, "a.jpg") {
		t.Error("/metrics tells what clients sent")
	}
	r.Reload(testSite())
	if !strings.Contains(r.metricsNow(), "\nimgedge_config_reload_success 1\n") {
		t.Error("a good reload does not show")
	}
}

// Every metric has a name of its own and takes as many labels as it is described with.
func TestMetricNames(t *testing.T) {
	seen := make(map[string]bool)
	for m := range metricKinds {
		d := m.describe()
		if d.name == "" || d.help == "" || seen[d.name] {
			t.Errorf("metric %d: %+v", m, d)
		}
		if strings.HasSuffix(d.name, "_total") == d.gauge {
			t.Errorf("%s: a counter ends in _total, a gauge does not", d.name)
		}
		seen[d.name] = true
	}
}

// A wrong number of labels shows in the scrape and does not end the process.
func TestMetricMisuse(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Stats: func(emit Emit) { emit(CacheHits, 1) }}, testSite())
	if got := r.do("GET", r.admin, "/metrics", ""); got.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", got.StatusCode)
	}
	if got := r.get("/healthz"); got.StatusCode != http.StatusOK {
		t.Errorf("healthz: %d", got.StatusCode)
	}
}

func TestAccessLog(t *testing.T) {
	var log logged
	site := testSite()
	site.TrustProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r := start(t, &Server{Pictures: held(picture("body", "image/jpeg")), AccessLog: log.logger()}, site)
	log.b.Reset() // of the health checks of start
	target := sign(t, "/shop/a.jpg?w=300")
	r.get(target, "X-Forwarded-For: 203.0.113.7", "X-Request-Id: from-the-proxy")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1:\n%s", len(lines), log.String())
	}
	for _, field := range []string{
		`"method":"GET"`, `"target":"/shop/a.jpg?w=300"`, `"source":"shop"`, `"status":200`, `"bytes":4`, `"cache":"memory"`,
		`"ms":0`, `"request_id":"from-the-proxy"`, `"client":"203.0.113.7"`,
	} {
		if !strings.Contains(lines[0], field) {
			t.Errorf("the line lacks %s: %s", field, lines[0])
		}
	}
	if strings.Contains(lines[0], testKey.Sign("/shop/a.jpg?w=300")) {
		t.Errorf("the line holds the signature: %s", lines[0])
	}
}

// X-Request-Id is a trusted proxy's, if it is a plain word of at most 128 bytes, and else new.
func TestRequestID(t *testing.T) {
	proxy := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, row := range []struct {
		name    string
		proxies []netip.Prefix
		given   string
		kept    bool
	}{
		{"trusted", proxy, "abc-123", true},
		{"of 128 bytes", proxy, strings.Repeat("a", 128), true},
		{"too long", proxy, strings.Repeat("a", 129), false},
		{"with a space", proxy, "a b", false},
		{"not ASCII", proxy, "ö", false},
		{"of a stranger", nil, "abc-123", false},
		{"of another network", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "abc-123", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			site := testSite()
			site.TrustProxies = row.proxies
			r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
			first := r.get("/healthz", "X-Request-Id: "+row.given).Header.Get("X-Request-Id")
			if (first == row.given) != row.kept {
				t.Errorf("X-Request-Id = %q", first)
			}
			if second := r.get("/healthz").Header.Get("X-Request-Id"); second == first || second == "" {
				t.Errorf("the next one is %q", second)
			}
		})
	}
}

// Who asks, behind proxies: the last address that no trusted proxy has.
func TestClient(t *testing.T) {
	var log logged
	site := testSite()
	site.TrustProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), AccessLog: log.logger()}, site)
	for _, row := range []struct {
		header []string
		want   string
	}{
		{nil, "127.0.0.1"},
		{[]string{"X-Forwarded-For: 203.0.113.7"}, "203.0.113.7"},
		{[]string{"X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		{[]string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.7"}, "203.0.113.7"},
		{[]string{"X-Forwarded-For: 10.9.9.9"}, "10.9.9.9"},
		{[]string{"X-Forwarded-For: 203.0.113.7:1234"}, "203.0.113.7"},
		{[]string{"X-Forwarded-For: [2001:db8::1]:443"}, "2001:db8::1"},
		{[]string{"X-Forwarded-For: 203.0.113.7, nonsense, 10.1.2.3"}, "10.1.2.3"},
	} {
		log.mu.Lock()
		log.b.Reset()
		log.mu.Unlock()
		r.get("/healthz", row.header...)
		if !strings.Contains(log.String(), `"client":"`+row.want+`"`) {
			t.Errorf("%q: want client %s: %s", row.header, row.want, log.String())
		}
	}
}

// The memo stays within its size, and keeps what is asked for often.
func TestMemoEviction(t *testing.T) {
	m := newMemo(160)
	hot := &known{filename: "hot"}
	m.put("/shop/hot", hot)
	for i := range 10_000 {
		m.put("/shop/"+strconv.Itoa(i), &known{})
		if m.get([]byte("/shop/hot")) != hot {
			t.Fatalf("what is asked for all the time is gone after %d others", i)
		}
	}
	if n := m.size(); n > 160 || n < 100 {
		t.Errorf("%d entries, want about 160", n)
	}
	if k := m.put("/shop/hot", &known{}); k != hot {
		t.Error("a second verification replaces the first")
	}
	m.put(strings.Repeat("a", maxMemoTarget+1), &known{})
	if m.get([]byte(strings.Repeat("a", maxMemoTarget+1))) != nil {
		t.Error("an overlong target is kept")
	}
	none := newMemo(-1)
	none.put("/a", hot)
	if none.get([]byte("/a")) != nil || none.size() != 0 {
		t.Error("a memo that is off remembers")
	}
}

// What Accept values mean is remembered in bounded room, and the meaning does not depend on that.
func TestAcceptMemo(t *testing.T) {
	var m acceptMemo
	for i := range 3 * maxAccepts {
		header := "image/webp, x/" + strconv.Itoa(i)
		for range 2 {
			if got := m.read([]byte(header)); got != takesWebP {
				t.Fatalf("read(%q) = %b", header, got)
			}
		}
	}
	if n := len(*m.seen.Load()); n > maxAccepts+1 {
		t.Errorf("%d values are remembered", n)
	}
	if m.read(nil) != 0 || m.read([]byte(strings.Repeat("x/y,", 200)+"image/avif")) != takesAVIF {
		t.Error("empty or long values are misread")
	}
}
