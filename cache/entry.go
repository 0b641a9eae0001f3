package cache

// AppendEntry appends the wire form of e under key.
func AppendEntry(dst []byte, key Key, e *Entry) []byte { panic("stub") }

// DecodeEntry reads what AppendEntry wrote.
func DecodeEntry(key Key, data []byte) (*Entry, error) { panic("stub") }
