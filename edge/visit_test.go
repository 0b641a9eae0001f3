package edge

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A visit ends when it is due, whether or not anybody has waited for that, and says so in words for the client.
func TestVisitEnds(t *testing.T) {
	for _, row := range []struct {
		name  string
		begin func(*visit)
	}{
		{"nobody waits", func(*visit) {}},
		{"somebody waits", func(v *visit) { _ = v.Done() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, other := net.Pipe()
				defer func() { _ = errors.Join(one.Close(), other.Close()) }()
				v := &visit{conn: one, due: time.Now().Add(time.Second)}
				row.begin(v)
				if err, cause := v.Err(), v.cause(); err != nil || cause != nil {
					t.Errorf("it has ended too early: %v, %v", err, cause)
				}
				if due, ok := v.Deadline(); !ok || time.Until(due) != time.Second {
					t.Errorf("it is due in %v, %v; want 1s", time.Until(due), ok)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if err, cause := v.Err(), v.cause(); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(cause, errTooSlow) {
					t.Errorf("it has ended with %v, %v; want %v, %v", err, cause, context.DeadlineExceeded, errTooSlow)
				}
				<-v.Done()
				v.leave()
			})
		})
	}
}

// A visit that its client's request has left has ended for whoever still holds it, and touches the connection no more.
func TestVisitLeft(t *testing.T) {
	for _, row := range []struct {
		name  string
		begin func(*visit)
	}{
		{"nobody waited", func(*visit) {}},
		{"somebody waited", func(v *visit) { _ = v.Done() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			one, other := net.Pipe()
			defer func() { _ = errors.Join(one.Close(), other.Close()) }()
			v := &visit{conn: one, due: time.Now().Add(time.Hour)}
			row.begin(v)
			v.leave()
			if err := v.Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("left, it has ended with %v; want %v", err, context.Canceled)
			}
			<-v.Done()
			if err := v.Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("left, and then waited for, it has ended with %v; want %v", err, context.Canceled)
			}
		})
	}
}
