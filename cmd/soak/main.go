// Command soak keeps a real server under mixed traffic while workers and Redis are killed and hostile files
// are asked for; see bench/soak. It ends with 1 if anything was not as promised.
//
//	go run ./cmd/soak -edge bin/edge -dir samples -time 10m
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/imgedge/imgedge/bench/soak"
	"github.com/imgedge/imgedge/sample"
)

func main() {
	c := soak.Config{Names: sample.Names(), Log: func(text string) { fmt.Fprintln(os.Stderr, "soak:", text) }}
	edge := flag.String("edge", "bin/edge", "the server's program")
	flag.StringVar(&c.Redis, "redis", "redis-server", "the program of Redis")
	flag.StringVar(&c.Pictures, "dir", "samples", "folder with the pictures, as cmd/sample paints it")
	flag.StringVar(&c.Hostile, "hostile", os.Getenv("IMGEDGE_HOSTILE"), "folder of further hostile files")
	flag.DurationVar(&c.Time, "time", 0, "how long; 0 is 10 minutes")
	flag.DurationVar(&c.Pause, "pause", 0, "between two disturbances; 0 is 2 seconds")
	flag.IntVar(&c.Clients, "clients", 0, "requests at a time; 0 is 8")
	flag.Uint64Var(&c.Seed, "seed", 1, "of the mix")
	flag.Parse()
	c.Edge = []string{*edge}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report, err := soak.Run(ctx, c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
	fmt.Print(report)
	if len(report.Breaches) > 0 {
		os.Exit(1)
	}
}
