package signing_test

import (
	"testing"

	"github.com/imgedge/imgedge/signing"
)

// Signatures of other grammars are checked once for each URL that no memo knows. The ceilings are what
// they take today.
func TestMountVerifyAllocations(t *testing.T) {
	imgproxy := signing.Imgproxy{Pairs: []signing.Salted{{Key: []byte("secret"), Salt: []byte("hello")}}}
	thumbor := signing.ThumborKey{Secret: "my-security-key"}
	for _, row := range []struct {
		name    string
		verify  func() error
		ceiling float64
	}{
		{"imgproxy", func() error {
			return imgproxy.Verify("/plain/local:///image.jpg", "Q5C97UfJ9gfXNLXqkVaZuQrbid-m6n18CmYZ_2tO6g4")
		}, 7},
		{"thumbor", func() error {
			_, err := thumbor.Verify("fit-in/-300x200/filters:quality(70):format(webp)/2026/a.jpg", "6JU7d5jTlmhDXhgtNKC6EOa6itk=")
			return err
		}, 9},
	} {
		n := testing.AllocsPerRun(100, func() {
			if err := row.verify(); err != nil {
				t.Fatal(row.name, err)
			}
		})
		if n > row.ceiling {
			t.Errorf("%s: %v allocations, want at most %v", row.name, n, row.ceiling)
		}
	}
}
