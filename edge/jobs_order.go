package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/resize"
)

// jobOrder is what a job is asked for with: the body as JSON, or the text fields of a form.
type jobOrder struct {
	Source  string   `json:"source"`  // "" = the one of jobs.source
	Keys    []string `json:"keys"`    // originals; or
	Prefix  string   `json:"prefix"`  // all originals whose keys begin so
	Options string   `json:"options"` // of every output
	Outputs []string `json:"outputs"` // options of each; none = one with Options alone
	Webhook *jobHook `json:"webhook"`
}

// jobHook is who is told of the end.
type jobHook struct {
	URL  string `json:"url"`
	Kind string `json:"kind"` // "" = json
}

// set takes a text field of a form. keys and outputs may come several times, or once as a JSON list.
func (o *jobOrder) set(name, value string) error {
	switch name {
	case "source":
		o.Source = value
	case "prefix":
		o.Prefix = value
	case "options":
		o.Options = value
	case "keys":
		return appendList(&o.Keys, name, value)
	case "outputs":
		return appendList(&o.Outputs, name, value)
	case "webhook":
		hook, err := decode[jobHook]([]byte(value))
		if err != nil {
			return badBody("webhook: want JSON with url and kind")
		}
		o.Webhook = &hook
	default:
		return badBody("unknown field " + quoted(name) + "; allowed: source, keys, prefix, options, outputs, webhook and file")
	}
	return nil
}

func appendList(to *[]string, name, value string) error {
	if !strings.HasPrefix(value, "[") {
		*to = append(*to, value)
		return nil
	}
	var list []string
	if err := json.Unmarshal([]byte(value), &list); err != nil {
		return badBody(name + ": want a JSON list of texts")
	}
	*to = append(*to, list...)
	return nil
}

// spec reads what holds for all items of a job.
func (x *exchange) spec(o *jobOrder) (*served, jobs.Spec, error) {
	src, err := x.jobSource(o.Source)
	if err != nil {
		return nil, jobs.Spec{}, err
	}
	outputs := o.Outputs
	if len(outputs) == 0 {
		outputs = []string{""}
	}
	spec := jobs.Spec{Source: src.Name, Base: x.base()}
	for _, output := range outputs {
		options, err := jobOptions(src, o.Options, output)
		if err != nil {
			return nil, jobs.Spec{}, err
		}
		spec.Outputs = append(spec.Outputs, options.Negotiate(resize.Offer{}).String())
	}
	if h := o.Webhook; h != nil {
		spec.Hook = &jobs.Hook{URL: h.URL, Kind: h.Kind}
		if h.Kind == "" {
			spec.Hook.Kind = "json"
		}
	}
	return src, spec, nil
}

// jobSource returns the source of a job; "" = the one whose rules hold for files.
func (x *exchange) jobSource(name string) (*served, error) {
	if name == "" {
		name = x.state.site.JobsSource
	}
	if name == "" {
		return nil, badBody("source: a name is needed")
	}
	src := x.state.sources[name]
	if src == nil {
		return nil, errUnknownSource
	}
	return src, nil
}

// jobOptions reads native options as a trusted caller of the source may give them.
func jobOptions(src *served, common, own string) (resize.Options, error) {
	text := common
	if common != "" && own != "" {
		text += "&"
	}
	text += own
	if text == "" {
		return resize.Options{}, badBody("options or outputs: at least one option is needed")
	}
	rules := src.Rules
	if rules.Watermarks == nil {
		rules.Watermarks = map[string]dialect.WatermarkRule{} // none is known, rather than nothing asked
	}
	return dialect.ParseOptions(text, rules)
}

// keys returns the originals that are named, each once.
func (x *exchange) keys(ctx context.Context, src *served, named []string, prefix string, limit int) ([]string, error) {
	if (len(named) > 0) == (prefix != "") {
		return nil, badBody("either files, or keys, or a prefix is needed")
	}
	if prefix != "" {
		return x.listed(ctx, src, prefix, limit)
	}
	if len(named) > limit {
		return nil, resize.TooLarge(fmt.Sprintf("%s: at most %d keys are taken", quoted(named[limit]), limit))
	}
	seen := make(map[string]bool, len(named))
	keys := make([]string, 0, len(named))
	for _, key := range named {
		request, err := dialect.Split(dialect.Target(src.Name, key, "")).Request(dialect.Rules{OpenHTTP: src.Rules.OpenHTTP})
		if err != nil {
			return nil, err
		}
		if !seen[request.Key] {
			seen[request.Key] = true
			keys = append(keys, request.Key)
		}
	}
	return keys, nil
}

// listed returns the originals below a prefix.
func (x *exchange) listed(ctx context.Context, src *served, prefix string, limit int) ([]string, error) {
	if x.server.KeysOf == nil {
		return nil, badBody("prefix: this server cannot list its sources")
	}
	keys, err := x.server.KeysOf(ctx, src.Name, prefix, limit)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, problem{status: http.StatusNotFound, code: "not_found", text: "prefix: there is no original below it"}
	case len(keys) > limit:
		return nil, resize.TooLarge(fmt.Sprintf("prefix: more than %d originals lie below it", limit))
	}
	return keys, nil
}
