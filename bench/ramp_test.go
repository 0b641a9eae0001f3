package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
	"pgregory.net/rapid"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/measure"
)

// TestSearchFindsALimit asks an oracle that knows the limit.
func TestSearchFindsALimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(1, 50_000).Draw(t, "limit")
		s := search{rate: rapid.Float64Range(1, 20_000).Draw(t, "first"), most: 20_000}
		steps := 0
		for more := true; more; steps++ {
			more = s.note(s.rate <= limit)
		}
		want := min(limit, s.most)
		if s.good > want || s.good < want/precision/1.001 || steps > maxSteps/2 {
			t.Fatalf("a limit of %v is found as %v after %d steps", limit, s.good, steps)
		}
	})
}

func TestSearchGivesUp(t *testing.T) {
	s := search{rate: 100, most: 1000}
	steps := 1
	for s.note(false) {
		steps++
	}
	if s.good != 0 || steps > 10 {
		t.Errorf("a server that never keeps the goal: %v after %d steps", s.good, steps)
	}
}

// TestSearchTakesBack: what passed by luck and failed later is looked for below.
func TestSearchTakesBack(t *testing.T) {
	s := search{rate: 100, most: 1000}
	for more := true; more; {
		more = s.note(s.rate <= 800)
	}
	best := s.good
	s.refute([]float64{100, 200, 400, best})
	if s.bad != best || s.good != 400 || s.rate <= 400 || s.rate >= best {
		t.Errorf("after %v was refuted: %+v", best, s)
	}
	s = search{rate: 100, good: 100, most: 1000}
	s.refute([]float64{100})
	if s.good != 0 || s.rate != 50 {
		t.Errorf("after the only one was refuted: %+v", s)
	}
}

// TestRampFindsTheServersLimit: 4 at a time, 10 ms each, is 400 a second and not more. The clock is the
// bubble's.
func TestRampFindsTheServersLimit(t *testing.T) {
	var warm fasthttp.Response
	_ = warm.Write(bufio.NewWriter(io.Discard)) // starts what fasthttp keeps running, outside the bubble
	synctest.Test(t, func(t *testing.T) {
		slots := make(chan struct{}, 4)
		serve := func(conn net.Conn) {
			defer conn.Close()
			reader, writer := bufio.NewReader(conn), bufio.NewWriter(conn)
			for {
				var request fasthttp.Request
				var response fasthttp.Response
				if request.Read(reader) != nil {
					return
				}
				slots <- struct{}{}
				time.Sleep(10 * time.Millisecond)
				<-slots
				if response.Write(writer) != nil || writer.Flush() != nil {
					return
				}
			}
		}
		tmpl, err := load.ParseTemplate("/a")
		if err != nil {
			t.Fatal(err)
		}
		population, err := load.Mix{Templates: []load.Template{tmpl}}.Population()
		if err != nil {
			t.Fatal(err)
		}
		subject := &measure.Subject{Population: population, Status: 200, Server: load.Server{
			Base: &url.URL{Scheme: "http", Host: "edge.test"},
			Dial: func(context.Context) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go serve(theirs)
				return ours, nil
			},
		}}
		defer subject.Close()
		s := settings{
			phase: load.Phase{Clients: 32, Seed: 1, Sleep: func(_ context.Context, until time.Time) { time.Sleep(time.Until(until)) }},
			ramp:  ramp{percent: 95, goal: 50 * time.Millisecond, step: 3 * time.Second, most: 10_000},
		}
		b := newBars(t.Context(), io.Discard, true)
		phase, err := s.search(t.Context(), subject, b)
		b.close()
		if err != nil {
			t.Fatal(err)
		}
		if best := phase.Ramp.Best; best < 300 || best > 420 {
			t.Errorf("400 a second is found as %v: %+v", best, phase.Ramp.Steps)
		}
		if phase.Offered != phase.Ramp.Best || !phase.Good() || phase.Latency.P90 > 50 {
			t.Errorf("the phase of the report is not the best one: %v offered, %+v", phase.Offered, phase.Latency)
		}
	})
}
