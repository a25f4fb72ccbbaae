#!/usr/bin/env bats
# occy-pull and the names of images: which host is asked for what, and what is
# no name.
load helpers/pull
load helpers/tls

setup_file() {
	describe | make_layout "$(layout)"
	start_faults "$(layout)"
}

teardown_file() {
	stop_faults
}

describe() {
	lines 'image latest' layer 'file a one' 'image other' layer 'file a other'
}

# misused TEXT ARGUMENT...: status 2, nothing else happens.
misused() {
	run -2 --separate-stderr occy-pull --store none -- "${@:2}"
	same "$stderr" "occy-pull: $1"$'\n'"$(usage)"
	[ -z "$output" ]
	[ ! -e none ]
}

# asks_for ORIGIN NAME ARGUMENT...: the proxy, which refuses, is asked for
# ORIGIN, and the message speaks of NAME.
asks_for() {
	: >"$faults_log"
	https_proxy=http://$faults run -7 --separate-stderr \
		occy-pull --store store --retry-wait 0.001 -- "${@:3}"
	same "$stderr" "occy-pull: $2: manifest: the proxy http://$faults does not lead to https://$1: it answered 405"
	within 3 grep -q CONNECT "$faults_log"
	same "$(jq -r '"\(.method) \(.path)"' "$faults_log" | sort -u)" "CONNECT $1"
}

@test "R1 the registry is the host that is named, with its port" {
	asks_for quay.example:443 quay.example/a/b:1 quay.example a/b 1
	asks_for quay.example:8443 quay.example:8443/a/b:1 quay.example:8443 a/b 1
	asks_for '[2001:db8::1]:5000' '[2001:db8::1]:5000/a:1' '[2001:db8::1]:5000' a 1
	asks_for quay.example:443 quay.example/a:1 Quay.EXAMPLE a 1
}

@test "R1 what is no host name is refused before anything is asked" {
	misused 'REGISTRY is empty' '' a/b latest
	misused 'REGISTRY is a host name, without a scheme: https://h' https://h a/b latest
	misused 'REGISTRY is a host name, without a path: h/a' h/a b latest
	misused 'bad registry name: -h' -h a/b latest
	misused 'bad registry name: h..i' h..i a/b latest
	misused 'bad registry name: h i' 'h i' a/b latest
	misused 'bad port in registry name: h:' h: a/b latest
	misused 'bad port in registry name: h:65536' h:65536 a/b latest
	misused 'an IPv6 address belongs in brackets: ::1' ::1 a/b latest
	misused "a registry's name holds no user and no password" me:secret@h a/b latest
}

@test "R1 a name and its tag are apart" {
	misused 'put the tag in TAG, not in IMAGE: ubuntu:22.04' h ubuntu:22.04 latest
	misused 'put the digest in TAG, not in IMAGE: a@sha256:00' h a@sha256:00 latest
}

@test "R2 docker.io is asked at registry-1.docker.io, and gets library/" {
	for host in docker.io index.docker.io registry-1.docker.io; do
		asks_for registry-1.docker.io:443 docker.io/library/busybox:latest \
			"$host" busybox latest
		asks_for registry-1.docker.io:443 docker.io/me/busybox:1.0 \
			"$host" me/busybox 1.0
	done
}

@test "R2 no other registry gets library/" {
	works busybox latest
	was_asked busybox "$(lines 'manifest 200' 'blob 200' 'blob 200')"
	[[ ${lines[1]} == *'"names":["'"$faults"'/busybox:latest"]'* ]]
}

@test "R3 a tag and a digest: the digest is fetched, and there is no name" {
	local digest
	digest=$(digest other manifest)
	works r3 "latest@$digest"
	was_asked r3 "$(lines "manifest 200 /v2/r3/manifests/$digest" \
		"blob 200 /v2/r3/blobs/$(digest other config)" \
		"blob 200 /v2/r3/blobs/$(digest other layer 0)")" .path
	[[ ${lines[1]} == '{"type":"image","names":[],'*',"tag":"latest","digest":"'"$digest"'",'* ]]
}

@test "R3 a digest alone" {
	works r3-alone "$(digest other manifest)"
	[[ ${lines[1]} == '{"type":"image","names":[],'*'"repository":"r3-alone","digest":'* ]]
	same "$(jq -c '.manifests[].annotations' store/index.json)" null
}

@test "R3 an empty tag is no tag: latest is not guessed" {
	misused 'the tag is empty' h a/b ''
}

@test "R4 names of repositories and tags" {
	for name in a/b/c a.b_c__d-e---f 0 a1/b2; do
		works "$name" latest
	done
	for name in a//b /a a/ a..b a.-b a___b _a -a a- a. 'a b' $'a\nb' a/../b ä; do
		run -2 --separate-stderr pull "$name" latest
		[[ ${stderr_lines[0]} == 'occy-pull: bad repository name: '* ]]
		[ -z "$output" ]
	done
	misused 'the repository name is missing' h '' latest
	misused 'repository name must be lower case: Lab/dev' h Lab/dev latest
	for tag in .a -a a/b 'a b' a:b a+b; do
		run -2 --separate-stderr pull a "$tag"
		[ -z "$output" ]
	done
	misused 'bad tag: .a' h a .a
}

@test "R4 lengths, and a name that looks like an image's id" {
	local id long tag
	id=$(printf 'a%.0s' {1..64})
	misused "64 hexadecimal digits are an image's id, not a name: $id" docker.io "$id" latest
	tag=$(printf 't%.0s' {1..128})
	run -4 --separate-stderr pull a "$tag"
	misused "the tag is longer than 128: ${tag}t" h a "${tag}t"
	long=$(printf 'n%.0s' {1..253})
	asks_for h:443 "h/$long:..." h "$long" latest
	run -2 --separate-stderr occy-pull h "n$long" latest
	[[ ${stderr_lines[0]} == 'occy-pull: registry and repository name are longer than 255: n'* ]]
}

@test "R5 a digest that is none, on the command line" {
	local text='bad digest (sha256: and 64 lower-case digits are wanted)'
	for digest in sha256:abc "sha256:$(printf 'A%.0s' {1..64})" md5:00 sha256: \
		'sha256:../../../etc/passwd' "sha512:$(printf 'a%.0s' {1..64})"; do
		misused "$text: $digest" h a "$digest"
		misused "$text: $digest" h a "latest@$digest"
	done
}

@test "R5 a digest that is none, in a manifest: no request and no file for it" {
	fails 8 'occy-pull: HOST/r5:fr-traverse: manifest: layer 0: bad digest: sha256:../../../../../../etc/passwd' \
		r5 fr-traverse
	local upper
	upper=$(digest latest layer 0)
	fails 8 "occy-pull: HOST/r5:fr-upper: manifest: layer 0: bad digest: sha256:$(tr a-f A-F <<<"${upper#*:}")" \
		r5 fr-upper
	fails 8 "occy-pull: HOST/r5:fr-unkalg: manifest: layer 0: bad digest: whirlpool:$(printf 'ab%.0s' {1..32})" \
		r5 fr-unkalg
	was_asked r5 "$(times 3 'manifest 200')"
	same "$(ls -A store/blobs/sha256)" ''
}

# at_ipv6 [OPTION]...: a registry for this test alone, at [::1].
at_ipv6() {
	own_faults --host ::1 "$@" || return
	faults="[::1]:${faults##*:}"
}

@test "R6 a registry at an IPv6 address: pull, login, messages" {
	at_ipv6 --auth token --user user --password secret --redirect-blobs
	mkdir .docker
	printf '{"auths":{"%s":{"auth":"%s"},"[::1]":{"auth":"!"},"::1":{"auth":"!"}}}' "$faults" \
		"$(printf user:secret | base64)" >.docker/config.json
	works r6 latest
	[[ ${lines[1]} == *'"names":["'"$faults"'/r6:latest"],"image":"r6","registry":"'"$faults"'",'* ]]
	was_asked r6 "$(lines 'manifest 401 none [::1]' 'token 200 basic [::1]' 'manifest 200 bearer [::1]' \
		"$(times 2 'blob 307 bearer [::1]')" "$(times 2 'cdn 200 none [::1]')")" '.auth + " " + .host[:5]'
	run -4 --separate-stderr pull r6 none
	[[ $(plain "$stderr") == 'occy-pull: HOST/r6:none: manifest: not found or not authorised: HOST answered 404 '* ]]
}

@test "R6 a registry at an IPv6 address, with its folder of certificates" {
	make_certificate server
	at_ipv6 --cert server.pem --key server.key
	run -7 --separate-stderr pull r6 latest
	[[ $(plain "$stderr") == 'occy-pull: HOST/r6:latest: manifest: certificate not accepted: '* ]]
	folder=$(certs_folder "$faults")
	cp server.pem "$folder/ca.crt"
	works r6 latest
	touch "$folder/x.key"
	fails 1 "occy-pull: $PWD/.config/containers/certs.d/HOST/x.key: its certificate x.cert is missing" r6 latest
}

@test "R6 an IPv6 address and no_proxy" {
	proxy=$faults
	proxy_log=$faults_log
	at_ipv6
	export http_proxy=http://$proxy https_proxy=http://$proxy
	for list in ::1 '[::1]' 0:0::1 ::/64 'a,::/0'; do
		no_proxy=$list works r6-direct latest
	done
	run -1 grep -F '[::1]' "$proxy_log"
	no_proxy=::2,8000::/1,127.0.0.1 works r6-proxy latest
	never_asked r6-proxy
	same "$(jq -r 'select(.method == "CONNECT").path' "$proxy_log" | tail -n 1)" "$faults"
}

@test "R6 an IPv6 address that is none, or has a zone" {
	for name in '[::1' '[::1]x' '[::1]:' '[::1%lo]' '[fe80::1%25lo]' '[]' '[1.2.3.4]' '[::1]]' '[:::1]'; do
		run -2 --separate-stderr occy-pull --store none -- "$name" a latest
		[[ ${stderr_lines[0]} == 'occy-pull: bad '*"registry name: $name" ]]
		[ -z "$output" ]
	done
}

# tunnelled [OPTION]...: a registry for this test alone, behind TLS and a proxy
# that leads there whatever name is asked for.
tunnelled() {
	make_certificate server DNS:registry.example
	own_faults --cert server.pem --key server.key "$@"
	registry_log=$faults_log
	registry_pid=$own_pid
	own_faults --tunnel "${faults##*:}"
	export https_proxy=http://$faults SSL_CERT_FILE=$PWD/server.pem
	export OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=secret
}

@test "R8 h and h:443 are one origin, h and h:444 are two" {
	local config layer
	config=$(digest latest config)
	layer=$(digest latest layer 0)
	tunnelled --auth basic \
		--fault "redirect:to=https://REGISTRY.example:443/v2/moved/blobs/$config,digest=$config,path=/r8/" \
		--fault "redirect:to=https://registry.example/v2/moved/blobs/$config,digest=$config,path=/r8-port/" \
		--fault "redirect:to=https://registry.example:444/v2/other/blobs/$layer,digest=$layer,path=/r8-other/"
	run -0 --separate-stderr occy-pull --store store -q registry.example r8 latest
	run -0 --separate-stderr occy-pull --store second -q registry.example:443 r8-port latest
	run -5 --separate-stderr occy-pull --store third -q registry.example r8-other latest
	stop_process "$registry_pid"
	same "$(jq -r 'select(.path // "" | test("/moved/")) | "\(.status) \(.auth)"' "$registry_log")" \
		$'200 basic\n200 basic'
	same "$(jq -r 'select(.path // "" | test("/other/")) | "\(.status) \(.auth)"' "$registry_log" | sort -u)" '401 none'
}

@test "R8 a login for h:443 is one for h, and the other way round" {
	tunnelled --auth basic
	unset OCCYSTRAP_USERNAME OCCYSTRAP_PASSWORD
	mkdir .docker
	for pair in 'registry.example registry.example:443' 'registry.example:443 registry.example' \
		'REGISTRY.example registry.EXAMPLE:443'; do
		printf '{"auths":{"%s":{"auth":"%s"}}}' "${pair% *}" \
			"$(printf user:secret | base64)" >.docker/config.json
		run -0 --separate-stderr occy-pull --store "$RANDOM" -q "${pair#* }" r8 latest
	done
	printf '{"auths":{"registry.example:444":{"auth":"%s"}}}' "$(printf user:secret | base64)" >.docker/config.json
	run -5 --separate-stderr occy-pull --store "$RANDOM" -q registry.example r8 latest
	stop_process "$registry_pid"
}

@test "R3 the folder of certificates is for the name that is typed" {
	tunnelled
	unset SSL_CERT_FILE
	folder=$(certs_folder Registry.example:443)
	cp server.pem "$folder/ca.crt"
	run -0 --separate-stderr occy-pull --store a -q Registry.example:443 r3 latest
	run -7 --separate-stderr occy-pull --store b -q registry.example:443 r3 latest
	run -7 --separate-stderr occy-pull --store b -q Registry.example r3 latest
	stop_process "$registry_pid"
}
