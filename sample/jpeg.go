package sample

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
)

// Markers of JPEG (ITU T.81, table B.1).
const (
	markerSOF0  = 0xc0
	markerDHT   = 0xc4
	markerSOI   = 0xd8
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDQT   = 0xdb
	markerAPP1  = 0xe1
	markerAPP2  = 0xe2
	markerAPP14 = 0xee
)

// JPEG encodes img and puts the metadata where cameras do. img may be gray. Sides over 65,535 px are an error.
func JPEG(img image.Image, m Meta) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: cmp.Or(m.Quality, 90)}); err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	plain := b.Bytes()
	out := append(make([]byte, 0, len(plain)+len(m.ICC)+1024), 0xff, markerSOI)
	if data := m.exif(); data != nil {
		out = segment(out, markerAPP1, append([]byte("Exif\x00\x00"), data...))
	}
	out = appendICC(out, m.ICC)
	return append(out, plain[2:]...), nil
}

// appendICC writes a profile in as many segments as it needs (ICC.1:2001-04, annex B.4).
func appendICC(out, profile []byte) []byte {
	const room = 65519
	total := (len(profile) + room - 1) / room
	for i := range total {
		part := profile[i*room : min((i+1)*room, len(profile))]
		head := append([]byte("ICC_PROFILE\x00"), byte(i+1), byte(total))
		out = segment(out, markerAPP2, append(head, part...))
	}
	return out
}

func segment(out []byte, marker byte, data []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(data)+2))
	return append(out, data...)
}
