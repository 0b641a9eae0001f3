package check

// jxlContainer begins a JPEG XL file in boxes (ISO/IEC 18181-2); a bare codestream begins with FF 0A.
const jxlContainer = "\x00\x00\x00\x0cJXL \r\n\x87\n"

// jxlSize reads the SizeHeader of a JPEG XL codestream (ISO/IEC 18181-1, D.2).
func jxlSize(data []byte) (width, height int, err error) {
	stream := data
	if sniffed := len(data) >= len(jxlContainer) && string(data[:len(jxlContainer)]) == jxlContainer; sniffed {
		stream = inside(data, "jxlc", 0)
		if stream == nil {
			stream = inside(data, "jxlp", 4) // the first part, behind its number
		}
	}
	if len(stream) < 12 {
		return 0, 0, errNoSize
	}
	b := bits{data: stream[2:12]} // no SizeHeader is longer
	small := b.take(1) == 1
	height = b.side(small)
	ratio := b.take(3)
	if ratio == 0 {
		return b.side(small), height, nil
	}
	r := [8][2]int{{}, {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}}[ratio]
	return height * r[0] / r[1], height, nil
}

// bits reads numbers, least significant bit first.
type bits struct {
	data []byte
	at   int
}

func (b *bits) take(n int) int {
	v := 0
	for i := range n {
		v |= int(b.data[b.at/8]>>(b.at%8)&1) << i
		b.at++
	}
	return v
}

// side reads one side in px.
func (b *bits) side(small bool) int {
	if small {
		return 8 * (b.take(5) + 1)
	}
	return b.take([4]int{9, 13, 18, 30}[b.take(2)]) + 1
}
