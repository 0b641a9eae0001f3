package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// answer is a JSON document of the API.
type answer interface {
	condition | signed | purged | explanation | jobAnswer | jobList | imageAnswer | imageList | uploadAnswer | directAnswer
}

// badBody is a 400 for a body that is not the JSON a call takes.
func badBody(text string) error {
	return problem{status: http.StatusBadRequest, code: "bad_option", text: text}
}

// decode reads a call's JSON body into v: one object, no unknown fields.
func decode[T signOrder | purgeOrder | explainOrder | jobOrder | warmOrder | jobHook | imageChange | presetOrder | directOrder | completeOrder](body []byte) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, badBody("the body is not the JSON object this call takes: " + decodeText(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, badBody("there is something behind the JSON object")
	}
	return v, nil
}

// decodeText words a decoding error without Go's names.
func decodeText(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return "it is " + kind.Value + ", not an object"
	case errors.As(err, &kind):
		return "field " + kind.Field + " has the wrong type"
	case errors.As(err, &syntax):
		return "it does not parse"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	default:
		return strings.TrimPrefix(err.Error(), "json: ")
	}
}
