package resize

import "math"

// Small is a picture of at most 100 px a side, sRGB with straight alpha, 4 bytes a px: what hashes and
// colors are computed from.
type Small struct {
	Width, Height int
	Pix           []byte // Width × Height × 4
}

// SmallSide is the longest side of a Small, px.
const SmallSide = 100

// ThumbHash returns the ThumbHash of a picture, 5 to 25 bytes: what it looks like from afar, its ratio
// and its transparency (evanw.github.io/thumbhash, version 0.1.1). Nil for a picture without px.
func (s Small) ThumbHash() []byte {
	n := s.Width * s.Height
	if n == 0 || len(s.Pix) < 4*n {
		return nil
	}
	lightness, yellow, red, alpha, transparent := s.channels(n)
	long := float64(max(s.Width, s.Height))
	limit := 7.0
	if transparent {
		limit = 5 // what alpha takes is missing here
	}
	lx := max(1, jsRound(limit*float64(s.Width)/long))
	ly := max(1, jsRound(limit*float64(s.Height)/long))
	l := s.waves(lightness, max(3, lx), max(3, ly))
	p, q := s.waves(yellow, 3, 3), s.waves(red, 3, 3)
	all := []waves{l, p, q}

	wide := s.Width > s.Height
	short := lx
	if wide {
		short = ly
	}
	h24 := jsRound(63*l.mean) | jsRound(31.5+31.5*p.mean)<<6 | jsRound(31.5+31.5*q.mean)<<12 |
		jsRound(31*l.scale)<<18 | bit(transparent)<<23
	h16 := short | jsRound(63*p.scale)<<3 | jsRound(63*q.scale)<<9 | bit(wide)<<15
	hash := []byte{byte(h24), byte(h24 >> 8), byte(h24 >> 16), byte(h16), byte(h16 >> 8)}
	if transparent {
		a := s.waves(alpha, 5, 5)
		hash = append(hash, byte(jsRound(15*a.mean)|jsRound(15*a.scale)<<4))
		all = append(all, a)
	}
	return appendNibbles(hash, all)
}

// channels returns lightness, yellow against blue, red against green and alpha, each 0–1 or −1–1, with
// what is transparent in the mean color.
func (s Small) channels(n int) (l, p, q, a []float64, transparent bool) {
	var mean [3]float64
	var opacity float64
	for i := range n {
		px := s.Pix[4*i:]
		alpha := float64(px[3]) / 255
		for c := range mean {
			mean[c] += alpha / 255 * float64(px[c])
		}
		opacity += alpha
	}
	if opacity > 0 {
		for c := range mean {
			mean[c] /= opacity
		}
	}
	all := make([]float64, 4*n)
	l, p, q, a = all[:n], all[n:2*n], all[2*n:3*n], all[3*n:]
	for i := range n {
		px := s.Pix[4*i:]
		alpha := float64(px[3]) / 255
		r := mean[0]*(1-alpha) + alpha/255*float64(px[0])
		g := mean[1]*(1-alpha) + alpha/255*float64(px[1])
		b := mean[2]*(1-alpha) + alpha/255*float64(px[2])
		l[i], p[i], q[i], a[i] = (r+g+b)/3, (r+g)/2-b, r-g, alpha
	}
	return l, p, q, a, opacity < float64(n)
}

// waves is a channel as its mean and its lowest frequencies, these as 0–1 of scale.
type waves struct {
	mean, scale float64
	rest        []float64
}

// waves is the triangle of low frequencies of a cosine transform.
func (s Small) waves(channel []float64, nx, ny int) waves {
	var w waves
	fx := make([]float64, s.Width)
	for cy := range ny {
		for cx := 0; cx*ny < nx*(ny-cy); cx++ {
			for x := range fx {
				fx[x] = math.Cos(math.Pi / float64(s.Width) * float64(cx) * (float64(x) + 0.5))
			}
			var f float64
			for y := range s.Height {
				fy := math.Cos(math.Pi / float64(s.Height) * float64(cy) * (float64(y) + 0.5))
				for x := range fx {
					f += channel[x+y*s.Width] * fx[x] * fy
				}
			}
			f /= float64(s.Width * s.Height)
			if cx == 0 && cy == 0 {
				w.mean = f
				continue
			}
			w.rest = append(w.rest, f)
			w.scale = max(w.scale, math.Abs(f))
		}
	}
	if w.scale < flat {
		w.scale = 0
		clear(w.rest)
		return w
	}
	for i := range w.rest {
		w.rest[i] = 0.5 + 0.5/w.scale*w.rest[i]
	}
	return w
}

// flat is below which a frequency is what rounding has left over. The reference writes such noise,
// which is of scale 0 and means nothing; ours would differ from machine to machine.
const flat = 1e-6

// appendNibbles writes the frequencies, two a byte.
func appendNibbles(hash []byte, all []waves) []byte {
	high := false
	for _, w := range all {
		for _, f := range w.rest {
			nibble := byte(jsRound(15 * f))
			if high {
				hash[len(hash)-1] |= nibble << 4
			} else {
				hash = append(hash, nibble)
			}
			high = !high
		}
	}
	return hash
}

// jsRound rounds as JavaScript does, half up.
func jsRound(x float64) int { return int(math.Floor(x + 0.5)) }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
