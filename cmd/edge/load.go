package main

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Overrides are what flags say; an empty field says nothing.
type Overrides struct {
	Dir    string // adds a source "local"
	Listen string
	Admin  string
	Redis  string
	Key    string // hex; signs the source "local"
	Roles  string // comma-separated
}

// Load reads the configuration: defaults, then the file (none if file is ""), then the environment, then
// flags. The error is ConfigErrors, or one of reading the file. A Config comes back with ConfigErrors too, as
// far as it could be understood.
func Load(file string, environ []string, flags Overrides) (*Config, error) {
	r := newReport(file)
	cfg := DefaultConfig()
	if file != "" {
		data, err := r.files.read(file)
		if err != nil {
			return nil, usageError("read the configuration: " + err.Error())
		}
		cfg = r.readFile(data)
	}
	cfg.dropEmptySources(r)
	cfg.readSecrets(r)
	cfg.applyEnvironment(r, environ)
	cfg.readSecrets(r)
	cfg.applyFlags(r, flags)
	cfg.validate(r)
	cfg.files = r.files
	if len(r.problems) > 0 {
		return &cfg, r.sorted()
	}
	return &cfg, nil
}

// readFile decodes the file over the defaults. A value that does not decode is noted and left out, and
// the rest is tried again, so that one reading finds all that is wrong.
func (r *report) readFile(data []byte) Config {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		r.addSyntax(err)
		return DefaultConfig()
	}
	if len(file.Docs) == 0 {
		return DefaultConfig()
	}
	if len(file.Docs) > 1 {
		r.add("", "holds more than one YAML document")
	}
	body := file.Docs[0].Body
	if _, ok := body.(*ast.MappingNode); !ok {
		if body != nil && body.Type() != ast.CommentType && body.Type() != ast.NullType {
			r.add("", "is no mapping of settings")
		}
		return DefaultConfig()
	}
	for _, p := range places(body, "") {
		r.lines[p.path] = p.line
		if p.fraction && settingAt(p.path).Type == "integer" { // the decoder would cut it
			r.addLine(p.line, p.path, "takes a whole number")
			p.remove()
		}
	}
	for {
		cfg := DefaultConfig()
		err := yaml.NewDecoder(strings.NewReader(""), yaml.Strict()).DecodeFromNode(body, &cfg)
		if err == nil {
			return cfg
		}
		if !r.addAndRemove(body, err) {
			return cfg
		}
	}
}

// addAndRemove notes what a decoder refused and takes it out of the tree. It reports false where the
// error has no place, so that reading ends.
func (r *report) addAndRemove(body ast.Node, err error) bool {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		r.addSyntax(err)
		return false
	}
	p, found := placeOf(places(body, ""), at.GetToken())
	if !found {
		r.addSyntax(err)
		return false
	}
	r.addLine(at.GetToken().Position.Line, p.path, wording(at, p.path))
	p.remove()
	return true
}

// placeOf returns the deepest place with that key or value.
func placeOf(all []place, t *token.Token) (found place, ok bool) {
	for _, p := range all {
		if p.key == t || p.value == t {
			found, ok = p, true
		}
	}
	return found, ok
}

// addSyntax notes an error that concerns the file rather than one setting.
func (r *report) addSyntax(err error) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		r.addLine(at.GetToken().Position.Line, "", at.GetMessage())
		return
	}
	r.addAt(r.file, "", err.Error())
}

// wording says in the reader's terms what the decoder refused.
func wording(err yaml.Error, path string) string {
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		return unknownSetting(path)
	}
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		return "takes " + kindName(wrong.DstType.Kind().String())
	}
	var node *yaml.UnexpectedNodeTypeError
	if errors.As(err, &node) {
		return "takes a " + strings.ToLower(node.Expected.YAMLName())
	}
	var large *yaml.OverflowError
	if errors.As(err, &large) {
		return large.SrcNum + " is too large"
	}
	return err.GetMessage()
}

func kindName(kind string) string {
	switch kind {
	case "bool":
		return "true or false"
	case "int", "int64":
		return "a whole number"
	case "string":
		return "text"
	case "slice":
		return "a list"
	case "map", "struct", "ptr":
		return "a mapping"
	}
	return "a " + kind
}

// dropEmptySources notes sources without a body, which would be nil.
func (c *Config) dropEmptySources(r *report) {
	for name, s := range c.Sources {
		if s == nil {
			r.add("sources."+name, "is empty; it needs one of dir, bucket and http")
			delete(c.Sources, name)
		}
	}
}

func (c *Config) applyFlags(r *report, flags Overrides) {
	override := func(target *string, path, value, flag string) {
		if value != "" {
			*target, r.set[path] = value, flag
		}
	}
	override(&c.Listen, "listen", flags.Listen, "--listen")
	override(&c.Admin.Listen, "admin.listen", flags.Admin, "--admin")
	if flags.Redis != "" {
		c.Redis.URL, r.set["redis.url"] = RedisURL(flags.Redis), "--redis"
	}
	if flags.Roles != "" {
		c.Roles, r.set["roles"] = strings.Split(flags.Roles, ","), "--roles"
	}
	if flags.Dir == "" {
		if flags.Key != "" && c.Sources["local"] == nil {
			r.addAt("--key", "", "signs the source of --dir; give --dir too")
		}
		return
	}
	if c.Sources == nil {
		c.Sources = map[string]*Source{}
	}
	if c.Sources["local"] != nil {
		r.addAt("--dir", "sources.local", "the configuration has a source of this name already")
		return
	}
	r.set["sources.local"], r.set["sources.local.keys"] = "--dir", "--key"
	c.Sources["local"] = &Source{Dir: flags.Dir, Keys: []Key{{ID: "run", Secret: Secret(flags.Key)}}}
}
