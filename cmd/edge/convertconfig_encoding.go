package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// convertQuality is for the formats that have no quality of their own: JPEG.
func convertQuality(c *conversion, _, value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 || n > 100 {
		return errNumber
	}
	c.byDefault("fq", "jpeg", value)
	return nil
}

func convertQualities(c *conversion, name, value string) error {
	var pairs []string
	for _, pair := range splitList(value, ",") {
		format, quality, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(quality)
		if err != nil || n < 0 || n > 100 {
			return errNumber
		}
		if slices.Contains([]string{"jpeg", "jpg", "webp", "avif", "jxl"}, format) {
			pairs = append(pairs, format, quality)
		} else {
			c.lose(name, format+" has no quality here")
		}
	}
	if len(pairs) > 0 {
		c.byDefault("fq", pairs...)
	}
	return nil
}

func convertWebP(c *conversion, _, value string) error {
	if value != "lossy" {
		c.byDefault("webpo", value)
	}
	return nil
}

func convertAutoquality(c *conversion, name, value string) error {
	switch value {
	case "none":
	case "dssim":
		c.byDefault("aq", value)
	case "size":
		if target := c.vars["IMGPROXY_AUTOQUALITY_TARGET"]; target != "" {
			c.byDefault("aq", value, target)
		}
	default:
		c.differ(name, "the quality is the lowest that reaches render.ssim, whatever the method")
		c.byDefault("aq", "dssim")
	}
	return nil
}

// convertTarget turns a dissimilarity of 1/SSIM − 1 into the similarity.
func convertTarget(c *conversion, name, value string) error {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || v < 0 {
		return errNumber
	}
	switch c.vars["IMGPROXY_AUTOQUALITY_METHOD"] {
	case "dssim":
		c.root.set(strconv.FormatFloat(math.Round(1e4/(1+v))/1e4, 'f', -1, 64), "render", "ssim")
		c.differ(name, "the similarity is that of the luma")
	case "size":
	default:
		c.lose(name, "render.ssim says what is aimed at")
	}
	return nil
}

// convertAccept lists the formats that are negotiated, in imgproxy's order.
func convertAccept(c *conversion, _, _ string) error {
	var formats []string
	for _, f := range []string{"jxl", "avif", "webp"} {
		if upper := strings.ToUpper(f); c.truth("IMGPROXY_AUTO_"+upper) || c.truth("IMGPROXY_ENFORCE_"+upper) {
			formats = append(formats, f)
		}
	}
	if len(formats) > 0 {
		c.mount.set("true", "auto_format")
		c.eachSource(yamlList(formats), "accept")
	}
	return nil
}

func convertEnforced(c *conversion, name, value string) error {
	if isTrue(value) {
		c.differ(name, "a format in the URL stands; only where there is none the client's formats count")
	}
	return convertAccept(c, name, value)
}

func convertPreferred(c *conversion, name, value string) error {
	var formats []string
	for _, f := range splitList(value, ",") {
		if slices.Contains([]string{"jpg", "jpeg", "png", "gif", "webp", "avif", "jxl", "tiff"}, f) {
			formats = append(formats, f)
		} else {
			c.lose(name, f+" is not made here")
		}
	}
	if len(formats) > 0 {
		c.mount.set(yamlList(formats), "preferred_formats")
		c.differ(name, "a source in one of these formats keeps it, any other becomes JPEG, PNG or GIF, whatever the order")
	}
	return nil
}

func convertSkipped(c *conversion, _, value string) error {
	if formats := splitList(value, ","); len(formats) > 0 {
		c.byDefault("skp", formats...)
	}
	return nil
}

func convertAutoRotate(c *conversion, _, value string) error {
	if !isTrue(value) {
		c.mount.set("false", "respect_orientation")
	}
	return nil
}
