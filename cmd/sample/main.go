// Command sample paints the gallery of sample pictures into a folder.
//
//	go run ./cmd/sample -out samples
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
	if err := sample.Write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
	for _, name := range sample.Names() {
		fmt.Println(filepath.Join(*out, name))
	}
}
