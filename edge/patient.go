package edge

import (
	"context"
	"io"
	"net"
	"time"
)

// patient is the body of an answer that may take longer than the server's write timeout: each piece has
// its own.
type patient struct {
	io.ReadCloser
	conn   net.Conn
	cancel context.CancelFunc // ends the reading
}

// Read gives what was read before, and is about to be sent, its time.
func (p *patient) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if late := p.conn.SetWriteDeadline(time.Now().Add(archivePatience)); late != nil && err == nil {
		err = late
	}
	return n, err
}

// Close ends the reading, at any point.
func (p *patient) Close() error {
	p.cancel()
	return p.ReadCloser.Close()
}
