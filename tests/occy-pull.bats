#!/usr/bin/env bats
# The stream that occy-pull writes, its readers, its options, its display.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	slow=$(digest latest layer 0)
	start_faults "$(layout)" \
		--fault "stall:at=9,seconds=2,path=/slow-first/,digest=$slow" \
		--fault "stall:at=9,seconds=2,path=/slow-last/,digest=$(digest latest layer 2)" \
		--fault "drip:bytes=10000,every=0.1,path=/drip/,min_size=15000" \
		--fault truncate:at=100000,times=1,path=/cut/,min_size=300000 \
		--fault html200:path=/portal/
}

teardown_file() {
	stop_faults
}

describe() {
	lines 'image latest variant=v2' layer 'fill a 20000' 'layer none' 'file b two' \
		'layer zstd' 'file c three' \
		'image arm architecture=arm64 variant=v8' layer 'file a arm' \
		'image plain' layer 'file a plain' 'index multi arm plain' \
		'image big' 'layer none' 'fill x 400000'
}

# blob_members DIGEST TYPE, file_member DIGEST: of a record, as the stream has
# them.
blob_members() {
	printf '"digest":"%s","size":%s,"mediaType":"%s"' "$1" "$(size "$1")" "$2"
}

file_member() {
	printf '"file":"%s/%s"' "$PWD" "$(blob_path store "$1")"
}

# stream_of REPOSITORY: of the image "latest", in full.
stream_of() {
	local manifest config type=application/vnd.oci.image i=0 layer compressions=(gzip none zstd)
	local types=(tar+gzip tar tar+zstd)
	manifest=$(digest latest manifest)
	config=$(digest latest config)
	mapfile -t ids < <(diff_ids "$(layout)" latest)
	echo '{"type":"stream","occy":1}'
	echo "{\"type\":\"image\",\"names\":[\"$faults/$1:latest\"],\"image\":\"$1\",\"registry\":\"$faults\",\"repository\":\"$1\",\"tag\":\"latest\",$(blob_members "$manifest" "$type.manifest.v1+json"),\"tag_digest\":\"$manifest\",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v2\"},\"layers\":3,$(file_member "$manifest")}"
	echo "{\"type\":\"config\",$(blob_members "$config" "$type.config.v1+json"),$(file_member "$config")}"
	for layer in $(layer_digests "$(layout)" latest); do
		echo "{\"type\":\"layer\",\"index\":$i,$(blob_members "$layer" "$type.layer.v1.${types[i]}"),\"diff_id\":\"${ids[i]}\",\"compression\":\"${compressions[i]}\",$(file_member "$layer")}"
		i=$((i + 1))
	done
	echo '{"type":"end","images":1,"records":5}'
}

wish=(--variant v2)

# The stream

@test "every record, in order, to the byte" {
	works shape latest "${wish[@]}"
	diff <(lines "$output") <(stream_of shape)
}

@test "the manifest's order, also when its first layer is the last to come" {
	pull slow-first latest "${wish[@]}" >out 3>&- &
	pid=$!
	# The others are there long before it.
	within 5 test -f "$(blob_path store "$(digest latest layer 2)")"
	same "$(wc -l <out)" 3
	wait "$pid"
	diff out <(stream_of slow-first)
}

@test "a layer's record comes when its file is complete, while others are on their way" {
	pull slow-last latest "${wish[@]}" >out 3>&- &
	pid=$!
	within 5 lines_in out 5
	while read -r line; do
		file=$(jq -r '.file // empty' <<<"$line")
		[ -z "$file" ] || same "$(sha256sum <"$file")" "${file##*/}  -"
	done <out
	[ ! -e "$(blob_path store "$(digest latest layer 2)")" ]
	wait "$pid"
	diff out <(stream_of slow-last)
}

lines_in() {
	[ "$(wc -l <"$1")" = "$2" ]
}

@test "the header goes out before anything can fail" {
	run -9 --separate-stderr occy-pull --store /dev/null "$faults" a/b latest
	same "$output" '{"type":"stream","occy":1}'
	same "$stderr" 'occy-pull: /dev/null: Not a directory'
}

@test "an index: the tag's digest and the image's" {
	works index multi
	[[ ${lines[1]} == *",\"digest\":\"$(digest plain manifest)\",\"size\":"*",\"tag_digest\":\"$(digest multi manifest)\",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"},"* ]]
}

@test "an artifact: no platform, no diff_id" {
	works artifact fr-artifact
	[[ ${lines[1]} != *platform* ]]
	[[ ${lines[3]} != *diff_id* && ${lines[3]} != *compression* ]]
}

@test "sha512" {
	works sha512 fr-sha512 "${wish[@]}"
	[[ ${lines[3]} == *'"digest":"sha512:'*"\"file\":\"$PWD/store/blobs/sha512/"* ]]
}

# The reader

@test "a reader that leaves: death by SIGPIPE within a second, without a word" {
	# Waiting for a layer, there is nothing to write for two seconds.
	mkfifo pipe
	occy-pull --store store "$faults" slow-first latest "${wish[@]}" >pipe 2>err 3>&- &
	pid=$!
	exec 5<pipe
	read -r header <&5
	same "$header" '{"type":"stream","occy":1}'
	within 5 test -f "$(blob_path store "$(digest latest layer 2)")"
	start=${EPOCHREALTIME/./}
	exec 5<&-
	code=0
	wait "$pid" || code=$?
	took=$((${EPOCHREALTIME/./} - start))
	same "$code" 141
	same "$((took < 1000000))" 1
	same "$(cat err)" ''
}

@test "a reader that was never there" {
	run -141 --separate-stderr bash -c 'occy-pull --store store "$1" a/b latest | :; exit "${PIPESTATUS[0]}"' - "$faults"
	same "$stderr" ''
}

@test "a slow reader does not stall the network" {
	mkfifo pipe
	occy-pull --store store -q "$faults" slow-reader fr-huge-3000 "${wish[@]}" >pipe 3>&- &
	pid=$!
	exec 5<pipe
	# Nothing is read, and yet everything comes.
	within 5 test -f "$(blob_path store "$(digest latest layer 2)")"
	within 5 test -f "$(blob_path store "$(digest latest layer 0)")"
	cat <&5 >out
	exec 5<&-
	wait "$pid"
	same "$(wc -l <out)" 7
}

@test "a pipe that is full does not stall it either" {
	# 4000 records are more than a pipe holds.
	local layer
	layer=$(digest plain layer 0)
	many_layers 4000 "$layer" "$(diff_ids "$(layout)" plain)"
	own_faults
	mkfifo pipe
	occy-pull --store store -q "$faults" full-pipe many >pipe 3>&- &
	pid=$!
	exec 5<pipe
	# index.json is written when all records have been queued.
	within 10 grep -q full-pipe store/index.json
	cat <&5 >out
	exec 5<&-
	wait "$pid"
	same "$(wc -l <out)" 4004
	same "$(tail -n 1 out)" '{"type":"end","images":1,"records":4002}'
}

# many_layers COUNT DIGEST DIFF_ID: an image "many" with that layer so often.
many_layers() {
	python3 - "$(layout)" "$@" <<-'END'
		import hashlib, json, os, sys
		root, count, digest, diff_id = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]

		def keep(document):
		    data = json.dumps(document).encode()
		    hexes = hashlib.sha256(data).hexdigest()
		    open(root + "/blobs/sha256/" + hexes, "wb").write(data)
		    return {"digest": "sha256:" + hexes, "size": len(data)}

		size = os.path.getsize(root + "/blobs/" + digest.replace(":", "/"))
		oci = "application/vnd.oci.image."
		config = keep({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [diff_id] * count}})
		manifest = keep({"schemaVersion": 2, "config": dict(config, mediaType=oci + "config.v1+json"),
		                 "layers": [{"mediaType": oci + "layer.v1.tar+gzip", "digest": digest, "size": size}] * count})
		with open(root + "/index.json") as file:
		    index = json.load(file)
		index["manifests"].append(dict(manifest, mediaType=oci + "manifest.v1+json",
		                               annotations={"org.opencontainers.image.ref.name": "many"}))
		with open(root + "/index.json", "w") as file:
		    json.dump(index, file)
	END
}

@test "a file or folder of no name is wrong usage" {
	for option in --file --if-changed --store --reuse --authfile; do
		run -2 --separate-stderr occy-pull "$option=" "$faults" a/b latest
		[ "${stderr_lines[0]}" = "occy-pull: $option: the name is empty" ]
		[ -z "$output" ]
	done
	run -2 --separate-stderr occy-layers --store= none
	[ "${stderr_lines[0]}" = 'occy-layers: --store: the name is empty' ]
}

@test "standard output that cannot be written is status 9" {
	run -9 --separate-stderr bash -c 'occy-pull --store store "$1" a/b latest >/dev/full' - "$faults"
	same "$stderr" 'occy-pull: stdout: No space left on device'
	run -9 --separate-stderr bash -c 'occy-pull --store store "$1" a/b latest >&-' - "$faults"
	same "$stderr" 'occy-pull: stdout: Bad file descriptor'
	never_asked a/b
}

# Arguments

# misused TEXT ARGUMENT...
misused() {
	run -2 --separate-stderr occy-pull --store none "${@:2}"
	same "$stderr" "occy-pull: $1"$'\n'"$(usage)"
	same "$output" ''
	[ ! -e none ]
}

@test "wrong options are status 2, and nothing happens" {
	misused 'REGISTRY, IMAGE and TAG are needed' a b
	misused 'REGISTRY, IMAGE and TAG are needed' a b c d
	misused 'unknown option --platform' --platform=linux/amd64 a b c
	misused 'unknown option -z' -qz a b c
	misused 'option --os needs an argument' a b c --os
	misused 'option -j needs an argument' a b c -j
	misused 'option --quiet takes no argument' --quiet=yes a b c
	for jobs in 0 17 -1 1x '' 99999999999999999999; do
		misused "--jobs: '$jobs' is not a number from 1 to 16" --jobs "$jobs" a b c
	done
	misused "--retry-wait: '1s' is not a number of seconds" --retry-wait 1s a b c
	misused "--retry-wait: '3601' is more than 3600 seconds" --retry-wait 3601 a b c
	misused "--max-wait: '-1' is not a number from 0 to 86400" --max-wait -1 a b c
	misused "--stall-timeout: '0' is not a number from 1 to 86400" --stall-timeout 0 a b c
	misused "--progress: 'often' is none of auto, tty, lines, json, none" --progress often a b c
	misused '--username and --password-stdin go together' --username me a b c
	misused '--username and --password-stdin go together' --password-stdin a b c
}

@test "options in every form, before and behind the names" {
	for form in '--architecture arm64' '--architecture=arm64' '--arch arm64'; do
		# shellcheck disable=SC2086 # one or two words
		run -0 occy-pull -q --store store "$faults" forms multi $form
		[[ $output == *"\"digest\":\"$(digest arm manifest)\""* ]]
	done
	run -0 occy-pull -qj2 --os=linux --store=store -- "$faults" forms multi
	[[ $output == *"\"digest\":\"$(digest plain manifest)\""* ]]
}

@test "what is not there, by tag and by digest" {
	local none
	none=sha256:$(printf '0%.0s' {1..64})
	fails 4 'occy-pull: HOST/a/b:none: manifest: not found or not authorised: HOST answered 404 MANIFEST_UNKNOWN: manifest unknown' a/b none
	fails 4 "occy-pull: HOST/a/b@$none: manifest $none: not found or not authorised: HOST answered 404 MANIFEST_UNKNOWN: manifest unknown" a/b "$none"
}

@test "R68 a page that is no registry's answer" {
	fails 7 "occy-pull: HOST/portal:latest: manifest: not a registry's answer: text/html; charset=utf-8" portal latest
}

@test "a port where something else listens" {
	python3 - >port <<-'END' 3>&- &
		import socket, sys
		server = socket.socket()
		server.bind(("127.0.0.1", 0))
		server.listen()
		server.settimeout(20)
		print(server.getsockname()[1], flush=True)
		for _ in range(2):
		    connection, _ = server.accept()
		    connection.sendall(b"220 mail ready\r\n")
		    connection.recv(1000)
		    connection.close()
	END
	pid=$!
	within 5 test -s port
	run -7 --separate-stderr occy-pull --store store "127.0.0.1:$(cat port)" a/b latest
	same "$(plain "$stderr")" 'occy-pull: OTHER/a/b:latest: manifest: the answer is no HTTP'
	wait "$pid"
}

# The display

@test "through a pipe a short run says nothing; -q and --progress=none never do" {
	for option in --progress=auto --progress=lines -q --progress=none; do
		rm -rf store
		run -0 --separate-stderr occy-pull "$option" --store store "$faults" display latest "${wish[@]}"
		same "$stderr" ''
	done
}

@test "--progress=json: a line a second, and a last one that is complete" {
	run -0 --separate-stderr occy-pull --progress=json --store store "$faults" drip big
	total=$(($(size "$(digest big config)") + $(size "$(digest big layer 0)")))
	[ "${#stderr_lines[@]}" -ge 3 ]
	while read -r line; do
		[[ $line =~ ^'{"type":"progress","image":"'"$faults"'/drip:big","received":'[0-9]+',"expected":'$total'}'$ ]]
	done <<<"$stderr"
	same "${stderr_lines[-1]}" "{\"type\":\"progress\",\"image\":\"$faults/drip:big\",\"received\":$total,\"expected\":$total}"
}

@test "--progress=json counts what came twice once" {
	run -0 --separate-stderr occy-pull --progress=json --retry-wait 0.01 --store store "$faults" cut big
	total=$(($(size "$(digest big config)") + $(size "$(digest big layer 0)")))
	same "${stderr_lines[-1]}" "{\"type\":\"progress\",\"image\":\"$faults/cut:big\",\"received\":$total,\"expected\":$total}"
}

@test "--progress=tty draws one line, and clears it" {
	run -0 --separate-stderr occy-pull --progress=tty --store store "$faults" drip big
	clear=$'\r\e[K'
	[[ $stderr == "$clear$faults/drip:big: "*' of 41'?' kB, '*"/s"*"$clear" ]]
	[[ $stderr != *$'\n'* ]]
	whole_stream
}

@test "--progress=tty: what an earlier run has left is no speed" {
	local layer
	layer=$(digest big layer 0)
	occy-pull -q --no-layers --store store "$faults" drip big >/dev/null
	head -c 300000 "$(layout)/blobs/${layer/://}" >"store/parts/${layer/:/-}"
	run -0 --separate-stderr occy-pull --progress=tty --store store "$faults" drip big
	[[ $stderr =~ ': 3'[0-9]{2}' kB of 41'. ]]
	[[ ! $stderr =~ (' '[3-9][0-9]{2}' kB/s'|' MB/s') ]]
	whole_stream
}

@test "-v tells of repeated requests, on stderr" {
	own_faults --fault status:code=500,times=1,kind=manifest
	run -0 --separate-stderr occy-pull -v --retry-wait 0.01 --store store "$faults" verbose latest "${wish[@]}"
	[[ $(plain "$stderr") =~ ^'occy-pull: HOST/verbose:latest: manifest: HOST answered 500 UNAVAILABLE: fault; again in '[0-9]+' ms'$ ]]
	whole_stream
}

@test "INT, TERM and HUP end it by that signal, with nothing half under blobs/" {
	for signal in INT TERM HUP; do
		rm -rf store
		# A background process of a script ignores INT unless told otherwise.
		python3 - "$signal" "$faults" <<-'END'
			import signal, subprocess, sys, time
			number = getattr(signal, "SIG" + sys.argv[1])
			child = subprocess.Popen(["occy-pull", "--store", "store", "-q", sys.argv[2], "slow-first", "latest"],
			                         stdout=subprocess.PIPE,
			                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
			child.stdout.readline()
			time.sleep(0.3)
			child.send_signal(number)
			sys.exit(child.wait() != -number)
		END
		find store/blobs/sha256 -type f -exec sha256sum {} + |
			awk '{ n = split($2, part, "/"); if (part[n] != $1) print $2 }' >wrong
		same "$(cat wrong)" ''
	done
}
