#!/usr/bin/env bats
# occy-pull and what is there already: in the same run after a connection that
# broke, and in the next run.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	lines 'image latest' layer 'fill a 400000' layer 'file b two' | make_layout "$(layout)"
	first=$(digest latest layer 0)
	start_faults "$(layout)" \
		--fault "truncate:at=100000,times=3,path=/r103/,digest=$first" \
		--fault "redirect:to=cdn,uses=1,path=/r103-cdn/" \
		--fault "truncate:at=100000,kind=cdn,path=for=r103-cdn$,times=2,per=all,digest=$first" \
		--fault "truncate:at=100000,times=1,path=/r104-,digest=$first" \
		--fault "range:mode=shift,path=/r104-shift/" \
		--fault "range:mode=nocr,path=/r104-nocr/" \
		--fault "range:mode=star,path=/r104-star/" \
		--fault "range:mode=short,by=1000,times=1,path=/r104-short/,ranged=true" \
		--fault "truncate:at=100000,times=1,path=/r105/,digest=$first" \
		--fault "ignore_range:path=/r105/" \
		--fault "truncate:at=100000,times=1,path=/r106/,digest=$first" \
		--fault "range:mode=416,path=/r106/" \
		--fault "truncate:at=100000,times=1,path=/r107/,digest=$first" \
		--fault "etag:mode=change,path=/r107/" \
		--fault "stall:at=350000,seconds=60,path=/r109-slow/,digest=$first" \
		--fault "corrupt:at=50,times=1,path=/r83-mix/,digest=$first" \
		--fault "truncate:at=100000,times=1,path=/r83-mix/,digest=$first"
}

teardown_file() {
	stop_faults
}

setup() {
	begin
	first=$(digest latest layer 0)
	part=store/parts/${first/:/-}
}

# ranges REPOSITORY: what was asked of the first layer, a line each, sorted: the
# log has them in the order in which they ended.
ranges() {
	jq -r --arg name "/v2/$1/blobs/$first" 'select((.path // "") == $name)
		| "\(.status) \(.range // "all")"' "$faults_log" | sort
}

@test "R103 after an early end the rest is asked for, as often as it takes" {
	works r103 latest
	same "$(ranges r103)" "$(lines '200 all' '206 bytes=100000-' '206 bytes=200000-' '206 bytes=300000-')"
}

@test "R103 the rest is asked for at the registry, not at the target of a redirect" {
	works r103-cdn latest
	same "$(ranges r103-cdn)" "$(lines '307 all' '307 bytes=100000-' '307 bytes=200000-')"
}

@test "R38 a token that is dead before each continuation is renewed for each" {
	own_faults --auth anon --fault "truncate:at=100000,times=3,digest=$first" \
		--fault auth401:first=100000,times=1 --fault auth401:first=200000,times=1 \
		--fault auth401:first=300000,times=1
	works r38-parts latest
	same "$(ranges r38-parts | grep -c '^401 bytes=')" 3
}

@test "R104 a part that does not fit is thrown away, and the whole asked for" {
	for mode in shift nocr star; do
		works "r104-$mode" latest
		same "$(ranges "r104-$mode")" "$(lines '200 all' '200 all' '206 bytes=100000-')"
	done
}

@test "R104 a part that ends early is only another early end" {
	works r104-short latest
	[ "$(ranges r104-short | head -n 2)" = "$(lines '200 all' '206 bytes=100000-')" ]
	[ "$(ranges r104-short | grep -c '^206 bytes=')" = 2 ]
}

@test "R105 a 200 to a range is the whole, and is not appended" {
	works r105 latest
	same "$(ranges r105)" "$(lines '200 all' '200 bytes=100000-')"
}

@test "R106 a 416 is no failure: the whole is asked for" {
	works r106 latest
	same "$(ranges r106)" "$(lines '200 all' '200 all' '416 bytes=100000-')"
}

@test "R106 where all is there nothing is asked for" {
	run -0 pull r106-all latest
	mkdir -p two/parts
	cp "$(blob_path store "$first")" "two/parts/${first/:/-}"
	run -0 --separate-stderr occy-pull -q --store two "$faults" r106-rest latest
	same "$stderr" ''
	right_store two
	no_parts two
	within 3 is_asked r106-rest "$(lines 'manifest 200' 'blob 200' 'blob 200')"
	same "$(ranges r106-rest)" ''
}

@test "R107 another ETag is no reason to begin again" {
	works r107 latest
	same "$(ranges r107)" "$(lines '200 all' '206 bytes=100000-')"
	run -1 grep -i 'if-range' "$faults_log"
}

@test "R108 no range is asked for where nothing is there" {
	works r108 latest
	same "$(ranges r108)" '200 all'
}

@test "R109 a killed run leaves its part, and the next one asks for the rest" {
	for signal in KILL TERM; do
		rm -rf store
		occy-pull -q --store store "$faults" "r109-slow" latest >stream 2>stderr 3>&- &
		pid=$!
		within 10 grown "$part" 262144
		kill -s "$signal" "$pid"
		rc=0
		wait "$pid" || rc=$?
		((rc > 128))
		have=$(stat -c %s "$part")
		right_store store
		run -0 --separate-stderr occy-pull -qv --store store "$faults" "r109-${signal,,}" latest
		same "$stderr" "occy-pull: $faults/r109-${signal,,}:latest: layer 0 $(basename "$part" | tr - :): going on from $have bytes that are there"
		whole_stream
		right_store store
		no_parts store
		same "$(ranges "r109-${signal,,}")" "206 bytes=$have-"
	done
}

grown() { # grown FILE BYTES
	[ -e "$1" ] && (($(stat -c %s "$1") >= $2))
}

@test "R109 what is wrong in a part is found, and all of it asked for again" {
	mkdir -p store/parts
	head -c 1000 /dev/zero >"$part"
	run -0 --separate-stderr pull r109-wrong latest
	same "$stderr" ''
	whole_stream
	right_store store
	no_parts store
	same "$(ranges r109-wrong)" "$(lines '200 all' '206 bytes=1000-')"
}

@test "R109 a part that is longer than the blob is of no use" {
	mkdir -p store/parts
	head -c 500000 /dev/zero >"$part"
	run -0 --separate-stderr pull r109-long latest
	same "$stderr" ''
	right_store store
	no_parts store
	same "$(ranges r109-long)" '200 all'
}

@test "R109 a part that is a link is not followed" {
	mkdir -p store/parts
	echo precious >outside
	ln -s ../../outside "$part"
	run -0 --separate-stderr pull r109-link latest
	same "$stderr" ''
	whole_stream
	same "$(cat outside)" precious
	[ -L "$part" ]
}

@test "R83 a part of a wrong answer is not mixed into the next" {
	works r83-mix latest
	same "$(ranges r83-mix)" "$(lines '200 all' '200 all' '206 bytes=100000-')"
}

@test "R82 of two runs for one blob both end well" {
	occy-pull -q --store store "$faults" r82-one latest >one 2>&1 3>&- &
	pid=$!
	run -0 --separate-stderr pull r82-two latest
	wait "$pid"
	tail -n 1 one | grep -F '"type":"end"'
	right_store store
	no_parts store
}

@test "without a network the part stays, and the wrapper says so" {
	start_faults "$(layout)" --fault "truncate:at=200000,digest=$first,times=1" \
		--fault "close:digest=$first,skip=1"
	own_pid=$faults_pid
	run -7 --separate-stderr occystrap -q fetch-to-tarfile "$faults" a/b latest x.tar
	[[ "${stderr_lines[0]}" == "occy-pull: $faults/a/b:latest: layer 0 $first: "* ]]
	kept=$(find .x.tar.occystrap/store/blobs .x.tar.occystrap/store/parts -type f -printf '%s\n' |
		awk '{ n += $1 } END { print n }')
	same "${stderr_lines[1]}" "occystrap: $kept bytes are kept in .x.tar.occystrap; the same command goes on from there"
	stop_process "$own_pid"
	start_faults "$(layout)"
	own_pid=$faults_pid
	run -0 --separate-stderr occystrap -q fetch-to-tarfile "$faults" a/b latest x.tar
	same "$(ranges a/b)" '206 bytes=200000-'
	[ ! -e .x.tar.occystrap ]
}
