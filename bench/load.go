package main

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// load runs the closed loop until the duration is over, the requests are used up or ctx ends, and waits
// for the answers under way.
func load(ctx context.Context, s settings) *report {
	ctx, cancel := context.WithTimeout(ctx, s.duration)
	defer cancel()
	client := &fasthttp.HostClient{
		Addr:                          s.base.Host,
		IsTLS:                         s.base.Scheme == "https",
		MaxConns:                      s.clients,
		MaxIdemponentCallAttempts:     1, // a request that fails is counted, not repeated
		DisablePathNormalizing:        true,
		DisableHeaderNamesNormalizing: false,
		NoDefaultUserAgentHeader:      true,
		ReadBufferSize:                16 << 10,
	}
	defer client.CloseIdleConnections()

	var number atomic.Int64
	tallies := make([]*tally, s.clients)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range tallies {
		tallies[i] = newTally()
		c := loader{settings: s, client: client, number: &number, dice: rand.New(rand.NewPCG(s.seed, uint64(i))), tally: tallies[i]}
		wg.Go(func() { c.loop(ctx) })
	}
	wg.Wait()
	return newReport(s, time.Since(start), tallies)
}

// loader is one client of the loop.
type loader struct {
	settings
	client *fasthttp.HostClient
	number *atomic.Int64 // of the next request, shared by all
	dice   *rand.Rand
	tally  *tally
}

func (l *loader) loop(ctx context.Context) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	for ctx.Err() == nil {
		n := l.number.Add(1)
		if l.requests > 0 && n > l.requests {
			return
		}
		l.ask(n, request, response)
	}
}

// ask sends request n and counts what comes back.
func (l *loader) ask(n int64, request *fasthttp.Request, response *fasthttp.Response) {
	width := 0
	if len(l.template.widths) > 0 {
		width = l.template.widths[l.dice.IntN(len(l.template.widths))]
	}
	target, err := l.target(l.template.expand(n, width))
	if err != nil {
		l.tally.fail("sign: " + err.Error())
		return
	}
	request.Reset()
	response.Reset()
	request.SetRequestURI(l.base.String() + target)
	request.URI().DisablePathNormalizing = true
	if l.accept != "" {
		request.Header.Set("Accept", l.accept)
	}
	start := time.Now()
	err = l.client.DoTimeout(request, response, l.timeout)
	took := time.Since(start)
	if err != nil {
		l.tally.fail(err.Error())
		return
	}
	l.tally.answer(response.StatusCode(), verdict(string(response.Header.Peek("Cache-Status"))), len(response.Body()), took)
}

// target names the key and signs.
func (s *settings) target(text string) (string, error) {
	if s.kid != "" {
		separator := "?"
		if strings.Contains(text, "?") {
			separator = "&"
		}
		text += separator + "kid=" + s.kid
	}
	if !s.signed {
		return text, nil
	}
	return s.key.SignTarget(text)
}

// verdict words what a Cache-Status header (RFC 9211) says of the cache nearest to us, the last member:
// "hit memory", "miss", "miss collapsed", "stale"; "none" without the header.
func verdict(header string) string {
	member := header[strings.LastIndexByte(header, ',')+1:]
	fields := strings.Split(member, ";")
	var word, detail string
	collapsed := false
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "hit":
			word = "hit"
		case "fwd":
			word = value
		case "detail":
			detail = value
		case "collapsed":
			collapsed = true
		}
	}
	switch {
	case word == "":
		return "none"
	case collapsed:
		return word + " collapsed"
	case detail != "":
		return word + " " + detail
	}
	return word
}
