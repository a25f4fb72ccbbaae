#!/usr/bin/env bats
# Where occy-pull keeps blobs: an OCI layout that several may use at a time, and
# that is right whatever happens.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	start_faults "$(layout)" \
		--fault drip:bytes=8000,every=0.05,kind=blob,path=/slow/ \
		--fault delay:seconds=0.5,path=/many/manifests/t
}

teardown_file() {
	stop_faults
}

describe() {
	local i
	lines 'image latest' layer 'fill a 30000' layer 'fill b 30000' \
		'image big' 'layer none' 'fill c 3000000' 'image docker format=docker' layer 'file d docker' \
		'image twice' layer 'fill a 20000' layer 'fill a 20000'
	for i in 1 2 3 4 5 6 7 8; do
		lines "image t$i" layer "file t$i $i"
	done
}

# names: of the images in the store's index, in its order.
names() {
	jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' store/index.json
}

@test "a new store is an OCI layout, with nothing beside it" {
	works new latest
	same "$(cat store/oci-layout)" '{"imageLayoutVersion":"1.0.0"}'
	same "$(cat store/index.json)" "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$(digest latest manifest)\",\"size\":$(size "$(digest latest manifest)"),\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"},\"annotations\":{\"org.opencontainers.image.ref.name\":\"$faults/new:latest\"}}]}"
	same "$(find store/blobs -type f | sort)" "$(for digest in "$(digest latest manifest)" \
		"$(digest latest config)" "$(digest latest layer 0)" "$(digest latest layer 1)"; do
		blob_path store "$digest"
	done | sort)"
}

@test "what is there is not fetched again" {
	works again latest
	run -0 --separate-stderr pull again latest
	whole_stream
	was_asked again "$(lines "$(times 2 'manifest 200')" "$(times 3 'blob 200')")"
	same "$(names)" "$faults/again:latest"
}

@test "a blob of the wrong size, a link, a FIFO in its place: fetched again" {
	local blob
	blob=$(blob_path store "$(digest latest layer 0)")
	works wrong latest
	echo more >>"$blob"
	run -0 --separate-stderr pull wrong latest
	right_store store
	mv "$blob" elsewhere
	ln -s "$PWD/elsewhere" "$blob"
	run -0 --separate-stderr pull wrong latest
	[ ! -L "$blob" ]
	rm "$blob"
	mkfifo "$blob"
	run -0 --separate-stderr timeout 10 occy-pull --store store -q "$faults" wrong latest
	[ -f "$blob" ]
	right_store store
	was_asked wrong "$(lines "$(times 4 'manifest 200')" "$(times 6 'blob 200')")"
}

@test "a store that others may write to is hashed before it is believed" {
	local blob
	blob=$(blob_path store "$(digest latest layer 0)")
	for shared in store store/blobs store/blobs/sha256; do
		works shared latest
		chmod go+w "$shared"
		# The same size, another byte.
		printf X | dd of="$blob" bs=1 seek=100 conv=notrunc status=none
		run -0 --separate-stderr pull shared latest
		whole_stream
		right_store store
	done
	was_asked shared "$(lines "$(times 6 'manifest 200')" "$(times 12 'blob 200')")"
}

@test "so is one that belongs to somebody else" {
	[ "$(id -u)" = 0 ] || skip 'only root can give files away'
	works foreign latest
	printf X | dd of="$(blob_path store "$(digest latest layer 0)")" bs=1 seek=100 conv=notrunc status=none
	chown 12345 store/blobs/sha256
	run -0 --separate-stderr pull foreign latest
	right_store store
}

@test "a config that is not what its name says is not believed in any store" {
	works config latest
	printf X | dd of="$(blob_path store "$(digest latest config)")" bs=1 seek=100 conv=notrunc status=none
	run -8 --separate-stderr pull config latest
	[[ $stderr == "occy-pull: $PWD/$(blob_path store "$(digest latest config)"): digest mismatch, got sha256:"* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	broken_stream
}

@test "a blob of two layers is fetched where only one of them can be reused" {
	local config manifest
	occy-pull -q --store other "$faults" some twice | occy-pack --dir dir >stream
	cp -r "$(layout)" evil
	# The second layer, by its diff_id, has other bytes than the first.
	config=$(jq -c '.rootfs.diff_ids[1] |= "sha256:" + "0" * 64' \
		"$(blob_path evil "$(digest twice config)")" | put_blob evil)
	manifest=$(jq -c --arg d "$config" --arg size "$(wc -c <"$(blob_path evil "$config")")" \
		'.config |= (.digest = $d | .size = ($size | tonumber))' \
		"$(blob_path evil "$(digest twice manifest)")" | put_blob evil)
	layout() { echo evil; }
	own_faults
	run -0 --separate-stderr occy-pull -q --store store --reuse dir "$faults" some "$manifest"
	same "$(jq -c 'select(.type=="layer") | [has("plain"), has("file")]' <<<"$output")" \
		$'[true,false]\n[false,true]'
	[ -e "$(jq -r 'select(.type=="layer" and .index==1).file' <<<"$output")" ]
}

# put_blob LAYOUT <BYTES: its digest.
put_blob() {
	local digest
	cat >blob
	digest=$(sha256sum <blob)
	mv blob "$1/blobs/sha256/${digest%  -}"
	echo "sha256:${digest%  -}"
}

@test "two processes fetch the same image into one store" {
	for i in 1 2 3; do
		pull slow latest >"out$i" 2>"err$i" 3>&- &
		pids[i]=$!
	done
	for i in 1 2 3; do
		wait "${pids[i]}"
		same "$(cat "err$i")" ''
		diff out1 "out$i"
	done
	right_store store
}

@test "a part that another user has begun is neither used nor in the way" {
	local part blob
	[ "$(id -u)" = 0 ] || skip 'only root can give files away'
	part=store/parts/$(digest latest layer 0 | tr : -)
	blob=$(blob_path store "$(digest latest layer 0)")
	mkdir -p store/parts
	chmod -R 0777 store
	printf 'not these bytes' >"$part"
	chown 12345 "$part"
	run -0 --separate-stderr pull parts latest
	same "$stderr" ''
	same "$(cat "$part")" 'not these bytes'
	same "$(stat -c %u "$blob")" 0

	# What stands in the blob's place gives way all the same.
	echo wrong >"$blob"
	run -0 --separate-stderr pull parts latest
	right_store store
}

@test "what is no file of ours in the place of a part is left alone" {
	local part
	part=store/parts/$(digest latest layer 0 | tr : -)
	mkdir -p store/parts
	echo precious >file
	for make in 'ln file' mkfifo mkdir; do
		rm -rf "$part" store/blobs
		$make "$part"
		run -0 --separate-stderr timeout 20 "$OCCY_BINDIR/occy-pull" --store store -q -- "$faults" odd latest
		same "$stderr" ''
		same "$(cat file)" precious
	done
}

@test "a process of the same number, in another container, is not disturbed" {
	[ "$(id -u)" = 0 ] || skip 'only root can have a pid namespace'
	works pid latest
	for name in index.json spool; do
		echo theirs >"store/parts/$name.1"
		echo theirs >"store/parts/$name-1"
	done
	run -0 --separate-stderr unshare --pid --fork occy-pull --store store -q -- "$faults" pid t1
	tar -cf empty.tar -T /dev/null
	run -8 --separate-stderr unshare --pid --fork occy-layers --store store - <empty.tar
	same "$(cat store/parts/*)" "$(times 4 theirs)"
	same "$(names)" "$(lines "$faults/pid:t1" "$faults/pid:latest")"
}

@test "concurrent pulls lose nothing of index.json" {
	local pids=()
	works many latest
	# A long list takes its time, and all come to it at once.
	jq -c '.manifests += [range(10000) | {mediaType: "application/x", digest: "sha256:\(.)", size: 1}]' \
		store/index.json >long
	mv long store/index.json
	for i in 1 2 3 4 5 6 7 8; do
		pull many "t$i" >"out$i" 2>"err$i" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	same "$(cat err*)" ''
	same "$(names | grep -v null | sort)" "$(for i in latest t1 t2 t3 t4 t5 t6 t7 t8; do echo "$faults/many:$i"; done)"
	same "$(jq '.manifests | length' store/index.json)" 10009
	right_store store
}

@test "killed at any moment: nothing under blobs/ that is not whole, and the next run succeeds" {
	RANDOM=5
	for i in {1..10}; do
		((i % 3)) || rm -rf store
		occy-pull --store store -q "$faults" slow latest >out 2>err 3>&- &
		pid=$!
		sleep "0.$(printf %02d $((RANDOM % 30)))"
		kill -9 "$pid" 2>/dev/null || gone "$pid"
		code=0
		wait "$pid" || code=$?
		[[ $code == 137 || $code == 0 ]]
		# What is half lies elsewhere.
		if [ -d store/blobs/sha256 ]; then
			find store/blobs/sha256 -type f -exec sha256sum {} + |
				awk '{ n = split($2, part, "/"); if (part[n] != $1) print $2 }' >wrong
			same "$(cat wrong)" ''
		fi
	done
	run -0 --separate-stderr pull slow latest
	whole_stream
	same "$(find store/blobs -type f | wc -l)" 4
	same "$(find store/parts -type f ! -name '*.[0-9]*')" ''
}

@test "the newest entry stands first; one of the same name and platform is replaced" {
	works order t1
	run -0 pull order t2
	run -0 pull order t1
	same "$(names)" "$faults/order:t1"$'\n'"$faults/order:t2"
}

@test "what others have put into index.json stays" {
	works others t1
	jq -c '. + {annotations: {a: "b"}} | .manifests += [{mediaType: "application/x", digest: "sha256:00", size: 1, odd: {x: 1}}]' \
		store/index.json >new
	mv new store/index.json
	run -0 pull others t2
	same "$(jq -c '.annotations, .manifests[-1]' store/index.json)" \
		'{"a":"b"}'$'\n''{"mediaType":"application/x","digest":"sha256:00","size":1,"odd":{"x":1}}'
}

@test "an index.json that cannot be read is status 9, and left as it is" {
	works broken t1
	echo '{"manifests":' >store/index.json
	run -9 --separate-stderr pull broken t2
	same "$stderr" "occy-pull: $PWD/store/index.json: not valid JSON"
	broken_stream
	same "$(cat store/index.json)" '{"manifests":'
	echo '{}' >store/index.json
	run -9 --separate-stderr pull broken t2
	same "$stderr" "occy-pull: $PWD/store/index.json: no list of manifests"
}

@test "skopeo and umoci read the store" {
	works others/read latest
	run -0 pull others/read docker
	run -0 skopeo inspect --raw "oci:store:$faults/others/read:latest"
	same "sha256:$(printf %s "$output" | sha256sum | cut -d ' ' -f 1)" "$(digest latest manifest)"
	run -0 skopeo copy -q "oci:store:$faults/others/read:latest" docker-archive:x.tar:x:latest
	same "$(skopeo inspect --config --raw docker-archive:x.tar | sha256sum)" \
		"$(digest latest config | cut -d : -f 2)  -"
	run -0 umoci ls --layout store
	[[ $output == *"$faults/others/read:latest"* ]]
}

@test "where the store is: --store, OCCY_STORE, XDG_CACHE_HOME, the home" {
	unset XDG_CACHE_HOME
	plainly() {
		occy-pull -q "$@" "$faults" where t1 >out
	}
	OCCY_STORE=$PWD/b XDG_CACHE_HOME=$PWD/c plainly --store a
	[ -d a/blobs ]
	OCCY_STORE=$PWD/b XDG_CACHE_HOME=$PWD/c plainly
	[ -d b/blobs ]
	XDG_CACHE_HOME=$PWD/c plainly
	[ -d c/occystrap/blobs ]
	plainly
	[ -d .cache/occystrap/blobs ]
	unset HOME
	run -9 --separate-stderr plainly
	same "$stderr" 'occy-pull: no place for the store: neither OCCY_STORE nor HOME is set'
	same "$(sed -n 's/.*"file":"\([^"]*\)".*/\1/p' out)" ''
}

@test "the paths in the stream are absolute, and without links" {
	mkdir real
	ln -s real link
	run -0 occy-pull -q --store link/store "$faults" paths t1
	same "$(lines "${lines[@]}" | jq -r 'select(.file).file' | sed 's/[0-9a-f]*$//' | sort -u)" "$PWD/real/store/blobs/sha256/"
}

# stored STATUS TEXT STORE [TAG]: the pull fails before any blob is asked for.
stored() {
	run "-$1" --separate-stderr occy-pull -q --store "$3" "$faults" bad-store "${4-t1}"
	same "$stderr" "$2"
	broken_stream
}

@test "a store that cannot be one is status 9" {
	echo >file
	stored 9 'occy-pull: file: Not a directory' file
	stored 9 'occy-pull: file/x: Not a directory' file/x
	mkdir odd
	ln -s /nowhere odd/blobs
	stored 9 "occy-pull: $PWD/odd/blobs: not a directory" odd
	mkdir -p links/blobs elsewhere
	ln -s "$PWD/elsewhere" links/parts
	stored 9 "occy-pull: $PWD/links/parts: not a directory" links
	same "$(ls -A elsewhere)" ''
	mkdir -p index/blobs
	mkfifo index/index.json
	stored 9 "occy-pull: $PWD/index/index.json: not a regular file" index
}

@test "a store that may only be read is status 9" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	works read-only t1
	mount --bind store store
	mount -o remount,bind,ro store
	run --separate-stderr pull read-only t2
	umount store
	same "$status" 9
	[[ $stderr == "occy-pull: $PWD/store/"*': Read-only file system' ]]
	[ "${#stderr_lines[@]}" = 1 ]
	broken_stream
}

@test "a full disk is status 9, nothing half stays, and with room it works" {
	[ "$(id -u)" = 0 ] || skip 'only root can mount'
	mkdir store
	mount -t tmpfs -o size=1m tmpfs store
	run --separate-stderr pull full big
	ls store/parts >left
	mount -o remount,size=10m store
	again=0
	pull full big >out || again=$?
	right=0
	right_store store || right=$?
	umount store
	same "$status" 9
	same "$stderr" "occy-pull: $PWD/store/parts/$(digest big layer 0 | tr : -): No space left on device"
	same "$(cat left)" ''
	same "$again $right" '0 0'
	# What no repeat can mend is not repeated.
	within 3 is_asked full "$(asked full)"
	same "$(asked full .path | grep -c "$(digest big layer 0)")" 2
}

@test "R82 a second pull asks once, and opens no blob but the config" {
	works warm latest
	was_asked warm "$(lines 'manifest 200' "$(times 3 'blob 200')")"
	: >"$faults_log"
	run -0 python3 -B "${OCCY_SRCDIR:?}/tests/helpers/opened.py" store/blobs/sha256 opened \
		occy-pull --store store --quiet "$faults" warm latest
	was_asked warm 'manifest 200'
	same "$(cat opened)" "$(digest latest config | cut -d : -f 2)"
}

@test "a folder that holds something else does not become a store" {
	mkdir -p other half/blobs half/parts
	echo precious >'other/a file'
	run -9 --separate-stderr occy-pull --store other -q "$faults" guard latest
	same "$stderr" "occy-pull: $PWD/other: not a store, and not empty: a file is in it"
	same "$(ls other)" 'a file'
	never_asked guard
	# As a run leaves it that was killed at once.
	run -0 --separate-stderr occy-pull --store half -q "$faults" half latest
	same "$stderr" ''
}
