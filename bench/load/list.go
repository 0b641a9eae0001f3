package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
)

// maxList is the largest number of lines that is read.
const maxList = 1 << 20

// List is requests that stand in a file.
type List struct {
	// Base is the only server that absolute URLs may name.
	Base *url.URL
	// Zipf is the exponent of popularity, the first line being the most popular; 0 = by the lines' weights.
	Zipf float64
	// Accept is the header of lines that name none; "" = not sent.
	Accept string
	// KeyID is sent as kid= in targets that are not signed; "" = not sent.
	KeyID string
	// Sign signs targets that have no signature; nil = they are sent as they stand.
	Sign func(target string) (string, error)
}

// list is the population of a List.
type list struct {
	List
	targets []Target
	memo    []atomic.Pointer[Target] // signed
	draw    sampler
}

// Read reads one request a line: a request target or a whole URL, then, separated by tabs, any of
// weight=3, accept=image/webp, size=300x200 and format=webp. Empty lines and lines that begin with # are
// left out.
func (l List) Read(r io.Reader) (Population, error) {
	p := &list{List: l}
	var weights []float64
	var problems []error
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<10)
	for number := 1; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if len(p.targets) == maxList {
			return nil, fmt.Errorf("more than %d URLs", maxList)
		}
		t, weight, err := l.parse(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", number, err))
		}
		p.targets, weights = append(p.targets, t), append(weights, weight)
	}
	if err := errors.Join(append(problems, lines.Err())...); err != nil {
		return nil, err
	}
	if len(p.targets) == 0 {
		return nil, errors.New("no URLs")
	}
	p.draw = weighted(weights)
	if l.Zipf > 0 {
		p.draw = zipf(len(p.targets), l.Zipf)
	}
	p.memo = make([]atomic.Pointer[Target], len(p.targets))
	return p, nil
}

func (l List) parse(line string) (t Target, weight float64, err error) {
	fields := strings.Split(line, "\t")
	t, weight = Target{Accept: l.Accept}, 1
	if t.Text, err = l.origin(fields[0]); err != nil {
		return t, weight, err
	}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "weight":
			weight, _, err = cutWeight(value + "*")
			if value == "" {
				err = errors.New("weight without a number")
			}
		case "accept":
			t.Accept = value
		case "size":
			t.Expect, err = t.Expect.WithSize(value)
		case "format":
			t.Expect.Format = value
		default:
			err = fmt.Errorf("field %q: want weight=, accept=, size= or format=", field)
		}
		if err != nil {
			return t, weight, err
		}
	}
	return t, weight, nil
}

// origin returns a target in origin form. A whole URL must name the server of the command line.
func (l List) origin(text string) (string, error) {
	if strings.HasPrefix(text, "/") {
		return text, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q: want a target that begins with / or a whole URL", text)
	}
	if l.Base == nil || u.Scheme != l.Base.Scheme || u.Host != l.Base.Host {
		return "", fmt.Errorf("%q: not on the server that is to be loaded", text)
	}
	target := strings.TrimPrefix(text, u.Scheme+"://"+u.Host)
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return target, nil
}

// Size implements Population.
func (l *list) Size() int { return len(l.targets) }

// Draw implements Population.
func (l *list) Draw(dice *rand.Rand) (*Target, error) { return l.At(l.draw.draw(dice)) }

// At implements Population.
func (l *list) At(i int) (*Target, error) {
	if t := l.memo[i].Load(); t != nil {
		return t, nil
	}
	t := l.targets[i]
	if l.Sign != nil && !signed(t.Text) {
		var err error
		if t.Text, err = l.Sign(named(t.Text, l.KeyID)); err != nil {
			return nil, err
		}
	}
	l.memo[i].Store(&t)
	return &t, nil
}

// signed tells whether a target has a native signature.
func signed(target string) bool {
	return strings.Contains(target, "&s=") || strings.Contains(target, "?s=")
}
