package main

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/dialect"
)

// conversion turns imgproxy's variables into a configuration.
type conversion struct {
	vars    map[string]string // those that are set, by their current names
	buckets []string          // named by flags
	unknown []string          // names

	root      yamlMapping
	mount     yamlMapping
	sources   []string          // of imgproxy's pictures
	localRoot string            // folder of the source local; "" if there is none
	networks  []string          // that may be dialled
	defaults  []string          // options that go in front of the default preset
	presets   map[string]string // by name
	lost      []remark
	different []remark
}

// remark is what has to be said of a variable.
type remark struct{ name, text string }

func (c *conversion) lose(name, why string)   { c.lost = append(c.lost, remark{name, why}) }
func (c *conversion) differ(name, how string) { c.different = append(c.different, remark{name, how}) }

// newConversion reads the variables that concern imgproxy. Older names give way to the current ones.
func newConversion(environ []string, host string, buckets []string) *conversion {
	c := &conversion{vars: map[string]string{}, buckets: buckets, presets: map[string]string{}}
	aliased := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "IMGPROXY_") && name != "AWS_REGION" || value == "" {
			continue
		}
		row := findVariable(name)
		switch {
		case row == nil && name != "AWS_REGION":
			c.unknown = append(c.unknown, name)
		case row != nil && slices.Contains(row.aliases, name):
			aliased[row.name] = value
		default:
			c.vars[name] = value
		}
	}
	for name, value := range aliased {
		if _, given := c.vars[name]; !given {
			c.vars[name] = value
		}
	}
	if host != "" {
		c.mount.set(yamlText(host), "host")
	}
	return c
}

// add adds a list to that of a variable.
func (c *conversion) add(name, list, separator string) {
	c.vars[name] = strings.Trim(c.vars[name]+separator+list, separator)
}

func (c *conversion) presetSeparator() string {
	return cmp.Or(c.vars["IMGPROXY_PRESETS_SEPARATOR"], ",")
}

func (c *conversion) truth(name string) bool { return isTrue(c.vars[name]) }

// isTrue reads a boolean as imgproxy does.
func isTrue(text string) bool {
	v, err := strconv.ParseBool(text)
	return err == nil && v
}

// splitList splits a list and drops what is empty.
func splitList(text, separator string) []string {
	var all []string
	for item := range strings.SplitSeq(text, separator) {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// run fills the configuration. The error is that of variables with which imgproxy does not start, or of
// sources that do not exist here.
func (c *conversion) run() error {
	c.mount.set(dialectImgproxy, "dialect")
	if err := c.addKeys(); err != nil {
		return err
	}
	c.addSources()
	if len(c.sources) == 0 {
		return errors.New("none of the places that imgproxy takes pictures from can be served: folders, S3 buckets and web servers can")
	}
	c.root.set(yamlList(imgproxyFormatsIn()), "formats_in")
	c.eachSource("365d", "max_age") // imgproxy's default, which IMGPROXY_TTL overrides
	if _, given := c.vars["IMGPROXY_MAX_ANIMATION_FRAMES"]; !given {
		c.vars["IMGPROXY_MAX_ANIMATION_FRAMES"] = "1"
	}
	for _, row := range imgproxyVariables() {
		for _, name := range slices.Sorted(maps.Keys(c.vars)) {
			if found := findVariable(name); found == nil || found.name != row.name {
				continue
			}
			if row.lost != "" {
				c.lose(name, row.lost)
			} else if err := row.apply(c, name, c.vars[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	c.addPresets()
	if len(c.mount.at("prefix").value)+len(c.mount.at("host").value) == 0 {
		c.mount.set("/imgproxy", "prefix")
		c.differ("IMGPROXY_PATH_PREFIX", "is empty, and a mount needs a prefix or a host: with --host NAME the URLs stay as they are")
	}
	if c.mount.at("prefix").value == "" {
		c.mount.inner = slices.DeleteFunc(c.mount.inner, func(s *yamlMapping) bool { return s.key == "prefix" })
	}
	if c.mount.at("host").value == "" {
		c.mount.inner = slices.DeleteFunc(c.mount.inner, func(s *yamlMapping) bool { return s.key == "host" })
	}
	if _, given := c.vars["IMGPROXY_ALLOW_PRIVATE_SOURCE_ADDRESSES"]; !given && slices.Contains(c.sources, webSource) {
		c.differ("IMGPROXY_ALLOW_PRIVATE_SOURCE_ADDRESSES", "private networks are refused here unless listed under allow_networks; imgproxy allows them where the variable is not set")
	}
	for _, name := range c.unknown {
		c.lose(name, "is no variable that is known here")
	}
	return nil
}

// imgproxyFormatsIn are those of the originals that imgproxy takes which can be taken here.
func imgproxyFormatsIn() []string {
	refused := func(f string) bool {
		r := newReport("")
		validateFormatsIn(r, []string{f})
		return len(r.problems) > 0
	}
	return slices.DeleteFunc([]string{"jpeg", "png", "gif", "webp", "avif", "heic", "tiff", "jxl", "svg"}, refused)
}

// addKeys adds the pairs of key and salt.
func (c *conversion) addKeys() error {
	keys, salts := splitList(c.vars["IMGPROXY_KEY"], ","), splitList(c.vars["IMGPROXY_SALT"], ",")
	if len(keys) != len(salts) {
		return fmt.Errorf("there are %d keys and %d salts: they are pairs", len(keys), len(salts))
	}
	if len(keys) == 0 {
		c.mount.set("true", "unsigned")
		return nil
	}
	pairs := make([]string, len(keys))
	for i := range keys {
		for _, text := range []string{keys[i], salts[i]} {
			if _, err := hex.DecodeString(text); err != nil {
				return fmt.Errorf("pair %d of IMGPROXY_KEY and IMGPROXY_SALT is not hex", i+1)
			}
		}
		pairs[i] = fmt.Sprintf(`{key: "%s", salt: "%s"}`, keys[i], salts[i])
	}
	c.mount.set("["+strings.Join(pairs, ", ")+"]", "keys")
	return nil
}

// eachSource sets something for all sources of pictures.
func (c *conversion) eachSource(value string, path ...string) {
	for _, name := range c.sources {
		c.root.set(value, append([]string{"sources", name}, path...)...)
	}
}

// byDefault puts an option in front of the default preset.
func (c *conversion) byDefault(name string, arguments ...string) {
	c.defaults = append(c.defaults, strings.Join(append([]string{name}, arguments...), c.separator()))
}

func (c *conversion) separator() string { return cmp.Or(c.vars["IMGPROXY_ARGUMENTS_SEPARATOR"], ":") }

// addPresets adds those presets that can be served, until what is left names none that is not.
func (c *conversion) addPresets() {
	if text, ok := c.presets["default"]; ok {
		c.defaults = append(c.defaults, text)
	}
	if len(c.defaults) > 0 {
		c.presets["default"] = strings.Join(c.defaults, "/")
	}
	for changed := true; changed; {
		changed = false
		for _, name := range slices.Sorted(maps.Keys(c.presets)) {
			if err := c.checkPreset(name); err != nil {
				why := strings.TrimPrefix(err.Error(), fmt.Sprintf("presets: %q: ", name))
				c.lose("IMGPROXY_PRESETS", fmt.Sprintf("%q is left out: %s", name, why))
				delete(c.presets, name)
				changed = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.presets)) {
		c.mount.set(yamlText(c.presets[name]), "presets", name)
	}
	if len(c.presets) == 0 && c.truth("IMGPROXY_ONLY_PRESETS") {
		c.differ("IMGPROXY_ONLY_PRESETS", "is left out, as there are no presets")
	} else if c.truth("IMGPROXY_ONLY_PRESETS") {
		c.mount.set("true", "presets_only")
	}
}

// checkPreset reads one preset, with the others taken for good.
func (c *conversion) checkPreset(name string) error {
	others := make(map[string]string, len(c.presets))
	for other := range c.presets {
		others[other] = "cb" + c.separator() + "1"
	}
	others[name] = c.presets[name]
	m := &dialect.ImgproxyMount{
		Sources:   map[string]string{"local://": "any"},
		About:     map[string]dialect.MountSource{"any": {}},
		Presets:   others,
		Separator: c.separator(),
	}
	return m.Validate()
}

// text returns the configuration with its remarks.
func (c *conversion) text() string {
	var b strings.Builder
	b.WriteString("# Made by edge convert-config. It holds keys: mind who may read it.\n")
	for _, list := range []struct {
		title   string
		remarks []remark
	}{{"Without an equivalent", c.lost}, {"With another meaning", c.different}} {
		if len(list.remarks) == 0 {
			continue
		}
		fmt.Fprintf(&b, "#\n# %s:\n", list.title)
		for _, r := range list.remarks {
			fmt.Fprintf(&b, "#   %s: %s\n", r.name, strings.ReplaceAll(r.text, "\n", " "))
		}
	}
	b.WriteString("\n")
	c.root.write(&b, "")
	var mount strings.Builder
	c.mount.write(&mount, "    ")
	b.WriteString("dialects:\n  - " + strings.TrimPrefix(mount.String(), "    "))
	return b.String()
}
