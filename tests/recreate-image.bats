#!/usr/bin/env bats
# recreate-image: the tarball of an image that lies in a directory.
load helpers/common
load helpers/mkimage
load helpers/saved

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	make_layout layout <<-END
		image 2023.1 cmd=/bin/one
		layer
		dir etc
		file etc/base 1
		layer none
		file etc/one 2
		image latest cmd=/bin/two
		layer
		dir etc
		file etc/base 1
		layer zstd
		file etc/two 3
		layer
		dir etc
		file etc/base 1
		image none
		image long algorithm=sha512
		layer bzip2
		file etc/long 4
	END
}

setup() {
	own_folder
	ln -s "$BATS_FILE_TMPDIR/layout" layout
}

# fetched TAG [NAME]...: wanted.tar, what a fetch of the image would make of it
# if these were its names.
fetched() {
	local names
	names=$(jq -cn '$ARGS.positional' --args "${@:2}")
	stream_of layout "$1" |
		jq -c --argjson names "$names" 'if .names then .names = $names else . end' |
		occy-pack wanted.tar >/dev/null
}

# recreated ARGUMENT...: x.tar is made, in silence, and is wanted.tar.
recreated() {
	run -0 --separate-stderr occystrap recreate-image "$@" x.tar
	[ -z "$output$stderr" ]
	cmp wanted.tar x.tar
	nothing_left
}

nothing_left() {
	[ -z "$(find . -name '.*' ! -name . ! -name .cache ! -path './.cache/*')" ]
}

@test "each image of a merged directory, byte for byte as it was fetched" {
	save_merged layout 2023.1 m homeassistant/home-assistant
	save_merged layout latest m homeassistant/home-assistant
	save_merged layout latest m library/busybox
	save_merged layout none m library/none
	save_merged layout long m library/long
	for name in homeassistant/home-assistant:2023.1 homeassistant/home-assistant:latest \
		library/busybox:latest library/none:none library/long:long; do
		fetched "${name#*:}" "docker.io/$name"
		recreated m "${name%:*}" "${name#*:}"
	done
}

@test "an extracted directory's image, byte for byte as it was fetched" {
	save_extracted layout latest d library/busybox
	fetched latest docker.io/library/busybox:latest
	recreated d library/busybox latest
}

@test "another registry's image keeps its name; one fetched by digest has none" {
	save_merged layout latest m a/b
	jq -c '.[0].RepoTags = ["quay.io/a/b:latest"]' m/manifest-a_b-latest.json >new
	mv new m/manifest-a_b-latest.json
	fetched latest quay.io/a/b:latest
	recreated m a/b latest
	jq -c '.[0].RepoTags = []' m/manifest-a_b-latest.json >new
	digest=$(manifest_digest layout latest)
	mv new "m/manifest-a_b-$digest.json"
	add_to_catalog m a/b "$digest" "manifest-a_b-$digest.json"
	fetched latest
	recreated m a/b "$digest"
}

@test "what another program made of the tarball is the image still" {
	save_merged layout latest m library/busybox
	fetched latest docker.io/library/busybox:latest
	recreated m library/busybox latest
	skopeo inspect --config --raw "docker-archive:x.tar" >config
	cmp config "$(blob_path layout "$(config_digest layout latest)")"
}

@test "a tar of the directory is the same image again" {
	save_extracted layout latest d library/busybox
	(cd d && tar -cf ../d.tar ./*)
	fetched latest docker.io/library/busybox:latest
	# A tar does not say what the registry called its layers.
	run -0 --separate-stderr occystrap recreate-image d.tar library/busybox latest x.tar
	[ -z "$output$stderr" ]
	diff <(tar -xOf x.tar manifest.json | jq -c 'map([.Config, .RepoTags])') \
		<(tar -xOf wanted.tar manifest.json | jq -c 'map([.Config, .RepoTags])')
}

@test "the original's directory: the config's real digest, and a warning" {
	save_merged layout latest m homeassistant/home-assistant
	original_writes m
	id=$(config_digest layout latest)
	now=$(sha256sum <"m/${id#*:}.json")
	now=sha256:${now%% *}
	run -0 --separate-stderr occystrap recreate-image m homeassistant/home-assistant latest x.tar
	[ -z "$output" ]
	[ "$stderr" = "occy-layers: warning: m: config $id was written anew by another program and is $now now" ]
	tar -xOf x.tar "${now#*:}.json" | cmp "m/${id#*:}.json"
	diff <(tar -xOf x.tar manifest.json | jq -c .) - <<-END
		[{"Config":"${now#*:}.json","RepoTags":["docker.io/homeassistant/home-assistant:latest"],"Layers":$(
		jq -c '.[0].Layers' m/manifest*.json)}]
	END
	skopeo inspect --config --raw "docker-archive:x.tar" | cmp "m/${id#*:}.json"
	nothing_left
}

@test "FILE may be standard output" {
	save_merged layout latest m a/b
	fetched latest docker.io/a/b:latest
	for file in - /dev/stdout; do
		occystrap recreate-image m a/b latest "$file" >x.tar
		cmp wanted.tar x.tar
	done
}

@test "the global options of a fetch do no harm" {
	save_merged layout latest m a/b
	fetched latest docker.io/a/b:latest
	occystrap --os linux --architecture arm64 --store s recreate-image m a/b latest x.tar
	cmp wanted.tar x.tar
	[ ! -e s ]
}

# refused STATUS MESSAGE ARGUMENT...: and FILE stays what it was.
refused() {
	echo old >x.tar
	run "-$1" --separate-stderr occystrap recreate-image "${@:3}" x.tar
	[ -z "$output" ]
	diff <(lines "$2") <(lines "$stderr")
	[ "$(cat x.tar)" = old ]
	nothing_left
}

@test "what cannot be recreated leaves FILE as it was" {
	save_merged layout latest m a/b
	refused 4 'occy-layers: m: no image a/b:1 is in it; there are: a/b:latest' m a/b 1
	refused 9 'occy-layers: n: No such file or directory' n a/b latest
	layer=$(layer_digests layout latest | sed -n 2p)
	tr 3 4 <"m/${layer#*:}/layer.tar" >new
	mv "m/${layer#*:}/layer.tar" kept
	refused 9 "occy-layers: m/${layer#*:}/layer.tar: No such file or directory" m a/b latest
	other_content kept >"m/${layer#*:}/layer.tar"
	refused 8 "occy-layers: docker.io/a/b:latest: layer 1 $layer: diff_id mismatch, got sha256:$(
		sha256sum <"m/${layer#*:}/layer.tar" | cut -d ' ' -f 1)" m a/b latest
}

@test "operands that are too few or empty are status 2" {
	run -2 --separate-stderr occystrap recreate-image m a/b latest
	[ "${stderr_lines[0]}" = 'occystrap: recreate-image needs DIR IMAGE TAG FILE' ]
	run -2 --separate-stderr occystrap recreate-image m '' latest x.tar
	[ "${stderr_lines[0]}" = 'occystrap: recreate-image: an operand is empty' ]
}
