package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/imgedge/imgedge/bench/proc"
)

// redisServer is a Redis that is killed, frozen and started again on one port.
type redisServer struct {
	program, address, dir string
	cmd                   *exec.Cmd
}

func startRedis(ctx context.Context, program, dir string) (*redisServer, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port: %w", err)
	}
	r := &redisServer{program: program, address: l.Addr().String(), dir: dir}
	_ = l.Close() // it had no connections
	return r, r.start(ctx)
}

// start ends with an answer, or an error; the process outlives ctx, stop ends it.
func (r *redisServer) start(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	host, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return err
	}
	r.cmd = exec.CommandContext(ctx, r.program, "--bind", host, "--port", port, "--dir", r.dir, "--save", "", "--appendonly", "no", "--maxmemory", "128mb", "--maxmemory-policy", "allkeys-lru") //nolint:gosec // the caller's program
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	dialer := net.Dialer{Timeout: time.Second}
	for range 100 {
		conn, err := dialer.DialContext(ctx, "tcp", r.address)
		if err == nil {
			return conn.Close()
		}
		time.Sleep(50 * time.Millisecond) // it is another process
	}
	return errors.New("start Redis: it does not answer")
}

func (r *redisServer) stop() {
	_ = r.cmd.Process.Kill() // it may have ended
	_ = r.cmd.Wait()         // it was killed
}

func (r *redisServer) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

// disturber does one thing after another to the server and its Redis.
type disturber struct {
	config Config
	server *server
	redis  *redisServer
}

// run disturbs until ctx ends and returns how often each thing was done. Redis runs afterwards.
func (d *disturber) run(ctx context.Context) map[string]int {
	random := rand.New(rand.NewPCG(d.config.Seed, 1<<32)) //nolint:gosec // not for secrets
	done := map[string]int{}
	acts := []struct {
		name string
		do   func(context.Context)
	}{
		{"worker killed", func(context.Context) { d.killWorker(random) }},
		{"redis frozen", d.freezeRedis},
		{"worker killed", func(context.Context) { d.killWorker(random) }},
		{"configuration read again", func(context.Context) { _ = d.server.cmd.Process.Signal(syscall.SIGHUP) }},
		{"worker killed", func(context.Context) { d.killWorker(random) }},
		{"redis killed", d.restartRedis},
	}
	for n := 0; pause(ctx, d.config.Pause) == nil; n++ {
		act := acts[n%len(acts)]
		d.config.Log(act.name)
		act.do(ctx)
		done[act.name]++
	}
	return done
}

func (d *disturber) killWorker(random *rand.Rand) {
	pids, err := proc.Children("/proc", d.server.pid())
	if err == nil && len(pids) > 0 {
		_ = syscall.Kill(pids[random.IntN(len(pids))], syscall.SIGKILL) // it may be gone
	}
}

func (d *disturber) freezeRedis(ctx context.Context) {
	d.redis.signal(syscall.SIGSTOP)
	_ = pause(ctx, d.config.Pause) // shorter if the time is up
	d.redis.signal(syscall.SIGCONT)
}

func (d *disturber) restartRedis(ctx context.Context) {
	d.redis.stop()
	_ = pause(ctx, d.config.Pause) // shorter if the time is up
	if err := d.redis.start(ctx); err != nil {
		d.config.Log(err.Error())
	}
}

// memoryWatch notes the highest PSS.
type memoryWatch struct {
	end  chan struct{}
	done sync.WaitGroup
	peak int64 // bytes
}

func watchMemory(pid int) *memoryWatch {
	w := &memoryWatch{end: make(chan struct{})}
	w.done.Go(func() {
		tick := time.NewTicker(proc.Interval)
		defer tick.Stop()
		for {
			if u, err := proc.ReadPSS("/proc", pid); err == nil { // children come and go
				w.peak = max(w.peak, u.PSS)
			}
			select {
			case <-tick.C:
			case <-w.end:
				return
			}
		}
	})
	return w
}

// stop returns the peak, bytes.
func (w *memoryWatch) stop() int64 {
	close(w.end)
	w.done.Wait()
	return w.peak
}
