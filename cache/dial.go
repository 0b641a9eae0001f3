package cache

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const dialTimeout = 250 * time.Millisecond

// OpenRedis returns a client for one of
//
//	redis://[user:password@]host[:port][/database]
//	redis+sentinel://[user:password@]host:port,host:port/master[/database]
//	redis+cluster://[user:password@]host:port,host:port
//
// or the same with rediss, for TLS. It does not connect. An error names no password.
//
// The client never retries and never waits long: its callers have a breaker and take trouble for a
// miss. go-redis logs through one process-wide logger; it is silenced, since every failure is
// returned and counted.
func OpenRedis(address string) (redis.UniversalClient, error) {
	o, err := parseRedisURL(address)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	redis.SetLogger(silent{}) // an atomic swap inside go-redis, the same value each time
	return redis.NewUniversalClient(o), nil
}

type silent struct{}

// Printf drops the line.
func (silent) Printf(context.Context, string, ...any) {}

// parseRedisURL reads an address into the options of the client. net/url is of no use for the whole:
// it refuses a list of hosts.
func parseRedisURL(address string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(address, "://")
	if strings.ContainsAny(rest, "?#") {
		return nil, Error("query options are not supported")
	}
	authority, path, _ := strings.Cut(rest, "/")
	o := clientOptions()
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		if err := setCredentials(o, authority[:i]); err != nil {
			return nil, err
		}
		authority = authority[i+1:]
	}
	base, mode, _ := strings.Cut(scheme, "+")
	defaultPort := "6379"
	switch mode {
	case "", "cluster":
	case "sentinel":
		o.MasterName, path, _ = strings.Cut(path, "/")
		if o.MasterName == "" {
			return nil, Error("no master's name after the sentinels: redis+sentinel://host:port/master/0")
		}
		o.SentinelUsername, o.SentinelPassword = o.Username, o.Password
		defaultPort = "26379"
	default:
		base = ""
	}
	o.IsClusterMode = mode == "cluster"
	if base != "redis" && base != "rediss" {
		return nil, Error("scheme is none of redis, rediss, redis+sentinel, redis+cluster")
	}
	if base == "rediss" {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	o.Dialer = dialer(o.TLSConfig)
	var err error
	if o.Addrs, err = splitHosts(authority, defaultPort); err != nil {
		return nil, err
	}
	if mode == "" && len(o.Addrs) > 1 {
		return nil, Error("several hosts need redis+cluster or redis+sentinel")
	}
	return o, setDatabase(o, path)
}

func clientOptions() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Protocol:                 2,
		MaxRetries:               -1,
		DialTimeout:              dialTimeout,
		DialerRetries:            1,
		ReadTimeout:              time.Second, // calls have their own, shorter
		WriteTimeout:             time.Second,
		PoolTimeout:              dialTimeout,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true, // CVE-2025-29923: answers out of order after a timeout in CLIENT SETINFO
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func setCredentials(o *redis.UniversalOptions, userinfo string) error {
	user, password, _ := strings.Cut(userinfo, ":")
	var err1, err2 error
	o.Username, err1 = url.PathUnescape(user)
	o.Password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return Error("user or password is not percent-encoded") // their own text would show them
	}
	return nil
}

func splitHosts(authority, defaultPort string) ([]string, error) {
	var hosts []string
	for h := range strings.SplitSeq(authority, ",") {
		if h == "" {
			return nil, Error("a host is empty")
		}
		host, port, err := net.SplitHostPort(h)
		if err != nil {
			host, port = strings.Trim(h, "[]"), defaultPort
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("port %q of host %q is not 1–65535", port, host)
		}
		hosts = append(hosts, net.JoinHostPort(host, port))
	}
	return hosts, nil
}

func setDatabase(o *redis.UniversalOptions, path string) error {
	if path == "" {
		return nil
	}
	n, err := strconv.ParseUint(path, 10, 16)
	if err != nil || o.IsClusterMode && n > 0 {
		return fmt.Errorf("database %q is not a number of this server", path)
	}
	o.DB = int(n)
	return nil
}

// dialer connects with TLS where t is set; what comes in passes the guard.
func dialer(t *tls.Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		d := &net.Dialer{KeepAlive: 15 * time.Second}
		if t == nil {
			c, err := d.DialContext(ctx, network, addr)
			return guarded(c, err)
		}
		c, err := (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, network, addr)
		return guarded(c, err)
	}
}

func guarded(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	if raw, ok := c.(syscall.Conn); ok {
		return &guardRawConn{guardConn: guardConn{Conn: c}, raw: raw}, nil
	}
	return &guardConn{Conn: c}, nil
}
