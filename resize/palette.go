package resize

import (
	"cmp"
	"encoding/hex"
	"slices"
)

// dominantColors is how many colors Dominant returns at most.
const dominantColors = 5

// Average returns the mean of what is not transparent; A is the mean opacity.
func (s Small) Average() Color {
	var sum [3]int
	alpha := 0
	for i := 0; i+4 <= len(s.Pix); i += 4 {
		a := int(s.Pix[i+3])
		alpha += a
		for c := range sum {
			sum[c] += a * int(s.Pix[i+c])
		}
	}
	if alpha == 0 {
		return Color{}
	}
	mean := func(v int) uint8 { return uint8((v + alpha/2) / alpha) }
	n := len(s.Pix) / 4
	return Color{mean(sum[0]), mean(sum[1]), mean(sum[2]), uint8((alpha + n/2) / n)}
}

// Dominant returns up to five colors that cover most of what is not transparent, the most frequent
// first, opaque: means of the boxes of a median cut, where boxes that look alike are one.
func (s Small) Dominant() []Color {
	var all []Color
	for i := 0; i+4 <= len(s.Pix); i += 4 {
		if s.Pix[i+3] >= 128 {
			all = append(all, Color{s.Pix[i], s.Pix[i+1], s.Pix[i+2], 255})
		}
	}
	if len(all) == 0 {
		return nil
	}
	boxes := [][]Color{all}
	for len(boxes) < 4*dominantColors {
		i, channel := widest(boxes)
		if channel < 0 {
			break
		}
		low, high := split(boxes[i], channel)
		boxes[i] = low
		boxes = append(boxes, high)
	}
	return shares(boxes)
}

// widest returns the box whose spread, weighted by its px, is greatest, and its channel; −1 if
// every box has one color.
func widest(boxes [][]Color) (box, channel int) {
	box, channel = 0, -1
	most := 0
	for i, b := range boxes {
		low, high := b[0].channels(), b[0].channels()
		for _, c := range b {
			for k, v := range c.channels() {
				low[k], high[k] = min(low[k], v), max(high[k], v)
			}
		}
		for k := range low {
			if spread := (int(high[k]) - int(low[k])) * len(b); spread > most {
				box, channel, most = i, k, spread
			}
		}
	}
	return box, channel
}

// split cuts a box at the middle of the channel's range, so that both halves have px.
func split(b []Color, channel int) (low, high []Color) {
	slices.SortFunc(b, func(x, y Color) int {
		cx, cy := x.channels(), y.channels()
		return cmp.Or(cmp.Compare(cx[channel], cy[channel]), slices.Compare(cx[:], cy[:]))
	})
	first, last := b[0].channels()[channel], b[len(b)-1].channels()[channel]
	middle := first + (last-first)/2
	at := slices.IndexFunc(b, func(c Color) bool { return c.channels()[channel] > middle })
	return b[:at:at], b[at:]
}

// leastShare is the part, one in that many, that a dominant color covers: less is the seam between others.
const leastShare = 40

// alike is up to which distance two colors count as one, squared.
const alike = 40 * 40

// shares returns the means of the boxes by their px, alike ones joined.
func shares(boxes [][]Color) []Color {
	slices.SortStableFunc(boxes, func(x, y []Color) int {
		return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(hexOf(mean(x)), hexOf(mean(y))))
	})
	type share struct {
		color Color
		count int
	}
	var all []share
next:
	for _, b := range boxes {
		m := mean(b)
		for i := range all {
			if distance(all[i].color, m) < alike {
				all[i].count += len(b)
				continue next
			}
		}
		all = append(all, share{m, len(b)})
	}
	slices.SortStableFunc(all, func(x, y share) int { return cmp.Compare(y.count, x.count) })
	colors := make([]Color, 0, dominantColors)
	total := 0
	for _, s := range all {
		total += s.count
	}
	for i, s := range all[:min(len(all), dominantColors)] {
		if i == 0 || s.count*leastShare >= total {
			colors = append(colors, s.color)
		}
	}
	return colors
}

func mean(b []Color) Color {
	var sum [3]int
	for _, c := range b {
		for k, v := range c.channels() {
			sum[k] += int(v)
		}
	}
	n := len(b)
	return Color{uint8((sum[0] + n/2) / n), uint8((sum[1] + n/2) / n), uint8((sum[2] + n/2) / n), 255}
}

func distance(x, y Color) int {
	sum := 0
	cx, cy := x.channels(), y.channels()
	for k := range cx {
		d := int(cx[k]) - int(cy[k])
		sum += d * d
	}
	return sum
}

func (c Color) channels() [3]uint8 { return [3]uint8{c.R, c.G, c.B} }

// hexOf returns #rrggbb.
func hexOf(c Color) string { return "#" + hex.EncodeToString([]byte{c.R, c.G, c.B}) }
