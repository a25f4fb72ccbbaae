#!/usr/bin/env bats
# occy-pull and the way to a registry: schemes, certificates, stalls, headers.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	certificate ca
	certificate other
	start_faults "$(layout)" --cert ca.pem --key ca.key
	export tls=$faults tls_log=$faults_log tls_pid=$faults_pid
	start_faults "$(layout)" \
		--fault stall:at=9,seconds=5,path=/r15-stall/,kind=blob,min_size=3000 \
		--fault stall:at=9,seconds=2,path=/r15-once/,kind=blob,min_size=3000,times=1 \
		--fault drip:bytes=100,every=0.5,path=/r15-drip/,min_size=3000 \
		--fault drip:bytes=2000,every=0.4,path=/r16/,min_size=3000 \
		--fault access:auth=anon,challenge=bare,path=r18[/%] \
		--fault access:auth=anon,kind=ping \
		--fault access:auth=anon,path=r18-403[/%] \
		--fault forbid:path=r18-403[/%],kind=manifest,times=1 \
		--fault access:auth=anon,challenge=query,path=r19[/%] \
		--fault access:auth=none,path=r18-none[/%] \
		--fault forbid:path=r18-none[/%],kind=manifest
}

teardown_file() {
	stop_faults
	stop_process "$tls_pid"
}

describe() {
	lines 'image latest' layer 'fill a 12000' layer 'file b two'
}

# certificate NAME: NAME.pem and NAME.key, for 127.0.0.1 and localhost.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" \
		-addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' 2>/dev/null
}

# over_tls: the registry is the one behind TLS.
over_tls() {
	faults=$tls
	faults_log=$tls_log
}

all="$(lines 'manifest 200' 'blob 200' 'blob 200' 'blob 200')"

@test "R9 https comes first, and does" {
	over_tls
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/ca.pem works r9 latest
	was_asked r9 "$all"
}

@test "R9 a certificate that is not accepted: no second try, no plain http" {
	over_tls
	for option in '' --insecure; do
		# shellcheck disable=SC2086 # none or one
		run -7 --separate-stderr pull r9-bad latest $option
		[[ $(plain "$stderr") == "occy-pull: HOST/r9-bad:latest: manifest: certificate not accepted: "*" (SSL_CERT_FILE=FILE and the registry's folder in certs.d name the CAs that are trusted)" ]]
		[ "${#stderr_lines[@]}" = 1 ]
		broken_stream
	done
	never_asked r9-bad
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/other.pem run -7 --separate-stderr pull r9-bad latest
	[[ $stderr == *": certificate not accepted: "*" (SSL_CERT_FILE=$BATS_FILE_TMPDIR/other.pem and the registry's folder in certs.d name the CAs that are trusted)" ]]
}

@test "R9 the host must be the certificate's" {
	over_tls
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/ca.pem run -7 --separate-stderr \
		occy-pull --store store --retry-wait 0.01 "[::ffff:127.0.0.1]:${tls#*:}" r9-name latest
	[[ $stderr == *": certificate not accepted: "* ]]
}

@test "R9 a host that is not this machine is not asked over plain http" {
	# 0.0.0.0 leads here as well, but is no loopback address by name.
	faults=0.0.0.0:${faults#*:}
	run -7 --separate-stderr pull r9-far latest
	[[ $(plain "$stderr") == 'occy-pull: HOST/r9-far:latest: manifest: '*' (6 tries)' ]]
	[ "${#stderr_lines[@]}" = 1 ]
	never_asked r9-far
}

@test "R10 plain http: by itself for this machine, else with --insecure" {
	works r10 latest
	was_asked r10 "$all"
	faults=localhost:${faults#*:} works r10-name latest
	was_asked r10-name "$all"
	faults=0.0.0.0:${faults#*:} works r10-insecure latest --insecure
	was_asked r10-insecure "$all"
}

@test "R10 --insecure says nothing of certificates; --no-tls-verify says so once" {
	over_tls
	run -7 --separate-stderr pull r10-tls latest --insecure
	run -0 --separate-stderr pull r10-tls latest --no-tls-verify
	same "$(plain "$stderr")" 'occy-pull: warning: the certificate of HOST is not checked'
	whole_stream
	right_store store
	was_asked r10-tls "$all"
}

@test "R10 --no-tls-verify is for the registry alone, not for where it sends us" {
	own_faults --cert "$BATS_FILE_TMPDIR/ca.pem" --key "$BATS_FILE_TMPDIR/ca.key" --redirect-blobs
	run -7 --separate-stderr pull r10-far latest --no-tls-verify
	[[ ${stderr_lines[1]} == *': certificate not accepted: '* ]]
	[ "${#stderr_lines[@]}" = 2 ]
	run -1 grep -F '"srv":"cdn"' "$faults_log"
	rm -r store
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/ca.pem works r10-near latest
}

@test "R11 CAs that are given stand beside the system's" {
	# The system's are played by a folder of hashed certificates.
	over_tls
	mkdir system
	cp "$BATS_FILE_TMPDIR/ca.pem" system/
	openssl rehash system
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/other.pem SSL_CERT_DIR=$PWD/system works r11 latest
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/ca.pem SSL_CERT_DIR=$PWD/tmp works r11-file latest
	SSL_CERT_DIR=$PWD/system works r11-dir latest
}

@test "R11 SSL_CERT_FILE alone adds to the system's folder of CAs" {
	[ "$(id -u)" = 0 ] || skip 'only root can put another folder in its place'
	over_tls
	mkdir system
	cp "$BATS_FILE_TMPDIR/ca.pem" system/
	openssl rehash system
	instead() {
		unshare -m sh -c 'mount --bind "$0" /etc/ssl/certs && exec "$@"' "$@"
	}
	run -0 --separate-stderr instead system occy-pull --store a -q "$tls" r11-system latest
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/other.pem run -0 --separate-stderr instead system \
		occy-pull --store b -q "$tls" r11-both latest
	same "$stderr" ''
	SSL_CERT_FILE=$BATS_FILE_TMPDIR/ca.pem run -0 --separate-stderr instead tmp \
		occy-pull --store c -q "$tls" r11-file latest
}

@test "R15 a connection that stalls is given up, and the rest tried again" {
	SECONDS=0
	works r15-once latest --stall-timeout 1
	((SECONDS < 10))
	was_asked r15-once "$(lines "$all" 'blob 206')"
}

@test "R15 a registry that only stalls is status 7, after as many tries as any failure" {
	local layer
	layer=$(digest latest layer 0)
	run -7 --separate-stderr timeout 60 occy-pull --store store --retry-wait 0.001 \
		--stall-timeout 1 -j 1 "$faults" r15-stall latest
	[[ $stderr == "occy-pull: $faults/r15-stall:latest: layer 0 $layer: "*' (6 tries)' ]]
	[ "${#stderr_lines[@]}" = 1 ]
	broken_stream
	right_store store
}

@test "R15 a trickle is a stall" {
	timeout 10 occy-pull --store store --retry-wait 0.001 --stall-timeout 1 -v \
		"$faults" r15-drip latest >stream 2>said 3>&- &
	pid=$!
	within 8 grep -q 'layer 0 .*; again in' said
	terminate "$pid"
}

@test "R16 a blob that keeps moving is not given up, however long it takes" {
	works r16 latest --stall-timeout 1
	was_asked r16 "$all"
}

@test "R17 every request says who asks, and nothing else" {
	cat >.netrc <<-END
		machine 127.0.0.1 login me password secret
	END
	works r17 latest
	within 3 is_asked r17 "$all"
	version=$(occy-pull --version)
	same "$(asked r17 '.ua' | sort -u)" "$(lines "blob 200 occy-pull/${version##* }" "manifest 200 occy-pull/${version##* }")"
	same "$(asked r17 '.auth, .range, .ae, (.headers | join(","))' | sort -u)" \
		"$(lines 'blob 200 none null null Host,User-Agent,Accept' 'manifest 200 none null null Host,User-Agent,Accept')"
}

@test "R18 no ping where none is needed" {
	works r18-no latest
	was_asked r18-no "$all"
	run -1 grep -F r18-no <(jq -c 'select(.kind == "ping")' "$faults_log")
}

@test "R18 a 401 without a challenge: /v2/ is asked for one" {
	: >"$faults_log"
	works r18 latest
	was_asked r18 "$(lines 'manifest 401' 'token 200' "$all")"
	same "$(jq -r 'select(.kind == "ping").status' "$faults_log")" 401
}

@test "R18 a 403 before any credential was sent: likewise" {
	: >"$faults_log"
	works r18-403 latest
	was_asked r18-403 "$(lines 'manifest 403' 'token 200' "$all")"
	same "$(jq -r 'select(.kind == "ping").status' "$faults_log")" 401
}

@test "R19 the challenge of the request itself comes first, and makes /v2/ unnecessary" {
	: >"$faults_log"
	works r19 latest
	was_asked r19 "$(lines 'manifest 401' 'token 200' "$all")"
	[[ "$(jq -r 'select(.kind == "token").path' "$faults_log")" == '/token?account=none&x=1&service='* ]]
	same "$(jq -r 'select(.kind == "ping").status' "$faults_log")" ''
}

@test "R19 a /v2/ that answers anything else is no error by itself" {
	own_faults --fault forbid:kind=manifest,path=r19-404[/%] --fault status:code=404,kind=ping
	fails 5 'occy-pull: HOST/r19-404:latest: manifest: not found or login needed: HOST answered 403 DENIED: requested access to the resource is denied' \
		r19-404 latest
	was_asked r19-404 "$(times 2 'manifest 403')"
	same "$(jq -r 'select(.kind == "ping").status' "$faults_log")" 404
}
