#!/usr/bin/env bats
# occy-pull and certificates: whom it trusts, and what it shows to whom.
load helpers/pull
load helpers/tls

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	lines 'image latest' layer 'fill a 12000' layer 'file b two' | make_layout "$(layout)"
	make_certificate ca
	make_certificate other
	make_signed server ca
	make_certificate users
	make_signed client users DNS:client
	make_signed second users DNS:second
	start_faults "$(layout)" --cert server.pem --key server.key \
		--fault redirect:to=cdn,path=/r12-far --fault access:auth=anon,path=r12-token[/%]
	export plain=$faults plain_log=$faults_log plain_pid=$faults_pid
	start_faults "$(layout)" --cert server.pem --key server.key --client-ca users.pem \
		--fault redirect:to=cdn,path=/r12-far
	export mutual=$faults mutual_log=$faults_log mutual_pid=$faults_pid
}

teardown_file() {
	stop_process "$plain_pid"
	stop_process "$mutual_pid"
}

setup() {
	begin
	files=$BATS_FILE_TMPDIR
	faults=$plain
	faults_log=$plain_log
}

# over_mutual: the registry is the one that asks for a certificate.
over_mutual() {
	faults=$mutual
	faults_log=$mutual_log
}

# refuses STATUS TEXT REPOSITORY: before anything is asked; FOLDER in TEXT is
# the registry's folder of certificates.
refuses() {
	run "-$1" --separate-stderr pull "$3" latest
	same "${stderr//"$folder"/FOLDER}" "occy-pull: $2"
	broken_stream
	never_asked "$3"
}

# second_port LOG: where the registry's blobs are redirected to.
second_port() {
	sed -n '2s/.*"cdn_port": *\([0-9]*\).*/\1/p' "${1%/log}/port"
}

all="$(lines 'manifest 200' 'blob 200' 'blob 200' 'blob 200')"

@test "R12 the registry's folder holds CAs, by any name that ends in .crt" {
	folder=$(certs_folder "$faults")
	run -7 --separate-stderr pull r12-none latest
	cp "$files/ca.pem" "$folder/ca.pem"
	run -7 --separate-stderr pull r12-none latest
	[[ $stderr == *": certificate not accepted: "* ]]
	never_asked r12-none
	mv "$folder/ca.pem" "$folder/any name.crt"
	works r12 latest
	was_asked r12 "$all"
}

@test "R12 several CAs in a file, in several files, behind links" {
	folder=$(certs_folder "$faults")
	cat "$files/other.pem" "$files/ca.pem" >"$folder/both.crt"
	works r12-both latest
	cp "$files/other.pem" "$folder/both.crt"
	ln -s "$files/ca.pem" "$folder/ca.crt"
	works r12-two latest
}

@test "R12 a server's own certificate may stand for a CA" {
	folder=$(certs_folder "$faults")
	cp "$files/server.pem" "$folder/server.crt"
	works r12-self latest
}

@test "R12 a folder is for the host that is typed, with the port that is typed" {
	for name in 127.0.0.1 "localhost:${faults#*:}" "127.0.0.1:${faults#*:}0"; do
		folder=$(certs_folder "$name")
		cp "$files/ca.pem" "$folder/ca.crt"
		cp "$files/client.pem" "$folder/other.cert"
	done
	run -7 --separate-stderr pull r12-typed latest
	[[ $stderr == *": certificate not accepted: "* ]]
	never_asked r12-typed
	rm "$HOME/.config/containers/certs.d/localhost:${faults#*:}/other.cert"
	faults=localhost:${faults#*:} works r12-typed latest
}

@test "R12 docker.io's folder is docker.io" {
	folder=$(certs_folder docker.io)
	touch "$folder/x.cert"
	certs_folder registry-1.docker.io
	touch "$HOME/.config/containers/certs.d/registry-1.docker.io/y.cert"
	run -1 --separate-stderr occy-pull --store store -q docker.io busybox latest
	same "$stderr" "occy-pull: $folder/x.cert: its key x.key is missing (a CA is named .crt)"
}

@test "R12 the first folder that exists: the user's, containers', docker's" {
	[ "$(id -u)" = 0 ] || skip 'only root can put another /etc in its place'
	instead() {
		unshare -m sh -c 'mount --bind "$0" /etc && exec "$@"' "$@"
	}
	mkdir -p "etc/containers/certs.d/$faults" "etc/docker/certs.d/$faults"
	cp "$files/ca.pem" "etc/docker/certs.d/$faults/ca.crt"
	run -7 --separate-stderr instead etc occy-pull --store a -q "$faults" r12-docker latest
	rmdir "etc/containers/certs.d/$faults"
	run -0 --separate-stderr instead etc occy-pull --store a -q "$faults" r12-docker latest
	mkdir "etc/containers/certs.d/$faults"
	cp "$files/ca.pem" "etc/containers/certs.d/$faults/ca.crt"
	rm "etc/docker/certs.d/$faults/ca.crt"
	run -0 --separate-stderr instead etc occy-pull --store b -q "$faults" r12-containers latest
	certs_folder "$faults"
	run -7 --separate-stderr instead etc occy-pull --store c -q "$faults" r12-user latest
}

@test "R12 a client shows the certificate of its folder" {
	over_mutual
	folder=$(certs_folder "$faults")
	cp "$files/ca.pem" "$folder/ca.crt"
	run -7 --separate-stderr pull r12-stranger latest
	[[ $stderr == "occy-pull: $faults/r12-stranger:latest: manifest: "*' (6 tries)' ]]
	never_asked r12-stranger
	cp "$files/client.pem" "$folder/client.cert"
	cp "$files/client.key" "$folder/client.key"
	works r12-client latest
	was_asked r12-client "$all"
}

@test "R12 of several certificates the first by name is shown, and the others are named" {
	over_mutual
	folder=$(certs_folder "$faults")
	cp "$files/ca.pem" "$folder/ca.crt"
	for name in client other; do
		cp "$files/$name.pem" "$folder/$name.cert"
		cp "$files/$name.key" "$folder/$name.key"
	done
	run -0 --separate-stderr pull r12-several latest
	same "$stderr" "occy-pull: warning: $folder/other.cert: not used, there is $folder/client.cert"
}

@test "R12 half a pair names both files" {
	folder=$(certs_folder "$faults")
	cp "$files/ca.pem" "$folder/ca.crt"
	cp "$files/client.pem" "$folder/client.cert"
	refuses 1 'FOLDER/client.cert: its key client.key is missing (a CA is named .crt)' r12-half
	mv "$folder/client.cert" "$folder/client.key"
	refuses 1 'FOLDER/client.key: its certificate client.cert is missing' r12-half
}

@test "R12 a file that cannot be read or holds nothing of use is named" {
	folder=$(certs_folder "$faults")
	ln -s nowhere "$folder/a.crt"
	refuses 9 'FOLDER/a.crt: No such file or directory' r12-bad
	rm "$folder/a.crt"
	mkdir "$folder/a.crt"
	refuses 9 'FOLDER/a.crt: Is a directory' r12-bad
	rmdir "$folder/a.crt"
	: >"$folder/a.crt"
	refuses 1 'FOLDER/a.crt: holds no certificate in PEM' r12-bad
	cp "$files/ca.key" "$folder/a.crt"
	refuses 1 'FOLDER/a.crt: holds no certificate in PEM' r12-bad
	{ cat "$files/ca.pem" && sed 's/MII/AAA/' "$files/other.pem"; } >"$folder/a.crt"
	refuses 1 'FOLDER/a.crt: holds a broken certificate' r12-bad
	head -c 9000000 /dev/zero >"$folder/a.crt"
	refuses 8 'FOLDER/a.crt: larger than 8388608 bytes' r12-bad
}

@test "R12 a pair that is none is named" {
	folder=$(certs_folder "$faults")
	cp "$files/client.pem" "$folder/a.cert"
	cp "$files/second.key" "$folder/a.key"
	refuses 1 'FOLDER/a.key: is not the key of FOLDER/a.cert' r12-pair
	cp "$files/client.pem" "$folder/a.key"
	refuses 1 'FOLDER/a.key: holds no private key in PEM' r12-pair
	cp "$files/client.key" "$folder/a.key"
	cp "$files/client.key" "$folder/a.cert"
	refuses 1 'FOLDER/a.cert: holds no certificate in PEM' r12-pair
}

@test "R12 nobody is asked for a key's passphrase" {
	folder=$(certs_folder "$faults")
	cp "$files/client.pem" "$folder/a.cert"
	openssl ec -in "$files/client.key" -aes128 -passout pass:geheim -out "$folder/a.key" 2>/dev/null
	run -1 --separate-stderr timeout 10 script -qec \
		"occy-pull --store store -q -- $faults r12-locked latest" /dev/null </dev/null
	[[ $output == *"$folder/a.key: the key needs a passphrase, which is not supported"* ]]
	[[ $output != *'pass phrase'* ]]
	never_asked r12-locked
}

@test "R12 a folder that is closed to the user is passed over" {
	[ "$(id -u)" = 0 ] || skip 'only root can become somebody else'
	folder=$(certs_folder "$faults")
	touch "$folder/x.cert"
	chmod 0 "$folder"
	cp "$files/ca.pem" ca.pem
	chmod 755 . "$BATS_FILE_TMPDIR" "${BATS_FILE_TMPDIR%/*}" "${BATS_FILE_TMPDIR%/*/*}"
	mkdir -m 777 open
	run -0 --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups \
		env SSL_CERT_FILE=ca.pem occy-pull --store open/store -q "$faults" r12-closed latest
	same "$stderr" ''
}

@test "R12 the registry's CAs count where it sends us, too" {
	folder=$(certs_folder "$faults")
	cp "$files/ca.pem" "$folder/ca.crt"
	works r12-far latest
	works r12-token latest
}

@test "R12 where the registry sends us, that host's folder counts as well" {
	other=127.0.0.1:$(second_port "$faults_log")
	folder=$(certs_folder "$other")
	cp "$files/ca.pem" "$folder/ca.crt"
	run -7 --separate-stderr pull r12-far latest
	run -0 --separate-stderr pull r12-far latest --no-tls-verify
	same "$(plain "$stderr")" 'occy-pull: warning: the certificate of HOST is not checked'
	whole_stream
	rm -r store
	touch "$folder/x.key"
	run -1 --separate-stderr pull r12-far latest --no-tls-verify
	same "${stderr_lines[1]}" "occy-pull: $folder/x.key: its certificate x.cert is missing"
	broken_stream
}

@test "R12 a client's certificate is for the host of its folder alone" {
	over_mutual
	folder=$(certs_folder "$faults")
	cp "$files/ca.pem" "$folder/ca.crt"
	cp "$files/client.pem" "$folder/client.cert"
	cp "$files/client.key" "$folder/client.key"
	run -7 --separate-stderr pull r12-far latest -j 1
	[[ $stderr == *': config sha256:'*' (6 tries)' || $stderr == *': layer '*' (6 tries)' ]]
	run -1 grep -F '"srv":"cdn"' "$faults_log"
	cp -r "$folder" "$HOME/.config/containers/certs.d/127.0.0.1:$(second_port "$faults_log")"
	works r12-far latest
}

@test "R12 a mirror has a folder of its own, and the registry's is not for it" {
	mirror=$mutual
	cp "$files/ca.pem" "$(certs_folder "$faults")/ca.crt"
	cp "$files/client.pem" "$(certs_folder "$faults")/me.cert"
	cp "$files/client.key" "$(certs_folder "$faults")/me.key"
	run -0 --separate-stderr pull r12-mirror latest --mirror "$mirror" -v
	[[ $stderr == *"certificate not accepted: "* ]]
	was_asked r12-mirror "$all"
	rm -r store
	cp "$(certs_folder "$faults")"/* "$(certs_folder "$mirror")"
	run -0 --separate-stderr pull r12-mirrored latest --mirror "$mirror"
	same "$stderr" ''
	never_asked r12-mirrored
	touch "$(certs_folder "$mirror")/x.key"
	run -1 --separate-stderr pull r12-mirrored latest --mirror "$mirror"
	same "$stderr" "occy-pull: $(certs_folder "$mirror")/x.key: its certificate x.cert is missing"
}

@test "R11 a registry's CAs stand beside those of SSL_CERT_FILE and of the system" {
	folder=$(certs_folder "$faults")
	mkdir system
	cp "$files/ca.pem" system/
	openssl rehash system
	cp "$files/other.pem" "$folder/other.crt"
	SSL_CERT_DIR=$PWD/system works r11-system latest
	SSL_CERT_DIR=$PWD/tmp SSL_CERT_FILE=$files/ca.pem works r11-file latest
	SSL_CERT_DIR=$PWD/tmp run -7 --separate-stderr pull r11-none latest
	never_asked r11-none
}

@test "R11 an SSL_CERT_FILE that is of no use is named before anything is asked" {
	folder=none
	SSL_CERT_FILE=nowhere refuses 9 'nowhere: No such file or directory' r11-bad
	: >empty
	SSL_CERT_FILE=empty refuses 1 'empty: holds no certificate in PEM' r11-bad
	SSL_CERT_FILE='' run -7 --separate-stderr pull r11-bad latest
}

@test "R11 TLS 1.2 at least, also with CAs that are given" {
	python3 -B -W ignore - "$files/server.pem" "$files/server.key" >port 2>said 3>&- <<-'END' &
		import socket, ssl, sys
		tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		tls.load_cert_chain(*sys.argv[1:])
		tls.set_ciphers("ALL:@SECLEVEL=0")
		tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
		with socket.create_server(("127.0.0.1", 0)) as listener:
		    listener.settimeout(20)
		    print(listener.getsockname()[1], flush=True)
		    try:
		        while True:
		            tls.wrap_socket(listener.accept()[0], server_side=True)
		    except ssl.SSLError as error:
		        print(error.reason, file=sys.stderr)
	END
	pid=$!
	port=$(wait_for_port port 's/^\([0-9]*\)$/\1/p' "$pid")
	folder=$(certs_folder "127.0.0.1:$port")
	cp "$files/ca.pem" "$folder/ca.crt"
	run -7 --separate-stderr occy-pull --store store -q --retry-wait 0.001 "127.0.0.1:$port" a latest
	wait "$pid"
	same "$(cat said)" UNSUPPORTED_PROTOCOL
}
