#!/usr/bin/env bats
# occy-pull and many images in one go: lists, --keep-going, all platforms.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	start_faults "$(layout)" \
		--fault 'access:auth=anon,path=token([/%]|$)' \
		--fault status:code=403,path=/denied/ \
		--fault status:code=404,path=/no-layer/,digest="$(digest one layer 1)" \
		--fault "drip:bytes=5000,every=0.2,path=/slow/,min_size=15000" \
		--fault status:code=404,path=/no-arm/,digest="$(digest arm manifest)"
}

teardown_file() {
	stop_faults
}

describe() {
	lines 'image one' layer 'fill a 20000' layer 'file b one' \
		'image two' layer 'fill a 20000' layer 'file b two' \
		'image arm architecture=arm64 variant=v8' layer 'fill a 20000' layer 'file b arm' \
		'image win os=windows' layer 'file w win' \
		'index multi one arm' 'index nested multi win' 'index twice one one' 'index empty'
}

# pull_list [OPTION]... <LIST
pull_list() {
	occy-pull --store store --retry-wait 0.01 --quiet "$@" -f -
}

# images: of the stream in $output, a line each.
images() {
	jq -r 'select(.type=="image") | "\(.names[0] // "-") \(.image) \(.platform.os)/\(.platform.architecture)"' \
		<<<"$output" | sed "s/${faults//./\\.}/HOST/"
}

# The list

@test "a list: references and REGISTRY IMAGE TAG, comments and blank lines" {
	lines '# what we need' '' "$faults two one # behind a blank" \
		"   $faults/a/two:two"$'\r' "$faults"$'\t'"three $(digest one manifest)" \
		"$faults/four:arm@$(digest two manifest)" >list
	run -0 --separate-stderr occy-pull --store store --quiet -f list
	same "$stderr" ''
	same "$(images)" "$(lines 'HOST/two:one two linux/amd64' \
		'HOST/a/two:two a/two linux/amd64' '- three linux/amd64' \
		'- four linux/amd64')"
	same "$(jq -r 'select(.type=="image") | .digest' <<<"$output")" \
		"$(lines "$(digest one manifest)" "$(digest two manifest)" \
			"$(digest one manifest)" "$(digest two manifest)")"
	same "${lines[-1]}" '{"type":"end","images":4,"records":16}'
	right_store store
	no_parts store
}

@test "a long list is read in no time" {
	seq -f 'quay.io/a/b%.0f:1' 30000 >list
	run -9 --separate-stderr timeout 20 occy-pull --offline --store none -f list
	same "$stderr" 'occy-pull: none: No such file or directory'
}

@test "connections, tokens and blobs are shared" {
	run -0 pull_list <<<"$(lines "$faults/token:one" "$faults/token:two" "$faults/token:one")"
	same "$(images)" "$(lines 'HOST/token:one token linux/amd64' 'HOST/token:two token linux/amd64')"
	# Layer 0 is the same in both.
	was_asked token "$(lines 'manifest 401' 'token 200' 'manifest 200' 'blob 200' 'blob 200' \
		'blob 200' 'manifest 200' 'blob 200' 'blob 200')"
	[ "$(jq -s '[.[] | select((.path // "") | contains("/token/")) | .conn] | unique | length' \
		"$faults_log")" -le 4 ]
}

@test "a list that cannot be read, or is none, is told with its line" {
	run -2 --separate-stderr pull_list <<<"$(lines "$faults/unasked:one" '' 'a b')"
	same "$stderr" 'occy-pull: stdin:3: neither REGISTRY IMAGE TAG nor a reference'
	same "$output" '{"type":"stream","occy":1}'
	never_asked unasked
	run -2 --separate-stderr pull_list <<<'not/Lower'
	same "$stderr" 'occy-pull: stdin:1: repository name must be lower case: not/Lower'
	run -2 --separate-stderr pull_list <<<'# nothing'
	same "$stderr" 'occy-pull: stdin: no image is listed'
	printf 'a\0b\n' >list
	run -2 --separate-stderr occy-pull --store store -f list
	same "$stderr" 'occy-pull: list: not a text'
	run -9 --separate-stderr occy-pull --store store -f nowhere
	same "$stderr" 'occy-pull: nowhere: No such file or directory'
	run -9 --separate-stderr occy-pull --store store -f .
	same "$stderr" 'occy-pull: .: Is a directory'
	[ ! -e store ]
}

@test "LIST and operands do not go together, nor do LIST and a password on stdin" {
	run -2 --separate-stderr pull_list "$faults" a b
	[[ $stderr == 'occy-pull: images are named by LIST or by REGISTRY IMAGE TAG, not by both'$'\n'* ]]
	run -2 --separate-stderr pull_list --username u --password-stdin
	[[ $stderr == 'occy-pull: stdin cannot be both the list and the password'$'\n'* ]]
}

@test "a second LIST is refused, not taken in place of the first" {
	for other in nowhere -; do
		run -2 --separate-stderr pull_list --file "$other"
		[[ $stderr == 'occy-pull: --file names one LIST; for several: cat LIST... | occy-pull -f -'$'\n'* ]]
		same "$output" ''
	done
	[ ! -e store ]
}

@test "a login that is given by hand is for one registry" {
	lines "$faults/a:one" 'other.example/b:one' >list
	echo secret >password
	run -2 --separate-stderr occy-pull --store store --username u --password-stdin -f list <password
	same "$stderr" 'occy-pull: --username is for one registry, but list names several'
	OCCYSTRAP_USERNAME=u OCCYSTRAP_PASSWORD=p run -2 --separate-stderr occy-pull --store store -f list
	same "$stderr" 'occy-pull: OCCYSTRAP_PASSWORD is for one registry, but list names several'
	[ ! -e store ]
}

# What fails

@test "without --keep-going the first failure is the end" {
	run -4 --separate-stderr pull_list <<<"$(lines "$faults/a:one" "$faults/stop:none" "$faults/after:two")"
	same "$(plain "$stderr")" 'occy-pull: HOST/stop:none: manifest: not found or not authorised: HOST answered 404 MANIFEST_UNKNOWN: manifest unknown'
	same "$(images)" 'HOST/a:one a linux/amd64'
	[[ $output != *'"type":"end"'* ]]
	never_asked after
	right_store store
}

@test "--keep-going leaves out what fails, whole, and says so" {
	run -5 --separate-stderr pull_list --keep-going <<<"$(lines "$faults/denied:one" \
		"$faults/a:one" "$faults/no-layer:one" "$faults/gone:none" "$faults/b:two")"
	same "$(plain "$stderr" | sed 's/sha256:[0-9a-f]*/DIGEST/')" "$(lines \
		'occy-pull: HOST/denied:one: manifest: not found or login needed: HOST answered 403 UNKNOWN: fault' \
		'occy-pull: HOST/gone:none: manifest: not found or not authorised: HOST answered 404 MANIFEST_UNKNOWN: manifest unknown')"
	# What no-layer lacks an image before it had.
	same "$(images)" "$(lines 'HOST/a:one a linux/amd64' 'HOST/no-layer:one no-layer linux/amd64' \
		'HOST/b:two b linux/amd64')"
	same "${lines[-1]}" '{"type":"end","images":3,"records":12,"left_out":2}'
	right_store store

	rm -rf store
	run -4 --separate-stderr pull_list --keep-going <<<"$(lines "$faults/no-layer:one" "$faults/b:two")"
	same "$(images)" 'HOST/b:two b linux/amd64'
	same "${lines[-1]}" '{"type":"end","images":1,"records":4,"left_out":1}'
	same "$(jq -r .type <<<"$output" | tr '\n' ' ')" 'stream image config layer layer end '
}

@test "a sink publishes what came and is status 3" {
	run -3 --separate-stderr bash -c 'occy-pull --store store --quiet --keep-going -f - |
		occy-pack --stream out.tar' <<<"$(lines "$faults/gone:none" "$faults/a:one")"
	same "$(tar -xOf out.tar manifest.json | jq -rc '.[].RepoTags')" "[\"$faults/a:one\"]"
	[ "${#stderr_lines[@]}" = 2 ]
	[[ ${stderr_lines[1]} == occy-pack:* ]]
}

@test "--keep-going does not go on where the store cannot be written" {
	mkdir store
	mount -t tmpfs -o size=30k tmpfs store || false
	run -9 --separate-stderr pull_list --keep-going <<<"$(lines "$faults/a:one" "$faults/late:two")"
	umount store
	[[ ${stderr_lines[-1]} == *': No space left on device' ]]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $output != *'"type":"end"'* ]]
	never_asked late
}

@test "R49 --keep-going leaves out what a helper has no login for, and asks it once" {
	mkdir -p bin .docker
	lines '#!/bin/sh' 'echo x >>asked' 'echo locked' 'exit 3' >bin/docker-credential-it
	chmod +x bin/docker-credential-it
	echo "{\"credHelpers\":{\"other.example\":\"it\"}}" >.docker/config.json
	PATH=$PWD/bin:$PATH
	run -1 --separate-stderr pull_list --keep-going <<<"$(lines other.example/a:one \
		"$faults/a:one" other.example/b:one)"
	same "$stderr" "$(lines 'occy-pull: docker-credential-it: failed with status 3: locked' \
		'occy-pull: docker-credential-it: has failed for other.example before')"
	same "$(images)" 'HOST/a:one a linux/amd64'
	same "${lines[-1]}" '{"type":"end","images":1,"records":4,"left_out":2}'
	same "$(cat asked)" x
}

@test "--keep-going where all fail: no image, and the count" {
	run -4 --separate-stderr pull_list --keep-going <<<"$(lines "$faults/gone:none" "$faults/gone:neither")"
	same "$output" "$(lines '{"type":"stream","occy":1}' '{"type":"end","images":0,"records":0,"left_out":2}')"
}

@test "a block that is left out was not begun, however far it came" {
	run -4 --separate-stderr pull_list --keep-going -j 1 <<<"$faults/no-layer:one"
	same "$(jq -r .type <<<"$output" | tr '\n' ' ')" 'stream end '
	[ -e "$(blob_path store "$(digest one layer 0)")" ]
}

@test "the reader's end is the end, also with --keep-going" {
	run -141 bash -c 'set -o pipefail; "$@" | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}' - \
		occy-pull --store store --quiet --keep-going -f <(lines "$faults/slow:one" "$faults/late2:two")
	never_asked late2
}

# All platforms

# index_record NAME TAG: as the stream has it.
index_record() {
	local digest
	digest=$(digest "$2" manifest)
	echo "{\"type\":\"index\",\"names\":[\"$faults/$1:$2\"],\"image\":\"$1\",\"registry\":\"$faults\",\"repository\":\"$1\",\"tag\":\"$2\",\"digest\":\"$digest\",\"size\":$(size "$digest"),\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"file\":\"$PWD/$(blob_path store "$digest")\"}"
}

@test "--all-platforms: the index, and a block for each image" {
	run -0 --separate-stderr pull p multi --all-platforms
	same "$stderr" ''
	same "${lines[1]}" "$(index_record p multi)"
	same "$(images)" "$(lines 'HOST/p:multi p linux/amd64' 'HOST/p:multi p linux/arm64')"
	same "$(jq -r 'select(.type=="image") | .tag_digest' <<<"$output" | sort -u)" "$(digest multi manifest)"
	same "${lines[-1]}" '{"type":"end","images":2,"records":9}'
	was_asked p "$(lines "$(times 3 'manifest 200')" "$(times 5 'blob 200')")"
	right_store store
	cmp "$(blob_path store "$(digest multi manifest)")" "$(blob_path "$(layout)" "$(digest multi manifest)")"
}

@test "--all-platforms: indexes in indexes, an image twice, no index at all" {
	run -0 --separate-stderr pull p nested --all-platforms
	same "$(images)" "$(lines 'HOST/p:nested p linux/amd64' 'HOST/p:nested p linux/arm64' \
		'HOST/p:nested p windows/amd64')"
	run -0 --separate-stderr pull p twice --all-platforms
	same "$(images)" 'HOST/p:twice p linux/amd64'
	run -0 --separate-stderr pull p win --all-platforms
	same "$stderr" ''
	same "$(images)" 'HOST/p:win p windows/amd64'
	same "$(jq -r .type <<<"$output" | tr '\n' ' ')" 'stream image config layer end '
}

@test "R73 --all-platforms leaves attestations alone" {
	run -0 --separate-stderr pull p fr-attest --all-platforms
	same "$stderr" ''
	[[ $output != *unknown/unknown* ]]
	[ "$(jq -r 'select(.type=="image") | .platform.os' <<<"$output" | sort -u)" = linux ]
}

@test "R61 --all-platforms goes no deeper than 8 indexes" {
	run -0 --separate-stderr pull p fr-deep-3 --all-platforms
	run -8 --separate-stderr pull p fr-deep-50 --all-platforms
	same "$(plain "$stderr")" 'occy-pull: HOST/p:fr-deep-50: more than 8 indexes within each other'
}

@test "--all-platforms --keep-going: what one platform lacks, the others do not" {
	run -4 --separate-stderr pull no-arm multi --all-platforms --keep-going
	same "$(images)" 'HOST/no-arm:multi no-arm linux/amd64'
	same "${lines[-1]}" '{"type":"end","images":1,"records":5,"left_out":1}'
}

@test "--all-platforms: an index that leads to no image is status 4" {
	run -4 --separate-stderr pull p empty --all-platforms
	same "$(plain "$stderr")" 'occy-pull: HOST/p:empty: no image for any platform'
}

@test "--all-platforms and a platform do not go together" {
	local option
	for option in '--os linux' '--architecture arm64' '--variant v8' --strict-platform; do
		# shellcheck disable=SC2086 # one or two words
		run -2 --separate-stderr pull p multi --all-platforms $option
		[[ $stderr == 'occy-pull: --all-platforms leaves no platform to choose'$'\n'* ]]
	done
}

@test "an image on the command line may be one reference" {
	run -0 --separate-stderr occy-pull --store store -q "$faults/a/one:two@$(digest one manifest)"
	same "$(images)" '- a/one linux/amd64'
	run -0 --separate-stderr occy-pull --store store -q "$faults/a:two"
	same "$(images)" 'HOST/a:two a linux/amd64'
	run -0 --separate-stderr occy-pull --print-digest "$faults/a:two"
	same "$output" "$(digest two manifest)"
	run -0 --separate-stderr occy-pull --tags "$faults/a"
	[[ $'\n'$output$'\n' == *$'\n'two$'\n'* ]]
	run -2 --separate-stderr occy-pull --store none "$faults/A:two"
	[[ $stderr == 'occy-pull: repository name must be lower case: A'$'\n'usage:* ]]
	[ ! -e none ]
}
