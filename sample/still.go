package sample

import (
	"image"
	"math"
)

// vec is a place or a direction in the space of a still life; y points up.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec       { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec       { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) times(k float64) vec { return vec{a.x * k, a.y * k, a.z * k} }
func (a vec) dot(b vec) float64   { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) unit() vec           { return a.times(1 / math.Sqrt(a.dot(a))) }
func (c rgb) times(d rgb) rgb     { return rgb{c.r * d.r, c.g * d.g, c.b * d.b} }
func (c rgb) gamma(power float64) rgb {
	return rgb{math.Pow(max(c.r, 0), power), math.Pow(max(c.g, 0), power), math.Pow(max(c.b, 0), power)}
}

// fruit is a ball on the table.
type fruit struct {
	at     vec
	radius float64
	skin   rgb
	blush  rgb
	shine  float64 // 0 velvet, 1 polished
}

// bowl is what the still life shows: the smooth, warm tones of skin, and one green.
var bowl = [...]fruit{
	{vec{-.62, .62, .3}, .62, rgb{.96, .68, .46}, rgb{.88, .36, .27}, .15},
	{vec{.66, .58, .1}, .58, rgb{.97, .74, .54}, rgb{.90, .44, .36}, .15},
	{vec{.05, .50, -.75}, .50, rgb{.95, .72, .56}, rgb{.86, .40, .34}, .15},
	{vec{.04, 1.42, .18}, .54, rgb{.93, .64, .47}, rgb{.80, .33, .28}, .15},
	{vec{-.95, .33, -.75}, .33, rgb{.52, .66, .20}, rgb{.70, .74, .30}, .8},
	{vec{1.05, .22, -.85}, .22, rgb{.36, .10, .22}, rgb{.52, .16, .30}, .9},
	{vec{1.38, .21, -.48}, .21, rgb{.30, .08, .20}, rgb{.46, .14, .28}, .9},
	{vec{.78, .19, -1.22}, .19, rgb{.38, .11, .24}, rgb{.55, .20, .32}, .9},
}

// Still paints fruit on a wooden table before lights out of focus: large smooth areas in the tones of
// skin, soft shadows, fine texture. The picture fits portrait sizes best. w and h are at least 1.
func Still(w, h int, seed uint64) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	p := painter{random: field(seed*31 + 5), w: float64(w), h: float64(h)}
	bands(h, func(y0, y1 int) {
		for y := y0; y < y1; y++ {
			for x := range w {
				set(img, x, y, p.pixel(float64(x), float64(y)))
			}
		}
	})
	develop(img, 4, field(seed+98))
	return img
}

// painter looks at the still life through a camera.
type painter struct {
	random field
	w, h   float64 // px
}

// samples are the places inside a pixel that are looked at.
var samples = [...][2]float64{{.3, .2}, {.8, .4}, {.2, .7}, {.7, .9}}

func (p painter) pixel(x, y float64) rgb {
	var sum rgb
	for _, s := range samples {
		sum = sum.add(p.look(x+s[0], y+s[1]), 1/float64(len(samples)))
	}
	return sum
}

// look follows the ray through the point x, y of the picture.
func (p painter) look(x, y float64) rgb {
	side := min(p.w, p.h*.8)
	eye := vec{0, 1.55, -6.2}
	ray := vec{(x - p.w/2) / side * .62, (p.h*.47-y)/side*.62 - .10, 1}.unit()
	if f, far, ok := hit(eye, ray); ok {
		return p.fruitAt(f, eye.add(ray.times(far)), ray)
	}
	if far := -eye.y / ray.y; ray.y < 0 && far < 9 {
		return p.tableAt(eye.add(ray.times(far)), far)
	}
	return p.backdrop(ray)
}

func hit(from, ray vec) (found *fruit, far float64, ok bool) {
	far = math.MaxFloat64
	for i := range bowl {
		o := from.sub(bowl[i].at)
		b := o.dot(ray)
		d := b*b - o.dot(o) + bowl[i].radius*bowl[i].radius
		if d < 0 {
			continue
		}
		if t := -b - math.Sqrt(d); t > 0 && t < far {
			found, far = &bowl[i], t
		}
	}
	return found, far, found != nil
}

// window is where the light comes from.
var window = vec{-.62, .70, -.42}.unit()

// light is what reaches a place from the window and from the room, 0–1 each.
func light(at, normal vec, self *fruit) (direct, room float64) {
	direct, room = 1, 1
	for i := range bowl {
		f := &bowl[i]
		if f == self {
			continue
		}
		to := f.at.sub(at)
		away := math.Sqrt(to.dot(to))
		ratio := f.radius / away
		room *= 1 - clamp(to.dot(normal)/away*.6+.4)*ratio*ratio
		if b := to.dot(window); b > 0 {
			miss := math.Sqrt(max(to.dot(to)-b*b, 0)) - f.radius
			direct *= step(-.28, .28, miss/(.35+.65*b)*.9)
		}
	}
	return direct, room
}

func (p painter) fruitAt(f *fruit, at, ray vec) rgb {
	normal := at.sub(f.at).times(1 / f.radius)
	// A seam runs round the velvet ones; speckles cover all.
	u, v := math.Atan2(normal.x, -normal.z)*1.6+f.at.x*9, normal.y*2.2+f.at.z*5
	patch := p.random.fractal(u*.9, v*.9, 3)
	fine := (p.random + 50).fractal(u*14, v*14, 3)
	seam := bell((normal.x-.35*normal.y-.12+.3*f.at.x)*12) * (1 - f.shine)
	skin := f.skin.mix(f.blush, clamp(.35+.9*patch-.35*normal.y)).scale(1 + .10*fine - .11*seam)
	direct, room := light(at, normal, f)
	facing := normal.dot(window)
	wrap := clamp((facing + .25) / 1.25)
	lamp := rgb{1.08, 1.0, .90}.scale(direct * wrap * wrap * (1.35 - .35*wrap))
	sky := rgb{.34, .37, .44}.scale(room * (.65 + .35*normal.y))
	bounce := rgb{.30, .18, .10}.scale(room * clamp(.5-.6*normal.y))
	c := skin.gamma(1.8).times(lamp.add(sky, 1).add(bounce, 1))
	edge := math.Pow(1-clamp(-normal.dot(ray)), 3)
	c = c.add(rgb{.55, .46, .40}, edge*.30*room*(1-.6*f.shine))
	half := window.sub(ray).unit()
	gloss := math.Pow(clamp(half.dot(normal)), 12+70*f.shine)
	c = c.add(rgb{1, .97, .92}, gloss*direct*(.07+.45*f.shine))
	return c.gamma(1 / 1.9)
}

func (p painter) tableAt(at vec, far float64) rgb {
	plank := math.Floor(at.z*1.3 + .3)
	gap := math.Abs(at.z*1.3 + .3 - plank - .5)
	grain := (p.random + 60).fractal(at.x*1.1+plank*13, at.z*16, 5)
	ring := math.Sin((at.z*7 + 2.2*(p.random+61).fractal(at.x*.6+plank*7, at.z*2.5, 3)) * 6)
	tone := .5 + .55*grain + .13*ring + .16*(p.random+62).unit(int(plank), 3)
	wood := rgb{.30, .17, .10}.mix(rgb{.66, .44, .27}, clamp(tone))
	wood = wood.scale(1 - .7*step(.485, .498, gap))
	direct, room := light(at, vec{0, 1, 0}, nil)
	c := wood.gamma(1.8).times(rgb{1.02, .95, .86}.scale(direct*.85).add(rgb{.30, .33, .40}, room*room))
	blur := clamp((far - 6.4) / 3.2)
	return c.gamma(1/1.9).mix(rgb{.36, .28, .24}, blur*blur*.85)
}

// backdrop is a dark garden with round lights, far out of focus.
func (p painter) backdrop(ray vec) rgb {
	soft := p.random.fractal(ray.x*5, ray.y*5, 2)
	c := rgb{.17, .22, .20}.mix(rgb{.44, .45, .34}, clamp(.45+.8*soft-.3*ray.x+1.1*ray.y))
	for i := range 46 {
		x, y := (p.random+70).unit(i, 0)*1.0-.5, (p.random+70).unit(i, 1)*.62-.14
		r := .022 + .030*(p.random+70).unit(i, 2)
		away := math.Hypot(ray.x-x, ray.y-y) / r
		if away > 1.1 {
			continue
		}
		warm := rgb{.95, .80, .52}.mix(rgb{.72, .84, .58}, (p.random+70).unit(i, 3))
		disc := (1 - step(.93, 1.06, away)) * (.75 + .35*away*away*away*away)
		c = c.mix(warm, disc*.38*(p.random+70).unit(i, 4))
	}
	return c.mix(rgb{.30, .25, .20}, step(.02, -.08, ray.y)*.6)
}
