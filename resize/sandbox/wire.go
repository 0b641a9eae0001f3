package sandbox

import (
	"encoding/json"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imgedge/imgedge/resize"
)

// kind is what a request asks for.
type kind string

// The kinds.
const (
	kindProbe  kind = "probe"
	kindRun    kind = "run"
	kindOutput kind = "output" // here is the output memory you have asked for
	kindRest   kind = "rest"   // nothing to do for a while: give back memory
)

// maxMessage bounds one message, bytes: about forty plans.
const maxMessage = 128 << 10

// maxPlans is how many plans go into one message, so that the longest ones fit.
const maxPlans = 16

// setup is the first message to a worker.
type setup struct {
	Memory int64  // RLIMIT_DATA, bytes; 0 = none
	Setup  []byte // for the worker's start
}

// hello is the first message of a worker: it is ready, or why not.
type hello struct {
	Layers []Layer
	Error  string `json:",omitempty"`
}

// request is a message to a worker. New memory comes with it as descriptors, the input first.
type request struct {
	Kind   kind
	Input  int           `json:",omitempty"` // size of the new input memory, bytes; 0 = as before
	Output int           `json:",omitempty"` // size of the new output memory, bytes; 0 = as before
	Number uint64        `json:",omitempty"` // of the job; noted in the output memory once it is begun
	Bytes  int           `json:",omitempty"` // of the original, at the start of the input memory
	Plans  []resize.Plan `json:",omitempty"` // without the bytes of watermarks
	Marks  []span        `json:",omitempty"` // of each plan: where in the input memory its watermark lies
}

// span is a part of the input memory; Len 0 = none.
type span struct{ Off, Len int }

// reply is a worker's message. The supervisor trusts none of it.
type reply struct {
	Source  *resize.Source `json:",omitempty"`
	Results []resize.Result
	Sizes   []int    // of the results' bodies, one behind the other in the output memory
	Need    int      `json:",omitempty"` // bytes of output memory that are wanted first
	Failure *failure `json:",omitempty"`
}

// failure is an error on its way.
type failure struct {
	Status int    `json:",omitempty"` // 0 = not for the client
	Code   string `json:",omitempty"`
	Text   string
	Cause  string `json:",omitempty"`
}

// socketPair returns the supervisor's and the worker's end of a connection that keeps messages apart.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open a socket pair: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "worker") //nolint:gosec // a descriptor
	ours, err = connection(fds[0])
	if err != nil {
		_ = theirs.Close() // the first error counts
		return nil, nil, err
	}
	return ours, theirs, nil
}

// connection makes a descriptor a connection and owns it.
func connection(fd int) (*net.UnixConn, error) {
	file := os.NewFile(uintptr(fd), "control") //nolint:gosec // a descriptor
	defer func() { _ = file.Close() }()        // the connection has one of its own
	c, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close() // it is none of ours
		return nil, fmt.Errorf("the control socket is a %T", c)
	}
	_ = conn.SetWriteBuffer(2 * maxMessage) // the kernel's own default holds one, too
	return conn, nil
}

// send writes one message with descriptors.
func send[M setup | hello | request | reply](conn *net.UnixConn, message M, fds ...int) error {
	text, err := encode(message)
	if err != nil {
		return err
	}
	return post(conn, text, fds...)
}

// encode words a message.
func encode[M setup | hello | request | reply](message M) ([]byte, error) {
	text, err := json.Marshal(message)
	if err == nil && len(text) > maxMessage {
		err = fmt.Errorf("a message of %d bytes is over %d", len(text), maxMessage)
	}
	return text, err
}

// post writes an encoded message with descriptors.
func post(conn *net.UnixConn, text []byte, fds ...int) (err error) {
	if len(fds) == 0 {
		_, err = conn.Write(text) // which is what a worker is left with
		return err
	}
	_, _, err = conn.WriteMsgUnix(text, unix.UnixRights(fds...), nil)
	return err
}

// receive reads one message without descriptors; whatever is sent along is closed by the kernel.
func receive[M setup | hello | reply](conn *net.UnixConn, buffer []byte) (message M, err error) {
	n, err := conn.Read(buffer)
	if err != nil {
		return message, err
	}
	err = json.Unmarshal(buffer[:n], &message)
	return message, err
}

// receiveRequest reads one request with its descriptors.
func receiveRequest(conn *net.UnixConn, buffer []byte) (r request, fds []int, err error) {
	oob := make([]byte, unix.CmsgSpace(2*4)) // two descriptors
	n, oobn, _, _, err := conn.ReadMsgUnix(buffer, oob)
	if err != nil {
		return r, nil, err
	}
	if oobn > 0 {
		messages, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return r, nil, err
		}
		for i := range messages {
			got, err := unix.ParseUnixRights(&messages[i])
			if err != nil {
				return r, nil, err
			}
			fds = append(fds, got...)
		}
	}
	return r, fds, json.Unmarshal(buffer[:n], &r)
}
