// Command sample paints the gallery of sample pictures into a folder, or single pictures by name: of the
// gallery, or landscapes of any size.
//
//	go run ./cmd/sample -out samples
//	go run ./cmd/sample -out large 12000x8334.jpg 12000x8334.png
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imgedge/imgedge/sample"
)

func main() {
	out := flag.String("out", "samples", "folder to paint into; files that exist are kept")
	flag.Parse()
	names := flag.Args()
	if len(names) == 0 {
		names = sample.Names()
	}
	for _, name := range names {
		if err := sample.WriteFile(*out, name); err != nil {
			fmt.Fprintln(os.Stderr, "sample:", err)
			os.Exit(1)
		}
		fmt.Println(filepath.Join(*out, name))
	}
}
