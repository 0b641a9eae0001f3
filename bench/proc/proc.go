// Package proc reads from Linux' /proc what a process and all its descendants use: a server that works in
// child processes is weighed with them.
//
//	usage, err := proc.Read("/proc", 4711)
//	usage.CPU, usage.PSS, usage.Processes
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a set of process trees uses together.
type Usage struct {
	CPU       time.Duration // user and system since start, with children that have ended; steps of 10 ms
	RSS       int64         // bytes resident, shared pages counted in each process
	PSS       int64         // bytes resident, shared pages divided; 0 when not asked for or not readable
	Processes int
}

// ErrGone says that a process that should be watched does not run.
var ErrGone = errors.New("no such process")

// tick is the unit of times in /proc/PID/stat: Linux shows 100 a second to programs on every architecture.
const tick = 10 * time.Millisecond

// stat is what is wanted of /proc/PID/stat.
type stat struct {
	parent int
	cpu    time.Duration // own and of children waited for
	rss    int64         // pages
}

// Read adds up the trees of the roots below folder, usually "/proc": time and RSS. The error is ErrGone
// when a root does not run.
func Read(folder string, roots ...int) (Usage, error) {
	processes, err := readAll(folder)
	if err != nil {
		return Usage{}, err
	}
	members, err := tree(processes, roots)
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	for _, pid := range members {
		u.CPU += processes[pid].cpu
		u.RSS += processes[pid].rss * int64(os.Getpagesize())
		u.Processes++
	}
	return u, nil
}

// ReadPSS is Read with PSS too, for which the kernel walks the page tables: not more than once a second.
func ReadPSS(folder string, roots ...int) (Usage, error) {
	u, err := Read(folder, roots...)
	if err != nil {
		return Usage{}, err
	}
	processes, err := readAll(folder)
	if err != nil {
		return Usage{}, err
	}
	members, err := tree(processes, roots)
	for _, pid := range members {
		u.PSS += pss(filepath.Join(folder, strconv.Itoa(pid), "smaps_rollup"))
	}
	return u, err
}

// readAll reads every process; those that end meanwhile are left out.
func readAll(folder string) (map[int]stat, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read processes: %w", err)
	}
	processes := make(map[int]stat, len(entries))
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name(), "stat"))
		if err != nil {
			continue
		}
		if s, ok := parseStat(text); ok {
			processes[pid] = s
		}
	}
	return processes, nil
}

// tree returns the roots and all their descendants, each once.
func tree(processes map[int]stat, roots []int) ([]int, error) {
	children := map[int][]int{}
	for pid, s := range processes {
		children[s.parent] = append(children[s.parent], pid)
	}
	seen := map[int]bool{}
	var members []int
	for todo := append([]int{}, roots...); len(todo) > 0; todo = todo[1:] {
		pid := todo[0]
		if _, runs := processes[pid]; !runs {
			return nil, fmt.Errorf("process %d: %w", pid, ErrGone)
		}
		if !seen[pid] {
			seen[pid] = true
			members = append(members, pid)
			todo = append(todo, children[pid]...)
		}
	}
	return members, nil
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The name in parentheses may hold spaces and parentheses.
func parseStat(text []byte) (stat, bool) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return stat{}, false
	}
	fields := strings.Fields(string(text[end+1:])) // begins with field 3, the state
	const first, parent, userTime, childSystemTime, rss = 3, 4, 14, 17, 24
	if len(fields) <= rss-first {
		return stat{}, false
	}
	number := func(field int) int64 {
		v, _ := strconv.ParseInt(fields[field-first], 10, 64) // the kernel writes numbers
		return v
	}
	s := stat{parent: int(number(parent)), rss: number(rss)}
	for field := userTime; field <= childSystemTime; field++ {
		s.cpu += time.Duration(number(field)) * tick
	}
	return s, true
}

// pss reads the line "Pss: N kB" of smaps_rollup; 0 when it cannot be read.
func pss(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64) // the kernel writes numbers
			return kib << 10
		}
	}
	return 0
}
