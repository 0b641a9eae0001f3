package resize

import "time"

// encodeCost says what an encoder costs: CPU-ns a px of a busy photograph at the default quality, and at q=100.
type encodeCost struct {
	format      Format
	lossless    bool
	effort      int
	usual, full int64
}

// encodeCosts is measured, not calibrated: a plan is the same on every machine, so the same URL gives the same
// bytes. For each format the efforts begin with the default one and fall.
//
//	go test ./resize/libvips -run '^$' -bench EncodeCost -benchtime 2x
//
// with IMGEDGE_CORPUS, on 2 cores of an EPYC, libvips 8.14.1, 2026-11-21.
var encodeCosts = [...]encodeCost{
	{FormatJPEG, false, 0, 7, 12},
	{FormatWebP, false, 2, 45, 75},
	{FormatWebP, false, 1, 35, 70},
	{FormatWebP, false, 0, 30, 60},
	{FormatWebP, true, 2, 960, 960},
	{FormatWebP, true, 1, 910, 910},
	{FormatWebP, true, 0, 625, 625},
	{FormatAVIF, false, 1, 175, 835},
	{FormatAVIF, false, 0, 50, 195},
	{FormatAVIF, true, 1, 1085, 1085},
	{FormatAVIF, true, 0, 230, 230},
	{FormatJXL, false, 4, 35, 75},
	{FormatJXL, false, 3, 35, 75},
	{FormatJXL, true, 4, 1090, 1090},
	{FormatJXL, true, 3, 175, 175},
	{FormatPNG, false, 6, 340, 340},
	{FormatPNG, false, 3, 100, 100},
	{FormatPNG, false, 1, 70, 70},
	{FormatGIF, false, 4, 250, 250},
	{FormatGIF, false, 1, 165, 165},
	{FormatTIFF, false, 0, 180, 180},
}

// fits reports whether the row is about the encoder, whatever its effort.
func (c encodeCost) fits(e Encoder) bool {
	return c.format == e.Format && (c.lossless == e.Lossless || !e.Format.HasLossless())
}

// of returns the predicted time of one run over so many px. Between the default quality and 100 it grows in
// proportion.
func (c encodeCost) of(quality int, pixels int64) time.Duration {
	ns, usual := c.usual, c.format.Quality()
	if quality > usual && usual > 0 {
		ns += (c.full - c.usual) * int64(quality-usual) / int64(100-usual)
	}
	return time.Duration(ns * pixels)
}

// Tries of a search, at most: see Search.
const (
	triesAuto = 5
	triesFit  = 5
)

// runs returns how often an encoder may have to run for the options.
func (o Options) runs(e Encoder) int64 {
	n := int64(0)
	if o.QualityAuto && e.Quality > 0 && !e.Lossless || o.Format == FormatBest && o.Quality == 0 {
		n += triesAuto
	}
	if o.MaxBytes > 0 {
		n += triesFit
	}
	return max(1, n)
}

// afford returns the encoder with the highest effort whose predicted time is within the budget, and that time; with
// the cheapest effort where none is. budget 0 is none.
func (o Options) afford(e Encoder, pixels int64, budget time.Duration) (Encoder, time.Duration) {
	least := time.Duration(0)
	cheapest := e
	for _, c := range encodeCosts {
		if !c.fits(e) || c.effort > e.Effort {
			continue
		}
		took := c.of(e.Quality, pixels) * time.Duration(o.runs(e))
		if at := (Encoder{e.Format, e.Quality, e.Lossless, c.effort}); budget <= 0 || took <= budget {
			return at, took
		} else if least == 0 || took < least {
			cheapest, least = at, took
		}
	}
	return cheapest, least
}

// within returns the first encoder whose predicted time is within the budget, of formats in the order of
// preference, each with falling effort; the cheapest where none is.
func (o Options) within(budget time.Duration, formats []Format, size layout, frames int) Encoder {
	var best Encoder
	var least time.Duration
	for i, f := range formats {
		pixels := int64(size.size.X) * int64(size.size.Y)
		if f.animates() {
			pixels *= int64(frames)
		}
		e, took := o.afford(o.encoder(f), pixels, budget)
		if budget <= 0 || took <= budget {
			return e
		}
		if i == 0 || took < least {
			best, least = e, took
		}
	}
	return best
}

// alternatives returns the formats that the picture may have, in the order of preference: the chosen one, and
// behind it, where the client did not name it, what else it takes.
func (o Options) alternatives(chosen Format, l layout, animated, transparent bool) []Format {
	all := []Format{chosen}
	if o.Format != FormatAuto {
		return all
	}
	behind := false
	for _, f := range o.Offer {
		if behind && f.writable() && f.holds(l.size.X, l.size.Y) && (!animated || f.animates()) {
			all = append(all, f)
		}
		behind = behind || f == chosen
	}
	if last := fallback(l, animated, transparent); last != chosen {
		all = append(all, last)
	}
	return all
}
