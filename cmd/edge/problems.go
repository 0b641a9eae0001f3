package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with the configuration.
type Problem struct {
	Where string // edge.yaml:12, EDGE_LISTEN or --listen; "" = nothing that was written
	Line  int    // of the file; 0 = elsewhere
	Path  string // sources.shop.keys[0].secret; "" = the file as a whole
	Text  string
}

// String writes the problem on one line.
func (p Problem) String() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{p.Where, p.Path, p.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// ConfigErrors are all that is wrong: the file's by line, then those of variables and flags. The command that meets them
// exits with 2.
type ConfigErrors []Problem

// Error writes one problem a line.
func (p ConfigErrors) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// report collects problems and knows where each setting was written.
type report struct {
	file     string
	lines    map[string]int    // path → line of the file
	set      map[string]string // path → the flag that set it
	env      map[string]bool   // the variables that were taken
	files    fingerprints      // that were read
	problems ConfigErrors
}

// add notes a problem of the setting at path.
func (r *report) add(path, text string) {
	where, line := r.where(path)
	if line == 0 && slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Where == where && p.Path == "" }) {
		return // what it set could not be read; that is said already
	}
	r.problems = append(r.problems, Problem{Where: where, Line: line, Path: path, Text: text})
}

// addAt notes a problem of a flag or a variable.
func (r *report) addAt(where, path, text string) {
	r.problems = append(r.problems, Problem{Where: where, Path: path, Text: text})
}

// addLine notes a problem of a line of the file; path "" = of the file as a whole.
func (r *report) addLine(line int, path, text string) {
	r.problems = append(r.problems, Problem{Where: fmt.Sprintf("%s:%d", r.file, line), Line: line, Path: path, Text: text})
}

// sorted returns what was noted, the file's problems by line.
func (r *report) sorted() ConfigErrors {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(-cmp.Compare(min(a.Line, 1), min(b.Line, 1)), cmp.Compare(a.Line, b.Line))
	})
	return r.problems
}

func newReport(file string) *report {
	return &report{file: file, lines: map[string]int{}, set: map[string]string{}, env: map[string]bool{}, files: fingerprints{}}
}

// where names the flag, the variable or the line that path was set by; a setting that is missing is
// looked for at the nearest parent that was written.
func (r *report) where(path string) (where string, line int) {
	for p := path; ; {
		if by, ok := r.set[p]; ok {
			return by, 0
		}
		if name := envName(p); r.env[name] {
			return name, 0
		}
		if line, ok := r.lines[p]; ok {
			return fmt.Sprintf("%s:%d", r.file, line), line
		}
		cut := strings.LastIndexAny(p, ".[")
		if cut < 0 {
			return r.file, 0
		}
		p = p[:cut]
	}
}
