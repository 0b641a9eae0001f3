package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/imgedge/imgedge/bench/load"
	"github.com/imgedge/imgedge/bench/measure"
)

// settings say what load to make.
type settings struct {
	spec  measure.Spec
	phase load.Phase

	urlFile, keyFile, bucket string // "-" = standard input; "" = not used

	cold   bool
	warmup time.Duration // 0 = no such phase
	ramp   ramp
	isRamp bool

	name               string
	jsonFile, htmlFile string   // "" = not written
	quiet              bool     // no progress bars
	compare            []string // two reports
}

// texts is a flag that may be given several times.
type texts []string

// String implements flag.Value.
func (t *texts) String() string { return strings.Join(*t, " ") }

// Set implements flag.Value.
func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

// parseSettings reads the flags; every problem is reported at once.
func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var pids, goal, widths string
	var comparing bool
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	s.serverFlags(f, &pids)
	s.targetFlags(f, &widths)
	s.loadFlags(f, &goal)
	f.StringVar(&s.name, "name", "", "what the report calls this run; the server's URL if empty")
	f.StringVar(&s.jsonFile, "json", "", "file for the report as JSON")
	f.StringVar(&s.htmlFile, "html", "", "file for the report as one HTML page with plots")
	f.BoolVar(&s.quiet, "quiet", false, "no progress bars")
	f.BoolVar(&comparing, "compare", false, "compare two JSON reports: bench -compare before.json after.json")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if comparing {
		if s.compare = f.Args(); len(s.compare) != 2 {
			return settings{}, errors.New("-compare wants two reports, with flags before them")
		}
		return s, nil
	}
	if f.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if widths != "" {
		s.spec.Values = append(s.spec.Values, "w="+widths)
	}
	return s, errors.Join(s.setPIDs(pids), s.ramp.setGoal(goal), s.check())
}

func (s *settings) serverFlags(f *flag.FlagSet, pids *string) {
	f.StringVar(&s.spec.URL, "url", "", "server to load, such as http://127.0.0.1:8080")
	f.StringVar(&s.spec.Key, "key", "", "secret in hex that signs the URLs; none = unsigned")
	f.StringVar(&s.spec.KeyID, "kid", "", "name of the key, sent as kid=")
	f.DurationVar(&s.spec.Timeout, "timeout", 30*time.Second, "of one request")
	f.IntVar(&s.spec.Status, "status", 200, "status that a good answer has")
	f.StringVar(&s.spec.Metrics, "metrics", "", "URL of the server's metrics, such as http://127.0.0.1:8081/metrics")
	f.StringVar(pids, "pid", "", "processes of the server, such as 4711,4712; their children count with them (Linux)")
}

func (s *settings) targetFlags(f *flag.FlagSet, widths *string) {
	f.Var((*texts)(&s.spec.Templates), "template", "request target, such as '3*/local/coast.jpg?w={w}&f=jpeg' with weight 3; may be repeated")
	f.Var((*texts)(&s.spec.Values), "set", "values of a place with weights, such as 'f=3*webp,jpeg' or 'w=100-1000'; may be repeated")
	f.StringVar(widths, "w", "", "short for -set w=")
	f.Var((*texts)(&s.spec.Accepts), "accept", "header Accept, with weight such as '4*image/avif,image/webp,*/*'; may be repeated")
	f.IntVar(&s.spec.Population, "population", 0, "how many values {i} has, 0 to N-1")
	f.Float64Var(&s.spec.Zipf, "zipf", 0, "exponent of the popularity of {i}, {key} or lines of -urls; 0 = all alike")
	f.StringVar(&s.urlFile, "urls", "", "file with a URL a line, instead of templates; - = standard input")
	f.StringVar(&s.keyFile, "keys", "", "file with the values of {key}, one a line; - = standard input")
	f.StringVar(&s.bucket, "bucket", "", "bucket whose keys are the values of {key}, such as https://s3.example.com/pictures/prefix/")
	f.StringVar(&s.spec.Size, "size", "", "size every picture has to have, such as 300x200 or '{w}x'")
	f.StringVar(&s.spec.Format, "format", "", "format every picture has to have, such as webp or '{f}'")
	f.Uint64Var(&s.phase.Seed, "seed", 1, "of everything that is drawn")
	f.Float64Var(&s.phase.CheckShare, "check", 0.02, "share of the answers that are checked, 0–1")
}

func (s *settings) loadFlags(f *flag.FlagSet, goal *string) {
	f.IntVar(&s.phase.Clients, "clients", 64, "clients at once, each with a connection")
	f.Float64Var(&s.phase.Rate, "rate", 0, "arrivals a second of an open loop; 0 = closed loop. With -ramp, the first rate")
	f.DurationVar(&s.phase.Duration, "duration", 10*time.Second, "length of the run, at most 10m")
	f.Int64Var(&s.phase.Requests, "requests", 0, "stop after so many requests; 0 = only after the duration")
	f.BoolVar(&s.cold, "cold", false, "first ask for every URL once")
	f.DurationVar(&s.warmup, "warmup", 0, "first run the same load for so long, reported apart")
	f.BoolVar(&s.isRamp, "ramp", false, "search the highest rate within -goal")
	f.StringVar(goal, "goal", "p99=100ms", "what -ramp has to keep")
	f.DurationVar(&s.ramp.step, "step", 5*time.Second, "length of each step of -ramp")
	f.Float64Var(&s.ramp.most, "max-rate", 20_000, "highest rate that -ramp tries")
}

func (s *settings) setPIDs(text string) (err error) {
	if text == "" {
		return nil
	}
	if s.spec.PIDs, err = measure.ParsePIDs(text); err != nil {
		return fmt.Errorf("-pid: %w", err)
	}
	return nil
}

// check looks at the settings that are not looked at where they are used.
func (s *settings) check() error {
	problems := []error{measure.CheckPhase(s.phase)}
	if s.spec.Timeout <= 0 {
		problems = append(problems, fmt.Errorf("-timeout %v: want more than 0", s.spec.Timeout))
	}
	if s.warmup < 0 || s.warmup > measure.MaxDuration {
		problems = append(problems, fmt.Errorf("-warmup %v: want at most %v", s.warmup, measure.MaxDuration))
	}
	if s.spec.Zipf < 0 || s.spec.Zipf > 10 {
		problems = append(problems, fmt.Errorf("-zipf %v: want 0–10", s.spec.Zipf))
	}
	const mostURLs = 1 << 20
	if s.spec.Population < 0 || s.spec.Population > mostURLs {
		problems = append(problems, fmt.Errorf("-population %d: want 0–%d", s.spec.Population, mostURLs))
	}
	if sources := given(s.urlFile) + min(len(s.spec.Templates), 1); sources != 1 {
		problems = append(problems, errors.New("want either -template or -urls"))
	}
	if given(s.keyFile)+given(s.bucket) > 1 {
		problems = append(problems, errors.New("want only one of -keys and -bucket"))
	}
	if s.isRamp {
		problems = append(problems, s.ramp.check(s.phase.Rate))
	}
	s.spec.Seed, s.spec.Run = s.phase.Seed, strconv.FormatInt(time.Now().UnixNano(), 36)
	return errors.Join(problems...)
}

func given(text string) int {
	if text == "" {
		return 0
	}
	return 1
}
