#!/usr/bin/env bats
# docs/quickstart.sh on a copy of the source, with everything installed.
load helpers/common
load helpers/registry

setup() {
	own_folder
	mkdir source work
	(cd "$OCCY_SRCDIR" && tar -cf - --exclude='./build*' --exclude=./.git .) | tar -xf - -C source
	cd work || return
}

@test "without arguments it builds, fetches an image made on the spot, and stops its registry" {
	run -0 --separate-stderr sh ../source/docs/quickstart.sh
	echo "$stderr"
	[[ "$stderr" != *Terminated* ]]
	[[ "${lines[0]}" =~ ^'$ occystrap fetch-to-tarfile 127.0.0.1:'([0-9]+)' library/busybox latest busybox.tar'$ ]]
	port=${BASH_REMATCH[1]}
	[ "${lines[1]}" = '$ tar -tvf busybox.tar' ]
	[ "$(lines "${lines[@]:2}" | awk '{ print $2, $4, $5 }' | sort -u)" = '0/0 1970-01-01 00:00' ]
	[ "${#lines[@]}" = 5 ]
	[ "$(ls -A)" = busybox.tar ]
	[ -z "$(ls -A "$TMPDIR")" ]
	run -7 curl -sS --noproxy '*' "http://127.0.0.1:$port/v2/"
	tar -xOf busybox.tar manifest.json | jq -e --arg name "127.0.0.1:$port/library/busybox:latest" '.[0].RepoTags == [$name]'
	layer=$(tar -xOf busybox.tar manifest.json | jq -r '.[0].Layers[0]')
	tar -xOf busybox.tar "$layer" | tar -xf - bin/busybox
	[ "$(./bin/busybox echo hello)" = hello ]
}

@test "with arguments it fetches that image" {
	[ -d "$BATS_FILE_TMPDIR/registry" ] || start_registry
	load helpers/mkimage
	lines 'image 1.0' layer 'file a b' | make_layout layout
	push_layout layout "$registry" lab/thing
	rm -r layout
	run -0 --separate-stderr sh ../source/docs/quickstart.sh "$registry" lab/thing 1.0
	stop_registry
	[ "${lines[0]}" = "\$ occystrap fetch-to-tarfile $registry lab/thing 1.0 thing.tar" ]
	[ "$(ls -A)" = thing.tar ]
}

@test "any other number of arguments is a usage error" {
	run -2 --separate-stderr sh ../source/docs/quickstart.sh a b
	[ "$stderr" = 'usage: sh docs/quickstart.sh [REGISTRY IMAGE TAG]' ]
	[ -z "$output" ]
}
