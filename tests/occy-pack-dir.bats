#!/usr/bin/env bats
# occy-pack --dir: from a stream to an extracted or merged directory.
#
# Needs jq, python3 and zstd; layers are made from text.
load helpers/common

header='{"type":"stream","occy":1}'

# block IMAGE TAG ARG...: the block of an image that is made here
# (helpers/layers.py), as occy-pull names it.
block() {
	python3 "$BATS_TEST_DIRNAME/helpers/layers.py" "${@:3}" "docker.io/$1:$2" |
		jq -c --arg image "$1" --arg tag "$2" \
			'if .type=="image" then .image=$image|.tag=$tag else . end'
}

# stream [BLOCK...]: a whole stream of the blocks in these files.
stream() {
	printf '%s\n' "$header"
	((!$#)) || cat "$@"
	printf '%s\n' '{"type":"end"}'
}

# image IMAGE TAG ARG...: ./in becomes the stream of one image.
image() {
	block "$@" >one
	stream one >in
}

# edit FILTER: change the records of ./in.
edit() {
	jq -c "$1" in >in.new && mv in.new in
}

# layer N MEMBER: what layer N's record in ./in says.
layer() {
	jq -r "select(.type==\"layer\" and .index==$1).$2" in
}

config() {
	jq -r 'select(.type=="config").digest' in
}

hex() {
	printf '%s\n' "${1#*:}"
}

short() {
	local hex=${1#*:}
	printf '%s\n' "${hex:0:12}"
}

check() {
	python3 "$BATS_TEST_DIRNAME/helpers/checkdir.py" "$1"
}

# names DIR: what ls shows, hidden files too.
names() {
	(cd "$1" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort)
}

# same GOT WANTED
same() {
	diff <(lines "$1") <(lines "$2")
}

# packs ARG...: ./in is taken without a word on stderr.
packs() {
	run -0 --separate-stderr occy-pack "$@" <in
	same "$stderr" ''
}

# refused STATUS MESSAGE ARG...: ./in is refused so, without an end record.
refused() {
	run "-$1" --separate-stderr occy-pack "${@:3}" <in
	same "$stderr" "occy-pack: $2"
	[[ "$output" != *'"type":"end"'* ]]
}

# state DIR: names, kinds, bytes, inodes and times of all that is in it; of
# folders not the time.
state() {
	find "$1" ! -type d -printf '%P %y %i %T@ %l\n' -o -printf '%P %i\n' | sort
	find "$1" -type f -exec sha256sum {} + | sort
}

# --- what is in the directory

@test "an extracted directory, byte for byte" {
	image lab/a 1 gzip:one zstd:two
	packs --dir d
	c=$(hex "$(config)") l0=$(hex "$(layer 0 digest)") l1=$(hex "$(layer 1 digest)")
	same "$(names d)" "$(lines "$c.json" "$l0" "$l0/layer.tar" "$l1" "$l1/layer.tar" catalog.json manifest.json | LC_ALL=C sort)"
	printf '[{"Config":"%s.json","RepoTags":["docker.io/lab/a:1"],"Layers":["%s/layer.tar","%s/layer.tar"]}]' "$c" "$l0" "$l1" |
		cmp - d/manifest.json
	printf '{"lab/a":{"1":"manifest.json"}}' | cmp - d/catalog.json
	cmp "$(jq -r 'select(.type=="config").file' in)" "d/$c.json"
	run -0 check d
	same "$output" "$(lines "manifest.json ${c:0:12} docker.io/lab/a:1 ${l0:0:12} ${l1:0:12}" 'lab/a 1 manifest.json' '2 layers')"
}

@test "what is in it is what is in the tar" {
	image lab/a 1 gzip:one none:two xz:three
	packs --dir d
	packs x.tar
	mkdir t
	tar -xf x.tar -C t
	rm d/catalog.json
	diff -r d t
}

@test "a merged directory of two images, byte for byte" {
	block lab/a 1 gzip:base gzip:one >a
	block lab/b.c 2_x gzip:base gzip:two >b
	stream a b >in
	packs --dir d --unique-names
	base=$(hex "$(jq -r 'select(.index==0).digest' a)")
	for i in a b; do
		printf '[{"Config":"%s.json","ImageName":"%s","Layers":["%s/layer.tar","%s/layer.tar"],"RepoTags":["%s"]}]' \
			"$(hex "$(jq -r 'select(.type=="config").digest' $i)")" \
			"$(jq -r 'select(.type=="image").image' $i)" "$base" \
			"$(hex "$(jq -r 'select(.index==1).digest' $i)")" \
			"$(jq -r 'select(.type=="image").names[0]' $i)" >want.$i
	done
	cmp want.a d/manifest-lab_a-1.json
	cmp want.b d/manifest-lab_b.c-2_x.json
	printf '{"lab/a":{"1":"manifest-lab_a-1.json"},"lab/b.c":{"2_x":"manifest-lab_b.c-2_x.json"}}' | cmp - d/catalog.json
	run -0 check d
	[ "${lines[-1]}" = '3 layers' ]
	[ ! -e d/manifest.json ]
}

@test "every compression, one layer twice, no layer at all, sha512" {
	image lab/a 1 gzip:g members:m zstd:z frames:f xz:x bzip2:b none:n gzip:g
	packs --dir d
	run -0 check d
	[ "${lines[-1]}" = '7 layers' ]
	[ "$(jq '.[0].Layers | length' d/manifest.json)" = 8 ]
	image lab/a 1
	packs --dir empty
	run -0 check empty
	[ "${lines[-1]}" = '0 layers' ]
	image lab/a 1 --sha512 gzip:one
	packs --dir long
	run -0 check long
	[ "${lines[-1]}" = '1 layers' ]
}

@test "--name calls the image so, in its manifest and in the catalog" {
	image lab/a 1 gzip:one
	packs --dir d --name busybox:9
	run -0 check d
	same "$(lines "${lines[@]}")" "$(lines "manifest.json $(short "$(config)") docker.io/library/busybox:9 $(short "$(layer 0 digest)")" 'library/busybox 9 manifest.json' '1 layers')"
	edit 'if .type=="image" then del(.image,.tag,.digest,.names) else . end'
	packs --dir e -u --name quay.io/x/y:z
	same "$(cat e/catalog.json)" '{"x/y":{"z":"manifest-x_y-z.json"}}'
}

@test "a stream of names alone: filed by the first one" {
	image lab/a 1 gzip:one
	edit 'if .type=="image" then del(.image,.tag)|.names=["quay.io/x/y:2","docker.io/z:3"] else . end'
	packs --dir d -u
	same "$(cat d/catalog.json)" '{"x/y":{"2":"manifest-x_y-2.json"}}'
	same "$(jq -c '.[0].RepoTags' d/manifest-x_y-2.json)" '["quay.io/x/y:2","docker.io/z:3"]'
	edit 'if .type=="image" then .names=[] else . end'
	refused 4 "$(jq -r 'select(.type=="image").digest' in): the stream does not say image and tag, which a directory needs; --name does" --dir e
	edit 'if .type=="image" then .names=["../x:1"] else . end'
	refused 8 '../x:1: no name for a directory: ../x:1' --dir e
	[ ! -e e ]
}

# --- the stream goes on

@test "the stream goes on: plain in each layer, a directory record, our end" {
	image lab/a 1 gzip:one
	packs --dir d
	{
		head -n 3 in
		sed -n 4p in | jq -c --arg file "$PWD/d/$(hex "$(layer 0 digest)")/layer.tar" '.plain={file:$file,offset:0,length:10240}'
		lines "{\"type\":\"directory\",\"image\":\"docker.io/lab/a:1\",\"format\":\"extracted\",\"file\":\"$PWD/d\",\"manifest\":\"manifest.json\"}" \
			'{"type":"end","images":1,"records":4}'
	} >want
	same "$output" "$(cat want)"
	lines "$output" >next
	mv next in
	packs x.tar
}

@test "two images have a directory record each, before the one end" {
	block lab/a 1 gzip:one >a
	block lab/b 1 gzip:one >b
	{
		stream a
		stream b
	} >in
	packs --dir d -u
	same "$(lines "$output" | jq -r 'select(.type=="directory")|[.image,.format,.file,.manifest]|join(" ")')" \
		"$(lines "docker.io/lab/a:1 merged $PWD/d manifest-lab_a-1.json" "docker.io/lab/b:1 merged $PWD/d manifest-lab_b-1.json")"
	[ "${lines[-1]}" = '{"type":"end","images":2,"records":8}' ]
}

@test "records and members that it does not know pass through" {
	image lab/a 1 gzip:one
	sed -i '3s/^/{"type":"x-note","text":"\\u0041  b"}\n/; 2s/{/{ "x-a": [1, 2.50],/; 4s/{/{"x-b":"\\u00e9",/' in
	packs --dir d
	same "$(lines "$output" | head -n 4)" "$(head -n 4 in)"
	same "$(lines "$output" | jq -r 'select(.type=="layer")["x-b"]')" "$(jq -r 'select(.type=="layer")["x-b"]' in)"
}

@test "plain inside another file is read there, and replaced by the directory's" {
	image lab/a 1 --plain none:one
	{
		printf before
		cat "$(layer 0 plain.file)"
		printf after
	} >big
	edit 'if .type=="layer" then .file="gone"|.plain={file:"big",offset:6,length:10240} else . end'
	packs --dir d
	run -0 --separate-stderr jq -c 'select(.type=="layer")|.plain,.file' <(lines "$output")
	same "$output" "$(lines "{\"file\":\"$PWD/d/$(hex "$(layer 0 diff_id)")/layer.tar\",\"offset\":0,\"length\":10240}" '"gone"')"
	check d
}

# --- what is there already

@test "a layer that is there is proven and kept; a wrong one is written again" {
	image lab/a 1 gzip:one gzip:two
	packs --dir d
	first=d/$(hex "$(layer 0 digest)")/layer.tar
	second=d/$(hex "$(layer 1 digest)")/layer.tar
	before=$(stat -c '%i %Y %Z' "$first")
	printf x | dd of="$second" bs=1 seek=600 conv=notrunc status=none
	cp in again
	edit 'if .index==0 then del(.size)|.file="not read"|.plain={file:"not read"} else . end'
	packs --dir d
	[ "$(stat -c '%i %Y %Z' "$first")" = "$before" ]
	check d
	: >"$second"
	mv again in
	packs --dir d
	check d
}

@test "the same image again changes no name of what is there" {
	image lab/a 1 gzip:one
	packs --dir d -u
	before=$(find d -name '*.json' -exec sha256sum {} + | sort)
	packs --dir d -u
	[ "$(find d -name '*.json' -exec sha256sum {} + | sort)" = "$before" ]
	check d
}

@test "a stream where nothing has changed leaves all as it is" {
	lines "$header" '{"type":"end","images":0,"unchanged":true}' >in
	packs --dir d
	[ ! -e d ]
	image lab/a 1 gzip:one
	packs --dir d
	before=$(state d)
	lines "$header" '{"type":"end","images":0,"unchanged":true}' >in
	packs --dir d
	same "$(state d)" "$before"
	same "$output" "$(lines "$header" '{"type":"end","images":0,"records":0,"unchanged":true}')"
}

@test "what was left out is status 3, and what came is published" {
	image lab/a 1 gzip:one
	sed -i 's/"type":"end"/&,"left_out":2/' in
	run -3 --separate-stderr occy-pack --dir d <in
	same "$stderr" 'occy-pack: stdin: images that were left out: 2'
	[ "${lines[-1]}" = '{"type":"end","images":1,"records":4,"left_out":2}' ]
	check d
}

# --- who may not take a place

@test "a second image is refused where there is room for one" {
	block lab/a 1 gzip:one >a
	block lab/b 1 gzip:two >b
	stream a b >in
	refused 2 'docker.io/lab/b:1: a second image, and a directory without --unique-names is for one only' --dir d
	[ -z "$(find d -name '*manifest*' -o -name 'catalog*')" ]
	rm -r d
	refused 2 'docker.io/lab/b:1: a second image, and --name is for one only' --dir d -u --name c:1
	[ -z "$(find d -name '*manifest*' -o -name 'catalog*')" ]
}

# --- command line

@test "usage errors are status 2, and name what is wrong" {
	while IFS='|' read -r message args; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr occy-pack $args </dev/null
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "occy-pack: $message" ]
		[[ "${stderr_lines[1]}" == "usage: occy-pack "* ]]
	done <<'END'
option --dir needs an argument|--dir
option -d needs an argument|-d
unexpected argument: x|--dir d x
--unique-names and --replace are for --dir|--unique-names x
--unique-names and --replace are for --dir|-u x
--unique-names and --replace are for --dir|--replace x
option --replace takes no argument|--replace=yes --dir d
option --unique-names takes no argument|--unique-names=yes --dir d
END
	run -2 --separate-stderr occy-pack --dir '' </dev/null
	[ "${stderr_lines[0]}" = 'occy-pack: --dir: the name is empty' ]
	[ ! -e d ]
}

@test "what cannot be written is status 9 before a record is read" {
	: >file
	while IFS='|' read -r message dir; do
		run -9 --separate-stderr timeout 5 bash -c "occy-pack --dir $dir < <(sleep 30)"
		same "$stderr" "occy-pack: $message"
		[ "$output" = "$header" ]
	done <<'END'
no/such: No such file or directory|no/such
file: Not a directory|file
file/d: Not a directory|file/d
/proc/d: No such file or directory|/proc/d
END
	ln -s nowhere link
	run -9 --separate-stderr timeout 5 bash -c 'occy-pack --dir link < <(sleep 30)'
	same "$stderr" 'occy-pack: link: No such file or directory'
	ln -s loop loop
	run -9 --separate-stderr timeout 5 bash -c 'occy-pack --dir loop < <(sleep 30)'
	same "$stderr" 'occy-pack: loop: Too many levels of symbolic links'
}

@test "DIR may be a link to a folder, begin with a dash, hold a newline" {
	image lab/a 1 gzip:one
	mkdir real
	ln -s real link
	packs --dir link
	check real
	packs --dir -d
	check ./-d
	packs --dir $'a \nb/'
	check $'a \nb'
}

# --- bad streams and bytes

@test "a stream cut anywhere publishes no image" {
	image lab/a 1 gzip:one gzip:two
	cp in whole
	count=$(wc -l <whole)
	for n in $(seq $((count - 1))); do
		head -n "$n" whole >in
		refused 3 "stdin:$n: stream ends without an end record" --dir d
		[ ! -e d/manifest.json ]
		[ ! -e d/catalog.json ]
		[ -z "$(find . -name '.part*')" ]
	done
	cp whole in
	packs --dir d
	check d
}

@test "layers that do not fit the config, other bytes, a missing file: exact statuses" {
	image lab/a 1 gzip:one gzip:two
	cp in good
	two="docker.io/lab/a:1: layer 1 $(layer 1 digest)"
	edit 'del(.layers)|select(.index!=1)'
	refused 8 'docker.io/lab/a:1: layer 1 is missing' --dir d
	jq -c 'if .index==1 then .diff_id="sha256:\("00"*32)" else . end' good >in
	refused 8 "$two: diff_id mismatch: its record says sha256:$(printf '00%.0s' {1..32}), the config $(jq -r 'select(.index==1).diff_id' good)" --dir d
	jq -c --arg file "$(jq -r 'select(.index==0).file' good)" 'if .index==1 then del(.size)|.file=$file else . end' good >in
	refused 8 "$two: diff_id mismatch, got $(jq -r 'select(.index==0).diff_id' good)" --dir d
	jq -c 'if .index==1 then .file="gone" else . end' good >in
	refused 9 'gone: No such file or directory' --dir d
	jq -c 'select(.type!="config")' good >in
	refused 3 "docker.io/lab/a:1: layer 0 $(jq -r 'select(.index==0).digest' good): no config record came before" --dir d
	[ ! -e d/manifest.json ]
	[ ! -e "d/$(hex "$(jq -r 'select(.index==1).digest' good)")" ]
	cp good in
	packs --dir d
	check d
}

# --- ends that are not ours to choose

@test "a reader of the stream that is gone: nothing is published" {
	image lab/a 1 gzip:one
	run -141 --separate-stderr bash -c '{ sleep 0.5; occy-pack --dir d <in; } | true
		exit "${PIPESTATUS[0]}"'
	same "$stderr" ''
	[ ! -e d ]
}

@test "standard output that cannot be written is status 9, and nothing is made" {
	image lab/a 1 gzip:one
	run -9 --separate-stderr bash -c 'occy-pack --dir d <in >/dev/full'
	same "$stderr" 'occy-pack: stdout: No space left on device'
	[ ! -e d ]
}

# start COMMAND...: begin occy-pack on a stream that does not end, and wait until
# it has passed on layer 0.
start() {
	mkfifo stream
	"$@" occy-pack --dir d <stream >passed &
	pid=$!
	exec 9>stream
	head -n -1 in >&9
	within 10 grep -q '"index":0' passed
}

@test "KILL leaves layers and no dot-file; TERM is died by" {
	image lab/a 1 gzip:one
	for signal in KILL TERM; do
		start env
		kill "-$signal" "$pid"
		code=0
		wait "$pid" || code=$?
		exec 9>&-
		rm stream
		[ "$code" = $((128 + $(kill -l $signal))) ]
		same "$(names d)" "$(lines "$(hex "$(layer 0 digest)")" "$(hex "$(layer 0 digest)")/layer.tar")"
	done
	packs --dir d
	check d
}

# Filesystems without O_TMPFILE: a small library takes it away.
without_tmpfile=(env "LD_PRELOAD=${OCCY_TESTBIN:?}/libnotmpfile.so"
	ASAN_OPTIONS=verify_asan_link_order=0)

@test "without O_TMPFILE: the same directory, nothing left behind" {
	image lab/a 1 gzip:one gzip:two
	packs --dir want -u
	run -0 --separate-stderr "${without_tmpfile[@]}" occy-pack --dir d -u <in
	diff -r want d
	printf x >"d/$(hex "$(layer 0 digest)")/layer.tar"
	run -0 --separate-stderr "${without_tmpfile[@]}" occy-pack --dir d -u <in
	diff -r want d
	same "$(names d)" "$(names want)"
	cp "$(layer 0 file)" changed
	edit 'if .index==1 then del(.size)|.file="changed" else . end'
	rm -r d
	run -8 --separate-stderr "${without_tmpfile[@]}" occy-pack --dir d -u <in
	[ -z "$(find d -name '.*' -o -name '*manifest*' -o -name 'catalog*')" ]
}

@test "without O_TMPFILE: a signal in a layer leaves no dot-file" {
	image lab/a 1 gzip:one gzip:two
	mkfifo stream
	# A layer that takes its time: a reader cannot be slow, but its bytes many.
	head -c 300M /dev/zero >big
	id=sha256:$(sha256sum <big | cut -c1-64)
	printf '{"rootfs":{"diff_ids":["%s"]}}' "$id" >cfg
	lines "$header" '{"type":"image","image":"lab/a","tag":"1"}' \
		"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
		"{\"type\":\"layer\",\"index\":0,\"diff_id\":\"$id\",\"plain\":{\"file\":\"big\"}}" >in
	"${without_tmpfile[@]}" occy-pack --dir d <in >passed &
	pid=$!
	within 10 found
	kill -TERM "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" = 143 ]
	[ -z "$(find d -name '.part*')" ]
}

found() {
	[ -n "$(find d -name '.part*' 2>/dev/null)" ]
}

# --- size

@test "a large layer, written and proven, within 32 MiB of memory" {
	head -c 64M /dev/zero | gzip -1 >member
	cat member member member member >big
	id=sha256:$(head -c 256M /dev/zero | sha256sum | cut -c1-64)
	printf '{"rootfs":{"diff_ids":["%s"]}}' "$id" >cfg
	lines "$header" '{"type":"image","image":"lab/a","tag":"1"}' \
		"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
		"{\"type\":\"layer\",\"index\":0,\"diff_id\":\"$id\",\"file\":\"big\"}" '{"type":"end"}' >in
	for _ in written proven; do
		python3 -c 'import resource, subprocess, sys
p = subprocess.run(["occy-pack", "--dir", "d"], stdout=subprocess.DEVNULL)
with open("memory", "w") as f:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=f)
sys.exit(p.returncode)' <in
		# A sanitizer has a memory of its own.
		grep -qE '__(asan|tsan)_init' "$OCCY_BINDIR/occy-pack" ||
			[ "$(cat memory)" -lt 32768 ]
	done
	[ "$(stat -c %s "d/$(hex "$id")/layer.tar")" = 268435456 ]
}

# --- hostile directories

@test "a catalog that leads to no manifest is refused: nothing outside is read or written" {
	image lab/a 1 gzip:one
	mkdir -p top/in/d
	for file in ../../x ../x /etc/passwd x/manifest-a.json manifest-../x.json ../manifest-a.json catalog.json \
		"$(hex "$(config)").json" .hidden manifest-x manifest-.jsonx 'manifest-\u001b.jso'; do
		printf '{"lab/a":{"1":"%s"}}' "$file" >top/in/d/catalog.json
		before=$(state top)
		for option in '' -u --replace '-u --replace'; do
			# shellcheck disable=SC2086
			run -8 --separate-stderr occy-pack --dir top/in/d $option <in
			same "$stderr" "occy-pack: top/in/d/catalog.json: lab/a 1 leads to what is no manifest: ${file/\\u001b/\\x1b}"
			same "$(state top)" "$before"
		done
	done
}

@test "a catalog that is none is refused, and stays" {
	image lab/a 1 gzip:one
	mkdir d
	while IFS='|' read -r why text; do
		printf '%s' "$text" >d/catalog.json
		for option in '' '-u --replace'; do
			# shellcheck disable=SC2086
			refused 8 "d/catalog.json: $why" --dir d $option
			[ "$(cat d/catalog.json)" = "$text" ]
			[ -z "$(find d -name 'manifest*')" ]
		done
	done <<'END'
not a catalog|[]
not a catalog|"x"
not a catalog|{"lab/a":["1"]}
not a catalog|{"lab/a":{"1":1}}
not a catalog|{"lab/a":{"1":null}}
not a catalog|{"lab/b":{"1":{}}}
not a catalog|{"lab/b":null}
END
	for text in '' '{' '{"a":{},"a":{}}' '{} x' "$(printf '\377')"; do
		printf '%s' "$text" >d/catalog.json
		run -8 --separate-stderr occy-pack --dir d <in
		[[ "$stderr" == "occy-pack: d/catalog.json: "* ]]
		[ "${#stderr_lines[@]}" = 1 ]
		[ "$(cat d/catalog.json)" = "$text" ]
	done
}

# odd KIND PATH: something of that kind there, which must not be read.
odd() {
	rm -rf "$2"
	case $1 in
	link) ln -s "$PWD/secret" "$2" ;;
	dangling) ln -s "$PWD/nowhere" "$2" ;;
	fifo | held) mkfifo "$2" ;;
	folder) mkdir "$2" ;;
	huge) truncate -s 5M "$2" ;;
	esac
	# A FIFO that somebody holds open: it would never come to an end.
	[ "$1" != held ] || exec 8<>"$2"
}

@test "what is no regular file is not read, and replaced where something proven goes" {
	image lab/a 1 gzip:one
	packs --dir d
	cp -a d good
	c=d/$(hex "$(config)").json
	for kind in link dangling fifo held huge; do
		for file in "$c" "d/$(hex "$(layer 0 digest)")/layer.tar"; do
			cp "$(layer 0 file)" secret
			odd $kind "$file"
			before=$(stat -c '%i %s %Y' secret)
			run -0 --separate-stderr timeout 20 occy-pack --dir d <in
			same "$stderr" ''
			diff -r good d
			[ ! -e nowhere ]
			[ "$(stat -c '%i %s %Y' secret)" = "$before" ]
			exec 8>&-
		done
	done
}

@test "a catalog or manifest that is no regular file is status 9" {
	image lab/a 1 gzip:one
	for file in d/catalog.json d/manifest.json; do
		while IFS='|' read -r kind why; do
			rm -rf d
			mkdir d
			printf '{"lab/a":{"1":"manifest.json"}}' >d/catalog.json
			cp d/catalog.json secret
			odd "$kind" $file
			run -9 --separate-stderr timeout 20 occy-pack --dir d <in
			same "$stderr" "occy-pack: $file: $why"
			[ "$(stat -c %F $file)" != 'regular file' ]
			exec 8>&-
		done <<'END'
link|is a symbolic link
dangling|is a symbolic link
fifo|not a regular file
held|not a regular file
folder|not a regular file
END
	done
	printf '{"lab/a":{"1":"manifest-lab_a-1.json"}}' >secret
	rm -rf d
	mkdir d
	ln -s ../secret d/manifest-lab_a-1.json
	refused 9 'd/manifest-lab_a-1.json: is a symbolic link' --dir d -u
	packs --dir d -u --replace
	[ ! -L d/manifest-lab_a-1.json ]
	[ "$(cat secret)" = '{"lab/a":{"1":"manifest-lab_a-1.json"}}' ]
	check d
}

@test "a folder in a file's place, and the other way round, is status 9" {
	image lab/a 1 gzip:one
	l=$(hex "$(layer 0 digest)")
	mkdir -p "d/$l/layer.tar"
	refused 9 "d/$l/layer.tar: Is a directory" --dir d
	rm -r "d/$l"
	: >"d/$l"
	refused 9 "d/$l: Not a directory" --dir d
	rm "d/$l"
	mkdir elsewhere
	ln -s ../elsewhere "d/$l"
	refused 9 "d/$l: Not a directory" --dir d
	[ -z "$(ls -A elsewhere)" ]
	rm -f "d/$l" "d/$(hex "$(config)").json"
	mkdir "d/$(hex "$(config)").json"
	run -9 --separate-stderr occy-pack --dir d <in
	same "$stderr" "occy-pack: d/$(hex "$(config)").json: Is a directory"
	[ -z "$(find d -name '.*' -o -name '*manifest*' -o -name 'catalog*')" ]
}

@test "a DIR that was made for nothing goes, and an empty one that was there stays" {
	image lab/a 1 gzip:one
	cp "$(layer 0 file)" good
	head -c 100 good >part
	edit 'if .type=="layer" then del(.size)|.file="part" else . end'
	refused 8 "docker.io/lab/a:1: layer 0 $(layer 0 digest): compressed data is cut short" --dir d
	[ ! -e d ]
	mkdir d
	refused 8 "docker.io/lab/a:1: layer 0 $(layer 0 digest): compressed data is cut short" --dir d
	same "$(names d)" ''
}

# --- who may not take a place that is taken

# taken STATUS MESSAGE ARG...: refused, nothing of what is in d changes; with
# --replace it is done.
taken() {
	local before
	before=$(find d -name '*.json' -exec sha256sum {} + | sort)
	refused "$@" --dir d
	same "$(find d -name '*.json' -exec sha256sum {} + | sort)" "$before"
}

@test "another image, tag, registry or platform is refused, and --replace takes its place" {
	image lab/a 1 gzip:one
	cp in first
	keep='--unique-names keeps several images, --replace puts this one in its place'
	packs --dir d
	for change in '.image="lab/b"|.names=["docker.io/lab/b:1"]' '.tag="2"|.names=["docker.io/lab/a:2"]' \
		'.names=["quay.io/lab/a:1"]' '.names=[]|del(.tag)'; do
		jq -c "if .type==\"image\" then $change else . end" first >in
		taken 1 "d/manifest.json: stands for another image: docker.io/lab/a:1; $keep"
	done
	OCCY_WRAPPED=1 taken 1 "d/manifest.json: stands for another image: docker.io/lab/a:1; --use-${keep#--}"
	jq -c 'if .type=="image" then .tag="2"|.names=["docker.io/lab/a:2"] else . end' first >in
	packs --dir d --replace
	run -0 check d
	same "$(lines "${lines[@]:1}")" "$(lines 'lab/a 2 manifest.json' '1 layers')"
	mv first in
	taken 1 "d/manifest.json: stands for another image: docker.io/lab/a:2; $keep"
}

@test "in a merged directory: another registry and platform, not another tag" {
	image lab/a 1 gzip:one
	cp in first
	packs --dir d -u
	edit 'if .type=="image" then .names=["quay.io/lab/a:1"] else . end'
	taken 1 'd/manifest-lab_a-1.json: stands for another image: docker.io/lab/a:1; --replace puts this one in its place' -u
	config=$(jq -r 'select(.type=="config").file' first)
	sed 's/amd64/arm64/' "$config" >arm
	jq -c --arg digest "sha256:$(sha256sum <arm | cut -c1-64)" \
		'if .type=="config" then .digest=$digest|.file="arm"|del(.size) else . end' first >in
	taken 1 'd/manifest-lab_a-1.json: stands for another platform of docker.io/lab/a:1; --replace puts this one in its place' -u
	packs --dir d -u --replace
	run -0 check d
	[ "${lines[0]}" = "lab/a 1 manifest-lab_a-1.json" ] || [ "${lines[1]}" = "lab/a 1 manifest-lab_a-1.json" ]
	cmp arm "d/$(sha256sum <arm | cut -c1-64).json"
	jq -c 'if .type=="image" then .tag="2"|.names=["docker.io/lab/a:2"] else . end' first >in
	packs --dir d -u
	check d
	[ "$(jq -c . d/catalog.json)" = '{"lab/a":{"1":"manifest-lab_a-1.json","2":"manifest-lab_a-2.json"}}' ]
}

@test "a tag that moved is followed" {
	for option in '' -u; do
		rm -rf d
		image lab/a 1 gzip:one
		# shellcheck disable=SC2086
		packs --dir d $option
		image lab/a 1 gzip:one gzip:two
		# shellcheck disable=SC2086
		packs --dir d $option
		run -0 check d
		[[ "$output" == *" $(short "$(config)") docker.io/lab/a:1 $(short "$(layer 0 digest)") $(short "$(layer 1 digest)")"* ]]
	done
}

@test "an entry of another registry is refused where the file's name changes, too" {
	image lab/a 1 gzip:one
	cp in first
	packs --dir d -u
	edit 'if .type=="image" then .names=["quay.io/lab/a:1"] else . end'
	taken 1 'd/manifest-lab_a-1.json: stands for another image: docker.io/lab/a:1; --unique-names keeps several images, --replace puts this one in its place'
	rm -r d
	packs --dir d
	cp first in
	taken 1 'd/manifest.json: stands for another image: quay.io/lab/a:1; --replace puts this one in its place' -u
}

@test "extracted, then merged: the image gets a manifest of its own" {
	image lab/a 1 gzip:one
	packs --dir d
	packs --dir d -u
	run -0 check d
	[ "${lines[-2]}" = 'lab/a 1 manifest-lab_a-1.json' ]
	image lab/b 1 gzip:one gzip:two
	packs --dir d -u
	run -0 check d
	[ "${lines[-1]}" = '2 layers' ]
}

@test "a manifest of several images is not cut down to one" {
	block lab/a 1 gzip:one >a
	block lab/b 1 gzip:two >b
	stream a b >in
	packs both.tar
	mkdir d
	tar -xf both.tar -C d
	stream a >in
	taken 1 'd/manifest.json: stands for several images; --unique-names keeps several images, --replace puts this one in their place'
	for text in '[]' '{}' '"x"'; do
		echo "$text" >d/manifest.json
		taken 8 'd/manifest.json: not a manifest'
	done
	packs --dir d --replace
	check d
}

# hash IMAGE TAG: what tells a name from others that look the same.
hash() {
	printf '%s %s' "$1" "$2" | sha256sum | cut -c1-12
}

@test "names that look the same in a file's name are kept apart" {
	block a-b c gzip:one >s1
	block a b-c gzip:two >s2
	block x/y 1 gzip:one >s3
	block x_y 1 gzip:two >s4
	block x/y_z 1 gzip:one >s5
	block x/y/z 1 gzip:three >s6
	stream s1 s2 s3 s4 s5 s6 >in
	packs --dir d -u
	jq -S . d/catalog.json >got
	jq -nS --arg two "manifest-a-b-c-$(hash a b-c).json" --arg four "manifest-x_y-1-$(hash x_y 1).json" \
		--arg six "manifest-x_y_z-1-$(hash x/y/z 1).json" '{"a-b":{"c":"manifest-a-b-c.json"},"a":{"b-c":$two},
		"x/y":{"1":"manifest-x_y-1.json"},"x_y":{"1":$four},
		"x/y_z":{"1":"manifest-x_y_z-1.json"},"x/y/z":{"1":$six}}' | diff - got
	check d
	before=$(find d -name '*.json' -exec sha256sum {} + | sort)
	for one in s6 s5 s4 s3 s2 s1; do
		stream $one >in
		packs --dir d -u
	done
	[ "$(find d -name '*.json' -exec sha256sum {} + | sort)" = "$before" ]
}

@test "a manifest that no catalog names yet is kept apart by what it says" {
	image a-b c gzip:one
	cp in first
	packs --dir d -u
	cp d/manifest-a-b-c.json whole
	rm d/catalog.json
	image a b-c gzip:two
	packs --dir d -u
	cmp whole d/manifest-a-b-c.json
	same "$(cat d/catalog.json)" "{\"a\":{\"b-c\":\"manifest-a-b-c-$(hash a b-c).json\"}}"
	mv first in
	packs --dir d -u
	[ "$(jq -r '."a-b".c' d/catalog.json)" = manifest-a-b-c.json ]
	check d
}

@test "a name that is too long for a file is cut, and a hash tells it from others" {
	long=$(printf 'l%.0s' {1..120})/$(printf 'm%.0s' {1..120})
	block "$long" 1 gzip:one >s1
	block "${long}m" 1 gzip:two >s2
	stream s1 s2 >in
	packs --dir d -u
	cut=manifest-$(printf 'l%.0s' {1..100})-1
	same "$(jq -r '.[][]' d/catalog.json)" "$(lines "$cut-$(hash "$long" 1).json" "$cut-$(hash "${long}m" 1).json")"
	check d
}

# at_every_step ARG...: occy-pack on ./in, killed before each of its steps in
# turn, begun anew from a copy of ./start; then it is done. Every name in d is
# true each time. $steps counts.
at_every_step() {
	local code
	for ((steps = 1; steps < 100; steps++)); do
		rm -rf d
		[ ! -e start ] || cp -a start d
		code=0
		LD_PRELOAD=$OCCY_TESTBIN/libdieat.so ASAN_OPTIONS=verify_asan_link_order=0 OCCY_DIE_AT=$steps \
			occy-pack --dir d "$@" <in >passed || code=$?
		rm -f d/.part.*
		entries_are_true
		((code)) || return 0
		[ "$code" = 137 ]
		packs --dir d "$@"
		entries_are_true
	done
	false
}

# entries_are_true: what an entry leads to is of its image.
entries_are_true() {
	check d >checked
	[ ! -e d/catalog.json ] ||
		jq -r 'to_entries[] | .key as $image | .value | to_entries[] | "\(.value) docker.io/\($image):\(.key)"' d/catalog.json |
		while read -r file name; do
			[ "$(jq -r '.[0].RepoTags[0]' "d/$file")" = "$name" ] || return 1
		done
}

@test "killed between any two steps: every name is true, and the next run finishes" {
	image lab/a 1 gzip:one gzip:two
	at_every_step
	[ "$steps" -ge 7 ]
	at_every_step -u
	packs --dir start -u
	image lab/b 1 gzip:one gzip:three
	at_every_step -u
	[ "$steps" -ge 5 ]
	image lab/a 1 gzip:two gzip:three
	at_every_step -u
}

@test "killed in --replace: no entry leads to another image" {
	image lab/a 1 gzip:one
	packs --dir start
	image lab/b 2 gzip:two
	at_every_step --replace
	[ "$steps" -ge 8 ]
	run -0 check d
	[ "${lines[1]}" = 'lab/b 2 manifest.json' ]
}

@test "names that are none are refused, and nothing is made" {
	image lab/a 1 gzip:one
	cp in good
	while IFS='|' read -r shown image tag; do
		jq -c --argjson image "$image" --argjson tag "$tag" \
			'if .type=="image" then .image=$image|.tag=$tag else . end' good >in
		for kind in '' -u; do
			# shellcheck disable=SC2086
			refused 8 "docker.io/lab/a:1: no name for a directory: $shown" --dir d $kind --replace
			[ ! -e d ]
		done
	done <<'END'
../x 1|"../x"|"1"
/x 1|"/x"|"1"
a/../../x 1|"a/../../x"|"1"
.hidden 1|".hidden"|"1"
a/./b 1|"a/./b"|"1"
a//b 1|"a//b"|"1"
a/ 1|"a/"|"1"
a ../../x|"a"|"../../x"
a /x|"a"|"/x"
a x\x0ay|"a"|"x\ny"
a\x1b[2J 1|"a\u001b[2J"|"1"
a b 1|"a b"|"1"
 1|""|"1"
a|"a"|""
END
	long=$(printf 'a%.0s' {1..600})
	jq -c --arg image "$long" 'if .type=="image" then .image=$image else . end' good >in
	run -8 --separate-stderr occy-pack --dir d -u <in
	[[ "$stderr" == 'occy-pack: docker.io/lab/a:1: no name for a directory: aaa'* ]]
	[ "${#stderr}" -lt 1000 ]
	[ ! -e d ]
}

@test "a tag may hold two dots" {
	image lab/a 1..2 gzip:one
	packs --dir d -u
	check d
	same "$(cat d/catalog.json)" '{"lab/a":{"1..2":"manifest-lab_a-1..2.json"}}'
}

@test "one key for two images of a stream is refused before any appears" {
	block lab/a 1 gzip:one >a
	block lab/a 1 gzip:two >b
	stream a b >in
	refused 1 'docker.io/lab/a:1: two different images are called lab/a 1' --dir d -u --replace
	[ -z "$(find d -name 'manifest*' -o -name 'catalog*')" ]
	stream a a >in
	packs --dir d -u
	[ "$(lines "$output" | grep -c '"type":"directory"')" = 2 ]
	check d
}

@test "a digest that is only claimed replaces no other image's layer" {
	image lab/a 1 gzip:one
	packs --dir d -u
	cp in first
	digest=$(layer 0 digest)
	image lab/b 1 gzip:two
	cp in second
	before=$(state d)
	why="docker.io/lab/b:1: layer 0 $digest: d/$(hex "$digest")/layer.tar holds something else, and nothing proves that the name is this layer's"
	for claim in .digest_unchecked=true . '.plain={file:.file}|del(.file)'; do
		jq -c --arg digest "$digest" "if .type==\"layer\" then .digest=\$digest|$claim else . end" second >in
		for option in '' --replace; do
			# shellcheck disable=SC2086
			refused 8 "$why" --dir d -u $option
			same "$(state d)" "$before"
		done
	done
	# Where it was free, it may have been taken so; who proves it gets it.
	jq -c --arg digest "$digest" 'if .type=="layer" then .digest=$digest|.digest_unchecked=true else . end' second >in
	packs --dir e -u
	cp first in
	packs --dir e -u
	[ "sha256:$(sha256sum <"e/$(hex "$digest")/layer.tar" | cut -c1-64)" = "$(layer 0 diff_id)" ]
}

@test "a wrong uncompressed_size is refused, written or there already" {
	image lab/a 1 gzip:one
	edit 'if .type=="layer" then .uncompressed_size=10241 else . end'
	for _ in written there; do
		refused 8 "docker.io/lab/a:1: layer 0 $(layer 0 digest): size mismatch: its record says 10241 bytes uncompressed, but 10240 came" --dir d
		[ ! -e d/manifest.json ]
	done
	edit 'if .type=="layer" then .uncompressed_size=10240 else . end'
	packs --dir d
	check d
}

@test "who gives up a new DIR does not take it from another writer" {
	image lab/a 1 gzip:one
	mkfifo first second
	occy-pack --dir d -u <first >/dev/null 2>first.err &
	one=$!
	exec 7>first
	within 10 test -d d
	occy-pack --dir d -u <second >second.out 7>&- &
	two=$!
	exec 9>second
	within 10 test -s second.out
	sleep 0.2
	exec 7>&-
	code=0
	wait $one || code=$?
	[ "$code" = 3 ]
	[ -d d ]
	cat in >&9
	exec 9>&-
	wait $two
	check d
}

@test "what names an image is written by one at a time" {
	mkdir d
	for i in {1..8}; do
		block lab/a "$i" gzip:common "gzip:own $i" >one
		stream one >"in.$i"
	done
	exec 8<d
	flock -s 8
	pids=()
	for i in {1..8}; do
		occy-pack --dir d -u <"in.$i" >"out.$i" 8<&- &
		pids+=($!)
	done
	for i in {1..8}; do
		within 10 grep -q '"index":1' "out.$i"
	done
	sleep 0.5
	[ -z "$(find d -name '*manifest*' -o -name 'catalog*')" ]
	exec 8<&-
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	run -0 check d
	[ "${lines[-1]}" = '9 layers' ]
	same "$(jq -r '."lab/a"|keys|join(" ")' d/catalog.json)" '1 2 3 4 5 6 7 8'
}
