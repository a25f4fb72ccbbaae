#!/bin/sh
# quickstart.sh - build Occy Strap and fetch an image with it, on Debian 12.
#
# usage: sh docs/quickstart.sh [REGISTRY IMAGE TAG]
#
# Installs what the build needs (as root, or by sudo), builds into build/, and
# fetches the image into a tarball in the current folder. Without arguments the
# image is a small one made on the spot, served by a registry on a free port of
# this machine; the registry is stopped afterwards, and of all this only the
# tarball stays.
set -eu

case $# in
0 | 3) ;;
*)
	echo 'usage: sh docs/quickstart.sh [REGISTRY IMAGE TAG]' >&2
	exit 2
	;;
esac

source=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/quickstart.XXXXXX")
registry_pid=

clean_up() {
	[ -z "$registry_pid" ] || {
		kill "$registry_pid"
		wait "$registry_pid" 2>/dev/null || : # sh says "Terminated"
	}
	rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

shown() { # shown COMMAND...: print it, then run it
	echo "\$ $*"
	"$@"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need THING PACKAGE: note the package unless the thing (a command, a library,
# a file) is there.
missing=
need() {
	command -v "$1" >/dev/null || [ -e "$1" ] || installed "$2" ||
		pkg-config --exists "$1" 2>/dev/null || missing="$missing $2"
}

install_what_is_missing() {
	need cc gcc
	need /usr/include/stdio.h libc6-dev
	need pkg-config pkg-config
	need meson meson
	need ninja ninja-build
	need libcurl libcurl4-openssl-dev
	need json-c libjson-c-dev
	need libarchive libarchive-dev
	need libcrypto libssl-dev
	need zlib zlib1g-dev
	need libisal libisal-dev
	need curl curl
	need flock util-linux
	[ -z "$missing" ] || {
		as_root apt-get -qq update
		# shellcheck disable=SC2086 # several packages
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install \
			-y --no-install-recommends $missing >&2
	}
}

build() {
	[ -f "$source/build/build.ninja" ] ||
		meson setup "$source/build" "$source" >"$scratch/setup.log" || {
		cat "$scratch/setup.log" >&2
		return 1
	}
	ninja --quiet -C "$source/build"
	PATH=$source/build/tools:$PATH
}

# program PACKAGE PATH: where that program of a package is. What is not
# installed is only unpacked: installing it would start a service, or replace
# another package.
program() {
	if installed "$1" && [ -x "/$2" ]; then
		echo "/$2"
		return
	fi
	mkdir -p "$scratch/packages"
	(
		cd "$scratch/packages"
		apt-get -qq download "$1" 2>/dev/null ||
			{ as_root apt-get -qq update && apt-get -qq download "$1"; }
		dpkg-deb -x "$1"_*.deb .
	) >&2
	echo "$scratch/packages/$2"
}

start_registry() {
	daemon=$(program docker-registry usr/bin/docker-registry)
	cat >"$scratch/registry.yml" <<-END
		version: 0.1
		log: {level: info, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $scratch/storage}}
		http: {addr: "127.0.0.1:0"}
	END
	"$daemon" serve "$scratch/registry.yml" >"$scratch/registry.log" 2>&1 &
	registry_pid=$!
	port=
	tries=0
	while [ -z "$port" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ] || ! kill -0 "$registry_pid"; then
			cat "$scratch/registry.log" >&2
			exit 1
		fi
		sleep 0.1
		port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' \
			"$scratch/registry.log")
	done
	registry=127.0.0.1:$port
}

digest() {
	echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"
}

send() { # send CURL-ARGUMENT...
	curl -fsS --noproxy '*' "$@"
}

upload() { # upload FILE: as a blob
	location=$(send -X POST -D - "http://$registry/v2/library/busybox/blobs/uploads/" |
		tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
	send -X PUT -H 'Content-Type: application/octet-stream' \
		--data-binary "@$1" "$location&digest=$(digest "$1")"
}

# An image is three documents and a tar: the layer, the config that names its
# uncompressed digest, and the manifest that names both.
push_busybox() {
	busybox=$(program busybox-static bin/busybox)
	mkdir -p "$scratch/root/bin"
	cp "$busybox" "$scratch/root/bin/busybox"
	ln -s busybox "$scratch/root/bin/sh"
	(
		cd "$scratch"
		tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
			-C root -cf layer.tar bin
		gzip -nk layer.tar
		printf '{"os":"linux","architecture":"amd64","config":{"Entrypoint":["/bin/busybox"],"Cmd":["echo","hello"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
			"$(digest layer.tar)" >config.json
		printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%d}]}' \
			"$(digest config.json)" "$(wc -c <config.json)" \
			"$(digest layer.tar.gz)" "$(wc -c <layer.tar.gz)" >manifest.json
		upload layer.tar.gz
		upload config.json
		send -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
			--data-binary @manifest.json \
			"http://$registry/v2/library/busybox/manifests/latest"
	)
}

install_what_is_missing
build
if [ $# = 0 ]; then
	start_registry
	push_busybox
	no_proxy=127.0.0.1${no_proxy:+,$no_proxy}
	export no_proxy
	set -- "$registry" library/busybox latest
fi
file=${2##*/}.tar
shown occystrap fetch-to-tarfile "$1" "$2" "$3" "$file"
shown tar -tvf "$file"
