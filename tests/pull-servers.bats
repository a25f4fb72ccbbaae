#!/usr/bin/env bats
# occy-pull and servers that others have written: docker-registry with a login
# behind TLS, nginx that asks for a client's certificate or for a token,
# tinyproxy.
load helpers/pull
load helpers/tls
load helpers/servers

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	make_certificate ca
	make_signed server ca
	make_certificate users
	make_signed client users DNS:client
	start_registry
	push_layout "$(layout)" "$registry" lab/test
	start_login_registry "$PWD/server.pem" "$PWD/server.key" user secret
	start_nginx mutual <<-END
		server {
			listen 127.0.0.1:@PORT@ ssl;
			ssl_certificate $PWD/server.pem;
			ssl_certificate_key $PWD/server.key;
			ssl_client_certificate $PWD/users.pem;
			ssl_verify_client on;
			location / {
				proxy_pass http://$registry;
				proxy_set_header Host \$http_host;
				proxy_set_header X-Forwarded-Proto https;
			}
		}
	END
	export mutual=$nginx mutual_pid=$nginx_pid mutual_log=$nginx_log
	token_nginx
	export token=$nginx token_pid=$nginx_pid token_log=$nginx_log
	start_cache "$registry"
	start_nginx front <<-END
		server {
			listen 127.0.0.1:@PORT@;
			location / { proxy_pass http://$registry; }
			location ~ ^/v2/half/(.*)/blobs/ { return 503; }
			location /v2/half/ { proxy_pass http://$registry/v2/; }
		}
	END
	export front=$nginx front_pid=$nginx_pid front_log=$nginx_log
	start_tinyproxy open
	export open=$tinyproxy open_pid=$tinyproxy_pid open_log=$tinyproxy_log
	start_tinyproxy closed 'BasicAuth me geheim' 'ConnectPort 443'
	export closed=$tinyproxy closed_pid=$tinyproxy_pid closed_log=$tinyproxy_log
	start_tinyproxy locked 'BasicAuth me geheim'
	export locked=$tinyproxy locked_pid=$tinyproxy_pid locked_log=$tinyproxy_log
}

# nginx that lets nobody pass without its token, which it gives for a login.
token_nginx() {
	start_nginx token <<-END
		map \$http_authorization \$has_token { default 0; "Bearer lab.token" 1; }
		map \$http_authorization \$has_login {
			default 0; "Basic $(printf user:secret | base64)" 1;
		}
		server {
			listen 127.0.0.1:@PORT@;
			default_type application/json;
			location = /token {
				if (\$has_login = 0) { return 401 '{"details":"wrong login"}'; }
				return 200 '{"token":"lab.token","expires_in":300}';
			}
			location /v2/ {
				error_page 401 = @challenge;
				if (\$has_token = 0) { return 401; }
				proxy_pass http://$registry;
				proxy_set_header Host \$http_host;
				proxy_set_header Authorization "";
			}
			location @challenge {
				add_header WWW-Authenticate 'Bearer realm="http://\$http_host/token",service="lab",scope="repository:lab/test:pull"' always;
				return 401 '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}';
			}
		}
	END
}

teardown_file() {
	for pid in "$front_pid" "$cache_pid" "$mutual_pid" "$token_pid" "$open_pid" "$closed_pid" "$locked_pid" \
		"$login_registry_pid"; do
		stop_process "$pid"
	done
	stop_registry
}

describe() {
	lines 'image latest' layer 'fill a 3000000' layer 'file b two'
}

setup() {
	begin
	# shellcheck disable=SC2034 # of no registry that logs leaks
	faults_log=none
	files=$BATS_FILE_TMPDIR
	faults=$login_registry
	: >"$mutual_log"
	: >"$token_log"
	: >"$front_log"
	: >"$open_log"
	: >"$closed_log"
	: >"$locked_log"
}

# knows_ca HOST: its folder of certificates has the CA.
knows_ca() {
	cp "$files/ca.pem" "$(certs_folder "$1")/ca.crt"
}

# login HOST PASSWORD: where podman keeps it.
login() {
	mkdir -p "$XDG_RUNTIME_DIR/containers"
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$1" \
		"$(printf %s "user:$2" | base64)" >"$XDG_RUNTIME_DIR/containers/auth.json"
}

# The image is fetched, and is what was pushed.
fetched() {
	works lab/test latest
	same "$(jq -r 'select(.type == "image").digest' <<<"$output")" "$(digest latest manifest)"
	same "$(find store/blobs/sha256 -type f | wc -l)" 4
}

# requests LOG: of nginx, each kind once: status, method, login, certificate.
# Over plain http it logs the try with https, too, as one without a method.
requests() {
	awk '$2 != "-" { print $1, $2, $4, $5 }' "$1" | sort -u
}

# no_login LOG: of a proxy, which tells all that it understood of a request.
no_login() {
	[ -s "$1" ]
	run -1 grep -iE 'authorization|basic|bearer|secret|geheim|token' "$1"
}

@test "R12 R46 docker-registry with a login behind TLS, as skopeo sees it" {
	knows_ca "$faults"
	login "$faults" secret
	fetched
	run -0 --separate-stderr skopeo inspect --format '{{.Digest}}' "docker://$faults/lab/test:latest"
	same "$output" "$(digest latest manifest)"
}

@test "R41 docker-registry: a wrong password, and none" {
	knows_ca "$faults"
	login "$faults" wrong
	fails 5 'occy-pull: HOST/lab/test:latest: manifest: not found or not authorised: HOST answered 401 UNAUTHORIZED: authentication required (are user name and password right?)' \
		lab/test latest
	rm -r "$XDG_RUNTIME_DIR"
	fails 5 'occy-pull: HOST/lab/test:latest: manifest: login needed: no user and password are known for this registry' \
		lab/test latest
}

@test "R11 docker-registry: a CA that nobody knows" {
	login "$faults" secret
	run -7 --separate-stderr pull lab/test latest
	[[ $(plain "$stderr") == 'occy-pull: HOST/lab/test:latest: manifest: certificate not accepted: '* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	broken_stream
	run -1 --separate-stderr skopeo inspect "docker://$faults/lab/test:latest"
}

@test "R12 nginx that asks for a client's certificate" {
	faults=$mutual
	knows_ca "$faults"
	fails 1 'occy-pull: HOST/lab/test:latest: manifest: HOST answered 400 (text/html)' lab/test latest
	same "$(requests "$mutual_log")" '400 GET none -'
	: >"$mutual_log"
	cp "$files/client.pem" "$(certs_folder "$faults")/me.cert"
	cp "$files/client.key" "$(certs_folder "$faults")/me.key"
	fetched
	same "$(requests "$mutual_log")" '200 GET none CN=client'
	run -0 --separate-stderr skopeo inspect --format '{{.Digest}}' "docker://$faults/lab/test:latest"
	same "$output" "$(digest latest manifest)"
}

@test "R12 nginx: a certificate of somebody else" {
	faults=$mutual
	knows_ca "$faults"
	cp "$files/server.pem" "$(certs_folder "$faults")/me.cert"
	cp "$files/server.key" "$(certs_folder "$faults")/me.key"
	fails 1 'occy-pull: HOST/lab/test:latest: manifest: HOST answered 400 (text/html)' lab/test latest
}

@test "R14 tinyproxy: a registry without TLS" {
	faults=$registry
	http_proxy=http://$open fetched
	grep -F "GET http://$registry/v2/lab/test/manifests/latest" "$open_log"
	same "$(grep -c '/blobs/sha256:' "$open_log")" 3
	no_login "$open_log"
}

@test "R14 tinyproxy: a registry with a login behind TLS" {
	knows_ca "$faults"
	login "$faults" secret
	https_proxy=http://$open fetched
	grep -F "CONNECT $faults" "$open_log"
	run -1 grep -F GET "$open_log"
	no_login "$open_log"
}

@test "R14 tinyproxy: one with a login of its own" {
	knows_ca "$faults"
	login "$faults" secret
	: >"$login_registry_log"
	https_proxy=http://me:geheim@$locked fetched
	grep -F "CONNECT $faults" "$locked_log"
	no_login "$locked_log"
	run -1 grep -E 'geheim|Proxy-Authorization' "$login_registry_log"
	faults=$registry
	http_proxy=http://me:geheim@$locked fetched
	no_login "$locked_log"
}

@test "R14 tinyproxy: no login for it, or a wrong one" {
	knows_ca "$faults"
	login "$faults" secret
	https_proxy=http://$locked fails 7 \
		"occy-pull: HOST/lab/test:latest: manifest: the proxy http://OTHER asks for a login" lab/test latest
	https_proxy=http://me:falsch@$locked run -7 --separate-stderr pull lab/test latest
	same "$(plain "$stderr")" \
		"occy-pull: HOST/lab/test:latest: manifest: the proxy http://OTHER does not accept the login"
}

@test "R14 tinyproxy: a port that it does not lead to" {
	faults=registry.example:444
	https_proxy=http://me:geheim@$closed fails 7 \
		"occy-pull: HOST/lab/test:latest: manifest: the proxy http://OTHER does not lead to https://HOST: it answered 403" \
		lab/test latest
}

@test "R14 tinyproxy: a registry that is not there" {
	faults=0.0.0.0:1
	https_proxy=http://$open fails 7 \
		"occy-pull: HOST/lab/test:latest: manifest: the proxy http://OTHER does not lead to https://HOST: it answered 500 (6 tries)" \
		lab/test latest
	same "$(grep -c 'CONNECT 0.0.0.0:1 ' "$open_log")" 6
}

@test "R30 R32 nginx that asks for a token" {
	faults=$token
	login "$faults" secret
	fetched
	same "$(requests "$token_log")" "$(lines '200 GET basic -' '200 GET bearer -' '401 GET none -')"
	same "$(grep -c ' /token ' "$token_log")" 1
	run -0 --separate-stderr skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$faults/lab/test:latest"
	same "$output" "$(digest latest manifest)"
}

@test "R32 R34 nginx that asks for a token: a wrong password, and none" {
	faults=$token
	login "$faults" wrong
	fails 5 'occy-pull: HOST/lab/test:latest: token from http://HOST/token: HOST answered 401 (are user name and password right?)' lab/test latest
	rm -r "$XDG_RUNTIME_DIR"
	fails 5 'occy-pull: HOST/lab/test:latest: token from http://HOST/token: HOST answered 401' lab/test latest
}

# Mirrors. The registry itself wants a login and TLS of a CA that only its own
# folder knows: where it is asked all the same, that shows.

@test "R20 nginx as a mirror gives all; the registry is not asked" {
	works lab/test latest --mirror "http://$front"
	same "$(requests "$front_log")" '200 GET none -'
	same "$(grep -c '/v2/lab/test/' "$front_log")" 4
}

@test "R20 R21 nginx as a mirror has no blobs: the registry's own, by its own login" {
	knows_ca "$login_registry"
	login "$login_registry" secret
	works lab/test latest --mirror "http://$front/half"
	same "$(requests "$front_log")" "$(lines '200 GET none -' '503 GET none -')"
}

@test "R20 docker-registry as a cache in front of another one" {
	works lab/test latest --mirror "http://$cache"
	same "$(jq -r 'select(.type == "image").digest' <<<"$output")" "$(digest latest manifest)"
	# What it has by now it gives from its own.
	works lab/test latest --mirror "http://$cache"
	run -0 grep -c "ns=${login_registry//:/%3A}" "$cache_log"
}

@test "R20 R30 a mirror that asks for a token, with and without a login for it" {
	knows_ca "$login_registry"
	login "$token" secret
	works lab/test latest --mirror "http://$token"
	same "$(requests "$token_log")" "$(lines '200 GET basic -' '200 GET bearer -' '401 GET none -')"
	: >"$token_log"
	login "$login_registry" secret
	works lab/test latest --mirror "http://$token"
	same "$(requests "$token_log")" '401 GET none -'
}
