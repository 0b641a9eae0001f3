package sandbox

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A filter of system calls is a program for the kernel's classic BPF machine, which sees the call's number
// and the lower halves of its arguments. What is not denied is allowed: a codec of another version may need
// a call that this one does not, and a picture that fails for that would be a riddle.
//
// Denied is what a renderer never does and a taken-over one would: new sockets, other processes, writing or
// making files, memory that no limit counts, and the parts of the kernel where most holes were.

// Offsets in struct seccomp_data.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16 // each is 8 bytes, the lower half first
)

// A program's words.
const (
	load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	anyOf = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	and   = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	ret   = unix.BPF_RET | unix.BPF_K
)

// What becomes of a call.
const (
	allowed = unix.SECCOMP_RET_ALLOW
	denied  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS) // libraries then use what came before it
	killed  = unix.SECCOMP_RET_KILL_PROCESS
	x32     = 0x40000000 // bit of call numbers of a third ABI of amd64; other numbers never have it
)

// denyCalls puts the filter on all threads. It needs PR_SET_NO_NEW_PRIVS, which it sets on this one;
// the kernel then sets it on the others.
func denyCalls() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := filter(unix.Getpid())
	loaded := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]} //nolint:gosec // some 200 words
	// The one call of ours for which x/sys has no wrapper.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&loaded)))
	switch {
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("thread %d keeps a filter of its own", thread)
	default:
		return nil
	}
}

// filter returns the program for a process.
func filter(pid int) []unix.SockFilter {
	f := []unix.SockFilter{
		{Code: load, K: offArch},
		{Code: equal, K: arch, Jt: 1},
		{Code: ret, K: killed},
		{Code: load, K: offNumber},
		{Code: anyOf, K: x32, Jf: 1},
		{Code: ret, K: killed},
	}
	for _, call := range deniedCalls() {
		f = append(f, when(call, word(ret, denied))...)
	}
	f = append(f, when(unix.SYS_CLONE3, word(ret, unknown))...)
	f = append(f, when(unix.SYS_OPENAT2, word(ret, unknown))...)
	// Threads, but no processes.
	f = append(f, when(unix.SYS_CLONE, argument(0), word2(anyOf, unix.CLONE_THREAD, 1, 0), word(ret, denied), word(ret, allowed))...)
	// Files are for reading.
	f = append(f, when(unix.SYS_OPENAT, argument(2), word2(anyOf, writing, 0, 1), word(ret, denied), word(ret, allowed))...)
	// Memory that is shared with nobody is counted, memory that could be is not.
	f = append(f, when(unix.SYS_MMAP, argument(3), word(and, unix.MAP_SHARED|unix.MAP_ANONYMOUS),
		word2(equal, unix.MAP_SHARED|unix.MAP_ANONYMOUS, 0, 1), word(ret, denied), word(ret, allowed))...)
	// Signals for itself; the runtime and abort need them.
	for _, call := range [...]uint32{unix.SYS_TGKILL, unix.SYS_KILL} {
		f = append(f, when(call, argument(0), word2(equal, uint32(pid), 1, 0), word(ret, denied), word(ret, allowed))...) //nolint:gosec // at most 2^22
	}
	// Limits can be read.
	f = append(f, when(unix.SYS_PRLIMIT64, argument(2), word2(equal, 0, 1, 0), word(ret, denied), word(ret, allowed))...)
	for _, more := range ownCalls() {
		f = append(f, more...)
	}
	return append(f, word(ret, allowed))
}

// writing are the flags of an open that is for more than reading.
const writing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND

// when runs words, which have to end in a return, for one call.
func when(call uint32, words ...unix.SockFilter) []unix.SockFilter {
	skip := unix.SockFilter{Code: equal, K: call, Jf: uint8(len(words))} //nolint:gosec // a handful
	return append([]unix.SockFilter{skip}, words...)
}

func word(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func word2(code uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: code, K: k, Jt: yes, Jf: no}
}

// argument loads the lower half of an argument, from 0.
func argument(n uint32) unix.SockFilter { return word(load, offArgs+8*n) }

// deniedCalls are the calls that every architecture has.
func deniedCalls() []uint32 {
	return []uint32{
		// New connections, and descriptors out of the process.
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
		unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG,
		// Other programs and processes.
		unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
		unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO,
		unix.SYS_KCMP, unix.SYS_PROCESS_MADVISE, unix.SYS_SETPRIORITY,
		// More rights.
		unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETGROUPS,
		unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_CAPSET, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_SETRLIMIT, unix.SYS_PERSONALITY,
		// Files: making, changing, removing, and what leads around a path.
		unix.SYS_MKNODAT, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_SYMLINKAT, unix.SYS_LINKAT, unix.SYS_RENAMEAT2, unix.SYS_TRUNCATE,
		unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT, unix.SYS_FCHMOD, unix.SYS_FCHOWN, unix.SYS_UTIMENSAT, unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR,
		unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN,
		unix.SYS_FSMOUNT, unix.SYS_FSCONFIG, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT,
		unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL, unix.SYS_FANOTIFY_INIT, unix.SYS_INOTIFY_INIT1,
		// Memory that no limit counts.
		unix.SYS_MEMFD_CREATE, unix.SYS_MEMFD_SECRET, unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMCTL, unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_MQ_OPEN, unix.SYS_REMAP_FILE_PAGES,
		// Parts of the kernel that nobody here needs.
		unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
		unix.SYS_IO_SETUP, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
		unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT, unix.SYS_SYSLOG, unix.SYS_ACCT, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
		unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_VMSPLICE, unix.SYS_LOOKUP_DCOOKIE,
	}
}
