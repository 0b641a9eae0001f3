package load

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
)

// maxValues is how many values a place may have.
const maxValues = 1 << 20

// Values are what may stand in one place of a template.
type Values struct {
	name  string
	texts []string // empty = the numbers 0 to draw.n-1
	draw  sampler
}

// ParseValues reads "w=100-1000", a range of whole numbers, or "f=3*webp,jpeg", a list with weights.
func ParseValues(text string) (Values, error) {
	name, list, found := strings.Cut(text, "=")
	if !found || !isPlace(name) || list == "" {
		return Values{}, fmt.Errorf("%q: want name=values, the name in small letters", text)
	}
	if name == "n" || name == "run" {
		return Values{}, fmt.Errorf("%q: {%s} has its own value", text, name)
	}
	v := Values{name: name}
	if low, high, isRange := strings.Cut(list, "-"); isRange && digits(low) && digits(high) {
		return v.numbers(low, high)
	}
	var weights []float64
	for field := range strings.SplitSeq(list, ",") {
		weight, value, err := cutWeight(field)
		if err != nil {
			return Values{}, fmt.Errorf("%q: %w", text, err)
		}
		v.texts, weights = append(v.texts, value), append(weights, weight)
	}
	v.draw = weighted(weights)
	return v, nil
}

// numbers fills in the range low–high.
func (v Values) numbers(low, high string) (Values, error) {
	from, errFrom := strconv.Atoi(low)
	to, errTo := strconv.Atoi(high)
	if errFrom != nil || errTo != nil || to < from || to-from >= maxValues {
		return Values{}, fmt.Errorf("%s=%s-%s: want a range that rises, of at most %d numbers", v.name, low, high, maxValues)
	}
	for i := from; i <= to; i++ {
		v.texts = append(v.texts, strconv.Itoa(i))
	}
	v.draw = sampler{n: len(v.texts)}
	return v, nil
}

// Numbers returns the values 0 to n-1 of {i}, by Zipf's law: 0 is the most popular.
func Numbers(n int, exponent float64) Values {
	return Values{name: "i", draw: zipf(n, exponent)}
}

// Keys returns the values of {key}: keys of originals, percent-encoded as a URL needs them, in an order of
// popularity that seed decides and that has nothing to do with their names.
func Keys(keys []string, exponent float64, seed uint64) Values {
	v := Values{name: "key", texts: make([]string, len(keys)), draw: zipf(len(keys), exponent)}
	for i, key := range keys {
		v.texts[i] = strings.TrimPrefix((&url.URL{Path: "/" + key}).EscapedPath(), "/")
	}
	dice := rand.New(rand.NewPCG(seed, 0))
	dice.Shuffle(len(v.texts), func(i, j int) { v.texts[i], v.texts[j] = v.texts[j], v.texts[i] })
	return v
}

// text returns value i.
func (v Values) text(i int) string {
	if len(v.texts) == 0 {
		return strconv.Itoa(i)
	}
	return v.texts[i]
}

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// isPlace tells whether a name can stand in braces.
func isPlace(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") == ""
}
