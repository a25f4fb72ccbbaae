#!/usr/bin/env bats
# Keeping a store in order: --verify-store, --gc, --forget, all of it beside
# pulls that are going on.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	start_faults "$(layout)" \
		--fault drip:bytes=8000,every=0.1,kind=blob,path=/slow/ \
		--fault stall:at=1000,seconds=60,kind=blob,path=/stuck/ \
		--fault stall:at=600000,seconds=60,kind=blob,path=/halfway/
}

teardown_file() {
	stop_faults
}

# one and two share a layer and differ in the other.
describe() {
	lines 'image one' layer 'fill shared 30000' layer 'fill first 20000' \
		'image two' layer 'fill shared 30000' layer 'fill second 200000' \
		'image arm architecture=arm64' layer 'file a arm' \
		'index both one arm' \
		'image big' layer 'fill d 800000' \
		'image long algorithm=sha512' layer 'fill c 5000'
}

care() {
	occy-pull --store store --quiet "$@"
}

# cared STATUS OUTPUT STDERR OPTION...
cared() {
	run "-$1" --separate-stderr care "${@:4}"
	same "$output" "$2"
	same "$stderr" "$3"
}

# freed BLOBS PARTS BYTES KEPT-BLOBS KEPT-PARTS KEPT-BYTES: what --gc prints.
freed() {
	echo "{\"removed\":{\"blobs\":$1,\"parts\":$2,\"bytes\":$3},\"kept\":{\"blobs\":$4,\"parts\":$5,\"bytes\":$6}}"
}

# fetched IMAGE...: a store that holds these, and nothing else.
fetched() {
	local image
	rm -rf store
	for image; do
		pull some "$image" >/dev/null
	done
}

# age [FILE]...: all that is in the store, or these, has not been used for ages.
age() {
	if (($#)); then
		touch -h -d '40 days ago' "$@"
	else
		find store/blobs store/parts -type f -exec touch -d '40 days ago' {} +
	fi
}

blobs() {
	find store/blobs ! -type d -printf '%f\n' | sort
}

# blobs_of IMAGE...: the names of their blobs, each once.
blobs_of() {
	local image
	for image; do
		lines "$(digest "$image" manifest)" "$(digest "$image" config)"
		layer_digests "$(layout)" "$image"
	done | cut -d : -f 2 | sort -u
}

# bytes_of <NAMES: of blobs of the layout, together.
bytes_of() {
	local name sum=0
	while read -r name; do
		((sum += $(stat -c %s "$(layout)"/blobs/*/"$name")))
	done
	echo "$sum"
}

flip() {
	printf X | dd of="$1" bs=1 seek=100 conv=notrunc status=none
}

# all_there: what the images of the store need is there, and right.
all_there() {
	care --verify-store >/dev/null
}

# --verify-store

@test "a store in order: status 0 and the counts" {
	fetched one two
	cared 0 "{\"blobs\":7,\"bytes\":$(blobs | bytes_of),\"wrong\":0,\"images\":2,\"missing\":0,\"parts\":{\"files\":0,\"bytes\":0}}" '' --verify-store
	right_store store
}

@test "a wrong byte is found, the blob moved away, and the next pull fetches it" {
	local blob got
	fetched one long
	for blob in "$(blob_path store "$(digest one layer 0)")" \
		"$(blob_path store "$(digest long layer 0)")"; do
		flip "$blob"
		case $blob in
		*/sha512/*) got=sha512:$(sha512sum <"$blob") image=long number=0 ;;
		*) got=sha256:$(sha256sum <"$blob") image=one number=0 ;;
		esac
		run -8 --separate-stderr care --verify-store
		[ "${#stderr_lines[@]}" = 2 ]
		[[ ${stderr_lines[0]} == "occy-pull: $PWD/$blob: digest mismatch, got ${got%  -}; moved to parts/${blob##*/}."* ]]
		same "${stderr_lines[1]}" "occy-pull: $faults/some:$image: layer $number $(digest "$image" layer 0) is missing"
		same "$(jq -c '[.wrong, .missing, .parts.files]' <<<"$output")" '[1,1,1]'
		[ ! -e "$blob" ]
		run -0 pull some "$image"
		run -0 care --gc --older-than 0
		same "$(jq .removed.parts <<<"$output")" 1
		right_store store
		no_parts store
		all_there
	done
}

@test "so are one that is cut short, and one that is too long" {
	fetched one
	truncate -s 100 "$(blob_path store "$(digest one layer 0)")"
	echo more >>"$(blob_path store "$(digest one layer 1)")"
	run -8 --separate-stderr care --verify-store
	same "$(jq -c '[.wrong, .missing]' <<<"$output")" '[2,2]'
	same "$(find store/parts -type f | wc -l)" 2
	run -0 pull some one
	all_there
}

@test "what an image lacks is named, with status 4" {
	fetched one
	rm "$(blob_path store "$(digest one layer 1)")" "$(blob_path store "$(digest one config)")"
	run -4 --separate-stderr care --verify-store
	same "$stderr" "$(lines "occy-pull: $faults/some:one: config $(digest one config) is missing" \
		"occy-pull: $faults/some:one: layer 1 $(digest one layer 1) is missing")"
	same "$(jq .missing <<<"$output")" 2
	rm "$(blob_path store "$(digest one manifest)")"
	run -4 --separate-stderr care --verify-store
	same "$stderr" "occy-pull: $faults/some:one: manifest $(digest one manifest) is missing"
}

@test "of an index what was never fetched may be missing, but of an image nothing" {
	cp -r "$(layout)" store
	mkdir store/parts
	rm "$(blob_path store "$(digest arm manifest)")"
	jq -c '.manifests |= map(select(.annotations["org.opencontainers.image.ref.name"] == "both"))' \
		store/index.json >index
	cp index store/index.json
	run -0 --separate-stderr care --verify-store
	same "$stderr" ''
	same "$(jq -c '[.images, .missing]' <<<"$output")" '[1,0]'
	rm "$(blob_path store "$(digest one layer 1)")"
	cared 4 "$(jq -c '.blobs -= 1 | .missing = 1' <<<"$output" |
		sed "s/\"bytes\":[0-9]*/\"bytes\":$(($(jq .bytes <<<"$output") - $(size "$(digest one layer 1)")))/")" \
		"occy-pull: both: layer 1 $(digest one layer 1) is missing" --verify-store
}

@test "a blob of another size than its descriptor says is status 8" {
	fetched one
	jq -c '.manifests[0].size += 1' store/index.json >index
	cp index store/index.json
	run -8 --separate-stderr care --verify-store
	same "$stderr" "occy-pull: $faults/some:one: manifest $(digest one manifest): $(size "$(digest one manifest)") bytes, but its descriptor says $(($(size "$(digest one manifest)") + 1))"
}

@test "what does not belong there is named and left alone" {
	local hex
	hex=$(printf '%064d' 0)
	fetched one
	echo precious >file
	echo >"store/blobs/sha256/${hex:1}x"
	echo >store/parts/notes
	mkdir "store/parts/sha256-$hex"
	ln -s "$PWD/file" "store/blobs/sha256/$hex"
	run -8 --separate-stderr care --verify-store
	same "$stderr" "$(lines "occy-pull: warning: $PWD/store/blobs/sha256/${hex:1}x: does not belong here" \
		"occy-pull: $PWD/store/blobs/sha256/$hex: not a regular file" \
		"occy-pull: warning: $PWD/store/parts/notes: does not belong here" \
		"occy-pull: warning: $PWD/store/parts/sha256-$hex: does not belong here")"
	rm "store/blobs/sha256/$hex"
	mkfifo "store/blobs/sha256/$hex"
	run -8 --separate-stderr timeout 20 "$OCCY_BINDIR/occy-pull" --store store -q --verify-store
	age
	run -0 --separate-stderr timeout 20 "$OCCY_BINDIR/occy-pull" --store store -q --gc --older-than 0
	same "$output" "$(freed 0 0 0 0 0 0)"
	[ -p "store/blobs/sha256/$hex" ]
	[ -e "store/blobs/sha256/${hex:1}x" ]
	[ -e store/parts/notes ]
	[ -d "store/parts/sha256-$hex" ]
	same "$(cat file)" precious
}

@test "a wrong blob that cannot be moved away is said to stay" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	local blob got
	fetched one
	blob=$(blob_path store "$(digest one layer 0)")
	flip "$blob"
	got=$(sha256sum <"$blob")
	mount --bind store store
	mount -o remount,bind,ro store
	run --separate-stderr care --verify-store
	umount store
	same "$status" 8
	same "$stderr" "occy-pull: $PWD/$blob: digest mismatch, got sha256:${got%  -}; cannot be moved away: Read-only file system"
}

# --forget and --gc

@test "what only a forgotten image needs is removed, no more and no less" {
	local gone
	fetched one two
	age
	cared 0 "$(freed 0 0 0 0 0 0)" '' --gc
	entry=$(jq -c '.manifests[1]' store/index.json)
	cared 0 "$entry" '' --forget "$faults/some:one"
	same "$(jq -c '.manifests[].digest' store/index.json)" "\"$(digest two manifest)\""
	same "$(blobs)" "$(blobs_of one two)"
	gone=$(comm -23 <(blobs_of one) <(blobs_of two))
	cared 0 "$(freed 3 0 "$(bytes_of <<<"$gone")" 0 0 0)" '' --gc
	same "$(blobs)" "$(blobs_of two)"
	right_store store
	all_there
	run -0 skopeo inspect --raw "oci:store:$faults/some:two"
	run -0 skopeo copy -q "oci:store:$faults/some:two" docker-archive:x.tar:x:latest
}

@test "an image that was asked for by its digest stays when a tag of it moves on" {
	for first in one "$(digest one manifest)"; do
		rm -rf store
		run -0 pull some "$first"
		for image in one "$(digest one manifest)"; do
			run -0 pull some "$image"
		done
		same "$(jq -c '.manifests | length' store/index.json)" 2
		run -0 care --forget "$faults/some:one"
		age
		cared 0 "$(freed 0 0 0 0 0 0)" '' --gc
		same "$(blobs)" "$(blobs_of one)"
		run -0 pull some "$(digest one manifest)" --offline
		run -0 care --forget "$faults/some@$(digest one manifest)"
		same "$(jq -c .manifests store/index.json)" '[]'
	done
}

@test "an index of others keeps what is below it, in either algorithm" {
	cp -r "$(layout)" store
	mkdir store/parts
	age
	before=$(blobs)
	cared 0 "$(freed 0 0 0 0 0 0)" '' --gc
	same "$(blobs)" "$before"
	run -0 care --forget one two arm
	cared 0 "$(freed 3 0 "$(comm -23 <(blobs_of two) <(blobs_of one) | bytes_of)" 0 0 0)" '' --gc
	run -0 care --forget both long big
	cared 0 "$(freed "$(blobs | wc -l)" 0 "$(blobs | bytes_of)" 0 0 0)" '' --gc
	same "$(blobs)" ''
}

@test "what has been used within a day stays, unless it is told otherwise" {
	fetched one
	age
	run -0 care --forget "$faults/some:one"
	# One layer is used, by an image that does not stay either.
	run -0 pull some two
	run -0 care --forget "$faults/some:two"
	cared 0 "$(freed 3 0 "$(comm -23 <(blobs_of one) <(blobs_of two) | bytes_of)" 4 0 "$(blobs_of two | bytes_of)")" '' --gc
	same "$(blobs)" "$(blobs_of two)"
	find store/blobs -type f -exec touch -d '2 days ago' {} +
	cared 0 "$(freed 0 0 0 4 0 "$(blobs_of two | bytes_of)")" '' --gc --older-than 3
	cared 0 "$(freed 4 0 "$(blobs_of two | bytes_of)" 0 0 0)" '' --gc --older-than 1
	fetched two
	run -0 care --forget "$faults/some:two"
	sleep 0.05
	cared 0 "$(freed 4 0 "$(blobs_of two | bytes_of)" 0 0 0)" '' --gc --older-than 0
}

@test "an image is named as in index.json, by a reference or by a digest" {
	local name
	name=$faults/some
	for image in "$name:one" "$name:one@$(digest one manifest)" \
		"$name@$(digest one manifest)" "$(digest one manifest)"; do
		fetched two one
		run -0 --separate-stderr care --forget "$image"
		same "$(jq -r '.digest' <<<"$output")" "$(digest one manifest)"
		same "$(jq -c '.manifests | length' store/index.json)" 1
	done
	# docker.io and library/ go without saying; names of others are as they are.
	fetched one
	jq -c --arg name docker.io/library/busybox:latest \
		'.manifests[0].annotations["org.opencontainers.image.ref.name"] = $name' \
		store/index.json >index
	for image in busybox docker.io/library/busybox:latest busybox:latest; do
		cp index store/index.json
		run -0 care --forget "$image"
	done
	jq -c '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "Odd Name"' index >store/index.json
	run -0 care --forget 'Odd Name'
	same "$(jq -c .manifests store/index.json)" '[]'
}

@test "when one of several images is unknown, nothing is changed" {
	fetched one
	cp store/index.json before
	for other in "$faults/some:two" "$faults/some@$(digest two manifest)" \
		"$faults/other@$(digest one manifest)" "$faults/some:one@$(digest two manifest)" \
		"$(digest two manifest)" '??'; do
		cared 4 '' "occy-pull: $other: no such image in the store" \
			--forget "$faults/some:one" "$other"
		cmp before store/index.json
	done
}

@test "--os, --architecture and --variant choose among an image's platforms" {
	fetched one
	run -0 pull some both
	run -0 pull some both --architecture arm64
	cared 4 '' "occy-pull: $faults/some:both: no such image in the store" \
		--forget --architecture s390x "$faults/some:both"
	run -0 --separate-stderr care --forget --architecture aarch64 "$faults/some:both"
	same "$(jq -r .platform.architecture <<<"$output")" arm64
	run -0 pull some both --architecture arm64
	run -0 --separate-stderr care --forget "$faults/some:both"
	same "$(jq -r .platform.architecture <<<"$output" | sort)" $'amd64\narm64'
	same "$(jq -c '.manifests | length' store/index.json)" 1
}

# Beside others

# A pull that is going on, of the image in $1 from the repository in $2.
begin_pull() {
	occy-pull --store store -q "$faults" "$2" "$1" >out 2>err 3>&- &
	pull_pid=$!
}

end_pull() {
	wait "$pull_pid"
	same "$(cat err)" ''
	[ "$(tail -n 1 out | jq -r .type)" = end ]
	all_there
}

has_blob() {
	[ -e "$(blob_path store "$1")" ]
}

@test "what a pull that is going on uses stays, whatever the grace" {
	local garbage
	fetched one
	garbage=$(printf 'garbage' | sha256sum | cut -d ' ' -f 1)
	printf garbage >"store/blobs/sha256/$garbage"
	run -0 care --forget "$faults/some:one"
	age
	# two shares a layer with one, which only two needs now.
	begin_pull two slow
	within 10 has_blob "$(digest two config)"
	within 10 [ -e "store/parts/$(digest two layer 1 | tr : -)" ]
	sleep 1.1
	run -0 --separate-stderr care --gc --older-than 0
	same "$(jq -c '[.removed.blobs, .removed.parts]' <<<"$output")" '[4,0]'
	[ ! -e "store/blobs/sha256/$garbage" ]
	has_blob "$(digest two layer 0)"
	has_blob "$(digest two manifest)"
	end_pull
	same "$(blobs)" "$(blobs_of two)"
}

# slow_reader STORE: an offline run whose reader takes a page of what it says,
# and no more, as $pull_pid.
slow_reader() {
	printf '%s\n' "$faults"/some:{one,two,big,long} >list
	mkfifo out
	exec {out}<>out
	head -c 61440 /dev/zero >&"$out"
	timeout 60 occy-pull --store "$1" -q --offline -f list >out 2>err 3>&- {out}>&- &
	pull_pid=$!
}

# leased SECOND: some run is going on that began in or before it.
leased() {
	python3 - "$1" <<-'END'
		import fcntl, os, struct, sys
		lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, int(sys.argv[1]) + 1, 0)
		lock = fcntl.fcntl(os.open("store/parts", os.O_RDONLY), fcntl.F_OFD_GETLK, lock)
		raise SystemExit(struct.unpack("hhqqi", lock)[0] == fcntl.F_UNLCK)
	END
}

@test "what a run has named stays until its reader has heard all of it" {
	local out
	fetched one two big long
	age
	slow_reader store
	within 10 leased "$(date +%s)"
	sleep 3
	run -0 care --forget "$faults/some:one"
	run -0 --separate-stderr care --gc --older-than 0
	same "$(jq -c .removed.blobs <<<"$output")" 0
	terminate "$pull_pid"
	exec {out}>&-
	run -0 --separate-stderr care --gc --older-than 0
	same "$(jq -c .removed.blobs <<<"$output")" 3
}

@test "all stays while there is a run that cannot set the time of what it uses" {
	local out leased=yes
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	fetched one two big long
	age
	mkdir readonly
	mount --bind store readonly
	mount -o remount,bind,ro readonly
	slow_reader readonly
	within 10 leased 0 || leased=
	umount -l readonly
	[ "$leased" ]
	run -0 care --forget "$faults/some:one"
	run -0 --separate-stderr care --gc --older-than 0
	same "$(jq -c .removed.blobs <<<"$output")" 0
	terminate "$pull_pid"
	exec {out}>&-
	run -0 --separate-stderr care --gc
	same "$(jq -c .removed.blobs <<<"$output")" 3
}

@test "a part stays while somebody has it, and a day longer; its map goes with it" {
	local part
	part=store/parts/$(digest big layer 0 | tr : -)
	begin_pull big halfway
	within 10 [ -s "$part" ]
	age "$part"
	run -0 care --gc --older-than 0
	[ -e "$part" ]
	kill -9 "$pull_pid"
	wait "$pull_pid" || true
	bytes=$(stat -c %s "$part")
	touch "$part"
	run -0 care --gc
	same "$(jq -c '[.removed.parts, .kept.parts > 0]' <<<"$output")" '[0,true]'
	age "$part"
	echo >"$part.map"
	run -0 care --gc --older-than 50
	[ -e "$part" ]
	[ -e "$part.map" ]
	run -0 care --gc
	[ ! -e "$part" ]
	[ ! -e "$part.map" ]
	same "$(jq -c '.removed | [.parts, .bytes]' <<<"$output")" "[1,$bytes]"
}

@test "maps without a part, empty parts and temporary names go; what is not ours stays" {
	local hex
	hex=$(printf '%064d' 0)
	fetched one
	(cd store/parts && echo >"sha256-$hex.map" && : >"sha256-${hex/0/1}" &&
		for name in index.json oci-layout spool "$hex" "sha256-$hex" "sha256-$hex.map"; do
			echo >"$name.12345"
		done)
	(cd store/parts && for name in "index.json-1" "index.json.x" ".12" "$hex.map" \
		"sha256-${hex:1}" "sha256-$hex.maps" other.12; do
		echo theirs >"$name"
	done)
	run -0 care --gc
	same "$(jq -c .removed <<<"$output")" '{"blobs":0,"parts":0,"bytes":0}'
	[ ! -e "store/parts/sha256-${hex/0/1}" ]
	[ ! -e "store/parts/sha256-$hex" ]
	age
	run -0 care --gc
	same "$(jq -c '.removed.parts' <<<"$output")" 7
	same "$(cat store/parts/* store/parts/.12 | sort | uniq -c | tr -s ' ')" ' 7 theirs'
}

@test "two at once remove each file once" {
	local i pids
	for _ in 1 2 3; do
		fetched one
		run -0 care --forget "$faults/some:one"
		for ((i = 0; i < 300; i++)); do
			echo "$i" >file
			cp file "store/blobs/sha256/$(sha256sum <file | cut -d ' ' -f 1)"
		done
		age
		pids=()
		for i in 1 2 3; do
			care --gc >"out$i" 2>"err$i" 3>&- &
			pids+=($!)
		done
		for i in "${pids[@]}"; do
			wait "$i"
		done
		same "$(cat err?)" ''
		same "$(jq -s 'map(.removed.blobs) | add' out?)" 304
		same "$(blobs)" ''
	done
}

@test "pulls that find old blobs, and gc that would remove them, at the same time" {
	local pids
	for _ in {1..15}; do
		fetched one two
		run -0 care --forget "$faults/some:one" "$faults/some:two"
		age
		pids=()
		pull some one >out1 2>err1 3>&- &
		pids+=($!)
		care --gc --older-than 0 >gc1 2>>err1 3>&- &
		pids+=($!)
		pull some two >out2 2>err2 3>&- &
		pids+=($!)
		care --gc --older-than 0 >gc2 2>>err2 3>&- &
		pids+=($!)
		for pid in "${pids[@]}"; do
			wait "$pid"
		done
		same "$(cat err1 err2)" ''
		all_there
		same "$(blobs)" "$(blobs_of one two)"
	done
}

@test "a blob whose bytes an earlier run has fetched is new all the same" {
	local part
	fetched two
	part=store/parts/$(digest one layer 1 | tr : -)
	cp "$(blob_path "$(layout)" "$(digest one layer 1)")" "$part"
	age
	run -0 pull some one
	# All that it has found or put, and nothing else.
	same "$(find store/blobs -type f -mmin -5 -printf '%f\n' | sort)" "$(blobs_of one)"
}

@test "looking at a blob's age and removing it is one step, and so is finding it" {
	local blob lock
	fetched one
	run -0 care --forget "$faults/some:one"
	age
	blob=$(blob_path store "$(digest one layer 0)")

	# As if a pull was just about to say that it is there.
	exec {lock}<store/parts
	flock -s "$lock"
	care --gc --older-than 0 >out 2>err 3>&- {lock}<&- &
	pid=$!
	sleep 0.5
	same "$(blobs)" "$(blobs_of one)"
	touch -d '10 seconds' "$blob"
	exec {lock}<&-
	wait "$pid"
	same "$(cat err)" ''
	same "$(blobs)" "$(digest one layer 0 | cut -d : -f 2)"

	# As if gc was just about to remove it.
	run -0 pull some one
	exec {lock}<store/parts
	flock -x "$lock"
	occy-pull --store store -q "$faults" some one >out 2>err 3>&- {lock}<&- &
	pull_pid=$!
	sleep 0.5
	rm "$blob"
	exec {lock}<&-
	end_pull
}

@test "killed at any moment, gc leaves a store in order" {
	RANDOM=6
	for _ in {1..8}; do
		fetched one two
		run -0 care --forget "$faults/some:one"
		for ((n = 0; n < 200; n++)); do
			echo "$n" >"store/parts/sha256-$(printf %064d "$n")"
		done
		age
		care --gc >out 2>err 3>&- &
		pid=$!
		sleep "0.0$(printf %02d $((RANDOM % 30)))"
		kill -9 "$pid" 2>/dev/null || gone "$pid"
		wait "$pid" || true
		all_there
		run -0 care --gc
		same "$(blobs)" "$(blobs_of two)"
		no_parts store
	done
}

# Hostile, broken, not ours

# unchanged STATUS TEXT: gc fails, and removes nothing.
unchanged() {
	find store ! -type d -printf '%P %s\n' | sort >before
	cared "$1" '' "$2" --gc --older-than 0
	find store ! -type d -printf '%P %s\n' | sort | diff before -
}

@test "an index.json that is not understood removes nothing" {
	fetched one
	age
	cp store/index.json right
	unreadable=$PWD/store/index.json
	for text in '{"manifests":' ''; do
		printf %s "$text" >store/index.json
		unchanged 9 "occy-pull: $unreadable: not valid JSON"
	done
	for text in '{}' '{"manifests":{}}' '[]'; do
		echo "$text" >store/index.json
		unchanged 9 "occy-pull: $unreadable: no list of manifests"
	done
	for entry in '{}' '"x"' 'null' '{"digest":"sha256:00","size":1}' \
		"{\"digest\":\"blake3:$(printf %064d 0)\",\"size\":1}" \
		"{\"digest\":\"$(digest one manifest)\",\"size\":\"1\"}"; do
		jq -c --argjson entry "$entry" '.manifests += [$entry]' right >store/index.json
		unchanged 9 "occy-pull: $unreadable: entry 1: no descriptor of a blob"
	done
	rm store/index.json
	unchanged 9 "occy-pull: $unreadable: No such file or directory"
	ln -s "$PWD/right" store/index.json
	unchanged 9 "occy-pull: $unreadable: is a symbolic link"
	rm store/index.json
	mkfifo store/index.json
	unchanged 9 "occy-pull: $unreadable: not a regular file"
}

@test "without its manifest, or with a wrong one, nobody knows what an image needs" {
	local manifest
	fetched one two
	manifest=$(blob_path store "$(digest one manifest)")
	age
	flip "$manifest"
	unchanged 8 "occy-pull: $faults/some:one: manifest $(digest one manifest): digest mismatch"
	rm "$manifest"
	text="occy-pull: $faults/some:one: manifest $(digest one manifest) is missing: pull the image again, or --forget it"
	unchanged 4 "$text"
	ln -s "$(blob_path "$(layout)" "$(digest one manifest)")" "$manifest"
	unchanged 4 "$text"
	rm "$manifest"
	run -0 care --forget "$faults/some:one"
	run -0 care --gc
	same "$(blobs)" "$(blobs_of two)"
}

# put TEXT [NAME]: a blob, and an entry of index.json for it.
put() {
	local hex
	hex=$(printf %s "$1" | sha256sum | cut -d ' ' -f 1)
	printf %s "$1" >"store/blobs/sha256/$hex"
	jq -c --arg digest "sha256:$hex" --arg name "${2-x}" --arg size "${#1}" \
		'.manifests += [{mediaType: "application/x", digest: $digest, size: ($size | tonumber),
			annotations: {"org.opencontainers.image.ref.name": $name}}]' \
		store/index.json >index
	cp index store/index.json
	REPLY=sha256:$hex
}

@test "of a document of another kind, every digest in it counts as needed" {
	fetched one two
	run -0 care --forget "$faults/some:one" "$faults/some:two"
	put "{\"a\":[{\"b\":\"$(digest one manifest)\"},\"sha256:x\",\"$(digest two layer 1)\"]}"
	put 'no document at all'
	age
	run -0 care --gc
	same "$(jq .removed.blobs <<<"$output")" 2
	same "$(comm -12 <(blobs) <(blobs_of one two))" \
		"$(sort -u <(blobs_of one) <(digest two layer 1 | cut -d : -f 2))"
	run -0 care --verify-store
}

@test "documents that cannot be read, or go too deep, remove nothing" {
	local i
	fetched one
	age
	cp store/index.json right
	put '{"a":1,"a":2}'
	unchanged 8 "occy-pull: x: manifest $REPLY: JSON object has a doubled key"
	run -8 --separate-stderr care --verify-store
	cp right store/index.json
	put '{"end":1}'
	for ((i = 0; i < 9; i++)); do
		cp right store/index.json
		deepest=${deepest-$REPLY}
		put "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"\",\"digest\":\"$REPLY\",\"size\":$(stat -c %s "$(blob_path store "$REPLY")")}]}"
	done
	unchanged 8 "occy-pull: x: manifest $deepest: too many documents within each other"
}

@test "folders that are links are refused, and nothing behind them is touched" {
	fetched one
	run -0 care --forget "$faults/some:one"
	age
	before=$(blobs)
	for name in blobs/sha256 blobs parts; do
		mv "store/$name" elsewhere
		ln -s "$PWD/elsewhere" "store/$name"
		for option in --gc --verify-store "--forget x"; do
			# shellcheck disable=SC2086 # two words
			cared 9 '' "occy-pull: $PWD/store/$name: not a directory" $option
		done
		rm "store/$name"
		mv elsewhere "store/$name"
		same "$(blobs)" "$before"
	done
	mkdir elsewhere
	ln -s "$PWD/elsewhere" store/blobs/sha512
	echo >"elsewhere/$(printf %0128d 0)"
	cared 9 '' "occy-pull: $PWD/store/blobs/sha512: Not a directory" --gc --older-than 0
	same "$(blobs | wc -l)" 5
	same "$(find elsewhere -type f | wc -l)" 1
}

@test "a folder that is no store is refused, and none is made" {
	mkdir -p store/blobs/sha256
	echo precious >"store/blobs/sha256/$(printf %064d 0)"
	age "store/blobs/sha256/$(printf %064d 0)"
	for option in --gc --verify-store "--forget x"; do
		# shellcheck disable=SC2086 # two words
		cared 9 '' "occy-pull: $PWD/store: not a store: no oci-layout in it" $option
	done
	echo '{"imageLayoutVersion":"2.0.0"}' >store/oci-layout
	cared 9 '' "occy-pull: $PWD/store/oci-layout: not of version 1.0.0" --gc
	echo '{"imageLayoutVersion":"1.0.0"}' >store/oci-layout
	cared 9 '' "occy-pull: $PWD/store/parts: No such file or directory" --gc
	same "$(find store -type f | wc -l)" 2
	rm -rf store
	for option in --gc --verify-store "--forget x"; do
		# shellcheck disable=SC2086 # two words
		cared 9 '' 'occy-pull: store: No such file or directory' $option
	done
	[ ! -e store ]
	run -9 --separate-stderr occy-pull --gc
	same "$stderr" "occy-pull: $XDG_CACHE_HOME/occystrap: No such file or directory"
	[ ! -e "$XDG_CACHE_HOME" ]
}

@test "without --store it is the default store" {
	fetched one
	mkdir -p "$XDG_CACHE_HOME"
	mv store "$XDG_CACHE_HOME/occystrap"
	run -0 occy-pull -q --verify-store
	OCCY_STORE=$XDG_CACHE_HOME/occystrap run -0 occy-pull --forget "$faults/some:one"
	run -0 occy-pull --gc --older-than 0
	same "$(jq .removed.blobs <<<"$output")" 4
}

@test "a file that cannot be removed is status 9, and the others go" {
	[ "$(id -u)" = 0 ] || skip 'only root can mark files'
	local blob
	fetched one
	run -0 care --forget "$faults/some:one"
	age
	blob=$(blob_path store "$(digest one layer 0)")
	chattr +i "$blob" || skip 'no such marks here'
	run --separate-stderr care --gc
	chattr -i "$blob"
	same "$status" 9
	same "$stderr" "occy-pull: $PWD/$blob: Operation not permitted"
	same "$(jq -c .removed.blobs <<<"$output")" 3
}

@test "what does not go together is a usage error" {
	wrong() { # wrong TEXT ARGUMENT...
		run -2 --separate-stderr occy-pull "${@:2}"
		same "${stderr_lines[0]}" "occy-pull: $1"
		same "$output" ''
	}
	wrong 'only one of --verify-store, --gc and --forget' --gc --verify-store
	wrong 'only one of --verify-store, --gc and --forget' --forget --gc x
	wrong '--forget needs IMAGE' --forget
	wrong 'unexpected argument: x' --gc x
	wrong 'unexpected argument: x' --verify-store x y z
	wrong '--gc does not go with --jobs' --gc -j 3
	wrong '--gc does not go with --os' --os linux --gc
	wrong '--verify-store does not go with --insecure' --insecure --verify-store
	wrong '--forget does not go with --reuse' --forget --reuse dir x
	wrong '--older-than is for --gc' --older-than 3 --forget x
	wrong '--older-than is for --gc' --older-than 3 "$faults" some one
	wrong "--older-than: 'x' is not a number from 0 to 36500" --gc --older-than x
	wrong "--older-than: '-1' is not a number from 0 to 36500" --gc --older-than -1
}

@test "standard output that cannot be written is status 9" {
	fetched one
	for option in --gc --verify-store "--forget $faults/some:one"; do
		run -9 --separate-stderr sh -c "occy-pull -q --store store $option >/dev/full"
		same "$stderr" 'occy-pull: stdout: No space left on device'
	done
}
