package resize

import "strings"

// Draft collects options in levels, each of which overrides those before it: presets, then the URL's
// own. Within a level an option occurs at most once. The zero value is an empty draft in its first
// level.
type Draft struct {
	Options Options // as set so far, neither normalized nor validated

	level rowSet // rows of table set in this level
	all   rowSet // rows of table set in any level
}

// rowSet is a set of rows of table.
type rowSet [2]uint64

func (s *rowSet) add(row int)      { s[row/64] |= 1 << (row % 64) }
func (s *rowSet) has(row int) bool { return s[row/64]&(1<<(row%64)) != 0 }

// Next ends the level.
func (d *Draft) Next() { d.level = rowSet{} }

// Set sets one option from its decoded value. Errors are *Error with code bad_option.
func (d *Draft) Set(name, value string) error {
	row := find(name)
	if row < 0 {
		return unknownOption(name)
	}
	if d.level.has(row) {
		return BadOption(name + ": the option occurs twice")
	}
	d.level.add(row)
	d.all.add(row)
	return d.Options.set(row, value)
}

// Under sets one option from its decoded value unless a level has set it: it counts as set before all
// levels, and nothing is refused for its sake. Errors are *Error with code bad_option.
func (d *Draft) Under(name, value string) error {
	row := find(name)
	if row < 0 {
		return unknownOption(name)
	}
	if d.all.has(row) {
		return nil
	}
	return d.Options.set(row, value)
}

// SetEscaped is Set for a percent-encoded value.
func (d *Draft) SetEscaped(name, value string) error {
	decoded, err := unescape(name, value)
	if err != nil {
		return err
	}
	return d.Set(name, decoded)
}

// Has tells whether the option was set in this level.
func (d *Draft) Has(name string) bool {
	row := find(name)
	return row >= 0 && d.level.has(row)
}

// Finish returns the options, normalized and validated. What the last level sets and nothing can use
// is an error that names it; what an earlier level set and the later ones left without use is dropped.
func (d *Draft) Finish() (Options, error) {
	if err := d.settleGravity(); err != nil {
		return Options{}, err
	}
	if err := d.settleOverlays(); err != nil {
		return Options{}, err
	}
	if err := d.settleFormat(); err != nil {
		return Options{}, err
	}
	o := d.Options.Normalize()
	if err := o.Validate(); err != nil {
		return Options{}, err
	}
	return o, nil
}

func (d *Draft) settleGravity() error {
	if d.Options.Gravity != GravityFocus {
		return d.refuse("needs g=fp", "fx", "fy", "_fa")
	}
	if d.Options.FocusAt.On {
		return nil
	}
	for _, name := range [...]string{"fx", "fy"} {
		if !d.all.has(find(name)) {
			return BadOption("g: fp needs fx and fy; " + name + " is missing")
		}
	}
	return nil
}

func (d *Draft) settleOverlays() error {
	if d.Options.Watermark.Image == "" {
		if err := d.refuse("needs wm", "wmg", "wmx", "wmy", "wms", "wmo", "wmr", "wmrot", "_wmb", "_wmw", "_wmh", "_wms", "_wmr"); err != nil {
			return err
		}
	}
	if d.Options.Text.Value == "" {
		return d.refuse("needs txt", "txtg", "txtx", "txty", "txts", "txtc", "txto")
	}
	return nil
}

// settleFormat drops what an earlier level asked of another format.
func (d *Draft) settleFormat() error {
	o := &d.Options
	if o.Format.bare() {
		for i := range table {
			name := table[i].name
			if d.level.has(i) && name != "f" && name != "v" {
				return BadOption(name + ": f=" + o.Format.String() + " takes no other option than v, dl, exp and kid")
			}
		}
		*o = Options{Format: o.Format, Version: o.Version}
		return nil
	}
	if o.Format.fixed() && !o.Format.HasQuality() && !d.Has("q") && !d.Has("mb") {
		o.Quality, o.QualityAuto, o.MaxBytes = 0, false, 0
	}
	if o.Format.fixed() && !o.Format.HasLossless() && !d.Has("lossless") {
		o.Lossless = false
	}
	if o.Lossless && o.Format.HasLossless() {
		if !d.Has("lossless") && (d.Has("q") || d.Has("mb")) {
			o.Lossless = false
			return nil
		}
		return d.refuse("has no meaning with f="+o.Format.String()+" and lossless=1", "q", "mb")
	}
	return nil
}

// refuse names the first of the options that this level has set.
func (d *Draft) refuse(why string, names ...string) error {
	for _, name := range names {
		if d.Has(name) {
			return BadOption(strings.Join([]string{name, why}, ": "))
		}
	}
	return nil
}
