# servers.bash - what stands before registries in real life: nginx, tinyproxy,
# and Debian's docker-registry with a login, each on a free port of this machine.
#
# Needs registry.bash. For setup_file and teardown_file: each is an ordinary
# child of this shell, which is stopped by its pid with stop_process. What it
# reads and writes lies in $BATS_FILE_TMPDIR/NAME.
# shellcheck shell=bash

# free_port: one where nobody listens just now.
free_port() {
	python3 -c 'import socket
with socket.create_server(("127.0.0.1", 0)) as s: print(s.getsockname()[1])'
}

listens() {
	(: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

listens_or_gone() {
	listens "$1" || gone "$2"
}

# serve NAME COMMAND...: run COMMAND, which reads NAME/config, made of
# NAME/template with a free port in place of each @PORT@. Somebody else may take
# that first: then with another. Sets $served to HOST:PORT and $served_pid.
serve() {
	local dir=$BATS_FILE_TMPDIR/$1 port template
	shift
	template=$(<"$dir/template")
	for _ in 1 2 3 4 5; do
		port=$(free_port) || return
		printf '%s\n' "${template//@PORT@/"$port"}" >"$dir/config"
		"$@" >"$dir/out" 2>&1 3>&- </dev/null &
		served_pid=$!
		served=127.0.0.1:$port
		within 20 listens_or_gone "$port" "$served_pid" || break
		# It may have been somebody else who listens.
		sleep 0.1
		gone "$served_pid" || return 0
	done
	stop_process "$served_pid"
	cat "$dir/out" >&2
	return 1
}

# start_nginx NAME <SERVERS: with these server blocks (and maps), in which
# @PORT@ is the port; sets $nginx to its HOST:PORT, $nginx_pid, and $nginx_log to
# the file that gets a line for each request: status, method, path, the scheme
# of its Authorization or "none", and the name on the client's certificate.
start_nginx() {
	local dir=$BATS_FILE_TMPDIR/$1 kind
	mkdir -p "$dir/tmp" || return
	for kind in body proxy fastcgi uwsgi scgi; do
		set -- "$@" "${kind/body/client_body}_temp_path $dir/tmp/$kind;"
	done
	{
		cat <<-END
			daemon off;
			master_process off;
			pid $dir/pid;
			error_log $dir/error warn;
			events { worker_connections 256; }
			http {
			${*:2}
			map \$http_authorization \$login_kind {
				default other; "" none; ~^Basic\\s basic; ~^Bearer\\s bearer;
			}
			log_format lines '\$status \$request_method \$uri \$login_kind \$ssl_client_s_dn';
			access_log $dir/log lines;
		END
		cat
		echo '}'
	} >"$dir/template"
	serve "$1" /usr/sbin/nginx -p "$dir" -e "$dir/error" -c "$dir/config" || {
		cat "$dir/error" >&2
		return 1
	}
	export nginx=$served nginx_pid=$served_pid nginx_log=$dir/log
}

# start_tinyproxy NAME [LINE]...: with these lines more in its configuration;
# sets $tinyproxy to its HOST:PORT, $tinyproxy_pid, and $tinyproxy_log.
start_tinyproxy() {
	local dir=$BATS_FILE_TMPDIR/$1
	mkdir -p "$dir" || return
	lines 'Port @PORT@' 'Listen 127.0.0.1' 'Allow 127.0.0.1' 'Timeout 60' 'MaxClients 50' \
		"LogFile \"$dir/log\"" 'LogLevel Info' "${@:2}" >"$dir/template"
	serve "$1" tinyproxy -d -c "$dir/config" || return
	export tinyproxy=$served tinyproxy_pid=$served_pid tinyproxy_log=$dir/log
}

# start_cache UPSTREAM: docker-registry that fetches what it lacks from there;
# sets $cache to its HOST:PORT, $cache_pid and $cache_log.
start_cache() {
	local dir=$BATS_FILE_TMPDIR/cache
	mkdir "$dir" || return
	cat >"$dir/template" <<-END
		version: 0.1
		log: {level: info}
		storage: {filesystem: {rootdirectory: $dir/storage}}
		http: {addr: "127.0.0.1:@PORT@"}
		proxy: {remoteurl: "http://$1"}
	END
	serve cache docker-registry serve "$dir/config" || return
	export cache=$served cache_pid=$served_pid cache_log=$dir/out
}

# start_login_registry CERTIFICATE KEY USER PASSWORD: docker-registry behind TLS
# and with a login, over what the one of start_registry holds; sets
# $login_registry to its HOST:PORT and $login_registry_pid.
start_login_registry() {
	local dir=$BATS_FILE_TMPDIR/login-registry
	mkdir "$dir" || return
	htpasswd -nbB -C 5 "$3" "$4" >"$dir/htpasswd" || return
	cat >"$dir/template" <<-END
		version: 0.1
		log: {level: info}
		storage: {filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry/storage}}
		http: {addr: "127.0.0.1:@PORT@", tls: {certificate: $1, key: $2}}
		auth: {htpasswd: {realm: lab, path: $dir/htpasswd}}
	END
	serve login-registry docker-registry serve "$dir/config" || return
	export login_registry=$served login_registry_pid=$served_pid
	export login_registry_log=$dir/out
}
