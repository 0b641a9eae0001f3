package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // bad usage or configuration
)

// Program is one run of the command line: what it reads and where it writes.
type Program struct {
	Environ []string // KEY=value
	Stdout  io.Writer
	Stderr  io.Writer
}

// commands is the command line, read by kong; each command is one file.
type commands struct {
	Serve         serveCommand         `cmd:"" help:"Serve pictures."`
	Sign          signCommand          `cmd:"" help:"Print signed URLs."`
	Verify        verifyCommand        `cmd:"" help:"Check the signature of a URL."`
	Explain       explainCommand       `cmd:"" help:"Say what a URL means."`
	Convert       convertCommand       `cmd:"" help:"Make one picture from one file, as the server would."`
	ConvertConfig convertConfigCommand `cmd:"" name:"convert-config" help:"Turn imgproxy's variables into a configuration."`
	Purge         purgeCommand         `cmd:"" help:"Forget cached pictures on every node."`
	Warm          warmCommand          `cmd:"" help:"Make pictures before somebody asks for them."`
	Jobs          jobsCommand          `cmd:"" help:"Batches of pictures on a running server."`
	GC            gcCommand            `cmd:"" name:"gc" help:"Remove what broken uploads have left in the bucket."`
	Doctor        doctorCommand        `cmd:"" help:"Check configuration, libvips, Redis and sources."`
	Config        configCommand        `cmd:"" help:"Check, show or describe the configuration."`
	Version       versionCommand       `cmd:"" help:"Print the version."`
	Worker        workerCommand        `cmd:"" hidden:"" help:"Render for a server; started by it."`
}

// configFlag is embedded by every command that reads the configuration.
type configFlag struct {
	Config string `placeholder:"FILE" help:"Configuration file (EDGE_CONFIG)."`
}

// load reads the configuration of a command; flags say more than the file and the environment.
func (f configFlag) load(p *Program, flags Overrides) (*Config, error) {
	file := f.Config
	if file == "" {
		file = p.getenv(envConfig)
	}
	return Load(file, p.Environ, flags)
}

// usageError is bad usage that kong cannot see.
type usageError string

// Error returns the text.
func (e usageError) Error() string { return string(e) }

// Run does what args (without the program's name) say and returns the exit code.
func (p *Program) Run(ctx context.Context, args []string) int {
	var cli commands
	helped := false
	parser, err := kong.New(&cli,
		kong.Name("edge"),
		kong.Description("An image edge: signed URL in, picture out."),
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(int) { helped = true }), // called by --help alone
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		return p.fail(err)
	}
	if len(args) == 0 {
		return p.usage(parser)
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(p.Stderr, "edge: %v\nedge --help lists the commands, edge COMMAND --help its flags.\n", err)
		return exitUsage
	}
	if err := parsed.Run(); err != nil {
		return p.fail(err)
	}
	return exitOK
}

// usage prints the list of commands on stderr.
func (p *Program) usage(parser *kong.Kong) int {
	parser.Stdout = p.Stderr
	trace, err := kong.Trace(parser, nil)
	if err == nil {
		err = trace.PrintUsage(false)
	}
	if err != nil {
		_, _ = fmt.Fprintln(p.Stderr, "edge:", err)
	}
	return exitUsage
}

// fail prints an error and returns the code that belongs to it.
func (p *Program) fail(err error) int {
	var problems ConfigErrors
	if errors.As(err, &problems) {
		_, _ = fmt.Fprintln(p.Stderr, problems.Error())
		return exitUsage
	}
	_, _ = fmt.Fprintln(p.Stderr, "edge:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// getenv returns a variable, "" if it is not set.
func (p *Program) getenv(name string) string {
	for _, entry := range p.Environ {
		if len(entry) > len(name) && entry[len(name)] == '=' && entry[:len(name)] == name {
			return entry[len(name)+1:]
		}
	}
	return ""
}

// printf writes to stdout; a reader that has gone is noticed by nobody.
func (p *Program) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Stdout, format, args...)
}
