package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// BucketSettings configure an origin on an S3 server.
type BucketSettings struct {
	Endpoint  string // http://host:port or https://host
	Region    string // "" = us-east-1; never asked for
	Name      string // of the bucket
	Prefix    string // put before each key as it is, so mostly with a slash at its end
	AccessKey string // "" = anonymous
	SecretKey string
	PathStyle bool // endpoint/bucket/key instead of bucket.endpoint/key
}

// Bucket opens objects in an S3 bucket. The operator named its server, so private addresses are fine.
type Bucket struct {
	name, prefix string
	core         minio.Core
	transport    *http.Transport
}

var _ Opener = (*Bucket)(nil)

// NewBucket checks the settings; it does not connect. Close releases idle connections.
func NewBucket(set BucketSettings) (*Bucket, error) {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	return newBucket(set, &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    tlsTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    idleTotal,
		IdleConnTimeout:        idleTimeout,
	})
}

func newBucket(set BucketSettings, transport *http.Transport) (*Bucket, error) {
	u, err := url.Parse(set.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	if !webURL(u) || rooted(u.Path) != "/" || u.RawQuery != "" {
		return nil, fmt.Errorf("endpoint: %q: want http(s)://host[:port]", u.Redacted())
	}
	if err := s3utils.CheckValidBucketName(set.Name); err != nil {
		return nil, fmt.Errorf("name: %w", err)
	}
	options := &minio.Options{
		Secure:       u.Scheme == "https",
		Creds:        credentials.NewStaticV4(set.AccessKey, set.SecretKey, ""),
		Transport:    &overhear{steady{transport}},
		Region:       set.Region,
		BucketLookup: minio.BucketLookupDNS,
		MaxRetries:   1, // Source retries
	}
	if set.Region == "" {
		options.Region = "us-east-1"
	}
	if set.PathStyle {
		options.BucketLookup = minio.BucketLookupPath
	}
	client, err := minio.New(u.Host, options)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	return &Bucket{name: set.Name, prefix: set.Prefix, core: minio.Core{Client: client}, transport: transport}, nil
}

// Close releases idle connections.
func (b *Bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// Open asks for the object called key below the prefix.
func (b *Bucket) Open(ctx context.Context, key string, cond Conditions) (*Object, error) {
	var options minio.GetObjectOptions
	if name, value := validators(cond); name != "" {
		options.Set(name, value)
	}
	var heard heard
	body, _, _, err := b.core.GetObject(context.WithValue(ctx, heardKey{}, &heard), b.name, b.prefix+key, options)
	now := time.Now()
	if err != nil {
		return heard.object(err, now)
	}
	plain, size, err := decoded(heard.header, body, heard.size)
	if err != nil {
		_ = body.Close() // err says more
		return nil, err
	}
	return &Object{Body: plain, Size: size, Meta: metaOf(heard.header, now)}, nil
}

// heard is what an answer said beyond what minio-go hands on: it keeps no header of a refusal, turns
// some network errors into text, and fails on an Expires it cannot read.
type heard struct {
	status int // 0 = no answer
	size   int64
	header http.Header
	err    error
}

type heardKey struct{}

// overhear notes each answer in the heard of its request.
type overhear struct{ next steady }

// RoundTrip implements http.RoundTripper.
func (o *overhear) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := o.next.RoundTrip(req)
	h, ok := req.Context().Value(heardKey{}).(*heard)
	if !ok {
		return resp, err
	}
	if err != nil {
		h.err = err
		return nil, err
	}
	h.status, h.size, h.header = resp.StatusCode, resp.ContentLength, resp.Header.Clone()
	resp.Header.Del("Expires")
	return resp, nil
}

// object turns a failed request into what its status means; 304 is one to minio-go.
func (h *heard) object(err error, now time.Time) (*Object, error) {
	switch {
	case h.err != nil:
		return nil, failed(h.err)
	case h.status == http.StatusNotModified:
		return &Object{NotModified: true, Size: -1, Meta: metaOf(h.header, now)}, nil
	case h.status == 0 && errors.As(err, new(minio.ErrorResponse)): // refused before it was sent
		return nil, notFound(err)
	case h.status == 0:
		return nil, failed(err)
	}
	code := minio.ToErrorResponse(err).Code
	cause := fmt.Errorf("bucket answered %d %s", h.status, strconv.Quote(code))
	if code == minio.NoSuchBucket {
		return nil, denied(cause)
	}
	if h.status == http.StatusOK {
		return nil, failed(cause)
	}
	return nil, statusError(h.status, h.header, cause, now)
}
