#!/usr/bin/env bats
# occy-layers on saved images: directories, ours and the original's, and tars.
load helpers/common
load helpers/mkimage
load helpers/saved

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	make_layout layout <<-END
		image one
		layer
		dir etc
		file etc/base 1
		layer none
		file etc/one 2
		image two
		layer
		dir etc
		file etc/base 1
		layer zstd
		file etc/two 3
		image none
		image long algorithm=sha512
		layer
		file etc/long 4
	END
}

setup() {
	own_folder
	ln -s "$BATS_FILE_TMPDIR/layout" layout
}

id() { # id LAYOUT TAG: the digits of the image's ID
	config_digest "$1" "$2" | cut -d : -f 2
}

hexes() { # hexes TAG: the digits of its layers' digests
	layer_digests layout "$1" | cut -d : -f 2
}

# block_of_directory DIR NAMES TAG: the records of an image in a directory.
block_of_directory() {
	local index=0 hex id
	id=$(id layout "$3")
	echo "{\"type\":\"image\",\"names\":$2,\"layers\":$(hexes "$3" | wc -l)}"
	echo "{\"type\":\"config\",\"digest\":\"sha256:$id\",\"file\":\"$PWD/$1/$id.json\"}"
	for hex in $(hexes "$3"); do
		echo "{\"type\":\"layer\",\"index\":$index,\"digest\":\"sha256:$hex\",\"digest_unchecked\":true,\"diff_id\":\"$(
			diff_ids layout "$3" | sed -n "$((index + 1))p"
		)\",\"plain\":{\"file\":\"$PWD/$1/$hex/layer.tar\"},\"uncompressed_size\":$(
			wc -c <"$1/$hex/layer.tar"
		),\"entries\":$(tar -tf "$1/$hex/layer.tar" | wc -l),\"created_by\":\"layer $index\"}"
		((++index))
	done
}

# refused STATUS MESSAGE [ARGUMENT]...: so ends occy-layers, without an end
# record, and does not hang.
refused() {
	run "-$1" --separate-stderr timeout 20 occy-layers "${@:3}"
	diff <(lines "occy-layers: $2") <(lines "$stderr")
	[ "$(lines "$output" | grep -c '"type":"end"')" = 0 ]
}

# Directories

@test "an extracted directory gives its image's records" {
	save_extracted layout one d library/busybox
	run -0 --separate-stderr occy-layers d
	[ -z "$stderr" ]
	{
		echo '{"type":"stream","occy":1}'
		block_of_directory d '["docker.io/library/busybox:one"]' one
		echo '{"type":"end","images":1,"records":4}'
	} >wanted
	diff wanted <(lines "$output")
	run -0 --separate-stderr occy-layers d library/busybox one
	diff wanted <(lines "$output")
}

@test "a merged directory gives all its images, in the catalog's order" {
	save_merged layout two m homeassistant/home-assistant
	save_merged layout one m library/busybox
	save_merged layout one m homeassistant/home-assistant
	run -0 --separate-stderr occy-layers m
	[ -z "$stderr" ]
	{
		echo '{"type":"stream","occy":1}'
		block_of_directory m '["docker.io/homeassistant/home-assistant:two"]' two
		block_of_directory m '["docker.io/homeassistant/home-assistant:one"]' one
		block_of_directory m '["docker.io/library/busybox:one"]' one
		echo '{"type":"end","images":3,"records":12}'
	} >wanted
	diff wanted <(lines "$output")
}

@test "IMAGE and TAG choose one image of a merged directory" {
	save_merged layout one m a/b
	save_merged layout two m a/b
	save_merged layout none m c
	run -0 --separate-stderr occy-layers m a/b two
	[ -z "$stderr" ]
	{
		echo '{"type":"stream","occy":1}'
		block_of_directory m '["docker.io/a/b:two"]' two
		echo '{"type":"end","images":1,"records":4}'
	} >wanted
	diff wanted <(lines "$output")
	run -0 --separate-stderr occy-layers m c none
	[ "${lines[1]}" = '{"type":"image","names":["docker.io/library/c:none"],"layers":0}' ]
	[ "${lines[3]}" = '{"type":"end","images":1,"records":2}' ]
}

@test "an image that is not in it is status 4, with those that are" {
	save_merged layout one m a/b
	save_merged layout two m a/b
	save_merged layout none m c
	refused 4 'm: no image a/b:three is in it; there are: a/b:one, a/b:two, c:none' m a/b three
	refused 4 'm: no image b:one is in it; there are: a/b:one, a/b:two, c:none' m b one
	refused 4 'm: no image a\x0a:\x1b is in it; there are: a/b:one, a/b:two, c:none' m $'a\n' $'\033'
	for tag in {1..19}; do
		add_to_catalog m a "$tag" manifest.json
	done
	refused 4 "m: no image d:1 is in it; there are: a/b:one, a/b:two, c:none$(printf ', a:%s' {1..17}) and 2 more" m d 1
	echo '{}' >m/catalog.json
	refused 4 'm: no image is in it' m
	refused 4 'm: no image is in it' m a/b one
}

@test "a link to a directory, and one to a tar, are followed" {
	save_extracted layout one d a/b
	ln -s d e
	run -0 --separate-stderr occy-layers e/
	occy-layers d >wanted
	diff wanted <(lines "$output")
	occy-pack x.tar <wanted >/dev/null
	ln -s x.tar y.tar
	occy-layers x.tar >wanted
	run -0 --separate-stderr occy-layers ./y.tar
	diff wanted <(lines "$output")
}

@test "a directory without catalog.json goes by manifest.json" {
	save_files layout one d
	save_files layout two d
	{
		saved_entry layout one one:1 quay.io/x/y:2
		saved_entry layout two docker.io/library/two:2
	} | jq -cs . >d/manifest.json
	run -0 --separate-stderr occy-layers d
	{
		echo '{"type":"stream","occy":1}'
		block_of_directory d '["docker.io/library/one:1","quay.io/x/y:2"]' one
		block_of_directory d '["docker.io/library/two:2"]' two
		echo '{"type":"end","images":2,"records":8}'
	} >wanted
	diff wanted <(lines "$output")
	for words in 'one 1' 'library/one 1' 'docker.io/library/one 1' 'x/y 2' 'quay.io/x/y 2'; do
		# shellcheck disable=SC2086 # two words
		run -0 --separate-stderr occy-layers d $words
		[ "${lines[1]}" = '{"type":"image","names":["docker.io/library/one:1","quay.io/x/y:2"],"layers":2}' ]
	done
	refused 4 'd/manifest.json: no image y:2 is in it; there are: docker.io/library/one:1, quay.io/x/y:2, docker.io/library/two:2' d y 2
}

@test "an image that two entries could be is status 1, without a guess" {
	save_files layout one d
	save_files layout two d
	{
		saved_entry layout one quay.io/a/b:1
		saved_entry layout two ghcr.io/a/b:1
	} | jq -cs . >d/manifest.json
	refused 1 'd/manifest.json: 2 images in it could be a/b:1' d a/b 1
	run -0 --separate-stderr occy-layers d ghcr.io/a/b 1
	[[ "${lines[1]}" == *'"names":["ghcr.io/a/b:1"]'* ]]
	saved_entry layout two docker.io/a/b:1 >other
	jq -c --slurpfile two other '.[1] = $two[0]' d/manifest.json >new
	mv new d/manifest.json
	run -0 --separate-stderr occy-layers d a/b 1
	[[ "${lines[1]}" == *'"names":["docker.io/a/b:1"]'* ]]
}

# The original's directories

@test "the original's merged directory: one warning, real digests, full names" {
	save_merged layout one m homeassistant/home-assistant
	save_merged layout two m library/busybox
	original_writes m
	first=$(id layout one)
	run -0 --separate-stderr occy-layers m
	now=$(sha256sum <"m/$first.json" | cut -d ' ' -f 1)
	[ "$stderr" = "occy-layers: warning: m: config sha256:$first was written anew by another program and is sha256:$now now" ]
	{
		echo '{"type":"stream","occy":1}'
		block_of_directory m '["docker.io/homeassistant/home-assistant:one"]' one
		block_of_directory m '["docker.io/library/busybox:two"]' two
		echo '{"type":"end","images":2,"records":8}'
	} | sed "s/\"digest\":\"sha256:$first\"/\"digest\":\"sha256:$now\"/
		s/\"digest\":\"sha256:$(id layout two)\"/\"digest\":\"sha256:$(
		sha256sum <"m/$(id layout two).json" | cut -d ' ' -f 1)\"/" >wanted
	diff wanted <(lines "$output")
}

@test "the original's extracted directory: the name is the catalog's" {
	save_extracted layout one d homeassistant/home-assistant
	original_writes d
	[ "$(jq -r '.[0].RepoTags[0]' d/manifest.json)" = home-assistant:one ]
	run -0 --separate-stderr occy-layers d homeassistant/home-assistant one
	[ "${lines[1]}" = '{"type":"image","names":["docker.io/homeassistant/home-assistant:one"],"layers":2}' ]
	[ "${#stderr_lines[@]}" = 1 ]
}

@test "the original's image by digest has no name" {
	save_merged layout one m a/b
	digest=$(manifest_digest layout one)
	mv m/manifest-a_b-one.json "m/manifest-a_b-$digest.json"
	jq -c --arg digest "$digest" '.[0].RepoTags = ["b:" + $digest]' \
		"m/manifest-a_b-$digest.json" >new
	mv new "m/manifest-a_b-$digest.json"
	rm m/catalog.json
	add_to_catalog m a/b "$digest" "manifest-a_b-$digest.json"
	run -0 --separate-stderr occy-layers m a/b "$digest"
	[ -z "$stderr" ]
	[ "${lines[1]}" = '{"type":"image","names":[],"layers":2}' ]
}

@test "a config that is no longer its name in any other form is status 8" {
	save_merged layout one m a/b
	file=m/$(id layout one).json
	jq -c '.os = "plan9"' "$file" >new
	cp new "$file"
	refused 8 "m: config sha256:$(id layout one): digest mismatch, got sha256:$(
		sha256sum <new | cut -d ' ' -f 1)" m a/b one
	: >"$file"
	refused 8 "m: config sha256:$(id layout one): digest mismatch, got sha256:$(
		sha256sum </dev/null | cut -d ' ' -f 1)" m a/b one
}

@test "two of the original's images whose names make one file name are told apart" {
	save_merged layout one m a/b
	save_merged layout one m a_b
	run -0 --separate-stderr occy-layers m a_b one
	refused 8 'm/manifest-a_b-one.json: is of image a_b, but the catalog names it for a/b' m a/b one
}

# Tars

# tar_of TAG [TAG]...: x.tar as occy-pack writes it.
tar_of() {
	local tag
	for tag; do
		stream_of layout "$tag"
	done | occy-pack x.tar >/dev/null
}

@test "a tar is read in place: records say where" {
	tar_of one
	run -0 --separate-stderr occy-layers x.tar
	[ -z "$stderr" ]
	mapfile -t ids < <(diff_ids layout one)
	mapfile -t digests < <(layer_digests layout one)
	first=$(plain_layer layout "${digests[0]}" | wc -c)
	second=$(plain_layer layout "${digests[1]}" | wc -c)
	id=$(id layout one)
	size=$(wc -c <"$(blob_path layout "sha256:$id")")
	((size < 512))
	diff <(lines "$output") - <<-END
		{"type":"stream","occy":1}
		{"type":"image","names":["docker.io/library/test:one"],"layers":2}
		{"type":"config","digest":"sha256:$id","size":$size,"file":"$PWD/x.tar","offset":512,"length":$size}
		{"type":"layer","index":0,"diff_id":"${ids[0]}","plain":{"file":"$PWD/x.tar","offset":1536,"length":$first},"uncompressed_size":$first,"entries":2,"created_by":"layer 0"}
		{"type":"layer","index":1,"diff_id":"${ids[1]}","plain":{"file":"$PWD/x.tar","offset":$((2048 + first)),"length":$second},"uncompressed_size":$second,"entries":1,"created_by":"layer 1"}
		{"type":"end","images":1,"records":4}
	END
}

@test "several images in a tar, and one of them" {
	tar_of one two
	run -0 --separate-stderr occy-layers x.tar
	diff <(lines "$output" | jq -c 'select(.type == "image").names') - <<-'END'
		["docker.io/library/test:one"]
		["docker.io/library/test:two"]
	END
	[ "${lines[-1]}" = '{"type":"end","images":2,"records":8}' ]
	# The layer that both have lies at one place.
	[ "$(lines "$output" | jq -c 'select(.index == 0).plain' | uniq | wc -l)" = 1 ]
	run -0 --separate-stderr occy-layers x.tar test two
	[ "${lines[1]}" = '{"type":"image","names":["docker.io/library/test:two"],"layers":2}' ]
	[ "${lines[-1]}" = '{"type":"end","images":1,"records":4}' ]
	refused 4 'x.tar: no image test:three is in it; there are: docker.io/library/test:one, docker.io/library/test:two' x.tar test three
}

@test "a tar that tar made of an extracted directory, in each of its forms" {
	save_extracted layout one d library/test
	for format in v7 ustar gnu pax; do
		for what in '*' .; do
			# shellcheck disable=SC2086 # the names
			(cd d && tar --format=$format -cf ../x.tar $what)
			occy-layers x.tar | occy-pack y.tar >/dev/null
			tar -xOf y.tar manifest.json >got
			[ "$(jq -r '.[0].Layers | length' got)" = 2 ]
			[ "$(jq -r '.[0].Config' got)" = "$(id layout one).json" ]
		done
	done
}

@test "sha512 digests are names too" {
	tar_of long
	run -0 --separate-stderr occy-layers x.tar
	[ "$(lines "$output" | jq -r 'select(.type == "config").digest')" = "$(config_digest layout long)" ]
	mkdir d
	tar -C d -xf x.tar
	run -0 --separate-stderr occy-layers d
	[ "$(lines "$output" | jq -r 'select(.type == "layer").digest')" = "$(layer_digests layout long)" ]
}

@test "--tar N of a tar and of a directory" {
	tar_of one
	mkdir d
	tar -C d -xf x.tar
	for index in 0 1; do
		plain_layer layout "$(layer_digests layout one | sed -n "$((index + 1))p")" >wanted
		occy-layers --tar "$index" x.tar | cmp wanted
		occy-layers --tar "$index" d test one | cmp wanted
	done
	run -4 --separate-stderr occy-layers --tar 2 x.tar
	[ "$stderr" = 'occy-layers: x.tar has no layer 2' ]
	[ -z "$output" ]
}

@test "a tar from a pipe is spooled into the store" {
	tar_of one
	hex=$(sha256sum <x.tar | cut -d ' ' -f 1)
	run -0 --separate-stderr occy-layers --store s - <x.tar
	[ -z "$stderr" ]
	diff <(occy-layers x.tar | sed "s|$PWD/x.tar|$PWD/s/blobs/sha256/$hex|") <(lines "$output")
	cmp x.tar "s/blobs/sha256/$hex"
	[ -z "$(ls s/parts)" ]
	# Once more: it is there.
	inode=$(stat -c %i "s/blobs/sha256/$hex")
	OCCY_STORE=s run -0 --separate-stderr occy-layers - test one <x.tar
	[ "$inode" = "$(stat -c %i "s/blobs/sha256/$hex")" ]
	# And it is not believed for its name.
	echo >"s/blobs/sha256/$hex"
	occy-layers --store s <(cat x.tar) >got
	cmp x.tar "s/blobs/sha256/$hex"
	diff <(lines "$output") got
	ln -sf "$PWD/x.tar" "s/blobs/sha256/$hex"
	occy-layers --store s - <x.tar >got
	[ ! -L "s/blobs/sha256/$hex" ]
	[ -z "$(ls s/parts)" ]
}

@test "a store that cannot be made is status 9" {
	: >file
	refused 9 'file: Not a directory' --store file - </dev/null
}

# make_tar FILE: a tar of the members that are told line by line: a type, a
# name, and what it holds or, of a link, where it points.
make_tar() {
	python3 - "$1" 3<&0 <<-'END'
		import io, os, sys, tarfile
		kinds = {"file": tarfile.REGTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
		         "dir": tarfile.DIRTYPE, "fifo": tarfile.FIFOTYPE}
		with tarfile.open(sys.argv[1], "w", format=tarfile.USTAR_FORMAT) as out:
		    for line in os.fdopen(3):
		        kind, name, rest = (line.rstrip("\n").split(" ", 2) + [""])[:3]
		        info = tarfile.TarInfo(name)
		        info.type = kinds[kind]
		        data = open(rest[1:], "rb").read() if rest.startswith("@") else rest.encode()
		        if kind == "file":
		            info.size = len(data)
		        else:
		            info.linkname = rest
		        out.addfile(info, io.BytesIO(data))
	END
}

# members: of the image one, as lines for make_tar.
members() {
	local hex
	save_files layout one d
	echo "file $(id layout one).json @d/$(id layout one).json"
	for hex in $(hexes one); do
		echo "file $hex/layer.tar @d/$hex/layer.tar"
	done
	echo "file manifest.json [$(saved_entry layout one test:one)]"
}

@test "the members may come in any order, with others between them" {
	members | tac >lines
	{
		echo 'file VERSION 1.0'
		echo 'fifo ../../evil'
		echo 'link etc /'
		cat lines
		echo 'file repositories {}'
	} | make_tar x.tar
	run -0 --separate-stderr occy-layers x.tar
	[ -z "$stderr" ]
	[ "${lines[-1]}" = '{"type":"end","images":1,"records":4}' ]
}

@test "a layer that is a link to another one's, as docker wrote it" {
	hex=$(hexes one | head -n 1)
	other=$(printf 'e%.0s' {1..64})
	members | sed "s|$hex/layer.tar @|$other/layer.tar @|
		2i link $hex/layer.tar ../$other/layer.tar" >lines
	make_tar x.tar <lines
	run -0 --separate-stderr occy-layers x.tar
	[ -z "$stderr" ]
	# One step, and only to a layer.
	sed "s|^file $other/layer.tar .*|link $other/layer.tar ../$hex/layer.tar|" lines | make_tar x.tar
	refused 8 "x.tar: $hex/layer.tar: is no file" x.tar
	sed "s|^file $other/layer.tar .*|fifo $other/layer.tar|" lines | make_tar x.tar
	refused 8 "x.tar: $hex/layer.tar: is no file" x.tar
	grep -v "^file $other" lines | make_tar x.tar
	refused 8 "x.tar: $hex/layer.tar: is missing" x.tar
	for target in /etc/passwd "$other/layer.tar" "../../$other/layer.tar" ../manifest.json; do
		sed "s|^link .*|link $hex/layer.tar $target|" lines | make_tar x.tar
		refused 8 "x.tar: $hex/layer.tar: is no file" x.tar
	done
	sed "s|^link .*|hard $hex/layer.tar $other/layer.tar|" lines | make_tar x.tar
	refused 8 "x.tar: $hex/layer.tar: is no file" x.tar
}

@test "of two members of one name the later one counts, but manifest.json is one" {
	hex=$(hexes one | head -n 1)
	{
		echo "file $hex/layer.tar rubbish"
		members
	} | make_tar x.tar
	run -0 --separate-stderr occy-layers x.tar
	{
		members
		echo "link $hex/layer.tar elsewhere"
	} | make_tar x.tar
	refused 8 "x.tar: $hex/layer.tar: is no file" x.tar
	{
		members
		echo 'file ./manifest.json []'
	} | make_tar x.tar
	refused 8 'x.tar: manifest.json: is in it twice' x.tar
}

@test "what is no archive of docker save is status 8" {
	: >empty
	refused 8 'empty: no manifest.json is in it: not an archive of docker save' empty
	yes | head -c 2048 >letters
	refused 8 "letters: a tar header has a wrong checksum" letters
	make_tar x.tar <<<'file etc/passwd root'
	refused 8 'x.tar: no manifest.json is in it: not an archive of docker save' x.tar
	make_tar x.tar <<<'link manifest.json /etc/passwd'
	refused 8 'x.tar: manifest.json: is no file' x.tar
	make_tar x.tar <<<'file manifest.json []'
	refused 4 'x.tar: no image is in it' x.tar
	head -c 1048577 /dev/zero | tr '\0' ' ' >spaces
	make_tar x.tar <<<'file manifest.json @spaces'
	refused 8 'x.tar: manifest.json: larger than 1048576 bytes' x.tar
	refused 9 'nowhere: No such file or directory' nowhere
}

@test "a tar that lacks a member, or was cut, is status 8" {
	hex=$(hexes one | tail -n 1)
	members >lines
	grep -v "^file $hex" lines | make_tar x.tar
	refused 8 "x.tar: $hex/layer.tar: is missing" x.tar
	grep -v "^file $(id layout one)" lines | make_tar x.tar
	refused 8 "x.tar: $(id layout one).json: is missing" x.tar
	tac lines | make_tar whole
	for size in 511 513 700 1025 4000 20000; do
		head -c "$size" whole >x.tar
		refused 8 'x.tar: the tar is cut short' x.tar
	done
	# Between two members no cut shows but by what is missing.
	head -c 1024 whole >x.tar
	refused 8 "x.tar: $(id layout one).json: is missing" x.tar
}

@test "a sparse layer is not read in place" {
	save_extracted layout one d library/test
	hex=$(hexes one | head -n 1)
	truncate -s 10M "d/$hex/layer.tar"
	tar -C d --format=pax --sparse -cf x.tar "$hex" manifest.json "$(id layout one).json"
	refused 8 "x.tar: $hex/layer.tar: is stored as a sparse file" x.tar
}

@test "a config in a tar is what its name says" {
	members >lines
	tr a b <"d/$(id layout one).json" >wrong
	sed "s|@d/$(id layout one).json|@wrong|" lines | make_tar x.tar
	refused 8 "x.tar: config sha256:$(id layout one): digest mismatch, got sha256:$(
		sha256sum <wrong | cut -d ' ' -f 1)" x.tar
	head -c 4194305 /dev/zero >wrong
	sed "s|@d/$(id layout one).json|@wrong|" lines | make_tar x.tar
	refused 8 "x.tar: $(id layout one).json: larger than 4194304 bytes" x.tar
}

# Hostile directories

@test "catalog.json names plain files of the directory, or is status 8" {
	save_merged layout one m a/b
	mkdir m/sub
	cp m/manifest-a_b-one.json m/sub/x.json
	cp m/manifest-a_b-one.json outside.json
	long=$(printf 'x%.0s' {1..251}).json
	while IFS= read -r value; do
		jq -cn --argjson value "$value" '{"a/b": {one: $value}}' >m/catalog.json
		shown=$(jq -cr 'if type == "string" then "not the name of a manifest: '\''" +
			(if length > 256 then .[:256] + "..." else . end) + "'\''" else "is no string" end' <<<"$value")
		refused 8 "m/catalog.json: a/b:one: ${shown//$'\n'/\\x0a}" m a/b one
	done <<-END
		"../../etc/passwd"
		"../outside.json"
		"$PWD/outside.json"
		"sub/x.json"
		""
		"."
		".."
		".json"
		"manifest-a_b-one"
		"manifest-a_b-one.json\\n"
		"$long"
		"$long$long"
		null
		7
		["manifest-a_b-one.json"]
		{"file": "manifest-a_b-one.json"}
	END
}

@test "a malformed catalog.json is status 8" {
	save_merged layout one m a/b
	while IFS='|' read -r text message; do
		printf '%s' "$text" >m/catalog.json
		refused 8 "m/catalog.json: $message" m a/b one
	done <<-'END'
		[]|not a JSON object
		{"a/b":[]}|a/b: is no object
		{"a/b":{"one":"x.json","one":"y.json"}}|JSON object has a doubled key
	END
	head -c 8388609 /dev/zero >m/catalog.json
	refused 8 'm/catalog.json: larger than 8388608 bytes' m a/b one
}

@test "manifest.json names digests, or is status 8" {
	save_extracted layout one d a/b
	cp d/manifest.json good
	id=$(id layout one) hex=$(hexes one | head -n 1)
	while IFS='|' read -r change message; do
		jq -c --arg hex "$hex" ".[0] |= ($change)" good >d/manifest.json
		refused 8 "d/manifest.json: image 0$message" d a/b one
	done <<-END
		.Config = "../../etc/shadow"|: Config is not <digest>.json: '../../etc/shadow'
		.Config = "/etc/shadow"|: Config is not <digest>.json: '/etc/shadow'
		.Config = ""|: Config is not <digest>.json: ''
		.Config = "catalog.json"|: Config is not <digest>.json: 'catalog.json'
		.Config = "${id^^}.json"|: Config is not <digest>.json: '${id^^}.json'
		.Config = "${id:1}.json"|: Config is not <digest>.json: '${id:1}.json'
		.Config = "$id.json\\u0000"|: Config is no string
		.Config = {}|: Config is no string
		del(.Config)|: Config is missing
		.config = "x"|: Config is written in another case
		.Layers[1] = "../../etc/shadow"|: layer 1 is not <digest>/layer.tar: '../../etc/shadow'
		.Layers[1] = "/etc/shadow"|: layer 1 is not <digest>/layer.tar: '/etc/shadow'
		.Layers[1] = ""|: layer 1 is not <digest>/layer.tar: ''
		.Layers[0] = (\$hex + "/../" + \$hex + "/layer.tar")|: layer 0 is not <digest>/layer.tar: '$hex/../$hex/layer.tar'
		.Layers[0] = ("./" + \$hex + "/layer.tar")|: layer 0 is not <digest>/layer.tar: './$hex/layer.tar'
		.Layers[0] = 7|: Layers holds something else than strings
		.Layers = "x"|: Layers is no array
		.Layers = [range(10001)]|: Layers has more than 10000 elements
		.RepoTags = "x"|: RepoTags is no array
		.RepoTags = [range(1001)]|: RepoTags has more than 1000 elements
		.RepoTags = [null]|: RepoTags holds something else than strings
		.ImageName = []|: ImageName is no string
		"x"| is no object
	END
	for text in '{}' 7; do
		echo "$text" >d/manifest.json
		refused 8 'd/manifest.json: not a JSON array' d a/b one
	done
	echo '[]' >d/manifest.json
	refused 8 'd/manifest.json: holds 0 images, not the one that the catalog names' d a/b one
	jq -c '. + .' good >d/manifest.json
	refused 8 'd/manifest.json: holds 2 images, not the one that the catalog names' d a/b one
}

@test "a name that is none is status 8, and does not reach the terminal" {
	save_files layout one d
	saved_entry layout one $'a/b:1\033[2J\n' | jq -cs . >d/manifest.json
	refused 8 "d/manifest.json: image 0: RepoTags: bad tag: 1\\x1b[2J\\x0a" d
	save_extracted layout one d a/b
	saved_entry layout one b:1 | jq -cs . >d/manifest.json
	echo '{"../b":{"one":"manifest.json"}}' >d/catalog.json
	refused 8 "d/catalog.json: ../b:one: bad repository name: ../b" d
}

@test "the manifest and the config must have the same number of layers" {
	save_extracted layout one d a/b
	id=$(id layout one)
	cp d/manifest.json good
	jq -c '.[0].Layers |= .[:1]' good >d/manifest.json
	refused 8 "d: config sha256:$id: names 2 layers, but the manifest 1" d a/b one
	jq -c '.[0].Layers |= . + .' good >d/manifest.json
	refused 8 "d: config sha256:$id: names 2 layers, but the manifest 4" d a/b one
}

@test "a layer that is not what the config says is status 8" {
	save_extracted layout one d a/b
	hex=$(hexes one | tail -n 1)
	other_content "d/$hex/layer.tar" >new
	cp new "d/$hex/layer.tar"
	refused 8 "docker.io/a/b:one: layer 1 sha256:$hex: diff_id mismatch, got sha256:$(
		sha256sum <new | cut -d ' ' -f 1)" d
	# Two layers that have changed places.
	jq -c '.[0].Layers |= reverse' d/manifest.json >new
	mv new d/manifest.json
	save_files layout one d
	refused 8 "docker.io/a/b:one: layer 0 sha256:$hex: diff_id mismatch, got $(diff_ids layout one | tail -n 1)" d
}

@test "what is not a file is not opened, and status 8" {
	save_merged layout one m a/b
	id=$(id layout one) hex=$(hexes one | head -n 1)
	for name in catalog.json manifest-a_b-one.json "$id.json" "$hex/layer.tar"; do
		mv "m/$name" kept
		ln -s "$PWD/kept" "m/$name"
		refused 8 "m/$name: is a symbolic link" m a/b one
		rm "m/$name"
		mkfifo "m/$name"
		refused 8 "m/$name: not a regular file" m a/b one
		rm "m/$name"
		mkdir "m/$name"
		refused 8 "m/$name: not a regular file" m a/b one
		rmdir "m/$name"
		mv kept "m/$name"
	done
	mv "m/$hex" kept
	ln -s ../kept "m/$hex"
	refused 8 "m/$hex: not a directory" m a/b one
	rm "m/$hex"
	: >"m/$hex"
	refused 8 "m/$hex: not a directory" m a/b one
}

@test "what is missing is status 9" {
	save_merged layout one m a/b
	id=$(id layout one) hex=$(hexes one | head -n 1)
	for name in manifest-a_b-one.json "$id.json" "$hex/layer.tar"; do
		mv "m/$name" kept
		refused 9 "m/$name: No such file or directory" m a/b one
		mv kept "m/$name"
	done
	rm -r "m/$hex"
	refused 9 "m/$hex/layer.tar: No such file or directory" m a/b one
	mkdir empty
	refused 9 'empty: holds neither catalog.json nor manifest.json' empty
}

@test "only what the manifests list is looked at" {
	save_merged layout one m a/b
	occy-layers m >wanted
	mkfifo m/manifest.json $'m/a\nb' "m/$(printf 'a%.0s' {1..64}).json"
	mkdir -p "m/$(printf 'b%.0s' {1..64})" m/a/b/c
	ln -s / m/root
	(cd m && seq -f 'name%06g' 20000 | xargs touch)
	run -0 --separate-stderr timeout 20 occy-layers m
	diff wanted <(lines "$output")
}

@test "a path that is not UTF-8 cannot be named in a stream: status 9" {
	save_extracted layout one d a/b
	mv d $'d\xff'
	refused 9 'd\xff: its path is not UTF-8, so no record can name it' $'d\xff'
}

# Operands

@test "operands that are too few, too many, or empty are status 2" {
	save_extracted layout one d a/b
	while read -r message words; do
		eval "set -- $words"
		run -2 --separate-stderr occy-layers "$@"
		[ "${stderr_lines[0]}" = "occy-layers: ${message//_/ }" ]
		[ -z "$output" ]
	done <<-'END'
		TAG_is_missing d a/b
		unexpected_argument:_x d a/b one x
		an_operand_is_empty ''
		an_operand_is_empty d '' one
		an_operand_is_empty d a/b ''
	END
}

@test "the header is out before anything can fail" {
	run -9 --separate-stderr occy-layers nowhere
	[ "$output" = '{"type":"stream","occy":1}' ]
}
