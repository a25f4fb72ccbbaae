# common.bash - what every bats file loads first.
#
# A test runs in a folder of its own; the tools come from $OCCY_BINDIR.
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
PATH="${OCCY_BINDIR:?run me through meson test}:$PATH"
unset OCCY_STORE OCCY_WRAPPED OCCYSTRAP_USERNAME OCCYSTRAP_PASSWORD
unset SSL_CERT_FILE SSL_CERT_DIR REGISTRY_AUTH_FILE DOCKER_CONFIG DOCKER_AUTH_CONFIG XDG_CONFIG_HOME
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY

# Nothing of whoever runs the tests is read, and nothing of theirs is written.
own_folder() {
	cd "$BATS_TEST_TMPDIR" || return
	export HOME=$BATS_TEST_TMPDIR XDG_CACHE_HOME=$BATS_TEST_TMPDIR/.cache
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/.run
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
}

setup() {
	own_folder
}

# lines ARG...: each argument as one line, for a stream spelled out in a test.
lines() {
	printf '%s\n' "$@"
}

# within SECONDS COMMAND...: run COMMAND again and again until it succeeds;
# false when the time is over.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# The opposite of COMMAND, for within.
not() {
	! "$@"
}

# gone PID: no such process, or only what its parent has not asked for yet.
gone() {
	local line
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	[[ ${line##*) } == Z* ]]
}
