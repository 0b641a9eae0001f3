package resize

import "math"

// base83 are the digits of a BlurHash.
const base83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

// BlurHash returns the BlurHash of a picture on white (blurha.sh), with nx × ny components, each 1–9;
// 0 chooses four along the longer side and three along the shorter one. "" for a picture without px.
func (s Small) BlurHash(nx, ny int) string {
	if s.Width*s.Height == 0 || len(s.Pix) < 4*s.Width*s.Height {
		return ""
	}
	nx, ny = s.components(nx, ny)
	factors := s.factors(nx, ny)
	hash := make([]byte, 0, 6+2*len(factors))
	hash = append83(hash, nx-1+9*(ny-1), 1)
	var most float64
	for i, f := range factors[1:] {
		if m := max(f[0], f[1], f[2]); i == 0 || m > most {
			most = m
		}
	}
	quantized, scale := 0, 1.0
	if len(factors) > 1 {
		quantized = max(0, min(82, int(math.Floor(most*166-0.5))))
		scale = float64(quantized+1) / 166
	}
	hash = append83(hash, quantized, 1)
	mean := factors[0]
	hash = append83(hash, fromLinear(mean[0])<<16+fromLinear(mean[1])<<8+fromLinear(mean[2]), 4)
	for _, f := range factors[1:] {
		hash = append83(hash, (quantize(f[0]/scale)*19+quantize(f[1]/scale))*19+quantize(f[2]/scale), 2)
	}
	return string(hash)
}

func (s Small) components(nx, ny int) (int, int) {
	if nx == 0 {
		nx = 3 + bit(s.Width >= s.Height)
	}
	if ny == 0 {
		ny = 3 + bit(s.Height >= s.Width)
	}
	return min(max(nx, 1), 9), min(max(ny, 1), 9)
}

// factors returns the lowest nx × ny frequencies of the three channels in linear light.
func (s Small) factors(nx, ny int) [][3]float64 {
	light := s.light()
	all := make([][3]float64, 0, nx*ny)
	for j := range ny {
		for i := range nx {
			normal := 2.0
			if i == 0 && j == 0 {
				normal = 1
			}
			var sum [3]float64
			for x := range s.Width {
				fx := normal * math.Cos(math.Pi*float64(i)*float64(x)/float64(s.Width))
				for y := range s.Height {
					basis := fx * math.Cos(math.Pi*float64(j)*float64(y)/float64(s.Height))
					px := light[x+y*s.Width]
					for c := range sum {
						sum[c] += basis * px[c]
					}
				}
			}
			n := 1 / float64(s.Width*s.Height)
			all = append(all, [3]float64{sum[0] * n, sum[1] * n, sum[2] * n})
		}
	}
	return all
}

// light returns the px in linear light, on white.
func (s Small) light() [][3]float64 {
	var table [256]float64
	for i := range table {
		table[i] = toLinear(float64(i) / 255)
	}
	all := make([][3]float64, s.Width*s.Height)
	for i := range all {
		px := s.Pix[4*i:]
		c := Color{px[0], px[1], px[2], px[3]}
		if c.A < 255 {
			c = c.over(white)
		}
		all[i] = [3]float64{table[c.R], table[c.G], table[c.B]}
	}
	return all
}

// toLinear and fromLinear are the transfer function of sRGB (IEC 61966-2-1), as the reference has it.
func toLinear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func fromLinear(v float64) int {
	v = clamp01(v)
	if v <= 0.0031308 {
		return int(v*12.92*255 + 0.5)
	}
	return int((1.055*math.Pow(v, 1/2.4)-0.055)*255 + 0.5)
}

// quantize returns a frequency of −1–1 as 0–18.
func quantize(v float64) int {
	root := math.Copysign(math.Sqrt(math.Abs(v)), v)
	return max(0, min(18, int(math.Floor(root*9+9.5))))
}

func append83(b []byte, n, digits int) []byte {
	for range digits {
		b = append(b, '0')
	}
	for i := len(b) - 1; digits > 0; i, digits = i-1, digits-1 {
		b[i] = base83[n%83]
		n /= 83
	}
	return b
}
