package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/imgedge/imgedge/dialect"
)

const errNumber = usageError("is no number that imgproxy takes")

// done is for what is read elsewhere.
func done(*conversion, string, string) error { return nil }

// only accepts the value that says what always holds here.
func only(value, otherwise string) converter {
	return func(c *conversion, name, given string) error {
		same := given == value
		if value == "true" || value == "false" {
			same = isTrue(given) == isTrue(value)
		}
		if !same {
			c.lose(name, otherwise)
		}
		return nil
	}
}

func textOf(setting string) converter {
	return func(c *conversion, _, value string) error {
		c.mount.set(yamlText(value), setting)
		return nil
	}
}

func truthOf(setting string) converter {
	return func(c *conversion, _, value string) error {
		if isTrue(value) {
			c.mount.set("true", setting)
		}
		return nil
	}
}

func list(setting, separator string) converter {
	return func(c *conversion, _, value string) error {
		c.mount.set(yamlList(splitList(value, separator)), setting)
		return nil
	}
}

// number is a whole number of the mount.
func number(setting string, low, high int) converter {
	return func(c *conversion, _, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return errNumber
		}
		c.mount.set(value, setting)
		return nil
	}
}

// whole is a whole number of the configuration, at least low.
func whole(low int, path ...string) converter {
	return func(c *conversion, _, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low {
			return errNumber
		}
		c.root.set(strconv.Itoa(n), path...)
		return nil
	}
}

// seconds is a time of the configuration, more than 0.
func seconds(path ...string) converter {
	return func(c *conversion, name, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return errNumber
		}
		if n == 0 {
			c.lose(name, "0 is no time here")
			return nil
		}
		c.root.set(value+"s", path...)
		return nil
	}
}

// optionIf puts an option into the default preset where the variable says so.
func optionIf(when bool, name, argument string) converter {
	return func(c *conversion, _, value string) error {
		if isTrue(value) == when {
			c.byDefault(name, argument)
		}
		return nil
	}
}

func convertBind(c *conversion, name, value string) error {
	if _, _, err := net.SplitHostPort(value); err != nil {
		c.lose(name, "the listener is a TCP port")
		return nil //nolint:nilerr // said
	}
	c.root.set(yamlText(value), "listen")
	return nil
}

func convertPrefix(c *conversion, _, value string) error {
	if value = strings.Trim(value, "/"); value != "" {
		c.mount.set(yamlText("/"+value), "prefix")
	}
	return nil
}

func convertDownloadTimeout(c *conversion, _, value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 {
		return errNumber
	}
	c.eachSource(value+"s", "timeout")
	return nil
}

func convertTTL(c *conversion, _, value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 0 {
		return errNumber
	}
	c.eachSource(value+"s", "max_age")
	return nil
}

func convertQueue(c *conversion, name, value string) error {
	if value == "0" {
		c.differ(name, "0 is no queue at all here, so the default of limits.queue stays")
		return nil
	}
	c.differ(name, "a full queue is answered 503, not 429")
	return whole(1, "limits", "queue")(c, name, value)
}

func convertUserAgent(c *conversion, _, value string) error {
	c.setHeader("User-Agent", strings.ReplaceAll(value, "/%current_version", ""))
	return nil
}

func convertRequestHeaders(c *conversion, name, value string) error {
	separator := c.vars["IMGPROXY_CUSTOM_HEADERS_SEPARATOR"]
	if separator == "" {
		separator = `\;`
	}
	for _, header := range splitList(value, separator) {
		field, content, ok := strings.Cut(header, "=")
		if !ok {
			return fmt.Errorf("%q is no Name=value", header)
		}
		switch {
		case strings.EqualFold(field, "Accept-Encoding"), strings.EqualFold(field, "Connection"), strings.EqualFold(field, "Range"), strings.HasPrefix(strings.ToLower(field), "if-"):
			c.lose(name, field+" cannot be set")
		default:
			c.setHeader(field, content)
		}
	}
	return nil
}

// setHeader sets a header of the requests to web servers.
func (c *conversion) setHeader(field, content string) {
	if slices.Contains(c.sources, webSource) {
		c.root.set(strconv.Quote(content), "sources", webSource, "http", "headers", field)
	}
}

func convertNetworks(networks ...string) converter {
	return func(c *conversion, _, value string) error {
		if isTrue(value) && slices.Contains(c.sources, webSource) {
			c.networks = append(c.networks, networks...)
			c.root.set(yamlList(c.networks), "sources", webSource, "http", "allow_networks")
		}
		return nil
	}
}

func convertAllowOrigin(c *conversion, _, value string) error {
	c.eachSource(yamlText(value), "allow_origin")
	return nil
}

func convertMegapixels(c *conversion, _, value string) error {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || !(v > 0 && v < 1e6) {
		return errNumber
	}
	c.root.set(strconv.Itoa(int(math.Round(v*1e6))), "limits", "source_pixels")
	return nil
}

func convertFileSize(c *conversion, name, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return errNumber
	}
	if n == 0 {
		c.differ(name, "there is always a limit here; limits.source_bytes keeps its default")
		return nil
	}
	c.root.set(value+"B", "limits", "source_bytes")
	return nil
}

func convertFrames(c *conversion, name, value string) error {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 1:
		return errNumber
	case n == 1:
		c.byDefault("da", "1")
	case c.truth("IMGPROXY_ALLOW_SECURITY_OPTIONS"):
		c.byDefault("maf", value)
	default:
		c.differ(name, "an animation keeps all its frames, up to limits.frames; more are refused, not dropped")
	}
	return nil
}

func convertResult(c *conversion, name, value string) error {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil:
		return errNumber
	case n <= 0:
	case c.truth("IMGPROXY_ALLOW_SECURITY_OPTIONS"):
		c.byDefault("mrd", value)
	default:
		c.differ(name, "a larger box is refused (limits.output_side), not scaled down")
		c.root.set(strconv.Itoa(min(n, maxSide)), "limits", "output_side")
	}
	return nil
}

func convertSourceKey(c *conversion, _, value string) error {
	if key, err := hex.DecodeString(value); err != nil || !slices.Contains([]int{16, 24, 32}, len(key)) {
		return errors.New("is not 16, 24 or 32 bytes in hex")
	}
	c.mount.set(strconv.Quote(value), "source_key")
	return nil
}

func convertReplacements(c *conversion, name, value string) error {
	var good []string
	for _, text := range splitList(value, ";") {
		if _, err := dialect.ParseReplacement(text); err != nil {
			return err
		}
		good = append(good, text)
	}
	c.mount.set(yamlList(good), "replacements")
	return nil
}

func convertPresets(c *conversion, name, value string) error {
	for _, preset := range splitList(value, c.presetSeparator()) {
		key, text, ok := strings.Cut(preset, "=")
		if !ok || key == "" || text == "" {
			return fmt.Errorf("%q is no name=options", preset)
		}
		c.presets[strings.TrimSpace(key)] = strings.TrimSpace(text)
	}
	return nil
}

func convertWatermark(c *conversion, name, value string) error {
	image := c.picture("watermark", value)
	if image == "" {
		c.lose(name, "a watermark lies in a folder, or has an http URL without a query")
		return nil
	}
	c.mount.set(yamlText(image), "watermark")
	return nil
}

func convertFallback(c *conversion, name, value string) error {
	image := c.picture("fallback", value)
	if image == "" {
		c.lose(name, "a fallback lies in a folder, or has an http URL without a query")
		return nil
	}
	c.eachSource(yamlText(image), "fallback")
	if _, given := c.vars["IMGPROXY_FALLBACK_IMAGE_HTTP_CODE"]; !given {
		c.differ(name, "a fallback is sent with the status of the error, not 200")
	}
	return nil
}

func convertPrometheus(c *conversion, name, value string) error {
	if _, _, err := net.SplitHostPort(value); err != nil || !isLoopback(value) {
		c.lose(name, "/metrics is on the admin listener, 127.0.0.1:8081; admin.listen moves it, and elsewhere than loopback it takes a token of scope admin")
		return nil //nolint:nilerr // said
	}
	c.root.set(yamlText(value), "admin", "listen")
	return nil
}

func convertLogFormat(c *conversion, name, value string) error {
	switch value {
	case "pretty":
		c.root.set("text", "log", "format")
	case "json":
		c.root.set("json", "log", "format")
	default:
		c.differ(name, "the formats are text and json")
		c.root.set("json", "log", "format")
	}
	return nil
}

func convertLogLevel(c *conversion, name, value string) error {
	switch value {
	case "debug", "info", "warn", "error":
		c.root.set(value, "log", "level")
	case "warning":
		c.root.set("warn", "log", "level")
	default:
		c.differ(name, "the highest level is error")
		c.root.set("error", "log", "level")
	}
	return nil
}
