package libvips

import (
	"bytes"
	"encoding/xml"
	"strings"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// kept is the metadata that goes into the result. It is taken from the source before the px are
// worked on, as a picture that was computed into memory has none.
type kept struct {
	artist, copyright string // EXIF
	xmp               []byte // an XMP packet with dc:rights alone
}

// keepMetadata takes what meta=copyright keeps, which meta=all keeps too.
func (p *picture) keepMetadata() {
	if p.plan.Metadata == resize.MetadataNone {
		return
	}
	for _, field := range p.ref.GetFields() {
		switch field {
		case exifField:
			p.kept.author(resize.ReadEXIF(p.ref.GetBlob(field)))
		case xmpField:
			p.kept.xmp = rightsPacket(p.ref.GetBlob(field))
		}
	}
}

// author takes the author's tags.
func (k *kept) author(tags []resize.Tag) {
	for _, tag := range tags {
		switch tag.Name {
		case "Artist":
			k.artist = tag.Value
		case "Copyright":
			k.copyright = tag.Value
		}
	}
}

// libvips' names of metadata.
const (
	exifArtist    = "exif-ifd0-Artist"
	exifCopyright = "exif-ifd0-Copyright"
	exifField     = "exif-data"
	xmpField      = "xmp-data"
	iccField      = "icc-profile-data"
)

// bare reports whether the result carries no metadata and no profile.
func (p *picture) bare() bool { return p.profile == nil && p.keepsNothing() }

// keepsNothing reports whether the result carries no metadata.
func (p *picture) keepsNothing() bool {
	none := p.kept.artist == "" && p.kept.copyright == "" && p.kept.xmp == nil
	return p.plan.Metadata != resize.MetadataAll && none
}

// dress gives the finished picture its metadata and profile, and nothing else.
func (p *picture) dress() error {
	switch {
	case p.bare():
		return nil
	case p.plan.Metadata == resize.MetadataAll:
		return p.dressAll()
	case p.plan.Animated():
		return nil // frames have no metadata of their own
	}
	pixels, err := p.ref.ToBytes()
	if err != nil {
		return err
	}
	next, err := vips.NewImageFromMemory(pixels, p.ref.Width(), p.ref.Height(), p.ref.Bands(), p.ref.BandFormat(), p.ref.Interpretation())
	if err != nil {
		return err
	}
	p.replace(next)
	return p.pin()
}

// pin writes the kept fields into a picture of our own making.
func (p *picture) pin() error {
	// In the order of EXIF's tags, always: equal requests get equal bytes.
	for _, field := range []struct{ name, value string }{{exifArtist, p.kept.artist}, {exifCopyright, p.kept.copyright}} {
		if field.value != "" {
			p.ref.SetString(field.name, field.value+" (imgedge)") // libvips drops what stands in the last brackets
		}
	}
	p.ref.SetBlob(xmpField, p.kept.xmp)
	p.ref.SetBlob(iccField, p.profile)
	if p.plan.Format != resize.FormatPNG || p.kept.artist+p.kept.copyright == "" {
		return nil
	}
	// For PNG libvips changes EXIF that is there, but makes none.
	e, err := p.extra()
	p.ref.SetBlob(exifField, e.exif)
	return err
}

// dressAll lays the px over a header of the source: libvips gives the sum of two pictures the metadata
// of the first, and never asks for the first one's px where the second covers it.
func (p *picture) dressAll() error {
	header, err := vips.LoadImageFromBuffer(p.data, importParams(p.plan.Source.Format, p.plan.Page, 1))
	if err != nil {
		return err
	}
	defer header.Close()
	if err := header.SetPageHeight(header.Height()); err != nil {
		return err
	}
	if err := header.ExtractArea(0, 0, 1, 1); err != nil {
		return err
	}
	if err := header.ExtractBand(0, 1); err != nil {
		return err
	}
	if err := header.Cast(vips.BandFormatUchar); err != nil {
		return err
	}
	next, err := header.CopyChangingInterpretation(p.ref.Interpretation())
	if err != nil {
		return err
	}
	if err := p.dressed(next); err != nil {
		next.Close()
		return err
	}
	p.replace(next)
	return nil
}

// dressed makes next the picture with its own metadata, corrected for what has become of the px.
func (p *picture) dressed(next *vips.ImageRef) error {
	if err := next.Insert(p.ref, 0, 0, true, nil); err != nil {
		return err
	}
	if err := next.RemoveICCProfile(); err != nil {
		return err
	}
	next.SetBlob(iccField, p.profile)
	if err := next.SetOrientation(p.plan.Orientation); err != nil {
		return err
	}
	if err := next.SetPageHeight(p.ref.PageHeight()); err != nil {
		return err
	}
	return next.SetPages(max(1, p.plan.Frames))
}

// carrier returns a black JPEG of the picture's size that holds the result's metadata and profile, nil
// for none.
func (p *picture) carrier() ([]byte, error) {
	if p.bare() {
		return nil, nil
	}
	black, err := vips.Black(p.plan.Width, p.plan.Height)
	if err != nil {
		return nil, err
	}
	q := &picture{plan: p.plan, data: p.data, profile: p.profile, kept: p.kept, ref: black}
	defer q.close()
	q.plan.Format, q.plan.Quality, q.plan.Frames = resize.FormatJPEG, 50, 1
	if p.profile != nil {
		if err := q.ref.ToColorSpace(vips.InterpretationSRGB); err != nil {
			return nil, err
		}
	}
	return q.jpeg()
}

// rightsPacket reduces an XMP packet to its dc:rights, nil if it has none or cannot be read
// (XMP specification part 1, 7.9.2.5: a language alternative).
func rightsPacket(xmp []byte) []byte {
	text := rights(xmp)
	if text == "" {
		return nil
	}
	var b bytes.Buffer
	b.WriteString(`<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">` +
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:rights><rdf:Alt><rdf:li xml:lang="x-default">`)
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return nil
	}
	b.WriteString(`</rdf:li></rdf:Alt></dc:rights></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`)
	return b.Bytes()
}

// rights returns the first text inside dc:rights, at most 1 KiB of it.
func rights(xmp []byte) string {
	const most, dc = 1 << 10, "http://purl.org/dc/elements/1.1/"
	decoder := xml.NewDecoder(bytes.NewReader(xmp))
	inside := false
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			inside = inside || t.Name.Space == dc && t.Name.Local == "rights"
		case xml.EndElement:
			if t.Name.Space == dc && t.Name.Local == "rights" {
				return ""
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); inside && text != "" {
				return strings.ToValidUTF8(text[:min(len(text), most)], "")
			}
		}
	}
}
