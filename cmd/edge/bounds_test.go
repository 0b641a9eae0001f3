package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imgedge/imgedge/pipeline"
)

// The configuration's limits reach what keeps them.
func TestBoundsAreWired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "edge.yaml")
	text := "sources: {shop: {dir: " + t.TempDir() + ", unsigned: true}}\n" +
		"limits: {memory: 300MiB, queue: 7, queue_wait: 3s}\nrender: {workers: 3, isolation: none}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file, nil, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{Config: cfg}
	if err := n.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() }) // not what is tested
	g := n.Pipeline.Gate
	if g.Slots != 3 || g.Memory != 300<<20 || g.Queue != 7 || g.Wait.Seconds() != 3 {
		t.Errorf("gate of %d slots, %d bytes, queue %d, wait %v", g.Slots, g.Memory, g.Queue, g.Wait)
	}
	if n.Pipeline.MaxWaiters != maxWaiters {
		t.Errorf("%d may wait for one picture, want %d", n.Pipeline.MaxWaiters, maxWaiters)
	}
	room := n.source("shop").origin.Room
	if room == nil || room != n.Pipeline.Room || room.Bytes != roomBytes || room.Wait != g.Wait {
		t.Errorf("room for originals: %+v", room)
	}
	if got := g.Lane(76 << 20); got != pipeline.LaneHuge {
		t.Errorf("76 of 300 MiB are in lane %s", got)
	}
}
