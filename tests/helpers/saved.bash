# saved.bash - directories of images, written as text says, by nobody's tool.
#
# Needs mkimage.bash; LAYOUT and TAG are what its functions take.
# shellcheck shell=bash

# plain_layer LAYOUT DIGEST: a layer's tar, decoded by somebody else.
plain_layer() {
	local file
	file=$(blob_path "$1" "$2")
	bsdcat "$file" 2>/dev/null || cat "$file"
}

# save_files LAYOUT TAG DIR: the image's config and layers, as files of DIR.
save_files() {
	local config layer
	mkdir -p "$3"
	config=$(config_digest "$1" "$2") || return
	cp "$(blob_path "$1" "$config")" "$3/${config#*:}.json"
	for layer in $(layer_digests "$1" "$2" | sort -u); do
		mkdir -p "$3/${layer#*:}"
		plain_layer "$1" "$layer" >"$3/${layer#*:}/layer.tar"
	done
}

# saved_entry LAYOUT TAG [NAME]...: the image's object for a manifest, with
# these RepoTags.
saved_entry() {
	local layout=$1 tag=$2
	shift 2
	jq -cn --arg config "$(config_digest "$layout" "$tag")" \
		--arg layers "$(layer_digests "$layout" "$tag")" '
		{Config: ($config[7:] + ".json"), RepoTags: $ARGS.positional,
			Layers: [$layers | splits("\n") | select(. != "")
				| sub("^[^:]*:"; "") + "/layer.tar"]}' \
		--args "$@"
}

# add_to_catalog DIR IMAGE TAG FILE
add_to_catalog() {
	[ -e "$1/catalog.json" ] || echo '{}' >"$1/catalog.json"
	jq -c --arg image "$2" --arg tag "$3" --arg file "$4" \
		'.[$image][$tag] = $file' "$1/catalog.json" >"$1/.new"
	mv "$1/.new" "$1/catalog.json"
}

# save_extracted LAYOUT TAG DIR IMAGE: as Occy Strap makes an extracted
# directory, of docker.io's IMAGE:TAG.
save_extracted() {
	save_files "$1" "$2" "$3"
	saved_entry "$1" "$2" "docker.io/$4:$2" | jq -c '[.]' >"$3/manifest.json"
	add_to_catalog "$3" "$4" "$2" manifest.json
}

# save_merged LAYOUT TAG DIR IMAGE: add docker.io's IMAGE:TAG to a merged
# directory.
save_merged() {
	local file=manifest-${4//\//_}-$2.json
	save_files "$1" "$2" "$3"
	saved_entry "$1" "$2" "docker.io/$4:$2" |
		jq -c --arg image "$4" '[. + {ImageName: $image}]' >"$3/$file"
	add_to_catalog "$3" "$4" "$2" "$file"
}

# as_python_writes FILE...: anew, as json.dumps(indent=4, sort_keys=True) does.
as_python_writes() {
	python3 - "$@" <<-'END'
		import json, sys
		for name in sys.argv[1:]:
		    with open(name) as f:
		        document = json.load(f)
		    with open(name, "w") as f:
		        f.write(json.dumps(document, indent=4, sort_keys=True))
	END
}

# original_writes DIR: what is in DIR, as the original Occy Strap would have
# written it: all JSON anew, of RepoTags the last component alone.
original_writes() {
	local file
	for file in "$1"/manifest*.json; do
		jq 'map(.RepoTags |= map(sub(".*/"; "")))' "$file" >"$1/.new"
		mv "$1/.new" "$file"
	done
	as_python_writes "$1"/*.json
}

# other_content FILE: a tar with the first byte of its first file changed.
other_content() {
	head -c 512 "$1"
	printf x
	tail -c +514 "$1"
}
