# pull.bash - what the tests of occy-pull share: one layout, a registry that
# breaks on request, and what must hold after any pull.
# shellcheck shell=bash
# What run and the other helpers set:
# shellcheck disable=SC2154
load helpers/common
load helpers/registry
load helpers/mkimage

layout() { echo "$BATS_FILE_TMPDIR/layout"; }

# digest TAG KIND [INDEX]: of the layout's image: manifest, config, layer.
digest() {
	case $2 in
	manifest) manifest_digest "$(layout)" "$1" ;;
	config) config_digest "$(layout)" "$1" ;;
	layer) layer_digests "$(layout)" "$1" | sed -n "$(($3 + 1))p" ;;
	esac
}

# size DIGEST: of a blob of the layout.
size() {
	stat -c %s "$(blob_path "$(layout)" "$1")"
}

# A registry for this test alone; what the file has started goes on.
own_faults() {
	start_faults "$(layout)" "$@" || return
	own_pid=$faults_pid
}

begin() {
	own_folder
	own_pid=
}

setup() {
	begin
}

teardown() {
	[ -z "$own_pid" ] || stop_process "$own_pid"
	no_leaks
}

# No credential has reached a host that it does not belong to.
no_leaks() {
	if [ -e "$faults_log" ]; then
		run -1 grep -F '"leak":true' "$faults_log"
	fi
}

# terminate PID: a child of this shell ends by SIGTERM.
terminate() {
	local code=0
	kill "$1"
	wait "$1" || code=$?
	same "$code" 143
}

# pull REPOSITORY TAG [OPTION]...: quick to repeat, and quiet.
pull() {
	occy-pull --store store --retry-wait 0.01 --quiet "${@:3}" -- \
		"$faults" "$1" "$2"
}

# usage: what follows the message where the command line is wrong.
usage() {
	occy-pull --help | sed '/^Fetch /,$d'
}

# plain TEXT: with words for the registry's and its second port's address.
plain() {
	lines "${1//"$faults"/HOST}" | sed 's/127\.0\.0\.1:[0-9][0-9]*/OTHER/g'
}

# same GOT WANTED
same() {
	diff <(lines "$1") <(lines "$2")
}

# works REPOSITORY TAG [OPTION]...: into an empty store; the stream is whole and
# without a word on stderr; what lies in the store is right.
works() {
	rm -rf store
	run -0 --separate-stderr pull "$@"
	same "$stderr" ''
	whole_stream
	right_store store
	no_parts store
}

whole_stream() {
	[ "${lines[0]}" = '{"type":"stream","occy":1}' ]
	[ "${lines[-1]}" = "{\"type\":\"end\",\"images\":1,\"records\":$((${#lines[@]} - 2))}" ]
}

# fails STATUS TEXT REPOSITORY TAG [OPTION]...: likewise; exactly that on stderr, no end
# of the stream, nothing half in the store.
fails() {
	rm -rf store
	run "-$1" --separate-stderr pull "${@:3}"
	same "$(plain "$stderr")" "$2"
	broken_stream
	right_store store
}

# fails_at_a_blob STATUS TEXT REPOSITORY TAG [OPTION]...: likewise, where all
# blobs fail alike: TEXT has BLOB for the one that was first, DIGEST for its.
fails_at_a_blob() {
	rm -rf store
	run "-$1" --separate-stderr pull "${@:3}"
	same "$(plain "$stderr" |
		sed -E 's/(config|layer [0-9]+) sha256:[0-9a-f]{64}/BLOB/; s/sha256:[0-9a-f]{64}/DIGEST/g')" "$2"
	broken_stream
	right_store store
}

# Nothing but the header, and records that are true.
broken_stream() {
	[ "${lines[0]}" = '{"type":"stream","occy":1}' ]
	[[ $output != *'"type":"end"'* ]]
}

# right_store DIR: every blob there hashes to its name, and nothing is left
# beside them.
right_store() {
	local dir=$1
	[ -d "$dir" ] || return 0
	find "$dir/blobs/sha256" -type f -exec sha256sum {} + |
		awk '{ n = split($2, part, "/"); if (part[n] != $1) print $2 }' >wrong
	[ ! -d "$dir/blobs/sha512" ] ||
		find "$dir/blobs/sha512" -type f -exec sha512sum {} + |
		awk '{ n = split($2, part, "/"); if (part[n] != $1) print $2 }' >>wrong
	same "$(cat wrong)" ''
	same "$(find "$dir/parts" -mindepth 1 -printf '%f\n' |
		sed -E '/^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(\.map)?$/d')" ''
	same "$(ls -A "$dir")" $'blobs\nindex.json\noci-layout\nparts'
}

# no_parts STORE: nothing is left that the next run could go on with.
no_parts() {
	same "$(ls -A "$1/parts")" ''
}

# asked REPOSITORY [EXPRESSION]: what has been asked for it, a line each:
# kind, status, and what EXPRESSION says of the log's record.
asked() {
	jq -r --arg name "$1" '((.path // "") + (if .form then "?" + .form else "" end)) as $path
		| select($path | test("/v2/\($name)/|%3A\($name)%3A|for=\($name)$"))
		| [.kind, .status, ('"${2-empty}"')] | map(tostring) | join(" ")' \
		"$faults_log"
}

# was_asked REPOSITORY LINES [EXPRESSION]: those and no others, in any order.
# The log may be a moment late.
was_asked() {
	within 3 is_asked "$@" || diff <(asked "$1" "${3-empty}" | sort) <(sort <<<"$2")
}

# never_asked REPOSITORY: nothing at all, also not a moment later.
never_asked() {
	sleep 0.2
	same "$(asked "$1")" ''
}

is_asked() {
	cmp -s <(asked "$1" "${3-empty}" | sort) <(sort <<<"$2")
}

# times N LINE: LINE so often, for was_asked.
times() {
	local i
	for ((i = 0; i < $1; i++)); do
		echo "$2"
	done
}
