package edge

import (
	"context"
	"log/slog"
	"net/http"
)

// purgeOrder is the body of POST /v1/purge: exactly one of its forms.
type purgeOrder struct {
	URLs   []string `json:"urls"`
	Source string   `json:"source"`
	Key    string   `json:"key"`
	Tag    string   `json:"tag"`
	All    bool     `json:"all"`
}

// purged is the answer.
type purged struct {
	Purged int `json:"purged"`
}

// servePurge answers POST /v1/purge.
func (x *exchange) servePurge() error {
	if x.server.Purger == nil {
		return errNothingHere
	}
	order, err := decode[purgeOrder](x.body)
	if err != nil {
		return err
	}
	wanted, err := x.purges(order)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), x.server.RequestTimeout)
	defer cancel()
	total := 0
	var failed error // the first
	for _, p := range wanted {
		n, err := x.server.Purger.Purge(ctx, p)
		if err != nil && failed == nil {
			failed = err
		}
		total += n
	}
	if failed != nil {
		return failed // only now: this node at least is clean of all that was named
	}
	x.server.Logger.LogAttrs(ctx, slog.LevelInfo, "purged",
		slog.Int("objects", total), slog.String("request_id", string(x.id[:x.idLen])))
	respondJSON(x, http.StatusOK, purged{total})
	return nil
}

// purges reads what an order names.
func (x *exchange) purges(o purgeOrder) ([]Purge, error) {
	forms := 0
	for _, given := range [...]bool{len(o.URLs) > 0, o.Source != "", o.Tag != "", o.All} {
		if given {
			forms++
		}
	}
	if forms != 1 || o.Key != "" && o.Source == "" {
		return nil, badBody("exactly one of urls, source (with or without key), tag and all is needed")
	}
	switch {
	case o.All:
		return []Purge{{All: true}}, nil
	case o.Tag != "":
		return []Purge{{Tag: o.Tag}}, nil
	case o.Source != "":
		if x.state.sources[o.Source] == nil {
			return nil, errUnknownSource
		}
		return []Purge{{Source: o.Source, Key: o.Key}}, nil
	default:
		return x.purgesOf(o.URLs)
	}
}

// purgesOf returns the pictures that URLs name, each once: all variants of one picture go together.
func (x *exchange) purgesOf(urls []string) ([]Purge, error) {
	seen := make(map[Purge]bool, len(urls))
	var all []Purge
	for _, url := range urls {
		m, target, err := x.mountOf(url)
		if err != nil {
			return nil, err
		}
		source, key, err := x.picture(m, target)
		if err != nil {
			return nil, err
		}
		if p := (Purge{Source: source, Key: key}); !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	return all, nil
}

// picture returns source and key of the picture that a target of any dialect names. m is its mount, nil
// for a native one.
func (x *exchange) picture(m *mounted, target string) (source, key string, err error) {
	if m == nil {
		src, key, err := x.named(target)
		if err != nil {
			return "", "", err
		}
		return src.Name, key, nil
	}
	inspector, ok := m.Grammar.(Inspector)
	if !ok {
		return "", "", errNothingHere
	}
	request, err := inspector.Peek(target)
	return request.Source, request.Key, err
}
