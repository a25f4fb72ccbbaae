#!/usr/bin/env bats
# What meson install puts where, and that it runs from there.
load helpers/common

installed() {
	DESTDIR=$PWD/dest meson install -C "${OCCY_BINDIR%/*}" --no-rebuild --quiet
	prefix=$PWD/dest$(meson introspect --buildoptions "${OCCY_BINDIR%/*}" |
		jq -r '.[] | select(.name == "prefix").value')
}

@test "every tool of the build folder is installed, with its man page" {
	installed
	find "$OCCY_BINDIR" -maxdepth 1 -name 'occy*' -type f -executable -printf '%f\n' | sort >built
	ls "$prefix/bin" >there
	diff built there
	while read -r tool; do
		[ -s "$prefix/share/man/man1/$tool.1" ]
		run -0 --separate-stderr "$prefix/bin/$tool" --version
	done <there
}

@test "the installed wrapper starts the tools beside it, also through a symlink" {
	installed
	for tool in occy-pull occy-pack; do
		lines '#!/bin/sh' "echo \"\$0 \$*\" >>'$PWD/calls'" >"$prefix/bin/$tool"
		chmod +x "$prefix/bin/$tool"
	done
	mkdir links
	ln -s "$prefix/bin/occystrap" links/
	PATH=/usr/bin:/bin run -0 --separate-stderr links/occystrap fetch-to-tarfile r i t x.tar
	[ -z "$output$stderr" ]
	sort calls >got
	diff got <(lines "$prefix/bin/occy-pack -- x.tar" "$prefix/bin/occy-pull -- r i t")
}
