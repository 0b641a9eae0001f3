package resize

import "strings"

// svgGraph is which elements lie in which and refer to which, to find out how much will be drawn. A
// few elements that use each other can draw billions.
type svgGraph struct {
	nodes []svgNode
	byID  map[string]int
	open  []int
	rules svgRules
}

// svgNode is an element.
type svgNode struct {
	tag, id, class string
	svgRule        // of its own attributes
	children       []int
	state          visit
	cost           svgCost
}

type visit uint8

const (
	unvisited visit = iota
	visiting
	visited
)

// svgCost is how much an element draws with all that it uses.
type svgCost struct {
	drawn   int // shapes
	filters int // filter primitives
	layers  int // pictures of their own inside each other
}

func (c *svgCost) add(d svgCost) {
	c.drawn = min(c.drawn+d.drawn, maxSVGDrawn+1)
	c.filters = min(c.filters+d.filters, maxSVGFilters+1)
	c.layers = max(c.layers, d.layers)
}

// own returns the cost of an element by itself.
func (n *svgNode) own() svgCost {
	switch {
	case strings.HasPrefix(n.tag, "fe"):
		return svgCost{filters: 1}
	case n.tag == "stop" || n.tag == "filter" || n.tag == "defs" || n.tag == "title" || n.tag == "desc":
		return svgCost{}
	case strings.HasSuffix(n.tag, "Gradient"):
		return svgCost{}
	default:
		return svgCost{drawn: 1}
	}
}

func (g *svgGraph) start(tag string) {
	at := len(g.nodes)
	g.nodes = append(g.nodes, svgNode{tag: tag})
	if len(g.open) > 0 {
		parent := g.open[len(g.open)-1]
		g.nodes[parent].children = append(g.nodes[parent].children, at)
	}
	g.open = append(g.open, at)
}

func (g *svgGraph) end() { g.open = g.open[:len(g.open)-1] }

// attribute notes what an attribute of the element that was started last means to the graph.
func (g *svgGraph) attribute(name, value string) {
	at := len(g.nodes) - 1
	n := &g.nodes[at]
	switch name {
	case "id":
		if g.byID == nil {
			g.byID = map[string]int{}
		}
		n.id = value
		if _, taken := g.byID[value]; !taken {
			g.byID[value] = at
		}
	case "class":
		n.class = value
	case "xlink:href":
		if id, ok := strings.CutPrefix(value, "#"); ok {
			n.refs = append(n.refs, id)
		}
	case "style":
		n.svgRule = n.with(svgRule{references(value), layered(value)})
	default:
		n.svgRule = n.with(svgRule{references(value), layers(name, value)})
	}
}

// references returns the ids that url(#…) names.
func references(value string) []string {
	var ids []string
	for {
		at := strings.Index(strings.ToLower(value), "url(")
		if at < 0 {
			return ids
		}
		value = strings.TrimLeft(value[at+len("url("):], " \t\r\n\f\"'")
		id, rest, _ := strings.Cut(value, ")")
		ids = append(ids, strings.TrimRight(strings.TrimPrefix(id, "#"), " \t\r\n\f\"'"))
		value = rest
	}
}

// check refuses what would draw too much, and what refers to itself, which no two renderers draw alike.
func (g *svgGraph) check() error {
	if len(g.nodes) == 0 {
		return nil
	}
	total, ok := g.follow(0)
	switch {
	case !ok:
		return badSVG("it refers to itself")
	case total.drawn > maxSVGDrawn || total.filters > maxSVGFilters || total.layers > maxSVGLayers:
		return badSVG("it draws too much")
	default:
		return nil
	}
}

// follow returns what an element draws; false if it contains itself.
func (g *svgGraph) follow(at int) (svgCost, bool) {
	n := &g.nodes[at]
	switch n.state {
	case visiting:
		return svgCost{}, false
	case visited:
		return n.cost, true
	case unvisited:
	}
	n.state = visiting
	sum := n.own()
	rule := n.with(g.rules.of(n.tag, n.id, n.class))
	for _, child := range n.children {
		c, ok := g.follow(child)
		if !ok {
			return svgCost{}, false
		}
		sum.add(c)
	}
	for _, id := range rule.refs {
		target, known := g.byID[id]
		if !known {
			continue
		}
		c, ok := g.follow(target)
		if !ok {
			return svgCost{}, false
		}
		sum.add(c)
	}
	if rule.layer {
		sum.layers++
	}
	n.state, n.cost = visited, sum
	return sum, true
}
