package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	cgroupRoot = "/sys/fs/cgroup"
	slack      = 128 << 20 // bytes for stacks, libraries and what libvips keeps beside pixels
)

// limitMemory tells Go's collector how much memory is its own: what is configured to be kept, and what
// ruling 42 leaves beside that; within a container at most what is left when libvips' budget is taken away,
// which the collector does not see. Without a limit a heap grows to twice what is kept. With GOMEMLIMIT
// nothing is changed. It returns the limit in bytes; 0 = none.
func limitMemory(cfg *Config, gomemlimit string) int64 {
	if gomemlimit != "" {
		return 0
	}
	limit := int64(cfg.Cache.Memory) + int64(cfg.Cache.Originals.Memory) + 2*slack
	if total := cgroupMemory(cgroupRoot, "/proc/self/cgroup"); total > 0 {
		limit = min(limit, heapLimit(total, int64(cfg.Limits.Memory)))
	}
	debug.SetMemoryLimit(limit)
	return limit
}

// heapLimit never goes under half of the total: a limit that cannot be kept makes the collector run
// without end.
func heapLimit(total, pixels int64) int64 {
	return max(total-pixels-slack, total/2)
}

// cgroupMemory returns the memory limit of this process' control group in bytes, the least of it and
// its parents; 0 = none. Inside a container the group is usually the root of what can be seen.
func cgroupMemory(root, self string) int64 {
	least := int64(math.MaxInt64)
	note := func(file string) {
		data, err := os.ReadFile(file) //nolint:gosec // below a fixed folder
		if err != nil {
			return // no such controller, or not in a group
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err == nil && n > 0 {
			least = min(least, n)
		}
	}
	for group := ownGroup(self); ; group = filepath.Dir(group) {
		note(filepath.Join(root, group, "memory.max"))
		if group == "/" || group == "." {
			break
		}
	}
	note(filepath.Join(root, "memory", "memory.limit_in_bytes")) // version 1
	const unlimited = 1 << 62                                    // version 1 writes a huge number for none
	if least >= unlimited {
		return 0
	}
	return least
}

// ownGroup returns the path of the version 2 group in /proc/self/cgroup.
func ownGroup(file string) string {
	data, err := os.ReadFile(file) //nolint:gosec // a fixed name
	if err != nil {
		return "/"
	}
	for line := range strings.Lines(string(data)) {
		if group, ok := strings.CutPrefix(line, "0::"); ok {
			return filepath.Clean("/" + strings.TrimSpace(group))
		}
	}
	return "/"
}
