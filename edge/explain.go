package edge

import (
	"context"
	"encoding/hex"
	"image"
	"net/http"

	"github.com/imgedge/imgedge/dialect"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/signing"
)

// explainOrder is the body of POST /v1/explain.
type explainOrder struct {
	URL    string `json:"url"`
	Accept string `json:"accept"` // of the client that is asked for; "" = none
}

// explanation is the answer: what a URL means, as far as it can be read.
type explanation struct {
	Dialect    string       `json:"dialect"`
	Source     string       `json:"source"`
	Signature  string       `json:"signature"` // good, bad, missing or unneeded
	SignedText string       `json:"signed_text"`
	Hints      []string     `json:"hints,omitempty"`
	Expires    int64        `json:"expires,omitempty"`
	Key        string       `json:"key,omitempty"`
	Options    string       `json:"options,omitempty"` // canonical, negotiated
	CacheKey   string       `json:"cache_key,omitempty"`
	Varies     bool         `json:"varies,omitempty"`
	Found      string       `json:"found,omitempty"` // memory, redis or none
	Plan       *planDetails `json:"plan,omitempty"`
	Status     int          `json:"status"` // that a request is answered with, as far as it is known
	Code       string       `json:"code,omitempty"`
	Detail     string       `json:"detail,omitempty"`
}

// planDetails is a plan for reading. Sizes are px; region lies in the stored picture, window in the
// upright scaled one.
type planDetails struct {
	Width        int       `json:"width"`
	Height       int       `json:"height"`
	Format       string    `json:"format"`
	Quality      int       `json:"quality,omitempty"`
	SourceWidth  int       `json:"source_width"`
	SourceHeight int       `json:"source_height"`
	SourceFormat string    `json:"source_format"`
	Shrink       int       `json:"shrink"`
	Region       rectangle `json:"region"`
	ScaledWidth  int       `json:"scaled_width"`
	ScaledHeight int       `json:"scaled_height"`
	Window       rectangle `json:"window"`
	Memory       int64     `json:"memory"`
}

// rectangle is a rectangle for reading.
type rectangle struct {
	X      int `json:"x"`
	Y      int `json:"y"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

func rectangleOf(r image.Rectangle) rectangle {
	return rectangle{X: r.Min.X, Y: r.Min.Y, Width: r.Dx(), Height: r.Dy()}
}

// serveExplain answers POST /v1/explain.
func (x *exchange) serveExplain() error {
	order, err := decode[explainOrder](x.body)
	if err != nil {
		return err
	}
	m, target, err := x.mountOf(order.URL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), x.server.RequestTimeout)
	defer cancel()
	explain := x.explain
	if m != nil {
		explain = func(ctx context.Context, target, accept string) explanation {
			return x.explainMounted(ctx, m, target, accept)
		}
	}
	respondJSON(x, http.StatusOK, explain(ctx, target, order.Accept))
	return nil
}

// explainMounted is explain for a target of a mount, which begins behind its prefix.
func (x *exchange) explainMounted(ctx context.Context, m *mounted, target, accept string) explanation {
	out := explanation{Dialect: m.Grammar.Dialect(), Status: http.StatusOK}
	inspector, ok := m.Grammar.(Inspector)
	if isRoot(target) || !ok {
		return out.refuse(errNothingHere)
	}
	out.SignedText, out.Hints = m.Grammar.Explain(target, m.Prefix)
	out.Signature, _ = inspector.Signed(target) // Read says how it is refused
	if _, err := m.Grammar.Read(target, x.start); err != nil {
		out = out.refuse(err)
	}
	request, err := inspector.Peek(target)
	if err != nil {
		return out.refuse(err)
	}
	out.Source = request.Source
	src := x.state.sources[request.Source]
	if src == nil {
		return out.refuse(errUnknownSource)
	}
	out.Expires = request.Expires
	return x.explainPicture(ctx, out, src, request, accept)
}

// explain reads a target in the order in which a request for it is read, but goes on behind a bad
// signature and a passed end: the caller may know.
func (x *exchange) explain(ctx context.Context, target, accept string) explanation {
	envelope := dialect.Split(target)
	out := explanation{Dialect: "native", Source: envelope.Source, SignedText: envelope.Signed, Status: http.StatusOK}
	src := x.state.sources[envelope.Source]
	if src == nil {
		return out.refuse(errUnknownSource)
	}
	rules, err := src.authorize(envelope)
	switch {
	case err != nil && envelope.Signature == "":
		out.Signature = signatureMissing
	case err != nil:
		out.Signature = signatureBad
	case rules.Unsigned:
		out.Signature = signatureUnneeded
	default:
		out.Signature = signatureGood
	}
	if err != nil {
		out = out.refuse(err)
		out.Hints = signing.Explain(src.Keys, envelope.Signed, envelope.Signature)
	}
	expires, err := envelope.Expires()
	if err != nil {
		return out.refuse(err)
	}
	if out.Expires = expires; x.past(expires) {
		out = out.refuse(errExpired)
	}
	request, err := envelope.Request(rules)
	if err != nil {
		return out.refuse(err)
	}
	return x.explainPicture(ctx, out, src, request, accept)
}

// explainPicture adds what is known of the picture itself.
func (x *exchange) explainPicture(ctx context.Context, out explanation, src *served, request dialect.Request, accept string) explanation {
	k := x.state.known(src, request)
	r := k.prepare(x.server.accepts.read([]byte(accept)))
	out.Key, out.Options, out.Varies = r.Object, r.Options.String(), k.varies
	out.CacheKey = hex.EncodeToString(r.Key.Variant[:])
	if x.server.Explainer == nil {
		return out
	}
	out.Found = tierName(x.server.Explainer.Where(ctx, r))
	plan, err := x.server.Explainer.Plan(ctx, r)
	if err != nil {
		return out.refuse(err)
	}
	out.Plan = details(plan)
	return out
}

// refuse notes why a request would not be served; the first reason stands.
func (e explanation) refuse(err error) explanation {
	if e.Status < http.StatusBadRequest {
		p := problemOf(err)
		e.Status, e.Code, e.Detail = p.status, p.code, p.text
	}
	return e
}

// negotiated reports whether an answer depends on Accept.
func negotiated(o resize.Options) bool { return o.Format.Negotiated() }

// tierName returns a tier's name.
func tierName(t pipeline.Tier) string {
	switch t {
	case pipeline.TierMemory:
		return "memory"
	case pipeline.TierRedis:
		return "redis"
	default:
		return "none"
	}
}

func details(p resize.Plan) *planDetails {
	return &planDetails{
		Width: p.Width, Height: p.Height, Format: p.Format.String(), Quality: p.Quality,
		SourceWidth: p.Source.Width, SourceHeight: p.Source.Height, SourceFormat: p.Source.Format.String(),
		Shrink: p.Shrink, Region: rectangleOf(p.Region),
		ScaledWidth: p.Scaled.X, ScaledHeight: p.Scaled.Y, Window: rectangleOf(p.Window),
		Memory: p.Memory,
	}
}
