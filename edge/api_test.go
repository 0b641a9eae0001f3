package edge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/pipeline"
	"github.com/imgedge/imgedge/resize"
)

// fakePurger notes what it is asked for.
type fakePurger struct {
	mu   sync.Mutex
	got  []Purge
	fail error
}

var _ Purger = (*fakePurger)(nil)

func (f *fakePurger) Purge(_ context.Context, p Purge) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, p)
	return 1, f.fail
}

// fakeExplainer answers with a plan.
type fakeExplainer struct{ err error }

var _ Explainer = fakeExplainer{}

func (fakeExplainer) Where(context.Context, *pipeline.Request) pipeline.Tier {
	return pipeline.TierRedis
}

func (f fakeExplainer) Plan(_ context.Context, r *pipeline.Request) (resize.Plan, error) {
	return resize.Plan{Width: r.Options.Width, Height: 7, Format: resize.FormatWebP, Source: resize.Source{Width: 4000, Height: 3000}}, f.err
}

func tokens() []Token {
	return []Token{
		{Name: "p", Secret: "purge-secret", Scopes: []Scope{ScopePurge}},
		{Name: "s", Secret: "sign-secret", Scopes: []Scope{ScopeSign, ScopeUpload}},
		{Name: "a", Secret: "admin-secret", Scopes: []Scope{ScopeAdmin}},
		{Name: "empty", Scopes: []Scope{ScopeAdmin}},
	}
}

// Ruling 31: who may call what.
func TestTokens(t *testing.T) {
	site := testSite()
	site.Tokens = tokens()
	purger := &fakePurger{}
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: purger}, site)
	for _, row := range []struct {
		name, call, authorization string
		status                    int
		code                      string
	}{
		{"none", "/v1/purge", "", 401, "unauthorized"},
		{"unknown", "/v1/purge", "Bearer nonsense", 401, "unauthorized"},
		{"empty", "/v1/purge", "Bearer ", 401, "unauthorized"},
		{"other scheme", "/v1/purge", "Basic purge-secret", 401, "unauthorized"},
		{"weak", "/v1/purge", "Bearer sign-secret", 403, "forbidden_scope"},
		{"right", "/v1/purge", "Bearer purge-secret", 200, ""},
		{"scheme in lower case", "/v1/purge", "bearer purge-secret", 200, ""},
		{"admin", "/v1/purge", "Bearer admin-secret", 200, ""},
		{"sign with purge", "/v1/sign", "Bearer purge-secret", 403, "forbidden_scope"},
		{"explain with purge", "/v1/explain", "Bearer purge-secret", 403, "forbidden_scope"},
		{"unknown call, none", "/v1/nothing", "", 401, "unauthorized"},
		{"unknown call", "/v1/nothing", "Bearer purge-secret", 404, "not_found"},
		{"root of the api", "/v1", "Bearer purge-secret", 404, "not_found"},
		{"another spelling", "/v1//purge", "Bearer purge-secret", 404, "not_found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			if row.authorization != "" {
				header = []string{"Authorization: " + row.authorization}
			}
			got := r.do("POST", r.public, row.call, `{"all":true}`, header...)
			if row.status == 200 {
				if got.StatusCode != http.StatusOK {
					t.Errorf("status %d: %s", got.StatusCode, got.body)
				}
				return
			}
			got.expect(t, row.status, row.code)
			if www := got.Header.Get("WWW-Authenticate"); (www != "") != (row.status == 401) {
				t.Errorf("WWW-Authenticate = %q", www)
			}
		})
	}
	if len(purger.got) != 3 {
		t.Errorf("%d purges, want 3", len(purger.got))
	}
}

// Ruling 52.
func TestPurge(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       []Purge
		status     int
		code       string
	}{
		{"all", `{"all":true}`, []Purge{{All: true}}, 200, ""},
		{"source", `{"source":"shop"}`, []Purge{{Source: "shop"}}, 200, ""},
		{"picture", `{"source":"shop","key":"x/a b.jpg"}`, []Purge{{Source: "shop", Key: "x/a b.jpg"}}, 200, ""},
		{"tag", `{"tag":"summer"}`, []Purge{{Tag: "summer"}}, 200, ""},
		{"urls", `{"urls":["/shop/a%20b.jpg?w=3&s=x","/shop/a%20b.jpg","/free/c.jpg?nonsense"]}`, []Purge{{Source: "shop", Key: "a b.jpg"}, {Source: "free", Key: "c.jpg"}}, 200, ""},
		{"absolute url", `{"urls":["https://img.example.com/shop/a.jpg"]}`, []Purge{{Source: "shop", Key: "a.jpg"}}, 200, ""},
		{"nothing", `{}`, nil, 400, "bad_option"},
		{"two forms", `{"all":true,"source":"shop"}`, nil, 400, "bad_option"},
		{"key alone", `{"key":"a.jpg"}`, nil, 400, "bad_option"},
		{"key with tag", `{"tag":"a","key":"a.jpg"}`, nil, 400, "bad_option"},
		{"unknown field", `{"everything":true}`, nil, 400, "bad_option"},
		{"wrong type", `{"all":"yes"}`, nil, 400, "bad_option"},
		{"no JSON", `all`, nil, 400, "bad_option"},
		{"empty", ``, nil, 400, "bad_option"},
		{"two objects", `{"all":true}{"all":true}`, nil, 400, "bad_option"},
		{"unknown source", `{"source":"nowhere"}`, nil, 404, "unknown_source"},
		{"url of an unknown source", `{"urls":["/shop/a.jpg","/nowhere/a.jpg"]}`, nil, 404, "unknown_source"},
		{"url with a bad key", `{"urls":["/shop/../a.jpg"]}`, nil, 400, "bad_key"},
		{"no url", `{"urls":["shop/a.jpg"]}`, nil, 400, "bad_option"},
	} {
		t.Run(row.name, func(t *testing.T) {
			purger := &fakePurger{}
			r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: purger}, testSite())
			got := r.do("POST", r.admin, "/v1/purge", row.body)
			if row.status != 200 {
				got.expect(t, row.status, row.code)
			} else {
				var out purged
				if err := json.Unmarshal([]byte(got.body), &out); err != nil || out.Purged != len(row.want) {
					t.Errorf("answer %q, want %d purged", got.body, len(row.want))
				}
			}
			if diff := cmp.Diff(row.want, purger.got); diff != "" {
				t.Errorf("purged (-want +got):\n%s", diff)
			}
		})
	}
}

// Ruling 28: this node is clean, the fleet could not be told.
func TestPurgeIncomplete(t *testing.T) {
	purger := &fakePurger{fail: problem{503, "purge_incomplete", "redis at 10.1.2.3", 0}}
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: purger}, testSite())
	got := r.do("POST", r.admin, "/v1/purge", `{"all":true}`)
	got.expect(t, 503, "purge_incomplete")
	if got.Header.Get("Retry-After") == "" || strings.Contains(got.body, "10.1.2.3") {
		t.Errorf("Retry-After %q, body %s", got.Header.Get("Retry-After"), got.body)
	}
}

// … and so it is of everything that was named.
func TestPurgeIncompleteGoesOn(t *testing.T) {
	purger := &fakePurger{fail: problem{503, "purge_incomplete", "", 0}}
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: purger}, testSite())
	r.do("POST", r.admin, "/v1/purge", `{"urls":["/shop/a.jpg","/shop/b.jpg","/shop/c.jpg"]}`).expect(t, 503, "purge_incomplete")
	want := []Purge{{Source: "shop", Key: "a.jpg"}, {Source: "shop", Key: "b.jpg"}, {Source: "shop", Key: "c.jpg"}}
	if diff := cmp.Diff(want, purger.got); diff != "" {
		t.Errorf("purged (-want +got):\n%s", diff)
	}
}

// Ruling 36: whatever is signed is served.
func TestSign(t *testing.T) {
	site := testSite()
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
	for _, row := range []struct {
		name, body, want string // want: the target without its signature
	}{
		{"target", `{"url":"/shop/a.jpg?w=300"}`, "/shop/a.jpg?w=300"},
		{"bare target", `{"url":"/shop/a.jpg"}`, "/shop/a.jpg"},
		{"parts", `{"source":"shop","key":"x y/ö.jpg","options":"w=300&f=webp"}`, "/shop/x%20y/%C3%B6.jpg?w=300&f=webp"},
		{"parts, open, exp", `{"source":"shop","key":"a.jpg","open":["w","dpr"],"exp":1893456000}`, "/shop/a.jpg?exp=1893456000&open=w,dpr"},
		{"unsigned source", `{"source":"free","key":"a.jpg","options":"w=300"}`, "/free/a.jpg?w=300"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := r.do("POST", r.admin, "/v1/sign", row.body)
			var out signed
			if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.StatusCode != http.StatusOK {
				t.Fatalf("%d: %s", got.StatusCode, got.body)
			}
			if text := string(withoutSignature([]byte(out.URL))); text != row.want {
				t.Errorf("url = %q, want %q and a signature", out.URL, row.want)
			}
			if served := r.get(out.URL); served.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d: %s", out.URL, served.StatusCode, served.body)
			}
		})
	}
	for _, row := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"nothing", `{}`, 400, "bad_option"},
		{"both", `{"url":"/shop/a.jpg","source":"shop","key":"b"}`, 400, "bad_option"},
		{"bad option", `{"url":"/shop/a.jpg?w=zz"}`, 400, "bad_option"},
		{"bad key", `{"url":"/shop/../a.jpg"}`, 400, "bad_key"},
		{"unknown source", `{"url":"/nowhere/a.jpg"}`, 404, "unknown_source"},
		{"signed already", `{"url":"` + sign(t, "/shop/a.jpg") + `"}`, 400, "bad_signed_text"},
		{"cannot be opened", `{"source":"shop","key":"a","open":["fit"]}`, 400, "bad_option"},
		{"not for this source", `{"source":"open","key":"a","options":"fit=cover"}`, 400, "bad_option"},
		{"too many widths", `{"url":"/free/a.jpg","widths":[` + strings.Repeat("1,", 64) + `1]}`, 400, "bad_option"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r.do("POST", r.admin, "/v1/sign", row.body).expect(t, row.status, row.code)
		})
	}
}

// Every candidate of a srcset is served, with one signature where w is opened.
func TestSignSrcset(t *testing.T) {
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, testSite())
	for _, open := range []string{"", `"open":["w"],`} {
		got := r.do("POST", r.admin, "/v1/sign", `{`+open+`"source":"shop","key":"a.jpg","options":"fit=cover&ar=4:3","widths":[320,640],"alt":"a \"b\""}`)
		var out signed
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.StatusCode != http.StatusOK {
			t.Fatalf("%d: %s", got.StatusCode, got.body)
		}
		candidates := strings.Split(out.Srcset, ", ")
		if len(candidates) != 2 || !strings.HasSuffix(candidates[0], " 320w") || !strings.HasSuffix(candidates[1], " 640w") {
			t.Fatalf("srcset = %q", out.Srcset)
		}
		for _, c := range candidates {
			url, _, _ := strings.Cut(c, " ")
			if served := r.get(url); served.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d: %s", url, served.StatusCode, served.body)
			}
		}
		for _, part := range []string{`<source type="image/avif" srcset="`, `<source type="image/webp" srcset="`, `sizes="100vw"`, `alt="a &#34;b&#34;"`, "&amp;s="} {
			if !strings.Contains(out.Picture, part) {
				t.Errorf("picture %q lacks %q", out.Picture, part)
			}
		}
	}
	got := r.do("POST", r.admin, "/v1/sign", `{"source":"shop","key":"a.jpg","open":["w"],"widths":[321]}`)
	got.expect(t, 400, "bad_option")
}

// Ruling 57: what absolute URLs begin with.
func TestBase(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	forwarded := []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: cdn.example.com"}
	for _, row := range []struct {
		name    string
		base    string
		proxies []netip.Prefix
		header  []string
		want    string
	}{
		{"nothing known", "", nil, forwarded, "/free/a.jpg"},
		{"configured", "https://img.example.com", loopback, forwarded, "https://img.example.com/free/a.jpg"},
		{"trusted proxy", "", loopback, forwarded, "https://cdn.example.com/free/a.jpg"},
		{"odd scheme", "", loopback, []string{"X-Forwarded-Proto: javascript", "X-Forwarded-Host: a"}, "/free/a.jpg"},
		{"odd host", "", loopback, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: a/b"}, "/free/a.jpg"},
	} {
		t.Run(row.name, func(t *testing.T) {
			site := testSite()
			site.BaseURL, site.TrustProxies = row.base, row.proxies
			r := start(t, &Server{Pictures: held(picture("x", "image/jpeg"))}, site)
			got := r.do("POST", r.admin, "/v1/sign", `{"url":"`+row.want+`"}`, row.header...)
			var out signed
			if err := json.Unmarshal([]byte(got.body), &out); err != nil || out.URL != row.want {
				t.Errorf("%s, want url %q", got.body, row.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	site := testSite()
	site.Sources["shop"].Rules.Presets = map[string]string{"thumb": "w=200&h=200"}
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Explainer: fakeExplainer{}}, site)
	explain := func(body string) explanation {
		t.Helper()
		got := r.do("POST", r.admin, "/v1/explain", body)
		var out explanation
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.StatusCode != http.StatusOK {
			t.Fatalf("%d: %s", got.StatusCode, got.body)
		}
		return out
	}
	good := explain(`{"url":"` + sign(t, "/shop/a%20b.jpg?p=thumb") + `","accept":"image/webp"}`)
	if good.Signature != "good" || good.Source != "shop" || good.Key != "a b.jpg" || good.Status != 200 || !good.Varies ||
		good.Found != "redis" || len(good.CacheKey) != 32 || good.Plan == nil || good.Plan.Width != 200 || good.Plan.Format != "webp" {
		t.Errorf("good: %+v", good)
	}
	if o, err := resize.Parse(good.Options); err != nil || o.Width != 200 || o.Offer[0] != resize.FormatWebP {
		t.Errorf("options %q: %+v, %v", good.Options, o, err)
	}
	padded := explain(`{"url":"` + sign(t, "/shop/a.jpg?w=20") + `="}`)
	if padded.Signature != "bad" || padded.Status != 403 || padded.Code != "bad_signature" || padded.SignedText != "/shop/a.jpg?w=20" ||
		len(padded.Hints) == 0 || padded.Plan == nil {
		t.Errorf("padded: %+v", padded)
	}
	for url, want := range map[string]explanation{
		"/shop/a.jpg":                    {Signature: "missing", Status: 403, Code: "bad_signature"},
		"/nowhere/a.jpg":                 {Signature: "", Status: 404, Code: "unknown_source"},
		sign(t, "/shop/a.jpg?exp=5"):     {Signature: "good", Status: 410, Code: "expired"},
		sign(t, "/shop/a.jpg?w=zz"):      {Signature: "good", Status: 400, Code: "bad_option"},
		"/free/a.jpg":                    {Signature: "unneeded", Status: 200},
		"http://any.example/free/a.jpg":  {Signature: "unneeded", Status: 200},
		sign(t, "/shop/a.jpg?f=raw&w=3"): {Signature: "good", Status: 400, Code: "bad_option"},
	} {
		got := explain(`{"url":"` + url + `"}`)
		if got.Signature != want.Signature || got.Status != want.Status || got.Code != want.Code {
			t.Errorf("%s: signature %q, status %d %s; want %q, %d %s", url, got.Signature, got.Status, got.Code, want.Signature, want.Status, want.Code)
		}
	}
	failing := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Explainer: fakeExplainer{errors.New(secretCause)}}, testSite())
	got := failing.do("POST", failing.admin, "/v1/explain", `{"url":"/free/a.jpg"}`)
	if !strings.Contains(got.body, `"status":500`) || strings.Contains(got.body, "10.1.2.3") {
		t.Errorf("a plan that fails: %s", got.body)
	}
}

// The document names the calls that exist, and each of its examples works.
func TestOpenAPI(t *testing.T) {
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			RequestBody struct {
				Content map[string]struct {
					Examples map[string]struct {
						Value json.RawMessage `json:"value"`
					} `json:"examples"`
				} `json:"content"`
			} `json:"requestBody"`
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
	}
	site := testSite()
	site.Tokens = tokens()
	r := start(t, &Server{Pictures: held(picture("x", "image/jpeg")), Purger: &fakePurger{}, Explainer: fakeExplainer{}}, site)
	token := "Authorization: Bearer admin-secret"
	got := r.get("/v1/openapi.json", token)
	if got.Header.Get("Content-Type") != "application/json" || json.Unmarshal([]byte(got.body), &doc) != nil {
		t.Fatalf("no JSON: %s %s", got.Header.Get("Content-Type"), got.body)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi = %q", doc.OpenAPI)
	}
	var calls []string
	for path, methods := range doc.Paths {
		for method, operation := range methods {
			calls = append(calls, method+" "+path)
			if strings.HasPrefix(path, "/v1/jobs") || path == "/v1/warm" {
				continue // TestOpenAPIOfJobs
			}
			if strings.HasPrefix(path, "/v1/images") || strings.HasPrefix(path, "/v1/uploads") || strings.HasPrefix(path, "/v1/events") {
				continue // cmd/edge's TestOpenAPIOfUploads
			}
			bodies := []string{""}
			if examples := operation.RequestBody.Content["application/json"].Examples; len(examples) > 0 {
				bodies = nil
				for _, e := range examples {
					bodies = append(bodies, string(e.Value))
				}
			}
			for _, body := range bodies {
				answer := r.do(strings.ToUpper(method), r.public, path, body, token)
				if _, ok := operation.Responses["200"]; !ok || answer.StatusCode != http.StatusOK {
					t.Errorf("%s %s %s: status %d: %s", method, path, body, answer.StatusCode, answer.body)
				}
			}
			if answer := r.do("PATCH", r.public, path, "", token); answer.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("PATCH %s: status %d, want 405", path, answer.StatusCode)
			}
		}
	}
	slices.Sort(calls)
	want := []string{
		"delete /v1/jobs/{id}", "get /v1/jobs", "get /v1/jobs/{id}", "get /v1/jobs/{id}/archive", "get /v1/jobs/{id}/events",
		"get /v1/openapi.json", "post /v1/explain", "post /v1/jobs", "post /v1/jobs/{id}/retry", "post /v1/purge", "post /v1/sign", "post /v1/warm",
		"delete /v1/images/{id}", "get /v1/images", "get /v1/images/{id}", "get /v1/images/{id}/events", "patch /v1/images/{id}", "post /v1/events/{source}",
		"post /v1/images", "post /v1/images/{id}/retry", "post /v1/uploads", "post /v1/uploads/{id}/complete",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A body that is no object at all is named as what it is.
func TestBodyThatIsNoObject(t *testing.T) {
	r := start(t, &Server{Pictures: &fakePictures{}}, testSite())
	for body, want := range map[string]string{`[]`: "it is array, not an object", `"x"`: "it is string, not an object", `7`: "it is number, not an object", `{"url": 7}`: "field url has the wrong type"} {
		got := r.do("POST", r.admin, "/v1/sign", body)
		got.expect(t, http.StatusBadRequest, "bad_option")
		if !strings.Contains(got.body, want) {
			t.Errorf("%s: %s, want %q", body, got.body, want)
		}
	}
}

// Who completes a direct upload holds its file as one does who brings it, and takes a place like one.
func TestManyUploads(t *testing.T) {
	r := start(t, &Server{Pictures: &fakePictures{}, Ingest: &ingest.Store{}}, testSite())
	complete := "/v1/uploads/" + strings.Repeat("z", 32) + "/complete"
	r.do("POST", r.admin, complete, "").expect(t, http.StatusNotFound, "not_found")
	for range maxUploads {
		r.uploads <- struct{}{}
	}
	r.do("POST", r.admin, complete, "").expect(t, http.StatusServiceUnavailable, "overloaded")
	<-r.uploads
	r.do("POST", r.admin, complete, "").expect(t, http.StatusNotFound, "not_found")
}
