package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// shared is memory of two processes that neither can shrink under the other: touching it never raises
// SIGBUS. The zero value is none.
type shared struct {
	fd     int
	size   int
	mapped []byte // nil in the supervisor's view of an output
}

// step is what memory is made in, bytes.
const step = 1 << 20

// roomFor returns the size of memory for n bytes: a quarter more, so that pictures of about one size fit.
func roomFor(n int) int { return (n + noteBytes + n/4 + step - 1) / step * step }

// newInput makes memory that this process alone can write to, touched beforehand.
func newInput(n int) (*shared, error) {
	s, err := newShared("imgedge-input", roomFor(n))
	if err != nil {
		return nil, err
	}
	s.mapped, err = unix.Mmap(s.fd, 0, s.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err == nil {
		err = s.seal(unix.F_SEAL_FUTURE_WRITE)
		if errors.Is(err, unix.EINVAL) {
			err = nil // before Linux 5.1: the worker could scribble in what it alone reads
		}
	}
	if err == nil {
		err = s.seal(unix.F_SEAL_SEAL)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("share memory: %w", err)
	}
	return s, nil
}

// newOutput makes memory that a worker writes to and this process copies out of, without mapping it.
func newOutput(n int) (*shared, error) {
	s, err := newShared("imgedge-output", roomFor(n))
	if err != nil {
		return nil, err
	}
	if err := s.seal(unix.F_SEAL_SEAL); err != nil {
		s.close()
		return nil, fmt.Errorf("share memory: %w", err)
	}
	return s, nil
}

// newShared makes memory of a fixed size.
func newShared(name string, size int) (*shared, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, fmt.Errorf("share memory: %w", err)
	}
	s := &shared{fd: fd, size: size}
	err = unix.Ftruncate(fd, int64(size))
	if err == nil {
		err = s.seal(unix.F_SEAL_SHRINK | unix.F_SEAL_GROW)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("share memory: %w", err)
	}
	return s, nil
}

func (s *shared) seal(seals int) error {
	_, err := unix.FcntlInt(uintptr(s.fd), unix.F_ADD_SEALS, seals) //nolint:gosec // a descriptor
	return err
}

// open maps memory that was received, and owns the descriptor.
func open(fd, size int, prot int) (*shared, error) {
	s := &shared{fd: fd, size: size}
	var err error
	if s.mapped, err = unix.Mmap(fd, 0, size, prot, unix.MAP_SHARED); err != nil {
		s.close()
		return nil, fmt.Errorf("map memory: %w", err)
	}
	return s, nil
}

// noteBytes is the room at the end of output memory for the number of the job that was begun last.
const noteBytes = 8

// room returns how much fits; a nil shared has none. The note takes no room of an input, which has some to
// spare.
func (s *shared) room() int {
	if s == nil {
		return 0
	}
	return s.size - noteBytes
}

// note writes the number of the job that is begun into mapped output memory.
func (s *shared) note(number uint64) {
	binary.LittleEndian.PutUint64(s.mapped[s.room():], number)
}

// noted reports whether the job was begun.
func (s *shared) noted(number uint64) bool {
	note, err := s.read(s.room(), noteBytes)
	return err == nil && binary.LittleEndian.Uint64(note) == number
}

// close gives the memory back. A nil shared has none.
func (s *shared) close() {
	if s == nil {
		return
	}
	if s.mapped != nil {
		_ = unix.Munmap(s.mapped) // it was mapped
		s.mapped = nil
	}
	_ = unix.Close(s.fd) // nothing is written behind
}

// read copies n bytes out, from off.
func (s *shared) read(off, n int) ([]byte, error) {
	body := make([]byte, n)
	for got := 0; got < n; {
		k, err := unix.Pread(s.fd, body[got:], int64(off+got))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case k == 0:
			return nil, fmt.Errorf("%d of %d bytes are there", got, n)
		}
		got += k
	}
	return body, nil
}
