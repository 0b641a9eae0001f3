package main

import (
	"errors"
	"strings"
)

// checkRedisURL refuses what is no address of Redis. Its text never carries the address.
func checkRedisURL(address string) error {
	scheme, rest, _ := strings.Cut(address, "://")
	switch scheme {
	case "redis", "rediss", "redis+sentinel", "redis+cluster":
	default:
		return errors.New("is no address of Redis; write redis://, rediss://, redis+sentinel:// or redis+cluster://")
	}
	if rest == "" {
		return errors.New("has no host; write redis://127.0.0.1:6379/0")
	}
	return nil
}
