#!/usr/bin/env bats
# occy-pull and hosts that stand in for a registry.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	local layer
	layer=$(digest latest layer 0)
	start_faults "$(layout)" --user mirror --password m \
		--fault "access:auth=token,path=r21-token([/%]|\$)" \
		--fault "access:auth=basic,path=r21-basic/" \
		--fault "access:auth=anon,path=r20-token([/%]|\$)" \
		--fault "access:auth=basic,path=r20-login/" \
		--fault status:code=500,path=r20-token%3A,kind=token \
		--fault status:code=404,path=/r20-404/,kind=manifest \
		--fault status:code=404,path=/r20-404-blob/,digest="$layer" \
		--fault status:code=500,path=/r20-500/ \
		--fault status:code=500,path=/r20-broken/,kind=blob \
		--fault "status:code=200,body=,path=/r20-empty/,kind=manifest" \
		--fault html200:path=/r20-portal/,kind=manifest \
		--fault "reset:at=50000,path=/r20-reset/,digest=$layer" \
		--fault "corrupt:at=5,path=/r20-wrong/,digest=$layer" \
		--fault "ignore_range:path=/r20-back/" \
		--fault rate_limit:after=600,path=/r20-limit/ \
		--fault rate_limit:after=3,path=/r20-wait/ \
		--fault status:code=503,retry_after=3,kind=blob,path=/r20-busy/ \
		--fault "rate_limit:after=600,path=/r20-gone/,digest=$layer" \
		--fault "status:code=500,path=/r20-gone/,kind=blob" \
		--fault status:code=404,path=/r20-all/ \
		--fault "access:cdn_auth=anon,auth=none,path=r20-guest([/%]|\$)" \
		--fault redirect:to=cdn,path=/r20-guest/ \
		--fault status:code=403,path=far%2Fr20-guest%3A,kind=token \
		--fault redirect:to=cdn,path=/r22-cdn/
	mirror=$faults mirror_log=$faults_log mirror_pid=$faults_pid
	export mirror mirror_log mirror_pid
	start_faults "$(layout)" --fault status:code=404
	export stale=$faults stale_pid=$faults_pid
	start_faults "$(layout)" --password se:cret \
		--fault "status:code=500,path=/r20-gone/,digest=$(digest latest config),times=5" \
		--fault access:auth=basic,path=/r21-basic/ \
		--fault "access:auth=token,path=r21-token([/%]|\$)" \
		--fault "truncate:at=50000,times=1,path=/r20-back/,digest=$layer" \
		--fault status:code=403,path=/r20-all/
}

teardown_file() {
	stop_faults
	stop_process "$stale_pid"
	stop_process "$mirror_pid"
}

describe() {
	lines 'image latest' 'layer none' 'fill a 100000' layer 'file b two' 'image many' \
		layer 'file a 1' layer 'file a 2' layer 'file a 3' layer 'file a 4' layer 'file a 5' \
		layer 'file a 6' layer 'file a 7' layer 'file a 8' layer 'file a 9'
}

setup() {
	begin
	layer=$(digest latest layer 0)
	through=(--mirror "http://$mirror")
}

# The mirror's own log must know of no leak either.
teardown() {
	no_leaks
	faults_log=$mirror_log no_leaks
}

# mirror_was_asked ARGUMENT...: as was_asked, for the mirror.
mirror_was_asked() {
	faults_log=$mirror_log was_asked "$@"
}

mirror_never_asked() {
	faults_log=$mirror_log never_asked "$@"
}

all="$(lines 'manifest 200' "$(times 3 'blob 200')")"

@test "R20 R90 where a mirror leads, and no token is had there, the registry is next" {
	works r20-guest latest "${through[@]}"
	mirror_was_asked r20-guest "$(lines 'manifest 200' "$(times 3 'blob 307')" "$(times 3 'cdn 401')")"
	mirror_was_asked far%2Fr20-guest "$(times 3 'token 403')"
	was_asked r20-guest "$(times 3 'blob 200')"
}

@test "R20 a mirror is asked first, and when it has all it alone" {
	works r20 latest "${through[@]}"
	mirror_was_asked r20 "$all"
	never_asked r20
	# The image keeps the name that was asked for.
	run -0 jq -r 'select(.type=="image") | .names[0], .registry' <<<"$output"
	same "$output" "$(lines "$faults/r20:latest" "$faults")"
}

@test "R20 a manifest that a mirror does not have, or will not give, is the registry's" {
	works r20-404 latest "${through[@]}"
	mirror_was_asked r20-404 "$(lines 'manifest 404' "$(times 3 'blob 200')")"
	was_asked r20-404 'manifest 200'

	works r20-empty latest "${through[@]}"
	was_asked r20-empty 'manifest 200'

	works r20-portal latest "${through[@]}"
	was_asked r20-portal 'manifest 200'

	works r20-login latest "${through[@]}"
	mirror_was_asked r20-login "$(lines 'manifest 401' "$(times 3 'blob 401')")"
	was_asked r20-login "$all"
}

@test "R20 two failures of a mirror are enough, and it is not the registry's failure" {
	works r20-500 latest "${through[@]}"
	mirror_was_asked r20-500 "$(lines "$(times 2 'manifest 500')" "$(times 6 'blob 500')")"
	was_asked r20-500 "$all"
}

@test "R20 a mirror that fails four times without a blob is asked for nothing more" {
	works r20-broken many "${through[@]}" -j 1
	was_asked r20-broken "$(times 10 'blob 200')"
	# Nobody says which of the ten have had one try by then.
	[ "$(faults_log=$mirror_log asked r20-broken | grep -c 'blob 500')" -le 14 ]
}

@test "R20 who waits for a mirror that is given up has all tries at the registry" {
	works r20-gone latest "${through[@]}" --retry-wait 0.1
	was_asked r20-gone "$(lines "$(times 5 'blob 500')" "$(times 3 'blob 200')")"
}

@test "R20 a token that a mirror cannot give: all who wait for it go on" {
	works r20-token latest "${through[@]}"
	was_asked r20-token "$all"
}

@test "R20 a blob goes on where the mirror has left off" {
	works r20-reset latest "${through[@]}"
	was_asked r20-reset "blob 206 bytes=$(given r20-reset)-" .range
}

# given REPOSITORY: bytes of the first layer that the mirror has given.
given() {
	jq -r --arg name "$1" --arg layer "$layer" '
		select((.path // "") | contains("/\($name)/blobs/\($layer)")) | .bytes' \
		"$mirror_log" | awk '{ n += $1 } END { print n }'
}

@test "R20 wrong bytes from a mirror are thrown away" {
	works r20-wrong latest "${through[@]}"
	mirror_was_asked r20-wrong "$(lines 'manifest 200' "$(times 4 'blob 200')")"
	was_asked r20-wrong 'blob 200 null' .range
}

@test "R20 a mirror that is not there costs two tries a run, one that has enough none" {
	local closed
	closed=$(closed_port)
	rm -rf store
	run -0 --separate-stderr pull r20-dead latest -v --mirror "http://127.0.0.1:$closed"
	same "$(lines "${stderr//"$faults"/HOST}" | sed 's/in [0-9]* ms/in N ms/')" \
		"$(lines "occy-pull: HOST/r20-dead:latest: manifest: cannot connect to http://127.0.0.1:$closed: Connection refused; again in N ms" \
			"occy-pull: HOST/r20-dead:latest: manifest: mirror 127.0.0.1:$closed: cannot connect to http://127.0.0.1:$closed: Connection refused (2 tries); going on elsewhere")"
	whole_stream
	right_store store

	works r20-limit latest "${through[@]}"
	mirror_was_asked r20-limit 'manifest 429'
	was_asked r20-limit "$all"
}

@test "R20 an overloaded mirror is not waited for" {
	local began=$SECONDS
	works r20-wait latest "${through[@]}"
	mirror_was_asked r20-wait 'manifest 429'
	works r20-busy latest "${through[@]}"
	# What was under way already may have been refused as well.
	faults_log=$mirror_log asked r20-busy | sort -u >said
	same "$(cat said)" "$(lines 'blob 503' 'manifest 200')"
	was_asked r20-busy "$(times 3 'blob 200')"
	((SECONDS - began < 3))
}

# A port where nobody listens.
closed_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

@test "R20 several mirrors, in their order; a stale one does no harm" {
	works r20-stale latest --mirror "http://$stale" "${through[@]}"
	mirror_was_asked r20-stale "$all"
	never_asked r20-stale
}

@test "R20 when all fail each says why, the registry last" {
	run -5 --separate-stderr pull r20-all latest --mirror "http://$stale" "${through[@]}"
	local said=${stderr//"$faults"/HOST}
	said=${said//"$mirror"/MIRROR}
	same "${said//"$stale"/STALE}" "$(
		echo 'occy-pull: warning: HOST/r20-all:latest: manifest: mirror STALE: not found or not authorised: STALE answered 404 UNKNOWN: fault'
		echo 'occy-pull: warning: HOST/r20-all:latest: manifest: mirror MIRROR: not found or not authorised: MIRROR answered 404 UNKNOWN: fault'
		echo 'occy-pull: HOST/r20-all:latest: manifest: not found or login needed: HOST answered 403 UNKNOWN: fault'
	)"
	broken_stream
}

@test "R20 which registry a mirror stands for, and where it keeps it" {
	works r20-for latest --mirror "http://$mirror=docker.io"
	mirror_never_asked r20-for

	works r20-for latest --mirror "http://$mirror=$faults"
	mirror_was_asked r20-for "$all"

	works r20-below latest --mirror "http://$mirror/cache/hub"
	mirror_was_asked cache/hub/r20-below "$all"

	rm -rf store
	OCCY_MIRRORS="http://$stale=docker.io  http://$mirror" run -0 pull r20-env latest
	mirror_was_asked r20-env "$all"
}

@test "R20 a mirror without http:// is asked over TLS alone, but for this machine" {
	local name=mirror.example
	: >proxy
	rm -rf store
	# The proxy would be asked for plain http too.
	https_proxy=http://$mirror http_proxy=http://$mirror no_proxy=127.0.0.1 \
		run -0 --separate-stderr pull r20-tls latest --mirror "$name:5000"
	within 3 grep -q "\"CONNECT\",\"path\":\"$name:5000\"" "$mirror_log"
	mirror_never_asked r20-tls
	was_asked r20-tls "$all"
}

@test "R21 a mirror gets its own login, and never the registry's" {
	jq -n --arg up "$faults" --arg mirror "$mirror" '{auths: {
		($up): {auth: ("user:se:cret" | @base64)},
		($mirror): {auth: ("mirror:m" | @base64)}}}' >both.json
	works r21-token latest "${through[@]}" --authfile both.json
	mirror_was_asked r21-token "$(lines 'manifest 401' 'token 200' "$all")"
	never_asked r21-token
	works r21-basic latest "${through[@]}" --authfile both.json
	mirror_was_asked r21-basic "$(lines 'manifest 401 none' 'manifest 200 basic' "$(times 3 'blob 200 basic')")" .auth

	# One that is not known there goes in as nobody, and not at all.
	: >"$mirror_log"
	printf %s se:cret >password
	rm -rf store
	run -0 pull r21-basic latest "${through[@]}" --username user --password-stdin <password
	mirror_was_asked r21-basic "$(lines 'manifest 401 none' "$(times 3 'blob 401 none')")" .auth
	: >"$mirror_log"
	rm -rf store
	OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=se:cret run -0 pull r21-basic latest "${through[@]}"
	mirror_was_asked r21-basic "$(lines 'manifest 401 none' "$(times 3 'blob 401 none')")" .auth
}

@test "R22 the mirror alone is told which registry it stands for" {
	works r22 latest "${through[@]}"
	mirror_was_asked r22 "$(lines "manifest 200 ?ns=$faults" "$(times 3 "blob 200 ?ns=$faults")" |
		sed 's/:\([0-9]*\)$/%3A\1/')" '.path | sub("^[^?]*"; "")'
	works r20-404 latest "${through[@]}"
	run -1 grep -F 'ns=' "$faults_log"

	works r22-cdn latest "${through[@]}"
	run -0 jq -es 'map(select(.srv == "cdn")) | length == 3 and all(.path | contains("ns=") | not)' \
		"$mirror_log"
}

@test "R20 a --mirror that is none is status 2" {
	local text
	for text in '' 'http://' 'ftp://h' 'h/UP' 'h:x' 'h=' 'u@h'; do
		run -2 --separate-stderr pull r20 latest --mirror "$text"
		[[ $stderr == 'occy-pull: --mirror: '*$'\nusage: '* ]]
		same "$output" ''
	done
	OCCY_MIRRORS='h h:x' run -2 --separate-stderr pull r20 latest
	[[ $stderr == 'occy-pull: OCCY_MIRRORS: bad port in registry name: h:x'$'\nusage: '* ]]
}
