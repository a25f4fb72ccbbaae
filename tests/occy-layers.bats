#!/usr/bin/env bats
# occy-layers on a stream: what it proves, what it adds, what it passes on.
load helpers/common
load helpers/mkimage

setup() {
	own_folder
	make_layout layout <<-END
		image all
		layer
		dir etc
		file etc/one 1
		layer zstd
		file etc/two 2
		hard etc/again etc/two
		link etc/link two
		layer none
		file etc/three 3
		layer xz
		file etc/four 4
		layer bzip2
		file etc/five 5
		image empty
	END
	stream_of layout all >stream
}

# The tar of a layer, decoded by somebody else.
plain() { # plain N
	local file
	file=$(blob_path layout "$(layer_digests layout all | sed -n "$(($1 + 1))p")")
	bsdcat "$file" 2>/dev/null || cat "$file"
}

@test "every layer, however compressed, gets its size and its number of entries" {
	run -0 --separate-stderr occy-layers <stream
	[ -z "$stderr" ]
	for index in 0 1 2 3 4; do
		plain "$index" >tar
		size=$(wc -c <tar)
		count=$(tar -tf tar | wc -l)
		jq -c "if .type == \"layer\" and .index == $index
			then . + {uncompressed_size: $size, entries: $count,
				created_by: \"layer $index\"} else . end" \
			stream >wanted
		mv wanted stream
	done
	diff <(jq -cS . stream) <(lines "$output" | jq -cS .)
}

@test "what is not a layer passes byte for byte" {
	sed -i 's/^{"type":"config",/{ "type" : "config", "more":[1, 2],/' stream
	{
		head -n 2 stream
		echo '{"type":"x-note", "text":"\u00e4"}'
		tail -n +3 stream | sed 's/"records":7/"records":8/'
	} >noted
	run -0 --separate-stderr occy-layers <noted
	diff <(grep -v '"type":"layer"' noted) <(lines "$output" | grep -v '"type":"layer"')
}

@test "created_by is the history's, of the steps that made a layer" {
	config=$(blob_path layout "$(config_digest layout all)")
	jq -c '.history = [{created_by: "ADD one"}, {created_by: "ENV x", empty_layer: true},
		{created_by: "ADD two", empty_layer: false}, {comment: "three"}]' "$config" >new
	digest=sha256:$(sha256sum <new | cut -d ' ' -f 1)
	jq -c --arg digest "$digest" --arg file "$PWD/new" --argjson size "$(wc -c <new)" '
		if .type == "config" then . + {digest: $digest, file: $file, size: $size}
		else . end' stream >changed
	run -0 --separate-stderr occy-layers <changed
	diff <(lines "$output" | jq -c 'select(.type == "layer").created_by') \
		<(lines '"ADD one"' '"ADD two"' null null null)
}

@test "a diff_id that only the config has is added" {
	jq -c 'del(.diff_id)' stream >changed
	run -0 --separate-stderr occy-layers <changed
	diff <(lines "$output" | jq -r 'select(.type == "layer").diff_id') <(diff_ids layout all)
}

@test "a layer that nobody has a diff_id for passes as it is" {
	jq -c 'select(.type != "config") | del(.diff_id, .records)' stream >changed
	run -0 --separate-stderr occy-layers <changed
	diff <(head -n -1 changed) <(lines "$output" | head -n -1)
}

@test "one layer of a stream that was edited with jq" {
	jq -c 'select(.type!="layer" or .index==2) | del(.records,.layers)' stream >one
	run -0 --separate-stderr occy-layers <one
	[ "$(lines "$output" | jq -c 'select(.type == "layer").index')" = 2 ]
	[ "${lines[-1]}" = '{"type":"end","images":1,"records":3}' ]
}

@test "an image without layers, and a stream that says unchanged" {
	stream_of layout empty >stream
	run -0 --separate-stderr occy-layers <stream
	diff stream <(lines "$output")
	lines '{"type":"stream","occy":1}' '{"type":"end","images":0,"records":0,"unchanged":true}' >stream
	run -0 --separate-stderr occy-layers <stream
	diff stream <(lines "$output")
}

@test "a layer that is not its diff_id is status 8, with both" {
	layer=$(layer_digests layout all | sed -n 3p)
	size=$(wc -c <"$(blob_path layout "$layer")")
	head -c "$size" /dev/zero >zeros
	jq -c --arg file "$PWD/zeros" 'if .index == 2 then .file = $file else . end' stream >changed
	run -8 --separate-stderr occy-layers <changed
	got=$(sha256sum <zeros)
	[ "$stderr" = "occy-layers: docker.io/library/test:all: layer 2 $layer: diff_id mismatch, got sha256:${got%% *}" ]
	[ "$(lines "$output" | grep -c '"type":"end"')" = 0 ]
}

@test "a layer that is no tar is status 8" {
	yes | head -c 2048 >file
	hex=$(sha256sum <file | cut -d ' ' -f 1)
	lines '{"type":"stream","occy":1}' '{"type":"image","names":[]}' \
		"{\"type\":\"layer\",\"index\":0,\"digest\":\"sha256:$hex\",\"diff_id\":\"sha256:$hex\",\"file\":\"$PWD/file\"}" \
		'{"type":"end"}' >stream
	run -8 --separate-stderr occy-layers <stream
	[[ "$stderr" == "occy-layers: image: layer 0 sha256:$hex: "* ]]
	[ "${#stderr_lines[@]}" = 1 ]
}

@test "a record and a config that contradict each other are status 8" {
	wrong=sha256:$(printf '0%.0s' {1..64})
	jq -c --arg wrong "$wrong" 'if .index == 1 then .diff_id = $wrong else . end' stream >changed
	run -8 --separate-stderr occy-layers <changed
	layer=$(layer_digests layout all | sed -n 2p)
	[ "$stderr" = "occy-layers: docker.io/library/test:all: layer 1 $layer: diff_id mismatch: its record says $wrong, the config $(diff_ids layout all | sed -n 2p)" ]
}

@test "a layer more than the config has is status 8" {
	jq -c 'if .index == 4 then .index = 5 else . end' stream >changed
	run -8 --separate-stderr occy-layers <changed
	layer=$(layer_digests layout all | sed -n 5p)
	[ "$stderr" = "occy-layers: docker.io/library/test:all: layer 5 $layer: the config names only 5 layers" ]
}

@test "a cut stream is status 3 and gets no end record of ours" {
	head -n -1 stream >short
	run -3 --separate-stderr occy-layers <short
	[ "$stderr" = 'occy-layers: stdin:8: stream ends without an end record' ]
	[ "$(lines "$output" | grep -c '"type":"end"')" = 0 ]
}

@test "--tar writes each layer's tar and nothing else" {
	for index in 0 1 2 3 4; do
		occy-layers --tar "$index" <stream >got
		plain "$index" | cmp - got
	done
}

@test "--tar of a layer that is not there is status 4" {
	run -4 --separate-stderr occy-layers --tar 5 <stream
	[ -z "$output" ]
	[ "$stderr" = 'occy-layers: the stream has no layer 5' ]
}

@test "--tar with a second image is status 2" {
	stream_of layout empty | cat stream - >two
	run -2 --separate-stderr occy-layers --tar 0 <two
	[ "$stderr" = 'occy-layers: docker.io/library/test:empty: a second image, and --tar is for one only' ]
}

@test "--tar with something that is no number is status 2" {
	run -2 --separate-stderr occy-layers --tar x <stream
	[ "${stderr_lines[0]}" = "occy-layers: --tar: 'x' is not a number from 0 to 9999" ]
	[ -z "$output" ]
}

@test "standard output that cannot be written is status 9" {
	run -9 --separate-stderr sh -c 'occy-layers <stream >/dev/full'
	[ "$stderr" = 'occy-layers: stdout: No space left on device' ]
	run -9 --separate-stderr sh -c 'occy-layers --tar 0 <stream >/dev/full'
	[ "$stderr" = 'occy-layers: stdout: No space left on device' ]
}

@test "a reader that leaves is no error" {
	make_layout big <<-END
		image big
		layer
		fill file 3000000
	END
	stream_of big big >stream
	occy-layers --tar 0 <stream 2>stderr | head -c 1 >got
	codes=("${PIPESTATUS[@]}")
	[ "${codes[0]}" = 141 ]
	[ ! -s stderr ]
}
