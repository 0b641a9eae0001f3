// Command bench puts load on one server and reports what came back: signed URLs from templates, a list or a
// bucket, in a closed loop of clients or in an open loop of arrivals, with answers that are checked.
//
//	go run ./bench -url http://127.0.0.1:8080 -key HEX -template '/local/coast.jpg?w={w}&f=jpeg' -w 100-1000 -clients 64 -duration 10s
//
// docs/bench.md explains every flag with examples. Only the hosts of -url, -metrics and -bucket are
// contacted; redirects are not followed. The exit code is 0 when every answer had the status of -status and
// every checked one was right, 1 when not, 2 for flags that cannot be used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/imgedge/imgedge/bench/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	failed   = 1
	badUsage = 2
)

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, err := parseSettings(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return badUsage
	case len(s.compare) > 0:
		return compare(s, stdout, stderr)
	}
	subject, err := s.subject(ctx, stdin)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return badUsage
	}
	defer subject.Close()
	r, err := s.load(ctx, subject, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return failed
	}
	if err := s.write(stdout, r.WriteText, r.WriteJSON, r); err != nil {
		fmt.Fprintln(stderr, "bench: write report:", err)
		return failed
	}
	if !r.Good() {
		return failed
	}
	return 0
}

// compare writes two earlier reports side by side.
func compare(s settings, stdout, stderr io.Writer) int {
	before, err := report.Read(s.compare[0])
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return badUsage
	}
	after, err := report.Read(s.compare[1])
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return badUsage
	}
	text := func(w io.Writer) error { return report.WriteComparison(w, before, after) }
	if err := s.write(stdout, text, nil, before, after); err != nil {
		fmt.Fprintln(stderr, "bench: write comparison:", err)
		return failed
	}
	return 0
}

// write writes text to stdout and the files that were asked for; json may be nil.
func (s *settings) write(stdout io.Writer, text, json func(io.Writer) error, reports ...*report.Report) error {
	err := text(stdout)
	if s.jsonFile != "" && json != nil {
		err = errors.Join(err, report.WriteFile(s.jsonFile, json))
	}
	if s.htmlFile != "" {
		err = errors.Join(err, report.WriteFile(s.htmlFile, func(w io.Writer) error { return report.WriteHTML(w, reports...) }))
	}
	return err
}
