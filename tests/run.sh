#!/bin/sh
# run.sh - every check of Occy Strap, on Debian 12, as root (or by sudo).
#
# usage: sh tests/run.sh [--long]
#
# Installs what build and tests need, and runs the tests on an ordinary build,
# on one that watches memory and undefined behaviour, and the threaded paths on
# one that watches threads; builds with clang as well, and reads the source
# with clang-tidy and shellcheck. --long fuzzes each target for a minute and
# lets the soaks run. The builds lie in a folder of their own, which goes.
#
# The last line is "N passed, N failed": of all runs, every single test. What
# was skipped has failed.
set -eu

long=
case $* in
'') ;;
--long) long=yes ;;
*)
	echo 'usage: sh tests/run.sh [--long]' >&2
	exit 2
	;;
esac
[ "$(id -u)" = 0 ] || exec sudo sh "$0" "$@"

source=$(cd "$(dirname "$0")/.." && pwd)
builds=$(mktemp -d /var/tmp/occystrap-tests.XXXXXX)
chmod 755 "$builds" # for the tests that run as an ordinary user
passed=0
failed=0
policy=

clean_up() {
	[ -z "$policy" ] || rm -f "$policy"
	rm -rf "$builds"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

packages='
	apache2-utils bash bats buildah busybox-static ca-certificates clang
	clang-tidy crun curl docker-registry docker.io gcc git jq libarchive-dev
	libarchive-tools libc6-dev libcurl4-openssl-dev libisal-dev libjson-c-dev
	libssl-dev mandoc meson mount nginx-light ninja-build openssl pkg-config
	podman python3 runc shellcheck skopeo tinyproxy umoci util-linux xz-utils
	zlib1g-dev zstd
'

# Only what is missing, and no service is started by its installation.
install_what_is_missing() {
	missing=
	for package in $packages; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		policy=/usr/sbin/policy-rc.d
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	apt-get -qq update
	# shellcheck disable=SC2086 # several packages
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
		--no-install-recommends $missing
	[ -z "$policy" ] || rm -f "$policy"
	policy=
}

heading() {
	echo
	echo "== $* ($(($(date +%s) - started)) s)"
}

# check NAME COMMAND...: counts as one.
check() {
	name=$1
	shift
	heading "$name"
	if "$@" >"$builds/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		tail -n 100 "$builds/log"
		echo "FAILED: $name"
		return 1
	fi
}

# build NAME COMPILER OPTION...: with every target.
build() {
	folder=$builds/$1
	compiler=$2
	shift 2
	CC=$compiler meson setup --werror "$@" "$folder" "$source" &&
		ninja -C "$folder"
}

# run_tests BUILD ARGUMENT...: of meson test; each test counts.
run_tests() {
	folder=$builds/$1
	shift
	rm -f "$folder/meson-logs/testlog.json"
	# Most tests wait more than they work. Whoever runs us may ignore signals,
	# which the tests send.
	env --default-signal meson test -C "$folder" --no-rebuild --print-errorlogs \
		--num-processes $((2 * $(nproc))) "$@" || :
	if [ -s "$folder/meson-logs/testlog.json" ]; then
		counted=$(python3 -B "$source/tests/helpers/count.py" \
			"$folder/meson-logs/testlog.json")
	else
		counted='0 1'
	fi
	passed=$((passed + ${counted% *}))
	failed=$((failed + ${counted#* }))
}

# bats_files BUILD EXPRESSION: those whose name matches.
bats_files() {
	meson test -C "$builds/$1" --list 2>/dev/null |
		sed -nE "s,.*:bats / ($2)\$,\1,p"
}

tidy() {
	find "$source/common" "$source/tools" -name '*.c' -print0 |
		xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$builds/clang"
}

# The targets of tests/fuzz, each from its corpus.
fuzz() {
	meson introspect --targets "$builds/fuzz" | python3 -c '
import json, sys
for target in json.load(sys.stdin):
    if target["defined_in"].endswith("tests/fuzz/meson.build") and target["name"].startswith("fuzz-") and target["type"] == "executable":
        print(target["filename"][0])' >"$builds/targets"
	while read -r target; do
		name=$(basename "$target")
		mkdir -p "$builds/corpus/$name"
		set -- "$builds/corpus/$name"
		for seeds in "$source/tests/fuzz/corpus/${name#fuzz-}" \
			"$builds/fuzz/tests/fuzz/corpus/${name#fuzz-}"; do
			[ ! -d "$seeds" ] || set -- "$@" "$seeds"
		done
		check "fuzz $name, a minute" one_minute "$target" "$@" || :
	done <"$builds/targets"
}

one_minute() {
	ninja -C "$builds/fuzz" "${1#"$builds/fuzz/"}" </dev/null &&
		(cd "$builds/corpus" && exec "$@" -max_total_time=60 -timeout=10 \
			-rss_limit_mb=2048 </dev/null)
}

short='--no-suite long'
[ -z "$long" ] || short=
started=$(date +%s)
install_what_is_missing
unset OCCY_STORE OCCY_WRAPPED
[ -z "$long" ] || export OCCY_LONG=1

if check 'build: gcc' build gcc gcc; then
	heading 'tests: gcc'
	# shellcheck disable=SC2086 # none or two words
	run_tests gcc $short
	if [ -e "$source/.git" ]; then
		check 'meson dist' meson dist -C "$builds/gcc" --no-tests \
			--allow-dirty --formats xztar || :
	fi
fi
if check 'build: address and undefined behaviour' build asan gcc \
	-Db_sanitize=address,undefined; then
	heading 'tests: address, undefined behaviour, leaks'
	# shellcheck disable=SC2086
	run_tests asan $short --no-suite lint --timeout-multiplier 3
fi
if check 'build: threads' build tsan gcc -Db_sanitize=thread; then
	heading 'tests: threads'
	bats_files tsan 'occy-(pack|layers)' >"$builds/names"
	set -- tsan --suite bats --timeout-multiplier 3
	while IFS= read -r name; do
		set -- "$@" "$name"
	done <"$builds/names"
	[ $# = 5 ] || run_tests "$@"
fi
if check 'build: clang' build clang clang; then
	check clang-tidy tidy || :
fi
if [ -n "$long" ] && check 'build: fuzzers' build fuzz clang \
	-Db_sanitize=address,undefined -Db_lundef=false; then
	fuzz
fi

heading "done"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
