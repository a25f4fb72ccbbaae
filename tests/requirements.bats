#!/usr/bin/env bats
# What a client of registries must do has a number, and each number a test
# whose name begins with it.
load helpers/common

required='
names and digests: 1 2 3 4 5 6 8
transport: 9 10 11 12 14 15 16 17 18 19 20 21 22
access: 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50
manifests: 51 52 53 54 55 56 57 58 59 60 61 62 63 64 67 68 70
platforms: 71 72 73 74 75
blobs: 76 77 78 79 80 81 82 83 84 85
redirects: 86 87 88 89 90 91 92 93 94
retries: 95 96 97 98 99 100 101 102
going on: 103 104 105 106 107 108 109
connections: 110 111 112 113 114 115
'

@test "each requirement has a test" {
	sed -n 's/^@test "R\([0-9]*\) .*/\1/p' "${OCCY_SRCDIR:?}"/tests/*.bats | sort -u >tested
	grep -oE '[0-9]+' <<<"$required" | sort -u >wanted
	[ "$(wc -l <wanted)" = 109 ]
	diff wanted tested
}

@test "each file of tests is run" {
	sed -n "s/^  '\([a-z-]*\)': [0-9]*,$/\1/p" "$OCCY_SRCDIR/tests/meson.build" | sort >run
	for file in "$OCCY_SRCDIR"/tests/*.bats; do
		basename "$file" .bats
	done | sort >files
	diff files run
}
