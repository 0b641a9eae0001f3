package sandbox_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imgedge/imgedge/resize"
)

// What main sends to workers, and back, is the exported fields of these: a field that is lost on the way
// would be a picture that only workers make otherwise.
func TestNothingIsLostOnTheWay(t *testing.T) {
	var plan resize.Plan
	fill(t, reflect.ValueOf(&plan).Elem(), "Plan", 0)
	roundTrip(t, plan)
	var source resize.Source
	fill(t, reflect.ValueOf(&source).Elem(), "Source", 0)
	roundTrip(t, source)
	var result resize.Result
	fill(t, reflect.ValueOf(&result).Elem(), "Result", 0)
	roundTrip(t, result)
}

func roundTrip[T any](t *testing.T, sent T) {
	t.Helper()
	text, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	var came T
	if err := json.Unmarshal(text, &came); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, came); diff != "" {
		t.Error(diff)
	}
}

// fill gives every field a value other than its zero. Plans within plans are filled once.
func fill(t *testing.T, v reflect.Value, path string, depth int) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name := path + "." + v.Type().Field(i).Name
			if !v.Type().Field(i).IsExported() {
				t.Errorf("%s does not reach a worker", name)
				continue
			}
			fill(t, v.Field(i), name, depth)
		}
	case reflect.Pointer:
		if depth == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), path, depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), path, depth)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), path, depth)
		}
	case reflect.String:
		v.SetString("ä\x1f" + path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(len(path)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(len(path)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.0 / float64(len(path)))
	default:
		t.Errorf("%s is a %s, which nobody has thought of", path, v.Kind())
	}
}
