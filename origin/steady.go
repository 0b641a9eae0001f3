package origin

import (
	"context"
	"net/http"
	"net/http/httptrace"
)

// maxSends is how often one request may be sent: once more over another connection where the first turned
// out to be dead, as kept ones do.
const maxSends = 2

// steady is a transport that holds to maxSends. By itself net/http sends a request again over each
// connection at hand, so that a server that dies with thirty of them open is asked thirty times.
type steady struct{ *http.Transport }

var _ http.RoundTripper = steady{}

// RoundTrip implements http.RoundTripper. After an error the connections at hand are not trusted any more:
// the next try dials.
func (s steady) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context()) // which ends with the fetch, after the body
	asks, _ := ctx.Value(asksKey{}).(*asks)
	sends := 0
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if sends++; sends > maxSends || sends > 1 && !asks.take() {
			cancel() // no further connection, and nothing over this one
			_ = got.Conn.Close()
		}
	}})
	resp, err := s.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		if req.Context().Err() == nil {
			s.CloseIdleConnections()
		}
	}
	return resp, err
}
