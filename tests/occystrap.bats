#!/usr/bin/env bats
# The wrapper alone, with stages that do what a test tells them.
load helpers/common

setup() {
	own_folder
	mkdir bin
	cp "$OCCY_BINDIR/occystrap" bin/
	PATH=$PWD/bin:$PATH
	export D=$PWD
	fake occy-pull ''
	fake occy-pack 'cat >/dev/null'
}

# fake NAME CODE: a stage that notes its arguments and its pid, then runs CODE.
fake() {
	# A new file: one that is running is read as it goes.
	cat >"bin/new" <<-END
		#!/bin/bash
		printf '%s\n' "\$@" >"\$D/$1.args"
		echo \$\$ >"\$D/$1.new"
		mv "\$D/$1.new" "\$D/$1.pid"
		$2
	END
	chmod +x bin/new
	mv bin/new "bin/$1"
}

args() { # args NAME WORD...: exactly these were its arguments
	diff <(lines "${@:2}") "$1.args"
}

fetch() {
	occystrap fetch-to-tarfile r i t "${1-x.tar}"
}

# Bytes in the store, as a pull would leave them.
store='mkdir -p "$OCCY_STORE/blobs/sha256"; printf 12345 >"$OCCY_STORE/blobs/sha256/a"; : >stored'

# ended SIGNAL FILE[,FILE] COMMAND...: start COMMAND, send SIGNAL once each FILE
# is there, and print how it ended. The signal is not ignored, whoever runs us.
ended() {
	python3 - "$@" <<-'END'
		import os, signal, subprocess, sys, time
		number = getattr(signal, "SIG" + sys.argv[1])
		def default():
		    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
		        signal.signal(one, signal.SIG_DFL)
		child = subprocess.Popen(sys.argv[3:], preexec_fn=default)
		for _ in range(500):
		    if all(map(os.path.exists, sys.argv[2].split(","))):
		        break
		    time.sleep(0.02)
		child.send_signal(number)
		code = child.wait(60)
		print("signal" if code < 0 else "status", abs(code))
	END
}

nothing_left() {
	local name
	for name in occy-pull occy-pack; do
		[ ! -e "$name.pid" ] || within 5 gone "$(cat "$name.pid")"
	done
}

# Arguments

@test "the seed's platform flags before the command word reach occy-pull" {
	run -0 --separate-stderr occystrap --os linux --architecture arm64 \
		--variant v8 fetch-to-tarfile registry-1.docker.io \
		library/busybox latest busybox.tar
	[ -z "$output$stderr" ]
	args occy-pull --os linux --architecture arm64 --variant v8 -- \
		registry-1.docker.io library/busybox latest
	args occy-pack -- busybox.tar
}

@test "the same flags after the command word, and between operands" {
	run -0 --separate-stderr occystrap fetch-to-tarfile --os=linux r \
		--architecture=arm64 i t --insecure x.tar --variant=v8 -q
	[ -z "$output$stderr" ]
	args occy-pull -q --os linux --architecture arm64 --insecure \
		--variant v8 -- r i t
	args occy-pack -q -- x.tar
}

@test "what occy-pull is told of the way to a registry" {
	run -0 --separate-stderr occystrap --mirror http://m --mirror=n=docker.io --proxy p \
		fetch-to-tarfile --authfile a --username=u --password-stdin --no-tls-verify \
		--allow-private-redirect -j 2 r i t x.tar
	[ -z "$output$stderr" ]
	args occy-pull --mirror http://m --mirror n=docker.io --proxy p --authfile a \
		--username u --password-stdin --no-tls-verify --allow-private-redirect -j 2 -- r i t
	run -0 --separate-stderr occystrap -qj8 fetch-to-tarfile r i t x.tar
	args occy-pull -q -j 8 -- r i t
}

@test "a password on standard input reaches occy-pull, and nobody else" {
	fake occy-pull 'cat >"$D/occy-pull.stdin"'
	run -0 --separate-stderr occystrap --username u --password-stdin \
		fetch-to-tarfile r i t x.tar <<<'se\cret '
	[ "$(cat occy-pull.stdin)" = 'se\cret ' ]
	run -1 grep -rF 'se\cret' --exclude=occy-pull.stdin .
}

@test "behind -- nothing is an option" {
	run -0 --separate-stderr occystrap fetch-to-tarfile --quiet -- --os -i \
		'|' -x.tar
	[ -z "$output$stderr" ]
	args occy-pull -q -- --os -i '|'
	args occy-pack -q -- -x.tar
}

@test "short options may be grouped" {
	run -0 --separate-stderr occystrap -qv fetch-to-tarfile r i t x.tar
	args occy-pull -q -v -- r i t
	args occy-pack -q -v -- x.tar
}

@test "--verbose prints the pipeline, quoted for a shell" {
	run -0 --separate-stderr occystrap -v fetch-to-tarfile r i t 'a b.tar'
	[ -z "$output" ]
	[ "$stderr" = "occystrap: OCCY_STORE=.a\\ b.tar.occystrap/store $D/bin/occy-pull -v -- r i t | $D/bin/occy-pack -v -- a\\ b.tar" ]
}

usage='usage: occystrap [OPTION]... COMMAND OPERAND...
       occystrap [OPTION]... fetch-to-tarfile REGISTRY IMAGE TAG FILE
       occystrap [OPTION]... fetch-to-extracted [--use-unique-names] [--expand]
                             [--replace] REGISTRY IMAGE TAG DIR
       occystrap [OPTION]... fetch-to-oci REGISTRY IMAGE TAG DIR
       occystrap [OPTION]... recreate-image DIR IMAGE TAG FILE'

refused() { # refused MESSAGE ARGUMENT...
	run -2 --separate-stderr occystrap "${@:2}"
	[ -z "$output" ]
	[ "$stderr" = "occystrap: $1"$'\n'"$usage" ]
	[ ! -e occy-pull.pid ]
}

@test "usage errors name what is wrong, with status 2" {
	refused 'which command?'
	refused 'which command?' --os linux
	refused 'unknown command fetch' fetch r i t x
	refused 'unknown command a\x0ab\x1b[2J' $'a\nb\033[2J'
	refused 'unknown option --arch' --arch arm64 fetch-to-tarfile r i t x
	refused 'unknown option --insecure=yes' --insecure=yes
	refused 'unknown option -x' fetch-to-tarfile r i t x -qx
	refused 'option --os needs an argument' fetch-to-tarfile r i t x --os
	refused 'option --store needs a folder' fetch-to-tarfile r i t x --store=
	refused 'fetch-to-tarfile needs REGISTRY IMAGE TAG FILE' fetch-to-tarfile
	refused 'fetch-to-tarfile needs REGISTRY IMAGE TAG FILE' fetch-to-tarfile r i t
	refused 'fetch-to-tarfile needs REGISTRY IMAGE TAG FILE' fetch-to-tarfile r i t x y
	refused 'fetch-to-tarfile: an operand is empty' fetch-to-tarfile r i t ''
}

@test "a name longer than 256 bytes is cut in messages" {
	refused "unknown command $(printf 'x%.0s' {1..256})..." \
		"$(printf 'x%.0s' {1..300})"
}

# Where the tools are

@test "the tools are found beside the file that a symlink leads to" {
	mkdir other
	ln -s ../bin/occystrap other/strap
	ln -s other/strap strap
	PATH=/usr/bin:/bin run -0 --separate-stderr ./strap fetch-to-tarfile r i t x.tar
	[ -z "$output$stderr" ]
	args occy-pack -- x.tar
}

@test "tools that are not beside it are found by PATH" {
	mkdir alone
	mv bin/occystrap alone/
	PATH=$D/bin:/usr/bin:/bin run -0 --separate-stderr alone/occystrap \
		fetch-to-tarfile r i t x.tar
	args occy-pull -- r i t
}

@test "a tool that is nowhere is named, and nothing is started" {
	rm bin/occy-pack
	PATH=/usr/bin:/bin run -1 --separate-stderr bin/occystrap \
		fetch-to-tarfile r i t x.tar
	[ "$stderr" = "occystrap: occy-pack: found neither in $D/bin nor in PATH" ]
	[ ! -e occy-pull.pid ]
	[ ! -e .x.tar.occystrap ]
}

@test "a tool that is nowhere leaves no folder, and takes none that is of use" {
	mkdir -p .kept.occystrap/store/parts
	echo half >.kept.occystrap/store/parts/blob
	for target in new kept; do
		PATH=/usr/bin:/bin run -1 --separate-stderr bin/occystrap \
			fetch-to-oci r i t $target
		[ "$stderr" = "occystrap: occy-expand: found neither in $D/bin nor in PATH" ]
	done
	[ ! -e .new.occystrap ]
	[ -e .kept.occystrap/store/parts/blob ]
}

into_dir() { (cd dir && occystrap fetch-to-oci r i t .); }

@test "a root file system that is not of this run stays in the folder" {
	fake occy-expand 'cat >/dev/null; mkdir "$D/dir/rootfs"; exit 9'
	fake occy-ocibundle 'cat >/dev/null; exit 3'
	mkdir dir
	run -9 --separate-stderr into_dir
	[ -d dir/rootfs ]
	rmdir dir/rootfs
	fake occy-expand 'cat >/dev/null; mkdir "$D/dir/rootfs"'
	fake occy-ocibundle 'cat >/dev/null; exit 8'
	run -8 --separate-stderr into_dir
	[ ! -e dir/rootfs ]
}

# What the stages get

@test "stages know that they are wrapped, and read no input of ours" {
	fake occy-pull 'echo "$OCCY_WRAPPED" >"$D/wrapped"; cat >"$D/input"'
	echo mine >mine
	run -0 --separate-stderr fetch <mine
	[ "$(cat wrapped)" = 1 ]
	[ ! -s input ]
}

@test "the stream goes from stage to stage, and not to standard output" {
	fake occy-pull 'printf "one\ntwo\n"'
	fake occy-pack 'tee "$D/got"'
	run -0 --separate-stderr fetch
	[ -z "$output$stderr" ]
	[ "$(cat got)" = $'one\ntwo' ]
}

@test "a stage holds its three descriptors and no others" {
	for name in occy-pull occy-pack; do
		fake $name 'exec python3 -c "import os; print(os.listdir(\"/proc/self/fd\"), file=open(\"$D/'$name'.fds\", \"w\"))"'
	done
	python3 -c 'import subprocess as s; s.run(["occystrap", "fetch-to-tarfile", "r", "i", "t", "x"], check=True)'
	# Number 3 is the listing itself, 4 the file that it goes to.
	for name in occy-pull occy-pack; do
		[ "$(sed "s/, '4'//" $name.fds)" = "['0', '1', '2', '3']" ]
	done
}

@test "no stage ignores a signal that we do not ignore" {
	for name in occy-pull occy-pack; do
		fake $name 'grep SigIgn /proc/self/status >"$D/'$name'.ignored"'
	done
	# Whoever runs the tests may ignore some.
	python3 - <<-'END'
		import signal, subprocess
		def default():
		    for one in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
		        signal.signal(one, signal.SIG_DFL)
		subprocess.run(["occystrap", "fetch-to-tarfile", "r", "i", "t", "x"],
		               preexec_fn=default, check=True)
	END
	[ "$(cat occy-pull.ignored)" = $'SigIgn:\t0000000000000000' ]
	[ "$(cat occy-pack.ignored)" = $'SigIgn:\t0000000000000000' ]
}

@test "closed descriptors do no harm" {
	run -0 --separate-stderr bash -c 'fetch() { occystrap fetch-to-tarfile r i t x.tar; }; fetch <&- >&- 2>&-'
	args occy-pack -- x.tar
}

@test "--digest-file goes to the last stage" {
	run -0 --separate-stderr occystrap --digest-file d fetch-to-tarfile r i t x.tar
	args occy-pull -- r i t
	args occy-pack --digest-file d -- x.tar
	run -0 --separate-stderr occystrap fetch-to-extracted --digest-file=d r i t x
	args occy-pack --digest-file d --dir x
	fake occy-expand 'cat >/dev/null'
	run -0 --separate-stderr occystrap fetch-to-extracted --digest-file d --expand r i t x
	args occy-pack --dir x
	args occy-expand --digest-file d --in x
}

# asks WORD...: whether occystrap lets occy-pull ask if the image has changed.
asks() {
	run -0 --separate-stderr occystrap --if-changed 'the digest' "$@"
	[ -z "$output$stderr" ]
	grep -qxF -e '--if-changed' occy-pull.args
}

@test "--if-changed asks where the target is there, and its digest is written" {
	not asks fetch-to-tarfile r i t x.tar
	args occy-pull -- r i t
	args occy-pack --digest-file 'the digest' -- x.tar
	: >x.tar
	asks fetch-to-tarfile r i t x.tar
	args occy-pull --if-changed 'the digest' -- r i t
	args occy-pack --digest-file 'the digest' -- x.tar
	asks fetch-to-tarfile --digest-file other r i t x.tar
	args occy-pull --if-changed 'the digest' -- r i t
	args occy-pack --digest-file other -- x.tar
	asks fetch-to-tarfile r i t -
	args occy-pull --if-changed 'the digest' -- r i t
}

@test "--if-changed asks where a folder holds all that is wanted" {
	fake occy-expand 'cat >/dev/null'
	mkdir x
	not asks fetch-to-extracted r i t x
	: >x/catalog.json
	not asks fetch-to-extracted r i t x
	not asks fetch-to-extracted --use-unique-names r i t x
	: >x/manifest.json
	not asks fetch-to-extracted --use-unique-names r a/i t x
	: >x/manifest-a_i-t.json
	asks fetch-to-extracted --use-unique-names r a/i t x
	not asks fetch-to-extracted --use-unique-names r i t x
	not asks fetch-to-extracted --use-unique-names --expand r a/i t x
	mkdir x/manifest-a_i-t
	asks fetch-to-extracted --use-unique-names --expand r a/i t x
	asks fetch-to-extracted r i t x
	not asks fetch-to-extracted --expand r i t x
	mkdir x/manifest
	asks fetch-to-extracted --expand r i t x
	args occy-pull --if-changed 'the digest' --reuse x -- r i t
	args occy-expand --digest-file 'the digest' --in x
}

@test "--if-changed does not ask where the digest is of another target" {
	mkdir -p x
	touch x.tar x/catalog.json x/manifest.json
	echo 'sha256:1 image=a tar=x.tar' >'the digest'
	asks fetch-to-tarfile r i t ./x.tar
	not asks fetch-to-tarfile r i t -
	not asks fetch-to-extracted r i t x
	mv x.tar y.tar
	not asks fetch-to-tarfile r i t y.tar
	printf 'sha256:1 image=a directory=x' >'the digest'
	asks fetch-to-extracted r i t "$PWD/x//"
	fake occy-expand 'cat >/dev/null'
	mkdir x/manifest
	not asks fetch-to-extracted --expand r i t x
	: >$'a b\t.tar'
	lines 'sha256:1 tar=a\x20b\x09.tar' >'the digest'
	asks fetch-to-tarfile r i t $'a b\t.tar'
	# As others write it, and what occy-pull will judge.
	printf sha256:1 >'the digest'
	asks fetch-to-tarfile r i t y.tar
	asks fetch-to-tarfile r i t -
	rm 'the digest'
	asks fetch-to-tarfile r i t y.tar
	mkdir 'the digest'
	asks fetch-to-tarfile r i t y.tar
}

@test "--digest-file and --if-changed are for the commands that fetch" {
	for option in --digest-file --if-changed; do
		run -2 --separate-stderr occystrap recreate-image "$option" d dir i t x.tar
		[ "${stderr_lines[0]}" = 'occystrap: --digest-file and --if-changed are for the commands that fetch' ]
		run -2 --separate-stderr occystrap fetch-to-tarfile "$option" '' r i t x.tar
		[ "${stderr_lines[0]}" = "occystrap: option $option needs a file" ]
		run -2 --separate-stderr occystrap fetch-to-tarfile r i t x.tar "$option"
		[ "${stderr_lines[0]}" = "occystrap: option $option needs an argument" ]
	done
}

# Statuses and messages

outcome() { # outcome STATUS PULL PACK: and nothing is said
	fake occy-pull "$2"
	fake occy-pack "$3"
	run "-$1" --separate-stderr fetch
	[ -z "$output$stderr" ]
	nothing_left
}

@test "the status is that of the stage that really failed" {
	outcome 0 'exit 0' 'exit 0'
	outcome 7 'exit 7' 'exit 3'
	outcome 4 'exit 4' 'exit 0'
	outcome 4 'exit 4' 'exit 9'
	outcome 9 'exit 3' 'exit 9'
	outcome 9 'kill -PIPE $$' 'exit 9'
	outcome 8 'exit 0' 'exit 8'
	outcome 3 'exit 3' 'exit 0'
	outcome 3 'exit 3' 'exit 3'
}

@test "an echo without a failure before it is not silent" {
	fake occy-pack 'exit 3'
	run -3 --separate-stderr fetch
	[ "$stderr" = 'occystrap: occy-pack was given less than a whole stream, but no stage before it failed' ]
}

@test "a stage that is killed is named" {
	fake occy-pull 'kill -9 $$'
	fake occy-pack 'exit 3'
	run -137 --separate-stderr fetch
	[ "$stderr" = 'occystrap: occy-pull was killed by signal 9 (KILL)' ]

	fake occy-pull 'kill -PIPE $$'
	fake occy-pack 'kill -SEGV $$'
	run -139 --separate-stderr fetch
	[ "$stderr" = 'occystrap: occy-pack was killed by signal 11 (SEGV)' ]

	fake occy-pull 'kill -TERM $$'
	fake occy-pack 'kill -9 $$'
	run -143 --separate-stderr fetch
	[ "$stderr" = $'occystrap: occy-pull was killed by signal 15 (TERM)\noccystrap: occy-pack was killed by signal 9 (KILL)' ]
}

@test "what a stage says is not said again" {
	fake occy-pull 'echo "occy-pull: r/i:t: not found" >&2; exit 4'
	fake occy-pack 'cat >/dev/null; exit 3'
	run -4 --separate-stderr fetch
	[ "$stderr" = 'occy-pull: r/i:t: not found' ]
}

@test "the words of bash are not mixed in, in whatever mode it starts" {
	fake occy-pull 'kill -9 $$'
	POSIXLY_CORRECT=1 run -137 --separate-stderr fetch
	[ "$stderr" = 'occystrap: occy-pull was killed by signal 9 (KILL)' ]
}

# The work folder

@test "the store lies beside the target and is gone after success" {
	fake occy-pull 'echo "$OCCY_STORE" >"$D/where"; stat -c %a "${OCCY_STORE%/*}" >>"$D/where"; '"$store"
	mkdir out
	run -0 --separate-stderr fetch out/x.tar
	[ -z "$output$stderr" ]
	diff where <(lines out/.x.tar.occystrap/store 700)
	[ -z "$(ls -A out)" ]
	[ -z "$(ls -A tmp)" ]
}

@test "after a network failure it stays, and the next run goes on from there" {
	fake occy-pull "$store; exit 7"
	run -7 --separate-stderr fetch
	[ "$stderr" = 'occystrap: 5 bytes are kept in .x.tar.occystrap; the same command goes on from there' ]
	[ "$(cat .x.tar.occystrap/store/blobs/sha256/a)" = 12345 ]

	fake occy-pull 'cat "$OCCY_STORE/blobs/sha256/a" >"$D/got"'
	run -0 --separate-stderr fetch
	[ -z "$stderr" ]
	[ "$(cat got)" = 12345 ]
	[ ! -e .x.tar.occystrap ]
}

@test "it stays after status 6, 7 and a signal, and after nothing else" {
	for status in 1 2 3 4 5 6 7 8 9; do
		fake occy-pull "$store; exit $status"
		run "-$status" --separate-stderr fetch
		case $status in
		6 | 7) [ -d .x.tar.occystrap ] ;;
		*) [ ! -e .x.tar.occystrap ] ;;
		esac
		rm -rf .x.tar.occystrap
	done
	fake occy-pull "$store; kill -9 \$\$"
	run -137 --separate-stderr fetch
	[ "${stderr_lines[1]}" = 'occystrap: 5 bytes are kept in .x.tar.occystrap; the same command goes on from there' ]
	[ -d .x.tar.occystrap ]
}

@test "a store without bytes does not stay" {
	fake occy-pull 'mkdir -p "$OCCY_STORE/blobs/sha256"; echo {} >"$OCCY_STORE/index.json"; exit 7'
	run -7 --separate-stderr fetch
	[ -z "$stderr" ]
	[ ! -e .x.tar.occystrap ]
}

@test "half a blob counts, its holes do not" {
	fake occy-pull 'mkdir -p "$OCCY_STORE/parts"; cd "$OCCY_STORE/parts"; truncate -s 1G a; printf %4096s | dd of=a conv=notrunc status=none; exit 7'
	run -7 --separate-stderr fetch
	[ "$stderr" = 'occystrap: 4096 bytes are kept in .x.tar.occystrap; the same command goes on from there' ]
}

@test "--no-resume neither uses nor leaves anything" {
	fake occy-pull "$store; exit 7"
	run -7 --separate-stderr fetch
	[ -d .x.tar.occystrap ]

	fake occy-pull 'ls -A "$OCCY_STORE" >"$D/found" 2>&1; '"$store; exit 7"
	run -7 --separate-stderr occystrap fetch-to-tarfile --no-resume r i t x.tar
	[ -z "$stderr" ]
	[[ "$(cat found)" == *'No such file or directory' ]]
	[ ! -e .x.tar.occystrap ]
}

@test "with a store of one's own there is no work folder, and it stays" {
	fake occy-pull 'echo "$OCCY_STORE" >"$D/where"; ls -A "$D" >"$D/found"; exit 7'
	OCCY_STORE=mine run -7 --separate-stderr fetch
	[ -z "$stderr" ]
	[ "$(cat where)" = mine ]
	[ "$(grep -c occystrap found)" = 0 ]

	run -7 --separate-stderr occystrap --store theirs fetch-to-tarfile r i t x.tar
	args occy-pull --store theirs -- r i t
	[ -z "$(ls -A tmp)" ]
}

@test "two runs for one target: the second is refused" {
	fake occy-pull 'exec sleep 20'
	occystrap fetch-to-tarfile r i t x.tar 3>&- &
	first=$!
	within 5 test -e occy-pull.pid
	fake occy-pull ''
	run -1 --separate-stderr fetch
	[ "$stderr" = 'occystrap: .x.tar.occystrap: another run is working on it' ]
	run -0 --separate-stderr fetch y.tar
	kill "$first"
	wait "$first" || [ $? = 143 ]
	run -0 --separate-stderr fetch
}

@test "what is not our folder is neither filled nor removed" {
	mkdir theirs
	ln -s theirs .x.tar.occystrap
	run -9 --separate-stderr fetch
	[ "$stderr" = 'occystrap: .x.tar.occystrap: in the way, and not a folder of yours' ]
	[ -L .x.tar.occystrap ]

	echo text >.y.tar.occystrap
	run -9 --separate-stderr fetch y.tar
	[ "$stderr" = 'occystrap: .y.tar.occystrap: in the way, and not a folder of yours' ]
	[ "$(cat .y.tar.occystrap)" = text ]

	[ "$(id -u)" = 0 ] || skip 'only root can give a folder away'
	mkdir .z.tar.occystrap
	chown 1 .z.tar.occystrap
	run -9 --separate-stderr fetch z.tar
	[ "$stderr" = 'occystrap: .z.tar.occystrap: in the way, and not a folder of yours' ]
	[ -z "$(ls -A .z.tar.occystrap)" ]
}

# FILE in all its forms

@test "FILE - is standard output, with the store in TMPDIR" {
	fake occy-pull 'echo "$OCCY_STORE" >"$D/where"; '"$store"
	fake occy-pack 'echo tar'
	run -0 --separate-stderr fetch -
	[ "$output" = tar ]
	[ -z "$stderr" ]
	args occy-pack -- -
	[[ "$(cat where)" == "$D"/tmp/occystrap.*/store ]]
	[ -z "$(ls -A tmp)" ]

	run -0 --separate-stderr fetch /dev/stdout
	[ "$output" = tar ]
	args occy-pack -- -
}

@test "what cannot be replaced has no folder beside it" {
	fake occy-pull 'echo "$OCCY_STORE" >"$D/where"; '"$store; exit 7"
	mkdir folder
	mkfifo fifo
	for file in /dev/null folder folder/ fifo nowhere/x.tar - "$(printf 'x%.0s' {1..250})"; do
		run -7 --separate-stderr fetch "$file"
		[ -z "$stderr" ]
		args occy-pack -- "$file"
		[[ "$(cat where)" == "$D"/tmp/occystrap.*/store ]]
		[ -z "$(ls -A tmp)" ]
	done
}

@test "names with spaces, newlines and a leading dash are only names" {
	fake occy-pull 'printf %s "$OCCY_STORE" >"$D/where"; '"$store; exit 7"
	for file in 'a b' $'a\nb\n' '*' "it's" $'\001' '--' -x; do
		run -7 --separate-stderr occystrap fetch-to-tarfile -- r i t "$file"
		args occy-pack -- "$file"
		[ -d ".$file.occystrap/store" ]
		fake occy-pack 'exit 3'
		[ "$(cat where; echo)" = ".$file.occystrap/store" ]
		rm -r "./.$file.occystrap"
	done
	run -7 --separate-stderr fetch $'\033[2J'
	[ "$stderr" = 'occystrap: 5 bytes are kept in .\x1b[2J.occystrap; the same command goes on from there' ]
}

@test "a relative path with detours keeps its folder there" {
	fake occy-pull "$store; exit 7"
	mkdir -p a/b
	run -7 --separate-stderr fetch ./a/b/../x.tar
	[ "$stderr" = 'occystrap: 5 bytes are kept in ./a/b/../.x.tar.occystrap; the same command goes on from there' ]
	[ -d a/.x.tar.occystrap/store ]
}

@test "a symlink's folder lies beside what it leads to" {
	fake occy-pull "$store; exit 7"
	mkdir disk
	ln -s "$D/disk/real.tar" x.tar
	run -7 --separate-stderr fetch
	[ -d disk/.real.tar.occystrap/store ]
	args occy-pack -- x.tar
	ln -s $'disk/a\n' newline
	run -7 --separate-stderr fetch newline
	[ -d $'disk/.a\n.occystrap/store' ]
	ln -s /dev/null null
	run -7 --separate-stderr fetch null
	[ -z "$stderr" ]
}

@test "a reader that leaves: SIGPIPE, and not a word" {
	fake occy-pull 'echo stream; cat >/dev/null'
	fake occy-pack 'exec yes'
	occystrap fetch-to-tarfile r i t - 2>stderr | head -c 1 >got
	codes=("${PIPESTATUS[@]}")
	[ "${codes[0]}" = 141 ]
	[ ! -s stderr ]
	[ "$(cat got)" = y ]
	[ -z "$(ls -A tmp)" ]
	nothing_left
}

# Signals

@test "INT, TERM and HUP go to every stage, and end us by the same" {
	fake occy-pull "$store; exec sleep 20"
	for signal in INT:2 TERM:15 HUP:1; do
		rm -f occy-*.pid stored
		run -0 --separate-stderr ended "${signal%:*}" occy-pack.pid,stored \
			occystrap fetch-to-tarfile r i t x.tar
		[ "$output" = "signal ${signal#*:}" ]
		[ "$stderr" = 'occystrap: 5 bytes are kept in .x.tar.occystrap; the same command goes on from there' ]
		nothing_left
	done
}

@test "INT of a terminal, which stages and wrapper get at the same time, ends us at once" {
	fake occy-pull ': >stored; exec sleep 20'
	fake occy-pack 'exec sleep 20'
	run -0 --separate-stderr python3 - <<-'END'
		import os, signal, subprocess, time
		def default():
		    signal.signal(signal.SIGINT, signal.SIG_DFL)
		slowest, codes = 0, set()
		for _ in range(15):
		    for name in "occy-pack.pid", "stored":
		        if os.path.exists(name):
		            os.unlink(name)
		    child = subprocess.Popen(["occystrap", "fetch-to-tarfile", "r", "i", "t", "x.tar"],
		                             preexec_fn=default, start_new_session=True)
		    while not (os.path.exists("occy-pack.pid") and os.path.exists("stored")):
		        time.sleep(0.02)
		    time.sleep(0.1)
		    began = time.monotonic()
		    os.killpg(child.pid, signal.SIGINT)
		    codes.add(child.wait(60))
		    slowest = max(slowest, time.monotonic() - began)
		print(codes, "at once" if slowest < 9 else slowest)
	END
	[ "$output" = '{-2} at once' ]
	[ -z "$stderr" ]
	nothing_left
}

@test "a bundle where none can be made leaves nothing in TMPDIR" {
	run -9 --separate-stderr occystrap fetch-to-oci r i t none/bundle
	[ "$stderr" = 'occystrap: none/bundle: no folder can be made there' ]
	[ -z "$(ls -A tmp)" ]
	nothing_left
}

@test "a signal with FILE - leaves nothing in TMPDIR" {
	fake occy-pull "$store; exec sleep 20"
	run -0 --separate-stderr ended TERM occy-pack.pid \
		occystrap fetch-to-tarfile r i t -
	[ "$output" = 'signal 15' ]
	[ -z "$stderr" ]
	[ -z "$(ls -A tmp)" ]
}

@test "a signal that is ignored stays so" {
	fake occy-pull 'sleep 1'
	run -0 --separate-stderr ended HUP occy-pull.pid \
		sh -c "trap '' HUP; exec occystrap fetch-to-tarfile r i t x.tar"
	[ "$output" = 'status 0' ]
}

@test "a signal while the stages are started is not forgotten" {
	fake occy-pull "trap '' TERM; : >\"\$D/deaf\"; while :; do sleep 0.2; done"
	# The second stage takes its time to be started: its program is found late.
	sed 's/^		start_stage "\$input"/		((i == 0)) || within_reach; &/' "$D/bin/occystrap" >slow
	sed -i 's/^start_stages() {/within_reach() { for _ in {1..100}; do [[ -e $D\/deaf ]] \&\& break; sleep 0.05; done; sleep 0.5; }\n&/' slow
	cp slow "$D/bin/occystrap"
	SECONDS=0
	run -0 --separate-stderr ended TERM deaf \
		occystrap fetch-to-tarfile r i t x.tar
	[ "$output" = 'signal 15' ]
	[ "$stderr" = 'occystrap: occy-pull was killed by signal 9 (KILL)' ]
	((SECONDS >= 9 && SECONDS < 40))
	nothing_left
}

@test "a stage that heeds no signal is killed in the end" {
	fake occy-pull "trap '' TERM; : >\"\$D/deaf\"; while :; do sleep 0.2; done"
	SECONDS=0
	run -0 --separate-stderr ended TERM deaf \
		occystrap fetch-to-tarfile r i t x.tar
	[ "$output" = 'signal 15' ]
	[ "$stderr" = 'occystrap: occy-pull was killed by signal 9 (KILL)' ]
	((SECONDS >= 9 && SECONDS < 40))
	nothing_left
}

@test "a stage that is stopped does not hold us up for ever" {
	fake occy-pack '{ until grep -q "^State:.T" /proc/$$/status; do sleep 0.01; done; : >"$D/stopped"; } & kill -STOP $$'
	SECONDS=0
	run -0 --separate-stderr ended TERM stopped \
		occystrap fetch-to-tarfile r i t x.tar
	[ "$output" = 'signal 15' ]
	[ "$stderr" = 'occystrap: occy-pack was killed by signal 9 (KILL)' ]
	((SECONDS < 40))
	nothing_left
}

@test "signals at any moment leave no stage behind" {
	fake occy-pull "$store; exec sleep 20"
	RANDOM=20
	for turn in {1..25}; do
		rm -f occy-*.pid
		occystrap fetch-to-tarfile r i t "$turn.tar" 2>stderr 3>&- &
		pid=$!
		sleep "0.0$((RANDOM % 90 + 10))"
		kill "$pid"
		wait "$pid" || [ $? = 143 ]
		nothing_left
		[ ! -s stderr ] || [ "$(cat stderr)" = "occystrap: 5 bytes are kept in .$turn.tar.occystrap; the same command goes on from there" ]
	done
	[ -z "$(ls -A tmp)" ]
}

@test "each stage killed at any moment: named, nothing left, the next run succeeds" {
	RANDOM=4
	for _ in {1..10}; do
		for name in occy-pull occy-pack; do
			fake occy-pull "$store; exec sleep 20 "
			fake occy-pack 'exec cat'
			[ "$name" = occy-pull ] || fake occy-pull "$store; while echo; do sleep 0.02; done 2>/dev/null; kill -PIPE \$\$"
			rm -f occy-*.pid
			occystrap fetch-to-tarfile r i t x.tar 2>stderr 3>&- &
			pid=$!
			within 5 test -e "$name.pid"
			sleep "0.0$((RANDOM % 60 + 10))"
			kill -9 "$(cat "$name.pid")"
			wait "$pid" || [ $? = 137 ]
			head -n 1 stderr >first
			[ "$(cat first)" = "occystrap: $name was killed by signal 9 (KILL)" ]
			nothing_left
		done
		fake occy-pull ''
		run -0 --separate-stderr fetch
		[ ! -e .x.tar.occystrap ]
	done
}

@test "killed ourselves, we leave no stage, and the next run takes over" {
	fake occy-pull "$store; : >\"\$D/ready\"; exec sleep 20"
	fake occy-pack 'until [ -e "$D/ready" ]; do sleep 0.01; done; : >"$D/both"; exec sleep 20'
	run -0 --separate-stderr ended KILL both \
		occystrap fetch-to-tarfile r i t x.tar
	[ "$output" = 'signal 9' ]
	nothing_left
	[ -d .x.tar.occystrap/store ]
	fake occy-pull 'cat "$OCCY_STORE/blobs/sha256/a" >"$D/got"'
	fake occy-pack ''
	run -0 --separate-stderr fetch
	[ "$(cat got)" = 12345 ]
	[ ! -e .x.tar.occystrap ]
}

@test "killed ourselves at any moment, we leave no stage" {
	for name in occy-pull occy-pack; do
		fake $name 'echo $$ >>"$D/pids"; exec sleep 20'
	done
	RANDOM=33
	for _ in {1..40}; do
		occystrap fetch-to-tarfile r i t x.tar 2>/dev/null 3>&- &
		sleep "0.0$((RANDOM % 50 + 10))"
		kill -9 $!
		wait $! || [ $? = 137 ]
	done
	# One that was only just being started has had time to show itself.
	sleep 0.5
	while read -r pid; do
		within 5 gone "$pid"
	done <pids
}

@test "stderr whose reader has gone does not keep us from cleaning up" {
	fake occy-pull "$store; exit 8"
	{ occystrap -v fetch-to-tarfile r i t x.tar || echo $? >status; } 2> >(:)
	[ "$(cat status)" = 8 ]
	[ -z "$(ls -A tmp)" ]
	[ ! -e .x.tar.occystrap ]
}
