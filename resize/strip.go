package resize

// Strip is not there yet.
func Strip([]byte, Format, Metadata, bool) ([]byte, bool) { return nil, false }
