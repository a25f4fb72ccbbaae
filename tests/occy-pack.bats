#!/usr/bin/env bats
# occy-pack: from a stream to a docker-save tar.
#
# Needs jq, python3, util-linux (script) and zstd; layers are made from text.

load helpers/common

header='{"type":"stream","occy":1}'

# layers ARG...: the block of an image that is made here (helpers/layers.py).
layers() {
	python3 "$BATS_TEST_DIRNAME/helpers/layers.py" "$@"
}

# stream [BLOCK...]: a whole stream of the blocks in these files.
stream() {
	printf '%s\n' "$header"
	((!$#)) || cat "$@"
	printf '%s\n' '{"type":"end"}'
}

# image ARG...: the stream of one image.
image() {
	layers "$@" >block
	stream block
}

check() {
	python3 "$BATS_TEST_DIRNAME/helpers/checktar.py" "$1"
}

# layer N MEMBER: what layer N's record in ./in says.
layer() {
	jq -r "select(.type==\"layer\" and .index==$1).$2" in
}

config() {
	jq -r 'select(.type=="config").digest' in
}

# edit FILTER: change the records of ./in.
edit() {
	jq -c "$1" in >in.new && mv in.new in
}

# Nothing but what the test made itself: no tar, no temporary file.
nothing_new() {
	[ ! -e out ] || return 1
	[ -z "$(find . -maxdepth 1 -name '.*' ! -name . ! -name .cache)" ]
}

short() {
	local hex=${1#*:}
	printf '%s\n' "${hex:0:12}"
}

# --- what is in the tar

@test "an image becomes config, layers and manifest.json" {
	image docker.io/lab/a:1 gzip:one gzip:two >in

	run -0 --separate-stderr occy-pack out <in
	[ -z "$stderr" ]
	run -0 check out
	[ "${lines[0]}" = "$(short "$(config)") docker.io/lab/a:1 $(short "$(layer 0 digest)") $(short "$(layer 1 digest)")" ]
	[ "${lines[1]}" = "4 members" ]
	run -0 tar -tf out
	[ "${lines[0]}" = "$(config | cut -d: -f2).json" ]
	[ "${lines[1]}" = "$(layer 0 digest | cut -d: -f2)/layer.tar" ]
	[ "${lines[3]}" = "manifest.json" ]
}

@test "the stream goes on as it came, a tar record and our own end after it" {
	image docker.io/lab/a:1 gzip:one >in
	{
		head -n -1 in
		lines "{\"type\":\"tar\",\"image\":\"docker.io/lab/a:1\",\"format\":\"docker-save\",\"file\":\"out\",\"size\":13824}" \
			'{"type":"end","images":1,"records":4}'
	} >want

	run -0 --separate-stderr occy-pack out <in
	diff want <(lines "$output")
	[ "$(stat -c %s out)" = 13824 ]
}

@test "records and members that it does not know pass through" {
	image docker.io/lab/a:1 gzip:one >in
	sed -i '3s/^/{"type":"x-note","text":"\\u0041  b"}\n/; 2s/{/{ "x-a": [1, 2.50],/' in

	run -0 --separate-stderr occy-pack out <in
	diff <(head -n -1 in) <(lines "$output" | head -n -2)
}

@test "compression is told by the bytes: gzip, zstd, xz, bzip2, none" {
	for kind in gzip members zstd frames xz bzip2 none; do
		image docker.io/lab/a:1 "$kind:some text" >in
		edit 'if .type=="layer" then .compression="gzip"|.mediaType="x/y+zstd" else . end'

		run -0 --separate-stderr occy-pack out <in
		run -0 check out
		[ "${lines[1]}" = "3 members" ]
	done
}

@test "an image of no layers and an empty layer" {
	image docker.io/lab/a:1 >in
	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	[ "${lines[0]}" = "$(short "$(config)") docker.io/lab/a:1" ]

	empty=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	: >nothing
	printf '{"rootfs":{"diff_ids":["%s"]}}' $empty >cfg
	{
		lines '{"type":"image"}' \
			"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
			"{\"type\":\"layer\",\"index\":0,\"digest\":\"$empty\",\"file\":\"nothing\"}"
	} >block
	stream block >in
	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	[ "${lines[1]}" = "3 members" ]
}

@test "zstd, xz and bzip2 of nothing are an empty layer" {
	empty=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	printf '{"rootfs":{"diff_ids":["%s"]}}' $empty >cfg
	python3 -c 'import lzma,bz2,gzip,sys
open("l0","wb").write(lzma.compress(b"")); open("l1","wb").write(bz2.compress(b"")); open("l2","wb").write(gzip.compress(b""))'
	zstd -q -c </dev/null >l3
	for i in 0 1 2 3; do
		lines '{"type":"image"}' \
			"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
			"{\"type\":\"layer\",\"index\":0,\"digest\":\"sha256:$(sha256sum <l$i | cut -c1-64)\",\"file\":\"l$i\"}" >block
		stream block >in
		run -0 --separate-stderr occy-pack out <in
		run -0 check out
	done
}

@test "sha512 digests, with a name that fits no ustar header" {
	image --sha512 docker.io/lab/a:1 gzip:one >in

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	run -0 tar -tf out
	[ "${lines[0]}" = "$(config | cut -d: -f2).json" ]
	[ "${lines[1]}" = "$(layer 0 digest | cut -d: -f2)/layer.tar" ]
}

@test "a layer without a digest is named by its diff_id" {
	image --plain docker.io/lab/a:1 none:one >in
	edit 'del(.layers)'

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	[ "${lines[0]}" = "$(short "$(config)") docker.io/lab/a:1 $(short "$(layer 0 diff_id)")" ]
}

@test "a digest that nobody has checked is the layer's name all the same" {
	image --plain docker.io/lab/a:1 none:one >in
	edit 'if .type=="layer" then .digest="sha256:\("ab"*32)"|.digest_unchecked=true else . end'

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	[ "${lines[0]}" = "$(short "$(config)") docker.io/lab/a:1 abababababab" ]
}

@test "a layer inside another file lies at offset and length" {
	image --plain docker.io/lab/a:1 none:one >in
	plain=$(layer 0 plain.file)
	{
		printf 'before'
		cat "$plain"
		printf 'after'
	} >big
	edit "if .type==\"layer\" then .plain={file:\"big\",offset:6,length:10240} else . end"

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
}

@test "plain is taken before file" {
	image docker.io/lab/a:1 gzip:one >in
	gzip -dc "$(layer 0 file)" >plain.tar
	edit 'if .type=="layer" then .file="gone"|.plain={file:"plain.tar"} else . end'

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
}

@test "a plain tar may begin like a gzip file" {
	printf '\037\213 and no more' >odd
	id=sha256:$(sha256sum <odd | cut -c1-64)
	printf '{"rootfs":{"diff_ids":["%s"]}}' "$id" >cfg
	lines '{"type":"image"}' \
		"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
		"{\"type\":\"layer\",\"index\":0,\"digest\":\"$id\",\"diff_id\":\"$id\",\"file\":\"odd\"}" >block
	stream block >in

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
}

@test "two runs make the same bytes, in another folder too" {
	image docker.io/lab/a:1 gzip:one zstd:two >in
	run -0 occy-pack first <in
	sleep 1.1
	mkdir sub
	run -0 occy-pack sub/second <in
	cmp first sub/second
}

# --- names, and several images

@test "--name calls the image so, by its full name" {
	image docker.io/lab/a:1 docker.io/lab/b:1 gzip:one >in

	run -0 --separate-stderr occy-pack --name busybox:9 out <in
	run -0 check out
	[ "${lines[0]}" = "$(short "$(config)") docker.io/library/busybox:9 $(short "$(layer 0 digest)")" ]
}

@test "--name is for one image" {
	layers docker.io/lab/a:1 gzip:one >a
	layers docker.io/lab/b:1 gzip:two >b
	stream a b >in

	run -2 --separate-stderr occy-pack --name c:1 out <in
	[ "$stderr" = "occy-pack: docker.io/lab/b:1: a second image, and --name is for one only" ]
	nothing_new
}

@test "--name that is none, or a digest, is a usage error" {
	run -2 --separate-stderr occy-pack --name 'A:1' out </dev/null
	[[ "$stderr" == "occy-pack: --name: "* ]]
	run -2 --separate-stderr occy-pack --name "a@sha256:$(printf 'ab%.0s' {1..32})" out </dev/null
	[[ "$stderr" == *"is no name but a digest"* ]]
	nothing_new
}

@test "an image without a name has no tags, and its tar record a digest" {
	image gzip:one >in
	run -0 --separate-stderr occy-pack out <in
	[[ "$output" == *"\"type\":\"tar\",\"image\":\"$(jq -r 'select(.type=="image").digest' in)\""* ]]
	run -0 check out
	[ "${lines[0]}" = "$(short "$(config)") - $(short "$(layer 0 digest)")" ]

	image --no-image gzip:one >in
	run -0 --separate-stderr occy-pack out <in
	[[ "$output" == *"\"type\":\"tar\",\"image\":\"$(config)\""* ]]
}

@test "several images share their layers" {
	layers docker.io/lab/a:1 gzip:base gzip:one >a
	layers docker.io/lab/b:1 docker.io/lab/b:2 gzip:base gzip:two >b
	stream a b >in

	run -0 --separate-stderr occy-pack out <in
	[ "$(grep -c '"type":"tar"' <<<"$output")" = 2 ]
	run -0 check out
	[ "${#lines[@]}" = 3 ]
	[[ "${lines[1]}" == *" docker.io/lab/b:1,docker.io/lab/b:2 "* ]]
	[ "${lines[2]}" = "6 members" ]
}

@test "two streams make one tar" {
	layers docker.io/lab/a:1 gzip:one >a
	layers docker.io/lab/b:1 gzip:two >b
	{
		stream a
		stream b
	} >in

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	[ "${lines[2]}" = "5 members" ]
}

@test "a layer that occurs twice is stored once and listed twice" {
	image docker.io/lab/a:1 gzip:one gzip:two gzip:one >in

	run -0 --separate-stderr occy-pack out <in
	run -0 check out
	one=$(short "$(layer 0 digest)")
	[ "${lines[0]}" = "$(short "$(config)") docker.io/lab/a:1 $one $(short "$(layer 1 digest)") $one" ]
	[ "${lines[1]}" = "4 members" ]
}

@test "the same image twice has one entry with the tags of both" {
	layers docker.io/lab/a:1 docker.io/lab/a:2 gzip:one >a
	layers docker.io/lab/a:2 docker.io/lab/a:3 gzip:one >b
	stream a b >in

	run -0 --separate-stderr occy-pack out <in
	[ "$(grep -c '"type":"tar"' <<<"$output")" = 2 ]
	run -0 check out
	[[ "${lines[0]}" == *" docker.io/lab/a:1,docker.io/lab/a:2,docker.io/lab/a:3 "* ]]
	[ "${lines[1]}" = "3 members" ]
}

@test "one name for two different images is refused" {
	layers docker.io/lab/a:1 gzip:one >a
	layers docker.io/lab/b:1 docker.io/lab/a:1 gzip:two >b
	stream a b >in

	run -1 --separate-stderr occy-pack out <in
	[ "$stderr" = "occy-pack: docker.io/lab/a:1: two different images of this name" ]
	nothing_new
}

@test "a layer's name that stands for other bytes in a second image is refused" {
	layers docker.io/lab/a:1 gzip:one >a
	layers docker.io/lab/b:1 gzip:two >b
	digest=$(jq -r 'select(.type=="layer").digest' a)
	diff_id=$(jq -r 'select(.type=="layer").diff_id' a)
	jq -c "if .type==\"layer\" then .digest=\"$digest\" else . end" b >c
	stream a c >in

	run -8 --separate-stderr occy-pack out <in
	[ "$stderr" = "occy-pack: docker.io/lab/b:1: layer 0 $digest: diff_id mismatch, got $diff_id" ]
	nothing_new
}

# --- where it goes

@test "- is stdout, with the same bytes and no stream" {
	image docker.io/lab/a:1 gzip:one zstd:two none:three >in
	run -0 occy-pack out <in

	occy-pack - <in | cat >piped
	cmp out piped
	occy-pack - <in >redirected
	cmp out redirected
	printf 'before' >appended
	occy-pack - <in >>appended
	cmp out <(tail -c +7 appended)
	{
		printf 'before'
		occy-pack -
		printf 'after'
	} <in >around
	cmp <(printf before; cat out; printf after) around
	occy-pack /dev/stdout <in | cmp out -
}

@test "into a pipe, uncompressed_size saves decoding twice" {
	image docker.io/lab/a:1 gzip:one >in
	run -0 occy-pack out <in
	edit 'if .type=="layer" then .uncompressed_size=10240 else . end'

	occy-pack - <in | cmp out -
	run -0 occy-pack again <in
	cmp out again
}

@test "a wrong uncompressed_size is refused, into a file and into a pipe" {
	image docker.io/lab/a:1 gzip:one >in
	name="docker.io/lab/a:1: layer 0 $(layer 0 digest)"
	edit 'if .type=="layer" then .uncompressed_size=10241 else . end'
	want="occy-pack: $name: size mismatch: its record says 10241 bytes uncompressed, but 10240 came"

	run -8 --separate-stderr occy-pack out <in
	[ "$stderr" = "$want" ]
	run -8 --separate-stderr bash -c 'occy-pack - <in | cat >/dev/null; exit ${PIPESTATUS[0]}'
	[ "$stderr" = "$want" ]
	edit 'if .type=="layer" then .uncompressed_size=10239 else . end'
	want="occy-pack: $name: size mismatch: its record says 10239 bytes uncompressed, but at least 10240 came"
	run -8 --separate-stderr occy-pack out <in
	[ "$stderr" = "$want" ]
	run -8 --separate-stderr bash -c 'occy-pack - <in | cat >piped; exit ${PIPESTATUS[0]}'
	[ "$stderr" = "$want" ]
	nothing_new
}

@test "a file keeps its mode, a new one gets the umask's" {
	image docker.io/lab/a:1 gzip:one >in
	umask 027
	run -0 occy-pack new <in
	[ "$(stat -c %a new)" = 640 ]
	echo old >out
	chmod 604 out
	run -0 occy-pack out <in
	[ "$(stat -c %a out)" = 604 ]
	run -0 check out
}

@test "a symbolic link is followed, also to where nothing is yet" {
	image docker.io/lab/a:1 gzip:one >in
	mkdir d
	echo old >d/old
	ln -s old d/second
	ln -s d/second first
	run -0 occy-pack first <in
	[ -L first ] && [ -L d/second ]
	check d/old

	ln -s "$PWD/d/new" dangling
	run -0 occy-pack dangling <in
	[ -L dangling ]
	check d/new

	ln -s loop loop
	run -9 --separate-stderr occy-pack loop <in
	[ "$stderr" = "occy-pack: loop: Too many levels of symbolic links" ]
}

@test "/dev/null and a FIFO are written to as they are" {
	image docker.io/lab/a:1 gzip:one >in
	run -0 occy-pack out <in
	run -0 occy-pack /dev/null <in
	[ -c /dev/null ]
	mkfifo fifo
	cat fifo >got &
	run -0 occy-pack fifo <in
	wait
	[ -p fifo ]
	cmp out got
}

@test "what cannot be written is status 9 before a record is read" {
	run -9 --separate-stderr timeout 5 bash -c 'occy-pack no/such/out < <(sleep 30)'
	[ "$stderr" = "occy-pack: no/such/out: No such file or directory" ]
	run -9 --separate-stderr timeout 5 bash -c 'occy-pack . < <(sleep 30)'
	[ "$stderr" = "occy-pack: .: Is a directory" ]
	run -9 --separate-stderr timeout 5 bash -c 'occy-pack new/ < <(sleep 30)'
	[ "$stderr" = "occy-pack: new/: No such file or directory" ]
	: >file
	run -9 --separate-stderr timeout 5 bash -c 'occy-pack file/out < <(sleep 30)'
	[ "$stderr" = "occy-pack: file/out: Not a directory" ]
}

@test "a full disk is status 9" {
	image docker.io/lab/a:1 gzip:one >in
	run -9 --separate-stderr occy-pack /dev/full <in
	[ "$stderr" = "occy-pack: /dev/full: No space left on device" ]
	run -9 --separate-stderr bash -c 'occy-pack - <in >/dev/full'
	[ "$stderr" = "occy-pack: stdout: No space left on device" ]
	run -9 --separate-stderr bash -c 'occy-pack out <in >/dev/full'
	[ "$stderr" = "occy-pack: stdout: No space left on device" ]
	nothing_new
}

# --- what is wrong with the stream or the bytes

# refused STATUS MESSAGE: ./in is refused so, and FILE stays as it was.
refused() {
	local status=$1
	echo old >out
	run "-$status" --separate-stderr occy-pack out <in
	[ "$stderr" = "occy-pack: $2" ] || {
		echo "said: $stderr"
		echo "want: occy-pack: $2"
		return 1
	}
	[ "$(cat out)" = old ]
	rm out
	nothing_new
	[[ "$output" != *'"type":"end"'* ]]
}

# broken N BYTES-COMMAND: layer N's file is what the command makes of it, and
# the record says no size.
broken() {
	local n=$1
	shift
	"$@" <"$(layer "$n" file)" >changed
	edit "if .type==\"layer\" and .index==$n then del(.size)|.file=\"changed\" else . end"
}

@test "a stream cut anywhere publishes nothing" {
	image docker.io/lab/a:1 gzip:one gzip:two >whole
	count=$(wc -l <whole)
	for n in $(seq $((count - 1))); do
		head -n "$n" whole >in
		refused 3 "stdin:$n: stream ends without an end record"
	done
	head -c -2 whole >in
	refused 3 "stdin:$count: stream is cut short within a line"
	: >in
	refused 3 "stdin:0: no stream: the input is empty"
}

@test "under the wrapper a stream that stops is not told twice" {
	lines "$header" >in
	OCCY_WRAPPED=1 run -3 --separate-stderr occy-pack out <in
	[ -z "$stderr" ]
	nothing_new
}

@test "a second stream that is cut publishes nothing of the first" {
	image docker.io/lab/a:1 gzip:one >in
	lines "$header" >>in
	refused 3 "stdin:6: stream ends without an end record"
}

@test "a stream of no image is status 3, unless nothing has changed" {
	stream >in
	refused 3 "stdin: the stream holds no image"

	lines "$header" '{"type":"end","images":0,"unchanged":true}' >in
	echo old >out
	run -0 --separate-stderr occy-pack out <in
	[ "$(cat out)" = old ]
	lines "$header" '{"type":"end","images":0,"records":0,"unchanged":true}' >want
	diff want <(lines "$output")
	run -0 --separate-stderr occy-pack - <in
	[ -z "$output" ]
}

@test "what was left out is status 3, and what came is published" {
	image docker.io/lab/a:1 gzip:one >in
	sed -i 's/"type":"end"/&,"left_out":2/' in

	run -3 --separate-stderr occy-pack out <in
	[ "$stderr" = "occy-pack: stdin: images that were left out: 2" ]
	[[ "$output" == *'{"type":"end","images":1,"records":4,"left_out":2}' ]]
	check out
}

@test "an image without a config record is status 3" {
	image docker.io/lab/a:1 gzip:one >in
	name="docker.io/lab/a:1: layer 0 $(layer 0 digest)"
	edit 'select(.type!="config")'
	refused 3 "$name: no config record came before"
	edit 'select(.type!="layer")|del(.layers)'
	refused 3 "docker.io/lab/a:1: the stream holds no config record of it"
}

@test "a config of other bytes, or too many, is status 8" {
	image docker.io/lab/a:1 gzip:one >in
	file=$(jq -r 'select(.type=="config").file' in)
	cp in good
	sed 's/amd64/arm64/' "$file" >changed
	edit 'if .type=="config" then .file="changed" else . end'
	refused 8 "docker.io/lab/a:1: config $(config): digest mismatch, got sha256:$(sha256sum <changed | cut -c1-64)"

	head -c 10 "$file" >changed
	refused 8 "changed: size mismatch: 10 bytes, but its record says $(stat -c %s "$file")"
	truncate -s 4194305 changed
	edit 'if .type=="config" then .size=4194305 else . end'
	refused 8 "docker.io/lab/a:1: config $(config): larger than 4194304 bytes"

	echo '[]' >changed
	edit "if .type==\"config\" then del(.size)|.digest=\"sha256:$(sha256sum <changed | cut -c1-64)\" else . end"
	run -8 --separate-stderr occy-pack out <in
	[[ "$stderr" == "occy-pack: docker.io/lab/a:1: config $(config): "* ]]
	nothing_new
}

@test "layers that do not fit the config are status 8" {
	image docker.io/lab/a:1 gzip:one gzip:two >good
	two="sha256:$(jq -r 'select(.index==1).digest' good | cut -d: -f2)"
	jq -c 'del(.layers)|select(.index!=1)' good >in
	refused 8 "docker.io/lab/a:1: layer 1 is missing"
	jq -c 'del(.layers)|select(.index!=0)' good >in
	refused 8 "docker.io/lab/a:1: layer 0 is missing"
	jq -c 'if .index==1 then .index=2 else . end' good >in
	refused 8 "docker.io/lab/a:1: layer 2 $two: the config names only 2 layers"
	jq -c 'if .index==1 then .diff_id="sha256:\("00"*32)" else . end' good >in
	refused 8 "docker.io/lab/a:1: layer 1 $two: diff_id mismatch: its record says sha256:$(printf '00%.0s' {1..32}), the config $(jq -r 'select(.index==1).diff_id' good)"
}

@test "a layer of other bytes is status 8 and named" {
	image docker.io/lab/a:1 gzip:one gzip:two >in
	name="docker.io/lab/a:1: layer 1 $(layer 1 digest)"
	got=$(layer 0 diff_id)
	cp "$(layer 0 file)" changed
	edit 'if .index==1 then del(.size)|.file="changed" else . end'
	refused 8 "$name: diff_id mismatch, got $got"
}

@test "a damaged gzip layer is status 8 and says how" {
	image docker.io/lab/a:1 gzip:one >good
	cp good in
	name="docker.io/lab/a:1: layer 0 $(layer 0 digest)"
	broken 0 head -c -1
	refused 8 "$name: compressed data is cut short"
	cp good in
	broken 0 bash -c 'cat; echo hello'
	refused 8 "$name: garbage after the compressed data"
	cp good in
	broken 0 python3 -c 'import sys
b=bytearray(sys.stdin.buffer.read()); b[-8]^=1; sys.stdout.buffer.write(b)'
	refused 8 "$name: bad CRC or length of the compressed data"
	cp good in
	broken 0 python3 -c 'import sys
b=bytearray(sys.stdin.buffer.read()); b[2]=7; sys.stdout.buffer.write(b)'
	refused 8 "$name: bad gzip header"
}

@test "zero bytes after a gzip layer are padding" {
	image docker.io/lab/a:1 gzip:one >in
	broken 0 bash -c 'cat; head -c 100 /dev/zero'
	run -0 --separate-stderr occy-pack out <in
	check out
}

@test "a damaged zstd, xz or bzip2 layer is status 8" {
	for kind in zstd frames xz bzip2; do
		image docker.io/lab/a:1 "$kind:some text" >good
		cp good in
		name="docker.io/lab/a:1: layer 0 $(layer 0 digest)"
		for cut in 1 5 40; do
			cp good in
			broken 0 head -c "-$cut"
			run -8 --separate-stderr occy-pack out <in
			[[ "$stderr" == "occy-pack: $name: compressed data is cut short"* ]]
		done
		cp good in
		broken 0 bash -c 'cat; echo hello, this is garbage'
		run -8 --separate-stderr occy-pack out <in
		[[ "$stderr" == "occy-pack: $name: "* && "$stderr" != *mismatch* ]]
	done
	nothing_new
}

# window KIND: the beginning of a file that asks for a huge window.
window() {
	python3 - "$1" <<'EOF' >huge
import sys, zlib
if sys.argv[1] == "zstd":  # RFC 8878, 3.1.1.1.2: 2 GiB
    body = bytes([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8]) + b"\x01\x00\x00"
else:  # the xz file format, 3.1: a dictionary of 1.5 GiB
    def crc(b): return zlib.crc32(b).to_bytes(4, "little")
    block = bytes([2, 0, 0x21, 1, 37, 0, 0, 0])
    body = b"\xfd7zXZ\0" + b"\0\1" + crc(b"\0\1") + block + crc(block) + b"\0" * 40
sys.stdout.buffer.write(body)
EOF
}

@test "a zstd or xz layer that asks for too much memory is status 8" {
	image docker.io/lab/a:1 gzip:one >in
	name="docker.io/lab/a:1: layer 0 $(layer 0 digest)"
	edit 'if .type=="layer" then del(.size)|.file="huge" else . end'
	window zstd
	run -8 --separate-stderr occy-pack out <in
	[ "$stderr" = "occy-pack: $name: Zstd decompression failed: Frame requires too much memory for decoding" ]
	window xz
	refused 8 "$name: xz dictionary is larger than 64 MiB"
}

@test "a file that is gone, no regular file, or a link is status 9" {
	image docker.io/lab/a:1 gzip:one >in
	edit 'if .type=="layer" then .file="other" else . end'
	refused 9 "other: No such file or directory"
	mkfifo other
	refused 9 "other: not a regular file"
	rm other
	ln -s "$(jq -r 'select(.type=="config").file' in)" other
	refused 9 "other: is a symbolic link"
}

@test "a file that is smaller than its record says is status 8" {
	image docker.io/lab/a:1 gzip:one >in
	file=$(layer 0 file)
	size=$(stat -c %s "$file")
	cp in good
	edit 'if .type=="layer" then .size+=1 else . end'
	refused 8 "$file: size mismatch: $size bytes, but its record says $((size + 1))"
	jq -c 'if .type=="layer" then .offset=10|.length=.size else . end' good >in
	refused 8 "$file: holds $size bytes, fewer than its record says"
	jq -c 'if .type=="layer" then .offset=.size+1 else . end' good >in
	refused 8 "$file: holds $size bytes, fewer than its record says"
}

@test "names from outside cannot write to the terminal" {
	image "$(printf 'a\033[2Jb')" gzip:one >in
	edit 'select(.type!="config")'
	run -3 --separate-stderr occy-pack out <in
	[[ "$stderr" == 'occy-pack: a\x1b[2Jb: layer 0 '* ]]
}

# --- ends that are not ours to choose

@test "a reader of the stream that is gone: nothing is published" {
	image docker.io/lab/a:1 gzip:one >in
	run -141 --separate-stderr bash -c '{ sleep 0.5; occy-pack out <in; } | true
		exit "${PIPESTATUS[0]}"'
	[ -z "$stderr" ]
	nothing_new
}

@test "a reader of the tar that is gone: death by SIGPIPE, no word" {
	image docker.io/lab/a:1 "none:$(head -c 200000 /dev/zero | tr '\0' x | head -c 100000)" \
		"none:$(head -c 90000 /dev/zero | tr '\0' y)" >in
	run -141 --separate-stderr bash -c 'occy-pack - <in | head -c 1 >/dev/null
		exit "${PIPESTATUS[0]}"'
	[ -z "$stderr" ]
}

# start COMMAND...: begin occy-pack on a stream that does not end, and wait until
# it has passed on the last layer, which it then works on or has worked on.
start() {
	mkfifo stream
	"$@" occy-pack out <stream >passed &
	pid=$!
	exec 9>stream
	head -n -1 in >&9
	within 10 grep -q '"index":1' passed
}

# died STATUS: what start began has ended so.
died() {
	local status=0
	wait "$pid" || status=$?
	[ "$status" = "$1" ]
}

@test "SIGKILL leaves nothing behind" {
	image docker.io/lab/a:1 gzip:one gzip:two >in
	start env
	kill -KILL "$pid"
	died 137
	nothing_new
}

@test "SIGTERM leaves nothing behind, and is died by" {
	image docker.io/lab/a:1 gzip:one gzip:two >in
	start env
	kill -TERM "$pid"
	died 143
	nothing_new
}

# Filesystems without O_TMPFILE: a small library takes it away.
without_tmpfile=(env "LD_PRELOAD=${OCCY_TESTBIN:?}/libnotmpfile.so"
	ASAN_OPTIONS=verify_asan_link_order=0)

@test "without O_TMPFILE: a file is made, replaced, and not left behind" {
	image docker.io/lab/a:1 gzip:one gzip:two >in
	run -0 occy-pack want <in
	umask 027
	run -0 --separate-stderr "${without_tmpfile[@]}" occy-pack out <in
	cmp want out
	[ "$(stat -c %a out)" = 640 ]
	echo old >out
	chmod 604 out
	run -0 --separate-stderr "${without_tmpfile[@]}" occy-pack out <in
	cmp want out
	[ "$(stat -c %a out)" = 604 ]
	rm out
	edit 'select(.index!=1)|del(.layers)'
	run -8 --separate-stderr "${without_tmpfile[@]}" occy-pack out <in
	nothing_new
}

@test "without O_TMPFILE: a signal cleans up and is died by" {
	for signal in INT TERM HUP; do
		image docker.io/lab/a:1 gzip:one gzip:two >in
		# A background job of a script starts with INT ignored.
		start "${without_tmpfile[@]}" python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])'
		[ -n "$(find . -maxdepth 1 -name '.out.*')" ]
		kill "-$signal" "$pid"
		died $((128 + $(kill -l "$signal")))
		exec 9>&-
		rm stream
		nothing_new
	done
}

@test "without O_TMPFILE: a signal does not wait for a large layer" {
	truncate -s 6G zeros
	printf '{"rootfs":{"diff_ids":["sha256:%064d"]}}' 0 >cfg
	lines "$header" '{"type":"image"}' \
		"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
		"{\"type\":\"layer\",\"index\":0,\"diff_id\":\"sha256:$(printf %064d 0)\",\"plain\":{\"file\":\"zeros\"}}" >in
	"${without_tmpfile[@]}" occy-pack out <in >passed &
	pid=$!
	within 10 grep -q '"index":0' passed
	kill -TERM "$pid"
	within 3 gone "$pid"
	died 143
	nothing_new
}

# --- size

@test "a layer over 8 GiB, within 32 MiB of memory" {
	# 8 GiB of zeros: 128 gzip members of 64 MiB, hashed once and for all.
	head -c 64M /dev/zero | gzip -1 >member
	for ((i = 0; i < 128; i++)); do cat member; done >layer
	id=sha256:ebfb4ef19ae410f190327b5ebd312711263bc7579970e87d9c1e2d84e06b3c25
	printf '{"rootfs":{"diff_ids":["%s"]}}' "$id" >cfg
	lines '{"type":"image","names":["docker.io/lab/big:1"]}' \
		"{\"type\":\"config\",\"digest\":\"sha256:$(sha256sum <cfg | cut -c1-64)\",\"file\":\"cfg\"}" \
		"{\"type\":\"layer\",\"index\":0,\"diff_id\":\"$id\",\"file\":\"layer\",\"uncompressed_size\":8589934592}" >block
	stream block >in

	python3 -c 'import resource, subprocess, sys
p = subprocess.run(["occy-pack", "-"])
with open("memory", "w") as f:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=f)
sys.exit(p.returncode)' <in | {
		head -c 2048 >start
		tail -c 2048 >end
	}
	# A sanitizer has a memory of its own.
	grep -qE '__(asan|tsan)_init' "$OCCY_BINDIR/occy-pack" ||
		[ "$(cat memory)" -lt 32768 ]
	python3 - <<'EOF'
import tarfile
start, end = open("start", "rb").read(), open("end", "rb").read()
layer = tarfile.TarInfo.frombuf(start[1024:1536], "ascii", "strict")
assert layer.size == 8 << 30, layer.size
assert start[1024 + 124] == 0x80
manifest = tarfile.TarInfo.frombuf(end[:512], "ascii", "strict")
assert manifest.name == "manifest.json"
assert not any(end[1024:])
EOF
}

# --- the command line

@test "usage errors are status 2, and name what is wrong" {
	while IFS='|' read -r message args; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr occy-pack $args </dev/null
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "occy-pack: $message" ]
		[[ "${stderr_lines[1]}" == "usage: occy-pack "* ]]
	done <<'EOF'
FILE is missing|
unexpected argument: b|a b
unknown option --nonsense|--nonsense out
unknown option -x|-x out
option --name needs an argument|out --name
option -n needs an argument|out -n
--stream: stdout is taken by the tar|--stream -
EOF
	run -2 --separate-stderr occy-pack '' </dev/null
	[ "${stderr_lines[0]}" = "occy-pack: FILE is empty" ]
	nothing_new
}

@test "at a terminal: no stream unless asked for, never a tar" {
	image docker.io/lab/a:1 gzip:one >in
	run -0 script -qec 'occy-pack out <in' /dev/null
	[ -z "$output" ]
	run -0 script -qec 'occy-pack --stream out <in' /dev/null
	[[ "$output" == '{"type":"stream"'* ]]
	run -2 script -qec 'occy-pack - <in' /dev/null
	[[ "$output" == *"stdout is a terminal; a tar does not go there"* ]]
	run -2 script -qec 'occy-pack out' /dev/null
	[[ "$output" == *"stdin is a terminal; a stream is read from it"* ]]
}

@test "-v says what was written, -q says nothing" {
	image docker.io/lab/a:1 gzip:one >in
	run -0 --separate-stderr occy-pack -v out <in
	[ "$stderr" = "occy-pack: out: 13824 bytes" ]
	run -0 --separate-stderr occy-pack -vq out <in
	[ -z "$stderr" ]
}
