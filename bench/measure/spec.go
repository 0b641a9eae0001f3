package measure

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/signing"
)

// Bounds of what is put on a server: load never comes without end.
const (
	MaxDuration = 10 * time.Minute // of a phase
	MaxClients  = 10_000
	MaxRate     = 200_000 // arrivals a second
)

// Spec is a server and what to ask it for, as command lines give them.
type Spec struct {
	URL        string   // scheme, host and port: the only server that is contacted
	Key        string   // secret in hex that signs the URLs; "" = unsigned
	KeyID      string   // sent as kid=; "" = not sent
	Templates  []string // see load.ParseTemplate
	Values     []string // see load.ParseValues
	Keys       []string // of {key}
	Population int      // how many numbers {i} has; 0 = {i} is not known
	Zipf       float64  // exponent of the popularity of {key}, {i} and the lines of a list; 0 = all alike
	Accepts    []string // headers Accept with weights; none = not sent
	Size       string   // what every picture has to have; "" = what a native URL says
	Format     string   // likewise
	Status     int      // of a good answer
	Timeout    time.Duration
	Seed       uint64
	Run        string // of {run}
	PIDs       []int  // roots of the server's process trees; none = not watched
	Metrics    string // URL of the server's metrics; "" = not read
}

// Subject checks the spec and returns what it describes; every problem is reported. list holds URLs that
// take the place of templates; nil = there are templates.
func (s Spec) Subject(list io.Reader) (*Subject, error) {
	base, errBase := parseBase(s.URL)
	sign, errKey := s.signer()
	metrics, errMetrics := metricsURL(s.Metrics)
	if err := errors.Join(errBase, errKey, errMetrics); err != nil {
		return nil, err
	}
	var population load.Population
	var err error
	if list != nil {
		population, err = s.list(base, sign).Read(list)
	} else {
		population, err = s.population(sign)
	}
	if err != nil {
		return nil, err
	}
	return &Subject{
		Population: population, Server: load.Server{Base: base, Timeout: s.Timeout},
		Status: s.Status, PIDs: s.PIDs, Metrics: metrics,
	}, nil
}

func (s Spec) list(base *url.URL, sign func(string) (string, error)) load.List {
	l := load.List{Base: base, Zipf: s.Zipf, KeyID: s.KeyID, Sign: sign}
	if len(s.Accepts) > 0 {
		l.Accept = s.Accepts[0]
	}
	return l
}

func (s Spec) population(sign func(string) (string, error)) (load.Population, error) {
	m := load.Mix{Accepts: s.Accepts, Size: s.Size, Format: s.Format, KeyID: s.KeyID, Run: s.Run, Sign: sign}
	problems := make([]error, 0, len(s.Templates)+len(s.Values))
	for _, text := range s.Templates {
		t, err := load.ParseTemplate(text)
		m.Templates, problems = append(m.Templates, t), append(problems, err)
	}
	for _, text := range s.Values {
		v, err := load.ParseValues(text)
		m.Places, problems = append(m.Places, v), append(problems, err)
	}
	if len(s.Keys) > 0 {
		m.Places = append(m.Places, load.Keys(s.Keys, s.Zipf, s.Seed))
	}
	if s.Population > 0 {
		m.Places = append(m.Places, load.Numbers(s.Population, s.Zipf))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return m.Population()
}

// signer returns what signs targets; nil = nothing does.
func (s Spec) signer() (func(string) (string, error), error) {
	if s.Key == "" {
		return nil, nil
	}
	secret, err := signing.ParseSecret(s.Key)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return signing.Key{ID: s.KeyID, Secret: secret}.SignTarget, nil
}

// Targets words what is asked for.
func (s Spec) Targets() string {
	return strings.Join(append(append([]string{}, s.Templates...), s.Values...), "  ")
}

func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("url %q: want http://host:port or https://host", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// metricsURL fills in the usual path.
func metricsURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("metrics %q: want http://host:port/metrics", text)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	return u.String(), nil
}

// ParsePIDs reads "4711" or "4711,4712".
func ParsePIDs(text string) ([]int, error) {
	var pids []int
	for field := range strings.SplitSeq(text, ",") {
		pid, err := strconv.Atoi(field)
		if err != nil || pid < 1 {
			return nil, fmt.Errorf("%q: want process numbers such as 4711,4712", text)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// CheckPhase tells what about a phase is out of bounds; every problem is reported.
func CheckPhase(p load.Phase) error {
	var problems []error
	if p.Clients < 1 || p.Clients > MaxClients {
		problems = append(problems, fmt.Errorf("-clients %d: want 1–%d", p.Clients, MaxClients))
	}
	if p.Rate < 0 || p.Rate > MaxRate {
		problems = append(problems, fmt.Errorf("-rate %v: want 0–%d a second", p.Rate, MaxRate))
	}
	if p.Duration <= 0 || p.Duration > MaxDuration {
		problems = append(problems, fmt.Errorf("-duration %v: want more than 0 and at most %v", p.Duration, MaxDuration))
	}
	if p.Requests < 0 {
		problems = append(problems, fmt.Errorf("-requests %d: want 0 or more", p.Requests))
	}
	if p.CheckShare < 0 || p.CheckShare > 1 {
		problems = append(problems, fmt.Errorf("-check %v: want 0–1", p.CheckShare))
	}
	return errors.Join(problems...)
}
