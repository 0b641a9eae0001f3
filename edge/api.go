package edge

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed" // openapi.json
	"encoding/json"
	"net/http"
	"strings"

	"github.com/imgedge/imgedge/dialect"
)

// openapi describes the calls of /v1 that exist.
//
//go:embed openapi.json
var openapi string

// servePublicAPI answers /v1 on the public listener: absent without configured tokens, else for
// whoever has a token of the right scope.
func (x *exchange) servePublicAPI() {
	if x.state == nil {
		x.fail(errStarting)
		return
	}
	if len(x.state.tokens) == 0 {
		x.fail(errNothingHere)
		return
	}
	x.serveAPI(x.admitCall)
}

// admitCall demands a bearer token of the scope, and counts the call for it, or for the address where there
// is no good one.
func (x *exchange) admitCall(scope Scope) error {
	name := ""
	if token := x.bearer(); token != nil {
		name = token.Name
	}
	if err := x.limitRequest(name); err != nil {
		return err
	}
	return x.require(scope)
}

// serveAPI answers a call of /v1 once allow has let it pass.
func (x *exchange) serveAPI(allow func(Scope) error) {
	x.ctx.Response.Header.Set("Cache-Control", "no-store")
	path, _, _ := bytes.Cut(x.target, []byte("?"))
	switch string(path) {
	case "/v1/openapi.json":
		x.call(http.MethodGet, "", allow, x.serveOpenAPI)
	case "/v1/sign":
		x.call(http.MethodPost, ScopeSign, allow, x.serveSign)
	case "/v1/purge":
		x.call(http.MethodPost, ScopePurge, allow, x.servePurge)
	case "/v1/explain":
		x.call(http.MethodPost, ScopeSign, allow, x.serveExplain)
	case "/v1/warm":
		x.call(http.MethodPost, ScopeJobs, allow, x.serveWarm)
	default:
		if x.serveIngest(path, allow) {
			return
		}
		if call, ok := underJobs(path); ok {
			x.serveJobs(call, allow)
			return
		}
		if err := allow(""); err != nil {
			x.refuseCall(err)
			return
		}
		x.fail(errNothingHere)
	}
}

// call checks permission and method, then answers.
func (x *exchange) call(method string, scope Scope, allow func(Scope) error, serve func() error) {
	if err := allow(scope); err != nil {
		x.refuseCall(err)
		return
	}
	if !x.only(method) {
		return
	}
	if err := serve(); err != nil {
		x.fail(err)
	}
}

// refuseCall answers a call that is not allowed.
func (x *exchange) refuseCall(err error) {
	x.fail(err)
	if x.ctx.Response.StatusCode() == http.StatusUnauthorized {
		x.ctx.Response.Header.Set("WWW-Authenticate", `Bearer realm="imgedge"`)
	}
}

// require demands a bearer token of the scope; "" = any token.
func (x *exchange) require(scope Scope) error {
	token := x.bearer()
	if token == nil {
		return errUnauthorized
	}
	if !token.allows(scope) {
		return errScope
	}
	x.token = token
	return nil
}

// bearer returns the token that the request carries; nil = none that is known.
func (x *exchange) bearer() *Token {
	kind, secret, ok := strings.Cut(string(x.ctx.Request.Header.Peek("Authorization")), " ")
	if !ok || !strings.EqualFold(kind, "Bearer") {
		return nil
	}
	return x.state.token(strings.TrimSpace(secret))
}

// token returns the token of a secret, nil if there is none. It looks at all of them, so that the time
// tells nothing.
func (st *state) token(secret string) *Token {
	sum := sha256.Sum256([]byte(secret))
	var found *Token
	for i := range st.tokens {
		t := &st.tokens[i]
		if t.Secret != "" && subtle.ConstantTimeCompare(sum[:], t.hash[:]) == 1 {
			found = t.Token
		}
	}
	return found
}

// serveOpenAPI answers GET /v1/openapi.json.
func (x *exchange) serveOpenAPI() error {
	x.ctx.SetStatusCode(http.StatusOK)
	x.ctx.Response.Header.SetContentType("application/json")
	x.ctx.Response.SetBodyString(openapi)
	return nil
}

// respondJSON answers with a document.
func respondJSON[T answer](x *exchange, status int, v T) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // URLs stay readable; nosniff and the type keep it from being HTML
	if err := e.Encode(v); err != nil {
		x.fail(err)
		return
	}
	x.ctx.SetStatusCode(status)
	x.ctx.Response.Header.SetContentType("application/json")
	x.ctx.Response.Header.Set("Cache-Control", "no-store")
	x.ctx.Response.SetBodyRaw(body.Bytes())
}

// native returns the native request target that a caller's URL names: a target by itself, or an absolute
// URL, which must be below the base where one is known.
func (x *exchange) native(url string) (string, error) {
	if base := x.base(); base != "" && strings.HasPrefix(url, base+"/") {
		return url[len(base):], nil
	} else if base == "" {
		url = string(originForm([]byte(url)))
	}
	if !strings.HasPrefix(url, "/") {
		return "", badBody("url must begin with / or with the configured base_url")
	}
	return url, nil
}

// named returns the source and the decoded key that a target names, whatever its options.
func (x *exchange) named(target string) (*served, string, error) {
	path, _, _ := strings.Cut(target, "?")
	e := dialect.Split(path)
	src := x.state.sources[e.Source]
	if src == nil {
		return nil, "", errUnknownSource
	}
	request, err := e.Request(dialect.Rules{OpenHTTP: src.Rules.OpenHTTP})
	return src, request.Key, err
}
