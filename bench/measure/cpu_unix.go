//go:build unix

package measure

import (
	"time"

	"golang.org/x/sys/unix"
)

// ownCPU is the time that this process has used, user and system.
func ownCPU() time.Duration {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
