package resize

import (
	"encoding/binary"
	"testing"
)

func TestWebPLossless(t *testing.T) {
	chunk := func(name string, size int) string {
		return name + string(binary.LittleEndian.AppendUint32(nil, uint32(size))) + string(make([]byte, size+size%2))
	}
	const riff = "RIFF\x00\x00\x00\x00WEBP"
	for name, tt := range map[string]struct {
		data string
		want bool
	}{
		"lossy":                      {riff + chunk("VP8 ", 30), false},
		"lossless":                   {riff + chunk("VP8L", 30), true},
		"lossless behind other":      {riff + chunk("VP8X", 10) + chunk("ICCP", 31) + chunk("VP8L", 30), true},
		"lossy with lossless alpha":  {riff + chunk("VP8X", 10) + chunk("ALPH", 31) + chunk("VP8 ", 30), false},
		"name inside another":        {riff + "VP8 \x08\x00\x00\x00VP8L\x00\x00\x00\x00", false},
		"chunk that claims too much": {riff + "ICCP\xff\xff\xff\xff" + chunk("VP8L", 30), false},
		"header alone":               {riff, false},
		"nothing":                    {"", false},
	} {
		if got := WebPLossless([]byte(tt.data)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
