//go:build race

package libvips_test

// detectorKiB is what of a peak the race detector may have added: its notes on memory that Go touches.
func detectorKiB(grown int) int { return 16<<10 + grown/2 }
