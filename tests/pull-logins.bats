#!/usr/bin/env bats
# occy-pull and logins: in which form they are kept, who is asked for them, and
# where a registry may lead them.
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

teardown() {
	[ -z "$far_pid" ] || stop_process "$far_pid"
	[ -z "$own_pid" ] || stop_process "$own_pid"
	no_leaks
	no_secrets
}

# Nothing that a test here calls secret has reached any output.
no_secrets() {
	run -1 grep -rlaE 'se:cret|c2U6Y3JldA|dXNlcjpzZTpjcmV0|id%2B|id\+|reg\.tok' \
		--include=out --include=err .
	[ -z "$output" ]
}

setup() {
	begin
	far_pid=
	mkdir bin
	PATH=$PWD/bin:$PATH
}

describe() {
	lines 'image latest' layer 'fill a 20000' layer 'file b two'
}

# As in pull-auth.bats.
rules() {
	local name what
	while read -r name what; do
		jq -c --arg path "$name([/%]|\$)" '{fault: "access", path: $path} + .' <<<"$what"
	done <<'END2' | jq -s 'map(if .big then .body = "x" * .big else . end)'
r33 {"auth":"token","token_post":true,"identity_token":"id+/= &x"}
r33-user {"auth":"token","token_post":true,"identity_token":"id+/= &x"}
r33-next {"auth":"token","token_post":true,"identity_token":"id+2","identity_next":"id+3","token_requests":1}
r33-get {"auth":"token"}
r33-400 {"auth":"token"} {"fault":"status","kind":"token","method":"POST","code":400}
r33-401 {"auth":"token"} {"fault":"status","kind":"token","method":"POST","code":401}
r33-405 {"auth":"token"} {"fault":"status","kind":"token","method":"POST","code":405}
r33-403 {"auth":"token"} {"fault":"status","kind":"token","method":"POST","code":403}
r33-503 {"auth":"token","token_post":true,"identity_token":"id+1"} {"fault":"status","kind":"token","method":"POST","code":503,"times":2,"per":"all"}
r33-away {"auth":"token","token_post":true,"identity_token":"id+1","cdn_auth":"anon"} {"fault":"redirect","kind":"token","to":"cdn-token"}
r33-here {"auth":"token","token_post":true,"identity_token":"id+1"} {"fault":"redirect","kind":"token","to":"/token?x=1","times":1}
r33-basic {"auth":"basic"}
r42-big {"auth":"anon"} {"fault":"status","kind":"token","code":200,"big":262145}
r42-most {"auth":"anon"} {"fault":"status","kind":"token","code":200,"big":262144,"type":"text/x-y"}
r42-html {"auth":"anon"} {"fault":"status","kind":"token","code":418,"body":"<p>frt.x","type":"text/html"}
r42-part {"auth":"anon"} {"fault":"status","kind":"token","code":206,"body":"{\"token\":\"frt.x\"}"}
r42-busy {"auth":"anon"} {"fault":"status","kind":"token","code":503,"times":2}
r42-down {"auth":"anon"} {"fault":"status","kind":"token","code":502}
r42-limit {"auth":"anon"} {"fault":"rate_limit","kind":"token","after":0}
r42-close {"auth":"anon"} {"fault":"close","kind":"token","times":2}
r42-away {"auth":"token","cdn_auth":"anon"} {"fault":"redirect","kind":"token","to":"cdn-token"}
r42-here {"auth":"token"} {"fault":"redirect","kind":"token","to":"/token?x=1&scope=repository%3Ar42-here%3Apull","times":1}
r42-loop {"auth":"anon"} {"fault":"redirect","kind":"token","to":"/token?x=1&scope=repository%3Ar42-loop%3Apull"}
r44 {"auth":"token","registry_token":"reg.tok"}
r44-cdn {"auth":"token","registry_token":"reg.tok"} {"fault":"redirect","to":"cdn"}
r44-open {"auth":"none"}
r49 {"auth":"basic"}
r49-token {"auth":"token","token_post":true,"identity_token":"id+/= &x"}
r50 {"auth":"basic"}
r90 {"auth":"token","cdn_auth":"anon"} {"fault":"redirect","to":"cdn","uses":1}
r90-never {"auth":"token","cdn_auth":"anon"} {"fault":"redirect","to":"cdn"} {"fault":"auth401","kind":"cdn"}
r90-realm {"auth":"anon"} {"fault":"redirect","to":"cdn"} {"kind":"cdn","cdn_auth":"anon","challenge":"norealm"}
r90-basic {"auth":"token"} {"fault":"redirect","to":"cdn"} {"kind":"cdn","cdn_auth":"basic"}
r90-cut {"auth":"anon","cdn_auth":"anon"} {"fault":"redirect","to":"cdn","uses":1} {"fault":"truncate","kind":"cdn","at":9000,"min_size":15000,"times":1}
END2
}

# login JSON: the entry for the registry in docker's file.
login() {
	mkdir -p .docker
	printf '{"auths":{"%s":%s}}\n' "$faults" "$1" >.docker/config.json
}

# helper NAME: a credential helper from the lines on stdin.
helper() {
	{ echo '#!/bin/bash' && cat; } >"bin/docker-credential-$1"
	chmod +x "bin/docker-credential-$1"
}

# ask_helper NAME [KEY]: docker's file names it for the registry.
ask_helper() {
	mkdir -p .docker
	printf '{"credHelpers":{"%s":"%s"}}\n' "${2-$faults}" "$1" >.docker/config.json
}

user='"auth":"dXNlcjpzZTpjcmV0"'
nobody='"auth":"dXNlcjo="' # a user without a password
all="$(lines 'manifest 200 bearer' "$(times 3 'blob 200 bearer')")"

@test "R33 an identity token is posted in a form, and nothing else of the login" {
	local form=grant_type=refresh_token'&'refresh_token=%2A'&'service=faultregistry'&'client_id=occy-pull'&'scope=repository%3A
	login '{"identitytoken":"id+/= &x"}'
	works r33 latest
	was_asked r33 "$(lines 'manifest 401 none null' "token 200 none ${form}r33%3Apull" \
		'manifest 200 bearer null' "$(times 3 'blob 200 bearer null')")" '.auth, .form'
	same "$(asked r33 '.method, .path, (.headers | join(","))' | grep token)" \
		'token 200 POST /token Host,User-Agent,Accept,Content-Type,Content-Length'
	login '{'"$nobody"',"identitytoken":"id+/= &x"}'
	works r33-user latest
	was_asked r33-user "$(lines 'manifest 401 none' 'token 200 none' "$all")" .auth
}

@test "R33 the user <token> has an identity token for a password" {
	works r33 latest --username '<token>' --password-stdin <<<'id+/= &x'
	OCCYSTRAP_USERNAME='<token>' OCCYSTRAP_PASSWORD='id+/= &x' works r33 latest
}

@test "R33 an identity token that the service changes is used from then on" {
	login '{"identitytoken":"id+2"}'
	works r33-next latest -j 1
	within 3 test "$(asked r33-next | grep -c '^blob 200$')" = 3
	run -1 grep -F 'token 401' <(asked r33-next)
}

@test "R33 a service without OAuth2: the password goes by GET" {
	login '{'"$user"',"identitytoken":"id+1"}'
	for name in r33-get r33-400 r33-401 r33-405; do
		works "$name" latest
	done
	was_asked r33-get "$(lines 'manifest 401 GET none' 'token 404 POST none' 'token 200 GET basic' \
		'manifest 200 GET bearer' "$(times 3 'blob 200 GET bearer')")" '.method, .auth'
}

@test "R33 without a password, or for another status, that is the end" {
	local where='token from http://HOST/token: HOST answered' good="(is the login's identity token still good?)"
	login '{'"$nobody"',"identitytoken":"id+1"}'
	fails 5 "occy-pull: HOST/r33-get:latest: $where 404 UNKNOWN: no OAuth2 here $good" r33-get latest
	fails 5 "occy-pull: HOST/r33:latest: $where 401 UNAUTHORIZED: incorrect username or password $good" r33 latest
	login '{'"$user"',"identitytoken":"id+1"}'
	fails 5 "occy-pull: HOST/r33-403:latest: $where 403 UNKNOWN: fault $good" r33-403 latest
	same "$(asked r33-403 .method | grep token)" 'token 403 POST'
}

@test "R33 a service that is busy is asked again, in the same form" {
	login '{"identitytoken":"id+1"}'
	works r33-503 latest
	was_asked r33-503 "$(lines 'manifest 401 none' "$(times 2 'token 503 none')" 'token 200 none' "$all")" .auth
}

@test "R33 the form goes again to the same origin, and to no other" {
	login '{"identitytoken":"id+1"}'
	works r33-here latest
	same "$(asked r33-here '.method, .path' | grep token)" \
		"$(lines 'token 307 POST /token' 'token 200 POST /token?x=1')"
	fails 7 'occy-pull: HOST/r33-away:latest: token from http://HOST/token: redirect of a login to another host: http://OTHER/token' \
		r33-away latest
	was_asked r33-away "$(lines 'manifest 401' 'token 307')"
}

@test "R33 an identity token is nothing for a registry that wants a password" {
	login '{"identitytoken":"id+1"}'
	fails 5 'occy-pull: HOST/r33-basic:latest: manifest: login needed: no user and password are known for this registry' \
		r33-basic latest
	was_asked r33-basic 'manifest 401'
}

@test "R42 a token service's answer has at most 256 KiB" {
	local where='token from http://HOST/token'
	fails 5 "occy-pull: HOST/r42-big:latest: $where: the answer is larger than 256 KiB" r42-big latest
	fails 5 "occy-pull: HOST/r42-most:latest: $where: HOST answered 200 (text/x-y), which is no JSON document" r42-most latest
}

@test "R42 what is no JSON is told by status and type alone" {
	fails 5 'occy-pull: HOST/r42-html:latest: token from http://HOST/token: HOST answered 418 (text/html)' r42-html latest
	was_asked r42-html "$(lines 'manifest 401' 'token 418')"
}

@test "R42 a part is no answer of a token service" {
	fails 5 'occy-pull: HOST/r42-part:latest: token from http://HOST/token: HOST answered 206 (text/plain)' r42-part latest
	was_asked r42-part "$(lines 'manifest 401' 'token 206')"
}

@test "R42 a token service that fails is asked again, as a registry is" {
	works r42-busy latest
	was_asked r42-busy "$(lines 'manifest 401' "$(times 2 'token 503')" 'token 200' \
		'manifest 200' "$(times 3 'blob 200')")"
	works r42-close latest
	was_asked r42-close "$(lines 'manifest 401' "$(times 2 'token 0')" 'token 200' \
		'manifest 200' "$(times 3 'blob 200')")"
	fails 7 'occy-pull: HOST/r42-down:latest: token from http://HOST/token: HOST answered 502 UNAVAILABLE: fault (6 tries)' r42-down latest
	fails 6 'occy-pull: HOST/r42-limit:latest: token from http://HOST/token: HOST answered 429 TOOMANYREQUESTS: slow down; Retry-After: 0 (6 tries)' r42-limit latest
	was_asked r42-limit "$(lines 'manifest 401' "$(times 6 'token 429')")"
}

@test "R42 a redirect of a token request takes the password to the same origin only" {
	works r42-away latest --username user --password-stdin <<<se:cret
	was_asked r42-away "$(lines 'manifest 401 reg none' 'token 307 reg basic' 'token 200 cdn none' \
		'manifest 200 reg bearer' "$(times 3 'blob 200 reg bearer')")" '.srv, .auth'
	works r42-here latest --username user --password-stdin <<<se:cret
	was_asked r42-here "$(lines 'manifest 401 none' 'token 307 basic' 'token 200 basic' "$all")" .auth
	fails 7 'occy-pull: HOST/r42-loop:latest: token from http://HOST/token: too many redirects: http://HOST/token' r42-loop latest
}

@test "R44 a registrytoken goes to the registry as it is, once it asks" {
	login '{"registrytoken":"reg.tok"}'
	works r44 latest
	was_asked r44 "$(lines 'manifest 401 none' "$all")" .auth
	login '{'"$user"',"identitytoken":"id+1","registrytoken":"reg.tok"}'
	works r44 latest
	works r44-open latest
	was_asked r44-open "$(lines 'manifest 200 none' "$(times 3 'blob 200 none')")" .auth
}

@test "R44 a registrytoken goes nowhere else" {
	login '{"registrytoken":"reg.tok"}'
	works r44-cdn latest
	was_asked r44-cdn "$(lines 'manifest 401 none' 'manifest 200 bearer' \
		"$(times 3 'blob 307 bearer')" "$(times 3 'cdn 200 none')")" .auth
}

@test "R44 a registrytoken that is refused is the end" {
	login '{'"$user"',"registrytoken":"reg.tok.old"}'
	fails 5 "occy-pull: HOST/r44:other: manifest: not found or not authorised: HOST answered 401 UNAUTHORIZED: authentication required (is the login's registrytoken still good?)" \
		r44 other
	same "$(asked r44 '.path, .auth' | grep other)" \
		"$(lines 'manifest 401 /v2/r44/manifests/other none' 'manifest 401 /v2/r44/manifests/other bearer')"
}

@test "R49 a helper is asked for the registry's login" {
	helper it <<-'END'
		printf '%s|' "$@" >asked
		cat >>asked
		echo '{"ServerURL":"x","Username":"user","Secret":"se:cret"}'
	END
	ask_helper it
	works r49 latest
	same "$(cat asked)" "get|$faults"
	ask_helper it "https://$faults"
	works r49 latest
	same "$(cat asked)" "get|https://$faults"
	echo '{"credsStore":"it"}' >.docker/config.json
	works r49 latest
	same "$(cat asked)" "get|$faults"
}

@test "R49 a helper is asked for docker.io by docker's own name for it" {
	helper it <<-'END'
		cat >asked
		echo 'no more' && exit 3
	END
	mkdir .docker
	echo '{"credHelpers":{"docker.io":"it"}}' >.docker/config.json
	run -1 --separate-stderr occy-pull --store store -q docker.io busybox latest
	same "$stderr" 'occy-pull: docker-credential-it: failed with status 3: no more'
	same "$(cat asked)" https://index.docker.io/v1/
}

@test "R49 the user <token> of a helper has an identity token" {
	helper it <<<'echo "{\"Username\":\"<token>\",\"Secret\":\"id+/= &x\"}"'
	ask_helper it
	works r49-token latest
	was_asked r49-token "$(lines 'manifest 401 none' 'token 200 none' "$all")" .auth
}

@test "R49 a helper that knows no login is passed over, and named where one is needed" {
	helper it <<<'echo "credentials not found in native keychain"; exit 1'
	ask_helper it
	works r44-open latest
	fails 5 'occy-pull: HOST/r49:latest: manifest: login needed: no user and password are known for this registry (docker-credential-it knows no login for it)' \
		r49 latest
	fails 5 'occy-pull: HOST/r44:none: token from http://HOST/token: HOST answered 401 UNAUTHORIZED: authentication required (docker-credential-it knows no login for it)' \
		r44 none
	helper it <<<'echo "{\"ServerURL\":\"\",\"Username\":\"\",\"Secret\":\"\"}"'
	works r44-open latest
	login "{$user}"
	jq -c --arg host "$faults" '.credHelpers[$host] = "it"' .docker/config.json >config
	mv config .docker/config.json
	works r49 latest
}

@test "R49 a helper that fails is named, with its status and its first line" {
	ask_helper it
	helper it <<<'printf "the \033[2Jkeychain is locked\nse:cret\n"; exit 2'
	fails 1 'occy-pull: docker-credential-it: failed with status 2: the \x1b[2Jkeychain is locked' r44-open latest
	helper it <<<'exit 7'
	fails 1 'occy-pull: docker-credential-it: failed with status 7' r44-open latest
	helper it <<<'kill -KILL $$'
	fails 1 'occy-pull: docker-credential-it: was killed by signal 9' r44-open latest
	rm bin/docker-credential-it
	fails 1 'occy-pull: docker-credential-it: no such program in PATH, but a file with logins names it' r44-open latest
}

@test "R49 nothing is told of an answer that is no login" {
	ask_helper it
	for answer in 'se:cret' '["se:cret"]' '{"Username":["se:cret"],"Secret":""}' '{"Secret":7,"Username":"se:cret"}'; do
		printf 'cat <<-X\n%s\nX\n' "$answer" | helper it
		fails 1 'occy-pull: docker-credential-it: its answer is no login' r44-open latest
	done
	for answer in '{"Username":"se:cret","Secret":""}' '{"Secret":"se:cret"}'; do
		printf 'cat <<-X\n%s\nX\n' "$answer" | helper it
		fails 1 'occy-pull: docker-credential-it: its answer is half a login' r44-open latest
	done
	helper it <<<'head -c 65537 /dev/zero'
	fails 1 'occy-pull: docker-credential-it: its answer is larger than 65536 bytes' r44-open latest
	helper it <<<'yes'
	fails 1 'occy-pull: docker-credential-it: its answer is larger than 65536 bytes' r44-open latest
}

@test "R49 a helper has no file of ours, signals as usual, and our stderr" {
	helper it <<-'END'
		cat >/dev/null
		ls /proc/self/fd >fds
		(kill -PIPE $BASHPID)
		echo "pipe $?" >signals
		grep SigBlk /proc/self/status >>signals
		echo 'touch the key' >&2
		echo '{"Username":"user","Secret":"se:cret"}'
	END
	ask_helper it
	run -0 --separate-stderr pull r49 latest
	same "$stderr" 'touch the key'
	whole_stream
	# The fourth is the folder that ls reads.
	same "$(cat fds)" "$(lines 0 1 2 3)"
	same "$(cat signals)" $'pipe 141\nSigBlk:\t0000000000000000'
}

@test "R49 a helper ends when we do" {
	helper it <<-'END'
		sleep 60 &
		echo $$ $! >pids
		wait
	END
	ask_helper it
	for signal in TERM HUP; do
		rm -f pids
		occy-pull --store store -q "$faults" r49 latest >out 2>err 3>&- &
		pid=$!
		within 5 test -s pids
		kill "-$signal" "$pid"
		code=0
		wait "$pid" || code=$?
		same "$code" "$((128 + $(kill -l "$signal")))"
		read -r -a helpers <pids
		for helper in "${helpers[@]}"; do
			within 3 gone "$helper"
		done
		same "$(cat err)" ''
	done
}

@test "R50 DOCKER_AUTH_CONFIG stands before the files" {
	right=$(printf user:se:cret | base64)
	export DOCKER_AUTH_CONFIG="{\"auths\":{\"$faults\":{\"auth\":\"$right\"}}}"
	works r50 latest
	login '{"auth":"dXNlcjp3cm9uZw=="}'
	works r50 latest
	DOCKER_AUTH_CONFIG="{\"auths\":{\"elsewhere.example\":{\"auth\":\"$right\"}}}" run -5 pull r50 other
	DOCKER_AUTH_CONFIG="{\"credsStore\":\"none-such\"}" run -5 pull r50 other
	login "{$user}"
	DOCKER_AUTH_CONFIG="{\"auths\":{\"$faults\":{\"username\":\"user\",\"password\":\"wrong\"}}}" works r50 latest
	OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=wrong run -5 pull r50 other
}

@test "R50 a broken DOCKER_AUTH_CONFIG is an error that names it, never its content" {
	DOCKER_AUTH_CONFIG='{"auths":"se:cret' fails 1 'occy-pull: DOCKER_AUTH_CONFIG: not valid JSON' r44-open latest
	DOCKER_AUTH_CONFIG="{\"auths\":{\"$faults\":{\"auth\":\"se:cret\"}}}" \
		fails 1 'occy-pull: DOCKER_AUTH_CONFIG: "HOST": auth is not user:password in base64' r44-open latest
}

@test "R90 a redirect's target with a token service of its own gives an anonymous one" {
	works r90 latest --username user --password-stdin <<<se:cret
	was_asked r90 "$(lines 'manifest 401 none' 'token 200 basic' 'manifest 200 bearer' \
		"$(times 3 'blob 307 bearer')" "$(times 3 'cdn 401 none')" "$(times 3 'cdn 200 bearer')")" .auth
	was_asked far%2Fr90 "$(times 3 'token 200 GET none cdn')" '.method, .auth, .srv'
}

@test "R90 going on after a cut, the registry is asked first again" {
	works r90-cut latest -j 1
	same "$(asked r90-cut '.range' | grep -c '^cdn 206 bytes=9000-')" 1
	same "$(asked r90-cut | grep -c '^blob 307')" 4
}

@test "R90 one token for a hop, and then the end" {
	fails_at_a_blob 5 'occy-pull: HOST/r90-never:latest: BLOB: OTHER answered 401 UNAUTHORIZED: authentication required' \
		r90-never latest -j 1 --username user --password-stdin <<<se:cret
	same "$(asked r90-never .path | sed -n 's/^cdn 401 \(.*\)[?].*/\1/p' | sort | uniq -c | awk '$1 > 2')" ''
	within 3 test "$(asked r90-never | grep -c '^cdn 401$')" -ge 2
}

@test "R90 what a target wants otherwise is not given" {
	local said='OTHER answered 401 UNAUTHORIZED: authentication required'
	fails_at_a_blob 5 "occy-pull: HOST/r90-realm:latest: BLOB: $said: the registry's challenge has no usable realm" \
		r90-realm latest -j 1
	fails_at_a_blob 5 "occy-pull: HOST/r90-basic:latest: BLOB: $said: login needed: no user and password are known for this registry" \
		r90-basic latest -j 1 --username user --password-stdin <<<se:cret
	same "$(asked r90-basic .auth | grep cdn)" 'cdn 401 none'
}

# far_registry [OPTION]...: registry.example, behind TLS; what leads there is a
# proxy that takes every host for it, but for 127.0.0.1.
far_registry() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj /CN=far -keyout key -out pem \
		-addext subjectAltName=DNS:registry.example,DNS:auth.example,IP:127.0.0.1 2>/dev/null
	own_faults --cert pem --key key "$@"
	far_pid=$own_pid
	far_log=$faults_log
	far=$faults
	own_faults --tunnel "${far#*:}"
	export https_proxy=http://$faults no_proxy=127.0.0.1 SSL_CERT_FILE=$PWD/pem
	faults=registry.example
	faults_log=$far_log
}

# far_plain [OPTION]...: the same without TLS: the proxy itself is the registry.
far_plain() {
	own_faults "$@"
	export https_proxy=http://$faults http_proxy=http://$faults
	faults=registry.example
}

private='a private address (--allow-private-redirect allows it)'

@test "R29 R91 a public registry's realm is at no private address" {
	far_registry --auth token
	fails 5 "occy-pull: HOST/r91:latest: manifest: the registry wants a token fetched from https://OTHER/token, which is $private" \
		r91 latest --username user --password-stdin <<<secret
	was_asked r91 'manifest 401 none' .auth
	works r91 latest --username user --password-stdin --allow-private-redirect <<<secret
	for host in localhost 2130706433 0x7f.1 '[::ffff:7f00:1]' 10.1.2.3 169.254.169.254 '[fd00::1]' 127.0.0.1.; do
		stop_process "$far_pid"
		stop_process "$own_pid"
		far_registry --auth anon --realm "https://$host:9/token"
		run -5 --separate-stderr pull r91 latest
		[[ "$stderr" == *', which is a private address (--allow-private-redirect allows it)' ]]
	done
}

@test "R29 R91 a public registry's realm may be at another public host" {
	far_registry --auth token --realm https://auth.example/token
	works r91 latest --username user --password-stdin <<<secret
	was_asked r91 "$(lines 'manifest 401 none' 'token 200 basic' "$all")" .auth
}

@test "R91 a public registry leads to no private address" {
	far_registry --redirect-blobs
	fails_at_a_blob 7 "occy-pull: HOST/r91:latest: BLOB: redirect to $private: https://OTHER/blob/sha256/$(
		digest latest config | sed 's/sha256://'
	)" r91 latest -j 1
	run -1 grep -F '"srv":"cdn"' "$faults_log"
	works r91 latest --allow-private-redirect
}

@test "R29 without TLS a login goes to no other host" {
	far_plain --auth token --realm http://auth.example/token
	fails 5 'occy-pull: HOST/r29:latest: manifest: the registry wants a token fetched from http://auth.example/token, which is another host, and a login is not sent there without https' \
		r29 latest --insecure --username user --password-stdin <<<secret
	mkdir .docker
	echo '{"auths":{"registry.example":{"identitytoken":"id+1"}}}' >.docker/config.json
	run -5 pull r29 latest --insecure
	was_asked r29 "$(times 2 'manifest 401 none')" .auth
}

@test "R29 without TLS a login goes to the registry's own host, and anybody anywhere" {
	far_plain --auth token --realm http://registry.example:8080/token
	works r29 latest --insecure --username user --password-stdin <<<secret
	was_asked r29 "$(lines 'manifest 401 none registry.example' 'token 200 basic registry.example:8080' \
		'manifest 200 bearer registry.example' "$(times 3 'blob 200 bearer registry.example')")" '.auth, .host'
	stop_process "$own_pid"
	unset http_proxy https_proxy
	far_plain --auth anon --realm http://auth.example/token
	works r29 latest --insecure
	was_asked r29 "$(lines 'manifest 401 none registry.example' 'token 200 none auth.example' \
		'manifest 200 bearer registry.example' "$(times 3 'blob 200 bearer registry.example')")" '.auth, .host'
	stop_process "$own_pid"
	unset http_proxy https_proxy
	own_faults --auth token --challenge name
	works r29 latest --username user --password-stdin <<<secret
}
