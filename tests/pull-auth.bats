#!/usr/bin/env bats
# occy-pull and access: challenges, tokens, and where logins come from.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	rules >rules.json
	start_faults "$(layout)" --password se:cret --rules rules.json
}

teardown_file() {
	stop_faults
}

describe() {
	lines 'image latest' layer 'fill a 20000' layer 'file b two' \
		'image wide' layer 'file a 1' layer 'file a 2' layer 'file a 3' layer 'file a 4'
}

# What is asked for each repository, by its name: a line each of repository,
# the form of access, and the faults that come along.
rules() {
	local name what
	while read -r name what; do
		jq -c --arg path "$name([/%]|\$)" '{fault: "access", path: $path} + .' <<<"$what"
	done <<'END' | jq -s .
r24 {"auth":"token"}
r24-cdn {"auth":"token"} {"fault":"redirect","to":"cdn"}
r25-lines {"auth":"anon","challenge":"lines"}
r25-comma {"auth":"anon","challenge":"comma"}
r25-tricky {"auth":"anon","challenge":"tricky"}
r26 {"auth":"anon","challenge":"unquoted"}
r27-mixed {"auth":"mixed"}
r27-basic {"auth":"basic"}
r27-denied {"auth":"basic"} {"fault":"status","kind":"manifest","code":403,"skip":1}
r28-none {"auth":"anon","challenge":"norealm"}
r28-relative {"auth":"anon","challenge":"relative"}
r28-query {"auth":"anon","challenge":"query"}
r30 {"auth":"anon"}
r30-noscope {"auth":"anon","challenge":"noscope"}
r30-noservice {"auth":"anon","challenge":"noservice"}
r31 {"auth":"anon","more_scope":"repository:other:pull  repository:r31:push,pull registry:catalog:* repository:h:5000/x:pull repository:other:pull"}
r32 {"auth":"token"}
r34 {"auth":"anon"}
r35-access {"auth":"anon","token_field":"access_token"}
r35-token {"auth":"anon","token_field":"token"}
r35-empty {"auth":"anon"} {"fault":"status","kind":"token","code":200,"body":"{\"token\":\"\",\"access_token\":5,\"secret\":\"frt.x\"}"}
r35-html {"auth":"anon"} {"fault":"status","kind":"token","code":200,"body":"<html>frt.x"}
r35-line {"auth":"anon"} {"fault":"status","kind":"token","code":200,"body":"{\"token\":\"frt.x\\r\\nX-Evil: 1\"}"}
r35-null {"auth":"anon"} {"fault":"status","kind":"token","code":200,"body":"{\"access_token\":null,\"token\":\"\"}"}
r36-none {"auth":"anon","token_expires_in":-1}
r36-short {"auth":"anon","token_expires_in":1}
r36-past {"auth":"anon","token_issued_at":true,"clock_skew":-9999}
r36-future {"auth":"anon","token_issued_at":true,"clock_skew":9999}
r37 {"auth":"anon","token_ttl":1.5} {"fault":"delay","kind":"blob","seconds":1.8,"times":1}
r38 {"auth":"anon","token_requests":1}
r38-parallel {"auth":"anon","token_requests":1}
r38-never {"auth":"anon"} {"fault":"auth401"}
r38-blob {"auth":"anon"} {"fault":"auth401","kind":"blob","min_size":15000}
r39 {"auth":"anon"} {"fault":"auth401","kind":"blob","error":"insufficient_scope","times":1}
r39-never {"auth":"anon"} {"fault":"auth401","kind":"blob","error":"insufficient_scope"}
r40 {"auth":"anon","token_ttl":1.2} {"fault":"drip","min_size":15000,"bytes":8000,"every":0.7}
r41 {"auth":"anon"} {"fault":"forbid","kind":"manifest","skip":1}
r41-none {"auth":"none"} {"fault":"forbid"}
r41-missing {"auth":"anon"} {"fault":"status","kind":"manifest","code":404,"skip":1}
r43 {"auth":"token"} {"fault":"redirect","to":"cdn"}
r43-bad {"auth":"token"} {"fault":"redirect","to":"cdn"} {"fault":"status","kind":"cdn","code":503}
r43-spent {"auth":"token"} {"fault":"redirect","to":"cdn","ttl":-1}
r43-slow {"auth":"token"} {"fault":"stall","kind":"blob","at":9,"seconds":5}
r45 {"auth":"basic"}
lab%2Fr46 {"auth":"basic"}
r48 {"auth":"basic"}
lab/r46 {"auth":"basic"}
END
}

# login FILE KEY [USER PASSWORD]: what podman and docker write; the right one.
login() {
	mkdir -p "$(dirname "$1")"
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$2" \
		"$(printf %s "${3-user}:${4-se:cret}" | base64 -w 0)" >"$1"
}

all="$(lines 'manifest 200' 'blob 200' 'blob 200' 'blob 200')"
said="$(lines 'manifest 401' 'token 200' "$all")"

@test "R24 the first request goes without credentials, each only where it belongs" {
	works r24 latest --username user --password-stdin <<<se:cret
	was_asked r24 "$(lines 'manifest 401 none' 'token 200 basic' 'manifest 200 bearer' \
		"$(times 3 'blob 200 bearer')")" .auth
	works r24-cdn latest --username user --password-stdin <<<se:cret
	was_asked r24-cdn "$(lines 'manifest 401 none' 'token 200 basic' 'manifest 200 bearer' \
		"$(times 3 'blob 307 bearer')" "$(times 3 'cdn 200 none')")" .auth
}

@test "R24 without a challenge no credential is sent at all" {
	works open latest --username user --password-stdin <<<se:cret
	was_asked open "$(lines 'manifest 200 none' "$(times 3 'blob 200 none')")" .auth
}

@test "R25 challenges in several lines, several in one line, and in odd writing" {
	for form in lines comma tricky; do
		works "r25-$form" latest
		was_asked "r25-$form" "$said"
	done
}

@test "R26 values without quotes, with colons and slashes" {
	works r26 latest
	was_asked r26 "$said"
}

@test "R27 Bearer before Basic where both are offered" {
	works r27-mixed latest --username user --password-stdin <<<se:cret
	was_asked r27-mixed "$(lines 'manifest 401 none' 'token 200 basic' 'manifest 200 bearer' \
		"$(times 3 'blob 200 bearer')")" .auth
}

@test "R27 Basic only with a user and password" {
	fails 5 'occy-pull: HOST/r27-basic:latest: manifest: login needed: no user and password are known for this registry' \
		r27-basic latest
	was_asked r27-basic 'manifest 401 none' .auth
	works r27-basic latest --username user --password-stdin <<<se:cret
	was_asked r27-basic "$(lines "$(times 2 'manifest 401 none')" 'manifest 200 basic' \
		"$(times 3 'blob 200 basic')")" .auth
}

@test "R27 a wrong password is sent once" {
	fails 5 'occy-pull: HOST/r27-basic:other: manifest: not found or not authorised: HOST answered 401 UNAUTHORIZED: authentication required (are user name and password right?)' \
		r27-basic other --username user --password-stdin <<<wrong
	same "$(within 3 two_of_other)" ''
}

@test "R27 403 doubts no password" {
	fails 5 'occy-pull: HOST/r27-denied:latest: manifest: not found or not authorised: HOST answered 403 UNKNOWN: fault' \
		r27-denied latest --username user --password-stdin <<<se:cret
	was_asked r27-denied "$(lines 'manifest 401 none' 'manifest 403 basic')" .auth
}

two_of_other() {
	cmp -s <(asked r27-basic '.path, .auth' | grep other) \
		<(lines 'manifest 401 /v2/r27-basic/manifests/other none' \
			'manifest 401 /v2/r27-basic/manifests/other basic')
}

@test "R28 Bearer without a realm is an error" {
	fails 5 "occy-pull: HOST/r28-none:latest: manifest: the registry's challenge has no usable realm" \
		r28-none latest
	was_asked r28-none 'manifest 401'
}

@test "R28 a relative realm, and one with a query of its own" {
	works r28-relative latest
	was_asked r28-relative "$said"
	works r28-query latest
	was_asked r28-query "$said"
	same "$(asked r28-query .path | grep token)" \
		'token 200 /token?account=none&x=1&service=faultregistry&scope=repository%3Ar28-query%3Apull'
}

@test "R29 the realm of an https registry must be https" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj /CN=here -keyout key -out pem \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	own_faults --cert pem --key key --auth token --challenge http
	SSL_CERT_FILE=$PWD/pem fails 5 "occy-pull: HOST/r29:latest: manifest: the registry wants a token fetched from http://HOST/token, which is not https" \
		r29 latest --username user --password-stdin <<<secret
	was_asked r29 'manifest 401 none' .auth
}

@test "R30 what a token is asked for: service, and a scope of ours where there is none" {
	for name in r30 r30-noscope r30-noservice; do
		works "$name" latest
		was_asked "$name" "$said"
	done
	same "$(asked r30 .path | grep token)" \
		'token 200 /token?service=faultregistry&scope=repository%3Ar30%3Apull'
	same "$(asked r30-noscope .path | grep token)" \
		'token 200 /token?service=faultregistry&scope=repository%3Ar30-noscope%3Apull'
	same "$(asked r30-noservice .path | grep token)" \
		'token 200 /token?scope=repository%3Ar30-noservice%3Apull'
}

@test "R31 scopes: split, merged without doubles, ours first" {
	works r31 latest
	was_asked r31 "$said"
	same "$(asked r31 .path | grep token)" "token 200 /token?service=faultregistry&scope=repository%3Ar31%3Apull%2Cpush&scope=repository%3Aother%3Apull&scope=registry%3Acatalog%3A%2A&scope=repository%3Ah%3A5000%2Fx%3Apull"
}

@test "R32 user and password go by GET, once" {
	works r32 latest --username user --password-stdin <<<se:cret
	was_asked r32 "$(lines 'token 200 GET basic' 'manifest 401 GET none' 'manifest 200 GET bearer' \
		"$(times 3 'blob 200 GET bearer')")" '.method, .auth'
}

@test "R32 a token service that does not know us: no second try" {
	fails 5 'occy-pull: HOST/r32:x: token from http://HOST/token: HOST answered 401 UNAUTHORIZED: incorrect username or password (are user name and password right?)' \
		r32 x --username user --password-stdin <<<wrong
	same "$(asked r32 .auth | grep -c '^token 401 basic$')" 1
	fails 5 'occy-pull: HOST/r32:y: token from http://HOST/token: HOST answered 401 UNAUTHORIZED: authentication required' \
		r32 y
}

@test "R34 anonymous: a token for nobody in particular" {
	works r34 latest
	was_asked r34 "$(lines 'manifest 401 none' 'token 200 none' 'manifest 200 bearer' \
		"$(times 3 'blob 200 bearer')")" .auth
}

@test "R35 token or access_token, whichever is there" {
	works r35-access latest
	was_asked r35-access "$said"
	works r35-token latest
	was_asked r35-token "$said"
}

@test "R35 an answer without a token is an error with its status, not its text" {
	local where='token from http://HOST/token'
	fails 5 "occy-pull: HOST/r35-empty:latest: $where: HOST answered 200 (text/plain), but without a token" r35-empty latest
	fails 5 "occy-pull: HOST/r35-null:latest: $where: HOST answered 200 (text/plain), but without a token" r35-null latest
	fails 5 "occy-pull: HOST/r35-html:latest: $where: HOST answered 200 (text/plain), which is no JSON document" r35-html latest
	fails 5 "occy-pull: HOST/r35-line:latest: $where: HOST answered 200 (text/plain), but its token is no token" r35-line latest
	was_asked r35-line "$(lines 'manifest 401' 'token 200')"
}

@test "R36 a token without a lifetime, or a short one, or a wrong clock, serves for a minute" {
	for name in r36-none r36-short r36-past r36-future; do
		works "$name" latest
		was_asked "$name" "$said"
	done
}

@test "R37 one token at a time for all who wait" {
	works r37 wide --jobs 5
	was_asked r37 "$(lines 'manifest 401' 'token 200' 'manifest 200' "$(times 5 'blob 401')" \
		'token 200' "$(times 5 'blob 200')")"
}

@test "R38 a token that dies after one request: a new one for each" {
	works r38 latest --jobs 1
	works r38-parallel wide --jobs 4
	within 3 is_asked r38-parallel "$(asked r38-parallel)"
	same "$(asked r38-parallel | grep -c '^blob 200$')" 5
}

@test "R38 a registry that takes no token: two, and the end" {
	local denied='not found or login needed: HOST answered 401 UNAUTHORIZED: authentication required'
	fails 5 "occy-pull: HOST/r38-never:latest: manifest: $denied" r38-never latest
	was_asked r38-never "$(lines "$(times 3 'manifest 401')" "$(times 2 'token 200')")"
	fails 5 "occy-pull: HOST/r38-blob:latest: layer 0 $(digest latest layer 0): $denied" \
		r38-blob latest --jobs 1
	same "$(asked r38-blob .path | grep -c "^blob 401 .*$(digest latest layer 0)$")" 2
}

@test "R39 insufficient_scope: one more token, one more try" {
	works r39 latest --jobs 1
	same "$(asked r39 | grep -c '^blob 401$')" 3
	fails_at_a_blob 5 "occy-pull: HOST/r39-never:latest: BLOB: not found or login needed: HOST answered 401 UNAUTHORIZED: authentication required" \
		r39-never latest --jobs 1
	same "$(asked r39-never | grep -c '^blob 200$')" 0
}

@test "R40 a token that ends during a body does no harm" {
	works r40 latest --jobs 1
	was_asked r40 "$(lines 'manifest 401' 'token 200' "$all" 'blob 401' 'token 200')"
}

@test "R41 403 is final, with what the registry says" {
	local denied='HOST answered 403 DENIED: requested access to the resource is denied'
	fails 5 "occy-pull: HOST/r41:latest: manifest: not found or login needed: $denied" r41 latest
	was_asked r41 "$(lines 'manifest 401' 'token 200' 'manifest 403')"
	fails 5 "occy-pull: HOST/r41:other: manifest: not found or not authorised: $denied" \
		r41 other --username user --password-stdin <<<se:cret
	fails 5 "occy-pull: HOST/r41-none:latest: manifest: not found or login needed: $denied" r41-none latest
}

@test "R41 what is not there and what is not ours look alike" {
	fails 4 'occy-pull: HOST/r41-missing:latest: manifest: not found or not authorised: HOST answered 404 UNKNOWN: fault' \
		r41-missing latest
	was_asked r41-missing "$(lines 'manifest 401' 'token 200' 'manifest 404')"
}

# The password, as it is and as Basic has it; a token; a signature.
secrets='se:cret|dXNlcjpzZTpjcmV0|frt\.|sig='

@test "R43 no password, token or signature in any output, also of -v and of failures" {
	logged_in() {
		occy-pull --store "$1" -v --retry-wait 0.01 --progress=json \
			--username user --password-stdin "$faults" "$1" "$2" <<<se:cret
	}
	for name in r43 r43-bad r43-spent r43-none; do
		logged_in "$name" latest >"$name.out" 2>"$name.err" || echo "$name $?" >>failed
	done
	logged_in r43 none >none.out 2>none.err || echo "none $?" >>failed
	same "$(cat failed)" $'r43-bad 7\nr43-spent 5\nnone 4'
	[[ "$(plain "$(cat r43-bad.err)")" == *': OTHER answered 503 UNAVAILABLE: fault (6 tries)'* ]]
	[[ "$(plain "$(cat r43-spent.err)")" == *': OTHER answered 403 (application/xml)'* ]]
	find . -type f ! -path './*/blobs/*' -exec grep -laE "$secrets" {} + >told || [ $? = 1 ]
	same "$(cat told)" ''
}

@test "R43 no password in the process list" {
	OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=se:cret \
		occy-pull --store store "$faults" r43-slow latest >out 2>err 3>&- &
	pid=$!
	within 5 test -s out
	tr '\0' ' ' <"/proc/$pid/cmdline" >cmdline
	terminate "$pid"
	same "$(cat cmdline)" "occy-pull --store store $faults r43-slow latest "
	run -1 grep -E "$secrets" out err cmdline
}

@test "R45 files in podman's order, then docker's; the first that knows the host wins" {
	local places=(file run/containers/auth.json config/containers/auth.json docker/config.json .dockercfg)
	export REGISTRY_AUTH_FILE=$PWD/file XDG_RUNTIME_DIR=$PWD/run XDG_CONFIG_HOME=$PWD/config
	export DOCKER_CONFIG=$PWD/docker
	for i in 0 1 2 3 4; do
		rm -rf "${places[@]}"
		for ((j = i; j < 5; j++)); do
			if ((j == i)); then
				login "${places[j]}" "$faults"
			else
				login "${places[j]}" "$faults" user wrong
			fi
		done
		# The legacy file is the list itself.
		jq .auths .dockercfg >legacy
		mv legacy .dockercfg
		# A file that knows other hosts only is passed over.
		((i == 0)) || login "${places[i - 1]}" elsewhere.example
		works r45 latest
	done
}

@test "R45 a /run/containers that is root's alone is passed over" {
	unset XDG_CONFIG_HOME DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR
	login .docker/config.json "$faults"
	cp "$(type -P occy-pull)" .
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"/..
	chmod -R a+rX .
	mkdir -m 777 theirs
	# shellcheck disable=SC2016 # for sh to expand
	run -0 --separate-stderr unshare -m sh -ec '
		mount -t tmpfs -o mode=755 none /run
		mkdir -m 700 /run/containers
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	' sh env HOME="$PWD" ./occy-pull -q --store theirs/store "$faults" r45 latest
	[ -z "$stderr" ]
}

@test "R45 without the variables: below the home" {
	unset XDG_CONFIG_HOME DOCKER_CONFIG REGISTRY_AUTH_FILE
	login .docker/config.json "$faults"
	works r45 latest
	login .config/containers/auth.json "$faults" user wrong
	run -5 pull r45 other
	login .config/containers/auth.json "$faults"
	works r45 latest
}

@test "R45 --username and --authfile before the environment, that before the files" {
	login .docker/config.json "$faults" user wrong
	export OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=se:cret
	works r45 latest
	export OCCYSTRAP_PASSWORD=wrong
	login mine.json "$faults"
	works r45 latest --authfile mine.json
	login mine.json "$faults" user wrong
	works r45 latest --authfile mine.json --username user --password-stdin <<<se:cret
}

@test "R45 a broken file is an error that names it; one that is missing is none" {
	mkdir .docker
	echo '{"auths":' >.docker/config.json
	fails 1 "occy-pull: $PWD/.docker/config.json: not valid JSON" r45 latest
	echo '[]' >.docker/config.json
	fails 1 "occy-pull: $PWD/.docker/config.json: not a JSON object" r45 latest
	fails 9 'occy-pull: nowhere.json: No such file or directory' open latest --authfile nowhere.json
	rm .docker/config.json
	works open latest
}

@test "R45 a password comes from stdin or the environment, never from an argument" {
	run -2 --separate-stderr pull r45 latest --username user:se:cret
	same "${stderr_lines[0]}" 'occy-pull: --username and --password-stdin go together'
	run -2 --separate-stderr pull r45 latest --username user --password=se:cret
	same "${stderr_lines[0]}" 'occy-pull: option --password takes no argument'
	OCCYSTRAP_USERNAME=user run -2 --separate-stderr pull r45 latest
	same "$stderr" 'occy-pull: OCCYSTRAP_USERNAME is set without OCCYSTRAP_PASSWORD'
	run -2 --separate-stderr pull r45 latest --username user --password-stdin </dev/null
	same "$stderr" 'occy-pull: stdin: no password came'
}

@test "R46 within a file the longest key that fits wins, URLs come last" {
	right=$(printf user:se:cret | base64)
	wrong=$(printf user:wrong | base64)
	mkdir .docker
	lines '{"auths":{' \
		"\"$faults/lab/r46\":{\"auth\":\"$right\"}," \
		"\"$faults/lab\":{\"auth\":\"$wrong\"},\"$faults\":{\"auth\":\"$wrong\"}}}" >.docker/config.json
	works lab/r46 latest
	lines "{\"auths\":{\"$faults\":{\"auth\":\"$wrong\"},\"$faults/lab\":{\"auth\":\"$right\"}," \
		"\"$faults/la\":{\"auth\":\"$wrong\"},\"$faults/lab/r4\":{\"auth\":\"$wrong\"}}}" >.docker/config.json
	works lab/r46 latest
	lines "{\"auths\":{\"http://$faults/v1/\":{\"auth\":\"$wrong\"},\"$faults\":{\"auth\":\"$right\"}}}" >.docker/config.json
	works lab/r46 latest
	lines "{\"auths\":{\"https://$faults/v1/\":{\"auth\":\"$right\"}}}" >.docker/config.json
	works lab/r46 latest
}

@test "R46 an entry with content comes before credsStore; an empty one is none" {
	right=$(printf user:se:cret | base64)
	mkdir .docker
	lines "{\"auths\":{\"$faults\":{\"auth\":\"$right\"}},\"credsStore\":\"none-such\"}" >.docker/config.json
	works lab/r46 latest
	lines "{\"auths\":{\"$faults/lab\":{},\"$faults\":{\"auth\":\"$right\"}}}" >.docker/config.json
	works lab/r46 latest
}

@test "R47 docker.io's logins, under each of its names" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj /CN=hub -keyout key -out pem \
		-addext subjectAltName=DNS:registry-1.docker.io 2>/dev/null
	own_faults --cert pem --key key --auth basic
	hub_log=$faults_log
	hub_pid=$own_pid
	own_faults --tunnel "${faults#*:}"
	export https_proxy=http://$faults SSL_CERT_FILE=$PWD/pem
	for key in https://index.docker.io/v1/ index.docker.io docker.io registry-1.docker.io; do
		login .docker/config.json "$key" user secret
		run -0 --separate-stderr occy-pull --store store -q docker.io busybox latest
	done
	login .docker/config.json hub.docker.io user secret
	run -5 --separate-stderr occy-pull --store store -q docker.io busybox latest
	same "$stderr" 'occy-pull: docker.io/library/busybox:latest: manifest: login needed: no user and password are known for this registry'
	stop_process "$hub_pid"
	same "$(jq -r 'select(.kind == "manifest") | "\(.path) \(.host)"' "$hub_log" | sort -u)" \
		'/v2/library/busybox/manifests/latest registry-1.docker.io'
}

@test "R48 auth is cut at its first colon, and NULs at its end go" {
	mkdir .docker
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$faults" \
		"$(printf 'user:se:cret\0\0' | base64)" >.docker/config.json
	works r48 latest
	printf '{"auths":{"%s":{"username":"user","password":"se:cret"}}}' "$faults" >.docker/config.json
	works r48 latest
	printf '{"auths":{"%s":{}}}' "$faults" >.docker/config.json
	fails 5 'occy-pull: HOST/r48:latest: manifest: login needed: no user and password are known for this registry' r48 latest
}

@test "R48 a bad value names file and key, never the content" {
	mkdir .docker
	for value in '"c2VjcmV0"' '"=geheim="' 7 '"OnNlY3JldA=="'; do
		printf '{"auths":{"%s":{"auth":%s}}}' "$faults" "$value" >.docker/config.json
		run -1 --separate-stderr pull r48 latest
		[[ $(plain "$stderr") == "occy-pull: $PWD/.docker/config.json: \"HOST\": auth is no"* ]]
		[ "${#stderr_lines[@]}" = 1 ]
		broken_stream
	done
	run -1 grep -F geheim <<<"$stderr"
}
