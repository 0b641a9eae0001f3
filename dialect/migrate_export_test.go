package dialect

// ImgproxyNames returns every name of an option that the grammar knows.
func ImgproxyNames() []string {
	var names []string
	for _, option := range imgproxyOptions {
		names = append(names, option.names...)
	}
	return names
}

// ThumborNames returns every filter that the grammar knows, served or not.
func ThumborNames() []string {
	var names []string
	for _, row := range filterRows {
		names = append(names, row.name)
	}
	return append(names, refusedFilters[:]...)
}
