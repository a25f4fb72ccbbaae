#!/usr/bin/env bats
# From a registry to a container that runs; and layers beside their tars.
load helpers/common
load helpers/registry
load helpers/mkimage

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	start_registry
	describe | make_layout layout
	push_layout layout "$registry" library/busybox
}

teardown_file() {
	stop_registry
}

describe() {
	cat <<-END
		image latest entrypoint=/bin/busybox cmd=id
		layer
		dir bin
		copy bin/busybox $(command -v busybox)
		link bin/sh busybox
		dir etc
		file etc/old old
		layer
		file etc/hello hello
		file etc/.wh.old
		image first entrypoint=/bin/busybox cmd=id
		layer
		dir etc
		file etc/hello first
		image moved entrypoint=/bin/busybox cmd=id
		layer
		dir etc
		file etc/hello moved
	END
}

teardown() {
	[ ! -d "$BATS_TEST_TMPDIR/runc/id-0001" ] ||
		runc --root "$BATS_TEST_TMPDIR/runc" delete -f id-0001
}

fetch() { # fetch COMMAND [OPTION]... DIR
	occystrap "${@:1:$#-1}" "$registry" library/busybox latest "${!#}"
}

# Nobody may look into a folder made for root; the tools may lie in one.
as_user() {
	setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD" "$@"
}

@test "the seed's command: a bundle that runc runs" {
	run -0 --separate-stderr fetch fetch-to-oci bar
	[ -z "$output$stderr" ]
	[ "$(ls -A bar)" = $'config.json\ncontainer-config.json\nrootfs' ]
	[ "$(cat bar/rootfs/etc/hello)" = hello ]
	[ ! -e bar/rootfs/etc/old ]
	[ ! -e .bar.occystrap ]
	cd bar
	run -0 --separate-stderr runc --root "$BATS_TEST_TMPDIR/runc" run id-0001
	[[ $output == 'uid=0 gid=0'* ]]
}

@test "made by an ordinary user, run by root" {
	mkdir mine
	chown 65534:65534 mine
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"/..
	cp -r "$OCCY_BINDIR" bin
	chmod -R a+rX bin .
	cd mine
	run -0 --separate-stderr as_user ../bin/occystrap fetch-to-oci "$registry" library/busybox latest bar
	[ "$(stat -c %u bar bar/rootfs bar/rootfs/bin/busybox | sort -u)" = 65534 ]
	[ "$(ls -A)" = bar ]
	cd bar
	run -0 --separate-stderr runc --root "$BATS_TEST_TMPDIR/runc" run id-0001
	[[ $output == 'uid=0 gid=0'* ]]
}

@test "an empty folder takes the bundle, also one that is a mount point" {
	mkdir empty mount
	fetch fetch-to-oci empty
	[ -e empty/config.json ]
	mount -t tmpfs tmpfs mount
	fetch fetch-to-oci mount
	ls -A mount >names
	umount mount
	[ "$(cat names)" = $'config.json\ncontainer-config.json\nrootfs' ]
}

@test "an empty folder that a link leads to, and the one that we are in" {
	mkdir far here
	ln -s far link
	run -0 --separate-stderr fetch fetch-to-oci link
	[ -L link ]
	[ -e far/config.json ]
	cd here
	run -0 --separate-stderr fetch fetch-to-oci .
	[ -e config.json ]
	[ . -ef ../here ]
	[ ! -e ../.here.occystrap ]
	[ ! -e ../.far.occystrap ]
}

@test "what is in the way stays" {
	mkdir full
	touch full/precious file
	for target in full file; do
		run -9 --separate-stderr fetch fetch-to-oci "$target"
		[ "$stderr" = "occystrap: $target: in the way, and not an empty folder" ]
	done
	[ "$(ls -A full)" = precious ]
	[ ! -e .full.occystrap ]
}

@test "a folder is never taken for an option of find" {
	mkdir inner inner/-delete inner/-quit inner/\(
	cd inner
	touch precious -- -quit/precious
	fetch fetch-to-oci '('
	[ -e '(/config.json' ]
	run -9 --separate-stderr occystrap fetch-to-oci "$registry" library/busybox latest -- -quit
	[ "$stderr" = "occystrap: -quit: in the way, and not an empty folder" ]
	run -0 --separate-stderr occystrap fetch-to-oci "$registry" library/busybox latest -- -delete
	[ -e ./-delete/config.json ]
	[ "$(LC_ALL=C ls -A)" = $'(\n-delete\n-quit\nprecious' ]
}

@test "an image that is not there leaves nothing" {
	run -4 --separate-stderr occystrap fetch-to-oci "$registry" library/busybox none bar
	[ "${#stderr_lines[@]}" = 1 ]
	[ ! -e bar ]
	[ ! -e .bar.occystrap ]
}

@test "a user that the image does not have: status and message, nothing left" {
	jq -c '.config.User = "nobody-here"' "$BATS_FILE_TMPDIR/layout/blobs/$(config_digest "$BATS_FILE_TMPDIR/layout" latest | tr : /)" >config
	digest=sha256:$(sha256sum <config | cut -d ' ' -f 1)
	cp -r "$BATS_FILE_TMPDIR/layout" layout
	cp config "layout/blobs/${digest/:/\/}"
	jq -c --arg digest "$digest" --argjson size "$(wc -c <config)" \
		'.config.digest = $digest | .config.size = $size' "$(manifest_file layout latest)" >manifest
	new=sha256:$(sha256sum <manifest | cut -d ' ' -f 1)
	cp manifest "layout/blobs/${new/:/\/}"
	jq -c --arg digest "$new" --argjson size "$(wc -c <manifest)" \
		'.manifests[0].digest = $digest | .manifests[0].size = $size' layout/index.json >index
	mv index layout/index.json
	push_layout layout "$registry" library/nobody
	run -8 --separate-stderr occystrap fetch-to-oci "$registry" library/nobody latest bar
	[ "$stderr" = "occy-ocibundle: $registry/library/nobody:latest: config $digest: User 'nobody-here': the root filesystem has no etc/passwd" ]
	[ ! -e bar ]
	[ ! -e .bar.occystrap ]
}

@test "--store keeps the blobs, and the bundle is whole all the same" {
	fetch fetch-to-oci --store keep bar
	[ -e bar/config.json ]
	[ -d keep/blobs ]
	[ ! -e .bar.occystrap ]
}

@test "--expand puts each layer beside its tar, and the image into manifest/" {
	run -0 --separate-stderr fetch fetch-to-extracted --expand dir
	[ -z "$output" ]
	for layer in $(layer_digests "$BATS_FILE_TMPDIR/layout" latest); do
		[ -f "dir/${layer#*:}/layer.tar" ]
		[ -d "dir/${layer#*:}/layer" ]
	done
	[ -e "dir/${layer#*:}/layer/etc/.wh.old" ]
	[ "$(ls dir/manifest/etc)" = hello ]
}

@test "--expand with --use-unique-names: a second run changes nothing, a moved tag replaces the tree" {
	fetch fetch-to-extracted --expand --use-unique-names dir
	[ "$(ls dir/manifest-library_busybox-latest/etc)" = hello ]
	before=$(find dir -printf '%p %i %T@\n' | sort)
	fetch fetch-to-extracted --expand --use-unique-names dir
	diff <(lines "$before") <(find dir -printf '%p %i %T@\n' | sort)
	curl -fsS "http://$registry/v2/library/busybox/manifests/moved" \
		-H 'Accept: application/vnd.oci.image.manifest.v1+json' >manifest
	curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
		--data-binary @manifest "http://$registry/v2/library/busybox/manifests/latest"
	fetch fetch-to-extracted --expand --use-unique-names dir
	[ "$(cat dir/manifest-library_busybox-latest/etc/hello)" = moved ]
	[ ! -e dir/manifest-library_busybox-latest/bin ]
}

# now TAG: what it stands for; other tests move it.
now() {
	occy-pull --print-digest "$registry" library/busybox "$1"
}

# name_it FROM: the tag "moving" stands for that image from now on.
name_it() {
	skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false \
		"docker://$registry/library/busybox:$1" "docker://$registry/library/busybox:moving"
}

@test "--if-changed: a bundle of the same image is left alone, of another it is in the way" {
	moving=(occystrap fetch-to-oci --if-changed d "$registry" library/busybox moving bar/)
	name_it first
	run -0 --separate-stderr "${moving[@]}"
	[ -z "$output$stderr" ]
	[ "$(cat d)" = "$(now moving) image=$registry/library/busybox:moving bundle=bar" ]
	find bar d -printf '%p %i %T@ %C@\n' >before
	run -0 --separate-stderr "${moving[@]}"
	[ -z "$output$stderr" ]
	find bar d -printf '%p %i %T@ %C@\n' | diff before -
	name_it moved
	run -9 --separate-stderr "${moving[@]}"
	[ "$stderr" = 'occystrap: bar/: in the way, and the image has changed' ]
	find bar d -printf '%p %i %T@ %C@\n' | diff before -
	[ ! -e .bar.occystrap ]
	run -4 --separate-stderr occystrap fetch-to-oci --if-changed d "$registry" library/busybox gone bar
	[[ $stderr == *'answered 404 MANIFEST_UNKNOWN: manifest unknown'* ]]
	mv bar foo
	run -9 --separate-stderr occystrap fetch-to-oci --if-changed d "$registry" library/busybox moving foo
	[ "$stderr" = 'occystrap: foo: in the way, and not an empty folder' ]
	run -0 --separate-stderr "${moving[@]}"
	[ "$(cat bar/rootfs/etc/hello)" = moved ]
	[ "$(cut -d ' ' -f 1 d)" = "$(now moved)" ]
}

@test "--if-changed: a bundle without its root filesystem is not left as it is" {
	broken=(fetch fetch-to-oci --if-changed d bar)
	run -0 --separate-stderr "${broken[@]}"
	run -0 --separate-stderr "${broken[@]}"
	mv bar/rootfs away
	run -9 --separate-stderr "${broken[@]}"
	[ "$stderr" = 'occystrap: bar: in the way, and not an empty folder' ]
}

# not_made FILE: a digest file that cannot be is told, and no bundle made.
not_made() {
	run --separate-stderr fetch fetch-to-oci --digest-file "$1" baz
	[ "$status" = 9 ] || [ "$1 $status" = '- 2' ]
	[[ $stderr == "occy-ocibundle: "* ]]
	[ ! -e baz ]
	[ ! -e .baz.occystrap ]
}

@test "--digest-file of a bundle: as other tools write it, and told before anything is fetched" {
	run -0 --separate-stderr fetch fetch-to-oci --digest-file 'the digest' 'a bar//'
	line="$(now latest) image=$registry/library/busybox:latest bundle="
	[ "$(cat 'the digest')" = "${line}a\\x20bar" ]
	mkdir folder
	for file in folder none/d -; do
		not_made "$file"
	done
	ln -s 'the digest' link
	run -0 --separate-stderr fetch fetch-to-oci --digest-file link bar
	[ -L link ]
	[ "$(cat 'the digest')" = "${line}bar" ]
	# What is no file stays what it is.
	mkfifo pipe
	cat pipe >said 3>&- &
	run -0 --separate-stderr fetch fetch-to-oci --digest-file pipe foo
	wait $!
	[ -p pipe ]
	[ "$(cat said)" = "${line}foo" ]
	# A folder that cannot be renamed is filled in place.
	mkdir here && cd here
	run -0 --separate-stderr fetch fetch-to-oci --digest-file ../d .
	[ -e config.json ]
	[ "$(cut -d ' ' -f 1 ../d)" = "$(now latest)" ]
	cd ..
	run -4 --separate-stderr occystrap fetch-to-oci --digest-file d2 "$registry" library/busybox gone baz
	[ ! -e d2 ]
}
