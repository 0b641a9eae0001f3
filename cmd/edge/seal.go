package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// sealMemory keeps what this process has in memory, secrets and pictures, out of core dumps, and from
// debuggers of the same user. Programs it starts can be looked into again, but leave no core either.
func sealMemory() error {
	return errors.Join(
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
	)
}
