# docker.bash - a docker daemon for one judgement. Needs registry.bash.
# shellcheck shell=bash

# judged_by_docker COMMAND...: run it while a daemon listens, which d ARGUMENT...
# speaks with. Returns as COMMAND does, and shows what it and the daemon said.
judged_by_docker() {
	local dir daemon code=0
	# A socket's path is short by nature; that of a test's folder is not.
	dir=$(mktemp -d /tmp/occy-dockerd.XXXXXX) || return
	dockerd --host "unix://$dir/sock" --data-root "$dir/data" --exec-root "$dir/exec" \
		--pidfile "$dir/pid" --storage-driver=vfs --iptables=false \
		--ip6tables=false --bridge=none >"$dir/log" 2>&1 3>&- &
	daemon=$!
	# shellcheck disable=SC2317 # COMMAND calls it
	d() { docker -H "unix://$dir/sock" "$@"; }
	{ within 60 d version && "$@"; } >"$dir/judgement" 2>&1 || code=$?
	stop_process "$daemon"
	cat "$dir/judgement" "$dir/log"
	rm -rf "$dir"
	return "$code"
}
