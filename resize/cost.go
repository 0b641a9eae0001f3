package resize

import "fmt"

// Sizes of the estimate, all measured on libvips 8.14 with one thread a picture and rounded up. docs/memory.md
// has the table; TestMemoryAllocatedAsPlanned holds them to it.
const (
	baseBytes   = 6 << 20  // codec tables, thread stacks, the encoder's start
	svgLayers   = 4        // of an SVG, that are drawn into pictures of their own at a time
	svgTile     = 4 << 20  // px of what libvips draws of an SVG at a time
	copiedBytes = 16 << 20 // up to which a finished picture is copied out of C and in again
	bandLines   = 1400     // lines a sequential pipeline holds of the loaded picture, where it is reduced tenfold; fewer where less
	finalLines  = 384      // lines it holds of the scaled one
)

// cost estimates the peak memory in bytes, beyond the file, and the px that the decoder produces.
func (p Plan) cost() (memory, pixels int64) {
	loaded, whole := p.loadedPixels(), int64(p.Source.Width)*int64(p.Source.Height)
	memory = baseBytes + p.decodeBytes(loaded, whole) + p.resampleBytes() + p.effectBytes() + p.overlayBytes() + p.finishBytes() + p.Search.bytes(p)
	memory, pixels = max(memory, p.searchBytes()), loaded*int64(p.Frames)
	if p.Trim.On {
		pixels += whole * int64(p.Frames)
	}
	return memory, pixels
}

// loadedPixels returns the px of one frame as the decoder gives it.
func (p Plan) loadedPixels() int64 {
	w, h := float64(p.Source.Width), float64(p.Source.Height)
	return int64(side(w*p.Scale/float64(p.Shrink))) * int64(side(h*p.Scale/float64(p.Shrink)))
}

// pixelBytes returns the bytes of one decoded px.
func (s Source) pixelBytes() int64 { return int64(max(1, s.Bands)) * int64(max(8, s.Depth)) / 8 }

// decodeBytes returns what the decoder and the lines behind it hold.
func (p Plan) decodeBytes(loaded, whole int64) int64 {
	px := p.Source.pixelBytes()
	height := max(1, p.Source.Height/p.Shrink)
	lines := int64(min(bandLines+p.skippedLines(), height)) * (loaded / int64(height)) * px
	switch p.Source.Format {
	case FormatJPEG:
		if p.Source.Progressive {
			return lines + whole*2*int64(max(3, p.Source.Bands)) // 16-bit coefficients of every scan
		}
		return lines
	case FormatPNG:
		if p.Source.Progressive {
			return lines + whole*px // Adam7
		}
		return lines
	case FormatWebP:
		return lines + p.webpBytes(loaded, whole)
	case FormatGIF:
		if p.Source.Animated {
			return lines + whole*4*2 // canvas and its predecessor
		}
		return lines + whole*4
	case FormatAVIF, FormatHEIC:
		return lines + whole*(px+2*max(1, int64(p.Source.Depth)/8)) + whole*px // planes of the codec, interleaved picture
	case FormatSVG:
		return lines + 2*loaded*4 + svgLayers*4*min(loaded, svgTile) // what was drawn in C and in Go
	case FormatJXL:
		return lines + whole*(px+6)
	default: // TIFF: a tile may be the whole picture
		return lines + whole*px
	}
}

// webpBytes returns what the decoder of a WebP holds beyond the lines.
func (p Plan) webpBytes(loaded, whole int64) int64 {
	if p.Source.Animated {
		return whole * 4 * int64(p.Frames+4) // libvips keeps what is decoded to the end
	}
	n := 2 * loaded * p.Source.pixelBytes() // as decoded, and as loaded
	if p.Source.Progressive || p.Source.Alpha {
		n += whole * 4 // lossless is decoded as ARGB at full size; so is alpha beside lossy color
	}
	return n
}

// skippedLines returns how many lines lie above what is kept: libvips reads over them in one piece.
func (p Plan) skippedLines() int {
	window := p.Turn.Stored(p.Window, p.Scaled)
	return p.Loaded.Min.Y + int(int64(window.Min.Y)*int64(p.Loaded.Dy())/int64(p.Scaled.Y))
}

// resampleBytes returns the lines that the resampler keeps, and the copies that a turn needs.
func (p Plan) resampleBytes() int64 {
	scaled := int64(p.Scaled.X) * int64(p.Scaled.Y)
	px := max(4, p.Source.pixelBytes())
	n := min(scaled, int64(p.Scaled.X)*finalLines) * px
	if p.Turn != (Turn{}) {
		n += 3 * scaled * px // out of C, in Go, into C again
	}
	return n
}

// finishBytes returns what padding and the encoder hold.
func (p Plan) finishBytes() int64 {
	out := int64(p.Width) * int64(p.Height)
	strip := 2 * min(out*4, copiedBytes)
	all := out * int64(p.Frames) * 4
	switch {
	case p.Frames > 1 && p.Format == FormatWebP && !p.Search.Tries():
		strip = all * 5 / 2 // all frames, and their garbage
	case p.Frames > 1:
		strip = all * 5 // and copied into C, out and in again
	case out*3 > copiedBytes && (p.Format == FormatJPEG || p.Format == FormatPNG || p.Format == FormatTIFF):
		strip = 0 // goes through in lines
	}
	switch p.Format {
	case FormatWebP:
		if p.Lossless {
			return strip + out*32
		}
		return strip + out*12
	case FormatAVIF:
		return strip + out*40
	case FormatJXL:
		if p.Lossless {
			return strip + out*72
		}
		return strip + out*50
	case FormatTIFF:
		return strip + out*6
	case FormatGIF:
		return strip + out*30
	case FormatJPEG:
		return strip + out*3/2 + int64(p.Width)*finalLines*3
	default:
		return strip + out
	}
}

// checkSource refuses what is too large before anything else is computed.
func (lim Limits) checkSource(src Source) error {
	if src.Width <= 0 || src.Height <= 0 {
		return Unprocessable("corrupt_image", "the image is broken")
	}
	if lim.SourceSide > 0 && max(src.Width, src.Height) > lim.SourceSide {
		return Unprocessable("too_many_pixels", fmt.Sprintf("the source has %d×%d px, the limit is %d px a side",
			src.Width, src.Height, lim.SourceSide))
	}
	if px := int64(src.Width) * int64(src.Height); lim.SourcePixels > 0 && px > int64(lim.SourcePixels) {
		return Unprocessable("too_many_pixels", fmt.Sprintf("the source has %d×%d = %d px, the limit is %d px",
			src.Width, src.Height, px, lim.SourcePixels))
	}
	return nil
}

// checkPlan refuses what would cost too much.
func (lim Limits) checkPlan(p Plan) error {
	if err := lim.checkFrames(p); err != nil {
		return err
	}
	if lim.OutputSide > 0 && max(p.Width, p.Height) > lim.OutputSide {
		return Unprocessable("too_many_pixels", fmt.Sprintf("the result would have %d×%d px, the limit is %d px a side",
			p.Width, p.Height, lim.OutputSide))
	}
	if px := max(int64(p.Width)*int64(p.Height), int64(p.Scaled.X)*int64(p.Scaled.Y)); lim.OutputPixels > 0 && px > int64(lim.OutputPixels) {
		return Unprocessable("too_many_pixels", fmt.Sprintf("scaled, the picture would have %d px, the limit is %d px", px, lim.OutputPixels))
	}
	if lim.Memory > 0 && p.Memory > lim.Memory {
		return Unprocessable("too_many_pixels", fmt.Sprintf("needs %d MiB, budget %d MiB", (p.Memory+1<<20-1)>>20, lim.Memory>>20))
	}
	return nil
}

// checkFrames bounds an animation, before and after scaling.
func (lim Limits) checkFrames(p Plan) error {
	if !p.Animated() {
		return nil
	}
	if lim.Frames > 0 && p.Frames > lim.Frames {
		return Unprocessable("too_many_frames", fmt.Sprintf("the animation has %d frames, the limit is %d", p.Frames, lim.Frames))
	}
	frame := max(int64(p.Source.Width)*int64(p.Source.Height), int64(p.Width)*int64(p.Height))
	if px := int64(p.Frames) * frame; lim.AnimationPixels > 0 && px > int64(lim.AnimationPixels) {
		return Unprocessable("too_many_pixels", fmt.Sprintf("%d frames have %d px, the limit is %d px",
			p.Frames, px, lim.AnimationPixels))
	}
	return nil
}
