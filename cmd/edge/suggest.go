package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// schemaJSON is the JSON Schema of the file; a test holds it against Config.
//
//go:embed edge.schema.json
var schemaJSON []byte

// schema is the part of JSON Schema that is needed to look names up.
type schema struct {
	Type                 string            `json:"type"`
	Ref                  string            `json:"$ref"`
	Properties           map[string]schema `json:"properties"`
	AdditionalProperties *schema           `json:"additionalProperties"`
	Items                *schema           `json:"items"`
	Defs                 map[string]schema `json:"$defs"`
}

// UnmarshalJSON reads a schema; true and false are schemas without names.
func (s *schema) UnmarshalJSON(data []byte) error {
	type plain schema
	if data[0] != '{' {
		return nil
	}
	return json.Unmarshal(data, (*plain)(s))
}

// later lists settings of the plan that this version does not have yet.
func later(path string) bool {
	switch path {
	case "cache.bucket", "render.recycle_after", "render.worker_memory", "render.encode_budget":
		return true
	}
	return false
}

// unknownSetting words the refusal of a name that is no setting.
func unknownSetting(path string) string {
	if later(path) {
		return "is not available yet"
	}
	at := strings.LastIndexByte(path, '.')
	name := path[at+1:]
	known := settingsAt(path[:max(at, 0)])
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("is no setting; did you mean %q?", near)
	}
	return "is no setting; known here: " + strings.Join(known, ", ")
}

// settingsAt returns the names of the settings below path, sorted.
func settingsAt(path string) []string {
	return slices.Sorted(maps.Keys(settingAt(path).Properties))
}

// settingAt returns the schema of the setting at path; the zero value if there is none.
func settingAt(path string) schema {
	var root schema
	if err := json.Unmarshal(schemaJSON, &root); err != nil {
		return schema{} // a test reads the schema; without it there are no suggestions
	}
	at := root
	for _, name := range regexp.MustCompile(`[^.\[]+|\[\d+\]?`).FindAllString(path, -1) {
		at = at.step(name)
		if def, ok := strings.CutPrefix(at.Ref, "#/$defs/"); ok {
			at = root.Defs[def]
		}
	}
	return at
}

func (s schema) step(name string) schema {
	if strings.HasPrefix(name, "[") {
		if s.Items != nil {
			return *s.Items
		}
		return schema{}
	}
	if child, ok := s.Properties[name]; ok {
		return child
	}
	if s.AdditionalProperties != nil {
		return *s.AdditionalProperties
	}
	return schema{}
}

// nearest returns the candidate that is at most a third of its letters away, or "".
func nearest(name string, candidates []string) string {
	best, at := "", 1<<30
	for _, c := range candidates {
		if d := distance(name, c); d < at && d <= max(1, len(c)/3) {
			best, at = c, d
		}
	}
	return best
}

// distance is that of Damerau and Levenshtein: insert, delete, replace, swap two neighbors.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
