package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
)

// sampler draws numbers from 0 to n-1, evenly or by weight.
type sampler struct {
	n          int
	cumulative []float64 // nil = evenly
}

// weighted draws i as often as weights[i] says.
func weighted(weights []float64) sampler {
	s := sampler{n: len(weights), cumulative: make([]float64, len(weights))}
	even, sum := true, 0.0
	for i, w := range weights {
		sum += w
		s.cumulative[i] = sum
		even = even && w == weights[0]
	}
	if even {
		s.cumulative = nil
	}
	return s
}

// zipf draws i with a probability in proportion to 1/(i+1)^exponent; 0 is evenly. The popularity of
// pictures on the web has exponents from 0.6 to 1.1.
func zipf(n int, exponent float64) sampler {
	if exponent == 0 {
		return sampler{n: n}
	}
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -exponent)
	}
	return weighted(weights)
}

func (s sampler) draw(dice *rand.Rand) int {
	switch {
	case s.n <= 1:
		return 0
	case s.cumulative == nil:
		return dice.IntN(s.n)
	}
	at := dice.Float64() * s.cumulative[s.n-1]
	return min(sort.Search(s.n, func(i int) bool { return s.cumulative[i] > at }), s.n-1)
}

// cutWeight reads "3*text": a weight above 0 and what it weighs. Without a number in front the weight is 1.
func cutWeight(text string) (weight float64, rest string, err error) {
	number, rest, found := strings.Cut(text, "*")
	if !found || strings.Trim(number, "0123456789.") != "" || number == "" {
		return 1, text, nil
	}
	weight, err = strconv.ParseFloat(number, 64)
	if err != nil || weight <= 0 {
		return 0, "", fmt.Errorf("weight %q: want a number above 0", number)
	}
	return weight, rest, nil
}
