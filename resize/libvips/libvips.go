// Package libvips executes plans with libvips, through govips. It is the only cgo package.
//
//	engine, err := libvips.New(libvips.Config{})
//	source, err := engine.Probe(ctx, data)
//	plan, err := options.Plan(source, resize.DefaultLimits())
//	results, err := engine.Run(ctx, data, plan)
//
// What reaches libvips has been named by resize.Sniff and is on an allow-list: its own sniffing tries
// every loader it has and can spin for ever. Its untrusted loaders are blocked besides.
package libvips

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imgedge/imgedge/resize"
)

// Config is what an engine may do. The zero value takes the default formats and logs nothing.
type Config struct {
	// FormatsIn are the formats that sources may have; nil means
	// resize.DefaultFormatsIn. SVG and JXL are read only if named. Without JXL what was written as JXL cannot be
	// compared: q=auto is then its default quality, and f=best leaves it out unless q is given.
	FormatsIn []resize.Format

	// Targets are the similarities that q=auto and f=best reach; zero is 0.98 for every format.
	Targets Targets

	// Fonts are the families that text is set in: what the first lacks is taken from the next. nil
	// means DefaultFont. No other font of the machine is used. libvips has one list per process: the
	// first engine's counts.
	Fonts []string

	// Log receives libvips' own warnings, with texts from inside files. It may be called
	// concurrently; nil drops them. libvips has one log per process: the first engine's counts.
	Log func(message string)
}

// Engine executes plans. It may be used concurrently: every call works on one thread.
type Engine struct {
	formats []resize.Format
	targets Targets
}

// starting guards libvips, which a process starts once and never again.
var starting struct { //nolint:gochecknoglobals // libvips is one per process
	once     sync.Once
	err      error
	fonts    []string
	fontOnce sync.Once
	fontErr  error
}

// New starts libvips if this process has not yet done so: one thread a picture, no operation cache,
// untrusted loaders blocked.
func New(c Config) (*Engine, error) {
	starting.once.Do(func() { starting.err = start(c) })
	if starting.err != nil {
		return nil, fmt.Errorf("start libvips: %w", starting.err)
	}
	formats := c.FormatsIn
	if formats == nil {
		formats = resize.DefaultFormatsIn()
	}
	if err := c.Targets.check(); err != nil {
		return nil, err
	}
	targets := c.Targets
	targets.noJXL = !slices.Contains(formats, resize.FormatJXL)
	unblock(formats)
	return &Engine{formats: slices.Clone(formats), targets: targets}, nil
}

// Close gives back what the engine holds. libvips itself stays: it cannot be started a second time.
func (e *Engine) Close() error { return nil }

// nclxWarning comes with every AVIF, ours too, and means nothing to anybody.
const nclxWarning = "heifload: ignoring nclx profile"

func start(c Config) error {
	log := c.Log
	starting.fonts = slices.Clone(c.Fonts)
	if starting.fonts == nil {
		starting.fonts = []string{DefaultFont}
	}
	for name, value := range map[string]string{
		"VIPS_BLOCK_UNTRUSTED": "1",   // read by vips_init, before the first loader can be found
		"VIPS_DISC_THRESHOLD":  "64g", // no temporary files: what a picture may take is in the plan
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	vips.LoggingSettings(func(domain string, _ vips.LogLevel, message string) {
		if log != nil && message != nclxWarning {
			log(domain + ": " + message)
		}
	}, vips.LogLevelWarning)
	if err := vips.Startup(&vips.Config{ConcurrencyLevel: 1}); err != nil {
		return err
	}
	if !vips.IsTypeSupported(vips.ImageTypeJPEG) {
		return errors.New("this libvips reads no JPEG")
	}
	return nil
}

// Version returns libvips' version and the Go runtime's view of the machine it runs on.
func Version() string { return vips.Version + " " + runtime.GOOS + "/" + runtime.GOARCH }

// allow names the format of data if the engine may read it.
func (e *Engine) allow(data []byte) (resize.Format, error) {
	format := resize.Sniff(data)
	if format == resize.FormatAuto {
		return format, resize.Unsupported("not_an_image", "the source is not an image")
	}
	if !slices.Contains(e.formats, format) {
		return format, resize.Unsupported("unsupported_format", "the source's format "+format.String()+" is not accepted")
	}
	if format != resize.FormatSVG && !readable(data, format) {
		return format, resize.Unsupported("unsupported_format", "the source's kind of "+format.String()+" cannot be read")
	}
	return format, nil
}

// readable reports whether govips takes data for the same format. It looks at the first bytes again and
// would hand a file it knows under another name to another loader.
func readable(data []byte, format resize.Format) bool {
	kind := vips.DetermineImageType(data)
	switch format {
	case resize.FormatJPEG:
		return kind == vips.ImageTypeJPEG
	case resize.FormatPNG:
		return kind == vips.ImageTypePNG
	case resize.FormatGIF:
		return kind == vips.ImageTypeGIF
	case resize.FormatWebP:
		return kind == vips.ImageTypeWEBP
	case resize.FormatTIFF:
		return kind == vips.ImageTypeTIFF
	case resize.FormatAVIF, resize.FormatHEIC:
		return (kind == vips.ImageTypeHEIF || kind == vips.ImageTypeAVIF) && vips.IsTypeSupported(kind)
	case resize.FormatJXL:
		return kind == vips.ImageTypeJXL && vips.IsTypeSupported(kind)
	default:
		return false
	}
}
