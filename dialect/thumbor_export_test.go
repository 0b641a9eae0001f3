package dialect

// Wish is Request for what cannot be rendered yet, too.
func (m *ThumborMount) Wish(e ThumborEnvelope, signed string) (Request, error) {
	return m.wish(e, signed)
}
