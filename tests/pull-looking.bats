#!/usr/bin/env bats
# Looking without fetching: --print-digest, --tags, --no-layers; and what a
# Makefile needs, --if-changed, which looks before it fetches.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	start_registry
	push_layout "$(layout)" "$registry" lab/real
	rules >rules.json
	start_faults "$(layout)" --page-size 2 --rules rules.json \
		--fault head_405:path=/r51-405/ \
		--fault status:code=404,method=HEAD,path=/r51-404/ \
		--fault status:code=501,method=HEAD,path=/r51-501/ \
		--fault digest_header:value=none,path=/r51-digest/,method=HEAD \
		--fault content_type:value=,path=/r51-type/,method=HEAD \
		--fault no_length:path=/r51-length/,method=HEAD \
		--fault digest_header:value=none,path=/none/ \
		--fault digest_header:value=wrong,path=/wrong/ \
		--fault status:code=503,times=2,method=HEAD,path=/busy/ \
		--fault html200:path=/portal/ \
		--fault forbid:path=/forbidden/ \
		--fault access:auth=token,path=/token/ \
		--fault access:auth=token,path=%3Atoken%3A
}

teardown_file() {
	stop_faults
	stop_registry
}

describe() {
	lines 'image one' layer 'fill a 12000' layer 'file b two' \
		'image arm architecture=arm64' layer 'file a arm' \
		'image arm6 architecture=arm variant=v6' layer 'file a arm6' \
		'index multi one arm arm6' 'image none'
}

# rules: what tags/list says of which repository.
rules() {
	jq -s . <<-END
		{"fault":"link","path":"^/v2/absolute/.*n=1000","value":"<http://HOST/v2/absolute/tags/list?n=1&last=latest>; rel=\"next\""}
		{"fault":"link","path":"^/v2/beside/.*n=1000","value":"<list?last=LAST&n=2>;rel=next"}
		{"fault":"link","path":"^/v2/words/.*n=1000","value":"<x>; rel=\"prev\", </y>; title=\"a,b;\\\\\"<\"; rel=last , <?last=LAST>; foo; title = \"x\" ;REL=\"first NEXT\""}
		{"fault":"link","path":"^/v2/host/","value":"<http://127.0.0.2:1/v2/host/tags/list?last=LAST&secret=1>; rel=\"next\""}
		{"fault":"link","path":"^/v2/scheme/","value":"<https://HOST/v2/scheme/tags/list?last=LAST>; rel=\"next\""}
		{"fault":"link","path":"^/v2/nonsense/","value":"<http://[/>; rel=\"next\""}
		{"fault":"link","path":"^/v2/prev/","value":"<list?last=LAST>; rel=\"prev\", <unfinished; rel=next"}
		{"fault":"link","path":"^/v2/circle/","value":"</v2/circle/tags/list?n=2>; rel=\"next\""}
		{"fault":"link","path":"^/v2/hollow/.*n=1000","value":"<list?n=7>; rel=\"next\""}
		{"fault":"tags","path":"^/v2/hollow/.*n=1000","value":[]}
		{"fault":"link","path":"^/v2/hollow/.*n=7","value":"<list?last=latest>; rel=\"next\""}
		{"fault":"tags","path":"^/v2/hollow/.*n=7","value":null}
		{"fault":"tags","path":"^/v2/null/","value":null}
		{"fault":"tags","path":"^/v2/twice/.*n=1000","value":["b","a","b"]}
		{"fault":"link","path":"^/v2/twice/.*n=1000","value":"<list?n=7>; rel=\"next\""}
		{"fault":"tags","path":"^/v2/twice/.*n=7","value":["a","c"]}
		{"fault":"tags","path":"^/v2/bad-escape/","value":["good","\u001b[2J"]}
		{"fault":"tags","path":"^/v2/bad-path/","value":["../x"]}
		{"fault":"tags","path":"^/v2/bad-long/","value":["$(printf 'a%.0s' {1..129})"]}
		{"fault":"tags","path":"^/v2/bad-number/","value":[1]}
		{"fault":"tags","path":"^/v2/bad-list/","value":"latest"}
		{"fault":"status","code":200,"kind":"tags","path":"^/v2/broken/","type":"application/json","body":"{\"tags\":[\"a\""}
	END
}

# look REPOSITORY TAG [OPTION]...
look() {
	pull "$1" "$2" --print-digest "${@:3}"
}

tags() {
	occy-pull --retry-wait 0.01 --quiet --tags "${@:2}" -- "$faults" "$1"
}

# says DIGEST: what run has brought is that alone, and there is no store.
says() {
	same "$output" "$1"
	same "$stderr" ''
	[ ! -e store ] && [ ! -e .cache ]
}

# --- --print-digest

@test "R51 --print-digest is one HEAD, and no store is made" {
	run -0 --separate-stderr look r51-one one
	says "$(digest one manifest)"
	was_asked r51-one 'manifest 200 HEAD' .method
}

@test "R51 of an index it is the index's digest, whatever the platform" {
	run -0 --separate-stderr look r51-index multi --architecture s390x
	says "$(digest multi manifest)"
	was_asked r51-index 'manifest 200 HEAD' .method
}

@test "R51 where a HEAD is refused or lacks something, a GET tells" {
	for what in 405 404 501; do
		run -0 --separate-stderr look r51-$what multi
		says "$(digest multi manifest)"
		was_asked r51-$what "$(lines "manifest $what HEAD" 'manifest 200 GET')" .method
	done
	for what in digest type length; do
		run -0 --separate-stderr look r51-$what one
		says "$(digest one manifest)"
		was_asked r51-$what "$(lines 'manifest 200 HEAD' 'manifest 200 GET')" .method
	done
}

@test "R51 without any digest header the bytes are hashed" {
	run -0 --separate-stderr look none one
	says "$(digest one manifest)"
}

@test "a pull asks by GET, never by HEAD" {
	works get-only one --architecture amd64
	was_asked get-only "$(lines 'manifest 200 GET'; times 3 'blob 200 GET')" .method
}

@test "a digest that was asked for must be the one that is there" {
	run -0 --separate-stderr look exact "$(digest one manifest)"
	says "$(digest one manifest)"
	run -0 --separate-stderr look wrong "$(digest one manifest)"
	same "$output" "$(digest one manifest)"
	was_asked wrong "$(lines 'manifest 200 HEAD' 'manifest 200 GET')" .method
}

@test "what is not there is status 4, with the registry's words" {
	run -4 --separate-stderr look missing no-such-tag
	same "$(plain "$stderr")" 'occy-pull: HOST/missing:no-such-tag: manifest: not found or not authorised: HOST answered 404 MANIFEST_UNKNOWN: manifest unknown'
	same "$output" ''
	was_asked missing "$(lines 'manifest 404 HEAD' 'manifest 404 GET')" .method
}

@test "denied is status 5, with the registry's words" {
	run -5 --separate-stderr look forbidden one
	same "$(plain "$stderr")" 'occy-pull: HOST/forbidden:one: manifest: not found or login needed: HOST answered 403 DENIED: requested access to the resource is denied'
	same "$output" ''
}

@test "a HEAD gets a token, and is repeated where the registry is busy" {
	OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=secret run -0 --separate-stderr look token one
	says "$(digest one manifest)"
	was_asked token "$(lines 'manifest 401 HEAD' 'token 200 GET' 'manifest 200 HEAD')" .method
	run -0 --separate-stderr look busy one
	says "$(digest one manifest)"
	was_asked busy "$(lines 'manifest 503 HEAD' 'manifest 503 HEAD' 'manifest 200 HEAD')" .method
}

@test "a page of somebody else's is no digest" {
	run -7 --separate-stderr look portal one
	same "$(plain "$stderr")" "occy-pull: HOST/portal:one: manifest: not a registry's answer: text/html; charset=utf-8"
	same "$output" ''
}

@test "a list's digests come line by line, in its order" {
	lines "$faults one multi" "$faults/two:arm" "$faults one one" >list
	run -0 --separate-stderr occy-pull -f list --print-digest
	same "$output" "$(digest multi manifest)
$(digest arm manifest)
$(digest one manifest)"
}

# --- --tags

all_tags=$(lines _index arm arm6 latest multi none one)

@test "R70 pages are followed to the end, in the registry's order" {
	run -0 --separate-stderr tags r70
	says "$all_tags"
	was_asked r70 "$(times 4 'tags 200 GET')" .method
	jq -r 'select((.path // "") | startswith("/v2/r70/")) | .path' "$faults_log" | head -n 1 >first
	same "$(cat first)" '/v2/r70/tags/list?n=1000'
}

@test "R70 a Link may be absolute, relative, or one of many" {
	run -0 --separate-stderr tags absolute
	same "$output" "$(lines _index arm multi none one)"
	for where in beside words; do
		run -0 --separate-stderr tags $where
		says "$all_tags"
	done
}

@test "R70 a Link to another origin is refused, its query untold" {
	run -8 --separate-stderr tags host
	same "$(plain "$stderr")" 'occy-pull: HOST/host: tag list: the next page is said to be at another place: http://127.0.0.2:1/v2/host/tags/list'
	run -8 --separate-stderr tags scheme
	same "$(plain "$stderr")" 'occy-pull: HOST/scheme: tag list: the next page is said to be at another place: https://HOST/v2/scheme/tags/list'
	run -8 --separate-stderr tags nonsense
	same "$(plain "$stderr")" 'occy-pull: HOST/nonsense: tag list: the next page is said to be at another place: no URL'
	same "$output" ''
}

@test "R70 a Link that is not to the next page is none" {
	run -0 --separate-stderr tags prev
	says "$(lines _index arm)"
}

@test "R70 an empty page says nothing about the end" {
	run -0 --separate-stderr tags hollow
	says "$(lines multi none one)"
}

@test "R70 pages in a circle end, and no tag comes twice" {
	run -8 --separate-stderr tags circle
	same "$output" "$(lines _index arm)"
	same "$(plain "$stderr")" 'occy-pull: HOST/circle: tag list: no new tag on 101 pages, and it goes on'
	run -0 --separate-stderr tags twice
	says "$(lines b a c)"
}

@test "R70 null is a repository without tags" {
	run -0 --separate-stderr tags null
	says ''
}

@test "what can be no tag does not reach standard output" {
	run -8 --separate-stderr tags bad-escape
	same "$(plain "$stderr")" 'occy-pull: HOST/bad-escape: tag list: not a tag: \x1b[2J'
	same "$output" ''
	run -8 --separate-stderr tags bad-path
	same "$(plain "$stderr")" 'occy-pull: HOST/bad-path: tag list: not a tag: ../x'
	run -8 --separate-stderr tags bad-long
	run -8 --separate-stderr tags bad-number
	same "$(plain "$stderr")" 'occy-pull: HOST/bad-number: tag list: not a tag: no text'
	run -8 --separate-stderr tags bad-list
	same "$(plain "$stderr")" 'occy-pull: HOST/bad-list: tag list: "tags" is no list'
	run -8 --separate-stderr tags broken
	[[ $(plain "$stderr") == 'occy-pull: HOST/broken: tag list: '* ]]
	run -7 --separate-stderr tags portal
	same "$(plain "$stderr")" "occy-pull: HOST/portal: tag list: not a registry's answer: text/html; charset=utf-8"
}

@test "a repository that is not there is status 4; a token is got" {
	own_faults --repo other
	run -4 --separate-stderr tags gone
	same "$(plain "$stderr")" 'occy-pull: HOST/gone: tag list: not found or not authorised: HOST answered 404 NAME_UNKNOWN: repository name not known to registry'
	same "$output" ''
}

@test "tags of a repository that wants a token" {
	OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=secret run -0 --separate-stderr tags token
	says "$all_tags"
}

@test "a reader of tags, or digests, that has gone ends the run" {
	run -141 --separate-stderr bash -c "set -o pipefail
		{ sleep 0.3; occy-pull -q --tags '$faults' lab/x; } | sleep 0"
	same "$stderr" ''
	run -141 --separate-stderr bash -c "set -o pipefail
		{ sleep 0.3; occy-pull -q --print-digest '$faults' lab/x one; } | sleep 0"
	same "$stderr" ''
	for words in "--tags $faults lab/x" "--print-digest $faults lab/x one"; do
		run -9 --separate-stderr bash -c "occy-pull -q $words >/dev/full"
		same "$stderr" 'occy-pull: stdout: No space left on device'
	done
}

# --- --no-layers

@test "--no-layers fetches manifest and config, and says so of each layer" {
	run -0 --separate-stderr pull no-layers one --no-layers
	same "$stderr" ''
	whole_stream
	was_asked no-layers "$(lines 'manifest 200 /v2/no-layers/manifests/one' "blob 200 /v2/no-layers/blobs/$(digest one config)")" .path
	lines "$output" >bare
	pull no-layers one >full
	diff <(jq -c 'if .type=="layer" then del(.file) | .fetched = false else . end' full) bare
	right_store store
}

@test "--no-layers leaves no image in the store's list that is not there" {
	pull unlisted one --no-layers >bare
	same "$(jq -c '.manifests // []' store/index.json)" '[]'
	right_store store
}

# With the layers' bytes elsewhere, what can be done without them works.
@test "who needs a layer's bytes says that the stream names no file for it" {
	pull needy one --no-layers >bare
	layer="$faults/needy:one: layer 0 $(digest one layer 0): the stream names no file for it"
	for consumer in 'occy-pack x.tar' 'occy-pack -' 'occy-pack --dir d' 'occy-expand --merged m' \
		'occy-expand --layers l' 'occy-layers' 'occy-layers --tar 0'; do
		# shellcheck disable=SC2086 # words
		run -4 --separate-stderr $consumer <bare
		same "$stderr" "${consumer%% *}: $layer"
	done
	[ ! -e x.tar ] && [ ! -e m ] && [ ! -e d ]
	mkdir -p b/rootfs
	run -4 --separate-stderr occy-ocibundle b <bare
	same "$stderr" 'occy-ocibundle: stdin: the stream says of no tree; occy-expand --merged b/rootfs makes one'
}

@test "a directory that holds the layers needs them from nobody" {
	pull held one | occy-pack --dir d >/dev/null
	pull held one --no-layers >bare
	run -0 --separate-stderr occy-pack --dir d <bare
	[ "$(lines "$output" | jq -r 'select(.type=="layer") | .plain.file' | grep -c layer.tar)" = 2 ]
}

@test "a layer record without a file is none, unless it says why" {
	pull without one | jq -c 'if .type=="layer" then del(.file) else . end' >in
	run -3 --separate-stderr occy-pack x.tar <in
	same "$stderr" 'occy-pack: stdin:4: layer record: file is missing'
	jq -c 'if .type=="layer" then .fetched = true else . end' <in >in.new
	run -3 --separate-stderr occy-pack x.tar <in.new
	same "$stderr" 'occy-pack: stdin:4: layer record: file is missing'
}

# --- --if-changed

unchanged='{"type":"stream","occy":1}
{"type":"end","images":0,"records":0,"unchanged":true}'

# is_unchanged REPOSITORY TAG [OPTION]...
is_unchanged() {
	run -0 --separate-stderr pull "$1" "$2" --if-changed d "${@:3}"
	same "$stderr" ''
	same "$output" "$unchanged"
}

has_changed() {
	run -0 --separate-stderr pull "$1" "$2" --if-changed d "${@:3}"
	same "$stderr" ''
	whole_stream
}

@test "R51 --if-changed: one HEAD, no blob, and a stream that says unchanged" {
	pull same one | occy-pack --digest-file d x.tar >/dev/null
	was_asked same "$(lines 'manifest 200 GET'; times 3 'blob 200 GET')" .method
	rm -rf store
	is_unchanged same one
	same "$(cat d)" "$(digest one manifest) image=$faults/same:one tar=x.tar"
	was_asked same "$(lines 'manifest 200 GET'; times 3 'blob 200 GET'; echo 'manifest 200 HEAD')" .method
}

@test "-v tells that nothing has changed" {
	pull verbose one | occy-pack --digest-file d x.tar >/dev/null
	run -0 --separate-stderr occy-pull --store store -v --if-changed d "$faults" verbose one
	same "$stderr" 'occy-pull: d: nothing has changed'
	run -0 --separate-stderr occy-pull --store store -v --if-changed none "$faults" verbose one
	same "$stderr" ''
}

@test "what has no digest file yet, or another digest, is fetched" {
	has_changed new one
	same "$(asked new .method | grep -c HEAD)" 0
	for text in '' "$(digest arm manifest)" 'sha256:12' "$(digest one manifest)0" 'x' \
		"$(digest one manifest)
$(digest one manifest)"; do
		printf %s "$text" >d
		has_changed new one
	done
}

@test "a digest alone will do, with and without a newline" {
	digest one manifest >d
	is_unchanged bare one
	printf %s "$(digest one manifest)" >d
	is_unchanged bare one
	echo "$(digest one manifest) of=nobody knows=what" >d
	is_unchanged bare one
	ln -s d link
	run -0 pull bare one --if-changed link
	same "$output" "$unchanged"
}

@test "another image of the same digest is another image" {
	pull name one | occy-pack --digest-file d x.tar >/dev/null
	has_changed other-name one
	is_unchanged name one
	has_changed name "$(digest one manifest)"
	pull name "$(digest one manifest)" | occy-pack --digest-file d x.tar >/dev/null
	same "$(cat d)" "$(digest one manifest) tar=x.tar"
	is_unchanged name "$(digest one manifest)"
}

@test "another platform of the same index is another image" {
	pull platform multi | occy-pack --digest-file d x.tar >/dev/null
	same "$(cat d)" "$(digest multi manifest) image=$faults/platform:multi platform=linux/amd64 tar=x.tar"
	is_unchanged platform multi
	is_unchanged platform multi --architecture x86_64
	has_changed platform multi --architecture arm64
	# What was asked for counts, not what came.
	pull platform multi --architecture arm --variant v7 | occy-pack --digest-file d x.tar >/dev/null
	same "$(cat d)" "$(digest multi manifest) image=$faults/platform:multi platform=linux/arm/v7 tar=x.tar"
	is_unchanged platform multi --architecture arm
	has_changed platform multi --architecture arm --variant v6
	run -0 --separate-stderr pull platform multi --if-changed d --all-platforms
	[[ $output == *'"images":3'* ]]
}

# For one image without an index there is no choice to be remembered.
@test "of an image without an index the platform is no matter" {
	pull plain one | occy-pack --digest-file d x.tar >/dev/null
	is_unchanged plain one --architecture arm64
}

@test "all platforms are unchanged where each of them is" {
	pull all multi --all-platforms | occy-expand --layers l --digest-file d >/dev/null
	same "$(sort -u d)" "$(digest multi manifest) image=$faults/all:multi platform=all tree=l"
	same "$(wc -l <d)" 3
	run -0 --separate-stderr pull all multi --all-platforms --if-changed d
	same "$output" "$unchanged"
	run -0 --separate-stderr pull all multi --if-changed d
	whole_stream
	echo 'left_out=1' >>d
	run -0 --separate-stderr pull all multi --all-platforms --if-changed d
	[[ $output == *'"images":3'* ]]
}

@test "a list is unchanged where all of its images are, in its order" {
	lines "$faults list one" "$faults list arm" >list
	options=(--store store -q -f list --architecture amd64 --if-changed d)
	occy-pull "${options[@]}" 2>/dev/null | occy-pack --digest-file d x.tar >/dev/null
	run -0 --separate-stderr occy-pull "${options[@]}"
	same "$output" "$unchanged"
	tac list >list.new && mv list.new list
	run -0 --separate-stderr occy-pull "${options[@]}"
	[[ $output == *'"images":2'* ]]
	lines "$faults list one" >list
	run -0 --separate-stderr occy-pull "${options[@]}"
	[[ $output == *'"images":1'* ]]
}

@test "a failure to look is a failure, and so is a digest file that cannot be read" {
	digest one manifest >d
	fails 4 'occy-pull: HOST/gone:nothing: manifest: not found or not authorised: HOST answered 404 MANIFEST_UNKNOWN: manifest unknown' \
		gone nothing --if-changed d
	mkdir folder
	fails 9 'occy-pull: folder: Is a directory' gone one --if-changed folder
}

@test "one target after another: only what has changed is made anew" {
	make_it() {
		run -0 --separate-stderr occystrap -q --if-changed d "$@"
		same "$stderr$output" ''
	}
	make_it fetch-to-tarfile "$faults" make one x.tar
	same "$(cat d)" "$(digest one manifest) image=$faults/make:one tar=x.tar"
	find x.tar d -printf '%p %i %T@ %C@\n' >before
	make_it fetch-to-tarfile "$faults" make one x.tar
	find x.tar d -printf '%p %i %T@ %C@\n' >after
	diff before after
	was_asked make "$(lines 'manifest 200 GET'; times 3 'blob 200 GET'; echo 'manifest 200 HEAD')" .method
	rm x.tar
	make_it fetch-to-tarfile "$faults" make one x.tar
	[ -e x.tar ]
	make_it fetch-to-tarfile "$faults" make arm x.tar --architecture arm64
	same "$(cat d)" "$(digest arm manifest) image=$faults/make:arm tar=x.tar"
	make_it fetch-to-extracted "$faults" make arm x --architecture arm64
	same "$(cat d)" "$(digest arm manifest) image=$faults/make:arm directory=x"
	find x d -printf '%p %i %T@ %C@\n' >before
	make_it fetch-to-extracted "$faults" make arm x --architecture arm64
	find x d -printf '%p %i %T@ %C@\n' >after
	diff before after
}

# --- options, and the registry that others use

@test "options that cannot go together are wrong usage" {
	wrong() {
		run -2 --separate-stderr occy-pull "${@:2}" </dev/null
		same "${stderr_lines[0]}" "occy-pull: $1"
		same "$output" ''
	}
	wrong '--print-digest and --tags print different things' --print-digest --tags r i
	for option in --no-layers '--if-changed d' '--reuse d' --keep-going --all-platforms; do
		# shellcheck disable=SC2086 # words
		wrong '--tags fetches nothing: --if-changed, --no-layers, --reuse, --keep-going and --all-platforms mean nothing' --tags $option r i
		# shellcheck disable=SC2086 # words
		wrong '--print-digest fetches nothing: --if-changed, --no-layers, --reuse, --keep-going and --all-platforms mean nothing' --print-digest $option r i t
	done
	wrong '--tags is for one REGISTRY and IMAGE, not for a list' --tags -f list
	wrong '--tags: REGISTRY and IMAGE are needed' --tags r i t
	wrong 'REGISTRY, IMAGE and TAG are needed' --print-digest r i
	wrong '--no-layers leaves nothing to reuse' --no-layers --reuse d r i t
}

@test "R51 R70 Debian's docker-registry" {
	faults=$registry
	run -0 --separate-stderr look lab/real multi
	says "$(digest multi manifest)"
	run -0 --separate-stderr look lab/real one
	says "$(digest one manifest)"
	run -4 --separate-stderr look lab/real gone
	[[ $stderr == *": manifest: not found or not authorised: "*" answered 404 MANIFEST_UNKNOWN: manifest unknown" ]]
	run -0 --separate-stderr tags lab/real
	same "$(lines "$output" | sort)" "$(lines arm arm6 multi none one)"
	run -4 --separate-stderr tags lab/gone
	[[ $stderr == *": tag list: not found or not authorised: "*" answered 404 NAME_UNKNOWN: repository name not known to registry" ]]
	digest multi manifest >d
	is_unchanged lab/real multi
}
