#!/usr/bin/env bats
# occy-pull --offline: the stream that a pull has written before, from the store
# alone; or what is missing.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	start_faults "$(layout)"
}

teardown_file() {
	stop_faults
}

describe() {
	lines 'image one cmd=sh' layer 'fill a 20000' layer 'file b one' \
		'image two' layer 'fill a 20000' layer 'file b two' \
		'image arm architecture=arm64 variant=v8' layer 'fill a 20000' layer 'file b arm' \
		'image old format=docker' layer 'file d docker' \
		'image long algorithm=sha512' layer 'file c long' \
		'image v9 architecture=arm64 variant=v9' layer 'file b v9' \
		'index multi one arm' 'index wide one arm v9' 'index inner two v9' 'index nested inner arm' \
		'index docker format=docker old'
}

# both REPOSITORY TAG [OPTION]...: pull it, then again without the registry:
# the same stream, and nobody is asked.
both() {
	run -0 --separate-stderr pull "$@"
	same "$stderr" ''
	printf '%s\n' "${lines[@]}" >online
	cp store/index.json index
	before=$(wc -l <"$faults_log")
	run -0 --separate-stderr pull "$@" --offline
	same "$stderr" ''
	printf '%s\n' "${lines[@]}" | diff online -
	same "$(wc -l <"$faults_log")" "$before"
	cmp index store/index.json
}

# lacks STATUS TEXT REPOSITORY TAG [OPTION]...
lacks() {
	run "-$1" --separate-stderr pull "${@:3}" --offline
	same "$stderr" "occy-pull: $2"
	broken_stream
}

gone() {
	rm "$(blob_path store "$1")"
}

@test "an image: the stream is the same, byte for byte" {
	both some one
	both some old
	both some long
	both some "$(digest one manifest)"
	both some "one@$(digest one manifest)"
}

@test "through an index: the same image, the same tag_digest" {
	both some multi
	both some multi --architecture arm64 --variant v8
	both some nested
	both some nested --architecture arm64 --variant v9
	both some "$(digest multi manifest)"
	both some docker
	right_store store
	# Also when others have been fetched since, and their indexes are gone.
	run -0 pull some multi
	printf '%s\n' "${lines[@]}" >online
	gone "$(digest multi manifest)"
	run -0 --separate-stderr pull some multi --offline
	printf '%s\n' "${lines[@]}" | diff online -
}

@test "all platforms, and a list" {
	both some nested --all-platforms
	lines "$faults/some:one" "$faults/some:multi" "$faults old old" >list
	occy-pull -q --store store -f list >online
	occy-pull -q --store store -f list --offline >offline
	diff online offline
	lines "$faults/some:nowhere" >>list
	run -4 --separate-stderr occy-pull -q --store store --keep-going -f list --offline
	same "$stderr" "occy-pull: $faults/some:nowhere: no such image in the store"
	[[ ${lines[-1]} == *'"left_out":1'* ]]
}

@test "what gc leaves serves as before" {
	run -0 pull some nested
	run -0 pull some multi --architecture arm64
	find store/blobs -type f -exec touch -d '40 days ago' {} +
	run -0 occy-pull --store store --gc
	same "$(jq .removed.blobs <<<"$output")" 0
	both some nested
	both some multi --architecture arm64
	# The index goes with the last image that came by it.
	run -0 occy-pull --store store --forget "$faults/some@$(digest multi manifest)"
	same "$(jq -r .digest <<<"$output")" "$(digest arm manifest)"
	find store/blobs -type f -exec touch -d '40 days ago' {} +
	run -0 occy-pull --store store --gc
	[ ! -e "$(blob_path store "$(digest multi manifest)")" ]
	both some nested
	run -0 skopeo inspect --raw "oci:store:$faults/some:nested"
}

@test "nothing of that name, or of that platform, is status 4" {
	run -0 pull some multi
	lacks 4 "$faults/some:one: no such image in the store" some one
	lacks 4 "$faults/other:multi: no such image in the store" other multi
	lacks 4 "$faults/some:multi: no image for linux/s390x in the store, only for: linux/amd64" \
		some multi --architecture s390x
	lacks 4 "$faults/some@$(digest two manifest): manifest $(digest two manifest) is missing from the store" \
		some "$(digest two manifest)"
	# Without an index there is no choice.
	run -0 pull some one
	run -0 --separate-stderr pull some one --offline --architecture s390x
	same "$stderr" "occy-pull: warning: $faults/some:one: the image is for linux/amd64, not for linux/s390x"
	lacks 4 "$faults/some:one: no image for linux/s390x, only for: linux/amd64" \
		some one --architecture s390x --strict-platform
}

@test "a better variant that the index has, but the store has not, is missed" {
	run -0 pull some wide --architecture arm64
	lacks 4 "$faults/some:wide: manifest $(digest v9 manifest) is missing from the store" \
		some wide --architecture arm64 --variant v9
}

@test "each blob that is missing is named" {
	run -0 pull some one
	gone "$(digest one layer 0)"
	echo longer >>"$(blob_path store "$(digest one layer 1)")"
	lacks 4 "$faults/some:one: layer 0 $(digest one layer 0) is missing from the store
occy-pull: $faults/some:one: layer 1 $(digest one layer 1) is missing from the store" some one
	gone "$(digest one config)"
	lacks 4 "$faults/some:one: config $(digest one config) is missing from the store" some one
	gone "$(digest one manifest)"
	lacks 4 "$faults/some:one: manifest $(digest one manifest) is missing from the store" some one
}

@test "layers that another directory holds are not missing" {
	occy-pull -q --store store "$faults" some one | occy-pack --dir dir >stream
	gone "$(digest one layer 0)"
	run -0 --separate-stderr pull some one --offline --reuse dir
	same "$(jq -r 'select(.type=="layer") | has("plain")' <<<"$output")" $'true\ntrue'
}

@test "an image whose layers only another directory holds is not listed" {
	occy-pull -q --store elsewhere "$faults" some one | occy-pack --dir dir >stream
	run -0 --separate-stderr pull some one --reuse dir
	same "$(jq -r 'select(.type=="layer") | has("plain")' <<<"$output")" $'true\ntrue'
	same "$(jq -c .manifests store/index.json)" '[]'
	run -0 --separate-stderr occy-pull -q --store store --verify-store
	same "$stderr" ''
	lacks 4 "$faults/some:one: no such image in the store" some one

	# The blobs of the same layers, too: it is as good as any.
	run -0 pull some one --reuse none
	cp store/index.json index
	jq -cj '.manifests=[]' index >store/index.json
	run -0 --separate-stderr pull some one --reuse dir
	same "$(jq -r 'select(.type=="layer") | has("plain")' <<<"$output")" $'true\ntrue'
	cmp index store/index.json
	run -0 pull some one --offline

	# What was there before stays what the name stands for.
	gone "$(digest one layer 1)"
	run -0 pull some one --reuse dir
	cmp index store/index.json
}

@test "the documented commands list in a store what is whole there" {
	run -0 occystrap -q --store first fetch-to-extracted "$faults" some one dir
	run -0 occystrap -q --store second fetch-to-extracted "$faults" some one dir
	run -0 --separate-stderr occy-pull -q --store second --verify-store
	same "$stderr" ''
	run -0 occystrap -q --offline --store first fetch-to-extracted "$faults" some one dir
	run -4 --separate-stderr occystrap -q --offline --store second fetch-to-extracted "$faults" some one dir
	same "$stderr" "occy-pull: $faults/some:one: no such image in the store"
	run -0 occystrap -q --store second fetch-to-tarfile "$faults" some one a.tar
	run -0 occystrap -q --offline --store second fetch-to-extracted "$faults" some one other
	diff -r dir other
}

@test "a wrong manifest or config is status 8, and a wrong layer is seen where it is used" {
	local manifest
	run -0 pull some one
	manifest=$(blob_path store "$(digest one manifest)")
	cp "$manifest" right
	printf X | dd of="$manifest" bs=1 seek=100 conv=notrunc status=none
	run -8 --separate-stderr pull some one --offline
	[[ $stderr == "occy-pull: $PWD/$manifest: digest mismatch, got sha256:"* ]]
	cp right "$manifest"
	printf X | dd of="$(blob_path store "$(digest one layer 0)")" bs=1 seek=100 conv=notrunc status=none
	run -8 --separate-stderr bash -c "set -o pipefail
		occy-pull -q --store store --offline '$faults' some one | occy-pack x.tar"
	[ ! -e x.tar ]
}

@test "what a tag stands for, and whether that has changed" {
	run -0 pull some multi
	run -0 pull some one
	for option in --print-digest "--if-changed file"; do
		digest one manifest >file
		# shellcheck disable=SC2086 # two words
		run -0 --separate-stderr pull some one $option
		online=$output
		before=$(wc -l <"$faults_log")
		# shellcheck disable=SC2086 # two words
		run -0 --separate-stderr pull some one --offline $option
		same "$output" "$online"
		[[ $option == --print-digest || $output == *'"unchanged":true'* ]]
		same "$(wc -l <"$faults_log")" "$before"
	done
	run -0 --separate-stderr pull some multi --offline --print-digest
	same "$output" "$(digest multi manifest)"
	run -4 --separate-stderr pull some two --offline --print-digest
	same "$stderr" "occy-pull: $faults/some:two: no such image in the store"
	run -2 --separate-stderr occy-pull --offline --tags "$faults" some
	same "${stderr_lines[0]}" 'occy-pull: --tags asks a registry, --offline does not'
}

@test "a store that is not there is not made" {
	lacks 9 'store: No such file or directory' some one
	[ ! -e store ]
	mkdir store
	lacks 9 "$PWD/store: not a store: no oci-layout in it" some one
	same "$(ls -A store)" ''
}

@test "a store that may only be read will do" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	run -0 pull some multi
	printf '%s\n' "${lines[@]}" >online
	mount --bind store store
	mount -o remount,bind,ro store
	run --separate-stderr pull some multi --offline
	umount store
	same "$status" 0
	same "$stderr" ''
	printf '%s\n' "${lines[@]}" | diff online -
}

@test "no login is looked for, nor asked" {
	run -0 pull some one
	mkdir .docker
	echo broken >.docker/config.json
	OCCYSTRAP_USERNAME=u OCCYSTRAP_PASSWORD=p run -0 --separate-stderr pull some one --offline
	run -2 --separate-stderr occy-pull --offline --username u --password-stdin "$faults" some one
	same "${stderr_lines[0]}" 'occy-pull: --offline needs no login'
	run -2 --separate-stderr occy-pull --offline --gc
	same "${stderr_lines[0]}" 'occy-pull: --gc does not go with --offline'
}

@test "the documented commands: from a store, from the default one, from none" {
	run -0 pull some multi
	run -0 --separate-stderr occystrap -q --store store fetch-to-tarfile "$faults" some multi a.tar
	run -0 --separate-stderr occystrap -q --offline --store store fetch-to-tarfile "$faults" some multi b.tar
	same "$stderr" ''
	cmp a.tar b.tar
	mkdir -p "$XDG_CACHE_HOME"
	mv store "$XDG_CACHE_HOME/occystrap"
	run -0 --separate-stderr occystrap -q fetch-to-tarfile --offline "$faults" some multi c.tar
	cmp a.tar c.tar
	run -0 occystrap -q fetch-to-extracted --offline "$faults" some multi dir
	[ -e dir/manifest.json ]
	mv "$XDG_CACHE_HOME/occystrap" elsewhere
	OCCY_STORE=$PWD/elsewhere run -0 occystrap -q fetch-to-oci --offline "$faults" some multi bundle
	[ -e bundle/config.json ]
	run -9 --separate-stderr occystrap -q fetch-to-tarfile --offline "$faults" some multi d.tar
	same "$stderr" "occy-pull: $XDG_CACHE_HOME/occystrap: No such file or directory"
	same "$(find . -maxdepth 1 -name '*.occystrap')" ''
}
