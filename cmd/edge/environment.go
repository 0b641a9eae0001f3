package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

const (
	envPrefix  = "EDGE_"
	maxEnvList = 64 // items of a list that variables can reach
)

// envName returns the variable of a setting: sources.my-shop.keys[0].secret is
// EDGE_SOURCES_MY_SHOP_KEYS_0_SECRET.
func envName(path string) string {
	name := strings.NewReplacer(".", "_", "[", "_", "]", "", "-", "_").Replace(path)
	return envPrefix + strings.ToUpper(name)
}

// applyEnvironment lays the EDGE_ variables over the configuration, one by one, so that each error
// names its variable. Sources are reached by name, and only those that exist.
func (c *Config) applyEnvironment(r *report, environ []string) {
	variables := env.ToMap(environ)
	names := make([]string, 0, len(variables))
	for name, value := range variables {
		if strings.HasPrefix(name, envPrefix) && value != "" && name != envConfig {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		taken, err := c.applyVariable(name, variables[name])
		switch {
		case err != nil:
			r.addAt(name, "", envWording(err))
			r.env[name] = true
		case taken:
			r.env[name] = true
		case !isServiceLink(name):
			c.unknownVariables = append(c.unknownVariables, name)
		}
	}
	c.applyAWS(variables)
}

// applyVariable sets what one variable names. taken is false if it names nothing.
func (c *Config) applyVariable(name, value string) (taken bool, err error) {
	opts := env.Options{
		Environment: reach(name, value),
		Prefix:      envPrefix,
		OnSet: func(key string, value any, _ bool) {
			taken = taken || key == name && value != ""
		},
	}
	if err := env.ParseWithOptions(c, opts); err != nil || taken {
		return taken, err
	}
	for _, source := range c.sourceNames() {
		opts.Prefix = envName("sources."+source) + "_"
		if err := env.ParseWithOptions(c.Sources[source], opts); err != nil || taken {
			return taken, err
		}
	}
	return taken, nil
}

// reach is the environment that holds one variable. The library walks a list as long as variables of its
// next item exist, so the items before that of name are given empty ones.
func reach(name, value string) map[string]string {
	environment := map[string]string{name: value}
	parts := strings.Split(name, "_")
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > maxEnvList {
			continue
		}
		for before := range n {
			environment[strings.Join(parts[:i], "_")+"_"+strconv.Itoa(before)+"_"] = ""
		}
	}
	return environment
}

// envWording leaves out the library's Go types.
func envWording(err error) string {
	var parse env.ParseError
	if errors.As(err, &parse) {
		err = parse.Err
	}
	var number *strconv.NumError
	if errors.As(err, &number) {
		if number.Func == "ParseBool" {
			return fmt.Sprintf("%q is neither true nor false", number.Num)
		}
		return fmt.Sprintf("%q is no whole number", number.Num)
	}
	return err.Error()
}

// isServiceLink tells the variables that Kubernetes makes of a service whose name begins with "edge".
func isServiceLink(name string) bool {
	return strings.Contains(name, "_SERVICE_") || strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_")
}

// applyAWS gives buckets without credentials those of the AWS variables.
func (c *Config) applyAWS(variables map[string]string) {
	id, secret := variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
	if id == "" || secret == "" {
		return
	}
	for _, s := range c.Sources {
		b := s.Bucket
		if b != nil && b.AccessKey == "" && b.SecretKey == "" && b.AccessKeyFile == "" && b.SecretKeyFile == "" {
			b.AccessKey, b.SecretKey = Secret(id), Secret(secret)
		}
	}
}
