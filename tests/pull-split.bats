#!/usr/bin/env bats
# occy-pull and big blobs: in ranges over several connections, whatever the
# server makes of that, and what is left of them when a run is killed.
load helpers/pull

setup_file() {
	local mode
	cd "$BATS_FILE_TMPDIR" || return
	lines 'image latest' 'layer none' 'fill a 80000000' layer 'file b two' |
		make_layout "$(layout)"
	faults_of=()
	for mode in shift nocr star rest total 416; do
		faults_of+=(--fault "range:mode=$mode,ranged=true,path=/r112-first-$mode/"
			--fault "range:mode=$mode,ranged=true,path=/r112-later-$mode/,skip=1,times=1"
			--fault "range:mode=$mode,ranged=true,path=/r112-end-$mode/,skip=1")
	done
	for code in 400 403 500 501 502; do
		faults_of+=(--fault "status:code=$code,ranged=true,path=/r112-status-$code/")
	done
	# Slow enough for others to help.
	start_faults "$(layout)" \
		--fault "drip:bytes=1048576,every=0.02,ranged=true,min_size=67108864,path=^/v2/(?!r112-fast/)" \
		"${faults_of[@]}" \
		--fault ignore_range:path=/r112-200/ \
		--fault ignore_range:path=/r112-later-200/,skip=1,times=1 \
		--fault ignore_range:path=/r112-end-200/,skip=1 \
		--fault range:mode=short,path=/r112-short/,ranged=true,times=3 \
		--fault "truncate:at=1000000,path=/r112-cut/,first=33554432" \
		--fault "reset:at=1000000,path=/r112-cut/,first=50331648" \
		--fault "corrupt:at=40000000,times=1,path=/r112-corrupt/,first=33554432" \
		--fault "corrupt:at=40000000,path=/r112-wrong/" \
		--fault drip:bytes=65536,every=0.05,min_size=67108864,path=/r16/ \
		--fault "stall:at=0,seconds=4,times=7,path=/r16/,first=16777216" \
		--fault rate_limit:after=0,skip=1,times=1,path=/r113-429/,kind=blob,min_size=67108864 \
		--fault drip:bytes=262144,every=0.05,min_size=67108864,path=/kill/
}

teardown_file() {
	stop_faults
}

setup() {
	begin
	big=$(digest latest layer 0)
	size=$(size "$big")
	part=store/parts/${big/:/-}
}

# ranges REPOSITORY: what was asked of the big blob, a line each, sorted by its
# first byte. The log may be a moment late: OTHERS other requests end after it.
ranges() {
	sleep 0.1
	jq -r --arg name "/v2/$1/blobs/$big" 'select((.path // "") == $name)
		| "\(.status) \(.range // "all")"' "$faults_log" | sort -t= -k2n -k1
}

all_ranges='206 bytes=0-16777215
206 bytes=16777216-33554431
206 bytes=33554432-50331647
206 bytes=50331648-67108863
206 bytes=67108864-'

# peak REPOSITORY: how many requests for the big blob were under way at a time.
peak() {
	jq -r --arg path "/v2/$1/blobs/$big" 'select((.path // "") == $path)
		| "\(.t * 1000 - .ms) 1", "\(.t * 1000) -1"' "$faults_log" |
		sort -n | awk '{ n += $2; if (n > most) most = n } END { print most }'
}

@test "R112 a big blob comes in ranges, four at a time" {
	works r112 latest
	same "$(ranges r112)" "$all_ranges"
	same "$(peak r112)" 4
}

@test "R112 a fast server is asked for more and more by one connection alone" {
	works r112-fast latest
	# On a slow machine others may help after all.
	ranges r112-fast | head -n 1 >first
	same "$(cat first)" '206 bytes=0-16777215'
	(($(peak r112-fast) == 1)) || return 0
	same "$(ranges r112-fast)" "$(lines '206 bytes=0-16777215' '206 bytes=16777216-50331647' \
		'206 bytes=50331648-')"
}

@test "R112 --split says how many; 1 is as before" {
	works r112-two latest --split 2
	same "$(ranges r112-two)" "$all_ranges"
	same "$(peak r112-two)" 2
	works r112-one latest --split 1
	same "$(ranges r112-one)" '200 all'
	run -2 --separate-stderr pull r112-none latest --split 0
	[[ $stderr == "occy-pull: --split: "* ]]
	run -2 --separate-stderr pull r112-none latest --split 17
}

@test "R112 a 200 to the first range is the whole" {
	works r112-200 latest
	same "$(ranges r112-200)" '200 bytes=0-16777215'
}

@test "R112 a first range that is answered by something else: the whole" {
	for mode in shift nocr star rest; do
		works "r112-first-$mode" latest
		same "$(ranges "r112-first-$mode")" "$(lines '200 all' '206 bytes=0-16777215')"
	done
	works r112-first-416 latest
	same "$(ranges r112-first-416)" "$(lines '200 all' '416 bytes=0-16777215')"
	works r112-first-total latest
	same "$(ranges r112-first-total)" "$(lines '200 all' '206 bytes=0-16777215')"
}

@test "R112 a server that refuses ranges is asked for the whole" {
	for code in 400 403 501; do
		works "r112-status-$code" latest
		same "$(ranges "r112-status-$code")" "$(lines '200 all' "$code bytes=0-16777215")"
	done
	# These may pass: once more.
	for code in 500 502; do
		works "r112-status-$code" latest
		same "$(ranges "r112-status-$code")" "$(lines '200 all' "$(times 2 "$code bytes=0-16777215")")"
	done
}

@test "R112 a later range that is answered by something else: one connection fewer" {
	for mode in 200 416 shift nocr total; do
		works "r112-later-$mode" latest
		ranges "r112-later-$mode" >asked
		# All ranges are there, and one of them was asked for twice.
		same "$(grep '^206' asked | uniq)" "$all_ranges"
		same "$(wc -l <asked)" 6
		same "$(sed 's/^[0-9]* //' asked | uniq -d | wc -l)" 1
	done
}

@test "R112 when no connection is left that gets its range: the whole" {
	for mode in 416 nocr; do
		works "r112-end-$mode" latest
		same "$(ranges "r112-end-$mode" | grep all)" '200 all'
		(($(ranges "r112-end-$mode" | wc -l) <= 6))
	done
	works r112-end-200 latest
	# The last of them is the whole itself.
	same "$(ranges r112-end-200 | grep -c '^200 bytes=')" 4
}

@test "R112 a range that ends early goes on where it was" {
	works r112-short latest
	same "$(ranges r112-short | sed -n '1,2p')" "$(lines '206 bytes=0-16777215' '206 bytes=8388608-16777215')"
	works r112-cut latest
	ranges r112-cut >asked
	grep -Fx '206 bytes=34554432-50331647' asked
	same "$(grep -c -- -67108863 asked)" 2
	same "$(wc -l <asked)" 7
}

@test "R112 a wrong byte in one range: all of it once more, in one piece" {
	works r112-corrupt latest
	same "$(ranges r112-corrupt)" "$(lines '200 all' "$all_ranges")"
	run -8 --separate-stderr pull r112-wrong latest --store other
	[[ $stderr == "occy-pull: $faults/r112-wrong:latest: layer 0 $big: digest mismatch, got sha256:"* ]]
	same "${#stderr_lines[@]}" 1
	same "$(ranges r112-wrong)" "$(lines '200 all' "$all_ranges")"
	right_store other
	no_parts other
}

@test "R112 each range has a redirect and a token of its own" {
	own_faults --redirect-blobs --cdn-uses 1 --auth token --user user \
		--password secret --token-requests 3 \
		--fault drip:bytes=1048576,every=0.02,ranged=true,min_size=67108864
	export OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=secret
	works r112-cdn latest
	# The log has a 401 for each token that was dead.
	same "$(ranges r112-cdn | grep -v '^401')" "${all_ranges//206/307}"
	same "$(jq -r 'select(.srv == "cdn" and .range != null) | .status' "$faults_log" | sort | uniq -c | tr -s ' ')" ' 5 206'
}

@test "R112 what is counted comes once" {
	for name in r112-progress r112-corrupt-progress r112-later-200-progress; do
		rm -rf store
		run -0 --separate-stderr occy-pull --progress json --store store "$faults" "$name" latest
		all=$(jq -n --argjson big "$size" --argjson config "$(size "$(digest latest config)")" \
			--argjson small "$(size "$(digest latest layer 1)")" '$big + $config + $small')
		same "$(jq -r '"\(.received) \(.expected)"' <<<"${stderr_lines[-1]}")" "$all $all"
	done
}

@test "R16 a connection that stands still does no harm while others move" {
	# Six tries are all that one has which brings nothing.
	works r16 latest --stall-timeout 1
	within 10 eval '[ "$(ranges r16 | wc -l)" = 12 ]'
	ranges r16 >asked
	same "$(grep -c 'bytes=16777216-33554431' asked)" 8
	same "$(uniq asked)" "$all_ranges"
}

# own_mirror FAULT...: in front of the registry of this file; sets $mirror and
# $mirror_log.
own_mirror() {
	local registry=$faults log=$faults_log
	own_faults --fault drip:bytes=1048576,every=0.02,ranged=true,min_size=67108864 "$@"
	mirror=$faults mirror_log=$faults_log
	faults=$registry faults_log=$log
}

@test "R20 what a mirror does not have of a big blob comes from the registry" {
	own_mirror --fault status:code=404,first=33554432
	works r20-hole latest --mirror "http://$mirror"
	# The lane stays where it has found something.
	[[ $(ranges r20-hole) == *'206 bytes=33554432-50331647'* ]]
	cat "$mirror_log" "$faults_log" >both
	same "$(jq -r --arg path "/v2/r20-hole/blobs/$big" 'select((.path // "") | startswith($path))
		| "\(.status) \(.range)"' both | grep '^206' | sort -t= -k2n)" "$all_ranges"
}

@test "R20 a mirror with a wrong byte in a big blob: the registry has it, in one piece" {
	own_mirror --fault corrupt:at=40000000
	works r20-wrong latest --mirror "http://$mirror"
	same "$(ranges r20-wrong)" '200 all'
}

@test "R20 a mirror that gives no ranges and breaks off: the registry has the rest" {
	own_mirror --fault status:code=400,ranged=true --fault truncate:at=30000000,kind=blob
	works r20-broken latest --mirror "http://$mirror"
	same "$(ranges r20-broken)" '206 bytes=30000000-'
}

# sparse_layout DIR COUNT: so many layers of 64 MiB and some zeros.
sparse_layout() {
	local i layers='' digest config
	mkdir -p "$1/blobs/sha256"
	for ((i = 1; i <= $2; i++)); do
		truncate -s $((67108864 + i)) blob
		digest=$(sha256sum <blob | cut -d' ' -f1)
		mv blob "$1/blobs/sha256/$digest"
		layers+="{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$digest\",\"size\":$((67108864 + i))} "
	done
	config=$(jq -cn --argjson layers "$(jq -sc . <<<"$layers")" \
		'{os: "linux", architecture: "amd64", rootfs: {type: "layers", diff_ids: [$layers[].digest]}}')
	put_blob "$1" "$config" application/vnd.oci.image.config.v1+json >descriptor
	put_blob "$1" "$(jq -cn --slurpfile config descriptor --argjson layers "$(jq -sc . <<<"$layers")" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config[0], layers: $layers}')" \
		application/vnd.oci.image.manifest.v1+json |
		jq -c '{schemaVersion: 2, manifests: [. + {annotations: {"org.opencontainers.image.ref.name": "latest"}}]}' >"$1/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
}

# put_blob LAYOUT TEXT TYPE: its descriptor.
put_blob() {
	local digest
	digest=$(printf %s "$2" | sha256sum | cut -d' ' -f1)
	printf %s "$2" >"$1/blobs/sha256/$digest"
	jq -cn --arg type "$3" --arg digest "sha256:$digest" --argjson size "${#2}" \
		'{mediaType: $type, digest: $digest, size: $size}'
}

# most_connections COUNT OPTION...: for so many layers, as a registry of one's
# own has seen.
most_connections() {
	rm -rf sparse
	sparse_layout sparse "$1"
	shift
	start_faults sparse --fault drip:bytes=1048576,every=0.02,min_size=67108864
	own_pid=$faults_pid
	works many latest "$@"
	stop_process "$own_pid"
	jq 'select(.event == "exit") | .peak_conns' "$faults_log"
}

@test "R113 jobs times split connections, and never more than sixteen" {
	same "$(most_connections 1 --jobs 1 --split 3)" 3
	same "$(most_connections 2 --jobs 2 --split 2)" 4
	same "$(most_connections 4 --jobs 16 --split 16)" 16
}

@test "R110 with --jobs 1 one blob comes after the other, each in ranges" {
	sparse_layout sparse 2
	start_faults sparse --fault drip:bytes=1048576,every=0.02,ranged=true,min_size=67108864
	own_pid=$faults_pid
	works order latest --jobs 1
	within 3 eval '[ "$(grep -c "bytes=" "$faults_log")" = 10 ]'
	jq -r 'select(.range != null) | "\(.t * 1000 - .ms) \(.path)"' "$faults_log" |
		sort -n | cut -d' ' -f2 | uniq >order
	same "$(sed 's/.*blobs.//' order)" "$(layer_digests sparse latest)"
}

@test "R113 a 429 halves the connections of a blob" {
	works r113-429 latest --jobs 1
	# Of four the second is refused, and waits until only one is on its way.
	ranges r113-429 | grep -v '^206' >refused
	same "$(wc -l <refused)" 1
	grep '^429' refused
	# The server waits a little after the last byte.
	jq -r --arg name "/v2/r113-429/blobs/$big" 'select((.path // "") == $name and .status == 206)
		| "\(.t * 1000 - .ms) 1", "\(.t * 1000 - 100) -1"' "$faults_log" |
		sort -n | awk '{ n += $2; if (n > most) most = n } END { print most }' >most
	same "$(cat most)" 3
}

@test "R109 killed at any time: what was there is not asked for again" {
	for round in 1 2 3; do
		occy-pull --store store -q "$faults" kill latest >stream 2>stderr 3>&- &
		pid=$!
		within 20 grown "$round"
		sleep "0.$((RANDOM % 4 + 1))"
		kill -KILL "$pid"
		wait "$pid" || :
		right_store store
		python3 -B "$OCCY_SRCDIR/tests/helpers/extents.py" "$part" >"there$round"
		[ -s "$part.map" ]
	done
	# What a killed run has asked for was cut by the kill: the last one tells.
	works_again kill-end latest
	within 3 eval '[ "$(ranges kill-end)" ]'
	read -r there again < <(python3 -B "$OCCY_SRCDIR/tests/helpers/extents.py" \
		again "$faults_log" "/v2/kill-end/blobs/$big" <there3)
	echo "of $there bytes $again again"
	((there > 8000000 && again * 50 <= there))
}

# grown ROUND: the part file holds so much that a kill is worth it.
grown() {
	[ -e "$part.map" ] && (($(stat -c '%b' "$part") * 512 >= $1 * 4000000))
}

# works_again REPOSITORY TAG [OPTION]...: as works, with the store as it is.
works_again() {
	run -0 --separate-stderr pull "$@"
	same "$stderr" ''
	whole_stream
	right_store store
	no_parts store
}

# leave_out BLOCK...: nothing but a part that lacks these blocks, and its map.
leave_out() {
	local block
	rm -rf store
	mkdir -p store/parts
	cp "$(blob_path "$(layout)" "$big")" "$part"
	head -c "$(((size + 262143) / 262144))" /dev/zero | tr '\0' '\1' >"$part.map"
	for block; do
		dd if=/dev/zero of="$part" bs=262144 count=1 seek="$block" conv=notrunc status=none
		printf '\0' | dd of="$part.map" bs=1 seek="$block" conv=notrunc status=none
	done
}

@test "R109 only the blocks that a map lacks are asked for, with any --split" {
	for split in 1 4; do
		leave_out 3 4 100
		works_again "map-$split" latest --split "$split"
		same "$(ranges "map-$split")" "$(lines '206 bytes=786432-1310719' '206 bytes=26214400-26476543')"
	done
	leave_out
	works_again map-all latest
	same "$(ranges map-all)" ''
}

@test "R109 a map that lies is found out, and all of it asked for again" {
	leave_out
	dd if=/dev/zero of="$part" bs=262144 count=1 seek=7 conv=notrunc status=none
	works_again map-lies latest
	same "$(ranges map-lies)" '200 all'
}

@test "R109 a map knows no more than the part file holds" {
	leave_out 3
	truncate -s 60000000 "$part"
	works_again map-short latest --split 1
	same "$(ranges map-short)" "$(lines '206 bytes=59768832-' '206 bytes=786432-1048575' | sort -t= -k2n -k1)"
	leave_out 3
	head -c 1000 /dev/zero | tr '\0' '\1' >>"$part.map"
	works_again map-long latest
	same "$(ranges map-long)" '206 bytes=786432-1048575'
	leave_out
	echo more >>"$part"
	works_again map-longer latest
	same "$(ranges map-longer)" "$all_ranges"
	# Every other block: none of ours.
	leave_out
	for ((i = 0; i < 2500; i++)); do printf '\1\0'; done >"$part.map"
	works_again map-stripes latest
	head -c 100000 /dev/urandom >noise
	leave_out
	cp noise "$part.map"
	works_again map-noise latest
	rm -rf store
	mkdir -p store/parts
	: >"$part.map"
	works_again map-alone latest
	same "$(ranges map-alone)" "$all_ranges"
}

@test "R109 a map that is a link, or has two names, or is no file: left alone" {
	for kind in link name directory fifo; do
		leave_out 3
		mv "$part.map" outside
		case $kind in
		link) ln -s ../../outside "$part.map" ;;
		name) ln outside "$part.map" ;;
		directory) mkdir "$part.map" ;;
		fifo) mkfifo "$part.map" ;;
		esac
		cp outside before
		run -0 --separate-stderr timeout 20 occy-pull -q --store store "$faults" "map-$kind" latest
		same "$stderr" ''
		whole_stream
		cmp outside before
		[ -e "$part" ]
		same "$(ranges "map-$kind")" "$all_ranges"
		[ "$(sha256sum <"$(blob_path store "$big")" | cut -d' ' -f1)" = "${big#*:}" ]
	done
}

@test "R82 two runs for one big blob both end well" {
	pull r82-one latest >one 2>&1 3>&- &
	pid=$!
	works_again r82-two latest
	wait "$pid"
	tail -n 1 one | grep -F '"type":"end"'
	no_parts store
}

@test "a full disk ends all connections at once and is left as it was" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	mkdir disk
	mount -t tmpfs -o size=30m tmpfs disk
	run -9 --separate-stderr pull full latest --store disk/store
	kept=$(ls -A disk/store/parts)
	umount disk
	same "$stderr" "occy-pull: $PWD/disk/store/parts/${big/:/-}: No space left on device"
	same "$kept" ''
}
