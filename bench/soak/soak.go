// Package soak keeps a real server under mixed traffic while its workers and its Redis are killed and
// frozen, hostile files are asked for and the configuration is read again, and tells what was not as it
// has to be: wrong bytes, undeclared errors, memory beyond the promise, what was not given back.
//
//	report, err := soak.Run(ctx, soak.Config{
//		Edge: []string{"bin/edge"}, Redis: "redis-server", Pictures: "samples", Time: 10 * time.Minute,
//	})
//	report.Breaches   // none: it held
package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/imgedge/imgedge/internal/hostile"
)

// Config says what is soaked and for how long.
type Config struct {
	// Edge is the server's program and its first arguments; "serve" and flags follow.
	Edge []string

	// Env is the server's environment; nil is this process' own.
	Env []string

	// Redis is the program of the Redis server.
	Redis string

	// Pictures is the folder of sound pictures, Names the ones of it that are asked for.
	Pictures string
	Names    []string

	// Hostile is a folder of further hostile files; "" is none.
	Hostile string

	// Time is how long there is traffic; 0 is 10 minutes.
	Time time.Duration

	// Pause lies between two disturbances; 0 is 2 s.
	Pause time.Duration

	// Clients ask at the same time; 0 is 8.
	Clients int

	// MaxSide bounds the width that is asked for, in px; 0 is 1600.
	MaxSide int

	// Slack is what the processes may take beyond idle, renders, cache and originals, in bytes; 0 is 256 MiB.
	Slack int64

	// Seed makes another mix; the times of answers still decide how it goes.
	Seed uint64

	// Log is told of disturbances; nil drops it.
	Log func(text string)
}

func (c Config) withDefaults() Config {
	orElse := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	orElse(&c.Time, 10*time.Minute)
	orElse(&c.Pause, 2*time.Second)
	if c.Clients == 0 {
		c.Clients = 8
	}
	if c.MaxSide == 0 {
		c.MaxSide = 1600
	}
	if c.Slack == 0 {
		c.Slack = 256 << 20
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	return c
}

// settle is how long the server has to give back what it took.
const settle = 20 * time.Second

// Run soaks. The error is one of the soak itself: nothing could be started. What the server did wrong
// stands in the report.
func Run(ctx context.Context, c Config) (r Report, err error) {
	c = c.withDefaults()
	dir, err := os.MkdirTemp("", "imgedge-soak-")
	if err != nil {
		return Report{}, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	bad, err := writeHostile(filepath.Join(dir, "hostile"), c.Hostile)
	if err != nil {
		return Report{}, err
	}
	redis, err := startRedis(ctx, c.Redis, dir)
	if err != nil {
		return Report{}, err
	}
	defer redis.stop()
	server, err := startEdge(ctx, c, dir, redis.address)
	if err != nil {
		return Report{}, err
	}
	defer server.stop()
	t := newTraffic(server.base, c, bad)
	idle, err := server.look(ctx)
	if err != nil {
		return Report{}, err
	}
	watch := watchMemory(server.pid())
	disturbed := underFire(ctx, c, t, &disturber{config: c, server: server, redis: redis})
	t.http.CloseIdleConnections()
	after := server.settled(ctx, idle, c.Slack)
	r = Report{Disturbed: disturbed, Idle: idle, After: after, Peak: watch.stop(), Bound: idle.PSS + promised + c.Slack, BoundAfter: idle.PSS + kept + c.Slack}
	r.Restarts, r.Poisonous = server.restarts(ctx)
	code := server.stop()
	t.report(&r)
	r.judge(code)
	return r, nil
}

// underFire has clients ask and the disturber disturb until the time is up.
func underFire(ctx context.Context, c Config, t *traffic, d *disturber) map[string]int {
	ctx, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	var clients sync.WaitGroup
	for i := range c.Clients {
		clients.Go(func() { t.client(ctx, rand.New(rand.NewPCG(c.Seed, uint64(i)))) }) //nolint:gosec // not for secrets
	}
	disturbed := d.run(ctx)
	clients.Wait()
	return disturbed
}

// writeHostile writes the generated files and those of a folder into another one, flat, and returns names.
func writeHostile(dir, from string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	var names []string
	write := func(name string, data []byte) error {
		names = append(names, name)
		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
	}
	for _, f := range hostile.Files("127.0.0.1:9") {
		if err := write(f.Name, f.Data); err != nil {
			return nil, fmt.Errorf("write a hostile file: %w", err)
		}
	}
	if from == "" {
		return names, nil
	}
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return write(fmt.Sprintf("%d%s", len(names), filepath.Ext(path)), data)
	})
	return names, err
}
