package sandbox

import (
	"bufio"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	keptLines = 4    // of a job, to be quoted if the worker dies of it
	toldLines = 32   // of a job, that are logged
	lineBytes = 1024 // of a line
)

// words is what a worker writes to its standard error. Texts from inside files are among it, so that it is
// bounded by line and job.
type words struct {
	log    func(Event)
	number int
	pipe   *os.File
	read   chan struct{} // closed at the end of what was written

	mu    sync.Mutex // guards what follows
	kept  []string
	lines int
}

// listen returns the words of a worker to be and the file that it writes to.
func listen(log func(Event), number int) (*words, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	s := &words{log: log, number: number, pipe: r, read: make(chan struct{})}
	go s.follow()
	return s, w, nil
}

// follow reads until the end.
func (s *words) follow() {
	defer close(s.read)
	lines := bufio.NewReaderSize(s.pipe, lineBytes)
	rest := false
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		if !rest {
			s.hear(oneLine(string(line), lineBytes))
		}
		rest = more
	}
}

func (s *words) hear(line string) {
	s.mu.Lock()
	s.lines++
	told := s.lines <= toldLines
	if len(s.kept) < keptLines && line != "" {
		s.kept = append(s.kept, line)
	}
	s.mu.Unlock()
	if told && line != "" && s.log != nil {
		s.log(Event{Worker: s.number, Text: line})
	}
}

// begin starts a job.
func (s *words) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.lines = nil, 0
}

// first returns what was said first under the present job, to be put behind a text.
func (s *words) first() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) == 0 {
		return ""
	}
	return ": " + strings.Join(s.kept, "; ")
}

// close waits for the last words of a process that has ended and closes the pipe. Should anybody else hold
// the other end, it is not waited for.
func (s *words) close() error {
	_ = s.pipe.SetReadDeadline(time.Now().Add(time.Second)) // a pipe takes deadlines
	<-s.read
	return s.pipe.Close()
}
