package jobs

import (
	"slices"
	"sync"
)

const recentRecords = 32

// recent remembers the records asked for last. The zero value is empty.
type recent struct {
	mu   sync.Mutex // guards records, the last used at the end
	list []*Record
}

func (c *recent) get(id string) *Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.list, func(r *Record) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	r := c.list[i]
	c.list = append(slices.Delete(c.list, i, i+1), r)
	return r
}

func (c *recent) put(r *Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) == recentRecords {
		c.list = slices.Delete(c.list, 0, 1)
	}
	c.list = append(c.list, r)
}

func (c *recent) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = slices.DeleteFunc(c.list, func(r *Record) bool { return r.ID == id })
}
