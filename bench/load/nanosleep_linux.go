package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// nanosleep blocks the thread. A signal may end it early.
func nanosleep(d time.Duration) {
	request := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&request, nil) // who calls looks at the clock
}
