package dialect

import (
	"math"
	"strconv"
	"strings"
)

// filterInt reads a whole number; decimals of 0 are none.
func filterInt(name, s string, low, high int) (int, error) {
	v, ok := plainDecimal(s)
	if !ok || v != math.Trunc(v) || v < float64(low) || v > float64(high) {
		return 0, badFilter(name, s, "a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	return int(v), nil
}

func filterDecimal(name, s string, low, high float64) (float64, error) {
	v, ok := plainDecimal(s)
	if !ok || v < low || v > high {
		return 0, badFilter(name, s, "a number from "+decimalText(low)+" to "+decimalText(high))
	}
	return v, nil
}

// plainDecimal reads -?digits, with a point anywhere, and no exponents. −0 is 0.
func plainDecimal(s string) (float64, bool) {
	const longest = 32
	digits := strings.Replace(strings.TrimPrefix(s, "-"), ".", "", 1)
	if len(s) > longest || !digitsOnly(digits) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v + 0, err == nil
}

func filterBool(name, s string) (bool, error) {
	switch s {
	case "true", "True", "1":
		return true, nil
	case "false", "False", "0", "":
		return false, nil
	default:
		return false, badFilter(name, s, "true, false, 1 and 0")
	}
}

func counted(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return strconv.Itoa(n) + " arguments"
}

func between(least, most int) string {
	if least == most {
		return strconv.Itoa(least)
	}
	return strconv.Itoa(least) + " to " + strconv.Itoa(most)
}
