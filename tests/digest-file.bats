#!/usr/bin/env bats
# --digest-file of the sinks: what it holds, when it is written, and when it is
# left alone. What occy-pull and occystrap make of it is in pull-looking.bats.
load helpers/common

header='{"type":"stream","occy":1}'
unchanged='{"type":"end","images":0,"unchanged":true}'
digest=sha256:$(printf '%064d' 1)
other=sha256:$(printf '%064d' 2)

setup() {
	own_folder
	block docker.io/lab/a:1 gzip:one >a
	stream a >in
}

# block ARG...: of an image whose tag stands for $digest; its layers lie here.
block() {
	python3 "$BATS_TEST_DIRNAME/helpers/layers.py" "$@" |
		jq -c --arg digest "$digest" '
			if .type == "image" then .tag_digest = $digest | .image = "lab/x" | .tag = .names[0] else . end'
}

# stream BLOCK...: a whole stream.
stream() {
	lines "$header"
	cat "$@"
	lines '{"type":"end"}'
}

# edit FILTER: change the records of ./in.
edit() {
	jq -c "$1" in >in.new && mv in.new in
}

# same GOT WANTED
same() {
	diff <(lines "$1") <(lines "$2")
}

# A bundle's root, and what the stream must say of it, in ./in.
with_bundle() {
	mkdir -p b/rootfs
	sed -i '$d' in
	lines "{\"type\":\"tree\",\"image\":\"docker.io/lab/a:1\",\"file\":\"$PWD/b/rootfs\"}" '{"type":"end"}' >>in
}

# --- what it holds

@test "a line has the digest, the image and what was made, for every sink" {
	run -0 --separate-stderr occy-pack --digest-file d x.tar <in
	[ -z "$stderr" ]
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tar=x.tar"

	run -0 --separate-stderr occy-pack --digest-file d --dir images/ <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 directory=images"

	run -0 --separate-stderr occy-expand --digest-file d --in ./images/ <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tree=images"

	run -0 --separate-stderr occy-expand --digest-file d --layers l --merged ./root/ <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tree=root"

	with_bundle
	run -0 --separate-stderr occy-ocibundle --digest-file d --args x -- b <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 bundle=b"
}

@test "the platform asked for stands there where there was a choice" {
	edit 'if .type=="image" then .platform_asked="linux/arm/v7" else . end'
	occy-pack --digest-file d x.tar <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 platform=linux/arm/v7 tar=x.tar"
}

@test "without a tag's digest it is the manifest's, without a name none" {
	edit 'if .type=="image" then del(.tag_digest) | .digest="'"$other"'" | .names=[] else . end'
	occy-pack --digest-file d x.tar <in
	same "$(cat d)" "$other tar=x.tar"
}

@test "an image of no digest is refused, and nothing is published" {
	edit 'if .type=="image" then del(.tag_digest, .digest) else . end'
	run -4 --separate-stderr occy-pack --digest-file d x.tar <in
	same "$stderr" "occy-pack: d: docker.io/lab/a:1: the stream does not say the image's digest"
	[ ! -e d ] && [ ! -e x.tar ]
	run -0 --separate-stderr occy-pack x.tar <in
}

@test "several images have a line each, in the stream's order" {
	block docker.io/lab/b:2 gzip:two >b
	stream b a >in
	occy-pack --digest-file d x.tar <in
	same "$(cat d)" "$digest image=docker.io/lab/b:2 tar=x.tar
$digest image=docker.io/lab/a:1 tar=x.tar"
}

@test "the tar may go to standard output; nothing is said of it then" {
	occy-pack --digest-file d - <in >x.tar
	tar -tf x.tar >members
	same "$(cat d)" "$digest image=docker.io/lab/a:1"
}

@test "what is no plain word is escaped" {
	edit 'if .type=="image" then .names=["a b\u001b=c\n"] else . end'
	occy-pack --digest-file d --name lab/a 'my tar' <in
	same "$(cat d)" "$digest image=a\\x20b\\x1b=c\\x0a tar=my\\x20tar"
}

@test "what --name calls the image is no matter: FILE is about where it came from" {
	occy-pack --digest-file d --name lab/other x.tar <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tar=x.tar"
}

@test "a platform that is no string is a broken stream" {
	edit 'if .type=="image" then .platform_asked=1 else . end'
	run -3 --separate-stderr occy-pack x.tar <in
	[[ $stderr == "occy-pack: stdin:2: "*platform_asked* ]]
}

# --- when it is written

@test "a stream of nothing changed leaves every target and the file alone" {
	occy-pack x.tar <in >/dev/null
	occy-pack --dir images <in >/dev/null
	occy-pack --dir merged --unique-names <in >/dev/null
	occy-expand --quiet --in images <in >/dev/null
	occy-expand --merged root --layers l <in >/dev/null
	echo mine >d
	with_bundle
	occy-ocibundle --args x -- b <in >/dev/null
	lines "$header" "$unchanged" >none
	find x.tar images merged root l b d -printf '%p %s %i %m %T@ %C@\n' | sort >before
	for sink in 'pack x.tar' 'pack --dir images' 'pack --dir merged --unique-names' \
		'pack -' 'expand --in images' 'expand --layers l' \
		'expand --merged root --replace' 'ocibundle --replace --args x -- b'; do
		# shellcheck disable=SC2086 # words
		run -0 --separate-stderr occy-${sink%% *} --digest-file d ${sink#* } <none
		[ -z "$stderr" ]
	done
	find x.tar images merged root l b d -printf '%p %s %i %m %T@ %C@\n' | sort >after
	diff before after
	[ "$(cat d)" = mine ]
}

@test "a stream that is cut short, or wrong, leaves the file alone" {
	echo mine >d
	with_bundle
	sed '$d' in >cut.stream
	for sink in 'pack x.tar' 'pack --dir images' 'expand --merged root' 'ocibundle --args x -- b'; do
		# shellcheck disable=SC2086 # words
		run -3 --separate-stderr occy-${sink%% *} --digest-file d ${sink#* } <cut.stream
		[ "$(cat d)" = mine ]
	done
	edit 'if .type=="config" then .digest="'"$other"'" else . end'
	for sink in 'pack x.tar' 'pack --dir images' 'expand --merged root' 'ocibundle --args x -- b'; do
		# shellcheck disable=SC2086 # words
		run -8 --separate-stderr occy-${sink%% *} --digest-file d ${sink#* } <in
		[ "$(cat d)" = mine ]
	done
}

@test "it is replaced in one step, as the user called it, and mode and link stay" {
	mkdir far
	echo old >far/d
	chmod 640 far/d
	ln -s far/d d
	before=$(stat -c %i far/d)
	occy-pack --digest-file d x.tar <in
	[ -L d ]
	[ "$(stat -c %a far/d)" = 640 ]
	[ "$(stat -c %i far/d)" != "$before" ]
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tar=x.tar"
	[ "$(ls -A far)" = d ]
}

@test "a place where it cannot be is told before anything is done" {
	mkdir d
	with_bundle
	for sink in 'pack x.tar' 'pack --dir images' 'expand --merged root' 'ocibundle --args x -- b'; do
		# shellcheck disable=SC2086 # words
		run -9 --separate-stderr occy-${sink%% *} --digest-file none/d ${sink#* } <in
		same "$stderr" "occy-${sink%% *}: none/d: No such file or directory"
		# shellcheck disable=SC2086 # words
		run -9 --separate-stderr occy-${sink%% *} --digest-file d/ ${sink#* } <in
		same "$stderr" "occy-${sink%% *}: d/: Is a directory"
	done
	[ ! -e x.tar ] && [ ! -e images ] && [ ! -e root ] && [ ! -e b/config.json ]
}

@test "what cannot be written in the end is status 9, and the image stays" {
	with_bundle
	for sink in 'pack x.tar' 'pack --dir images' 'expand --merged root' 'ocibundle --args x -- b'; do
		# shellcheck disable=SC2086 # words
		run -9 --separate-stderr occy-${sink%% *} --digest-file /dev/full ${sink#* } <in
		same "$stderr" "occy-${sink%% *}: /dev/full: No space left on device
occy-${sink%% *}: warning: ${sink##* }: published all the same; its digest is in no file"
		[[ $output != *'"type":"end"'* ]]
	done
	[ -e x.tar ] && [ -e images/manifest.json ] && [ -e root/file.txt ] && [ -e b/config.json ]
	run -9 --separate-stderr bash -c 'occy-pack --digest-file /dev/full - <in >y.tar'
	same "$stderr" "occy-pack: /dev/full: No space left on device
occy-pack: warning: stdout: published all the same; its digest is in no file"
	cmp x.tar y.tar
}

@test "where files have names until they are whole, none is left" {
	without_tmpfile=(env "LD_PRELOAD=${OCCY_TESTBIN:?}/libnotmpfile.so"
		ASAN_OPTIONS=verify_asan_link_order=0)
	run -0 --separate-stderr "${without_tmpfile[@]}" occy-pack --digest-file d x.tar <in
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tar=x.tar"
	sed -i '$d' in
	run -3 --separate-stderr "${without_tmpfile[@]}" occy-pack --digest-file d x.tar <in
	same "$(find . -maxdepth 1 -name '.?*' ! -name .cache ! -name .run)" ''
}

@test "what was left out is not in it but as a number; what came is" {
	sed -i 's/"type":"end"/&,"left_out":1/' in
	run -3 --separate-stderr occy-pack --digest-file d x.tar <in
	same "$stderr" 'occy-pack: stdin: images that were left out: 1'
	same "$(cat d)" "$digest image=docker.io/lab/a:1 tar=x.tar
left_out=1"
}

@test "a file that is none is wrong usage" {
	for tool in 'pack x.tar' 'expand --merged root' 'ocibundle --args x -- b'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr occy-${tool%% *} --digest-file '' ${tool#* } <in
		same "${stderr_lines[0]}" "occy-${tool%% *}: --digest-file: the name is empty"
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr occy-${tool%% *} --digest-file - ${tool#* } <in
		same "${stderr_lines[0]}" "occy-${tool%% *}: --digest-file: stdout is for other things"
	done
}
