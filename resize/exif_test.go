package resize

import (
	"encoding/binary"
	"strings"
	"testing"
)

// exifSample is an entry to write.
type exifSample struct {
	tag, kind uint16
	count     uint32
	data      string
}

// exifBlock writes an EXIF block of two directories.
func exifBlock(order binary.AppendByteOrder, first, sub []exifSample) []byte {
	b := []byte("Exif\x00\x00II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("Exif\x00\x00MM\x00*")
	}
	const head = 6
	b = order.AppendUint32(b, 8)
	values := 8 + 2 + 12*(len(first)+1) + 4 + 2 + 12*len(sub) + 4
	var tail []byte
	write := func(all []exifSample) {
		for _, e := range all {
			b = order.AppendUint16(b, e.tag)
			b = order.AppendUint16(b, e.kind)
			b = order.AppendUint32(b, e.count)
			if len(e.data) <= 4 {
				b = append(b, (e.data + "\x00\x00\x00\x00")[:4]...)
				continue
			}
			b = order.AppendUint32(b, uint32(values+len(tail)))
			tail = append(tail, e.data...)
		}
	}
	b = order.AppendUint16(b, uint16(len(first)+1))
	write(first)
	b = order.AppendUint16(b, 0x8769)
	b = order.AppendUint16(b, 4)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint32(b, uint32(len(b)+8-head))
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, uint16(len(sub)))
	write(sub)
	b = order.AppendUint32(b, 0)
	return append(b, tail...)
}

func TestReadEXIF(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		ratio := func(n, d int32) string {
			return string(order.AppendUint32(order.AppendUint32(nil, uint32(n)), uint32(d)))
		}
		short := func(v uint16) string { return string(order.AppendUint16(nil, v)) }
		text := func(tag uint16, s string) exifSample { return exifSample{tag, 2, uint32(len(s)), s} }
		block := exifBlock(order, []exifSample{
			text(0x010F, "Canon\x00\x00\x00"), text(0x0110, "EOS (5D), ASCII, 3\x00"), text(0x013B, "Ada\x00"),
			text(0x8298, "Ada Ltd\x00Editor & Co\x00"), text(0x010E, strings.Repeat("x", 300)),
			{0x0132, 2, 1 << 30, ""},
			{0x8825, 4, 1, "\x00\x00\x00\x00"},
		}, []exifSample{
			{0x829A, 5, 1, ratio(5, 300)},
			{0x829D, 5, 1, ratio(45, 10)},
			{0x920A, 5, 1, ratio(70, 1)},
			{0x8827, 3, 1, short(200)},
			{0x9204, 10, 1, ratio(-1, 3)},
			{0x9209, 3, 1, short(16)},
			{0xA434, 2, 3, "f\xff\x00"},
			{0x9207, 5, 1, ratio(1, 0)},
		})
		var got []string
		for _, tag := range ReadEXIF(block) {
			got = append(got, tag.Name+"="+tag.Value)
		}
		want := []string{
			"Make=Canon", "Model=EOS (5D), ASCII, 3", "Artist=Ada", "Copyright=Ada Ltd, Editor & Co",
			"ImageDescription=" + strings.Repeat("x", 256), "ExposureTime=1/60", "FNumber=4.5", "ISOSpeedRatings=200", "FocalLength=70",
			"ExposureBiasValue=-0.333", "Flash=16", "LensModel=f",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("ReadEXIF = %q, want %q", got, want)
		}
		for cut := range block { // whatever is missing, what is left is read or not, without a panic
			_ = ReadEXIF(block[:cut])
		}
	}
	for _, block := range []string{"", "Exif\x00\x00", "II*\x00", "XX*\x00\x08\x00\x00\x00", "II*\x00\xff\xff\xff\xff"} {
		if tags := ReadEXIF([]byte(block)); tags != nil {
			t.Errorf("ReadEXIF(%q) = %v", block, tags)
		}
	}
}

func FuzzReadEXIF(f *testing.F) {
	f.Add(exifBlock(binary.LittleEndian, []exifSample{{0x010F, 2, 6, "Canon\x00"}}, []exifSample{{0x829D, 5, 1, "12345678"}}))
	f.Add(exifBlock(binary.BigEndian, []exifSample{{0x8298, 2, 6, "a\x00b\x00c\x00"}}, nil))
	f.Fuzz(func(t *testing.T, block []byte) {
		for _, tag := range ReadEXIF(block) {
			if tag.Value == "" || len(tag.Value) > 600 {
				t.Errorf("%s=%q", tag.Name, tag.Value)
			}
		}
	})
}
