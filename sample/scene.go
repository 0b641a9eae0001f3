package sample

import (
	"image"
	"math"
	"math/rand/v2"
)

// mood is the weather and the season of a scene.
type mood struct {
	zenith, haze         rgb // sky above and at the horizon
	glow                 rgb // around the sun
	sunX, sunY           float64
	lit, shade           rgb     // clouds
	cover                float64 // 0–1: how much of the sky is cloud
	far, near            rgb     // hills
	water                bool
	deep                 rgb // water
	earth, grass, straw  rgb
	leaves               [3]rgb // dark to bright
	flowers              [2]rgb
	flowerCount          int
	trees                int
	fog                  float64 // 0–1
	horizon, shore, bank float64 // of the height: where the far plane, the near ground (left, right) begin
}

var moods = [...]mood{
	{ // a coast at noon
		zenith: rgb{.17, .39, .72}, haze: rgb{.76, .87, .94}, glow: rgb{1, .98, .9}, sunX: .82, sunY: .08,
		lit: rgb{1, .995, .98}, shade: rgb{.68, .74, .82}, cover: .52,
		far: rgb{.47, .59, .69}, near: rgb{.27, .37, .25}, water: true, deep: rgb{.05, .30, .42},
		earth: rgb{.27, .29, .13}, grass: rgb{.34, .49, .16}, straw: rgb{.66, .66, .33},
		leaves: [3]rgb{{.09, .18, .07}, {.22, .38, .12}, {.48, .62, .22}}, flowers: [2]rgb{{.97, .93, .82}, {.93, .78, .22}}, flowerCount: 260,
		trees: 2, horizon: .46, shore: .70, bank: .84,
	},
	{ // a bay at sunset
		zenith: rgb{.21, .25, .48}, haze: rgb{.99, .69, .45}, glow: rgb{1, .86, .55}, sunX: .36, sunY: .43,
		lit: rgb{1, .74, .54}, shade: rgb{.50, .37, .49}, cover: .55,
		far: rgb{.60, .42, .47}, near: rgb{.24, .18, .24}, water: true, deep: rgb{.16, .17, .32},
		earth: rgb{.08, .07, .07}, grass: rgb{.17, .15, .09}, straw: rgb{.46, .31, .17},
		leaves: [3]rgb{{.05, .05, .06}, {.10, .10, .08}, {.27, .20, .12}}, flowers: [2]rgb{{.62, .32, .38}, {.75, .50, .25}}, flowerCount: 60,
		trees: 1, horizon: .48, shore: .86, bank: .76,
	},
	{ // a meadow with poppies in autumn
		zenith: rgb{.30, .51, .78}, haze: rgb{.91, .92, .88}, glow: rgb{1, .95, .82}, sunX: .2, sunY: .1,
		lit: rgb{1, .99, .96}, shade: rgb{.74, .77, .82}, cover: .42,
		far: rgb{.50, .60, .70}, near: rgb{.42, .40, .18},
		earth: rgb{.30, .27, .10}, grass: rgb{.42, .52, .14}, straw: rgb{.78, .68, .30},
		leaves: [3]rgb{{.30, .12, .05}, {.76, .34, .07}, {.97, .69, .16}}, flowers: [2]rgb{{.90, .10, .06}, {.96, .30, .12}}, flowerCount: 700,
		trees: 3, horizon: .50, shore: .64, bank: .60,
	},
	{ // hills in mist
		zenith: rgb{.58, .66, .73}, haze: rgb{.90, .91, .90}, glow: rgb{1, .98, .93}, sunX: .6, sunY: .3,
		lit: rgb{.96, .96, .96}, shade: rgb{.76, .79, .82}, cover: .60,
		far: rgb{.76, .79, .81}, near: rgb{.33, .39, .38},
		earth: rgb{.17, .19, .15}, grass: rgb{.29, .34, .23}, straw: rgb{.57, .57, .45},
		leaves: [3]rgb{{.10, .13, .12}, {.19, .24, .20}, {.35, .41, .31}}, flowers: [2]rgb{{.86, .84, .88}, {.70, .66, .78}}, flowerCount: 80,
		trees: 2, fog: .7, horizon: .42, shore: .78, bank: .74,
	},
}

// Scene paints a landscape of w × h px: sky with clouds, hills or sea, grass and trees, with grain.
// The same seed gives the same picture; seed mod 4 chooses a coast at noon, a bay at sunset, a
// meadow in autumn or hills in mist, the rest of the seed where things stand. w and h are at least 1.
func Scene(w, h int, seed uint64) *image.RGBA {
	l := newLandscape(w, h, seed)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	bands(h, func(y0, y1 int) {
		for y := y0; y < y1; y++ {
			for x := range w {
				set(img, x, y, l.at(x, y))
			}
		}
	})
	strokes(img, l.growth())
	develop(img, 5, field(seed+99))
	return img
}

// ridgeCount is how many hills stand behind each other.
const ridgeCount = 5

// landscape is a scene with everything computed that a pixel needs. Lengths are in heights of the picture.
type landscape struct {
	mood
	size   float64 // px in a height
	width  float64
	w      int
	random field
	dice   *rand.Rand
	octave int                   // of noise until it is as fine as a pixel
	ridges [ridgeCount][]float64 // per column: the height of each hill, far to near
	ground []float64             // per column: where the near ground begins
}

func newLandscape(w, h int, seed uint64) *landscape {
	l := &landscape{
		mood: moods[seed%uint64(len(moods))], size: float64(h), width: float64(w) / float64(h), w: w,
		random: field(seed * 0x9e3779b97f4a7c15), dice: rand.New(rand.NewPCG(seed, 7)),
	}
	l.octave = min(max(int(math.Log2(l.size))-5, 2), 6)
	l.sunX *= l.width
	l.ground = make([]float64, w)
	for i := range l.ridges {
		l.ridges[i] = make([]float64, w)
	}
	for x := range w {
		u := (float64(x) + 0.5) / l.size
		for i := range l.ridges {
			l.ridges[i][x] = l.ridge(i, u)
		}
		t := u / l.width
		l.ground[x] = lerp(l.shore, l.bank, fade(t)) + .03*l.random.fractal(u*1.3, 50, 6)
	}
	return l
}

// ridge is the top of hill i, 0 the farthest.
func (l *landscape) ridge(i int, u float64) float64 {
	depth := float64(i) / (ridgeCount - 1)
	f := l.random + field(i*1000)
	sharp := 1 - math.Abs(f.fractal(u*1.6+float64(i)*31, 3.5, 7))
	rough := .006 * depth * f.fractal(u*90, 8.5, 3)
	if l.water {
		// Islands: they sink below the horizon where the noise is low.
		return l.horizon + .035*depth - max(.13*(1-.4*depth)*(sharp-.62+.14*depth)+rough, -.08)
	}
	return l.horizon - .02 + .12*depth - .15*(1-.35*depth)*(sharp-.55) + rough
}

// at is the color of the pixel x, y before anything grows on it.
func (l *landscape) at(x, y int) rgb {
	u, v := (float64(x)+0.5)/l.size, (float64(y)+0.5)/l.size
	ground := clamp((v-l.ground[x])*l.size + 0.5)
	if ground == 1 {
		return l.earthAt(u, v)
	}
	var c rgb
	if l.water && v > l.horizon {
		c = l.seaAt(u, v)
	} else {
		c = l.skyAt(u, v)
	}
	for i := range l.ridges {
		edge := l.ridges[i][x]
		shore := l.horizon + .004 + .035*float64(i)/(ridgeCount-1)
		if v < edge-1/l.size || l.water && v > shore {
			continue
		}
		c = c.mix(l.hillAt(i, u, v, edge), clamp((v-edge)*l.size+0.5))
	}
	if ground > 0 {
		c = c.mix(l.earthAt(u, v), ground)
	}
	return c
}

func (l *landscape) skyAt(u, v float64) rgb {
	down := clamp(v / l.horizon)
	c := l.zenith.mix(l.haze, math.Pow(down, 1.6))
	away := math.Hypot(u-l.sunX, v-l.sunY)
	c = c.mix(l.glow, .7*math.Exp(-away*away*22)+.2*math.Exp(-away*3.2))

	// Clouds lie on a plane overhead, so they shrink and flatten towards the horizon.
	far := .34 / (max(l.horizon-v, 0) + .11)
	px, py := (u-l.width/2)*far*1.5, far*2.1
	bend := l.random.fractal(px*.8, py*.8, 2)
	n := (l.random + 10).fractal(px+bend*.6, py+bend*.4, l.octave+1)
	thick := step(.5-l.cover, 1.02-l.cover*.9, n+.12)
	if thick == 0 {
		return c
	}
	toSun := (l.random + 10).fractal(px+bend*.6+.09*l.sunward(u), py+bend*.4+.12, 4)
	light := clamp(.62 + 1.5*(n-toSun) - .35*thick)
	cloud := l.shade.mix(l.lit, light).mix(l.haze, .55*down*down)
	return c.mix(cloud.add(l.glow, .25*math.Exp(-away*4)), thick*.94)
}

// sunward runs from −1 where the sun is far to the left to 1 where it is far to the right.
func (l *landscape) sunward(u float64) float64 { return min(max((l.sunX-u)*2.5, -1), 1) }

func (l *landscape) seaAt(u, v float64) rgb {
	down := v - l.horizon
	far := 1 / (down + .012)
	calm := min(1, down*9)
	swell := (l.random + 20).fractal((u-l.width/2)*far*.9, far*2.6, 4)
	ripple := (l.random + 30).fractal((u-l.width/2)*far*4, far*14, 3)
	c := l.haze.mix(l.zenith, .35).mix(l.deep, clamp(.35+2.2*down))
	c = c.scale(1 + calm*(.22*swell+.16*ripple))
	c = c.mix(l.haze, .5*math.Exp(-down*45))
	path := bell((u - l.sunX) / (.05 + .5*down))
	glitter := step(.12, .5, ripple+.35*swell)
	c = c.add(l.glow, path*(.10+.75*glitter*(1-.5*clamp(down*3))))
	surf := step(.42, .6, swell+.8*down)
	return c.mix(rgb{.95, .97, .97}, .35*surf*calm*step(.0, .5, ripple+.2))
}

func (l *landscape) hillAt(i int, u, v, edge float64) rgb {
	depth := float64(i) / (ridgeCount - 1)
	f := l.random + field(400+10*i)
	k := 14 + 16*depth
	below := (v - edge) * k * 1.5
	n := f.fractal(u*k, below, l.octave)
	slope := n - f.fractal(u*k+.16*l.sunward(u), below-.12, l.octave)
	c := l.far.mix(l.near, depth*depth)
	c = c.scale(1 + (1-l.fog)*((.35+.5*depth)*slope+.22*depth*n))
	trees := step(-.1, .3, f.fractal(u*3, v*7, 3))
	c = c.mix(l.leaves[1], .55*depth*trees*(1-.6*l.fog))
	haze := .55*(1-depth) + 1.9*(v-edge)*(1-.5*depth)*(1+2*l.fog)
	return c.mix(l.haze, clamp(haze)*.8)
}

func (l *landscape) earthAt(u, v float64) rgb {
	far := 1 / (v - l.horizon + .05)
	n := (l.random + 40).fractal(u*far*2, far*5, l.octave)
	c := l.earth.mix(l.grass, clamp(.5+n))
	return c.mix(l.haze, .12*clamp(1-(v-l.horizon)*3))
}
