#!/usr/bin/env bats
# occy-pull through proxies: which one, what it gets to see, and what is said
# when it leads nowhere.
load helpers/pull
load helpers/tls

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	lines 'image latest' layer 'fill a 12000' layer 'file b two' | make_layout "$(layout)"
	make_certificate ca 'IP:127.0.0.1,IP:::1,DNS:localhost,DNS:registry.example'
	start_faults "$(layout)" --cert ca.pem --key ca.key --auth basic
	export secure=$faults secure_log=$faults_log secure_pid=$faults_pid
	start_faults "$(layout)" --tunnel "${secure#*:}" --auth basic
	export open=$faults open_log=$faults_log open_pid=$faults_pid
	start_faults "$(layout)" --tunnel "${secure#*:}" --proxy-login me:geheim
	export closed=$faults closed_log=$faults_log closed_pid=$faults_pid
	start_faults "$(layout)" --fault status:code=403,method=CONNECT,kind=any,path=:4 \
		--fault status:code=502,method=CONNECT,kind=any,path=:5
	export narrow=$faults narrow_log=$faults_log narrow_pid=$faults_pid
}

teardown_file() {
	stop_process "$secure_pid"
	stop_process "$open_pid"
	stop_process "$closed_pid"
	stop_process "$narrow_pid"
}

setup() {
	begin
	faults=$secure
	faults_log=$secure_log
	export SSL_CERT_FILE=$BATS_FILE_TMPDIR/ca.pem
	export OCCYSTRAP_USERNAME=user OCCYSTRAP_PASSWORD=secret
	: >"$open_log"
	: >"$closed_log"
	: >"$narrow_log"
}

# led LOG: what a proxy was asked to lead to, or to fetch, each once.
led() {
	jq -r 'select(.method == "CONNECT" or (.note // "" | startswith("as a proxy"))) |
		"\(.method) \(if .method == "CONNECT" then .path else .note[15:] end)"' "$1" | sort -u
}

# told LOG: the headers that a proxy got to see, each once.
told() {
	jq -r '.headers // [] | .[]' "$1" | sort -u | paste -sd ' '
}

# fetches [VARIABLE=VALUE]... -- HOST [OPTION]...: into an empty store.
fetches() {
	local variables=()
	while [[ $1 != -- ]]; do
		variables+=("$1")
		shift
	done
	rm -rf store
	run -0 --separate-stderr env "${variables[@]}" \
		occy-pull --store store -q --retry-wait 0.001 "${@:3}" -- "$2" a/b latest
	same "$stderr" ''
	whole_stream
	right_store store
}

# says TEXT HOST [VARIABLE=VALUE]... [-- OPTION...]: status 7, that text, and
# not the proxy's password.
says() {
	local variables=() text=$1 host=$2
	shift 2
	while (($#)) && [[ $1 != -- ]]; do
		variables+=("$1")
		shift
	done
	run -7 --separate-stderr env "${variables[@]}" \
		occy-pull --store none -q --retry-wait 0.001 "${@:2}" -- "$host" a/b latest
	same "$stderr" "occy-pull: $host/a/b:latest: manifest: $text"
	[[ $stderr != *geheim* ]]
	broken_stream
}

@test "R14 https goes through the proxy of https_proxy, and the proxy sees nothing of it" {
	fetches "https_proxy=http://$open" -- registry.example
	same "$(led "$open_log")" 'CONNECT registry.example:443'
	same "$(told "$open_log")" 'Host Proxy-Connection User-Agent'
	fetches "HTTPS_PROXY=$open/" -- registry.example:5000
	same "$(led "$open_log")" $'CONNECT registry.example:443\nCONNECT registry.example:5000'
	same "$(jq -r 'select(.kind == "manifest").host' "$secure_log" | sort -u)" \
		$'registry.example\nregistry.example:5000'
}

@test "R14 plain http goes through http_proxy, in lower case only" {
	fetches "http_proxy=http://$open" "https_proxy=http://$narrow" -- registry.example:4000 --insecure
	same "$(led "$open_log")" 'GET registry.example:4000'
	says 'Could not resolve host: registry.invalid (3 tries)' registry.invalid:5000 \
		"HTTP_PROXY=http://$open" -- --insecure
}

@test "R14 all_proxy is for what no other is for" {
	fetches "all_proxy=http://$open" -- registry.example
	fetches "ALL_PROXY=http://$open" -- registry.example
	fetches "all_proxy=http://$narrow" "https_proxy=http://$open" -- registry.example
	same "$(led "$narrow_log")" ''
}

@test "R14 no_proxy: names and what is below them, addresses, networks, everything" {
	for list in 127.0.0.1 127.0.0.0/8 '10.0.0.0/8, 127.0.0.1,' '*' \
		'x 127.0.0.1' 126.0.0.0/7; do
		fetches "https_proxy=http://$narrow" "no_proxy=$list" -- "$secure"
	done
	for list in localhost .localhost LOCALHOST. 'a.b,localhost'; do
		fetches "https_proxy=http://$narrow" "NO_PROXY=$list" -- "localhost:${secure#*:}"
	done
	same "$(led "$narrow_log")" ''
	for list in host 0.0.1 127.0.0.2 127.0.0.0/33 127.0.0.0/x / ',' calhost '127.0.0.1:80' '*,x' ::/0; do
		fetches "https_proxy=http://$open" "no_proxy=$list" -- "$secure"
		fetches "https_proxy=http://$open" "no_proxy=$list" -- "localhost:${secure#*:}"
		same "$(led "$open_log")" "$(lines "CONNECT $secure" "CONNECT localhost:${secure#*:}")"
		: >"$open_log"
	done
	fetches "https_proxy=http://$open" no_proxy=nothing NO_PROXY=registry.example -- registry.example
}

@test "R14 this machine's own hosts go through the proxy as others do" {
	fetches "https_proxy=http://$open" -- "$secure"
	same "$(led "$open_log")" "CONNECT $secure"
}

@test "R14 --proxy comes before the environment, but not before no_proxy" {
	fetches "https_proxy=http://$narrow" "http_proxy=http://$narrow" -- \
		registry.example --proxy "http://$open"
	same "$(led "$open_log")" 'CONNECT registry.example:443'
	same "$(led "$narrow_log")" ''
	fetches no_proxy=127.0.0.1 -- "$secure" --proxy "http://$narrow"
	same "$(led "$narrow_log")" ''
}

@test "R14 what is no proxy's URL is a usage error that does not repeat it" {
	for url in '' ftp://h gopher://me:geheim@h http:// http://me:geheim@ http://h:99999 \
		http://h/path http://h?geheim 'http://h h' socks://h:1080; do
		run -2 --separate-stderr occy-pull --store none --proxy "$url" -- h a latest
		same "${stderr_lines[0]}" 'occy-pull: --proxy: not the URL of a proxy (http://HOST:PORT, https://, socks5h://)'
		[[ $stderr != *geheim* ]]
		[ -z "$output" ]
	done
}

@test "R14 a variable that holds no URL is named where it is needed" {
	says 'https_proxy is not the URL of a proxy' registry.example https_proxy=socks://me:geheim@h
	says 'ALL_PROXY is not the URL of a proxy' registry.example 'ALL_PROXY=me:geheim@h h'
	fetches https_proxy=socks://h no_proxy=127.0.0.1 -- "$secure"
	fetches all_proxy=socks://h "https_proxy=$open" -- registry.example
}

@test "R14 a proxy with a login gets that, and the registry's login does not go there" {
	fetches "https_proxy=http://me:geheim@$closed" -- registry.example
	same "$(led "$closed_log")" 'CONNECT registry.example:443'
	same "$(told "$closed_log")" 'Host Proxy-Authorization Proxy-Connection User-Agent'
	run -1 grep -F Proxy-Authorization "$secure_log"
	fetches "https_proxy=me:%67eheim@$closed" -- registry.example
}

@test "R14 a proxy that asks for a login is named, its password never is" {
	says "the proxy http://$closed asks for a login" registry.example "https_proxy=http://$closed"
	says "the proxy http://$closed does not accept the login" registry.example \
		"https_proxy=http://geheim:geheim@$closed"
	says "the proxy http://$closed does not accept the login" registry.example \
		-- --proxy "http://me:x@$closed"
	says "the proxy http://$closed asks for a login" registry.example:4000 \
		"http_proxy=http://$closed" "https_proxy=http://$narrow" -- --insecure
	same "$(led "$closed_log")" "$(lines 'CONNECT registry.example:443')"
}

@test "R14 a proxy that refuses is named, and asked once" {
	says "the proxy http://$narrow does not lead to https://registry.example:443: it answered 403" \
		registry.example "https_proxy=http://me:geheim@$narrow"
	same "$(jq -r .method "$narrow_log")" CONNECT
}

@test "R14 a proxy that cannot reach the registry is asked again" {
	says "the proxy http://$narrow does not lead to https://registry.example:5000: it answered 502 (6 tries)" \
		registry.example:5000 "https_proxy=http://$narrow"
	same "$(jq -r .method "$narrow_log")" "$(times 6 CONNECT)"
}

@test "R14 a proxy that is not there is named" {
	says "cannot connect to the proxy http://127.0.0.1:1: Connection refused (3 tries)" \
		registry.example https_proxy=http://me:geheim@127.0.0.1:1
	says "the proxy http://proxy.invalid:3128: Could not resolve proxy: proxy.invalid (3 tries)" \
		registry.example https_proxy=http://me:geheim@proxy.invalid:3128
	says "cannot connect to the proxy socks5h://127.0.0.1:1: Connection refused (3 tries)" \
		registry.example -- --proxy socks5h://me:geheim@127.0.0.1:1
}

@test "R14 a proxy behind TLS: its certificate is checked, also with --no-tls-verify" {
	own_faults --cert "$BATS_FILE_TMPDIR/ca.pem" --key "$BATS_FILE_TMPDIR/ca.key" \
		--tunnel "${secure#*:}" --proxy-login me:geheim
	proxy=$faults
	fetches "https_proxy=https://me:geheim@$proxy" -- registry.example
	same "$(led "$faults_log")" 'CONNECT registry.example:443'
	unset SSL_CERT_FILE
	run -7 --separate-stderr occy-pull --store none -q --no-tls-verify \
		--proxy "https://me:geheim@$proxy" -- registry.example a/b latest
	[[ ${stderr_lines[1]} == "occy-pull: registry.example/a/b:latest: manifest: the proxy https://$proxy: certificate not accepted: "*[^d]" names the CAs that are trusted)" ]]
	same "${#stderr_lines[@]}" 2
}

@test "R14 what a proxy says before the registry's answer is not the registry's" {
	# Its 200 to CONNECT has headers of its own.
	python3 -B - "$secure" >port 3>&- <<-'END' &
		import select, socket, sys
		host, port = sys.argv[1].split(":")
		with socket.create_server(("127.0.0.1", 0)) as listener:
		    listener.settimeout(20)
		    print(listener.getsockname()[1], flush=True)
		    while True:
		        try:
		            here = listener.accept()[0]
		        except TimeoutError:
		            break
		        head = b""
		        while b"\r\n\r\n" not in head:
		            head += here.recv(4096)
		        if b"CONNECT" not in head:
		            break
		        here.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
		                     b"Docker-Content-Digest: sha256:00\r\nRetry-After: 7\r\n"
		                     b"WWW-Authenticate: Negotiate\r\nLocation: /else\r\n\r\n")
		        there = socket.create_connection((host, int(port)))
		        ends = {here: there, there: here}
		        try:
		            while ends:
		                for end in select.select(list(ends), [], [])[0]:
		                    data = end.recv(65536)
		                    if not data:
		                        ends = {}
		                        break
		                    ends[end].sendall(data)
		        except OSError:
		            pass
		        here.close()
		        there.close()
	END
	pid=$!
	port=$(wait_for_port port 's/^\([0-9]*\)$/\1/p' "$pid")
	fetches "https_proxy=http://127.0.0.1:$port" -- registry.example -j 1
	run -52 curl -s "http://127.0.0.1:$port/"
	wait "$pid"
}

@test "R14 socks5h: the proxy finds the registry's address" {
	python3 -B - "${secure#*:}" >port 2>said 3>&- <<-'END' &
		import select, socket, sys
		with socket.create_server(("127.0.0.1", 0)) as listener:
		    listener.settimeout(20)
		    print(listener.getsockname()[1], flush=True)
		    here = listener.accept()[0]
		    here.recv(262)
		    here.sendall(b"\x05\x00")
		    ask = here.recv(262)
		    print(ask[3], ask[5:5 + ask[4]].decode(), file=sys.stderr)
		    there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    here.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
		    ends = {here: there, there: here}
		    try:
		        while True:
		            for end in select.select(list(ends), [], [])[0]:
		                data = end.recv(65536)
		                if not data:
		                    sys.exit()
		                ends[end].sendall(data)
		    except OSError:
		        pass
	END
	pid=$!
	port=$(wait_for_port port 's/^\([0-9]*\)$/\1/p' "$pid")
	fetches -- registry.example --proxy "socks5h://127.0.0.1:$port" -j 1
	wait "$pid"
	same "$(cat said)" '3 registry.example'
}
