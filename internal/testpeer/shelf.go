package testpeer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Shelf is a bucket in memory, as jobs use one. The zero value is empty; it is safe for concurrent use.
type Shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// Put stores an object.
func (s *Shelf) Put(_ context.Context, key string, body []byte, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[string][]byte{}
	}
	s.objects[key] = bytes.Clone(body)
	return nil
}

// Open reads an object; fs.ErrNotExist if there is none.
func (s *Shelf) Open(_ context.Context, key string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.objects[key]
	if !ok {
		return nil, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

// List names the objects that begin with prefix, in order.
func (s *Shelf) List(_ context.Context, prefix string, each func(key string) error) error {
	for _, key := range s.Keys() {
		if strings.HasPrefix(key, prefix) {
			if err := each(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// Delete removes an object, if it is there.
func (s *Shelf) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
	return nil
}

// Keys names all objects, in order.
func (s *Shelf) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}
