package main

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// place is where a setting stands in the file. Path is written as sources.shop.keys[0].secret.
type place struct {
	path     string
	key      *token.Token // nil for an item of a list
	value    *token.Token
	line     int
	fraction bool // the value is a number with a fraction
	remove   func()
}

// places lists every setting below node, parents before their children.
func places(node ast.Node, path string) []place {
	switch n := node.(type) {
	case *ast.MappingNode:
		return placesOfMapping(n, path)
	case *ast.SequenceNode:
		return placesOfSequence(n, path)
	case *ast.AnchorNode:
		return places(n.Value, path)
	case *ast.TagNode:
		return places(n.Value, path)
	}
	return nil
}

func placesOfMapping(n *ast.MappingNode, path string) []place {
	all := make([]place, 0, len(n.Values))
	for _, pair := range n.Values {
		key := pair.Key.GetToken()
		child := key.Value
		if path != "" {
			child = path + "." + key.Value
		}
		all = append(all, place{
			path: child, key: key, value: valueToken(pair.Value), line: key.Position.Line,
			remove: func() { n.Values = without(n.Values, pair) }, fraction: pair.Value != nil && pair.Value.Type() == ast.FloatType,
		})
		all = append(all, places(pair.Value, child)...)
	}
	return all
}

func placesOfSequence(n *ast.SequenceNode, path string) []place {
	all := make([]place, 0, len(n.Values))
	for i, item := range n.Values {
		child := path + "[" + strconv.Itoa(i) + "]"
		first := valueToken(item)
		p := place{path: child, value: first, remove: func() { n.Values = without(n.Values, item) }, fraction: item.Type() == ast.FloatType}
		if first != nil {
			p.line = first.Position.Line
		}
		all = append(all, p)
		all = append(all, places(item, child)...)
	}
	return all
}

func valueToken(node ast.Node) *token.Token {
	if node == nil {
		return nil
	}
	return node.GetToken()
}

// without returns list without item; the tree's own slice is left alone, as removal is by identity.
func without[T comparable](list []T, item T) []T {
	rest := make([]T, 0, len(list))
	for _, x := range list {
		if x != item {
			rest = append(rest, x)
		}
	}
	return rest
}
