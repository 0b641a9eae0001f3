package dialect_test

import (
	"testing"

	"github.com/imgedge/imgedge/dialect"
)

// The other grammars are read once for each URL that no memo knows. The ceilings are what they take today.
func TestMountAllocations(t *testing.T) {
	imgproxy := imgproxyMount()
	thumbor, _ := thumborMounts()
	for _, row := range []struct {
		name    string
		read    func() (dialect.Request, error)
		ceiling float64
	}{
		{"imgproxy, plain", func() (dialect.Request, error) {
			return imgproxy.Request(imgproxy.Split("/sig/rs:fill:300:400/g:no/plain/local:///2026/a.jpg@webp"))
		}, 8},
		{"imgproxy, base64", func() (dialect.Request, error) {
			return imgproxy.Request(imgproxy.Split("/sig/rs:fill:300:400:0/g:ce/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png"))
		}, 12},
		{"thumbor", func() (dialect.Request, error) {
			return ask(thumbor, "fit-in/-300x200/filters:quality(70):format(webp)/2026/a.jpg")
		}, 10},
	} {
		n := testing.AllocsPerRun(100, func() {
			if _, err := row.read(); err != nil {
				t.Fatal(err)
			}
		})
		if n > row.ceiling {
			t.Errorf("%s: %v allocations, want at most %v", row.name, n, row.ceiling)
		}
	}
}
