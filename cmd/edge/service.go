package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"
)

// Service is a node that answers on its listeners.
type Service struct {
	Node   *Node
	Public net.Listener
	Admin  net.Listener // nil = off

	ended chan error // one for each listener, when it is served no more
}

// StartService listens where the configuration says, opens a node and serves. Port 0 picks a port.
func StartService(ctx context.Context, cfg *Config, log *slog.Logger) (*Service, error) {
	s := &Service{Node: &Node{Config: cfg, Log: log}, ended: make(chan error, 2)}
	var lc net.ListenConfig
	var err error
	if s.Public, err = lc.Listen(ctx, "tcp", cfg.Listen); err != nil {
		return nil, err
	}
	if cfg.Admin.Listen != "" {
		if s.Admin, err = lc.Listen(ctx, "tcp", cfg.Admin.Listen); err != nil {
			return nil, errors.Join(err, s.Public.Close())
		}
	}
	if err := s.Node.Open(); err != nil {
		err = errors.Join(err, s.Public.Close())
		if s.Admin != nil {
			err = errors.Join(err, s.Admin.Close())
		}
		return nil, err
	}
	go func() { s.ended <- s.Node.Server.Serve(s.Public) }()
	if s.Admin != nil {
		go func() { s.ended <- s.Node.Server.ServeAdmin(s.Admin) }()
	}
	return s, nil
}

// Ended delivers the error of a listener that stopped by itself.
func (s *Service) Ended() <-chan error { return s.ended }

// Leave ends the service as ruling 24 says: readiness answers 503 at once; after SIGTERM requests are
// taken for shutdown.delay, which a further signal cuts short; then the listeners close, requests under
// way finish within shutdown.timeout and what is on its way to Redis is written. If they do not finish, the
// error says so, and the node is left as it is for the process to end.
func (s *Service) Leave(ctx context.Context, by os.Signal, signals <-chan os.Signal) error {
	s.Node.Server.Drain()
	if err := s.Node.leaveEvents(); err != nil {
		return err
	}
	if delay := time.Duration(s.Node.live.Load().config.Shutdown.Delay); by == syscall.SIGTERM && delay > 0 {
		s.Node.Log.Info("draining", "delay", delay.String())
		pause := time.NewTimer(delay)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-signals:
		case <-ctx.Done():
		}
	}
	return s.Stop(context.WithoutCancel(ctx))
}

// Stop closes the listeners, lets requests under way finish within shutdown.timeout and closes the node.
func (s *Service) Stop(ctx context.Context) error {
	timeout := time.Duration(s.Node.live.Load().config.Shutdown.Timeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := s.Node.leaveEvents(); err != nil {
		return err
	}
	if err := s.Node.Server.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests under way did not finish within %v: %w", timeout, err)
	}
	if err := s.Node.leaveJobs(ctx); err != nil {
		return fmt.Errorf("jobs under way were not put back: %w", err)
	}
	if err := s.Node.Pipeline.Close(ctx); err != nil {
		return fmt.Errorf("pictures under way were not finished within %v: %w", timeout, err)
	}
	if err := s.Node.Flush(ctx); err != nil {
		s.Node.Log.Warn("some pictures did not reach Redis", "cause", err)
	}
	return s.Node.Close()
}
