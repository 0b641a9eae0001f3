package sandbox

import "golang.org/x/sys/unix"

// arch is the one whose call numbers the filter knows.
const arch = unix.AUDIT_ARCH_AARCH64

// ownCalls are the rules for calls that only this architecture has.
func ownCalls() [][]unix.SockFilter {
	return [][]unix.SockFilter{
		when(unix.SYS_KEXEC_FILE_LOAD, word(ret, denied)),
		when(unix.SYS_RENAMEAT, word(ret, denied)),
	}
}
