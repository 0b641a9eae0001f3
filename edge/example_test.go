package edge_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/imgedge/imgedge/cache"
	"github.com/imgedge/imgedge/edge"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// onePicture has the same picture for everyone; pipeline.Pipeline makes what was asked for.
type onePicture struct{ entry *cache.Entry }

func (o onePicture) Lookup(*pipeline.Request) (*cache.Entry, pipeline.Via) {
	return o.entry, pipeline.Via{Hit: pipeline.TierMemory, TTL: time.Hour}
}

func (o onePicture) Get(context.Context, *pipeline.Request) (*cache.Entry, pipeline.Via, error) {
	return o.entry, pipeline.Via{}, nil
}

func Example() {
	key := signing.Key{ID: "k1", Secret: []byte("0123456789abcdef0123456789abcdef")}
	server := &edge.Server{Pictures: onePicture{&cache.Entry{
		Status: http.StatusOK, Body: []byte("a picture"), Type: "image/webp", ETag: `"v1"`, Stored: time.Now(),
	}}}
	server.Reload(&edge.Site{Sources: map[string]*edge.Source{"shop": {
		Name: "shop", Keys: signing.Keyring{key}, MaxAge: time.Hour,
		Accept: []resize.Format{resize.FormatWebP}, Pipeline: &pipeline.Source{Name: "shop"},
	}}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1) // one result
	go func() { served <- server.Serve(ln) }()

	target, err := key.SignTarget("/shop/a.jpg?w=300")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range []string{target, "/shop/a.jpg?w=300"} {
		resp, err := http.Get("http://" + ln.Addr().String() + t)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Content-Disposition"), resp.Header.Get("Cache-Control"))
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(server.Shutdown(context.Background()), <-served)
	// Output:
	// 200 inline; filename*=UTF-8''a.webp public, max-age=3600
	// 403  no-store
	// <nil> <nil>
}
