#!/usr/bin/env bats
# occy-pull and blobs: none is believed before it is proven, and where requests
# are sent on to.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	odd_image
	first=$(digest latest layer 0)
	start_faults "$(layout)" \
		--fault "drip:bytes=5000,every=0.3,path=/r76-slow/,digest=$first" \
		--fault "corrupt:at=5,path=/r76/,digest=$first" \
		--fault "endless:path=/r77/,digest=$first" \
		--fault "endless:mode=length,cap=400000,path=/r77-length/,digest=$first" \
		--fault "content_length:delta=-1,path=/r78-less/,digest=$first" \
		--fault "content_length:delta=1,path=/r78-more/,digest=$first" \
		--fault "content_length:value=10,path=/r78-ten/,digest=$first" \
		--fault "no_length:mode=close,path=/r78-close/,digest=$first" \
		--fault "truncate:at=9,path=/r78-close/,digest=$first" \
		--fault "no_length:mode=close,path=/r78-whole/" \
		--fault "content_length:delta=-1,path=/r79-once/,digest=$first,times=1" \
		--fault encoding:mode=lie,path=/r80-lie/,kind=blob \
		--fault "encoding:mode=real,path=/r80-real/,digest=$first" \
		--fault "encoding:mode=real,path=/r80-gzip/,digest=$first" \
		--fault "corrupt:at=200,path=/r80-gzip/,digest=$first" \
		--fault "encoding:mode=lie,name=br,path=/r80-br/,digest=$first" \
		--fault "corrupt:at=5,path=/r80-br/,digest=$first" \
		--fault 'access:auth=anon,path=r84([/%]|$)' \
		--fault encoding:mode=real,path=/r80-manifest/,kind=manifest \
		--fault encoding:mode=lie,name=identity,path=/r80-identity/,kind=blob \
		--fault "corrupt:at=5,path=/r83/,digest=$first,times=1" \
		--fault "corrupt:at=5,path=/r83-always/,digest=$first" \
		--fault redirect:to=chain,n=1,code=301,path=/r86-301/ \
		--fault redirect:to=chain,n=1,code=302,path=/r86-302/ \
		--fault redirect:to=chain,n=1,code=303,path=/r86-303/ \
		--fault redirect:to=chain,n=1,code=307,path=/r86-307/ \
		--fault redirect:to=chain,n=1,code=308,path=/r86-308/ \
		--fault redirect:to=chain,n=10,path=/r86-ten/ \
		--fault redirect:to=chain,n=11,path=/r86-eleven/ \
		--fault redirect:to=chain,n=2,code=308,path=/r94/,kind=manifest \
		--fault redirect:to=loop,path=/r86-loop/ \
		--fault redirect:to=up,path=/r86-up/ \
		--fault redirect:to=none,path=/r86-none/ \
		--fault redirect:to=bad,path=/r86-bad/ \
		--fault redirect:to=file,path=/r87-file/ \
		--fault redirect:to=ftp,path=/r87-ftp/ \
		--fault "redirect:to=http://us:secret@127.0.0.1:9/x,path=/r17-user/" \
		--fault 'access:auth=basic,path=r88-basic([/%]|$)' \
		--fault 'access:auth=token,path=r88-token([/%]|$)' \
		--fault redirect:to=cdn,path=/r88-basic/ \
		--fault redirect:to=cdn,path=/r88-token/ \
		--fault 'access:auth=token,path=r88-name([/%]|$)' \
		--fault redirect:to=cdn-name,path=/r88-name/ \
		--fault 'access:auth=anon,path=r89(-dead)?[/%]' \
		--fault redirect:to=chain,n=2,path=/r89/ \
		--fault 'access:auth=token,path=r89-late(/.*hop=|%)' \
		--fault redirect:to=chain,n=1,path=/r89-late/,kind=manifest+blob \
		--fault redirect:to=chain,n=2,path=/r89-dead/ \
		--fault 'auth401:path=/r89-dead/.*hop=1,times=1' \
		--fault redirect:to=cdn,uses=1,path=/r92/ \
		--fault "truncate:at=1000,kind=cdn,path=for=r92$,times=2,per=all,digest=$first" \
		--fault redirect:to=cdn,ttl=-1,path=/r92-late/,times=1 \
		--fault redirect:to=cdn,path=/r92-late/,skip=1 \
		--fault redirect:to=cdn,ttl=-1,path=/r92-never/ \
		--fault redirect:to=cdn,path=/r93/
}

teardown_file() {
	stop_faults
}

describe() {
	lines 'image latest' layer 'fill a 20000' layer 'file b two' \
		'image packed' 'layer zstd' 'file a zstd' 'layer none' 'file b plain' 'layer xz' 'file c xz' \
		'image long algorithm=sha512' layer 'fill a 3000'
}

# An image with an empty layer, an encrypted one and one of a type of its own.
odd_image() {
	local layers ids empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	: >"$(layout)/blobs/sha256/$empty"
	layers=$(jq -c --arg empty "sha256:$empty" '[.layers[1]
		| .mediaType = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
			.mediaType = "application/vnd.example",
			{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $empty, size: 0}]' \
		"$(manifest_file "$(layout)" latest)")
	ids="sha256:$empty"
	printf '{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["%s","%s","%s"]}}' "$ids" "$ids" "$ids" >config
	keep config
	jq -nc --argjson layers "$layers" --arg digest "$kept" --argjson size "$(stat -c %s "$(blob_path "$(layout)" "$kept")")" \
		'{schemaVersion: 2, config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $digest, size: $size},
			layers: $layers}' >manifest
	keep manifest
	jq --arg digest "$kept" --argjson size "$(stat -c %s "$(blob_path "$(layout)" "$kept")")" \
		'.manifests += [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: $size,
			annotations: {"org.opencontainers.image.ref.name": "odd"}}]' "$(layout)/index.json" >index.new
	mv index.new "$(layout)/index.json"
}

# keep FILE: as a blob of the layout; its digest is in $kept then.
keep() {
	kept=sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)
	mv "$1" "$(blob_path "$(layout)" "$kept")"
}

# The label of the image's first layer, and its size.
setup() {
	begin
	first=$(digest latest layer 0)
	label="latest: layer 0 $first"
	first_size=$(size "$first")
}

# of_first REPOSITORY [EXPRESSION]: requests for that layer.
of_first() {
	asked "$1" ".path, (${2-empty})" | grep -F "$first" | sed 's/ [^ ]*'"$first"'[^ ]*//'
}

# first_asked REPOSITORY LINES [EXPRESSION]
first_asked() {
	within 3 is_first_asked "$@" ||
		diff <(of_first "$1" "${3-empty}") <(lines "$2")
}

is_first_asked() {
	cmp -s <(of_first "$1" "${3-empty}") <(lines "$2")
}

@test "R76 a blob's name appears when the blob is whole and right, not before" {
	pull r76-slow latest >stream 2>said 3>&- &
	pid=$!
	part=store/parts/${first/:/-}
	within 5 test -e "$part"
	[ ! -e "$(blob_path store "$first")" ]
	run -1 grep -F "$first" stream
	wait "$pid"
	[ ! -e "$part" ]
	[ -f "$(blob_path store "$first")" ]
	right_store store
}

@test "R76 a wrong byte: no name, ever" {
	run -8 --separate-stderr pull r76 latest
	[[ $(plain "$stderr") == "occy-pull: HOST/r76:$label: digest mismatch, got sha256:"* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	[ ! -e "$(blob_path store "$first")" ]
	broken_stream
	right_store store
}

@test "R77 bytes are counted as they come: one too many, and it ends" {
	fails 8 "occy-pull: HOST/r77:$label: longer than the $first_size bytes of the manifest" r77 latest
	first_asked r77 "$(times 2 'blob 200')"
	# What lay in the buffers between is gone, of 256 MiB.
	run -0 jq -es '[.[] | select((.path // "") | contains("/r77/"))]
		| length > 2 and all(.bytes < 30000000)' "$faults_log"
	fails 8 "occy-pull: HOST/r77-size:fr-wrongsize: layer 1 $(digest latest layer 1): the server has $(size "$(digest latest layer 1)") bytes (application/octet-stream), but the manifest says $(($(size "$(digest latest layer 1)") + 1))" \
		r77-size fr-wrongsize
}

@test "R77 what comes behind a whole body is not looked at" {
	works r77-length latest
	same "$(sha256sum <"$(blob_path store "$first")")" "${first#*:}  -"
}

@test "R78 200 and a proper end prove nothing" {
	fails 8 "occy-pull: HOST/r78-less:$label: the server has $((first_size - 1)) bytes (application/octet-stream), but the manifest says $first_size" \
		r78-less latest
	fails 8 "occy-pull: HOST/r78-ten:$label: the server has 10 bytes (application/octet-stream), but the manifest says $first_size" \
		r78-ten latest
	fails 8 "occy-pull: HOST/r78-close:$label: 9 bytes came, but the manifest says $first_size" \
		r78-close latest
	works r78-whole latest
}

@test "R79 another length than the manifest's: one more try, and then the end" {
	works r79-once latest
	first_asked r79-once "$(times 2 'blob 200')"
	fails 8 "occy-pull: HOST/r78-more:$label: the server has $((first_size + 1)) bytes (application/octet-stream), but the manifest says $first_size" \
		r78-more latest
	first_asked r78-more "$(times 2 'blob 200')"
}

@test "R80 no content coding is asked for, and one that is only said does no harm" {
	works r80-lie latest
	works r80-identity latest
	same "$(asked r80-lie .ae | sort -u)" "$(lines 'blob 200 null' 'manifest 200 null')"
}

@test "R80 a content coding that is real is undone, at the second try" {
	works r80-real latest
	first_asked r80-real "$(times 2 'blob 200 null')" .ae
}

@test "R80 a manifest that is encoded, of which nobody knows the digest" {
	works r80-manifest latest
	was_asked r80-manifest "$(lines "$(times 2 'manifest 200')" "$(times 3 'blob 200')")"
}

@test "R80 one that hides other bytes, or nothing, is named" {
	local coding
	for coding in gzip br; do
		run -7 --separate-stderr pull "r80-$coding" latest
		[[ $(plain "$stderr") == "occy-pull: HOST/r80-$coding:$label: "*" (Content-Encoding: $coding)" ]]
		[ "${#stderr_lines[@]}" = 1 ]
		[ "$(of_first "r80-$coding" | wc -l)" = 2 ]
		broken_stream
		right_store store
	done
}

@test "R81 sha512" {
	works r81 fr-sha512
	[[ ${lines[3]} == '{"type":"layer","index":0,"digest":"sha512:'* ]]
	same "$(find store/blobs/sha512 -type f | wc -l)" 2
	works r81 long
	[[ ${lines[2]} == *'"digest":"sha512:'* ]]
	works r81 "$(digest long manifest)"
}

@test "R81 another algorithm is named in the error" {
	fails 8 "occy-pull: HOST/r81:fr-unkalg: manifest: layer 0: bad digest: whirlpool:$(printf 'ab%.0s' {1..32})" \
		r81 fr-unkalg
}

@test "R83 a wrong digest: once more from the first byte, then an error with both" {
	works r83 latest
	first_asked r83 "$(times 2 'blob 200 null')" .range
	rm -r store
	run -8 --separate-stderr pull r83-always latest
	# The byte at 5 with its lowest bit turned.
	python3 - "$(blob_path "$(layout)" "$first")" >want <<-END
		import hashlib, sys
		data = bytearray(open(sys.argv[1], "rb").read())
		data[5] ^= 1
		print(hashlib.sha256(data).hexdigest())
	END
	same "$(plain "$stderr")" "occy-pull: HOST/r83-always:$label: digest mismatch, got sha256:$(cat want)"
	first_asked r83-always "$(times 2 'blob 200 null')" .range
}

@test "R84 what the registry does not have may be where the manifest says, without a login" {
	works r84 fr-foreign
	was_asked r84 "$(lines 'manifest 401 none' 'token 200 none' 'manifest 200 bearer' \
		'blob 200 bearer' "$(times 2 'blob 404 bearer')")" .auth
	within 3 foreign_was_asked
}

foreign_was_asked() {
	[ "$(jq -r 'select(.kind == "cdn" and (.path | contains("for=") | not))
		| "\(.status) \(.auth)"' "$faults_log" | sort -u)" = '200 none' ]
}

@test "R84 no other kind of URL, and none at all with --no-foreign" {
	local layer
	run -4 --separate-stderr pull r84 fr-foreign-file
	layer=$(grep -oE 'layer [0-9]+ sha256:[0-9a-f]*' <<<"$stderr" | head -n 1)
	same "$(plain "$stderr")" "$(lines \
		"occy-pull: warning: HOST/r84:fr-foreign-file: $layer: not found or not authorised: HOST answered 404 BLOB_UNKNOWN: blob unknown to registry" \
		"occy-pull: HOST/r84:fr-foreign-file: $layer: the manifest's URL leads to something that is neither http nor https: file:///etc/hostname")"
	broken_stream

	run -4 --separate-stderr pull r84 fr-foreign --no-foreign
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == *': not found or not authorised: '*' answered 404 BLOB_UNKNOWN: blob unknown to registry' ]]
}

@test "R84 a foreign URL that asks for a login gets none" {
	own_faults --cdn-auth anon
	run -5 --separate-stderr pull r84-login fr-foreign -j 1
	[[ $(plain "${stderr_lines[-1]}") == "occy-pull: HOST/r84-login:fr-foreign: layer "*": OTHER answered 401 UNAUTHORIZED: authentication required" ]]
	broken_stream
	same "$(jq -r 'select(.srv == "cdn") | "\(.kind) \(.status) \(.auth)"' "$faults_log" | sort -u)" 'cdn 401 none'
}

@test "R85 layers of any type are kept as they are, and named" {
	works r85 packed
	[[ ${lines[3]} == *'"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd"'*'"compression":"zstd","file":'* ]]
	[[ ${lines[4]} == *'"mediaType":"application/vnd.oci.image.layer.v1.tar"'*'"compression":"none","file":'* ]]
	[[ ${lines[5]} == *'"mediaType":"application/vnd.oci.image.layer.v1.tar+xz"'* ]]
	works r85 odd
	[[ ${lines[3]} == *'"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip+encrypted"'* ]]
	[[ ${lines[3]} != *compression* ]]
	[[ ${lines[4]} == *'"mediaType":"application/vnd.example"'* ]]
	[[ ${lines[5]} == *'"size":0,"mediaType":'* ]]
	[ -f store/blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ]
}

@test "R86 every kind of redirect is followed, with GET, at most ten" {
	for code in 301 302 303 307 308; do
		works "r86-$code" latest
		was_asked "r86-$code" "$(lines 'manifest 200 GET' "$(times 3 "blob $code GET")" \
			"$(times 3 'blob 200 GET')")" .method
	done
	works r86-ten latest
	first_asked r86-ten "$(lines "$(times 10 'blob 307')" 'blob 200')"
	works r86-up latest
}

@test "R86 an eleventh redirect, a circle, no Location, a broken one" {
	for name in r86-eleven r86-loop; do
		fails_at_a_blob 7 "occy-pull: HOST/$name:latest: BLOB: too many redirects: http://HOST/v2/$name/blobs/DIGEST" \
			"$name" latest
	done
	for name in r86-none r86-bad; do
		fails_at_a_blob 7 "occy-pull: HOST/$name:latest: BLOB: redirect without a usable Location" \
			"$name" latest
	done
}

@test "R87 only http and https" {
	fails_at_a_blob 7 "occy-pull: HOST/r87-file:latest: BLOB: redirect to something that is neither http nor https: file:///etc/hostname" \
		r87-file latest
	fails_at_a_blob 7 "occy-pull: HOST/r87-ftp:latest: BLOB: redirect to something that is neither http nor https: ftp://OTHER/none" \
		r87-ftp latest
}

@test "R17 no URL with a user's name in it, and no second try" {
	fails_at_a_blob 7 'occy-pull: HOST/r17-user:latest: BLOB: led to a URL with a user'"'"'s name in it' \
		r17-user latest --jobs 1
	[ "$(asked r17-user | grep -c 'blob 307')" -le 3 ]
}

@test "R87 never from https to http" {
	plain_server=$faults
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 2 -subj /CN=here -keyout key -out pem \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	own_faults --cert pem --key key --fault "redirect:to=http://$plain_server/v2/r87-down/blobs/x?sig=secret"
	SSL_CERT_FILE=$PWD/pem fails_at_a_blob 7 "occy-pull: HOST/r87:latest: BLOB: redirect from https to http: http://OTHER/v2/r87-down/blobs/x" \
		r87 latest
}

@test "R88 no credential goes to another port or another host" {
	for name in r88-basic r88-token r88-name; do
		works "$name" latest --username user --password-stdin <<<secret
		within 3 is_asked "$name" "$(asked "$name")"
		same "$(asked "$name" .auth | grep cdn)" "$(times 3 'cdn 200 none')"
		same "$(asked "$name" .auth | grep '^blob' | sort -u)" \
			"blob 307 $([ "$name" = r88-basic ] && echo basic || echo bearer)"
	done
	no_leaks
}

@test "R89 hops at the registry itself carry its token" {
	works r89 latest
	was_asked r89 "$(lines 'manifest 401 none' 'token 200 none' 'manifest 200 bearer' \
		"$(times 6 'blob 307 bearer')" "$(times 3 'blob 200 bearer')")" .auth
}

@test "R89 a hop at the registry itself may be what asks for a login" {
	works r89-late latest --username user --password-stdin <<<secret
	was_asked r89-late "$(lines 'manifest 307 none' 'manifest 401 none' 'token 200 basic' \
		'manifest 307 bearer' 'manifest 200 bearer' \
		"$(times 3 'blob 307 bearer')" "$(times 3 'blob 200 bearer')")" .auth
}

@test "R89 a hop that takes no token: once more from the registry" {
	works r89-dead latest
	was_asked r89-dead "$(lines 'manifest 401 none' 'token 200 none' 'manifest 200 bearer' \
		"$(times 3 'blob 401 bearer')" "$(times 9 'blob 307 bearer')" \
		"$(times 3 'blob 200 bearer')")" .auth
}

@test "R92 a target is used once: repeats begin at the registry" {
	works r92 latest
	first_asked r92 "$(times 3 'blob 307')"
	same "$(asked r92 '.path' | grep -cE "^cdn 20[06] .*${first#*:}")" 3
	run -1 grep 'cdn 403' <(asked r92)
}

@test "R92 a link that is too old: once more from the registry" {
	works r92-late latest
	was_asked r92-late "$(lines 'manifest 200' "$(times 6 'blob 307')" \
		"$(times 3 'cdn 403')" "$(times 3 'cdn 200')")"
	fails_at_a_blob 5 "occy-pull: HOST/r92-never:latest: BLOB: OTHER answered 403 (application/xml)" \
		r92-never latest
}

@test "R93 what is accepted goes along, a Referer does not" {
	works r93 latest
	within 3 is_asked r93 "$(asked r93)"
	same "$(asked r93 '(.headers | join(",")), .accept[]' | sort -u)" \
		"$(lines 'blob 307 Host,User-Agent,Accept */*' 'cdn 200 Host,User-Agent,Accept */*' \
			'manifest 200 Host,User-Agent,Accept application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json')"
}

@test "R94 manifests are redirected likewise, and nothing is remembered" {
	local once
	once=$(lines 'manifest 308' 'manifest 308' 'manifest 200')
	works r94 latest
	run -0 pull r94 latest
	was_asked r94 "$(lines "$once" "$once" "$(times 3 'blob 200')")"
	same "$(asked r94 '.path | contains("hop")' | grep -c false)" 5
}
