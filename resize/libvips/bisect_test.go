package libvips

import "testing"

// TestBisect holds what a search finds and how often it tries: five times for the 31 values of q=auto
// and mb.
func TestBisect(t *testing.T) {
	for n := range 32 {
		for least := range n + 1 { // least = n: none will do
			tries, last, found := 0, -1, -1
			err := bisect(n, func(i int) (bool, error) {
				tries, last = tries+1, i
				if i >= least {
					found = i
				}
				return i >= least, nil
			})
			if err != nil || tries > 5 {
				t.Fatalf("bisect of %d: %d tries, %v", n, tries, err)
			}
			if least < n && found != least || least == n && n > 0 && last != n-1 {
				t.Errorf("bisect of %d for %d: found %d, last %d", n, least, found, last)
			}
		}
	}
}
