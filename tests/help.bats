#!/usr/bin/env bats
# What every tool in $OCCY_BINDIR does alike: help, version, usage, a standard
# output that cannot be written.
load helpers/common

tools() {
	find "$OCCY_BINDIR" -maxdepth 1 -name 'occy*' -type f -executable -printf '%f\n' | sort
}

man_page() {
	echo "${OCCY_SRCDIR:?}/docs/$1.1"
}

# long_options: the --names that begin an option's line in a help text.
long_options() {
	sed -n 's/^ *\(-[A-Za-z], \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' | sort
}

@test "there are tools, and each has a man page" {
	tools >names
	[[ "$(cat names)" == *occystrap* ]]
	while read -r tool; do
		[ -f "$(man_page "$tool")" ]
	done <names
}

@test "--help and -h go to standard output, with 0, within 80 columns" {
	for tool in $(tools); do
		run -0 --separate-stderr "$tool" --help
		[ -z "$stderr" ]
		[[ "$output" == "usage: $tool "* ]]
		[ "$(lines "$output" | awk 'length > 80' | wc -l)" = 0 ]
		help=$output
		run -0 --separate-stderr "$tool" -h
		[ "$output" = "$help" ]
	done
}

@test "--help and the man page list the same long options" {
	for tool in $(tools); do
		"$tool" --help | long_options >help
		[ -s help ]
		# Of the page, the list of options: .It Fl q , -quiet
		sed -n 's/^\.It Fl \([A-Za-z] , \)\{0,1\}-\([a-z0-9-]*\).*/\2/p' \
			"$(man_page "$tool")" | sort >page
		diff help page
	done
}

@test "each man page says what the statuses are, and has examples" {
	for tool in $(tools); do
		for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES; do
			[ "$(grep -cx "\.Sh $section" "$(man_page "$tool")")" = 1 ]
		done
	done
}

@test "--version and -V name the tool and the same version" {
	occystrap --version >version
	for tool in $(tools); do
		for option in --version -V; do
			run -0 --separate-stderr "$tool" "$option"
			[ -z "$stderr" ]
			[ "$output" = "$tool $(cut -d ' ' -f 2 version)" ]
		done
	done
}

@test "an unknown option is status 2, with usage on stderr only" {
	for tool in $(tools); do
		for option in --no-such-option -0; do
			run -2 --separate-stderr "$tool" "$option" </dev/null
			[ -z "$output" ]
			[ "${stderr_lines[0]}" = "$tool: unknown option $option" ]
			[[ "${stderr_lines[1]}" == "usage: $tool "* ]]
		done
	done
}

@test "standard output that cannot be written is status 9, not silence" {
	for tool in $(tools); do
		for option in --help --version; do
			run -9 --separate-stderr sh -c "'$tool' $option >/dev/full"
			[ "$stderr" = "$tool: stdout: No space left on device" ]
		done
	done
}

@test "help for a reader that has gone is no error message" {
	for tool in $(tools); do
		run -141 --separate-stderr bash -c "set -o pipefail
			{ sleep 0.2; '$tool' --help; } | sleep 0"
		[ -z "$stderr" ]
	done
}
