package sample

import (
	"cmp"
	"math"
	"slices"
)

// bladeCount is how many blades of grass stand on the near ground, whatever the size of the picture.
const bladeCount = 26000

// growth returns the grass, the flowers and the trees, back to front.
func (l *landscape) growth() []stroke {
	type plant struct {
		foot  float64 // of the height; what is farther down is nearer
		parts []stroke
	}
	plants := make([]plant, 0, bladeCount+l.flowerCount+l.trees)
	for range bladeCount + l.flowerCount {
		u, v, near := l.spot()
		if len(plants) < bladeCount {
			plants = append(plants, plant{v, l.blade(u, v, near)})
		} else {
			plants = append(plants, plant{v, l.flower(u, v, near)})
		}
	}
	for i := range l.trees {
		foot, parts := l.tree(i)
		plants = append(plants, plant{foot, parts})
	}
	slices.SortStableFunc(plants, func(a, b plant) int { return cmp.Compare(a.foot, b.foot) })
	list := make([]stroke, 0, 4*len(plants))
	for _, p := range plants {
		for _, s := range p.parts {
			list = append(list, s.times(l.size))
		}
	}
	return list
}

// times returns s with every length multiplied.
func (s stroke) times(k float64) stroke {
	s.x0, s.y0, s.r0 = s.x0*k, s.y0*k, s.r0*k
	s.x1, s.y1, s.r1 = s.x1*k, s.y1*k, s.r1*k
	return s
}

// spot is a random place on the near ground; near runs from 0 at its far edge to 1 at the viewer.
func (l *landscape) spot() (u, v, near float64) {
	u = l.dice.Float64() * l.width
	edge := l.ground[min(int(u*l.size), l.w-1)]
	near = math.Pow(l.dice.Float64(), 1.35)
	return u, lerp(edge, 1.06, near), near
}

func (l *landscape) blade(u, v, near float64) []stroke {
	long := lerp(.010, .085, near*near) * (.5 + l.dice.Float64())
	lean := long * (l.dice.NormFloat64()*.35 + .12)
	thick := lerp(.0004, .0016, near)
	patch := (l.random + 40).fractal(u*2.2, v*6, 3)
	c := l.grass.mix(l.straw, clamp(.35+.5*patch+.3*l.dice.NormFloat64()))
	foot := c.mix(l.earth, .75).scale(.8)
	c = c.scale(.85 + .3*l.dice.Float64())
	midX, midY := u+lean*.3, v-long*.55
	return []stroke{
		{u, v, thick, midX, midY, thick * .8, foot.mix(c, .35), .95},
		{midX, midY, thick * .8, u + lean, v - long, thick * .2, c, .95},
	}
}

func (l *landscape) flower(u, v, near float64) []stroke {
	long := lerp(.012, .075, near*near)
	r := lerp(.0014, .0085, near*near) * (.7 + .6*l.dice.Float64())
	c := l.flowers[0].mix(l.flowers[1], l.dice.Float64())
	list := []stroke{{u, v, r * .12, u, v - long, r * .1, l.grass.scale(.7), 1}}
	turn := l.dice.Float64() * 2
	for i := range 5 {
		a := turn + float64(i)*2*math.Pi/5
		x, y := u+r*.6*math.Cos(a), v-long+r*.38*math.Sin(a)
		list = append(list, stroke{u, v - long, r * .4, x, y, r * .55, c.scale(.82 + .26*l.dice.Float64()), .96})
	}
	return append(list, stroke{u, v - long, r * .22, u, v - long, r * .22, c.scale(.35), 1})
}

// tree grows a fractal tree at the side of the scene.
func (l *landscape) tree(i int) (foot float64, parts []stroke) {
	side := .13 + .10*l.dice.Float64()
	if i%2 == 1 {
		side = .86 + .08*l.dice.Float64()
	}
	if i == 2 {
		side = .62
	}
	u := side * l.width
	edge := l.ground[min(int(u*l.size), l.w-1)]
	foot = edge + .05/float64(1+i)
	tall := (.11 + .03*l.dice.Float64()) / (1 + .5*float64(i))
	g := grower{l: l, tall: tall}
	g.branch(u, foot, -math.Pi/2, tall, tall*.06, 0)
	slices.SortStableFunc(g.leaves, func(a, b leaf) int { return cmp.Compare(a.depth, b.depth) })
	back := len(g.leaves) / 3
	for _, f := range g.leaves[:back] {
		parts = append(parts, f.stroke)
	}
	parts = append(parts, g.wood...)
	for _, f := range g.leaves[back:] {
		parts = append(parts, f.stroke)
	}
	return foot, parts
}

// leaf is a stroke with its distance from the back of the crown, 0–1.
type leaf struct {
	stroke
	depth float64
}

// grower is a tree under way.
type grower struct {
	l      *landscape
	tall   float64 // length of the trunk
	wood   []stroke
	leaves []leaf
}

// treeDepth is how often a branch divides; leafDepth is the first division that carries leaves.
const (
	treeDepth = 8
	leafDepth = 4
)

func (g *grower) branch(x, y, angle, long, thick float64, depth int) {
	dice := g.l.dice
	bark := g.l.earth.mix(rgb{.34, .27, .21}, .6).scale(.45 + .3*dice.Float64())
	// Two pieces with a bend between them look grown; one looks built.
	for range 2 {
		angle += .16 * dice.NormFloat64()
		bx, by := x+.5*long*math.Cos(angle), y+.5*long*math.Sin(angle)
		g.wood = append(g.wood,
			stroke{x, y, thick, bx, by, thick * .84, bark, 1},
			stroke{x - thick*.35, y, thick * .3, bx - thick*.3, by, thick * .25, bark.scale(1.35), .5})
		x, y, thick = bx, by, thick*.84
	}
	if depth >= leafDepth {
		g.foliage(x, y, depth)
	}
	if depth == treeDepth {
		return
	}
	count := 2 + dice.IntN(1+depth%2)
	for i := range count {
		spread := (float64(i) - float64(count-1)/2) * (.7 + .4*dice.Float64())
		turn := lerp(angle+spread+.12*dice.NormFloat64(), -math.Pi/2, .10)
		g.branch(x, y, turn, long*(.72+.14*dice.Float64()), thick*.78, depth+1)
	}
}

// foliage hangs a cloud of leaves around a twig.
func (g *grower) foliage(x, y float64, depth int) {
	dice := g.l.dice
	lit := .5 - .9*(y-.35)/(1+math.Abs(y)) + .18*g.l.sunward(x)
	for range 6 + 3*(depth-leafDepth) {
		lx, ly := x+.16*g.tall*dice.NormFloat64(), y+.12*g.tall*dice.NormFloat64()
		size := g.tall * (.018 + .022*dice.Float64())
		a := dice.Float64() * math.Pi
		front := dice.Float64()
		light := clamp(lit*.45 + .55*front - .1 + .18*dice.NormFloat64())
		c := g.l.leaves[0].mix(g.l.leaves[1], clamp(2*light)).mix(g.l.leaves[2], clamp(2*light-1))
		c = c.scale(.85 + .3*dice.Float64())
		s := stroke{lx, ly, size * .42, lx + size*math.Cos(a), ly + .6*size*math.Sin(a), size * .15, c, .93}
		g.leaves = append(g.leaves, leaf{s, front})
	}
}
