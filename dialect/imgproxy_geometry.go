package dialect

import (
	"github.com/imgedge/imgedge/resize"
)

func applyResize(w *imgproxyWish, name string, args []string) error {
	if err := applyResizingType(w, name, args[:1]); err != nil {
		return err
	}
	if len(args) == 1 {
		return nil
	}
	return applySize(w, name, args[1:])
}

func applySize(w *imgproxyWish, name string, args []string) error {
	if err := whole(name, args[0], 0, maxImgproxySide, &w.o.Width); err != nil {
		return err
	}
	if err := whole(name, argument(args, 1), 0, maxImgproxySide, &w.o.Height); err != nil {
		return err
	}
	truth(argument(args, 2), &w.o.Enlarge)
	if len(args) < 4 || args[3] == "" {
		return nil
	}
	return applyExtend(w, name, args[3:])
}

func applyResizingType(w *imgproxyWish, name string, args []string) error {
	switch args[0] {
	case "":
	case "fit":
		w.o.Fit = resize.FitContain
	case "fill":
		w.o.Fit = resize.FitCover
	case "fill-down":
		w.o.Fit = resize.FitCoverDown
	case "force":
		w.o.Fit = resize.FitStretch
	case "auto":
		w.o.Fit = resize.FitAuto
	default:
		return badArgument(name, args[0], "fit, fill, fill-down, force, auto")
	}
	return nil
}

func applyZoom(w *imgproxyWish, name string, args []string) error {
	const least, most = 0.01, 20
	if err := real64(name, args[0], least, most, &w.zoomX); err != nil {
		return err
	}
	w.zoomY = w.zoomX
	return real64(name, argument(args, 1), least, most, &w.zoomY)
}

func applyExtend(w *imgproxyWish, name string, args []string) error {
	truth(args[0], &w.extend)
	return extendGravity(&w.extendAt, name, args)
}

func applyExtendRatio(w *imgproxyWish, name string, args []string) error {
	truth(args[0], &w.extendRatio)
	return extendGravity(&w.ratioAt, name, args)
}

func extendGravity(g *imgproxyGravity, name string, args []string) error {
	if len(args) < 2 || args[1] == "" {
		return nil
	}
	return g.parse(name, args[1:], false)
}

func applyGravity(w *imgproxyWish, name string, args []string) error {
	return w.gravity.parse(name, args, true)
}

func applyCrop(w *imgproxyWish, name string, args []string) error {
	const most = 1_000_000 // px
	if err := real64(name, args[0], 0, most, &w.cropW); err != nil {
		return err
	}
	if err := real64(name, argument(args, 1), 0, most, &w.cropH); err != nil {
		return err
	}
	if len(args) < 3 || args[2] == "" {
		return nil
	}
	return w.cropGravity.parse(name, args[2:], true)
}

func applyCropRatio(w *imgproxyWish, name string, args []string) error {
	if err := real64(name, args[0], 0, 10000, &w.cropRatio); err != nil {
		return err
	}
	if w.cropRatio > 0 && w.cropRatio < 0.0001 {
		return badArgument(name, args[0], "0, or a number from 0.0001 to 10000")
	}
	truth(argument(args, 1), &w.o.RatioGrows)
	return nil
}

func applyTrim(w *imgproxyWish, name string, args []string) error {
	w.trim = args[0] != ""
	if err := real64(name, args[0], 0, 255, &w.threshold); err != nil {
		return err
	}
	w.o.TrimColor = resize.TrimColor{}
	if color := argument(args, 1); color != "" {
		c, err := hexColor(name, color)
		if err != nil {
			return err
		}
		w.o.TrimColor = resize.TrimColor{Given: true, Color: c}
	}
	horizontal := w.o.TrimEqual == resize.TrimEqualHorizontal || w.o.TrimEqual == resize.TrimEqualBoth
	vertical := w.o.TrimEqual == resize.TrimEqualVertical || w.o.TrimEqual == resize.TrimEqualBoth
	truth(argument(args, 2), &horizontal)
	truth(argument(args, 3), &vertical)
	w.o.TrimEqual = trimEqual(horizontal, vertical)
	return nil
}

func trimEqual(horizontal, vertical bool) resize.TrimEqual {
	switch {
	case horizontal && vertical:
		return resize.TrimEqualBoth
	case horizontal:
		return resize.TrimEqualHorizontal
	case vertical:
		return resize.TrimEqualVertical
	default:
		return resize.TrimFree
	}
}

// applyPadding reads the sides as in CSS: what is left out is what the opposite side, or the top, has.
func applyPadding(w *imgproxyWish, name string, args []string) error {
	p := &w.o.Pad
	if err := whole(name, args[0], 0, maxImgproxySide, &p.Top); err != nil {
		return err
	}
	p.Right, p.Bottom = p.Top, p.Top
	if err := whole(name, argument(args, 1), 0, maxImgproxySide, &p.Right); err != nil {
		return err
	}
	if err := whole(name, argument(args, 2), 0, maxImgproxySide, &p.Bottom); err != nil {
		return err
	}
	p.Left = p.Right
	return whole(name, argument(args, 3), 0, maxImgproxySide, &p.Left)
}

func applyAutoRotate(w *imgproxyWish, _ string, args []string) error {
	truth(args[0], &w.orient)
	w.orientGiven = w.orientGiven || args[0] != ""
	return nil
}

func applyRotate(w *imgproxyWish, name string, args []string) error {
	angle := int(w.o.Rotate)
	if err := whole(name, args[0], -1_000_000, 1_000_000, &angle); err != nil {
		return err
	}
	if angle%90 != 0 {
		return badArgument(name, args[0], "multiples of 90")
	}
	w.o.Rotate = float64((angle%360 + 360) % 360)
	return nil
}

func applyFlip(w *imgproxyWish, _ string, args []string) error {
	truth(args[0], &w.o.FlipH)
	truth(argument(args, 1), &w.o.FlipV)
	return nil
}
