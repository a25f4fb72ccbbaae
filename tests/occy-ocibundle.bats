#!/usr/bin/env bats
# A stream that says what was unpacked where becomes a runtime bundle.
load helpers/common

setup() {
	own_folder
	mkdir -p b/rootfs/bin b/rootfs/etc b/rootfs/dev b/rootfs/proc b/rootfs/sys
	lines 'root:x:0:0:root:/root:/bin/sh' 'app:x:1000:1001::/home/app:/bin/sh' \
		'wide:x:4294967296:0::/:/bin/sh' >b/rootfs/etc/passwd
	lines 'root:x:0:' 'wheel:x:10:root,app' 'video:x:44:app' 'app:x:1001:' \
		>b/rootfs/etc/group
}

header='{"type":"stream","occy":1}'
image='{"type":"image","names":["example.com/a/b:1"]}'

# given CONFIG: the image's config; $config is its record, $about how messages
# about it begin.
given() {
	printf '%s' "$1" >image.json
	digest=sha256:$(sha256sum <image.json | cut -d ' ' -f 1)
	config="{\"type\":\"config\",\"digest\":\"$digest\",\"file\":\"image.json\"}"
	tree="{\"type\":\"tree\",\"image\":\"example.com/a/b:1\",\"file\":\"$PWD/b/rootfs\"}"
	about="example.com/a/b:1: config $digest"
	lines "$header" "$image" "$config" "$tree" '{"type":"end","images":1,"records":3}' >in
}

# with MEMBER...: the members of the config's "config", beside what is run.
with() {
	local IFS=,
	given "{\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/sh\"]${1:+,}$*}}"
}

# published: what the bundle holds.
published() {
	(cd b && find . -mindepth 1 -path ./rootfs -prune -o -mindepth 1 -print | sort)
}

# nothing_published: neither file, and nothing beside them.
nothing_published() {
	[ -z "$(published)" ]
}

# ended STATUS PID: of a process in the background.
ended() {
	local got=0
	wait "$2" || got=$?
	[ "$got" = "$1" ]
}

# refused STATUS MESSAGE ARGUMENT...
refused() {
	local status=$1 message=$2
	shift 2
	run "-$status" --separate-stderr occy-ocibundle "$@" b <in
	diff <(lines "occy-ocibundle: $message") <(lines "$stderr")
	[[ "$output" != *'"type":"end"'* ]]
	nothing_published
}

@test "a stream's image becomes a bundle, and every record is passed on" {
	given '{ "config": {"Cmd": ["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":[]} }'
	run -0 --separate-stderr occy-ocibundle b <in
	[ -z "$stderr" ]
	diff <(lines "$output") <(lines "$header" "$image" "$config" "$tree" \
		"{\"type\":\"bundle\",\"image\":\"example.com/a/b:1\",\"file\":\"$PWD/b\"}" \
		'{"type":"end","images":1,"records":4}')
	diff <(published) <(lines ./config.json ./container-config.json)
	cmp image.json b/container-config.json
	diff <(jq -c .process.args b/config.json) <(lines '["/bin/sh"]')
}

@test "-v says what was written, and how many labels were left out" {
	with '"Labels":{"a":"1","b":"2"}'
	run -0 --separate-stderr occy-ocibundle -v b <in
	diff <(lines "$stderr") <(lines \
		"occy-ocibundle: b/config.json: $(stat -c %s b/config.json) bytes" \
		"occy-ocibundle: b/container-config.json: $(stat -c %s image.json) bytes" \
		"occy-ocibundle: labels that are no annotations: 2")
	[[ "$output" == *'"type":"bundle"'*',"labels_left_out":2}'* ]]
	run -0 --separate-stderr occy-ocibundle --quiet --replace b <in
	[ -z "$stderr" ]
}

# What is written for a rich image, against what others write.
rich() {
	given '{
	"author": "me", "created": "2001-02-03T04:05:06Z",
	"architecture": "arm64", "variant": "v8", "os": "linux",
	"config": {
		"User": "app", "Entrypoint": ["/bin/x"], "Cmd": ["y", "z"],
		"Env": ["A=1", "PATH=/bin"], "WorkingDir": "/srv",
		"Labels": {"label": "1", "run.oci.handler": "krun"},
		"Volumes": {"/vol": {}, "/etc": {}, "/sys/x": {}},
		"ExposedPorts": {"80/tcp": {}, "443": {}},
		"StopSignal": "SIGINT", "Healthcheck": {"Test": ["NONE"]}
	},
	"history": null,
	"rootfs": {"type": "layers", "diff_ids": []}
	}'
}

# umoci_config ROOTFS: what umoci makes of image.json, as umoci.json.
umoci_config() {
	local manifest
	mkdir -p layout/blobs/sha256
	echo '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout
	cp image.json "layout/blobs/sha256/${digest#sha256:}"
	printf '{"schemaVersion":2,"config":{"mediaType":"%s","digest":"%s","size":%d},"layers":[]}' \
		application/vnd.oci.image.config.v1+json "$digest" \
		"$(stat -c %s image.json)" >manifest
	manifest=$(sha256sum <manifest | cut -d ' ' -f 1)
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"sha256:%s","size":%d,"annotations":{"org.opencontainers.image.ref.name":"a"}}]}' \
		application/vnd.oci.image.manifest.v1+json "$manifest" \
		"$(stat -c %s manifest)" >layout/index.json
	mv manifest "layout/blobs/sha256/$manifest"
	umoci raw runtime-config --image layout:a --rootfs "$1" umoci.json
}

@test "umoci writes the same, but for the differences that are documented" {
	rich
	umoci_config b/rootfs
	run -0 --separate-stderr occy-ocibundle b <in
	# docs/runtime-config.md has a line for each.
	jq -S --arg uid "uid=$(id -u)" --arg gid "gid=$(id -g)" '
		.ociVersion = "1.0.2"
		| .process.terminal = false
		| .process.env -= ["TERM=xterm", "HOME=/home/app"]
		| .process.env |= ([.[] | select(startswith("PATH="))] as $path
			| [.[] | select(startswith("PATH=") | not)] + $path)
		| .process.capabilities.inheritable = []
		| .process.capabilities.ambient = []
		| .root.readonly = false
		| .hostname = "occystrap"
		| del(.mounts[] | select(.destination == "/sys/x"))
		| .mounts |= .[:7] + (.[7:] | sort_by(.destination))
		| (.mounts[] | select(.source == "none")).source = "tmpfs"
		| (.mounts[] | select(.destination == "/etc")).options += ["mode=0755", $uid, $gid]
		| del(.annotations.label, .annotations["run.oci.handler"])
		| .annotations["org.opencontainers.image.variant"] = "v8"
		| .linux.maskedPaths = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys"]
			+ (.linux.maskedPaths - ["/proc/kcore"])
		| .linux.readonlyPaths -= ["/proc/asound"]
	' umoci.json >want
	diff <(jq -S . b/config.json) want
	diff <(lines "$stderr") <(lines \
		"occy-ocibundle: warning: $about: Volumes: '/sys/x' would hide what the runtime mounts; left out")
}

@test "umoci finds the same users, but adds groups to those that are numbers" {
	for user in root app app:wheel app:44 1000:10 77 77:88 7:video; do
		with "\"User\":\"$user\""
		umoci_config b/rootfs
		run -0 --separate-stderr occy-ocibundle --replace b <in
		diff <(jq -S .process.user umoci.json) <(jq -S .process.user b/config.json)
	done
	for user in 1000 0 ''; do
		with "\"User\":\"$user\""
		umoci_config b/rootfs
		run -0 --separate-stderr occy-ocibundle --replace b <in
		diff <(jq -S '.process.user | del(.additionalGids)' umoci.json) \
			<(jq -S .process.user b/config.json)
	done
}

@test "what the image does not say is no annotation, and umoci's is empty" {
	given '{"os":"linux","config":{"Cmd":["a"]},"rootfs":{"type":"layers","diff_ids":[]}}'
	umoci_config b/rootfs
	run -0 --separate-stderr occy-ocibundle b <in
	diff <(jq -cS '.annotations | map_values(select(. != "" and (startswith("0001-") | not)))' umoci.json) \
		<(jq -cS .annotations b/config.json)
}

@test "umoci takes for root whose id is none, and we do not" {
	lines 'wide:x:4294967296:0::/:' 'text:x:abc:0::/:' 'short:x' >b/rootfs/etc/passwd
	number=0
	for user in wide text short; do
		number=$((number + 1))
		with "\"User\":\"$user\""
		umoci_config b/rootfs
		diff <(jq -c .process.user.uid umoci.json) <(lines 0)
		refused 8 "$about: User '$user': etc/passwd, line $number: uid is no number from 0 to 4294967294"
	done
}

@test "what is not the image's is as runc spec has it, but for the differences that are documented" {
	with '"Env":["PATH=/x"]' '"WorkingDir":"/w"'
	run -0 --separate-stderr occy-ocibundle b <in
	mkdir spec
	(cd spec && runc spec)
	jq -S '
		.ociVersion = "1.0.2"
		| .process.terminal = false
		| .process.args = ["/bin/sh"] | .process.env = ["PATH=/x"] | .process.cwd = "/w"
		| .process.capabilities.inheritable = []
		| .process.capabilities.ambient = []
		| .root.readonly = false
		| .hostname = "occystrap"
		| .annotations = {"org.opencontainers.image.os": "linux"}
		| del(.linux.namespaces[] | select(.type == "cgroup"))
	' spec/config.json >want
	diff <(jq -S . b/config.json) want
}

@test "--terminal, --hostname, --readonly and --labels" {
	with '"Labels":{"b":"2","a":"1","org.opencontainers.image.os":"mine"}'
	run -0 --separate-stderr occy-ocibundle --terminal --hostname box-1.example \
		--readonly --labels b <in
	[ -z "$stderr" ]
	[[ "$output" != *labels_left_out* ]]
	diff <(jq -c '[.process.terminal, .process.env[-1], .hostname, .root, .annotations]' b/config.json) \
		<(lines '[true,"TERM=xterm","box-1.example",{"path":"rootfs","readonly":true},{"org.opencontainers.image.os":"mine","a":"1","b":"2"}]')
}

@test "--args replaces Entrypoint and Cmd, wherever it stands" {
	given '{"config":{"Entrypoint":["/e"],"Cmd":["c"]}}'
	for arguments in '--args sh -c id -- b' 'b --args sh -c id --' \
		'--args x -- b --args sh -c id -- --readonly' '--args sh -c id -- -- b'; do
		# shellcheck disable=SC2086 # several words
		run -0 --separate-stderr occy-ocibundle --replace $arguments <in
		diff <(jq -c .process.args b/config.json) <(lines '["sh","-c","id"]')
	done
	given '{"config":null}'
	run -0 --separate-stderr occy-ocibundle --replace --args '' $'a "b"\n' -- b <in
	diff <(jq -c .process.args b/config.json) <(lines '["","a \"b\"\n"]')
}

@test "wrong calls are status 2, with usage, and nothing is read" {
	wrong() {
		local message=$1
		shift
		run -2 --separate-stderr occy-ocibundle "$@" </dev/null
		[ -z "$output" ]
		[ "${stderr_lines[0]}" = "occy-ocibundle: $message" ]
		[ "${stderr_lines[1]}" = "usage: occy-ocibundle [OPTION]... [--args WORD... --] BUNDLE <stream [>stream]" ]
	}
	wrong 'BUNDLE is missing'
	wrong 'BUNDLE is empty' ''
	wrong 'unexpected argument: c' b c
	wrong '--args: no -- after the words' --args sh b
	wrong '--args: no words before --' --args -- b
	wrong "--args: '\\xff' is not UTF-8" --args $'\xff' -- b
	wrong 'BUNDLE is not UTF-8: \xff' $'\xff'
	wrong "--hostname: 'a b' is no host name" --hostname 'a b' b
	wrong "--hostname: '' is no host name" --hostname '' b
	wrong 'option --hostname needs an argument' b --hostname
}

@test "a broken stream is status 3, and nothing is published" {
	with
	lines "$header" "$image" "$config" "$tree" >in
	refused 3 'stdin:4: stream ends without an end record'
	OCCY_WRAPPED=1 run -3 --separate-stderr occy-ocibundle b <in
	[ -z "$stderr" ]
	lines "$header" "$image" "$config" "$tree" '{"type":"end","records":2}' >in
	refused 3 'stdin:5: end record says 2 records, but 3 came'
	lines "$header" "$image" "$tree" '{"type":"end"}' >in
	refused 3 'example.com/a/b:1: the stream holds no config record of it'
	lines "$header" '{"type":"end"}' >in
	refused 3 'stdin: the stream holds no image'
}

@test "what follows a good stream may break it" {
	with
	lines "$header" >>in
	refused 3 'stdin:6: stream ends without an end record'
}

@test "a second image is status 2, also in a second stream" {
	with
	lines "$header" "$image" "$config" '{"type":"image","names":["c:2"]}' "$config" "$tree" '{"type":"end"}' >in
	refused 2 'c:2: a second image, and a bundle is of one only'
	lines "$header" "$image" "$config" "$tree" '{"type":"end"}' \
		"$header" "$image" "$config" "$tree" '{"type":"end"}' >in
	refused 2 'example.com/a/b:1: a second image, and a bundle is of one only'
}

@test "nothing has changed: the bundle is left as it is" {
	with
	lines "$header" '{"type":"end","images":0,"unchanged":true}' >in
	run -0 --separate-stderr occy-ocibundle b <in
	[ -z "$stderr" ]
	diff <(lines "$output") <(lines "$header" '{"type":"end","images":0,"records":0,"unchanged":true}')
	nothing_published
}

@test "what was left out is told, after the bundle is published" {
	with
	lines "$header" "$image" "$config" "$tree" '{"type":"end","left_out":2}' >in
	run -3 --separate-stderr occy-ocibundle b <in
	[ "$stderr" = "occy-ocibundle: stdin: images that were left out: 2" ]
	[[ "$output" == *'"records":4,"left_out":2}' ]]
	diff <(published) <(lines ./config.json ./container-config.json)
}

@test "without a tree, or with another, is status 4" {
	with
	lines "$header" "$image" "$config" '{"type":"end"}' >in
	refused 4 'stdin: the stream says of no tree; occy-expand --merged b/rootfs makes one'
	mkdir -p c/rootfs
	lines "$header" "$image" "$config" "${tree//\/b\/rootfs/\/c\/rootfs}" '{"type":"end"}' >in
	refused 4 "b/rootfs: not the tree of the stream, which is $PWD/c/rootfs"
	mv b/rootfs b/real
	ln -s real b/rootfs
	lines "$header" "$image" "$config" "$tree" '{"type":"end"}' >in
	run -4 --separate-stderr occy-ocibundle b <in
	[ "$stderr" = "occy-ocibundle: b/rootfs: not the tree of the stream, which is $PWD/b/rootfs" ]
}

@test "of several trees the bundle's is found" {
	with
	mkdir c
	lines "$header" "$image" "$config" \
		"{\"type\":\"tree\",\"image\":\"i\",\"layer\":0,\"file\":\"$PWD/c\"}" \
		"$tree" '{"type":"end"}' >in
	run -0 --separate-stderr occy-ocibundle b <in
	diff <(published) <(lines ./config.json ./container-config.json)
}

@test "a config that is not what the stream says is status 8" {
	with
	echo >>image.json
	got=sha256:$(sha256sum <image.json | cut -d ' ' -f 1)
	refused 8 "$about: digest mismatch, got $got"
	with
	lines "$header" "$image" "${config/,/,\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",}" "$tree" '{"type":"end"}' >in
	refused 8 "$about: not of a container image: application/vnd.cncf.helm.config.v1+json"
	given '{"config":{"Cmd":["a"]},"rootfs":{"diff_ids":["'"$digest"'"]}}'
	refused 8 'example.com/a/b:1: layer 0 is missing'
	given '[]'
	refused 8 "$about: not a JSON object"
	given '{"config":{"Cmd":["a"],"Cmd":["b"]}}'
	refused 8 "$about: JSON object has a doubled key"
	rm image.json
	refused 9 'image.json: No such file or directory'
}

@test "an image's name and config that would write to a terminal are escaped" {
	with '"User":"\u001b[2J"'
	lines "$header" '{"type":"image","names":["\u001b[2J"]}' "$config" "$tree" '{"type":"end"}' >in
	refused 8 "\\x1b[2J: config $digest: User '\\x1b[2J': no such user in etc/passwd"
}

@test "without anything to run is status 8, and says what helps" {
	for text in '{}' '{"config":null}' '{"config":{"Cmd":[],"Entrypoint":null}}'; do
		given "$text"
		refused 8 "$about: neither Entrypoint nor Cmd says what to run; --args can"
	done
}

@test "a member of a wrong kind is named" {
	for member in Env Cmd Entrypoint; do
		given "{\"config\":{\"Cmd\":[\"a\"],\"$member\":\"sh\"}}"
		[ "$member" != Cmd ] || given '{"config":{"Cmd":"sh"}}'
		refused 8 "$about: $member is of a wrong kind"
	done
	for member in User WorkingDir StopSignal ExposedPorts Volumes Labels; do
		with "\"$member\":7"
		refused 8 "$about: $member is of a wrong kind"
	done
	for member in author created architecture; do
		given "{\"$member\":{},\"config\":{\"Cmd\":[\"a\"]}}"
		run -8 --separate-stderr occy-ocibundle b <in
		nothing_published
	done
	with '"Env":["A=\u0000"]'
	refused 8 "$about: Env is of a wrong kind"
	with '"user":"app"'
	refused 8 "$about: User is written in another case"
}

@test "a user or group that is not there is an error, never root" {
	with '"User":"nobody"'
	refused 8 "$about: User 'nobody': no such user in etc/passwd"
	with '"User":"app:nogroup"'
	refused 8 "$about: User 'app:nogroup': no such group in etc/group"
	with '"User":"4294967296"'
	refused 8 "$about: User '4294967296': an id is a number from 0 to 4294967294"
	with '"User":"wide"'
	refused 8 "$about: User 'wide': etc/passwd, line 3: uid is no number from 0 to 4294967294"
	with '"User":"0:0\n"'
	refused 8 "$about: User '0:0\\x0a': no such group in etc/group"
	with '"User":"1000:"'
	refused 8 "$about: User '1000:': no group after the colon"
	rm b/rootfs/etc/passwd
	with '"User":"app"'
	refused 8 "$about: User 'app': the root filesystem has no etc/passwd"
}

@test "passwd and group: no link leads out, no FIFO hangs, no size is too large" {
	echo 'app:x:1:1::/:' >host
	ln -sf "$PWD/host" b/rootfs/etc/passwd
	with '"User":"app"'
	refused 8 "$about: User 'app': the root filesystem has no etc/passwd"
	ln -sf ../../../host b/rootfs/etc/passwd
	refused 8 "$about: User 'app': the root filesystem has no etc/passwd"
	rm b/rootfs/etc/passwd
	mkdir b/rootfs/etc/passwd
	refused 8 "$about: rootfs/etc/passwd: not a regular file"
	rmdir b/rootfs/etc/passwd
	cp host b/rootfs/etc/passwd
	rm b/rootfs/etc/group
	mkfifo b/rootfs/etc/group
	refused 8 "$about: rootfs/etc/group: not a regular file"
	# Numbers and nobody at all need no file.
	for user in '' 0:0 5:6; do
		with "\"User\":\"$user\""
		timeout 10 occy-ocibundle --replace b <in >out
	done
	rm b/config.json b/container-config.json
	head -c 1048577 /dev/zero | tr '\0' a >b/rootfs/etc/passwd
	with '"User":"app"'
	refused 8 'etc/passwd: larger than 1048576 bytes'
	printf 'app\0:x:1:1::/:\n' >b/rootfs/etc/passwd
	refused 8 "$about: rootfs/etc/passwd: holds a NUL"
}

@test "a working directory outside of the container is refused, also behind a link" {
	ln -s /proc/self/fd b/rootfs/out
	ln -s fd b/rootfs/dev/descriptors
	for path in /proc/self/fd/7 /proc/1/cwd ../proc/self/root /dev/fd/7 \
		/x/..//proc/thread-self/fd/7 /out/7 /dev/descriptors/7; do
		with "\"WorkingDir\":\"$path\""
		refused 8 "$about: WorkingDir '$path' may lead out of the container"
	done
}

@test "what cannot be taken is left out with a warning, and fails with --strict" {
	mkdir b/rootfs/real
	rmdir b/rootfs/dev
	ln -s real b/rootfs/dev
	ln -s /proc b/rootfs/hidden
	given '{"os":"plan9","config":{"Cmd":["a"],"Env":["x","=y","A=1"],
		"Volumes":{"/":{},"/dev/x":{},"/hidden/y":{},"rel":{},"/a/../b":{},"/etc/group":{},"/v":{}},
		"Labels":{"":"1","run.oci.hooks":"2","null":null,"org.opencontainers.image.author":"you"}}}'
	run -0 --separate-stderr occy-ocibundle --labels b <in
	diff <(lines "$stderr") <(printf "occy-ocibundle: warning: $about: %s\n" \
		"os is 'plan9', but the bundle is for linux" \
		"rootfs/dev is no directory, and the runtime mounts there" \
		"Env: 'x' is not NAME=VALUE; left out" \
		"Env: '=y' is not NAME=VALUE; left out" \
		"Volumes: '/' would hide what the runtime mounts; left out" \
		"Volumes: '/a/../b' is no absolute, clean path; left out" \
		"Volumes: '/dev/x' would hide what the runtime mounts; left out" \
		"Volumes: '/etc/group': Not a directory; left out" \
		"Volumes: '/hidden/y' would hide what the runtime mounts; left out" \
		"Volumes: 'rel' is no absolute, clean path; left out" \
		"Labels: '' is no name of an annotation; left out" \
		"Labels: 'null' has no value; left out" \
		"Labels: 'run.oci.hooks' gives orders to a runtime; left out")
	diff <(jq -c '[.process.env[1:], [.mounts[7:][].destination], .annotations]' b/config.json) \
		<(lines '[["A=1"],["/v"],{"org.opencontainers.image.os":"plan9","org.opencontainers.image.author":"you"}]')
	[[ "$output" == *'"labels_left_out":3}'* ]]
	rm b/config.json b/container-config.json
	refused 8 "$about: os is 'plan9', but the bundle is for linux" --strict --labels
	with '"Env":["x"]'
	rm b/rootfs/dev
	refused 8 "$about: Env: 'x' is not NAME=VALUE; left out" --strict
}

@test "hostile strings come out as they went in" {
	strings='["a\"b","},{\"x\":1","\u0001\u001f\u007f","\u2028\u2029","/é","\\\\u0000","\n"]'
	given "{\"config\":{\"Entrypoint\":$strings,\"Env\":[\"A=\\\"\\u001b\\n\"],\"Labels\":{\"k\\\"\\n\":\"\\u0007\"}}}"
	run -0 --separate-stderr occy-ocibundle --labels b <in
	diff <(jq -c .process.args b/config.json) <(jq -c . <<<"$strings")
	diff <(jq -c '[.process.env[1], .annotations]' b/config.json) \
		<(jq -c . <<<'["A=\"\u001b\n",{"k\"\n":"\u0007"}]')
}

@test "a hundred thousand arguments and variables" {
	{
		printf '{"config":{"Cmd":["a"'
		yes ',"b"' | head -n 100000 | tr -d '\n'
		printf '],"Env":["A=1"'
		yes ',"B=2"' | head -n 100000 | tr -d '\n'
		printf ']}}'
	} >many
	given "$(cat many)"
	run -0 --separate-stderr occy-ocibundle b <in
	diff <(jq -c '[(.process.args | length), (.process.env | length)]' b/config.json) \
		<(lines '[100001,100002]')
}

@test "files that are there already are status 9, and stay; --replace replaces them" {
	with
	for name in config.json container-config.json; do
		echo old >"b/$name"
		run -9 --separate-stderr occy-ocibundle b <in
		[ "$stderr" = "occy-ocibundle: b/$name: File exists" ]
		[ "$(cat "b/$name")" = old ]
		diff <(published) <(lines "./$name")
		rm "b/$name"
	done
	echo old >b/config.json
	run -0 --separate-stderr occy-ocibundle --replace b <in
	cmp image.json b/container-config.json
	jq -e .process b/config.json
	rm b/config.json
	echo mine >other
	ln -s "$PWD/other" b/config.json
	run -9 --separate-stderr occy-ocibundle --replace b <in
	[ "$stderr" = "occy-ocibundle: b/config.json: not a regular file" ]
	[ "$(cat other)" = mine ]
}

@test "a file that appears meanwhile is not replaced" {
	with
	mkfifo pipe
	occy-ocibundle b <pipe >out 2>err &
	pid=$!
	exec 9>pipe
	head -n 3 in >&9
	within 10 grep -q config out
	echo mine >b/config.json
	tail -n 2 in >&9
	exec 9>&-
	ended 9 "$pid"
	diff err <(lines 'occy-ocibundle: b/config.json: File exists')
	[ "$(cat b/config.json)" = mine ]
	diff <(published) <(lines ./config.json)
}

@test "the folder may be made while the stream runs, but not later" {
	with
	mv b elsewhere
	mkfifo pipe
	occy-ocibundle b <pipe >out 2>err &
	pid=$!
	exec 9>pipe
	head -n 3 in >&9
	within 10 grep -q config out
	mv elsewhere b
	tail -n 2 in >&9
	exec 9>&-
	ended 0 "$pid"
	diff <(published) <(lines ./config.json ./container-config.json)

	run -9 --separate-stderr occy-ocibundle nowhere <in
	[ "$stderr" = 'occy-ocibundle: nowhere: No such file or directory' ]
	[ ! -e nowhere ]
	run -9 --separate-stderr occy-ocibundle image.json <in
	[ "$stderr" = 'occy-ocibundle: image.json: Not a directory' ]
}

@test "until the stream has ended nothing has a name, also when killed" {
	with
	for signal in INT TERM KILL; do
		rm -f pipe out
		mkfifo pipe
		# Not from bash: its children in the background ignore SIGINT.
		env --default-signal=INT occy-ocibundle b <pipe >out 2>err &
		pid=$!
		exec 9>pipe
		head -n 4 in >&9
		within 10 grep -q config out
		nothing_published
		kill -"$signal" "$pid"
		ended "$((128 + $(kill -l "$signal")))" "$pid"
		exec 9>&-
		nothing_published
	done
}

@test "a reader that has gone is no error message, and publishes nothing" {
	with
	run -141 --separate-stderr bash -c "set -o pipefail
		{ sleep 0.3; cat in; } | occy-ocibundle b | sleep 0"
	[ -z "$stderr" ]
	nothing_published
}

@test "standard output that cannot be written is status 9" {
	with
	run -9 --separate-stderr sh -c 'occy-ocibundle b <in >/dev/full'
	[ "$stderr" = 'occy-ocibundle: stdout: No space left on device' ]
	nothing_published
}

# as_root: containers, mounts.
as_root() {
	[ "$(id -u)" = 0 ] || skip 'not root'
}

@test "a full disk is status 9 and leaves nothing" {
	as_root
	with
	cat >full.sh <<-'END'
		mount -t tmpfs -o size=16k tmpfs b/small &&
		mkdir b/small/rootfs &&
		head -c 1000000 /dev/zero >b/small/rootfs/fill
		occy-ocibundle b/small <in >out
		status=$?
		ls -A b/small
		exit "$status"
	END
	mkdir b/small
	sed -i "s|/b/rootfs|/b/small/rootfs|" in
	run -9 --separate-stderr unshare -m sh full.sh
	[[ "${stderr_lines[-1]}" == 'occy-ocibundle: b/small/'*config.json': No space left on device' ]]
	[ "$output" = rootfs ]
}

@test "a device in the place of passwd is not opened" {
	as_root
	# One that no driver has: to open it fails in another way.
	rm b/rootfs/etc/passwd
	mknod b/rootfs/etc/passwd c 4095 1048575
	with '"User":"app"'
	refused 8 "$about: rootfs/etc/passwd: not a regular file"
}

# runs: the container, by runc and by crun; both outputs in got.
runs() {
	runc --root "$PWD/runc-state" run --bundle b "occy-test-$$" </dev/null >got 2>&1
	# crun 1.8 gives up where both kinds of cgroups are mounted.
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c 'mountpoint -q /sys/fs/cgroup/unified && umount /sys/fs/cgroup/unified
		exec crun --root "$PWD/crun-state" --cgroup-manager=disabled run --bundle b "$1"' \
		- "occy-test-$$" </dev/null >>got 2>&1
}

# twice LINE...: what both must have printed.
twice() {
	diff <(lines "$@" "$@") got
}

with_busybox() {
	as_root
	cp "$(type -P busybox)" b/rootfs/bin/busybox
	for name in sh id pwd env echo touch cat hostname ls stat grep; do
		ln -s busybox "b/rootfs/bin/$name"
	done
}

@test "runc and crun run it as the image says" {
	with_busybox
	given '{"config":{"User":"app","Env":["PATH=/bin","A=b c"],"WorkingDir":"srv/x",
		"Entrypoint":["sh","-c"],"Cmd":["id; pwd; env | grep -v -e PWD -e SHLVL; hostname"]}}'
	run -0 --separate-stderr occy-ocibundle b <in
	runs
	sed -i 's/^\(HOME\|PATH\|A\)=/env \1=/' got
	awk '/^env/ { print | "sort"; next } { close("sort"); print }' got >sorted
	mv sorted got
	twice 'uid=1000(app) gid=1001(app) groups=10(wheel),44(video)' \
		/srv/x 'env A=b c' 'env HOME=/home/app' 'env PATH=/bin' occystrap
}

@test "runc and crun run it with --args, --readonly, --hostname, by a number" {
	with_busybox
	given '{"config":{"User":"7:8","Entrypoint":["/nothing"],"Env":["PATH=/bin"]}}'
	run -0 --separate-stderr occy-ocibundle --readonly --hostname box \
		--args sh -c 'id -u; id -g; hostname; touch /x 2>/dev/null || echo read-only' -- b <in
	runs
	twice 7 8 box read-only
}

@test "in the container there are no capabilities for others than root" {
	with_busybox
	given '{"config":{"User":"app","Env":["PATH=/bin"],"Cmd":["grep","Cap[IPEA]","/proc/self/status"]}}'
	run -0 --separate-stderr occy-ocibundle b <in
	runs
	tr -s '\t' ' ' <got >spaces
	mv spaces got
	twice 'CapInh: 0000000000000000' 'CapPrm: 0000000000000000' \
		'CapEff: 0000000000000000' 'CapAmb: 0000000000000000'
}

@test "a volume belongs to whom the image's directory belongs to, and is empty" {
	with_busybox
	mkdir b/rootfs/data
	echo old >b/rootfs/data/file
	chown 1000:44 b/rootfs/data
	chmod 2770 b/rootfs/data
	given '{"config":{"User":"app","Env":["PATH=/bin"],"Volumes":{"/data":{},"/new/deep":{}},
		"Cmd":["sh","-c","stat -c %u:%g:%a /data; touch /data/mine; ls /data; grep -c \" /new/deep \" /proc/mounts"]}}'
	run -0 --separate-stderr occy-ocibundle b <in
	runs
	twice 1000:44:2770 mine 1
	[ "$(ls b/rootfs/data)" = file ]
}
