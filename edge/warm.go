package edge

import (
	"fmt"
	"net/http"

	"github.com/imgedge/imgedge/jobs"
	"github.com/imgedge/imgedge/resize"
)

// warmOrder is the body of POST /v1/warm: URLs, or originals of a source and what is made of each.
type warmOrder struct {
	URLs    []string `json:"urls"`
	Source  string   `json:"source"`
	Keys    []string `json:"keys"`
	Prefix  string   `json:"prefix"`
	Presets []string `json:"presets"` // each is one picture of every original
	Outputs []string `json:"outputs"` // the same, as options
	Webhook *jobHook `json:"webhook"`
}

// maxWarm is how many URLs or originals one order may name.
const maxWarm = 1000

// serveWarm answers POST /v1/warm: what is named is made and cached as if it were asked for.
func (x *exchange) serveWarm() error {
	if x.server.Jobs == nil {
		return errNothingHere
	}
	order, err := decode[warmOrder](x.body)
	if err != nil {
		return err
	}
	spec := jobs.Spec{Base: x.base()}
	if h := order.Webhook; h != nil {
		spec.Hook = &jobs.Hook{URL: h.URL, Kind: h.Kind}
		if h.Kind == "" {
			spec.Hook.Kind = "json"
		}
	}
	var items []jobs.Asked
	if len(order.URLs) > 0 {
		items, err = x.warmURLs(&order)
	} else {
		items, err = x.warmKeys(&order)
	}
	if err != nil {
		return err
	}
	ctx, cancel := x.callTime()
	defer cancel()
	j, err := x.server.Jobs.Submit(ctx, x.owner(), jobs.KindWarm, spec, items)
	if err != nil {
		return err
	}
	x.respondJob(http.StatusAccepted, &j)
	return nil
}

// warmURLs reads URLs, which have to be such as would be answered.
func (x *exchange) warmURLs(o *warmOrder) ([]jobs.Asked, error) {
	if o.Source != "" || len(o.Keys)+len(o.Presets)+len(o.Outputs) > 0 || o.Prefix != "" {
		return nil, badBody("either urls, or source with keys or prefix, are needed")
	}
	if len(o.URLs) > maxWarm {
		return nil, resize.TooLarge(fmt.Sprintf("urls: at most %d are taken", maxWarm))
	}
	items := make([]jobs.Asked, 0, len(o.URLs))
	for _, url := range o.URLs {
		m, target, err := x.mountOf(url)
		if err != nil {
			return nil, err
		}
		read := x.read
		if m != nil {
			read = func(target string) (*known, error) { return x.readMounted(m, target) }
		}
		k, err := read(target)
		if err != nil {
			return nil, err
		}
		if len(k.tags) > 0 || k.request.Limits != (resize.Limits{}) || k.request.SourceBytes != 0 {
			return nil, badBody(quoted(url) + ": a URL with tags or limits of its own cannot be made beforehand")
		}
		items = append(items, jobs.Asked{
			Name: k.request.Key, Key: k.request.Key, Source: k.source.Name, Outputs: warmOutputs(k.source, k.request.Options),
		})
	}
	x.source = nil // of the log: there are several
	return items, nil
}

// warmKeys reads originals and what is made of each.
func (x *exchange) warmKeys(o *warmOrder) ([]jobs.Asked, error) {
	src, err := x.jobSource(o.Source)
	if err != nil {
		return nil, err
	}
	var outputs []string
	for _, preset := range o.Presets {
		o.Outputs = append(o.Outputs, "p="+preset)
	}
	if len(o.Outputs) == 0 {
		return nil, badBody("presets or outputs: at least one is needed")
	}
	for _, text := range o.Outputs {
		options, err := jobOptions(src, "", text)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, warmOutputs(src, options)...)
	}
	ctx, cancel := x.callTime()
	defer cancel()
	keys, err := x.keys(ctx, src, o.Keys, o.Prefix, maxWarm)
	if err != nil {
		return nil, err
	}
	items := make([]jobs.Asked, len(keys))
	for i, key := range keys {
		items[i] = jobs.Asked{Name: key, Key: key, Source: src.Name, Outputs: outputs}
	}
	return items, nil
}

// warmOutputs returns what is cached for options: where clients negotiate, what each kind of browser gets.
func warmOutputs(src *served, o resize.Options) []string {
	if !o.Format.Negotiated() {
		return []string{o.String()}
	}
	offers := resize.Offers(negotiationOrder(src.Source))
	all := make([]string, len(offers))
	for i, offer := range offers {
		all[i] = o.Negotiate(offer).String()
	}
	return all
}
