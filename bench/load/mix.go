package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/imgedge/imgedge/bench/check"
)

// Target is one request.
type Target struct {
	Text   string // in origin form, signed
	Accept string // header; "" = not sent
	Expect check.Expect
}

// Population is what may be asked for. It may be used concurrently.
type Population interface {
	// Size is the number of different requests; 0 = without end.
	Size() int
	// At returns request i, 0 ≤ i < Size.
	At(i int) (*Target, error)
	// Draw returns a request by popularity.
	Draw(dice *rand.Rand) (*Target, error)
}

// Mix makes requests from templates.
type Mix struct {
	Templates []Template // at least one; drawn by weight
	Places    []Values   // what stands in their places
	Accepts   []string   // headers Accept with weights, "3*image/webp"; none = not sent
	Size      string     // the size each picture has to have, "{w}x"; "" = what the target says
	Format    string     // the format likewise, "{f}"; "" = what the target says
	KeyID     string     // sent as kid=; "" = not sent
	Run       string     // of {run}
	Sign      func(target string) (string, error)
}

// maxMemo is the largest population whose requests are kept once they are made.
const maxMemo = 1 << 20

// population is a mix that was checked. Requests are numbered through: shape by shape, within a shape by
// mixed radix over its places and, last, the Accept headers.
type population struct {
	mix     Mix
	shapes  []shape
	which   sampler // of shapes
	accepts []string
	accept  sampler
	size    int
	expects [2]Template // Size, Format
	memo    []atomic.Pointer[Target]
	number  atomic.Int64 // of {n}
}

// shape is a template with the places that it uses.
type shape struct {
	Template
	places []Values
	first  int // number of its first request
	size   int // how many it has
}

// Population checks the mix; every problem is reported.
func (m Mix) Population() (Population, error) {
	if m.Sign == nil {
		m.Sign = func(target string) (string, error) { return target, nil }
	}
	p := &population{mix: m}
	if err := errors.Join(p.setAccepts(), p.setShapes(), p.setExpects()); err != nil {
		return nil, err
	}
	if p.size > 0 && p.size <= maxMemo {
		p.memo = make([]atomic.Pointer[Target], p.size)
	}
	_, err := p.make(0)
	p.number.Store(0)
	return p, err
}

func (p *population) setAccepts() error {
	weights := make([]float64, len(p.mix.Accepts))
	for i, text := range p.mix.Accepts {
		weight, header, err := cutWeight(text)
		if err != nil {
			return fmt.Errorf("accept %q: %w", text, err)
		}
		if strings.ContainsAny(header, "\r\n") {
			return fmt.Errorf("accept %q: want one line", text)
		}
		weights[i], p.accepts = weight, append(p.accepts, header)
	}
	p.accept = weighted(weights)
	if len(p.accepts) == 0 {
		p.accepts, p.accept = []string{""}, sampler{n: 1}
	}
	return nil
}

func (p *population) setShapes() error {
	if len(p.mix.Templates) == 0 {
		return errors.New("no template")
	}
	var problems []error
	weights := make([]float64, 0, len(p.mix.Templates))
	for _, t := range p.mix.Templates {
		problems = append(problems, t.check(p.mix.Places))
		s := shape{Template: t, first: p.size, size: len(p.accepts)}
		for _, v := range p.mix.Places {
			if t.has(v.name) {
				s.places = append(s.places, v)
				s.size *= max(v.draw.n, 1)
			}
			if s.size > maxMemo<<10 {
				return fmt.Errorf("template %q: more than %d different requests", t.text, maxMemo<<10)
			}
		}
		p.shapes, weights = append(p.shapes, s), append(weights, t.weight)
		p.size += s.size
	}
	for _, t := range p.mix.Templates {
		if t.has("n") {
			p.size = 0
		}
	}
	p.which = weighted(weights)
	return errors.Join(problems...)
}

func (p *population) setExpects() error {
	var problems []error
	for i, text := range []string{p.mix.Size, p.mix.Format} {
		t, err := parseParts(text)
		p.expects[i] = t
		problems = append(problems, err, t.check(p.mix.Places))
		for _, s := range p.shapes {
			for _, part := range t.parts {
				if part.place != "" && !s.has(part.place) {
					problems = append(problems, fmt.Errorf("%q: {%s} does not occur in %q", text, part.place, s.text))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// Size implements Population.
func (p *population) Size() int { return p.size }

// Draw implements Population.
func (p *population) Draw(dice *rand.Rand) (*Target, error) {
	s := &p.shapes[p.which.draw(dice)]
	i := 0
	for _, v := range s.places {
		i = i*v.draw.n + v.draw.draw(dice)
	}
	i = i*len(p.accepts) + p.accept.draw(dice)
	return p.At(s.first + i)
}

// At implements Population.
func (p *population) At(i int) (*Target, error) {
	if p.memo == nil {
		return p.make(i)
	}
	if t := p.memo[i].Load(); t != nil {
		return t, nil
	}
	t, err := p.make(i)
	if err == nil {
		p.memo[i].Store(t)
	}
	return t, err
}

// make builds and signs request i.
func (p *population) make(i int) (*Target, error) {
	s := &p.shapes[0]
	for k := range p.shapes {
		if p.shapes[k].first <= i {
			s = &p.shapes[k]
		}
	}
	rest := i - s.first
	t := &Target{Accept: p.accepts[rest%len(p.accepts)]}
	rest /= len(p.accepts)
	texts := make(map[string]string, len(s.places)+2)
	for k := len(s.places) - 1; k >= 0; k-- {
		v := s.places[k]
		texts[v.name] = v.text(rest % v.draw.n)
		rest /= v.draw.n
	}
	if s.has("n") {
		texts["n"] = strconv.FormatInt(p.number.Add(1), 10)
	}
	texts["run"] = p.mix.Run
	value := func(place string) string { return texts[place] }
	var errSize, errSign error
	t.Expect, errSize = check.Expect{Format: p.expects[1].expand(value)}.WithSize(p.expects[0].expand(value))
	t.Text, errSign = p.mix.Sign(named(s.expand(value), p.mix.KeyID))
	return t, errors.Join(errSize, errSign)
}

// named adds kid= to a target.
func named(target, keyID string) string {
	switch {
	case keyID == "":
		return target
	case strings.Contains(target, "?"):
		return target + "&kid=" + keyID
	}
	return target + "?kid=" + keyID
}
