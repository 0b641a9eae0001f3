// Command bench puts load on one server and reports what came back: a closed loop of clients, each
// asking for its next picture when it has its last, with URLs made from a template and signed on the fly.
//
//	go run ./bench -url http://127.0.0.1:8080 -key HEX -template '/local/coast.jpg?w={w}&f=jpeg' -w 100-1000 -clients 64 -duration 10s
//
// {w} is a random width of -w and {n} the number of the request, which makes a URL that was never asked
// before. Only the host of -url is contacted; redirects are not followed. The exit code is 0 when every
// answer had the status of -status, 1 when not, 2 for flags that cannot be used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	const failed, badUsage = 1, 2
	s, err := parseSettings(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return badUsage
	}
	report := load(ctx, s)
	if err := report.writeText(stdout); err != nil {
		fmt.Fprintln(stderr, "bench: write report:", err)
		return failed
	}
	if s.jsonFile != "" {
		if err := report.writeJSON(s.jsonFile); err != nil {
			fmt.Fprintln(stderr, "bench: write report:", err)
			return failed
		}
	}
	if !report.good() {
		return failed
	}
	return 0
}
