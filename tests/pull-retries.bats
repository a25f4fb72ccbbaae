#!/usr/bin/env bats
# occy-pull and bad days of a registry: what is tried again, how often, after
# which wait, and what several connections at a time do.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	local layer code statuses=()
	layer=$(digest latest layer 0)
	for code in 408 429 499 500 502 503 504 522; do
		statuses+=(--fault "status:code=$code,times=2,path=/r95-$code/,kind=manifest")
	done
	for code in 400 401 403 404 405 410 501; do
		statuses+=(--fault "status:code=$code,path=/r95-$code/,kind=manifest")
	done
	rules >rules.json
	start_faults "$(layout)" --rules rules.json "${statuses[@]}" \
		--fault "close:times=2,path=/r95-close/" \
		--fault "close:mode=rst,times=2,path=/r95-rst/" \
		--fault "reset:at=5000,times=2,path=/r95-reset/,digest=$layer" \
		--fault "truncate:at=9,times=2,path=/r95-cut/,digest=$layer" \
		--fault "status:code=500,times=2,path=/r95-blob/,kind=blob" \
		--fault status:code=503,path=/r96/,kind=manifest \
		--fault close:times=4,path=/r96-anew/,kind=blob,min_size=3000000 \
		--fault truncate:at=1500000,times=1,path=/r96-anew/,min_size=3000000 \
		--fault close:skip=5,times=4,path=/r96-anew/,kind=blob,min_size=3000000 \
		--fault truncate:at=2000000,path=/r96-circle/,min_size=3000000 \
		--fault ignore_range:path=/r96-circle/ \
		--fault rate_limit:after=1,times=1,path=/r97-seconds/,kind=manifest \
		--fault rate_limit:after=date:2,times=1,path=/r97-date/,kind=manifest \
		--fault rate_limit:after=date:-100,times=1,path=/r97-past/,kind=manifest \
		--fault rate_limit:after=-5,times=1,path=/r97-negative/,kind=manifest \
		--fault rate_limit:after=soon,times=1,path=/r97-soon/,kind=manifest \
		--fault status:code=503,retry_after=1,times=1,path=/r97-503/,kind=manifest \
		--fault status:code=503,retry_after=61,path=/r97-long/,kind=manifest \
		--fault status:code=502,retry_after=61,times=1,path=/r97-502/,kind=manifest \
		--fault rate_limit:after=1,times=1,per=all,path=/r98/,kind=blob \
		--fault status:code=403,path=/r102-403/ \
		--fault status:code=404,path=/r102-404/ \
		--fault status:code=410,path=/r102-410/ \
		--fault status:code=429,path=/r102-429/ \
		--fault status:code=500,path=/r102-500/ \
		--fault status:code=400,path=/r102-400/ \
		--fault rate_limit:after=21600,path=/r99/,kind=manifest \
		--fault rl_headers:limit=5,path=/r99/ \
		--fault rate_limit:after=61,path=/r99-blob/,kind=blob \
		--fault 'warning:text=going down tonight,path=/r100/' \
		--fault header_flood:n=20,path=/r101-headers/ \
		--fault drip:bytes=5000,every=0.1,path=/r110/,min_size=19000 \
		--fault drip:bytes=5000,every=0.1,path=/r113/,min_size=19000 \
		--fault status:code=503,times=1,path=/r113/,kind=blob,per=all
}

teardown_file() {
	stop_faults
}

describe() {
	local i
	lines 'image latest' layer 'fill a 20000' 'image big' 'layer none' 'fill b 3000000' \
		'image small' 'layer none' 'fill s 3000' \
		'image huge' 'layer none' 'fill h 50000000' 'layer none' 'fill i 30000000' 'image many'
	for i in {1..12}; do
		lines 'layer none' "fill l$i 10000"
	done
}

# Bodies with commas are no --fault. JSON text within JSON.
rules() {
	jq -nc '[
		["json", "application/json", "{\"errors\":[{\"code\":\"ODD\",\"message\":\"try \\u001b[2J\\nlater\"},{\"code\":\"SECOND\"}]}"],
		["html", "text/html; charset=utf-8", "<html>\u001b[2J</html>"],
		["text", "text/plain", "no"],
		["bad", "application/json", "{"],
		["code", "application/json", "{\"errors\":[{\"code\":\"ONLY\"}]}"],
		["long", "application/json", "{\"errors\":[{\"code\":\"LONG\",\"message\":\"" + ("m" * 1000) + "\"}]}"],
		["huge", "application/json", "{\"errors\":[{\"code\":\"HUGE\",\"message\":\"" + ("m" * 70000) + "\"}]}"]
		| {fault: "status", code: 418, kind: "manifest", path: "/r101-\(.[0])/", type: .[1], body: .[2]}]
		| . + [{fault: "warning", path: "/r100-odd/", text: "a \\\"quoted\\\" thing"}]
		| . + [{fault: "rate_limit", after: "99999999999999999999", times: 1, kind: "manifest", path: "/r97-absurd/"}]'
}

again="$(lines 'manifest 200' 'blob 200' 'blob 200')"

# times_of REPOSITORY: when each request for the manifest came, in
# milliseconds since the first.
times_of() {
	jq -r --arg path "/v2/$1/manifests/" 'select((.path // "") | startswith($path)) | .t * 1000 - .ms' "$faults_log" |
		awk 'NR == 1 { first = $1 } { printf "%d\n", $1 - first }'
}

# peak REPOSITORY KIND: how many such requests were under way at a time.
peak() {
	jq -r --arg path "/v2/$1/$2" 'select(((.path // "") | startswith($path)))
		| "\(.t * 1000 - .ms) 1", "\(.t * 1000) -1"' "$faults_log" |
		sort -n | awk '{ n += $2; if (n > most) most = n } END { print most }'
}

@test "R95 what may pass is tried again" {
	for code in 408 429 499 500 502 503 504 522; do
		works "r95-$code" latest
		was_asked "r95-$code" "$(lines "$(times 2 "manifest $code")" "$again")"
	done
	works r95-blob latest
	was_asked r95-blob "$(lines "$again" "$(times 4 'blob 500')")"
}

@test "R95 so is an answer that does not come, or not to its end" {
	works r95-close latest
	was_asked r95-close "$(lines "$again" "$(times 2 'manifest 0')" "$(times 4 'blob 0')")"
	works r95-rst latest
	was_asked r95-rst "$(lines "$again" "$(times 2 'manifest 0')" "$(times 4 'blob 0')")"
	works r95-reset latest
	was_asked r95-reset "$(lines "$again" "$(times 2 'blob 206')")"
	works r95-cut latest
	was_asked r95-cut "$(lines "$again" "$(times 2 'blob 206')")"
}

@test "R95 what will not pass is said at once" {
	local said='not found or not authorised: HOST answered'
	fails 1 'occy-pull: HOST/r95-400:latest: manifest: HOST answered 400 UNKNOWN: fault' r95-400 latest
	fails 5 'occy-pull: HOST/r95-401:latest: manifest: not found or login needed: HOST answered 401 UNKNOWN: fault' r95-401 latest
	fails 5 'occy-pull: HOST/r95-403:latest: manifest: not found or login needed: HOST answered 403 UNKNOWN: fault' r95-403 latest
	fails 4 "occy-pull: HOST/r95-404:latest: manifest: $said 404 UNKNOWN: fault" r95-404 latest
	fails 1 'occy-pull: HOST/r95-405:latest: manifest: HOST answered 405 UNKNOWN: fault' r95-405 latest
	fails 4 "occy-pull: HOST/r95-410:latest: manifest: $said 410 UNKNOWN: fault" r95-410 latest
	fails 1 'occy-pull: HOST/r95-501:latest: manifest: HOST answered 501 UNAVAILABLE: fault' r95-501 latest
	for code in 400 404 405 410 501; do
		was_asked "r95-$code" "manifest $code"
	done
	# Once more after /v2/ had no challenge to offer.
	was_asked r95-401 "$(times 2 'manifest 401')"
	was_asked r95-403 "$(times 2 'manifest 403')"
}

@test "R95 a host that nobody has reached yet: three tries within three seconds" {
	local port
	# A port that was free a moment ago: nobody listens there.
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	SECONDS=0
	run -7 --separate-stderr occy-pull --store store --retry-wait 0.5 "127.0.0.1:$port" a/b latest
	((SECONDS < 4))
	same "$stderr" "occy-pull: 127.0.0.1:$port/a/b:latest: manifest: cannot connect to http://127.0.0.1:$port: Connection refused (3 tries)"
	broken_stream
}

@test "R96 six tries, each wait twice the last, more or less a quarter" {
	fails 7 'occy-pull: HOST/r96:latest: manifest: HOST answered 503 UNAVAILABLE: fault (6 tries)' \
		r96 latest --retry-wait 0.1
	was_asked r96 "$(times 6 'manifest 503')"
	times_of r96 >came
	awk 'NR > 1 { wait = $1 - last; due = 100 * 2 ^ (NR - 2)
		if (wait < 0.74 * due || wait > 1.26 * due + 300) print wait " for " due }
		{ last = $1 }' came >wrong
	same "$(cat wrong)" ''
	same "$(wc -l <came)" 6
}

@test "R96 the waits of six tries add up to half a minute unless asked otherwise" {
	run -0 occy-pull --help
	[[ $(tr -s ' \n' ' ' <<<"$output") == *'--retry-wait SECONDS wait before the first repeat; doubles (1)'* ]]
}

@test "R96 a megabyte that is new makes the count start again" {
	works r96-anew big
	was_asked r96-anew "$(lines "$again" "$(times 8 'blob 0')" 'blob 206')"
}

@test "R96 the same megabyte again and again is none" {
	local layer
	layer=$(digest big layer 0)
	run -7 --separate-stderr timeout 20 occy-pull --store store --retry-wait 0.01 "$faults" r96-circle big
	[[ $(plain "$stderr") == "occy-pull: HOST/r96-circle:big: layer 0 $layer: "*' (6 tries)' ]]
	[ "${#stderr_lines[@]}" = 1 ]
	broken_stream
	right_store store
}

@test "R97 Retry-After is obeyed, in seconds and as a date" {
	for name in r97-seconds r97-503 r97-date; do
		works "$name" latest
		was_asked "$name" "$(lines "manifest $([ "$name" = r97-503 ] && lines 503 || lines 429)" "$again")"
		times_of "$name" >came
		same "$(wc -l <came)" 2
		# The date is cut to seconds.
		awk 'NR == 2 { print ($1 >= 950) }' came >obeyed
		same "$(cat obeyed)" 1
	done
}

@test "R97 what makes no sense is answered with our own wait" {
	for name in r97-past r97-negative r97-soon r97-absurd r97-502; do
		works "$name" latest
		was_asked "$name" "$(lines "manifest $([ "$name" = r97-502 ] && lines 502 || lines 429)" "$again")"
		times_of "$name" >came
		awk 'NR == 2 { print ($1 < 1000) }' came >own
		same "$(cat own)" 1
	done
}

@test "R97 longer than --max-wait: fail at once, and say how long" {
	fails 7 'occy-pull: HOST/r97-long:latest: manifest: HOST answered 503 UNAVAILABLE: fault; asks for a wait of 61 s' \
		r97-long latest
	was_asked r97-long 'manifest 503'
	fails 6 'occy-pull: HOST/r97-seconds:other: manifest: HOST answered 429 TOOMANYREQUESTS: slow down; Retry-After: 1; asks for a wait of 1 s' \
		r97-seconds other --max-wait 0
}

@test "R99 a rate limit is told with the registry's own numbers" {
	fails 6 'occy-pull: HOST/r99:latest: manifest: HOST answered 429 TOOMANYREQUESTS: slow down; RateLimit-Limit: 5;w=21600; RateLimit-Remaining: 4;w=21600; Docker-RateLimit-Source: 127.0.0.1; Retry-After: 21600; asks for a wait of 21600 s' \
		r99 latest
	was_asked r99 'manifest 429'
	fails_at_a_blob 6 'occy-pull: HOST/r99-blob:many: BLOB: HOST answered 429 TOOMANYREQUESTS: slow down; Retry-After: 61; asks for a wait of 61 s' \
		r99-blob many
}

@test "R100 what a registry warns of is told once" {
	rm -rf store
	run -0 --separate-stderr pull r100 latest
	same "$(plain "$stderr")" 'occy-pull: warning: HOST/r100:latest: the registry says: going down tonight'
	whole_stream
	run -0 --separate-stderr pull r100-odd latest
	same "$(plain "$stderr")" 'occy-pull: warning: HOST/r100-odd:latest: the registry says: a "quoted" thing'
}

@test "R98 a wait is for the host: nothing new is begun meanwhile" {
	works r98 many
	# Twelve layers and a config; the first that came was told to wait.
	local first
	first=$(jq -r 'select((.path // "") | contains("/r98/blobs/")) | select(.status == 429) | .t' "$faults_log")
	run -0 jq -es --argjson first "$first" '[.[] | select((.path // "") | contains("/r98/blobs/"))
		| .t - .ms / 1000 | select(. > $first + 0.4)]
		| length > 6 and min > $first + 0.9' "$faults_log"
}

@test "R102 each kind of failure has its status" {
	local name code
	for name in r102-403:5 r102-404:4 r102-410:4 r102-429:6 r102-500:7 r102-400:1; do
		code=${name#*:}
		run "-$code" --separate-stderr pull "${name%:*}" latest
		[ "${#stderr_lines[@]}" = 1 ]
	done
	run -4 pull r102 latest --architecture s390x --strict-platform
	run -8 pull r102 fr-self
	run -2 pull r102 'no tag'
	run -9 occy-pull --store /dev/null/store "$faults" r102 latest
	run -7 occy-pull --retry-wait 0.01 127.0.0.1:1 r102 latest
}

@test "R114 connections are used again" {
	works r114 many -j 1
	same "$(jq -s '[.[] | select((.path // "") | contains("/r114/")) | .conn] | unique | length' "$faults_log")" 1
}

@test "R101 what a registry says of an error is shown, printable and short" {
	local said='manifest: HOST answered 418'
	fails 1 "occy-pull: HOST/r101-json:latest: $said ODD: try \\x1b[2J\\x0alater" r101-json latest
	fails 1 "occy-pull: HOST/r101-html:latest: $said (text/html; charset=utf-8)" r101-html latest
	fails 1 "occy-pull: HOST/r101-text:latest: $said (text/plain)" r101-text latest
	fails 1 "occy-pull: HOST/r101-bad:latest: $said" r101-bad latest
	fails 1 "occy-pull: HOST/r101-code:latest: $said ONLY" r101-code latest
	fails 1 "occy-pull: HOST/r101-long:latest: $said LONG: $(printf 'm%.0s' {1..256})..." r101-long latest
	# Of 70 000 bytes 65 536 are read: no JSON.
	fails 1 "occy-pull: HOST/r101-huge:latest: $said" r101-huge latest
	works r101-headers latest
}

@test "R110 four blobs at a time unless asked otherwise" {
	works r110 many
	within 3 is_asked r110 "$(lines 'manifest 200' "$(times 13 'blob 200')")"
	same "$(peak r110 blobs)" 4
}

@test "R110 --jobs says how many, and they begin in the manifest's order" {
	works r110-order many --jobs 1
	was_asked r110-order "$(lines 'manifest 200' "$(times 13 'blob 200')")"
	asked r110-order '.path' | sed -n 's/^blob .*blobs.//p' >began
	same "$(cat began)" "$(lines "$(digest many config)" "$(layer_digests "$(layout)" many)")"
	same "$(asked r110-order .conn | sort -u | wc -l)" 2
}

@test "R111 blobs come over HTTP/1.1, a connection each" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj /CN=here -keyout key -out pem \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	# The server would speak HTTP/2, badly, with whoever offers to.
	own_faults --cert pem --key key --fault drip:bytes=5000,every=0.1,min_size=9000
	SSL_CERT_FILE=$PWD/pem works r111 many --jobs 3
	within 3 is_asked r111 "$(lines 'manifest 200' "$(times 13 'blob 200')")"
	same "$(peak r111 blobs)" 3
	same "$(asked r111 .conn | awk '{ print $3 }' | sort -u | wc -l)" 3
}

@test "R113 never more connections than --jobs" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj /CN=here -keyout key -out pem \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	for jobs in 1 3; do
		own_faults --cert pem --key key --auth anon --fault drip:bytes=200,every=0.05,kind=blob,min_size=200
		SSL_CERT_FILE=$PWD/pem works r113-tls small --jobs "$jobs"
		stop_faults
		run -0 jq --argjson jobs "$jobs" 'select(.event == "exit") | .peak_conns <= $jobs' "$faults_log"
		same "$output" true
	done
}

@test "R113 a 429 or 503 halves the number of connections for the run" {
	works r113 many --jobs 4
	asked r113 '.t * 1000 - .ms, .t * 1000' | awk '/^blob 503/ { print $4 }' >limited
	same "$(wc -l <limited)" 1
	# Those under way then end; afterwards there are two.
	asked r113 '.t * 1000 - .ms, .t * 1000' |
		awk -v limited="$(cat limited)" '/^blob 200/ && $3 > limited + 100 { print $3, 1; print $4, -1 }' |
		sort -n | awk '{ n += $2; if (n > most) most = n } END { print most }' >most
	same "$(cat most)" 2
}

# memory REPOSITORY TAG: the most that pulling it takes, in KiB.
memory() {
	python3 - "$faults" "$@" <<-'END'
		import resource, subprocess, sys
		subprocess.run(["occy-pull", "--store", "memory", "-q"] + sys.argv[1:],
		               stdout=subprocess.DEVNULL, check=True)
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	END
}

@test "R115 memory does not grow with the image" {
	small=$(memory r115 small)
	huge=$(memory r115 huge)
	right_store memory
	same "$((huge - small < 6000))" 1
	# What a sanitizer adds is not ours.
	if ! grep -qF __asan_init "$OCCY_BINDIR/occy-pull"; then
		same "$((huge < 32768))" 1
	fi
}
