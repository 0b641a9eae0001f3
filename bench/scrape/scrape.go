// Package scrape reads a server's Prometheus metrics before and after a stretch of load, and tells what
// the server itself says of it: time per stage, answers per cache verdict, counters that moved.
//
//	before, err := scrape.Get(ctx, "http://127.0.0.1:8081/metrics")
//	…
//	moved := after.Since(before)
//	moved.By("imgedge_stage_duration_seconds_sum", "stage")   // seconds by stage
package scrape

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the longest page of metrics that is read, bytes.
const maxBody = 16 << 20

// Values are samples by their name and labels, as the text form writes them: `name{label="x"}`.
type Values map[string]float64

// Get reads a page of metrics. Redirects are not followed: load and questions go only where the command
// line says.
func Get(ctx context.Context, url string) (Values, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read %s: status %d", url, response.StatusCode)
	}
	return Parse(io.LimitReader(response.Body, maxBody))
}

// Parse reads the text form of Prometheus metrics. Lines that it does not understand are left out.
func Parse(r io.Reader) (Values, error) {
	values := Values{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, rest := cutName(lines.Text())
		fields := strings.Fields(rest) // a value, and perhaps a time
		if name == "" || len(fields) == 0 {
			continue
		}
		if v, err := strconv.ParseFloat(fields[0], 64); err == nil {
			values[name] = v
		}
	}
	return values, lines.Err()
}

// cutName separates name and labels from the value; "" for comments and what is no sample. Label values
// may hold braces and escaped quotes.
func cutName(line string) (name, rest string) {
	quoted := false
	for i := 0; i < len(line) && line[0] != '#'; i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '}':
			return line[:i+1], line[i+1:]
		case !quoted && c == ' ' && !strings.Contains(line[:i], "{"):
			return line[:i], line[i:]
		}
	}
	return "", ""
}

// Since returns by how much each value grew, without those that did not change. A value that shrank
// belongs to a server that was started anew: it counts as it is.
func (v Values) Since(before Values) Values {
	grown := Values{}
	for name, now := range v {
		by := now - before[name]
		if by < 0 {
			by = now
		}
		if by != 0 {
			grown[name] = by
		}
	}
	return grown
}

// By adds up the samples of one name by the value of one label; samples without it count under "".
func (v Values) By(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for sample, value := range v {
		if labels, ok := strings.CutPrefix(sample, name); ok && (labels == "" || labels[0] == '{') {
			sums[labelOf(labels, label)] += value
		}
	}
	return sums
}

// labelOf returns a label's value in {a="x",b="y"}, escapes left as they are.
func labelOf(labels, name string) string {
	for _, before := range []string{"{", ","} {
		if _, rest, ok := strings.Cut(labels, before+name+`="`); ok {
			value, _, _ := strings.Cut(rest, `"`)
			return value
		}
	}
	return ""
}
