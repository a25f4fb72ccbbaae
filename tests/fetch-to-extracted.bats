#!/usr/bin/env bats
# Images from a registry into extracted and merged directories, end to end.
# Everything is on this machine.
load helpers/common
load helpers/registry
load helpers/docker
load helpers/mkimage

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	start_registry
	describe | make_layout layout
	push_layout layout "$registry" homeassistant/home-assistant
	push_layout layout "$registry" lab/a-b
	push_layout layout "$registry" lab/a
}

teardown_file() {
	stop_registry
}

# Three images that share their lowest layers, and what other tests need.
describe() {
	cat <<-END
		image latest entrypoint=/bin/busybox cmd=id
		layer
		dir bin
		copy bin/busybox $(command -v busybox)
		link bin/sh busybox
		layer
		fill shared 300000
		layer
		file etc/version latest
		image stable entrypoint=/bin/busybox cmd=id
		layer
		dir bin
		copy bin/busybox $(command -v busybox)
		link bin/sh busybox
		layer
		fill shared 300000
		layer
		file etc/version stable
		image 2021.3.0.dev20210219 entrypoint=/bin/busybox cmd=id
		layer
		dir bin
		copy bin/busybox $(command -v busybox)
		link bin/sh busybox
		image arm architecture=arm64 variant=v8
		layer
		file etc/version arm
		index multi latest arm
		image c
		layer
		file name a-b:c
		image b-c
		layer
		file name a:b-c
	END
	many
}

many() {
	local i
	for i in {1..8}; do
		lines "image many$i" layer 'fill common 400000' layer "fill own$i 100000"
	done
}

layout() { echo "$BATS_FILE_TMPDIR/layout"; }

extract() { # extract TAG [OPTION]...: of lab/a into d
	occystrap fetch-to-extracted "${@:2}" "$registry" lab/a "$1" d
}

check() {
	python3 "$BATS_TEST_DIRNAME/helpers/checkdir.py" "$@" "$(layout)"
}

same() {
	diff <(lines "$1") <(lines "$2")
}

hexes() {
	cut -d : -f 2
}

# names_of TAG...: what these images are in a directory, but for what names them.
names_of() {
	local tag
	for tag; do
		echo "$(config_digest "$(layout)" "$tag" | hexes).json"
		layer_digests "$(layout)" "$tag" | hexes
	done | sort -u
}

# nothing_but [NAME]...: no other file is here, not even a hidden one.
nothing_but() {
	diff <(ls -A --ignore=tmp --ignore=stderr --ignore='separate-stderr-*') <((($# == 0)) || lines "$@")
	[ -z "$(ls -A tmp)" ]
}

# quiet COMMAND...: it succeeds without a word.
quiet() {
	run -0 --separate-stderr "$@"
	same "$output$stderr" ''
}

# fails STATUS TEXT COMMAND...: TEXT is all that stderr says.
fails() {
	run "-$1" --separate-stderr "${@:3}"
	[ -z "$output" ]
	same "$stderr" "$2"
}

state() {
	find "$1" ! -type d -printf '%P %y %i %T@ %l\n' -o -printf '%P\n' | sort
}

# --- extracted

@test "the seed's command: exactly these names, nothing else is left" {
	quiet occystrap fetch-to-extracted "$registry" homeassistant/home-assistant latest d
	same "$(ls -A d)" "$( (names_of latest && lines catalog.json manifest.json) | sort)"
	nothing_but d
	run -0 check d
	[ "${lines[1]}" = 'homeassistant/home-assistant latest manifest.json' ]
	same "$(jq -r '.[0].RepoTags[]' d/manifest.json)" "$registry/homeassistant/home-assistant:latest"
	same "$(jq -r '.[0].Layers[]' d/manifest.json)" "$(layer_digests "$(layout)" latest | hexes | sed 's,$,/layer.tar,')"
}

@test "its members are those of fetch-to-tarfile" {
	quiet extract latest
	quiet occystrap fetch-to-tarfile "$registry" lab/a latest x.tar
	mkdir t
	tar -xf x.tar -C t
	rm d/catalog.json
	diff -r d t
}

@test "podman loads a tar of it: ID and name" {
	[ "$(id -u)" = 0 ] || skip 'podman with a root of its own needs root'
	quiet extract latest
	(cd d && tar -cf ../x.tar -- *)
	pod() { podman --root "$PWD/pods" --runroot "$PWD/podrun" --storage-driver vfs "$@"; }
	run -0 pod load -q -i x.tar
	[[ "$output" == *"$registry/lab/a:latest" ]]
	[ "$(pod image inspect --format '{{.Id}}' "$registry/lab/a:latest")" = "$(config_digest "$(layout)" latest | hexes)" ]
	rm -rf pods podrun
}

@test "docker loads a tar of it and runs it: ID, name, contents" {
	[ "$(id -u)" = 0 ] || skip 'dockerd needs root'
	quiet extract latest
	(cd d && tar -cf ../x.tar -- *)
	judged_by_docker judge_with_docker
}

judge_with_docker() {
	local name=$registry/lab/a:latest
	[ "$(d load -q -i x.tar)" = "Loaded image: $name" ] &&
		[ "$(d image inspect --format '{{.Id}}' "$name")" = "$(config_digest "$(layout)" latest)" ] &&
		[ "$(d run --rm --network none "$name" cat /etc/version)" = latest ]
}

@test "a second run neither fetches nor writes a layer; a moved tag only the new one" {
	lines 'image latest' layer 'fill a 300000' layer 'fill b 300000' | make_layout one
	lines 'image latest' layer 'fill a 300000' layer 'fill c 300000' | make_layout two
	start_faults one
	port=${faults##*:}
	quiet occystrap fetch-to-extracted "$faults" lab/x latest d
	before=$(stat -c '%n %i %Y' d/*/layer.tar)
	: >"$faults_log"
	quiet occystrap fetch-to-extracted "$faults" lab/x latest d
	stop_faults
	[ "$(stat -c '%n %i %Y' d/*/layer.tar)" = "$before" ]
	same "$(jq -r 'select(.kind == "blob").path' "$faults_log")" "/v2/lab/x/blobs/$(config_digest one latest)"
	start_faults two --port "$port"
	quiet occystrap fetch-to-extracted "$faults" lab/x latest d
	stop_faults
	same "$(jq -r 'select(.kind == "blob").path' "$faults_log" | sort)" \
		"$(printf '/v2/lab/x/blobs/%s\n' "$(config_digest two latest)" "$(layer_digests two latest | tail -n 1)" | sort)"
	python3 "$BATS_TEST_DIRNAME/helpers/checkdir.py" d
	[ "$(jq -r '.[0].Config' d/manifest.json)" = "$(config_digest two latest | hexes).json" ]
}

@test "a corrupt layer.tar is fetched and written again, also a link or a FIFO" {
	lines 'image latest' layer 'fill a 300000' layer 'fill b 300000' | make_layout one
	start_faults one
	quiet occystrap fetch-to-extracted "$faults" lab/x latest d
	cp -a d good
	layer=$(layer_digests one latest | tail -n 1)
	bad=d/$(hexes <<<"$layer")/layer.tar
	for kind in byte short empty longer link fifo; do
		case $kind in
		byte) printf x | dd of="$bad" bs=1 seek=1000 conv=notrunc status=none ;;
		short) truncate -s -1 "$bad" ;;
		empty) : >"$bad" ;;
		longer) echo x >>"$bad" ;;
		link) ln -sf "../../good/${bad#d/}" "$bad" ;;
		fifo) rm "$bad" && mkfifo "$bad" ;;
		esac
		: >"$faults_log"
		quiet timeout 60 occystrap fetch-to-extracted "$faults" lab/x latest d
		diff -r good d
		[ ! -L "$bad" ]
		same "$(jq -r 'select(.kind == "blob").path' "$faults_log" | sort)" \
			"$(printf '/v2/lab/x/blobs/%s\n' "$(config_digest one latest)" "$layer" | sort)"
	done
	stop_faults
}

# --- merged

@test "the seed's three commands: manifests, catalog and configs, layers once, byte for byte" {
	for tag in latest stable 2021.3.0.dev20210219; do
		quiet occystrap fetch-to-extracted --use-unique-names "$registry" homeassistant/home-assistant "$tag" merged_images
	done
	same "$(ls -A merged_images)" "$( (names_of latest stable 2021.3.0.dev20210219 &&
		lines catalog.json manifest-homeassistant_home-assistant-{latest,stable,2021.3.0.dev20210219}.json) | sort)"
	nothing_but merged_images
	printf '{"homeassistant/home-assistant":{"latest":"%s-latest.json","stable":"%s-stable.json","2021.3.0.dev20210219":"%s-2021.3.0.dev20210219.json"}}' \
		manifest-homeassistant_home-assistant{,,} | cmp - merged_images/catalog.json
	for tag in latest stable 2021.3.0.dev20210219; do
		layers=$(layer_digests "$(layout)" $tag | hexes | sed 's,.*,"&/layer.tar",' | paste -sd ,)
		printf '[{"Config":"%s.json","ImageName":"homeassistant/home-assistant","Layers":[%s],"RepoTags":["%s/homeassistant/home-assistant:%s"]}]' \
			"$(config_digest "$(layout)" $tag | hexes)" "$layers" "$registry" $tag |
			cmp - merged_images/manifest-homeassistant_home-assistant-$tag.json
	done
	run -0 check merged_images
	[ "${lines[-1]}" = '4 layers' ]
}

@test "images that share layers: what is there is neither fetched nor written again" {
	start_faults "$(layout)"
	quiet occystrap fetch-to-extracted --use-unique-names "$faults" lab/x latest d
	before=$(stat -c '%n %i %Y' d/*/layer.tar)
	: >"$faults_log"
	quiet occystrap fetch-to-extracted --use-unique-names "$faults" lab/x stable d
	stop_faults
	same "$(jq -r 'select(.kind == "blob").path' "$faults_log" | sort)" \
		"$(printf '/v2/lab/x/blobs/%s\n' "$(config_digest "$(layout)" stable)" "$(layer_digests "$(layout)" stable | tail -n 1)" | sort)"
	diff <(lines "$before") <(stat -c '%n %i %Y' d/*/layer.tar) | grep '^<' >gone || [ $? = 1 ]
	[ ! -s gone ]
	run -0 check d
	[ "${lines[-1]}" = '4 layers' ]
}

@test "--if-changed: of two images in one directory each is wanted back" {
	of_latest=(occystrap fetch-to-extracted --use-unique-names --if-changed one.digest "$registry" lab/a latest d)
	of_stable=(occystrap fetch-to-extracted --use-unique-names --if-changed two.digest "$registry" lab/a stable d)
	quiet "${of_latest[@]}"
	quiet "${of_stable[@]}"
	before=$(state d)
	quiet "${of_latest[@]}"
	quiet "${of_stable[@]}"
	same "$(state d)" "$before"
	rm -r d
	quiet "${of_stable[@]}"
	quiet "${of_latest[@]}"
	same "$(jq -r '.["lab/a"] | keys[]' d/catalog.json)" "$(lines latest stable)"
	check d
}

@test "names that meet at the dash are kept apart, and worked on at the same time" {
	occystrap fetch-to-extracted --use-unique-names "$registry" lab/a-b c d 3>&- &
	one=$!
	occystrap fetch-to-extracted --use-unique-names "$registry" lab/a b-c d 3>&- &
	two=$!
	wait $one
	wait $two
	run -0 check d
	same "$(jq -r 'keys[]' d/catalog.json)" "$(lines lab/a lab/a-b)"
	[ "$(jq -r '.[][]' d/catalog.json | sort -u | wc -l)" = 2 ]
	[ "${lines[-1]}" = '2 layers' ]
	nothing_but d
}

@test "by digest: a name of its own, no RepoTags" {
	digest=$(manifest_digest "$(layout)" latest)
	quiet occystrap fetch-to-extracted --use-unique-names "$registry" lab/a "$digest" d
	same "$(cat d/catalog.json)" "{\"lab/a\":{\"$digest\":\"manifest-lab_a-$digest.json\"}}"
	[ "$(jq -c '.[0].RepoTags' "d/manifest-lab_a-$digest.json")" = '[]' ]
	check d
	quiet occystrap fetch-to-extracted --use-unique-names "$registry" lab/a latest d
	check d
	quiet occystrap fetch-to-extracted "$registry" lab/a "$digest" e
	[ "$(jq -c '.[0].RepoTags' e/manifest.json)" = '[]' ]
	check e
}

@test "another registry, another platform: refused with a way out, --replace takes it" {
	start_faults "$(layout)"
	quiet extract multi --use-unique-names
	before=$(state d)
	fails 1 "occy-pack: d/manifest-lab_a-multi.json: stands for another image: $registry/lab/a:multi; --replace puts this one in its place" \
		occystrap fetch-to-extracted --use-unique-names "$faults" lab/a multi d
	fails 1 "occy-pack: d/manifest-lab_a-multi.json: stands for another platform of $registry/lab/a:multi; --replace puts this one in its place" \
		extract multi --use-unique-names --architecture arm64
	same "$(state d)" "$before"
	quiet extract multi --use-unique-names --architecture arm64 --replace
	[ "$(jq -r '.[0].Config' d/manifest-lab_a-multi.json)" = "$(config_digest "$(layout)" arm | hexes).json" ]
	quiet occystrap fetch-to-extracted --use-unique-names --replace "$faults" lab/a multi d
	stop_faults
	[ "$(jq -r '.[0].RepoTags[]' d/manifest-lab_a-multi.json)" = "$faults/lab/a:multi" ]
	check d
	nothing_but d
}

@test "an extracted directory of another image names the option that keeps both" {
	quiet extract latest
	before=$(state d)
	fails 1 "occy-pack: d/manifest.json: stands for another image: $registry/lab/a:latest; --use-unique-names keeps several images, --replace puts this one in its place" \
		extract stable
	same "$(state d)" "$before"
	quiet extract stable --replace
	run -0 check d
	[ "${lines[1]}" = 'lab/a stable manifest.json' ]
	nothing_but d
}

@test "--replace, --expand and --use-unique-names are for this command" {
	for option in --replace --expand --use-unique-names; do
		run -2 --separate-stderr occystrap fetch-to-tarfile "$option" "$registry" lab/a latest x.tar
		[ "${stderr_lines[0]}" = 'occystrap: --use-unique-names, --expand and --replace are for fetch-to-extracted' ]
	done
	run -2 --separate-stderr occystrap fetch-to-extracted "$registry" lab/a latest
	[ "${stderr_lines[0]}" = 'occystrap: fetch-to-extracted needs REGISTRY IMAGE TAG DIR' ]
	nothing_but
}

# --- a directory of the first Occy Strap

# first_occystrap: a merged directory as it wrote them: indented JSON, the last
# part of a name in RepoTags, and a config whose bytes are not its name's.
first_occystrap() {
	local config layer
	mkdir d
	config=$(config_digest "$(layout)" arm)
	layer=$(layer_digests "$(layout)" arm)
	mkdir "d/${layer#*:}"
	gzip -dc <"$(blob_path "$(layout)" "$layer")" >"d/${layer#*:}/layer.tar"
	jq -S --indent 4 . "$(blob_path "$(layout)" "$config")" >"d/${config#*:}.json"
	cat >d/catalog.json <<-END
		{
		    "lab/a": {
		        "arm": "manifest-lab_a-arm.json"
		    }
		}
	END
	cat >d/manifest-lab_a-arm.json <<-END
		[
		    {
		        "Config": "${config#*:}.json",
		        "ImageName": "lab/a",
		        "Layers": [
		            "${layer#*:}/layer.tar"
		        ],
		        "RepoTags": [
		            "a:arm"
		        ]
		    }
		]
	END
}

@test "its catalog is written on: what is there stays" {
	first_occystrap
	cp -a d before
	quiet extract stable --use-unique-names
	for file in before/*; do
		[ "$file" = before/catalog.json ] || diff -r "$file" "d/${file#*/}"
	done
	same "$(jq -c . d/catalog.json)" '{"lab/a":{"arm":"manifest-lab_a-arm.json","stable":"manifest-lab_a-stable.json"}}'
}

@test "its image again: the layer is used, config and names are mended" {
	first_occystrap
	before=$(stat -c '%i %Y' d/*/layer.tar)
	quiet extract arm --use-unique-names --architecture arm64
	[ "$(stat -c '%i %Y' d/*/layer.tar)" = "$before" ]
	run -0 check d
	[ "$(jq -r '.[0].RepoTags[]' d/manifest-lab_a-arm.json)" = "$registry/lab/a:arm" ]
}

@test "its tag that has moved: whose registry it was nobody knows" {
	first_occystrap
	sed -i 's/lab_a-arm/lab_a-latest/; s/"arm"/"latest"/; s/a:arm/a:latest/' d/catalog.json
	sed 's/a:arm/a:latest/' d/manifest-lab_a-arm.json >d/manifest-lab_a-latest.json
	fails 1 'occy-pack: d/manifest-lab_a-latest.json: stands for another image: a:latest; --replace puts this one in its place' \
		extract latest --use-unique-names
	quiet extract latest --use-unique-names --replace
}

# --- many writers, bad days

@test "eight writers into one merged directory at once" {
	pids=()
	for i in {1..8}; do
		occystrap fetch-to-extracted --use-unique-names "$registry" lab/a "many$i" d 2>"stderr.$i" 3>&- &
		pids+=($!)
	done
	# One that fails does the others no harm.
	occystrap fetch-to-extracted --use-unique-names "$registry" lab/a none d 2>stderr.none 3>&- &
	none=$!
	for i in {1..8}; do
		wait "${pids[i - 1]}"
		[ ! -s "stderr.$i" ]
	done
	code=0
	wait $none || code=$?
	[ "$code" = 4 ]
	rm stderr.*
	run -0 check d
	[ "${lines[-1]}" = '9 layers' ]
	same "$(jq -r '.["lab/a"] | keys | length' d/catalog.json)" 8
	nothing_but d
}

@test "the same image by two at once: one is told so, the other does it" {
	lines 'image latest' layer 'fill a 300000' | make_layout one
	start_faults one --fault "delay:seconds=6,kind=blob"
	occystrap fetch-to-extracted --use-unique-names "$faults" lab/x latest d 3>&- &
	pid=$!
	within 10 test -e .d.lab+x:latest.occystrap/store
	fails 1 'occystrap: .d.lab+x:latest.occystrap: another run is working on it' \
		occystrap fetch-to-extracted --use-unique-names "$faults" lab/x latest d
	wait $pid
	stop_faults
	nothing_but d one
}

# stage_of PID NAME: into $found, the pid of the child of PID that runs NAME.
stage_of() {
	local child children
	found=
	read -ra children 2>/dev/null <"/proc/$1/task/$1/children" || return
	for child in "${children[@]}"; do
		[ "$(cat "/proc/$child/comm" 2>/dev/null)" != "$2" ] || found=$child
	done
	[ "$found" ]
}

@test "killed at 50 moments: every name stays true, and the next run finishes" {
	RANDOM=4
	quiet extract many8 --use-unique-names
	for round in {1..50}; do
		tag=many$((RANDOM % 7 + 1))
		[ $((round % 5)) != 0 ] || rm -rf d/*
		occystrap fetch-to-extracted --use-unique-names "$registry" lab/a $tag d 2>stderr 3>&- &
		pid=$!
		victim=$pid
		case $((RANDOM % 3)) in
		0) ! within 1 stage_of $pid occy-pack || victim=$found ;;
		1) ! within 1 stage_of $pid occy-pull || victim=$found ;;
		esac
		sleep "0.$(printf %03d $((RANDOM % 150)))"
		kill -9 "$victim" 2>/dev/null || [ $? = 1 ]
		wait $pid 2>/dev/null || [ $? -ge 1 ]
		# A wrapper that was killed leaves its stages to the leash.
		within 10 not holders
		rm -f d/.part.*
		check d >checked
	done
	for i in {1..8}; do
		quiet extract "many$i" --use-unique-names
	done
	run -0 check d
	[ "${lines[-1]}" = '9 layers' ]
	nothing_but checked d
}

# Some process has its working folder here, and is one of the tools.
holders() {
	local exe
	for exe in /proc/[0-9]*/cwd; do
		[[ $(readlink "$exe" 2>/dev/null) != "$PWD" ]] ||
			[[ $(cat "${exe%cwd}comm" 2>/dev/null) != occy-p* ]] || return 0
	done
	return 1
}

@test "an interrupted run goes on: whole blobs are not fetched again" {
	lines 'image latest' layer 'fill a 300000' layer 'fill b 300000' | make_layout one
	first=$(layer_digests one latest | head -n 1)
	layer=$(layer_digests one latest | tail -n 1)
	start_faults one --fault "delay:seconds=1,digest=$layer" --fault "rate_limit:after=86400,digest=$layer"
	run -6 --separate-stderr occystrap fetch-to-extracted --use-unique-names "$faults" lab/x latest d
	stop_faults
	[ "${#stderr_lines[@]}" = 2 ]
	[[ "${stderr_lines[1]}" == 'occystrap: '*' bytes are kept in .d.lab+x:latest.occystrap; the same command goes on from there' ]]
	same "$(ls -A d)" "$(hexes <<<"$first")"
	# Neither from the directory, nor from the store without it.
	cp -a .d.lab+x:latest.occystrap kept
	start_faults one
	quiet occystrap fetch-to-extracted --use-unique-names "$faults" lab/x latest d
	stop_faults
	same "$(jq -r 'select(.kind == "blob").path' "$faults_log")" "/v2/lab/x/blobs/$layer"
	rm -r d
	mv kept .d.lab+x:latest.occystrap
	start_faults one
	quiet occystrap fetch-to-extracted --use-unique-names "$faults" lab/x latest d
	stop_faults
	same "$(jq -r 'select(.kind == "blob").path' "$faults_log")" "/v2/lab/x/blobs/$layer"
	python3 "$BATS_TEST_DIRNAME/helpers/checkdir.py" d one
	nothing_but d one
}

@test "wrong bytes are status 8: nothing is named, the right layers stay" {
	lines 'image latest' layer 'fill a 300000' layer 'fill b 300000' | make_layout one
	first=$(layer_digests one latest | head -n 1)
	layer=$(layer_digests one latest | tail -n 1)
	start_faults one --fault "corrupt:at=1000,digest=$layer" --fault "delay:seconds=1,digest=$layer"
	run -8 --separate-stderr occystrap fetch-to-extracted "$faults" lab/x latest d
	stop_faults
	[[ "$stderr" == "occy-pull: $faults/lab/x:latest: layer 1 $layer: digest mismatch, got sha256:"* ]]
	same "$(ls -A d)" "$(hexes <<<"$first")"
	nothing_but d one
}

@test "a refusal leaves nothing: no such tag, no such host, a bad name" {
	why="manifest: not found or not authorised: $registry answered 404 MANIFEST_UNKNOWN: manifest unknown"
	fails 4 "occy-pull: $registry/lab/a:none: $why" extract none --use-unique-names
	nothing_but
	mkdir d
	fails 4 "occy-pull: $registry/lab/a:none: $why" extract none
	[ -z "$(ls -A d)" ]
	nothing_but d
}

@test "a DIR that is a file, has no parent, or cannot be made is status 9" {
	echo x >d
	fails 9 'occy-pack: d: Not a directory' extract latest
	[ "$(cat d)" = x ]
	fails 9 'occy-pack: no/d: No such file or directory' \
		occystrap fetch-to-extracted "$registry" lab/a latest no/d
	fails 9 'occy-pack: d/e: Not a directory' \
		occystrap fetch-to-extracted "$registry" lab/a latest d/e
	nothing_but d
}

@test "a read-only target is status 9, and what is there stays" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	mkdir disk
	mount -t tmpfs -o size=30m tmpfs disk
	occystrap fetch-to-extracted --use-unique-names "$registry" lab/a latest disk/d
	mount -o remount,ro disk
	run --separate-stderr occystrap fetch-to-extracted --use-unique-names "$registry" lab/a stable disk/d
	first="$status $stderr"
	run --separate-stderr occystrap fetch-to-extracted "$registry" lab/a stable disk/new
	second="$status $stderr"
	checked=0
	check disk/d || checked=$?
	umount disk
	[ "$first" = '9 occy-pack: disk/d: Read-only file system' ]
	[ "$second" = '9 occy-pack: disk/new: Read-only file system' ]
	[ "$checked" = 0 ]
	[ -z "$(ls -A tmp)" ]
}

@test "a full disk is status 9; what names an image stays whole, the next run finishes" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	lines 'image small' layer 'fill a 300000' 'image latest' layer 'fill b 3000000' layer 'fill c 6000000' | make_layout one
	start_faults one
	mkdir disk
	mount -t tmpfs -o size=6m tmpfs disk
	occystrap --store s fetch-to-extracted --use-unique-names "$faults" lab/x small disk/d
	run --separate-stderr occystrap --store s fetch-to-extracted --use-unique-names "$faults" lab/x latest disk/d
	checked=0
	python3 "$BATS_TEST_DIRNAME/helpers/checkdir.py" disk/d one >checked || checked=$?
	mount -o remount,size=60m disk
	again=0
	occystrap --store s fetch-to-extracted --use-unique-names "$faults" lab/x latest disk/d || again=$?
	python3 "$BATS_TEST_DIRNAME/helpers/checkdir.py" disk/d one >finished || again=$?
	umount disk
	stop_faults
	[ "$status" = 9 ]
	same "$stderr" "occy-pack: disk/d/$(layer_digests one latest | tail -n 1 | hexes)/layer.tar: No space left on device"
	[ "$checked" = 0 ]
	same "$(sed -n 2p checked)" 'lab/x small manifest-lab_x-small.json'
	same "$(tail -n 1 checked)" '2 layers'
	[ "$again" = 0 ]
	same "$(tail -n 1 finished)" '3 layers'
}

@test "a DIR with a newline, a space, a dash, as a link" {
	quiet occystrap fetch-to-extracted -- "$registry" lab/a many1 -d
	check ./-d
	quiet occystrap fetch-to-extracted --use-unique-names "$registry" lab/a many1 $'a \nb'
	check $'a \nb'
	mkdir real
	ln -s real link
	quiet occystrap fetch-to-extracted --use-unique-names "$registry" lab/a many1 link/
	check real
}

@test "--verbose shows a pipeline that does the same when pasted" {
	run -0 --separate-stderr extract latest -v --store s --use-unique-names --replace
	[ "${stderr_lines[0]}" = "occystrap: $OCCY_BINDIR/occy-pull -v --store s --reuse d -- $registry lab/a latest | $OCCY_BINDIR/occy-pack -v --unique-names --replace --dir d" ]
	mv d first
	bash -c "${stderr_lines[0]#occystrap: }" >/dev/null 2>&1
	diff -r first d
}
