# registry.bash - registries on a free port of this machine.
#
# For setup_file and teardown_file: what is started here is stopped by its pid.
# Every wait has an end.
# shellcheck shell=bash
registry_helpers=${BASH_SOURCE[0]%/*}

# stop_process PID: ask, wait, kill.
stop_process() {
	local end=$((SECONDS + 10))
	kill "$1" 2>/dev/null || return 0
	while kill -0 "$1" 2>/dev/null && ((SECONDS < end)); do
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null || return 0
}

# wait_for_port FILE EXPRESSION PID: the port that a line of FILE, as matched
# by a sed expression, tells.
wait_for_port() {
	local end=$((SECONDS + 20)) port=
	while [[ ! $port ]]; do
		if ((SECONDS >= end)) || ! kill -0 "$3" 2>/dev/null; then
			cat "$1" >&2
			return 1
		fi
		sleep 0.05
		port=$(sed -n "$2" "$1" | head -n 1)
	done
	echo "$port"
}

# start_registry: Debian's docker-registry; sets $registry to its HOST:PORT.
start_registry() {
	local dir=$BATS_FILE_TMPDIR/registry port
	mkdir "$dir"
	cat >"$dir/config.yml" <<-END
		version: 0.1
		log: {level: info, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $dir/storage}, delete: {enabled: true}}
		http: {addr: "127.0.0.1:0"}
	END
	docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
	export registry_pid=$!
	port=$(wait_for_port "$dir/log" 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$registry_pid") || return
	export registry=127.0.0.1:$port
}

stop_registry() {
	stop_process "${registry_pid:?}"
}

# start_faults LAYOUT [OPTION]...: the registry that breaks on request; sets
# $faults to its HOST:PORT, $faults_pid, and $faults_log to the file that gets
# a JSON line for every request. It ends by itself after ten minutes. Also for
# a single test, which stops it with stop_faults.
start_faults() {
	local dir port
	dir=$(mktemp -d "$BATS_FILE_TMPDIR/faults.XXXXXX") || return
	export faults_log=$dir/log
	python3 -B "$registry_helpers/faultregistry" "$@" --log "$faults_log" \
		--max-seconds 600 >"$dir/port" 2>"$dir/stderr" 3>&- &
	export faults_pid=$!
	port=$(wait_for_port "$dir/port" '1s/^\([0-9]*\)$/\1/p' "$faults_pid") || {
		cat "$dir/stderr" >&2
		return 1
	}
	export faults=127.0.0.1:$port
}

stop_faults() {
	stop_process "${faults_pid:?}"
}
