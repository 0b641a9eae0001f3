package main

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/imgedge/imgedge/dialect"
)

const maxLook = 2000 // files of a folder that are looked at for an example

// localBase returns the URL under which this machine reaches addr.
func localBase(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// exampleTarget returns a request target that the source serves, signed with its first key. The key is a
// picture that exists where the source is a folder.
func (c *Config) exampleTarget(name string) (string, error) {
	s := c.Sources[name]
	target := dialect.Target(name, s.exampleKey(), s.exampleOptions(c.limitsOf(s).OutputSide))
	keys := s.keyring()
	if len(keys) == 0 {
		return target, nil
	}
	return keys[0].SignTarget(target)
}

// exampleOptions are some that the source takes, whose output may have side px.
func (s *Source) exampleOptions(side int) string {
	switch {
	case len(s.Keys) > 0 || s.Free:
		return fmt.Sprintf("w=%d", min(800, side))
	case len(s.Widths) > 0:
		return fmt.Sprintf("w=%d", s.Widths[len(s.Widths)/2])
	default:
		return ""
	}
}

// exampleKey is the first picture of a folder, in the order of names; elsewhere a likely name.
func (s *Source) exampleKey() string {
	switch {
	case s.Dir != "":
		if key := firstPicture(os.DirFS(s.Dir)); key != "" {
			return key
		}
	case s.HTTP != nil && len(s.HTTP.Allow) > 0:
		return strings.ReplaceAll(s.HTTP.Allow[0], "*", "www") + "picture.jpg"
	}
	return "picture.jpg"
}

func firstPicture(folder fs.FS) (found string) {
	looked := 0
	// What cannot be read is passed over: an example is only a help.
	_ = fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if looked++; looked > maxLook {
			return fs.SkipAll
		}
		hidden := path != "." && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil, hidden && d.IsDir():
			return fs.SkipDir
		case d.Type().IsRegular() && !hidden && isPictureName(path):
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found
}

func isPictureName(path string) bool {
	at := strings.LastIndexByte(path, '.')
	return at >= 0 && slices.Contains([]string{"jpg", "jpeg", "png", "webp", "avif", "gif", "heic", "tif", "tiff"}, strings.ToLower(path[at+1:]))
}
