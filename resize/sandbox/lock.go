package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	kernel "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// lock takes from the process whatever it needs no more, for good, and returns what is in force. What the
// kernel does not know is left out and said. Each wall is tried before it is believed in.
func lock(memory int64, readable []string) ([]Layer, error) {
	limited, err := limitMemory(memory)
	if err != nil {
		return nil, err
	}
	files, err := lockFiles(readable)
	if err != nil {
		return nil, err
	}
	calls := lockCalls()
	return []Layer{{Name: "processes", On: true}, limited, privileges(), files, calls}, nil
}

// limitMemory bounds what the process may allocate.
func limitMemory(memory int64) (Layer, error) {
	l := Layer{Name: "memory"}
	if memory <= 0 {
		l.Note = "no limit is configured"
		return l, nil
	}
	has, err := dataSize()
	switch {
	case err != nil:
		return l, err
	case has >= memory:
		l.Note = fmt.Sprintf("the limit of %d MiB is not set: %d MiB are in use from the start", memory>>20, has>>20)
		return l, nil
	}
	limit := uint64(memory) //nolint:gosec // more than 0
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return l, fmt.Errorf("limit memory: %w", err)
	}
	l.On, l.Note = true, fmt.Sprintf("%d MiB", memory>>20)
	return l, nil
}

// dataSize returns what counts against RLIMIT_DATA, bytes.
func dataSize() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmData:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the kernel does not say how much memory is in use")
}

// lockFiles leaves the process nothing of the file system but reading what is readable. Unlike the
// library's own sets, reading here does not mean executing.
func lockFiles(readable []string) (Layer, error) {
	l := Layer{Name: "landlock"}
	version, _ := kernel.LandlockGetABIVersion() // −1 with an error
	if version < 1 {
		l.Note = "this kernel has no Landlock"
		return l, nil
	}
	const reading = landlock.AccessFSSet(kernel.AccessFSReadFile | kernel.AccessFSReadDir)
	rules := make([]landlock.Rule, 0, len(readable))
	for _, path := range readable {
		rules = append(rules, landlock.PathAccess(reading, path).IgnoreIfMissing())
	}
	if err := landlock.V5.BestEffort().Restrict(rules...); err != nil {
		return l, fmt.Errorf("lock the file system: %w", err)
	}
	file, err := os.Open("/proc/self/status")
	switch {
	case errors.Is(err, unix.EACCES):
		l.On, l.Note = true, fmt.Sprintf("version %d of the kernel's", version)
	case err != nil:
		l.Note = "files cannot be opened, but not for its sake: " + err.Error()
	default:
		_ = file.Close() // it was only tried
		l.Note = "it is not in force: a file could be opened"
	}
	return l, nil
}

// privileges says whether the process can gain any by executing something.
func privileges() Layer {
	on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return Layer{Name: "no_new_privs", On: err == nil && on == 1}
}

// lockCalls denies system calls.
func lockCalls() Layer {
	l := Layer{Name: "seccomp"}
	if err := denyCalls(); err != nil {
		l.Note = "this kernel takes no filter of system calls: " + err.Error()
		return l
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		_ = unix.Close(fd) // it was only tried
		l.Note = "it is not in force: a socket could be opened"
		return l
	}
	l.On = true
	return l
}
