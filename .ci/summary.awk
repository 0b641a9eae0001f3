# Reads `go test -json`: prints the line of each package, all output of tests that fail, and every line
# that is no JSON; writes "N passed, N failed" to the file named by -v results=FILE.

function field(name,    at, rest) {
	at = index($0, "\"" name "\":\"")
	if (at == 0) return ""
	rest = substr($0, at + length(name) + 4)
	if (!match(rest, /^([^"\\]|\\.)*/)) return ""
	return substr(rest, 1, RLENGTH)
}

function plain(text) {
	gsub(/\\u003c/, "<", text)
	gsub(/\\u003e/, ">", text)
	gsub(/\\u0026/, "\\&", text)
	gsub(/\\t/, "\t", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\n/, "\n", text)
	gsub(/\\\\/, "\\", text)
	return text
}

!/^\{/ { print; fflush(); next }

{
	action = field("Action"); test = field("Test"); key = field("Package") " " test
}

action == "build-output" { printf "%s", plain(field("Output")); fflush(); next }
action == "output" && test == "" {
	line = plain(field("Output"))
	if (line ~ /^(ok|FAIL|---|panic|fatal|exit|WARNING|\?)/) { printf "%s", line; fflush() }
	next
}
action == "output" { kept[key] = kept[key] plain(field("Output")); next }
action == "pass" && test != "" { passed++; delete kept[key]; next }
action == "skip" && test != "" { skipped++; printf "%s", kept[key]; delete kept[key]; next }
action == "fail" && test != "" { failed++; printf "%s", kept[key]; fflush(); delete kept[key]; next }
action == "fail" { packages++ }

END {
	for (key in kept) printf "%s", kept[key] # a test that never ended
	if (skipped > 0) printf "%d skipped\n", skipped > results
	# A package that does not build, or whose process dies, has failed without a failed test.
	if (failed + 0 == 0) failed = packages
	if (passed + failed == 0) failed = 1 # nothing ran at all
	printf "%d passed, %d failed\n", passed, failed > results
}
