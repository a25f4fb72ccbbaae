#!/usr/bin/env bats
# The main job, end to end: a registry's image becomes a tarball that others
# judge. Everything is on this machine.
load helpers/common
load helpers/registry
load helpers/docker
load helpers/mkimage

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	start_registry
	describe | make_layout layout
	push_layout layout "$registry" library/busybox
	# Others' images: by skopeo as docker schema 2, and by buildah.
	skopeo copy --quiet --format v2s2 --dest-tls-verify=false \
		oci:layout:latest "docker://$registry/library/schema2:latest"
	built_by_buildah
}

teardown_file() {
	stop_registry
}

describe() {
	cat <<-END
		image latest entrypoint=/bin/busybox cmd=id
		layer
		dir bin
		copy bin/busybox $(command -v busybox)
		link bin/sh busybox
		layer
		dir etc
		file etc/hello hello from amd64
		image arm architecture=arm64 variant=v8
		layer
		file etc/hello hello from arm64
		index multi latest arm
		index nested multi
		image zstd
		layer zstd
		file etc/hello zstd
		layer none
		file etc/plain plain
		layer gzip
		file etc/last last
		image twice
		layer
		file a same
		layer
		file a same
		image big
		layer
		fill big 20000000
	END
}

built_by_buildah() {
	local store=(--root "$PWD/buildah" --runroot "$PWD/buildah-run" --storage-driver vfs)
	local container
	mkdir context
	echo buildah >context/maker
	container=$(buildah "${store[@]}" from scratch) || return
	buildah "${store[@]}" add -q "$container" context / >/dev/null || return
	buildah "${store[@]}" config --cmd /bin/true "$container" || return
	buildah "${store[@]}" commit -q "$container" built >/dev/null || return
	buildah "${store[@]}" push -q --tls-verify=false built "docker://$registry/lab/built:1"
}

layout() { echo "$BATS_FILE_TMPDIR/layout"; }

fetch() { # fetch TAG [FILE]
	occystrap fetch-to-tarfile "$registry" library/busybox "$1" "${2-x.tar}"
}

# member FILE NAME: its bytes.
member() {
	tar -xOf "$1" "$2"
}

# right_image FILE TAG NAME: the tarball holds exactly that image of the layout.
right_image() {
	local config layers=() diff_id i=0
	config=$(config_digest "$(layout)" "$2")
	for layer in $(layer_digests "$(layout)" "$2"); do
		layers+=("${layer#*:}/layer.tar")
	done
	[ "$(member "$1" manifest.json | jq -r '.[0].Config')" = "${config#*:}.json" ]
	diff <(member "$1" manifest.json | jq -r '.[0].Layers[]') <(lines "${layers[@]}")
	diff <(member "$1" manifest.json | jq -r '.[0].RepoTags[]') <(lines "$3")
	[ "$(member "$1" manifest.json | jq length)" = 1 ]
	[ "$(member "$1" "${config#*:}.json" | sha256sum)" = "${config#*:}  -" ]
	for diff_id in $(diff_ids "$(layout)" "$2"); do
		[ "$(member "$1" "${layers[i]}" | sha256sum)" = "${diff_id#*:}  -" ]
		i=$((i + 1))
	done
	diff <(tar -tf "$1" | sort) \
		<(lines manifest.json "${config#*:}.json" "${layers[@]}" | sort -u)
}

# nothing_but [NAME]: no other file is here, not even a hidden one, and none in
# TMPDIR (but for what bats writes itself).
nothing_but() {
	diff <(ls -A --ignore=tmp --ignore=stderr --ignore='separate-stderr-*') <(printf '%s' "${1:+$1$'\n'}")
	[ -z "$(ls -A tmp)" ]
}

# What comes out

@test "the seed's command: image, name and layers are right, nothing else is left" {
	run -0 --separate-stderr occystrap fetch-to-tarfile "$registry" library/busybox latest busybox.tar
	[ -z "$output$stderr" ]
	right_image busybox.tar latest "$registry/library/busybox:latest"
	nothing_but busybox.tar
}

@test "the seed's platform flags, before and after the command word" {
	run -0 --separate-stderr occystrap --os linux --architecture arm64 --variant v8 \
		fetch-to-tarfile "$registry" library/busybox multi before.tar
	run -0 --separate-stderr occystrap fetch-to-tarfile --os linux --architecture arm64 \
		--variant v8 "$registry" library/busybox multi after.tar
	right_image before.tar arm "$registry/library/busybox:multi"
	cmp before.tar after.tar
}

@test "the default platform is linux/amd64, also in a nested index" {
	for tag in multi nested; do
		run -0 --separate-stderr fetch "$tag"
		right_image x.tar latest "$registry/library/busybox:$tag"
	done
}

@test "two runs give the same bytes, into a file and into a pipe" {
	fetch latest one.tar
	sleep 1
	fetch latest two.tar
	fetch latest - | cat >three.tar
	cmp one.tar two.tar
	cmp one.tar three.tar
	diff <(tar --utc -tvf one.tar | awk '{ print $2, $4, $5 }' | sort -u) \
		<(lines '0/0 1970-01-01 00:00')
}

@test "zstd and plain layers, and one layer twice" {
	run -0 --separate-stderr fetch zstd
	right_image x.tar zstd "$registry/library/busybox:zstd"
	run -0 --separate-stderr fetch twice
	right_image x.tar twice "$registry/library/busybox:twice"
}

@test "a docker schema 2 image by skopeo, and one by buildah" {
	run -0 --separate-stderr occystrap fetch-to-tarfile "$registry" library/schema2 latest a.tar
	[ -z "$output$stderr" ]
	diff <(member a.tar manifest.json | jq -r '.[0].RepoTags[]') <(lines "$registry/library/schema2:latest")
	diff <(sha256_of_layers a.tar) <(diff_ids "$(layout)" latest)

	run -0 --separate-stderr occystrap fetch-to-tarfile "$registry" lab/built 1 b.tar
	skopeo inspect --tls-verify=false --config --raw "docker://$registry/lab/built:1" >config
	diff <(sha256_of_layers b.tar) <(jq -r '.rootfs.diff_ids[]' config)
	member b.tar "$(member b.tar manifest.json | jq -r '.[0].Config')" | cmp - config
}

sha256_of_layers() {
	local layer
	for layer in $(member "$1" manifest.json | jq -r '.[0].Layers[]'); do
		member "$1" "$layer" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/'
	done
}

@test "a digest instead of a tag: no name" {
	run -0 --separate-stderr fetch "$(manifest_digest "$(layout)" arm)"
	[ "$(member x.tar manifest.json | jq -c '.[0].RepoTags // []')" = '[]' ]
	[ "$(member x.tar manifest.json | jq -r '.[0].Config')" = "$(config_digest "$(layout)" arm | cut -d : -f 2).json" ]
}

@test "an existing FILE is replaced and keeps its mode; a symlink is followed" {
	echo old >real.tar
	chmod 640 real.tar
	ln -s real.tar link.tar
	run -0 --separate-stderr fetch latest link.tar
	[ -L link.tar ]
	[ "$(stat -c %a real.tar)" = 640 ]
	right_image real.tar latest "$registry/library/busybox:latest"
}

@test "/dev/null is written to, not replaced" {
	run -0 --separate-stderr fetch latest /dev/null
	[ -c /dev/null ]
	nothing_but
}

@test "--store keeps what was fetched: the second run needs no blob" {
	describe_small | make_layout small
	start_faults small
	run -0 --separate-stderr occystrap --store kept fetch-to-tarfile "$faults" a/b latest x.tar
	: >"$faults_log"
	run -0 --separate-stderr occystrap --store kept fetch-to-tarfile "$faults" a/b latest y.tar
	stop_faults
	cmp x.tar y.tar
	[ "$(jq -r 'select(.kind == "blob").path' "$faults_log")" = '' ]
}

describe_small() {
	lines 'image latest' layer 'fill a 300000' layer 'fill b 300000'
}

@test "--verbose shows a pipeline that does the same when pasted" {
	run -0 --separate-stderr occystrap -v --store s fetch-to-tarfile "$registry" library/busybox latest x.tar
	[ "${stderr_lines[0]}" = "occystrap: $OCCY_BINDIR/occy-pull -v --store s -- $registry library/busybox latest | $OCCY_BINDIR/occy-pack -v -- x.tar" ]
	mv x.tar first.tar
	bash -c "${stderr_lines[0]#occystrap: }" >/dev/null 2>&1
	cmp x.tar first.tar
}

# How others judge it

@test "skopeo reads it" {
	fetch latest
	skopeo inspect --config --raw docker-archive:x.tar >config
	[ "sha256:$(sha256sum <config | cut -d ' ' -f 1)" = "$(config_digest "$(layout)" latest)" ]
	[ "$(skopeo inspect docker-archive:x.tar | jq -r '.Layers | length')" = 2 ]
}

@test "podman loads it: ID and name" {
	[ "$(id -u)" = 0 ] || skip 'podman with a root of its own needs root'
	fetch latest
	pod() { podman --root "$PWD/pods" --runroot "$PWD/podrun" --storage-driver vfs "$@"; }
	run -0 pod load -q -i x.tar
	[[ "$output" == *"$registry/library/busybox:latest" ]]
	[ "$(pod image inspect --format '{{.Id}}' "$registry/library/busybox:latest")" = "$(config_digest "$(layout)" latest | cut -d : -f 2)" ]
	rm -rf pods podrun
}

@test "docker loads it and runs it: ID, name, contents" {
	[ "$(id -u)" = 0 ] || skip 'dockerd needs root'
	fetch latest
	judged_by_docker judge_with_docker
}

judge_with_docker() {
	local name=$registry/library/busybox:latest
	[ "$(d load -q -i x.tar)" = "Loaded image: $name" ] &&
		[ "$(d image inspect --format '{{.Id}}' "$name")" = "$(config_digest "$(layout)" latest)" ] &&
		[ "$(d run --rm --network none "$name" cat /etc/hello)" = 'hello from amd64' ] &&
		[[ "$(d run --rm --network none "$name")" == uid=0* ]]
}

# Bad days. Nothing is published, the status says why, and the next run succeeds.

# failed STATUS TEXT COMMAND...: TEXT is all that stderr says.
failed() {
	run "-$1" --separate-stderr "${@:3}"
	[ -z "$output" ]
	diff <(lines "$2") <(lines "$stderr")
	[ ! -e x.tar ]
}

succeeds_next() {
	run -0 --separate-stderr fetch latest
	right_image x.tar latest "$registry/library/busybox:latest"
	nothing_but x.tar
}

@test "an unknown tag and an unknown image are status 4" {
	why="manifest: not found or not authorised: $registry answered 404 MANIFEST_UNKNOWN: manifest unknown"
	failed 4 "occy-pull: $registry/library/busybox:none: $why" fetch none
	failed 4 "occy-pull: $registry/no/such:latest: $why" \
		occystrap fetch-to-tarfile "$registry" no/such latest x.tar
	nothing_but
	succeeds_next
}

@test "a platform that is not there is status 4 and names those that are" {
	failed 4 "occy-pull: $registry/library/busybox:multi: no image for linux/s390x, only for: linux/amd64, linux/arm64" \
		occystrap --architecture s390x fetch-to-tarfile "$registry" library/busybox multi x.tar
	nothing_but
}

@test "an unreachable host is status 7" {
	# A port that was free a moment ago: nobody listens there.
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	failed 7 "occy-pull: 127.0.0.1:$port/a/b:latest: manifest: cannot connect to http://127.0.0.1:$port: Connection refused (3 tries)" \
		occystrap fetch-to-tarfile "127.0.0.1:$port" a/b latest x.tar
	nothing_but
	succeeds_next
}

# corrupt_digest FILE OFFSET: of FILE with the lowest bit there turned round.
corrupt_digest() {
	python3 - "$@" <<-'END'
		import hashlib, sys
		data = bytearray(open(sys.argv[1], "rb").read())
		data[int(sys.argv[2])] ^= 1
		print("sha256:" + hashlib.sha256(data).hexdigest())
	END
}

@test "wrong bytes are status 8, with both digests" {
	describe_small | make_layout small
	layer=$(layer_digests small latest | tail -n 1)
	start_faults small --fault "corrupt:at=1000,digest=$layer"
	failed 8 "occy-pull: $faults/a/b:latest: layer 1 $layer: digest mismatch, got $(corrupt_digest "$(blob_path small "$layer")" 1000)" \
		occystrap fetch-to-tarfile "$faults" a/b latest x.tar
	stop_faults
	[ ! -e .x.tar.occystrap ]
	[ -z "$(ls -A tmp)" ]
}

@test "a rate limit is status 6; what came before it is kept, and not fetched again" {
	describe_small | make_layout small
	layer=$(layer_digests small latest | tail -n 1)
	start_faults small --fault "delay:seconds=1,digest=$layer" --fault "rate_limit:after=86400,digest=$layer"
	run -6 --separate-stderr occystrap fetch-to-tarfile "$faults" a/b latest x.tar
	stop_faults
	kept=$(find .x.tar.occystrap/store/blobs .x.tar.occystrap/store/parts -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
	[ "${#stderr_lines[@]}" = 2 ]
	[[ "${stderr_lines[0]}" == "occy-pull: $faults/a/b:latest: layer 1 $layer: "* ]]
	[ "${stderr_lines[1]}" = "occystrap: $kept bytes are kept in .x.tar.occystrap; the same command goes on from there" ]
	[ ! -e x.tar ]
	first=$(layer_digests small latest | head -n 1)
	[ -f "$(blob_path .x.tar.occystrap/store "$first")" ]

	start_faults small
	run -0 --separate-stderr occystrap fetch-to-tarfile "$faults" a/b latest x.tar
	stop_faults
	[ ! -e .x.tar.occystrap ]
	[ -f x.tar ]
	[ "$(jq -r --arg path "/v2/a/b/blobs/$first" 'select(.path == $path and .method == "GET").path' "$faults_log")" = '' ]
}

@test "a cut stream publishes nothing and is status 3" {
	fetch latest whole.tar
	occy-pull --store s "$registry" library/busybox latest >stream
	head -n -1 stream >half
	run -3 --separate-stderr occy-pack x.tar <half
	[ -n "$stderr" ]
	[ ! -e x.tar ]
	OCCY_WRAPPED=1 run -3 --separate-stderr occy-pack x.tar <half
	[ -z "$stderr" ]
	[ ! -e x.tar ]
	run -0 --separate-stderr occy-pack x.tar <stream
	cmp x.tar whole.tar
}

@test "a stage killed at any moment: nothing published, the next run succeeds" {
	describe_small | make_layout small
	layer=$(layer_digests small latest | tail -n 1)
	# Slow enough to be there still: 300 000 bytes in three seconds.
	start_faults small --fault "drip:bytes=10000,every=0.1,digest=$layer"
	RANDOM=7
	for _ in {1..6}; do
		for name in occy-pull occy-pack; do
			occystrap fetch-to-tarfile "$faults" a/b latest x.tar 2>stderr 3>&- &
			pid=$!
			within 5 stage_of "$pid" "$name"
			sleep "0.$((RANDOM % 10))"
			kill -9 "$found"
			code=0
			wait "$pid" || code=$?
			[ "$code" = 137 ]
			[ "$(head -n 1 stderr)" = "occystrap: $name was killed by signal 9 (KILL)" ]
			[ ! -e x.tar ]
		done
	done
	stop_faults
	start_faults small
	run -0 --separate-stderr occystrap fetch-to-tarfile "$faults" a/b latest x.tar
	stop_faults
	[ ! -e .x.tar.occystrap ]
	[ -z "$(ls -A tmp)" ]
}

# stage_of PID NAME: into $found, the pid of the child of PID that runs NAME.
stage_of() {
	local child children
	found=
	read -ra children <"/proc/$1/task/$1/children"
	for child in "${children[@]}"; do
		[ "$(cat "/proc/$child/comm" 2>/dev/null)" != "$2" ] || found=$child
	done
	[ "$found" ]
}

@test "TERM at any moment: nothing published, no process left, the next run succeeds" {
	RANDOM=8
	for _ in {1..10}; do
		# Not by a function: that would be a shell between us.
		occystrap fetch-to-tarfile "$registry" library/busybox big x.tar 2>stderr 3>&- &
		pid=$!
		sleep "0.$(printf %02d $((RANDOM % 40)))"
		kill "$pid" 2>/dev/null || [ -e x.tar ]
		wait "$pid" || [ $? = 143 ]
		[ -z "$(ls -A tmp)" ]
		if [ -e x.tar ]; then
			right_image x.tar big "$registry/library/busybox:big"
			rm x.tar
		fi
	done
	run -0 --separate-stderr fetch big
	right_image x.tar big "$registry/library/busybox:big"
	rm x.tar
	nothing_but
}

@test "a full disk is status 9, and nothing stays on it" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	mkdir disk
	# Room for the fetched blob, not for the tarball as well.
	mount -t tmpfs -o size=30m tmpfs disk
	run --separate-stderr fetch big disk/x.tar
	left=$(ls -A disk)
	mount -o remount,size=100m disk
	again=0
	fetch big disk/x.tar || again=$?
	[ "$again" != 0 ] || mv disk/x.tar .
	umount disk
	[ "$status" = 9 ]
	[ "$stderr" = 'occy-pack: disk/x.tar: No space left on device' ]
	[ -z "$left" ]
	[ "$again" = 0 ]
	right_image x.tar big "$registry/library/busybox:big"
}

@test "a disk too full for the blobs is status 9 as well" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	mkdir disk
	mount -t tmpfs -o size=10m tmpfs disk
	run --separate-stderr fetch big disk/x.tar
	left=$(ls -A disk)
	umount disk
	[ "$status" = 9 ]
	[[ "$stderr" == 'occy-pull: '*'No space left on device' ]]
	[ -z "$left" ]
}

@test "a folder that is not there, or not writable, is status 9" {
	failed 9 'occy-pack: nowhere/x.tar: No such file or directory' fetch latest nowhere/x.tar
	mkdir folder
	failed 9 'occy-pack: folder: Is a directory' fetch latest folder
	[ -z "$(ls -A tmp)" ]
}

@test "standard output that cannot be written is status 9" {
	run -9 --separate-stderr bash -c "occystrap fetch-to-tarfile $registry library/busybox latest - >/dev/full"
	[ "$stderr" = 'occy-pack: stdout: No space left on device' ]
	[ -z "$(ls -A tmp)" ]
}

@test "a reader that leaves ends everything, without a word" {
	fetch big - 2>stderr | head -c 1 >/dev/null
	[ "${PIPESTATUS[0]}" = 141 ]
	[ ! -s stderr ]
	[ -z "$(ls -A tmp)" ]
}

@test "a name with a newline and a space is only a name" {
	run -0 --separate-stderr fetch latest $'a b\nc.tar'
	[ -z "$stderr" ]
	right_image $'a b\nc.tar' latest "$registry/library/busybox:latest"
	run -0 --separate-stderr occystrap fetch-to-tarfile -- "$registry" library/busybox latest -x.tar
	[ -f ./-x.tar ]
}
