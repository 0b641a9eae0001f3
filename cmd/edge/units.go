package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Size is a number of bytes, written with its unit: 512MiB, 20MB, 4096B. Zero needs no unit.
type Size int64

// Duration is a span of time in Go's writing, with d for days of 24 h: 50ms, 10s, 1h30m, 30d. Zero
// needs no unit.
type Duration time.Duration

// Secret is text that is never printed.
type Secret string

// RedisURL is an address of Redis; its password is never printed.
type RedisURL string

const (
	hidden  = "(hidden)"
	maxDays = 36500
)

type unit struct {
	name   string
	factor int64
}

// sizeUnits goes from the longest name to the shortest, so that the first suffix that fits is the unit.
func sizeUnits() []unit {
	return []unit{
		{"KiB", 1 << 10},
		{"MiB", 1 << 20},
		{"GiB", 1 << 30},
		{"TiB", 1 << 40},
		{"kB", 1e3},
		{"KB", 1e3},
		{"MB", 1e6},
		{"GB", 1e9},
		{"TB", 1e12},
		{"B", 1},
	}
}

// ParseSize reads a Size.
func ParseSize(text string) (Size, error) {
	if text == "0" {
		return 0, nil
	}
	for _, u := range sizeUnits() {
		number, found := strings.CutSuffix(text, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if bytes := n * float64(u.factor); err != nil || !(bytes >= 0 && bytes < 1<<60) {
			break
		}
		return Size(n * float64(u.factor)), nil
	}
	return 0, fmt.Errorf("%q is no size; write a number with a unit, as in 512MiB, 20MB or 4096B", text)
}

// String writes the size in the largest binary unit that divides it.
func (s Size) String() string {
	if s == 0 {
		return "0"
	}
	for _, u := range []unit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if int64(s)%u.factor == 0 {
			return strconv.FormatInt(int64(s)/u.factor, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// UnmarshalText reads a size of the environment.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// UnmarshalYAML reads a size of the file.
func (s *Size) UnmarshalYAML(node ast.Node) error { return scalar(node, s.UnmarshalText) }

// MarshalYAML writes the size with its unit.
func (s Size) MarshalYAML() ([]byte, error) { return []byte(s.String()), nil }

// ParseDuration reads a Duration.
func ParseDuration(text string) (Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		rest = text
	}
	var total time.Duration
	if found {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(math.Abs(n) <= maxDays) {
			return 0, badDuration(text)
		}
		total = time.Duration(n * 24 * float64(time.Hour))
	}
	if rest != "" || !found {
		d, err := time.ParseDuration(rest)
		if err != nil {
			return 0, badDuration(text)
		}
		total += d
	}
	return Duration(total), nil
}

func badDuration(text string) error {
	return fmt.Errorf("%q is no duration; write a number with a unit, as in 50ms, 10s, 1h30m or 30d", text)
}

// String writes whole hours as hours and leaves out zero parts: 24h, not 24h0m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// UnmarshalText reads a duration of the environment.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// UnmarshalYAML reads a duration of the file.
func (d *Duration) UnmarshalYAML(node ast.Node) error { return scalar(node, d.UnmarshalText) }

// MarshalYAML writes the duration with its unit.
func (d Duration) MarshalYAML() ([]byte, error) { return []byte(d.String()), nil }

// MarshalYAML hides the secret; an empty one is shown as empty.
func (s Secret) MarshalYAML() ([]byte, error) { return []byte(strconv.Quote(s.String())), nil }

// String hides the secret, so that no log line and no error text carries it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// String hides the password.
func (u RedisURL) String() string {
	scheme, rest, _ := strings.Cut(string(u), "://")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return string(u)
	}
	user, _, _ := strings.Cut(rest[:at], ":")
	return scheme + "://" + user + ":" + hidden + rest[at:]
}

// MarshalYAML hides the password.
func (u RedisURL) MarshalYAML() ([]byte, error) { return []byte(strconv.Quote(u.String())), nil }

// scalar hands the text of a plain value to parse and gives the error the value's place in the file.
func scalar(node ast.Node, parse func([]byte) error) error {
	token := node.GetToken()
	if _, ok := node.(ast.ScalarNode); !ok {
		return &yaml.SyntaxError{Message: "takes a single value", Token: token}
	}
	if err := parse([]byte(token.Value)); err != nil {
		return &yaml.SyntaxError{Message: err.Error(), Token: token}
	}
	return nil
}
