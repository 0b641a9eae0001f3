package resize

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What is put together from pieces is what the same steps give on a copy.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := append(make([]byte, 0, 300), rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "data")...)
		p := pieces{whole: data}
		var want []byte
		for range rapid.IntRange(0, 8).Draw(t, "kept") {
			from := rapid.IntRange(0, len(data)).Draw(t, "from")
			to := rapid.IntRange(from, len(data)).Draw(t, "to")
			p.keep(data[from:to])
			want = append(want, data[from:to]...)
		}
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(want)).Draw(t, "at")
			if rapid.Bool().Draw(t, "insert") {
				p.insert(at, []byte("new"))
				want = slices.Insert(want, at, []byte("new")...)
				continue
			}
			n := rapid.IntRange(0, 10).Draw(t, "n")
			mine := p.own(at, n)
			if ours := want[at:min(at+n, len(want))]; !bytes.Equal(mine, ours) {
				t.Fatalf("own(%d, %d) = %x, want %x", at, n, mine, ours)
			}
			for i := range mine {
				mine[i] ^= 0xFF
				want[at+i] ^= 0xFF
			}
		}
		if got := p.join(); !bytes.Equal(got, want) || p.size() != len(want) {
			t.Fatalf("joined %x of %d bytes, want %x", got, p.size(), want)
		}
	})
}

// A picture whose metadata lies around it is one piece of the original: nothing is copied.
func TestCleanPiecesCopyNothing(t *testing.T) {
	for _, s := range stripSamples(t) {
		list, ok := CleanPieces(s.full, s.format, 1)
		if !ok {
			t.Fatalf("%s is not understood", s.format)
		}
		copied := 0
		for _, p := range list {
			copied += len(p.New)
		}
		if copied > 64 {
			t.Errorf("%s: %d bytes in %d pieces are copies", s.format, copied, len(list))
		}
	}
}

// A file that alternates blocks of picture and metadata costs no more pieces than any other.
func TestManyPieces(t *testing.T) {
	gif := []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00")
	want := slices.Clone(gif)
	for range 3 * maxPieces {
		gif = append(gif, 0x21, 0xF9, 0, 0x21, 0xFE, 0)
		want = append(want, 0x21, 0xF9, 0)
	}
	gif, want = append(gif, 0x3B), append(want, 0x3B)
	list, ok := CleanPieces(gif, FormatGIF, 1)
	if !ok || len(list) > maxPieces {
		t.Fatalf("%d pieces, %t", len(list), ok)
	}
	if got, _ := Clean(gif, FormatGIF, 1); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}
