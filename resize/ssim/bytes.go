package ssim

// CompareLuma is Compare for luma of one byte a px, w × h of them; for a search that compares many times
// it takes a tenth of the time. 0 if a slice is too short.
func CompareLuma(a, b []byte, w, h int) float64 {
	if w <= 0 || h <= 0 || len(a) < w*h || len(b) < w*h {
		return 0
	}
	columns, rows := starts(w), starts(h)
	ww, wh := min(window, w), min(window, h)
	var sum float64
	for _, y := range rows {
		for _, x := range columns {
			sum += similarityOfBytes(a[y*w+x:], b[y*w+x:], w, ww, wh)
		}
	}
	return sum / float64(len(rows)*len(columns))
}

// similarityOfBytes is the index of one window; line is the length of a line of the picture.
func similarityOfBytes(a, b []byte, line, w, h int) float64 {
	var sa, sb, saa, sbb, sab int
	for y := range h {
		ra, rb := a[y*line:][:w], b[y*line:][:w]
		for x := range ra {
			va, vb := int(ra[x]), int(rb[x])
			sa += va
			sb += vb
			saa += va * va
			sbb += vb * vb
			sab += va * vb
		}
	}
	n := float64(w * h)
	ma, mb := float64(sa)/n, float64(sb)/n
	va, vb, cov := float64(saa)/n-ma*ma, float64(sbb)/n-mb*mb, float64(sab)/n-ma*mb
	return (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
}

// Luma returns the luma (BT.601) of px of 1 to 4 bands, 8 bits each: gray, gray and alpha, RGB, RGBA; nil
// for other bands. What is transparent lies on middle gray, so that alpha counts.
func Luma(pix []byte, bands int) []byte {
	if bands < 1 || bands > 4 {
		return nil
	}
	out := make([]byte, len(pix)/bands)
	for i := range out {
		px := pix[i*bands : (i+1)*bands]
		v := int(px[0])
		if bands >= 3 {
			v = (77*int(px[0]) + 150*int(px[1]) + 29*int(px[2]) + 128) >> 8
		}
		if bands == 2 || bands == 4 {
			a := int(px[bands-1])
			v = (v*a + 128*(255-a) + 127) / 255
		}
		out[i] = byte(v) //nolint:gosec // a mean of bytes
	}
	return out
}
