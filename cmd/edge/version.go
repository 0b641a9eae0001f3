package main

import (
	"runtime/debug"

	"github.com/imgedge/imgedge/resize/libvips"
)

type versionCommand struct{}

// Run prints the versions of edge, Go and libvips.
func (versionCommand) Run(p *Program) error {
	edge, goVersion := buildVersion()
	p.printf("edge %s\n%s\nlibvips %s\n", edge, goVersion, libvips.Version())
	return nil
}

// buildVersion returns the module's version, or the commit it was built from.
func buildVersion() (version, goVersion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", "unknown"
	}
	version = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = s.Value
		}
	}
	return version, info.GoVersion
}
