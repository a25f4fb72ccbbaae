# mkimage.bash - images for tests, made from text.
#
# mkimage.py says what a description looks like.
# shellcheck shell=bash
mkimage_helpers=${BASH_SOURCE[0]%/*}

# make_layout DIR <DESCRIPTION: an OCI image layout.
make_layout() {
	python3 "$mkimage_helpers/mkimage.py" write "$1"
}

# push_layout DIR HOST:PORT REPOSITORY: everything in it, byte for byte.
push_layout() {
	python3 "$mkimage_helpers/mkimage.py" push "$@"
}

# blob_path DIR DIGEST
blob_path() {
	echo "$1/blobs/${2/://}"
}

# manifest_digest DIR TAG
manifest_digest() {
	jq -er --arg tag "$2" '.manifests[]
		| select(.annotations["org.opencontainers.image.ref.name"] == $tag)
		| .digest' "$1/index.json"
}

# manifest_file DIR TAG: the manifest's file.
manifest_file() {
	blob_path "$1" "$(manifest_digest "$1" "$2")"
}

# config_digest DIR TAG, layer_digests DIR TAG, diff_ids DIR TAG: of an image.
config_digest() {
	jq -er .config.digest "$(manifest_file "$1" "$2")"
}

layer_digests() {
	jq -er '.layers[].digest' "$(manifest_file "$1" "$2")"
}

diff_ids() {
	jq -er '.rootfs.diff_ids[]' "$(blob_path "$1" "$(config_digest "$1" "$2")")"
}

# stream_of DIR TAG: an image of a layout as a stream, as occy-pull writes it.
stream_of() {
	local dir manifest config diff_ids
	dir=$(cd "$1" && pwd) || return
	manifest=$(manifest_digest "$1" "$2") || return
	config=$(config_digest "$1" "$2") || return
	diff_ids=$(jq -c .rootfs.diff_ids "$(blob_path "$1" "$config")") || return
	jq -c --arg dir "$dir" --arg tag "$2" --arg digest "$manifest" \
		--argjson diff_ids "$diff_ids" '
		def file: $dir + "/blobs/" + sub(":"; "/");
		{type: "stream", occy: 1},
		{type: "image", names: ["docker.io/library/test:" + $tag],
			digest: $digest, layers: (.layers | length),
			file: ($digest | file)},
		{type: "config", digest: .config.digest, size: .config.size,
			file: (.config.digest | file)},
		(.layers | to_entries[] | {type: "layer", index: .key,
			digest: .value.digest, size: .value.size,
			diff_id: $diff_ids[.key], file: (.value.digest | file)}),
		{type: "end", images: 1, records: (2 + (.layers | length))}
	' "$(manifest_file "$1" "$2")"
}
