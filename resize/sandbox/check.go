package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/imgedge/imgedge/resize"
)

// protocolError is an answer that no sound worker gives.
type protocolError struct{ text string }

// Error returns the text.
func (e *protocolError) Error() string { return e.text }

// nonsense is a protocolError that ends the conversation.
func nonsense(format string, args ...any) error {
	return &brokenError{&protocolError{fmt.Sprintf(format, args...)}}
}

// maxSide bounds what is believed of a size in px.
const maxSide = 1 << 24

// checkSource believes a worker's description of data as far as it makes sense.
func checkSource(s *resize.Source, data []byte) (resize.Source, error) {
	switch {
	case s == nil:
		return resize.Source{}, nonsense("it says nothing of the picture")
	case s.Format != resize.Sniff(data) || s.Bytes != int64(len(data)):
		return resize.Source{}, nonsense("it speaks of another picture")
	case s.Width < 0 || s.Width > maxSide || s.Height < 0 || s.Height > maxSide,
		s.Pages < 1 || s.Orientation < 1 || s.Orientation > 8 || s.Bands < 0 || s.Depth < 0 || s.Depth > 128:
		return resize.Source{}, nonsense("it describes a picture that cannot be")
	}
	return *s, nil
}

// checkResult believes a worker's picture if it begins as the picture it is said to be. What else it holds
// is the worker's own, who had the original.
func checkResult(r *resize.Result) error {
	switch {
	case r.Format.Raster() && resize.Sniff(r.Body) != r.Format:
		return nonsense("its %s is %s", r.Format, resize.Sniff(r.Body))
	case r.Format == resize.FormatSVG, r.Format == resize.FormatRaw, r.Format.MIME() == "":
		return nonsense("it makes %q", r.Format)
	case r.Width < 0 || r.Width > maxSide || r.Height < 0 || r.Height > maxSide || r.Frames < 0:
		return nonsense("it makes a picture that cannot be")
	}
	return nil
}

// mostBytes bounds what a job's pictures take: uncompressed with 16 bits, and all metadata of the original.
func mostBytes(j *job) int {
	const most, slack = 1 << 30, 1 << 20
	sum := 0
	for i := range j.plans {
		p := &j.plans[i]
		px := p.Width * p.Height
		if p.Trim.On {
			px = max(px, p.Trim.Limits.OutputPixels)
		}
		sum = min(most, sum+8*px*max(1, p.Frames)+len(j.data)+slack)
	}
	return sum
}

// err makes an error of a failure. Only refusals that speak of the picture are taken for the client's.
func (f *failure) err() error {
	switch f.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		if !isCode(f.Code) {
			break
		}
		return &refusal{what: &resize.Error{Status: f.Status, Kind: f.Code, Text: oneLine(f.Text, 300)}, cause: oneLine(f.Cause, 1024)}
	}
	return workerError("render: " + oneLine(f.Text+" "+f.Cause, 1024))
}

// isCode reports whether text looks as the codes of problem documents do.
func isCode(text string) bool {
	return text != "" && len(text) <= 40 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// oneLine bounds a text to n bytes and takes out what would not be seen or would look like more lines.
func oneLine(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
}
