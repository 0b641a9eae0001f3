package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"strings"
)

type convertConfigCommand struct {
	EnvFile  string   `placeholder:"FILE" help:"File of KEY=value lines that is read in place of the environment."`
	Host     string   `placeholder:"NAME" help:"Host that imgproxy is reached under. Below it its URLs stay as they are."`
	Buckets  []string `name:"bucket" placeholder:"NAME" help:"S3 bucket whose pictures are served. IMGPROXY_S3_ALLOWED_BUCKETS and IMGPROXY_ALLOWED_SOURCES name them too."`
	Keypath  string   `placeholder:"FILE" help:"As imgproxy's -keypath: hex keys, one a line."`
	Saltpath string   `placeholder:"FILE" help:"As imgproxy's -saltpath."`
	Presets  string   `placeholder:"FILE" help:"As imgproxy's -presets: name=options, one a line."`
}

// Help says what is printed.
func (c *convertConfigCommand) Help() string {
	return "Prints a configuration that serves what imgproxy serves with its IMGPROXY_ variables, which are taken from the environment or from --env-file. " +
		"What has no equivalent, or another meaning, is listed in comments at its top. The keys are in it, so mind who may read it."
}

// Run prints the configuration.
func (c *convertConfigCommand) Run(p *Program) error {
	environ := p.Environ
	if c.EnvFile != "" {
		var err error
		if environ, err = readEnvFile(c.EnvFile); err != nil {
			return err
		}
	}
	conversion := newConversion(environ, c.Host, c.Buckets)
	for _, file := range []struct{ path, name, separator string }{
		{c.Keypath, "IMGPROXY_KEY", ","},
		{c.Saltpath, "IMGPROXY_SALT", ","},
		{cmp.Or(c.Presets, conversion.vars["IMGPROXY_PRESETS_PATH"]), "IMGPROXY_PRESETS", conversion.presetSeparator()},
	} {
		if file.path == "" {
			continue
		}
		lines, err := readLines(file.path)
		if err != nil {
			return err
		}
		conversion.add(file.name, strings.Join(lines, file.separator), file.separator)
	}
	if err := conversion.run(); err != nil {
		return err
	}
	p.printf("%s", conversion.text())
	return nil
}

// readLines returns the lines of a file that are neither empty nor comments.
func readLines(path string) ([]string, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var lines []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<24) // pictures may be in it, in base64
	for scanner.Scan() {
		if line := strings.TrimSpace(scanner.Text()); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines, scanner.Err()
}

// readEnvFile reads a file of environment variables as imgproxy and docker do: KEY=value, the value bare
// or in quotes. In bare and double-quoted values $NAME and ${NAME} stand for a variable of the lines before.
func readEnvFile(path string) ([]string, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	var environ []string
	for _, line := range lines {
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%s: %q is no KEY=value", path, name)
		}
		seen[name] = envValue(strings.TrimSpace(value), seen)
		environ = append(environ, name+"="+seen[name])
	}
	return environ, nil
}

// envValue takes a value out of its quotes.
func envValue(text string, seen map[string]string) string {
	expand := func(text string) string { return os.Expand(text, func(name string) string { return seen[name] }) }
	if len(text) < 2 || text[0] != text[len(text)-1] {
		return expand(text)
	}
	switch inner := text[1 : len(text)-1]; text[0] {
	case '\'':
		return inner
	case '"':
		return expand(strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(inner))
	default:
		return expand(text)
	}
}
