#!/usr/bin/env bats
# What occy-expand makes, refuses and says. What is right inside a tree is the
# business of layers/run_cases.py.
load helpers/common

# layer NAME PATH...: NAME.tar of paths below the folder NAME.
layer() {
	local name=$1
	shift
	tar -C "$name" --sort=name --mtime=@1000000000 --owner=0 --group=0 \
		--numeric-owner --no-recursion -cf "$name.tar" "$@"
}

digest() {
	echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"
}

hex() {
	sha256sum "$1" | cut -d ' ' -f 1
}

# block NAME LAYER.tar...: an image's records; its config is NAME.config.
block() {
	local name=$1 index=0 file
	shift
	for file; do
		digest "$file"
	done | jq -cnR '{architecture: "amd64", os: "linux",
		rootfs: {type: "layers", diff_ids: [inputs]}}' >"$name.config"
	echo '{"type":"image","names":["'"$name"'"],"repository":"library/demo","tag":"1"}'
	echo '{"type":"config","digest":"'"$(digest "$name.config")"'","file":"'"$PWD/$name.config"'"}'
	for file; do
		echo '{"type":"layer","index":'$((index++))',"digest":"'"$(digest "$file")"'","file":"'"$PWD/$file"'"}'
	done
}

# stream NAME LAYER.tar...: a whole stream of one image.
stream() {
	echo '{"type":"stream","occy":1}'
	block "$@"
	echo '{"type":"end","images":1}'
}

# Two layers: the upper one replaces one file and removes another.
two_layers() {
	mkdir -p low/etc up/etc
	echo old >low/etc/motd
	echo gone >low/etc/gone
	echo kept >low/etc/kept
	echo new >up/etc/motd
	: >up/etc/.wh.gone
	layer low etc etc/motd etc/gone etc/kept
	layer up etc etc/motd etc/.wh.gone
	stream demo low.tar up.tar >in
}

# contents DIR: every path in it with type, mode and size.
contents() {
	find "$1" -mindepth 1 -printf '%P %y %m %s\n' | sort
}

nothing_left() {
	[ "$(find . -maxdepth 1 -name '.*.occy-*' | wc -l)" = 0 ]
}

@test "--merged: one root, the upper layer over the lower" {
	two_layers

	run -0 --separate-stderr occy-expand --merged root <in
	[ "$(cat root/etc/motd)" = new ]
	contents root >got
	lines 'etc d 755 80' 'etc/kept f 644 5' 'etc/motd f 644 4' |
		sed "s/ 755 80/ 755 $(stat -c %s root/etc)/" >want
	diff want got
	nothing_left
}

@test "every record goes through as it came, and a tree record is added" {
	two_layers
	sed 's/"type":"layer"/"type": "layer", "x": 1.50/' in >odd

	run -0 occy-expand -q --merged root <odd
	lines "$output" >got
	grep -v '"type":"end"' odd >want
	echo '{"type":"tree","image":"demo","file":"'"$PWD"'/root"}' >>want
	echo '{"type":"end","images":1,"records":5}' >>want
	diff want got
}

@test "--layers: each layer by itself, with whiteouts to be seen" {
	two_layers

	run -0 occy-expand -q --layers out <in
	[ "$(cat "out/$(hex low.tar)/layer/etc/gone")" = gone ]
	[ -f "out/$(hex up.tar)/layer/etc/.wh.gone" ]
	lines "$output" | jq -r 'select(.type=="tree") | "\(.layer) \(.file)"' >got
	lines "0 $PWD/out/$(hex low.tar)/layer" "1 $PWD/out/$(hex up.tar)/layer" >want
	diff want got
}

@test "--merged and --layers are fed at once" {
	two_layers

	run -0 occy-expand -q --merged root --layers out <in
	[ "$(cat root/etc/motd)" = new ]
	[ "$(cat "out/$(hex low.tar)/layer/etc/motd")" = old ]
}

@test "--layers takes the layers there are" {
	two_layers
	jq -c 'select(.type != "layer" or .index == 1) | del(.records, .layers)' in >one

	run -0 occy-expand -q --layers out <one
	[ "$(ls out)" = "$(hex up.tar)" ]
	run -8 --separate-stderr occy-expand --merged root <one
	[ "$stderr" = "occy-expand: demo: layer 0 is missing" ]
	[ ! -e root ]
	nothing_left
}

@test "a layer that is there is left alone" {
	two_layers
	occy-expand -q --layers out <in >first
	touch "out/$(hex low.tar)/layer/mark"

	run -0 occy-expand -q --layers out <in
	diff first <(lines "$output")
	[ -e "out/$(hex low.tar)/layer/mark" ]
}

@test "a layer that another stream has put under the same digest is made anew" {
	mkdir true false
	echo true >true/f
	echo false >false/f
	layer true f
	layer false f
	stream true true.tar >in
	stream false false.tar | jq -c --arg digest "$(digest true.tar)" \
		'if .type == "layer" then .digest = $digest else . end' >claim
	run -0 occy-expand -q --layers out <claim
	[ "$(cat "out/$(hex true.tar)/layer/f")" = false ]

	run -0 occy-expand -q --layers out <in
	[ "$(cat "out/$(hex true.tar)/layer/f")" = true ]
}

@test "a hard link into a lower layer is named where its layer stands alone" {
	mkdir -p low up
	echo data >low/target
	cp low/target up/target
	ln up/target up/link
	layer low target
	tar -C up --sort=name -cf both.tar target link
	# Without its first member: the link that comes second is what is left.
	tar --delete -f both.tar link
	mv both.tar up.tar
	tar -C up -cf up.tar --transform 's,^target$,first,' link target
	tar --delete -f up.tar link
	tar -tvf up.tar >listed
	grep -q 'link to link' listed
	mv low/target low/link
	layer low link
	stream demo low.tar up.tar >in

	run -0 --separate-stderr occy-expand --layers out <in
	[ "$stderr" = "occy-expand: warning: 1 hard links left out of their layers, because what they link to is in lower ones" ]
	lines "$output" | jq -c 'select(.layer == 1) | .skipped' >got
	[ "$(cat got)" = '["first"]' ]
	run -0 occy-expand -q --merged root <in
	[ root/first -ef root/link ]
}

# merged_directory: what occy-pack --dir leaves, as far as it matters here.
merged_directory() {
	mkdir images
	echo '{"demo":{"1":"manifest-demo-1.json"}}' >images/catalog.json
	echo '[]' >images/manifest-demo-1.json
}

@test "--in: layers beside their tars, the merged root by the manifest's name" {
	two_layers
	merged_directory

	run -0 --separate-stderr occy-expand --in images <in
	[ "$(cat images/manifest-demo-1/etc/motd)" = new ]
	[ -f "images/$(hex up.tar)/layer/etc/.wh.gone" ]
	diff <(lines "$stderr") - <<-END
		occy-expand: demo: path "etc/motd" has 2 versions
		occy-expand: demo: path "etc/gone" has 2 versions
		occy-expand: demo: path "etc/gone" is deleted in the last, which wasted 5 bytes
		occy-expand: demo: flattening image would save 9 bytes
	END
	lines "$output" | jq -r 'select(.type=="tree" and .layer==null).file' >got
	[ "$(cat got)" = "$PWD/images/manifest-demo-1" ]
}

@test "--in without a catalog makes manifest/" {
	two_layers
	mkdir images

	run -0 occy-expand -q --in images <in
	[ "$(cat images/manifest/etc/motd)" = new ]
}

@test "--in takes the name that occy-pack says" {
	two_layers
	mkdir images
	sed '/"type":"end"/i {"type":"directory","image":"demo","file":"images","manifest":"manifest-x-y.json"}' in >named

	run -0 occy-expand -q --in images <named
	[ -d images/manifest-x-y ]
}

@test "--in: a second run changes nothing, and says nothing" {
	two_layers
	merged_directory
	occy-expand -q --in images <in >first
	find images -printf '%p %i %T@ %C@\n' | sort >before

	run -0 --separate-stderr occy-expand --in images <in
	[ -z "$stderr" ]
	diff first <(lines "$output")
	find images -printf '%p %i %T@ %C@\n' | sort >after
	diff before after
}

@test "--in: a tag that has moved replaces its merged root as a whole" {
	two_layers
	merged_directory
	occy-expand -q --in images <in >first
	stream demo low.tar >moved

	run -0 occy-expand -q --in images <moved
	contents images/manifest-demo-1 | cut -d ' ' -f 1 >got
	lines etc etc/gone etc/kept etc/motd >want
	diff want got
	[ "$(cat images/manifest-demo-1/etc/motd)" = old ]
}

@test "--in: a catalog that names something else than a manifest is refused" {
	two_layers
	mkdir images
	echo '{"demo":{"1":"../../etc/passwd"}}' >images/catalog.json

	run -8 --separate-stderr occy-expand --in images <in
	[ "$stderr" = "occy-expand: catalog.json: '../../etc/passwd' is no name of a manifest" ]
}

@test "--in: neither a stream nor a catalog names another thing of the folder for the root" {
	two_layers
	merged_directory
	mkdir images/mine
	touch images/mine/file
	echo '{"demo":{"1":"mine.json"}}' >images/catalog.json
	sed '/"type":"end"/i {"type":"directory","image":"demo","file":"images","manifest":"mine.json"}' in >named

	run -8 --separate-stderr occy-expand --in images <in
	[ "$stderr" = "occy-expand: catalog.json: 'mine.json' is no name of a manifest" ]
	rm images/catalog.json
	run -0 occy-expand -q --in images <named
	[ -e images/mine/file ]
	[ "$(cat images/manifest/etc/motd)" = new ]
}

@test "a root that is not empty is left alone, unless --replace replaces it" {
	two_layers
	mkdir -p root/mine
	: >root/mine/file

	run -9 --separate-stderr occy-expand --merged root <in
	[ "$stderr" = "occy-expand: $PWD/root: is not empty; --replace replaces it as a whole" ]
	[ -e root/mine/file ]
	run -0 occy-expand -q --replace --merged root <in
	[ "$(ls root)" = etc ]
	nothing_left
}

@test "a failure leaves the root that was to be replaced" {
	two_layers
	mkdir -p root/mine
	head -c 3000 low.tar >short
	mv short low.tar

	run -8 occy-expand --replace --merged root <in
	[ "$(ls root)" = mine ]
	nothing_left
}

@test "--replace does not remove what it reads" {
	two_layers
	mkdir root
	mv low.tar up.tar root
	sed "s,$PWD/\(low\|up\).tar,$PWD/root/\1.tar,g" in >inside

	run -2 --separate-stderr occy-expand --replace --merged root <inside
	[ "$stderr" = "occy-expand: $PWD/root/low.tar: lies in $PWD/root, which is to be replaced" ]
	[ -e root/low.tar ]
	nothing_left
}

@test "an empty root keeps its mode" {
	two_layers
	mkdir -m 711 root

	run -0 occy-expand -q --merged root <in
	[ "$(stat -c %a root)" = 711 ]
	[ -f root/etc/motd ]
}

@test "a root that is a link or a file is not followed" {
	two_layers
	mkdir elsewhere
	ln -s elsewhere root
	: >file

	run -9 --separate-stderr occy-expand --merged root <in
	[ "$stderr" = "occy-expand: $PWD/root: Not a directory" ]
	run -9 --separate-stderr occy-expand --merged file <in
	[ "$stderr" = "occy-expand: $PWD/file: Not a directory" ]
	[ -z "$(ls elsewhere)" ]
}

@test "the root's parent must be there" {
	two_layers

	run -9 --separate-stderr occy-expand --merged no/root <in
	[ "$stderr" = "occy-expand: no/: No such file or directory" ]
}

@test "an empty mount point is filled in place, and emptied after a failure" {
	[ "$(id -u)" = 0 ] || skip "only root mounts"
	two_layers
	mkdir root
	inside() {
		unshare -m sh -ec 'mount -t tmpfs -o mode=750 none root
			occy-expand -q --merged root <"$1" >out || echo "status $?"
			find root -mindepth 1 -type f | sort' sh "$1"
	}

	run -0 --separate-stderr inside in
	[ "$output" = "root/etc/kept
root/etc/motd" ]
	sed '/"type":"end"/d' in >short
	run -0 --separate-stderr inside short
	[ "$output" = "status 3" ]
}

@test "a stream cut short publishes no root, but what is proven stays" {
	two_layers
	sed '/"type":"end"/d' in >short

	run -3 --separate-stderr occy-expand --merged root --layers out <short
	[ "$stderr" = "occy-expand: stdin:5: stream ends without an end record" ]
	[ ! -e root ]
	[ "$(ls out)" = "$(lines "$(hex low.tar)" "$(hex up.tar)" | sort)" ]
	[[ $output != *'"type":"end"'* ]]
	nothing_left
}

@test "a layer that is not what its diff_id says is refused" {
	two_layers
	printf '\0' >>up.tar

	run -8 --separate-stderr occy-expand --merged root --layers out <in
	[[ $stderr == "occy-expand: demo: layer 1 sha256:"*": diff_id mismatch, got $(digest up.tar)" ]]
	[ ! -e root ]
	[ "$(ls out)" = "$(hex low.tar)" ]
}

@test "a directory for layers that was made for nothing goes again" {
	two_layers
	: >low.tar

	run -8 occy-expand --layers out <in
	[ ! -e out ]
}

@test "two images are one too many for --merged, and none for --in" {
	two_layers
	{
		echo '{"type":"stream","occy":1}'
		block one low.tar | sed 's/"tag":"1"/"tag":"one"/'
		block two low.tar up.tar | sed 's/"tag":"1"/"tag":"two"/'
		echo '{"type":"end","images":2}'
	} >both

	run -2 --separate-stderr occy-expand --merged root <both
	[ "$stderr" = "occy-expand: two: a second image, and --merged is for one only" ]
	[ ! -e root ]
	mkdir images
	echo '{"demo":{"one":"manifest-a.json","two":"manifest-b.json"}}' >images/catalog.json
	run -0 occy-expand -q --in images <both
	[ "$(cat images/manifest-a/etc/motd)" = old ]
	[ "$(cat images/manifest-b/etc/motd)" = new ]
}

@test "a stream of no image that says unchanged leaves everything as it is" {
	lines '{"type":"stream","occy":1}' '{"type":"end","images":0,"unchanged":true}' >none
	lines '{"type":"stream","occy":1}' '{"type":"end","images":0}' >empty
	mkdir root

	run -0 --separate-stderr occy-expand --merged root <none
	diff <(lines "$output") - <<-END
		{"type":"stream","occy":1}
		{"type":"end","images":0,"records":0,"unchanged":true}
	END
	run -3 --separate-stderr occy-expand --merged root <empty
	[ "$stderr" = "occy-expand: stdin: the stream holds no image" ]
	[ -z "$(ls root)" ]
}

@test "an image without layers is an empty root" {
	stream demo >in

	run -0 occy-expand -q --merged root <in
	[ "$(stat -c '%a %Y' root)" = "755 0" ]
	[ -z "$(ls root)" ]
}

@test "limits: what is unpacked, and how many entries" {
	two_layers

	run -8 --separate-stderr occy-expand --max-unpacked 10240 --merged root <in
	[ "$stderr" = "occy-expand: demo: layer 1 $(digest up.tar): unpacks to more than is allowed" ]
	run -8 --separate-stderr occy-expand --max-entries 3 --merged root <in
	[ "$stderr" = "occy-expand: demo: layer 0 $(digest low.tar): more than 3 entries" ]
	run -0 occy-expand -q --max-unpacked 20480 --max-entries 4 --merged root <in
}

@test "limits: the extended attributes of one file" {
	local count
	for count in 1000 1001; do
		python3 - "$count" >"many$count.tar" <<-'END'
			import sys, tarfile
			headers = {"SCHILY.xattr.trusted.%d" % i: "x" for i in range(int(sys.argv[1]))}
			with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
			    member = tarfile.TarInfo("file")
			    member.pax_headers = headers
			    tar.addfile(member)
		END
		stream "demo$count" "many$count.tar" >"in$count"
	done

	run -0 --separate-stderr occy-expand --merged root <in1000
	[ "$stderr" = "occy-expand: warning: 1000 extended attributes left out that no image may set" ]
	run -8 --separate-stderr occy-expand --merged new <in1001
	[ "$stderr" = "occy-expand: demo1001: layer 0 $(digest many1001.tar): a PAX header has more than 1000 extended attributes" ]
}

@test "what is hostile is named, escaped, in one line" {
	mkdir evil
	: >"evil/a"
	tar -C evil -cf evil.tar -P --transform $'s,a,b/../\e[2J,' a
	stream demo evil.tar >in

	run -8 --separate-stderr occy-expand --merged root <in
	[ "$stderr" = "occy-expand: demo: layer 0 $(digest evil.tar): entry b/../\\x1b[2J: \"..\" in its path" ]
	[ ! -e root ]
}

@test "an ordinary user: owners and devices are counted, --strict refuses" {
	[ "$(id -u)" = 0 ] || skip "only root can become another"
	mkdir -p dev/dev user
	mknod -m 600 dev/dev/null c 1 3
	echo x >dev/file
	layer dev dev dev/null file
	stream demo dev.tar >in
	chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" .
	chmod 777 user
	as_user() {
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	}

	run -0 --separate-stderr as_user occy-expand --merged user/root <in
	diff <(lines "$stderr") - <<-END
		occy-expand: warning: 3 owners could not be set
		occy-expand: warning: 1 devices could not be made
	END
	[ "$(cat user/root/file)" = x ]
	[ ! -e user/root/dev/null ]
	run -9 --separate-stderr as_user occy-expand --strict --merged user/strict <in
	[ "$stderr" = "occy-expand: demo: layer 0 $(digest dev.tar): entry dev/null: only root can make a device" ]
	[ "$(ls -A user)" = root ]
}

@test "--strict refuses a path that a layer has twice" {
	mkdir -p a
	echo x >a/x
	tar -C a --hard-dereference -cf a.tar x x
	stream demo a.tar >in

	run -0 occy-expand -q --merged root <in
	run -8 --separate-stderr occy-expand --strict --merged strict <in
	[ "$stderr" = "occy-expand: demo: layer 0 $(digest a.tar): entry x: second entry of that name in the layer" ]
}

@test "a signal takes away what is half made" {
	two_layers
	sed '/"type":"end"/d' in >short
	mkfifo fifo
	occy-expand --merged root <fifo >out 2>err &
	tool=$!
	exec 7>fifo
	cat short >&7
	within 10 grep -q '"index":1' out

	kill -TERM "$tool"
	status=0
	wait "$tool" || status=$?
	exec 7>&-
	[ "$status" = 143 ]
	[ ! -s err ]
	[ ! -e root ]
	nothing_left
}

@test "what a killed run has left, the next one removes" {
	two_layers
	mkdir .root.occy-abcdef
	mkdir -m 0 .root.occy-abcdef/x
	: >.root.occy-other-name

	run -0 occy-expand -q --merged root <in
	[ ! -e .root.occy-abcdef ]
	[ -e .root.occy-other-name ]
}

@test "a reader that has gone is no error of ours" {
	two_layers

	run -141 --separate-stderr bash -c 'set -o pipefail
		occy-expand --merged root <in | sleep 0'
	[ -z "$stderr" ]
}

@test "a full disk is status 9, and nothing is left" {
	[ "$(id -u)" = 0 ] || skip "only root mounts"
	mkdir -p big small
	head -c 3000000 /dev/zero >big/zeros
	layer big zeros
	stream demo big.tar >in

	run -0 --separate-stderr unshare -m sh -ec '
		mount -t tmpfs -o size=1m none small
		occy-expand --merged small/root <in >out || echo "status $?"
		ls -A small'
	[ "$output" = "status 9" ]
	[ "$stderr" = "occy-expand: demo: layer 0 $(digest big.tar): entry zeros: No space left on device" ]
}

@test "usage: what does not go together" {
	run -2 --separate-stderr occy-expand </dev/null
	[ "${stderr_lines[0]}" = "occy-expand: nothing to make: --merged, --layers or --in" ]
	run -2 --separate-stderr occy-expand --in a --layers b </dev/null
	[ "${stderr_lines[0]}" = "occy-expand: --in says where both go, without --merged and --layers" ]
	run -2 --separate-stderr occy-expand --layers a --replace </dev/null
	[ "${stderr_lines[0]}" = "occy-expand: --replace is for --merged" ]
	run -2 --separate-stderr occy-expand --merged a b </dev/null
	[ "${stderr_lines[0]}" = "occy-expand: unexpected argument: b" ]
	run -2 --separate-stderr occy-expand --merged '' </dev/null
	[ "${stderr_lines[0]}" = "occy-expand: --merged: the name is empty" ]
	run -2 --separate-stderr occy-expand --max-entries many --merged a </dev/null
	[ "${stderr_lines[0]}" = "occy-expand: --max-entries: 'many' is not a number from 0 to 9223372036854775807" ]
}
