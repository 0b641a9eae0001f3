// Command edge is the image edge: `edge serve` answers signed URLs with pictures, the other commands
// sign, explain, convert, purge and check.
package main

import (
	"context"
	"os"
)

func main() {
	p := &Program{Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(p.Run(context.Background(), os.Args[1:]))
}
