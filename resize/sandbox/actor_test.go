package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imgedge/imgedge/resize"
)

// actor is a renderer whose pictures say what it is to do, as if they had taken it over.
type actor struct{}

// Probe describes the picture, truly or not.
func (actor) Probe(_ context.Context, data []byte) (resize.Source, error) {
	s := resize.Source{Format: resize.FormatJPEG, Width: 10, Height: 10, Orientation: 1, Pages: 1, Bands: 3, Depth: 8, Bytes: int64(len(data))}
	switch string(data[4:]) {
	case "probe crash":
		die()
	case "probe huge":
		s.Width = 1 << 40
	case "probe other":
		s.Format = resize.FormatSVG
	case "probe refuse":
		return s, resize.Unsupported("unsupported_format", "not this one")
	}
	return s, nil
}

// Run plays the picture's part.
func (actor) Run(_ context.Context, data []byte, plans ...resize.Plan) ([]resize.Result, error) {
	part, rest, _ := strings.Cut(string(data[4:]), " ")
	say := func(text string) ([]resize.Result, error) {
		all := make([]resize.Result, 0, len(plans))
		for _, p := range plans {
			all = append(all, resize.Result{Body: append(picture(text), p.Overlay.Data...), Format: resize.FormatJPEG, Width: 1, Height: 1, Frames: 1})
		}
		return all, nil
	}
	switch part {
	case "crash":
		die()
	case "panic":
		panic("a codec has lost its way")
	case "hang":
		for n := 0; ; n++ {
			_ = n
		}
	case "spin":
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
		}
		return say("spun")
	case "refuse":
		return nil, resize.Unprocessable("corrupt_image", "the image is broken")
	case "fail":
		return nil, errors.New("a secret of the inside")
	case "pose":
		return nil, &resize.Error{Status: 200, Kind: "ok", Text: "all is well"}
	case "html":
		return []resize.Result{{Body: []byte("<html>"), Format: resize.FormatJPEG}}, nil
	case "few":
		return nil, nil
	case "allocate":
		for text := part; ; text += text {
			if text == "" {
				return nil, nil
			}
		}
	case "large":
		return say(strings.Repeat("x", 3<<20))
	case "scribble":
		data[0] = 0
	case "try":
		return say(try(rest))
	}
	return say(part)
}

func die() {
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

// try does what a picture should not be able to, and says what came of it.
func try(what string) string {
	switch what {
	case "socket":
		_, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		return said(err)
	case "unix socket":
		_, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		return said(err)
	case "socket pair":
		_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		return said(err)
	case "read":
		_, err := os.ReadFile("/etc/passwd")
		return said(err)
	case "list":
		_, err := os.ReadDir("/")
		return said(err)
	case "environment of the supervisor":
		_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
		return said(err)
	case "write":
		return said(os.WriteFile("/tmp/imgedge-escaped", []byte("x"), 0o600))
	case "remove":
		return said(os.Remove("/tmp/imgedge-escaped"))
	case "fonts":
		files, err := filepath.Glob("/usr/share/fonts/*/*/*.ttf")
		if err == nil && len(files) > 0 {
			_, err = os.ReadFile(files[0])
		}
		return said(err)
	case "exec":
		return said(unix.Exec("/bin/true", []string{"true"}, nil))
	case "fork":
		_, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno == 0 {
			return "none"
		}
		return said(errno)
	case "trace":
		return said(unix.PtraceAttach(os.Getppid()))
	case "signal":
		return said(unix.Kill(os.Getppid(), unix.SIGUSR1))
	case "limit":
		return said(unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}))
	case "shared memory":
		_, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		return said(err)
	case "memory file":
		_, err := unix.MemfdCreate("x", 0)
		return said(err)
	case "shrink":
		return said(errors.Join(eachMemory(func(fd int) error { return unix.Ftruncate(fd, 0) })...))
	case "grow":
		return said(errors.Join(eachMemory(func(fd int) error { return unix.Ftruncate(fd, 1<<30) })...))
	case "unseal":
		return said(errors.Join(eachMemory(func(fd int) error {
			_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE)
			return err
		})...))
	case "write to the input":
		return said(errors.Join(eachMemory(func(fd int) error {
			if !isInput(fd) {
				return nil
			}
			_, err := unix.Pwrite(fd, []byte("x"), 0)
			return err
		})...))
	case "map the input for writing":
		return said(errors.Join(eachMemory(func(fd int) error {
			if !isInput(fd) {
				return nil
			}
			_, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		})...))
	case "message":
		return said(unix.Sendmsg(3, []byte("x"), unix.UnixRights(3), nil, 0))
	case "environment":
		return strings.Join(os.Environ(), "\n")
	}
	return "no such part"
}

// said is the error's number, or "none".
func said(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	default:
		return err.Error()
	}
}

// isInput reports whether a descriptor is memory that the supervisor alone writes to.
func isInput(fd int) bool {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	return err == nil && seals&unix.F_SEAL_FUTURE_WRITE != 0
}

// eachMemory does something with the memory that is shared with the supervisor.
func eachMemory(do func(fd int) error) []error {
	errs := make([]error, 0, 2)
	for fd := range 64 {
		if seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err == nil && seals != 0 {
			errs = append(errs, do(fd))
		}
	}
	return errs
}
