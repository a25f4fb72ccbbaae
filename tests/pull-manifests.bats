#!/usr/bin/env bats
# occy-pull and what a tag stands for: manifests, indexes, configs, and which
# platform is taken.
load helpers/pull

oci=application/vnd.oci.image
docker=application/vnd.docker.distribution.manifest

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	craft_all || return
	start_faults "$(layout)" \
		--fault strict_accept:path=/r52 \
		--fault digest_header:value=wrong,path=/r54-header/,kind=manifest \
		--fault corrupt:at=20,kind=manifest,path=/r54-once/,times=1 \
		--fault corrupt:at=20,kind=manifest,path=/r54-always/ \
		--fault digest_header:value=none,path=/r55-none/ \
		--fault digest_header:value=nonsense,path=/r55-nonsense/ \
		--fault content_length:delta=-1,kind=manifest,path=/r56-short/manifests/sha256 \
		--fault content_type:value=text/plain,path=/r57-text/ \
		--fault content_type:value=,path=/r57-empty/ \
		--fault content_type:value=application/json,path=/r57-json/ \
		--fault content_type:value=application/octet-stream,path=/r57-octets/ \
		--fault "content_type:value=$oci.index.v1+json; charset=utf-8,path=/r57-charset/manifests/multi" \
		--fault endless:kind=manifest,path=/r60-endless/ \
		--fault no_length:kind=manifest,path=/r60-chunked/
}

teardown_file() {
	stop_faults
}

describe() {
	local image
	lines 'image amd64' layer 'file a amd64' layer 'file b more'
	for image in 'amd64v2 variant=v2' 'amd64v3 variant=v3' \
		'arm64 architecture=arm64 variant=v8' 'arm5 architecture=arm variant=v5' \
		'arm6 architecture=arm variant=v6' 'arm7 architecture=arm variant=v7' \
		'i386 architecture=386' 'windows os=windows'; do
		lines "image $image" layer "file a ${image%% *}"
	done
	lines 'index multi amd64 amd64v2 amd64v3 arm64 arm5 arm6 arm7 i386 windows' \
		'index old arm5 arm6' 'index only7 arm7' \
		'image docker format=docker' layer 'file a docker' \
		'index list format=docker docker'
}

# craft TAG TYPE <TEXT: that text is served as it stands, under that tag.
craft() {
	local file=craft.$1 hex
	cat >"$file"
	hex=$(sha256sum <"$file" | cut -d ' ' -f 1)
	jq --arg tag "$1" --arg type "$2" --arg digest "sha256:$hex" --argjson size "$(stat -c %s "$file")" \
		'.manifests += [{mediaType: $type, digest: $digest, size: $size,
			annotations: {"org.opencontainers.image.ref.name": $tag}}]' \
		"$(layout)/index.json" >index.new
	mv index.new "$(layout)/index.json"
	mv "$file" "$(layout)/blobs/sha256/$hex"
}

# blob TYPE <TEXT: a blob of that text; its descriptor.
blob() {
	local hex
	cat >blob.new
	hex=$(sha256sum <blob.new | cut -d ' ' -f 1)
	printf '{"mediaType":"%s","digest":"sha256:%s","size":%d}' "$1" "$hex" "$(stat -c %s blob.new)"
	mv blob.new "$(layout)/blobs/sha256/$hex"
}

# entry TAG [MEMBERS]: a descriptor of that image, as an index has it.
entry() {
	printf '{"mediaType":"%s","digest":"%s","size":%d%s}' "$oci.manifest.v1+json" \
		"$(digest "$1" manifest)" "$(size "$(digest "$1" manifest)")" "${2:+,$2}"
}

# index TAG ENTRY...: an index of those.
index() {
	local IFS=,
	printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' \
		"$oci.index.v1+json" "${*:2}" | craft "$1" "$oci.index.v1+json"
}

# image TAG CONFIG LAYER...: a manifest of those descriptors.
image() {
	local IFS=,
	printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' \
		"$oci.manifest.v1+json" "$2" "${*:3}" | craft "$1" "$oci.manifest.v1+json"
}

# config DIFF_ID...: a config's descriptor.
config() {
	local ids=("${@/#/\"}") IFS=,
	ids=("${ids[@]/%/\"}")
	printf '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"${ids[*]}" | blob "$oci.config.v1+json"
}

craft_all() {
	local layer plain sized text config linux='"os":"linux","architecture":"amd64"'
	layer=$(printf 'a layer' | blob "$oci.layer.v1.tar")
	plain=sha256:$(printf 'a layer' | sha256sum | cut -d ' ' -f 1)
	config=$(config "$plain")

	printf '{"schemaVersion":2,"mediaType":"%s","fsLayers":[],"config":%s,"layers":[%s]}' \
		"$oci.manifest.v1+json" "$config" "$layer" | craft r58-fslayers "$oci.manifest.v1+json"
	printf '{"schemaVersion":3,"config":%s,"layers":[%s]}' "$config" "$layer" |
		craft r58-three "$oci.manifest.v1+json"
	printf '{"config":%s,"layers":[%s]}' "$config" "$layer" | craft r58-none "$oci.manifest.v1+json"
	printf '{"schemaVersion":2,"config":%s,"Layers":[],"layers":[%s]}' "$config" "$layer" |
		craft r59-case "$oci.manifest.v1+json"
	image r59-inner "$config" "${layer%\}},\"size\":3}"
	printf '{"os":"linux","os":"windows","rootfs":{"diff_ids":["%s"]}}' "$plain" |
		blob "$oci.config.v1+json" >doubled
	image r59-config "$(cat doubled)" "$layer"

	yes "$layer" | head -n 10001 | paste -s -d , >many
	printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$config" "$(cat many)" |
		craft r60-layers "$oci.manifest.v1+json"
	mapfile -t diff_ids < <(yes "$plain" | head -n 10000)
	image many "$(config "${diff_ids[@]}")" "$(cut -d , -f 1-30000 many)"

	for sized in 1.0 1e1 '"7"' null 9007199254740992 true; do
		text=${sized//[!0-9a-z]/}
		image "r62-$text" "$config" "${layer/%:7\}/:$sized\}}"
	done
	image r62-sum "$config" "${layer/%:7\}/:9007199254740991\}}" "$layer"

	image r63-layer "$config" "${layer/.tar\"/.tar+odd\"}"
	printf '{"schemaVersion":2,"mediaType":"%s","x":{"y":[1.5,null]},"config":%s,"layers":[%s],"annotations":{"a":"b"},"subject":%s}' \
		"$oci.manifest.v1+json" "$config" "$layer" "$(entry amd64)" | craft r63-members "$oci.manifest.v1+json"
	image r63-artifact "$(printf 'no JSON' | blob application/vnd.example.config)" "$layer" "$layer"

	image r64-json "$(printf 'no JSON' | blob "$oci.config.v1+json")" "$layer"
	image r64-fewer "$(config)" "$layer"
	image r64-more "$(config "$plain" "$plain")" "$layer"
	image r64-bad "$(config sha256:ABC)" "$layer"
	image r64-large "${config/\"size\":*\}/\"size\":4194305\}}" "$layer"
	image r64-other "$(head -c 4194305 /dev/zero | blob application/vnd.example.config)" "$layer"

	index r73-annotated "$(entry arm64 "\"platform\":{$linux},\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}")" \
		"$(entry amd64 "\"platform\":{$linux}")"
	index r73-only "$(entry arm64 '"platform":{"os":"unknown","architecture":"unknown"}')"
	index r74-last "$(entry arm64)" "$(entry amd64 "\"platform\":{$linux}")"
	index r74-first "$(entry amd64)" "$(entry arm64)"
	index r75-windows "$(entry windows '"platform":{"os":"windows","architecture":"amd64","os.version":"10.0.17763.1"}')" \
		"$(entry amd64 '"platform":{"os":"windows","architecture":"amd64","os.version":"10.0.20348.2"}')"
	index r75-features "$(entry amd64v2 "\"platform\":{$linux,\"os.features\":[\"odd\"]}")" \
		"$(entry amd64 "\"platform\":{$linux,\"os.version\":\"5.10\",\"os.features\":[]}")"
	index r75-zstd "$(entry amd64v2 "\"platform\":{$linux},\"annotations\":{\"io.github.containers.compression.zstd\":\"true\"}")" \
		"$(entry amd64 "\"platform\":{$linux}")"
	index r75-zstd-only "$(entry amd64 "\"platform\":{$linux},\"annotations\":{\"io.github.containers.compression.zstd\":\"true\"}")"
}

# chosen: the digest that the image's record names.
chosen() {
	[[ ${lines[1]} =~ \"digest\":\"([^\"]*)\" ]]
	lines "${BASH_REMATCH[1]}"
}

# takes IMAGE TAG [OPTION]...: of the index at TAG that image is pulled.
takes() {
	works platform "${@:2}"
	same "$(chosen)" "$(digest "$1" manifest)"
}

# spoilt REASON TAG: status 8, and no blob asked for.
spoilt() {
	fails 8 "occy-pull: HOST/spoilt-$2:$2: $1" "spoilt-$2" "$2"
	run -1 grep -v '^manifest 200$' <(asked "spoilt-$2")
}

@test "R51 one GET for the reference, no HEAD" {
	works r51 amd64
	was_asked r51 "$(lines 'manifest 200 GET' "$(times 3 'blob 200 GET')")" .method
	works r51-multi multi
	was_asked r51-multi "$(lines "$(times 2 'manifest 200 GET')" "$(times 3 'blob 200 GET')")" .method
}

@test "R52 all four media types in one Accept line, for children as well" {
	for tag in amd64 multi docker list; do
		works "r52-$tag" "$tag"
	done
	same "$(asked r52-list '.accept | join("|")' | grep manifest | sort -u)" \
		"manifest 200 $oci.index.v1+json, $oci.manifest.v1+json, $docker.list.v2+json, $docker.v2+json"
	same "$(asked r52-list | grep -c manifest)" 2
}

@test "R52 docker's kinds keep their names" {
	works r52-docker list
	[[ ${lines[1]} == *"\"mediaType\":\"$docker.v2+json\""* ]]
	[[ ${lines[2]} == *'"mediaType":"application/vnd.docker.container.image.v1+json"'* ]]
	[[ ${lines[3]} == *'"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip"'*'"compression":"gzip"'* ]]
}

@test "R53 schema 1 is not asked for, and refused when it comes" {
	spoilt 'manifest: schema 1 is not supported' fr-schema1
	run -1 grep -F distribution.manifest.v1 <(asked spoilt-fr-schema1 '.accept | join(",")')
}

@test "R54 asked by digest, the bytes must hash to it; one more try" {
	local digest
	digest=$(digest amd64 manifest)
	works r54-once "$digest"
	was_asked r54-once "$(lines "$(times 2 'manifest 200')" "$(times 3 'blob 200')")"
	run -8 --separate-stderr pull r54-always "$digest"
	[[ $(plain "$stderr") == "occy-pull: HOST/r54-always@$digest: manifest $digest: digest mismatch, got sha256:"* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	broken_stream
	was_asked r54-always "$(times 2 'manifest 200')"
	run -8 --separate-stderr pull r54 fr-self
	[[ $stderr == *": manifest sha256:"*": digest mismatch, got sha256:"* ]]
}

@test "R54 asked by tag, what the bytes hash to is the digest" {
	works r54 amd64
	same "$(chosen)" "$(digest amd64 manifest)"
	[[ ${lines[1]} == *"\"tag_digest\":\"$(digest amd64 manifest)\""* ]]
	works r54 multi
	[[ ${lines[1]} == *"\"tag_digest\":\"$(digest multi manifest)\""* ]]
}

@test "R55 Docker-Content-Digest: not needed, not believed" {
	works r55-none amd64
	works r55-nonsense amd64
	run -0 --separate-stderr pull r54-header amd64
	same "$stderr" "occy-pull: warning: the registry's Docker-Content-Digest is sha256:$(printf '0%.0s' {1..64}), but the manifest hashes to $(digest amd64 manifest)"
	whole_stream
}

@test "R56 a manifest must have the size that its descriptor says" {
	local digest size
	digest=$(digest amd64 manifest)
	size=$(size "$digest")
	fails 8 "occy-pull: HOST/r56-short:multi: manifest $digest: $((size - 1)) bytes came, but its descriptor says $size" \
		r56-short multi
	was_asked r56-short "$(times 3 'manifest 200')"
}

@test "R57 without a media type that says anything the body decides" {
	for name in r57-text r57-empty r57-json r57-octets; do
		works "$name" amd64
		works "$name" multi
	done
	works r57-charset multi
	works r57 fr-nomt
	[[ ${lines[1]} == *"\"mediaType\":\"$oci.manifest.v1+json\""* ]]
}

@test "R58 what two readers could take for two images is refused" {
	spoilt 'manifest: ambiguous manifest: manifests beside layers or config' fr-both
	spoilt "manifest: ambiguous manifest: sent as $oci.manifest.v1+json, but says $oci.index.v1+json" fr-mt
	spoilt 'manifest: ambiguous manifest: fsLayers in schema 2' r58-fslayers
	spoilt 'manifest: schemaVersion is not 2' r58-three
	spoilt 'manifest: no manifest: schemaVersion is missing' r58-none
	spoilt 'manifest: not valid JSON' fr-badjson
}

@test "R59 doubled keys are refused, wherever they are read" {
	spoilt 'manifest: JSON object has a doubled key' fr-dupkey
	spoilt 'manifest: JSON object has a doubled key' r59-inner
	spoilt 'manifest: layers is written in another case' r59-case
	run -8 --separate-stderr pull r59 r59-config
	[[ $stderr == *': config sha256:'*': JSON object has a doubled key' ]]
	broken_stream
}

@test "R60 limits on manifests hold while they are read" {
	spoilt 'manifest: larger than 8388608 bytes' fr-huge-9000000
	fails 8 'occy-pull: HOST/r60-endless:amd64: manifest: larger than 8388608 bytes' r60-endless amd64
	works r60 fr-huge-8000000
	works r60-chunked amd64
	spoilt 'manifest: JSON nested too deep' fr-nest-100000
	spoilt 'manifest: JSON nested too deep' fr-nest-64
	works r60 fr-nest-63
	spoilt 'manifest: more than 10000 layers' r60-layers
	spoilt 'manifest: more than 10000 manifests' fr-wide-10000
	works r60 fr-wide-9999
}

@test "R60 ten thousand layers are no problem" {
	works r60-many many
	same "${#lines[@]}" 10004
}

@test "R61 indexes in indexes: eight levels" {
	works r61 fr-deep-3
	works r61 fr-deep-8
	spoilt 'more than 8 indexes within each other' fr-deep-9
	spoilt 'more than 8 indexes within each other' fr-deep-50
}

@test "R62 sizes are integers from 0 to 2^53-1, also when they add up" {
	for tag in r62-10 r62-1e1 r62-7 r62-null r62-9007199254740992 r62-true; do
		spoilt 'manifest: layer 0: size is no integer from 0 to 2^53-1' "$tag"
	done
	spoilt 'manifest: layer 1: size is no integer from 0 to 2^53-1' fr-negsize
	spoilt 'manifest: layer 1: size is no integer from 0 to 2^53-1' fr-hugesize
	spoilt 'manifest: the sizes add up to more than 2^53-1' r62-sum
}

@test "R63 what is unknown is passed on, not refused" {
	works r63 r63-layer
	[[ ${lines[3]} == *"\"mediaType\":\"$oci.layer.v1.tar+odd\""* ]]
	works r63 r63-members
	works r63 fr-artifact
	[[ ${lines[2]} == *'"mediaType":"application/vnd.oci.empty.v1+json"'* ]]
	[[ ${lines[3]} == *'"mediaType":"application/vnd.example.data"'* ]]
	[[ ${lines[3]} != *diff_id* ]]
	works r63 r63-artifact
}

@test "R64 an image's config must fit its layers" {
	run -8 --separate-stderr pull r64 r64-json
	[[ $(plain "$stderr") == 'occy-pull: HOST/r64:r64-json: config sha256:'*': not valid JSON' ]]
	fails 8 'occy-pull: HOST/r64:r64-fewer: the manifest has 1 layers, but the config 0 diff_ids' r64 r64-fewer
	fails 8 'occy-pull: HOST/r64:r64-more: the manifest has 1 layers, but the config 2 diff_ids' r64 r64-more
	run -8 --separate-stderr pull r64 r64-bad
	[[ $stderr == *': config sha256:'*': diff_id 0: bad digest: sha256:ABC' ]]
}

@test "R64 a config larger than 4 MiB is not even asked for; another kind may be" {
	run -8 --separate-stderr pull r64-large r64-large
	[[ $(plain "$stderr") == 'occy-pull: HOST/r64-large:r64-large: config sha256:'*': larger than 4194304 bytes' ]]
	was_asked r64-large 'manifest 200'
	works r64-other r64-other
}

@test "R67 the same layer twice: one download, two records" {
	works r67 fr-twice
	was_asked r67 "$(lines 'manifest 200' "$(times 3 'blob 200')")"
	local first
	first=$(digest amd64 layer 0)
	[[ ${lines[3]} == '{"type":"layer","index":0,"digest":"'"$first"'"'* ]]
	same "${lines[4]}" "${lines[3]/\"index\":0/\"index\":1}"
	[[ ${lines[5]} == '{"type":"layer","index":2,"digest":"'"$(digest amd64 layer 1)"'"'* ]]
	same "${#lines[@]}" 7
}

@test "R67 no layers at all is legal" {
	works r67-none fr-empty
	was_asked r67-none "$(lines 'manifest 200' 'blob 200')"
	[[ ${lines[1]} == *',"layers":0,'* ]]
	same "${#lines[@]}" 4
}

@test "R71 linux/amd64 unless asked otherwise, and normal forms in any case" {
	takes amd64 multi
	for name in x86_64 x86-64 AMD64; do
		takes amd64 multi --architecture "$name"
	done
	takes amd64 multi --os LINUX --variant v1
	takes arm64 multi --architecture aarch64
	takes arm64 multi --architecture arm64 --variant v8
	takes arm64 multi --architecture=arm64 --variant=8
	takes arm7 multi --architecture armhf
	takes arm6 multi --architecture armel
	takes arm7 multi --architecture arm
	takes i386 multi --architecture i386
	takes windows multi --os windows
}

@test "R72 the best that serves, never a higher variant than asked for" {
	takes amd64v2 multi --variant v2
	takes amd64v3 multi --variant v4
	takes arm64 multi --architecture arm64 --variant v9.2
	takes arm7 multi --architecture arm --variant v8
	takes arm6 multi --architecture arm --variant v6
	takes arm5 multi --architecture arm --variant v5
	takes arm6 old --architecture arm
	fails 4 'occy-pull: HOST/r72:only7: no image for linux/arm/v6, only for: linux/arm/v7' \
		r72 only7 --architecture arm --variant v6
}

@test "R73 attestations are passed over, unless asked for" {
	takes amd64 fr-attest
	takes amd64 r73-annotated
	fails 4 'occy-pull: HOST/r73:r73-only: no image for linux/amd64, nor for any other platform' r73 r73-only
	takes arm64 r73-only --os unknown --architecture unknown
}

@test "R74 an entry without a platform is the last choice, and its config must fit" {
	takes amd64 fr-noplat
	takes amd64 r74-last
	takes amd64 r74-first
	fails 4 'occy-pull: HOST/r74:fr-noplat: no image for linux/arm64, only for: linux/amd64' \
		r74 fr-noplat --architecture arm64
}

@test "R74 where there is no choice another platform is a warning, or an error on request" {
	run -0 --separate-stderr pull r74 amd64 --architecture arm64
	same "$(plain "$stderr")" 'occy-pull: warning: HOST/r74:amd64: the image is for linux/amd64, not for linux/arm64'
	whole_stream
	fails 4 'occy-pull: HOST/r74:amd64: no image for linux/arm64, only for: linux/amd64' \
		r74 amd64 --architecture arm64 --strict-platform
	works r74 amd64 --strict-platform
}

@test "R75 nothing fits: status 4, with what there is" {
	fails 4 'occy-pull: HOST/r75:multi: no image for linux/s390x, only for: linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/arm64, linux/arm/v5, linux/arm/v6, linux/arm/v7, linux/386, windows/amd64' \
		r75 multi --architecture s390x
	was_asked r75 'manifest 200'
}

@test "R75 versions count for windows only, features must be understood" {
	takes windows r75-windows --os windows
	takes amd64 r75-features
}

@test "R75 of twins the one without zstd" {
	takes amd64 r75-zstd
	takes amd64 r75-zstd-only
}
