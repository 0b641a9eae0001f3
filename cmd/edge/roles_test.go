package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/imgedge/imgedge/internal/testpeer"
)

// Every role answers the health checks and has the admin listener; the rest is the role's own.
func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		roles         string
		images, calls int
	}{
		{"[edge, api, worker]", http.StatusOK, http.StatusUnauthorized},
		{"[edge]", http.StatusOK, http.StatusNotFound},
		{"[api]", http.StatusNotFound, http.StatusUnauthorized},
		{"[worker]", http.StatusNotFound, http.StatusNotFound},
	} {
		t.Run(tt.roles, func(t *testing.T) {
			e := start(t, localConfig(photos(t))+"roles: "+tt.roles+"\n")
			for _, url := range []string{e.base + "/healthz", e.base + "/readyz", e.admin + "/metrics", e.admin + "/v1/openapi.json"} {
				if got := ask(t, http.MethodGet, url).StatusCode; got != http.StatusOK {
					t.Errorf("%s: %d, want 200", url, got)
				}
			}
			if got := ask(t, http.MethodGet, e.sign(t, "/local/a.jpg?w=32&f=png")).StatusCode; got != tt.images {
				t.Errorf("a picture: %d, want %d", got, tt.images)
			}
			if got := ask(t, http.MethodGet, e.base+"/v1/openapi.json").StatusCode; got != tt.calls {
				t.Errorf("/v1: %d, want %d", got, tt.calls)
			}
		})
	}
}

func TestRolesAreChecked(t *testing.T) {
	for _, tt := range []struct{ flag, text, want string }{
		{"", "roles: []", "edge.yaml:1: roles: is empty"},
		{"", "roles: [edge, cook]", `edge.yaml:1: roles[1]: "cook" is none of edge, api, worker`},
		{"edge,edge", "", `--roles: roles[1]: "edge" is there twice`},
	} {
		_, err := Load(writeConfig(t, tt.text), nil, Overrides{Roles: tt.flag})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q with --roles %q: %v, want %q", tt.text, tt.flag, err, tt.want)
		}
	}
	cfg, err := Load(writeConfig(t, "roles: [worker]"), nil, Overrides{Roles: "edge,api"})
	if err != nil || !cfg.plays(roleEdge) || !cfg.plays(roleAPI) || cfg.plays(roleWorker) {
		t.Errorf("--roles edge,api over a file: %v, %v", cfg.Roles, err)
	}
}

func TestQueueURL(t *testing.T) {
	for _, tt := range []struct{ name, text, want, problem string }{
		{"none", "", "", ""},
		{"the cache's", "redis: {url: redis://a:1/0}", "redis://a:1/0", ""},
		{"its own", "redis: {url: redis://a:1/0, queue_url: redis://b:2/3}", "redis://b:2/3", ""},
		{"without a cache", "redis: {queue_url: redis://b:2/3}", "redis://b:2/3", ""},
		{"wrong", "redis: {queue_url: http://b}", "", "redis.queue_url: redis url: scheme is none of"},
	} {
		cfg, err := Load(writeConfig(t, tt.text), nil, Overrides{})
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.problem)
			}
			continue
		}
		if err != nil || string(cfg.Redis.queue()) != tt.want {
			t.Errorf("%s: queue %q, %v; want %q", tt.name, string(cfg.Redis.queue()), err, tt.want)
		}
	}
}

func TestDoctorChecksTheQueue(t *testing.T) {
	address := testpeer.FreePort(t)
	stdout, _, code := run(t, nil, "doctor", "--config", writeConfig(t, localConfig(photos(t))+"redis: {queue_url: \"redis://user:hunter2@"+address+"/0\"}\n"))
	if code != exitFailed || !strings.Contains(stdout, "redis://user:(hidden)@"+address) {
		t.Errorf("exit %d, %s; want 1 and the queue's address without its password", code, stdout)
	}
}
