package ingest

import (
	"strconv"
	"strings"
)

// cursor says where the next part of a list begins: at the image with an index within a record.
func cursor(upload string, index int) string { return upload + "-" + strconv.Itoa(index) }

// parseCursor reads a cursor; "" is the beginning.
func parseCursor(text string) (upload string, index int, ok bool) {
	if text == "" {
		return "", 0, true
	}
	upload, number, found := strings.Cut(text, "-")
	index, err := strconv.Atoi(number)
	return upload, index, found && isID(upload) && err == nil && index >= 0
}
