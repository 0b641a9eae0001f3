package resize

// svgElement reports whether an element may stay. What animates, scripts, links, loads or embeds another
// language is not among them, nor is feMorphology: 4 MP of it take 8 s.
func svgElement(name string) bool {
	switch name {
	case "svg", "g", "defs", "symbol", "use", "a", "switch", "title", "desc", "style",
		"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image",
		"text", "tspan", "textPath",
		"linearGradient", "radialGradient", "stop", "pattern", "clipPath", "mask", "marker", "filter",
		"feBlend", "feColorMatrix", "feComponentTransfer", "feComposite", "feConvolveMatrix", "feDiffuseLighting",
		"feDisplacementMap", "feDistantLight", "feDropShadow", "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR",
		"feGaussianBlur", "feMerge", "feMergeNode", "feOffset", "fePointLight", "feSpecularLighting",
		"feSpotLight", "feTile", "feTurbulence":
		return true
	default:
		return false
	}
}

// svgAttribute reports whether an attribute without namespace may stay, href aside.
func svgAttribute(name string) bool {
	switch name {
	case "id", "class", "style", "version", "baseProfile", "transform", "viewBox", "preserveAspectRatio", "lang",
		"systemLanguage", "requiredFeatures",
		// geometry
		"x", "y", "z", "width", "height", "cx", "cy", "r", "rx", "ry", "x1", "y1", "x2", "y2", "d", "points", "pathLength",
		"dx", "dy", "rotate", "textLength", "lengthAdjust", "startOffset", "method", "spacing", "side",
		// gradients, patterns, clips, masks, markers
		"fx", "fy", "fr", "offset", "gradientUnits", "gradientTransform", "spreadMethod", "patternUnits",
		"patternContentUnits", "patternTransform", "clipPathUnits", "maskUnits", "maskContentUnits", "markerUnits",
		"markerWidth", "markerHeight", "refX", "refY", "orient",
		// filters
		"filterUnits", "primitiveUnits", "in", "in2", "result", "mode", "type", "values", "tableValues", "slope",
		"intercept", "amplitude", "exponent", "operator", "k1", "k2", "k3", "k4", "order", "kernelMatrix", "divisor",
		"bias", "targetX", "targetY", "edgeMode", "preserveAlpha", "kernelUnitLength", "surfaceScale", "diffuseConstant",
		"specularConstant", "specularExponent", "limitingConeAngle", "pointsAtX", "pointsAtY", "pointsAtZ", "azimuth",
		"elevation", "scale", "xChannelSelector", "yChannelSelector", "stdDeviation", "radius", "baseFrequency",
		"numOctaves", "seed", "stitchTiles",
		// presentation (SVG 2, 6.6)
		"alignment-baseline", "baseline-shift", "clip", "clip-path", "clip-rule", "color", "color-interpolation",
		"color-interpolation-filters", "color-rendering", "direction", "display", "dominant-baseline",
		"enable-background", "fill", "fill-opacity", "fill-rule", "filter", "flood-color", "flood-opacity", "font",
		"font-family", "font-size", "font-size-adjust", "font-stretch", "font-style", "font-variant", "font-weight",
		"glyph-orientation-horizontal", "glyph-orientation-vertical", "image-rendering", "isolation", "kerning",
		"letter-spacing", "lighting-color", "marker", "marker-end", "marker-mid", "marker-start", "mask", "mask-type",
		"mix-blend-mode", "opacity", "overflow", "paint-order", "shape-rendering", "stop-color", "stop-opacity", "stroke",
		"stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
		"stroke-opacity", "stroke-width", "text-anchor", "text-decoration", "text-rendering", "unicode-bidi",
		"vector-effect", "visibility", "white-space", "word-spacing", "writing-mode":
		return true
	default:
		return false
	}
}
