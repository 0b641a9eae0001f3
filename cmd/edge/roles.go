package main

import (
	"cmp"
	"fmt"
	"slices"
)

// What a node may be. Every one of them answers /healthz and /readyz and has an admin listener.
const (
	roleEdge   = "edge"   // serves pictures
	roleAPI    = "api"    // serves /v1 on the public listener
	roleWorker = "worker" // works on jobs
)

// allRoles is what a node is where nothing is said.
func allRoles() []string { return []string{roleEdge, roleAPI, roleWorker} }

// plays reports whether the node has the role.
func (c *Config) plays(role string) bool { return slices.Contains(c.Roles, role) }

// queue is the address of the Redis that holds the jobs; "" = there is none.
func (r *Redis) queue() RedisURL { return cmp.Or(r.QueueURL, r.URL) }

func validateRoles(r *report, roles []string) {
	if len(roles) == 0 {
		r.add("roles", "is empty; the node would do nothing")
	}
	for i, role := range roles {
		path := fmt.Sprintf("roles[%d]", i)
		oneOf(r, path, role, allRoles()...)
		if slices.Index(roles, role) < i {
			r.add(path, fmt.Sprintf("%q is there twice", role))
		}
	}
}
