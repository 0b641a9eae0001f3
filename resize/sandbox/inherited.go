package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// closeInherited closes every descriptor that came with the process, except the standard three and the
// control socket. What was opened since then closes itself on exec, what came did not.
func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("see what was inherited: %w", err)
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= controlFD {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // the folder's own, which is closed already, or the runtime's
		}
		if err := unix.Close(fd); err != nil {
			return fmt.Errorf("close what was inherited: %w", err)
		}
	}
	return nil
}

// Environment returns those variables of an environment, as NAME=value, that a worker may see: where the
// loader, the allocator, fontconfig and the codecs find their parts.
func Environment(environ []string) []string {
	allowed := [...]string{
		"LD_PRELOAD=", "LD_LIBRARY_PATH=", "GLIBC_TUNABLES=", "MALLOC_ARENA_MAX=", "MALLOC_TRIM_THRESHOLD_=", "MALLOC_MMAP_THRESHOLD_=",
		"MALLOC_CONF=", "FONTCONFIG_FILE=", "FONTCONFIG_PATH=", "LIBHEIF_PLUGIN_PATH=", "LC_ALL=", "LC_CTYPE=", "LANG=",
	}
	var env []string
	for _, variable := range environ {
		for _, name := range allowed {
			if strings.HasPrefix(variable, name) {
				env = append(env, variable)
			}
		}
	}
	return env
}
