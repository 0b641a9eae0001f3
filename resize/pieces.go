package resize

import (
	"bytes"
	"slices"
)

// Piece is a part of a picture that was cleaned: bytes that stand in the original, or others.
type Piece struct {
	Off, Len int    // bytes of the original; Len > 0 unless there are others
	New      []byte // others in their place; nil = those of the original
}

// Size returns the piece's length in bytes.
func (p Piece) Size() int {
	if p.New != nil {
		return len(p.New)
	}
	return p.Len
}

// bytes returns the piece's content.
func (p Piece) bytes(original []byte) []byte {
	if p.New != nil {
		return p.New
	}
	return original[p.Off : p.Off+p.Len]
}

// maxPieces bounds how many pieces a file is cut into. One that alternates small blocks of picture and metadata,
// as no camera's does, has its tail copied instead.
const maxPieces = 1024

// pieces is a file that is put together from parts of another one, without a copy.
type pieces struct {
	whole []byte // the original
	list  []Piece
}

// keep appends a slice of the original.
func (p *pieces) keep(part []byte) {
	if len(part) == 0 {
		return
	}
	off := cap(p.whole) - cap(part) // slices of one array end where it ends
	n := len(p.list)
	switch {
	case n > 0 && p.list[n-1].New == nil && p.list[n-1].Off+p.list[n-1].Len == off:
		p.list[n-1].Len += len(part)
	case n >= maxPieces:
		last := &p.list[n-1]
		if last.New == nil {
			last.New = bytes.Clone(last.bytes(p.whole))
		}
		last.New = append(last.New, part...)
	default:
		p.list = append(p.list, Piece{Off: off, Len: len(part)})
	}
}

// size returns the length of what was put together.
func (p *pieces) size() int {
	sum := 0
	for _, piece := range p.list {
		sum += piece.Size()
	}
	return sum
}

// join copies everything into one slice.
func (p *pieces) join() []byte {
	out := make([]byte, 0, p.size())
	for _, piece := range p.list {
		out = append(out, piece.bytes(p.whole)...)
	}
	return out
}

// cut returns the index of the piece that begins at a place of what was put together, cutting one in two if it
// has to.
func (p *pieces) cut(at int) int {
	for i, piece := range p.list {
		n := piece.Size()
		if at >= n {
			at -= n
			continue
		}
		if at == 0 {
			return i
		}
		first, second := Piece{Off: piece.Off, Len: at}, Piece{Off: piece.Off + at, Len: piece.Len - at}
		if piece.New != nil {
			first, second = Piece{New: piece.New[:at:at]}, Piece{New: piece.New[at:]}
		}
		p.list = slices.Replace(p.list, i, i+1, first, second)
		return i + 1
	}
	return len(p.list)
}

// insert puts other bytes in at a place.
func (p *pieces) insert(at int, part []byte) {
	p.list = slices.Insert(p.list, p.cut(at), Piece{New: part})
}

// own returns n bytes from a place on, or what there is of them, to be changed.
func (p *pieces) own(at, n int) []byte {
	from := p.cut(at)
	to := p.cut(at + n)
	part := pieces{whole: p.whole, list: p.list[from:to]}
	mine := part.join()
	if len(mine) > 0 {
		p.list = slices.Replace(p.list, from, to, Piece{New: mine})
	}
	return mine
}
