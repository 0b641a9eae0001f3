// Command compare puts the same load on several servers in turn, A B A B, and reports ratios: the machine's
// other work, its heat and its clock meet all of them alike.
//
//	go run ./bench/compare -clients 8 -duration 5s -rounds 5 -size 300x \
//	  -server imgedge  -url http://127.0.0.1:8080 -key HEX -template '/local/coast.jpg?w=300&f=jpeg&v={n}{run}' -pid 4711 \
//	  -server imgproxy -url http://127.0.0.1:8082 -template '/unsafe/rs:fit:300:0/q:80/plain/local:///coast.jpg@jpg' -pid 4712
//
// Flags behind -server belong to that server, those before the first one to all. CPU is that of the
// process trees of -pid, per answer; answers are checked. The first server is the one whose figures are
// divided by the others'. Only the hosts of -url are contacted. Exit codes are those of bench.
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
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	const failed, badUsage = 1, 2
	s, err := parseSettings(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var rivals []*rival
	if err == nil {
		rivals, err = s.rivals()
	}
	if err != nil {
		fmt.Fprintln(stderr, "compare:", err)
		return badUsage
	}
	outcome, err := s.race(ctx, rivals, stderr)
	if err == nil {
		err = outcome.writeText(stdout)
	}
	if err == nil && s.jsonFile != "" {
		err = report.WriteFile(s.jsonFile, outcome.writeJSON)
	}
	if err != nil {
		fmt.Fprintln(stderr, "compare:", err)
		return failed
	}
	if !outcome.good() {
		return failed
	}
	return 0
}
