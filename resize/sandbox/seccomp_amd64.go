package sandbox

import "golang.org/x/sys/unix"

// arch is the one whose call numbers the filter knows.
const arch = unix.AUDIT_ARCH_X86_64

// ownCalls are the rules for calls that only this architecture has.
func ownCalls() [][]unix.SockFilter {
	more := [...]uint32{
		unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CREAT, unix.SYS_MKNOD, unix.SYS_MKDIR, unix.SYS_RMDIR, unix.SYS_UNLINK, unix.SYS_SYMLINK, unix.SYS_LINK,
		unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT,
		unix.SYS_INOTIFY_INIT, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS__SYSCTL,
	}
	rules := make([][]unix.SockFilter, 0, 1+len(more))
	rules = append(rules, when(unix.SYS_OPEN, argument(1), word2(anyOf, writing, 0, 1), word(ret, denied), word(ret, allowed)))
	for _, call := range more {
		rules = append(rules, when(call, word(ret, denied)))
	}
	return rules
}
