# The stream of occy-stream(5): what is taken, what is refused, what goes on.
#
# stream_copy passes a stream on as every tool does. The streams themselves
# lie in stream/: good-* and newer-* come out as they went in (or as their
# .want says), bad-* are broken, each in the way that stream/messages tells.
load helpers/common
PATH="${OCCY_TESTBIN:?run me through meson test}:$PATH"

streams=$BATS_TEST_DIRNAME/stream
page=$BATS_TEST_DIRNAME/../docs/occy-stream.5
header='{"type":"stream","occy":1}'
end='{"type":"end","images":0,"records":0}'
digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
config='{"type":"config","digest":"'$digest'","file":"/b"}'
mib=1048576

# refused MESSAGE <STREAM: status 3, that message and nothing else, no end.
refused() {
	run -3 --separate-stderr stream_copy
	[ "$stderr" = "stream_copy: stdin:$1" ] || {
		printf 'want %s\ngot  %s\n' "stream_copy: stdin:$1" "$stderr"
		return 1
	}
	[[ "$output" != *'"end"'* || "$output" == *'"end"'*'"end"'* ]]
}

# passes IN [WANT [OPTION...]]: IN is taken without a word and comes out as WANT
passes() {
	stream_copy "${@:3}" <"$1" >passed 2>passed.err
	[ ! -s passed.err ]
	cmp passed "${2:-$1}"
}

# messages: NAME and MESSAGE of each bad stream, a tab between them
messages() {
	sed -n 's/^\([a-z0-9-]*\) | .* | /\1\t/p' "$streams/messages"
}

# is_merely_cut MESSAGE: it may be left out when the cause has been told
is_merely_cut() {
	[[ "$1" == *': stream is cut short within a line' ||
		"$1" == *': stream ends without an end record' ||
		"$1" == *': no stream: the input is empty' ]]
}

@test "good streams and newer ones pass byte for byte" {
	for in in "$streams"/{good,newer}-*.jsonl; do
		echo "# ${in##*/}"
		want=${in%.jsonl}.want
		[ -e "$want" ] || want=$in
		passes "$in" "$want"
	done
}

@test "what comes out is a good stream itself and passes unchanged" {
	for in in "$streams"/*.want; do
		passes "$in"
	done
}

@test "each bad stream is status 3 and gets its message" {
	while IFS=$'\t' read -r name message; do
		echo "# $name"
		refused "$message" <"$streams/bad-$name.jsonl"
	done < <(messages)
}

@test "each bad stream has its rule and message, and each of these its stream" {
	(cd "$streams" && printf '%s\n' bad-*.jsonl) >files
	messages | sed 's/\(.*\)\t.*/bad-\1.jsonl/' | sort >named
	LC_ALL=C sort files | diff - <(LC_ALL=C sort named)
	[ "$(wc -l <files)" -gt 50 ]
	run -1 grep -vE '^#|^[a-z0-9-]+ \| [A-Z][^|]+ \| [0-9]+: ' "$streams/messages"
}

@test "OCCY_WRAPPED silences streams that are merely cut, and no others" {
	export OCCY_WRAPPED=1
	silent=0
	while IFS=$'\t' read -r name message; do
		echo "# $name"
		run -3 --separate-stderr stream_copy <"$streams/bad-$name.jsonl"
		if is_merely_cut "$message"; then
			[ -z "$stderr" ]
			silent=$((silent + 1))
		else
			[ "$stderr" = "stream_copy: stdin:$message" ]
		fi
	done < <(messages)
	[ "$silent" -eq 7 ]
}

@test "a stream cut anywhere is status 3 and gets no end record" {
	lines "$header" '{"type":"image","layers":0}' "$config" \
		'{"type":"end","images":1,"records":2}' >in
	run -0 stream_copy <in
	for ((n = $(stat -c %s in) - 1; n >= 0; n--)); do
		head -c "$n" in >piece
		run -3 --separate-stderr stream_copy <piece
		is_merely_cut "$stderr"
		[[ "$output" != *'"end"'* ]]
	done
}

# record TYPE MEMBER VALUE: a record of the least members, but with this one;
# VALUE - leaves it out. A MEMBER plain.X goes into plain.
record() {
	local -A members=([config]='digest:"'$digest'" file:"/b"'
		[layer]='index:0 diff_id:"'$digest'" file:"/l"' [image]='' [end]='' [stream]='')
	local text="{\"type\":\"$1\"" member
	for member in ${members[$1]}; do
		[ "${member%%:*}" = "$2" ] || text+=",\"${member%%:*}\":${member#*:}"
	done
	case $2=$3 in
	plain.*=-) text+=',"plain":{}' ;;
	*=-) ;;
	plain.file=*) text+=",\"plain\":{\"file\":$3}" ;;
	plain.*) text+=",\"plain\":{\"file\":\"/p\",\"${2#plain.}\":$3}" ;;
	*) text+=",\"$2\":$3" ;;
	esac
	printf '%s}\n' "$text"
}

# in_stream TYPE RECORD: a stream whose second line (first, for a header) it is
in_stream() {
	[ "$1" = stream ] || echo "$header"
	[ "$1" != layer ] || echo '{"type":"image"}'
	[ "$1" != config ] || echo '{"type":"image"}'
	echo "$2"
	[ "$1" = end ] || echo '{"type":"end"}'
}

wrong_kinds='
image names "x" {} 1
image image 1 ["a"]
image registry 1 [] {} true "a\u0000b"
image repository 1
image tag 1
image mediaType 1
image digest 5
image tag_digest []
image platform_asked 1
layer fetched 1 "false"
image size "5" -1 1.0 1.5 1e3 9007199254740992 9223372036854775808 123456789012345678901234567890 true
image layers "1" -1
image platform "linux/amd64" []
image file 1 "/a\u0000b"
image offset -1 "0"
image length -1 0.5
config digest 1
config size "459"
config mediaType {}
config file [] 1
config offset -1
config length -1
layer index "0" -1 0.0
layer digest 1
layer diff_id 1
layer size -1
layer uncompressed_size "1"
layer mediaType 1
layer compression 1 true
layer digest_unchecked "yes" 1
layer file 1
layer offset -1
layer length -1
layer plain "/p" []
layer plain.file 1
layer plain.offset -1
layer plain.length "1"
layer entries -1 "3"
layer created_by 1 ["sh"]
stream occy "1" 1.0 true
end images -1 "0"
end records -1 "0"
end left_out -1 "1"
end unchanged 1 "true"
'

# line_of TYPE: where in_stream() puts the record
line_of() {
	case $1 in
	stream) echo 1 ;;
	image | end) echo 2 ;;
	*) echo 3 ;;
	esac
}

@test "a member of a wrong kind is named" {
	count=0
	while read -r type member values; do
		for value in $values; do
			echo "# $type $member $value"
			in_stream "$type" "$(record "$type" "$member" "$value")" >in
			refused "$(line_of "$type"): $type record: $member is of a wrong kind" <in
			count=$((count + 1))
		done
	done < <(grep . <<<"$wrong_kinds")
	[ "$count" -gt 60 ]
}

# Without this the test before could not tell a wrong kind from a wrong test.
@test "the same records are taken with the member absent, null, or right" {
	for type in stream image config layer end; do
		text=$(record "$type" x-other 1)
		[ "$type" != stream ] || text=$header
		in_stream "$type" "$text" >in
		run -0 --separate-stderr stream_copy <in
	done
	while read -r type member value; do
		echo "# $type $member $value"
		in_stream "$type" "$(record "$type" "$member" "$value")" >in
		run -0 --separate-stderr stream_copy <in
	done <<-EOF
		image names ["a","b"]
		image names null
		image size 0
		image digest "$digest"
		image tag_digest "sha512:${digest#*:}${digest#*:}"
		image platform {}
		layer digest_unchecked false
		layer plain {"file":"/p","offset":1,"length":1}
		layer plain null
		layer compression "unheard-of"
		layer created_by ""
		end unchanged false
	EOF
}

@test "a member that must be there is missed" {
	while read -r type member missing; do
		echo "# $type $member"
		for value in - null; do
			in_stream "$type" "$(record "$type" "$member" "$value")" >in
			refused "$(line_of "$type"): $type record: ${missing:-$member} is missing" <in
		done
	done <<-EOF
		stream occy
		config digest
		config file
		layer index
		layer file
		layer diff_id digest
		layer plain.file
	EOF
}

@test "a layer needs one place for its bytes and one digest, either will do" {
	lines "$header" '{"type":"image"}' \
		'{"type":"layer","index":0,"digest":"'$digest'","plain":{"file":"/p"}}' \
		'{"type":"layer","index":1,"diff_id":"'$digest'","file":"/l"}' '{"type":"end"}' >in
	run -0 --separate-stderr stream_copy <in
}

@test "a malformed digest is refused wherever one stands" {
	hex=${digest#*:}
	for bad in '""' '"sha256"' '"sha256:"' "\"$hex\"" "\"sha256:${hex%?}\"" "\"sha256:${hex}0\"" \
		"\"sha256:${hex%?}A\"" "\"sha256:${hex%?}g\"" "\"SHA256:$hex\"" "\"md5:$hex\"" \
		"\"sha512:$hex\"" "\" sha256:$hex\"" "\"sha256:../../../../../../../../../../../../../etc/passwd/../../../x\""; do
		for member in 'image digest' 'image tag_digest' 'config digest' 'layer digest' 'layer diff_id'; do
			read -r type name <<<"$member"
			echo "# $type $name $bad"
			in_stream "$type" "$(record "$type" "$name" "$bad")" >in
			refused "$(line_of "$type"): $type record: $name is not a digest" <in
		done
	done
}

@test "names hold strings, and a file has a name" {
	for names in '[1]' '["a",null]' '[["a"]]' '["a\u0000b"]'; do
		in_stream image "$(record image names "$names")" >in
		refused '2: image record: names holds something else than strings' <in
	done
	in_stream image "$(record image names "$(jq -cn '[range(1001) | tostring]')")" >in
	refused '2: image record: names holds more than 1000 strings' <in
	for member in 'image file' 'config file' 'layer file' 'layer plain.file'; do
		read -r type name <<<"$member"
		in_stream "$type" "$(record "$type" "$name" '""')" >in
		refused "$(line_of "$type"): $type record: $name is empty" <in
	done
}

# bad_bytes WHY SHOWN BYTES: a string of these bytes (as for printf) is refused
bad_bytes() {
	printf '%s\n{"type":"x","a":"%b"}\n%s\n' "$header" "$3" "$end" >in
	echo "# $3"
	refused "2: $1: {\"type\":\"x\",\"a\":\"$2" <in
}

@test "bytes that are not UTF-8 are refused and shown as hexadecimal" {
	bad_bytes 'not UTF-8' '\x80"}' '\x80'
	bad_bytes 'not UTF-8' '\xff"}' '\xff'
	bad_bytes 'not UTF-8' '\xc3"}' '\xc3'
	bad_bytes 'not UTF-8' '\xe2\x82"}' '\xe2\x82'
	bad_bytes 'not UTF-8' '\xc0\x80"}' '\xc0\x80'
	bad_bytes 'not UTF-8' '\xc1\xbf"}' '\xc1\xbf'
	bad_bytes 'not UTF-8' '\xe0\x9f\xbf"}' '\xe0\x9f\xbf'
	bad_bytes 'not UTF-8' '\xf0\x8f\xbf\xbf"}' '\xf0\x8f\xbf\xbf'
	bad_bytes 'not UTF-8' '\xed\xa0\x80"}' '\xed\xa0\x80'
	bad_bytes 'not UTF-8' '\xed\xbf\xbf"}' '\xed\xbf\xbf'
	bad_bytes 'not UTF-8' '\xf4\x90\x80\x80"}' '\xf4\x90\x80\x80'
}

@test "UTF-8 passes byte for byte" {
	printf '%s\n{"type":"x","\xc3\xa9":"\xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbf \x7f"}\n%s\n' \
		"$header" '{"type":"end","images":0,"records":1}' >in
	passes in
}

@test "control bytes in a string are refused and cannot reach a terminal" {
	bad_bytes 'control byte in JSON string' '\x1b[2J"}' '\x1b[2J'
	bad_bytes 'control byte in JSON string' '\x09"}' '\t'
	bad_bytes 'control byte in JSON string' '\x0d"}' '\r'
	bad_bytes 'control byte in JSON string' '' '\x00'
	bad_bytes 'control byte in JSON string' '\x1f"}' '\x1f'
}

@test "bytes outside the object are shown as hexadecimal too" {
	printf 'not json \033[2J\n' >in
	refused '1: not valid JSON: not json \x1b[2J' <in
	printf '\xef\xbb\xbf%s\n%s\n' "$header" "$end" >in
	refused "1: not valid JSON: \\xef\\xbb\\xbf$header" <in
	printf '%s\0\n%s\n' "$header" "$end" >in
	refused "1: something follows the JSON text: $header" <in
	printf 'a\0%s\n%s\n' "$header" "$end" >in
	refused '1: not valid JSON: a' <in
}

@test "the name of a type cannot reach a terminal either" {
	lines "$header" '{"type":"image","size":-1,"tag":"\u001b[2J"}' >in
	refused '2: image record: size is of a wrong kind' <in
	printf '%s\n{"type":"x\\u001b[2J"}\n' "$header" >in
	refused '2: stream ends without an end record' <in
}

@test "a long line is shown to 256 bytes" {
	printf '%s\n' "$(printf 'x%.0s' {1..256})" >in
	refused "1: not valid JSON: $(printf 'x%.0s' {1..256})" <in
	printf '%s\n' "$(printf 'x%.0s' {1..257})" >in
	refused "1: not valid JSON: $(printf 'x%.0s' {1..256})..." <in
}

@test "CR before LF is white space: taken, and passed on" {
	printf '%s\n{"type":"image"}\r\n%s\n' "$header" '{"type":"end","images":1,"records":1}' >in
	passes in
	sed 's/\r*$/\r/' in >all
	passes all in
}

# note LENGTH: a record of that many bytes, without its LF
note() {
	printf '{"type":"x","a":"%*s"}' $(($1 - 19)) ''
}

@test "a line of 1 MiB passes, one byte more does not" {
	{
		echo "$header"
		note $mib
		printf '\n{"type":"end","images":0,"records":1}\n'
	} >in
	[ "$(sed -n 2p in | tr -d '\n' | wc -c)" -eq $mib ]
	passes in
	{
		echo "$header"
		note $((mib + 1))
		printf '\n{"type":"end","images":0,"records":1}\n'
	} >in
	refused '2: line is longer than 1 MiB' <in
}

@test "a line of a thousand arrays passes, one of a hundred thousand does not" {
	{ echo "$header"; printf '{"type":"x","a":[0'; printf ',[]%.0s' {1..1000}; printf ']}\n'; } >in
	echo '{"type":"end","images":0,"records":1}' >>in
	passes in
	{ echo "$header"; printf '{"type":"x","a":[0'; printf ',[]%.0s' {1..100000}; printf ']}\n'; } >in
	shown=$(sed -n 2p in | head -c 256)
	refused "2: too many values in JSON: $shown..." <in
}

@test "1 MiB without LF is a cut line, more is too long a line" {
	{ echo "$header"; head -c $mib /dev/zero; } >in
	refused '2: stream is cut short within a line' <in
	{ echo "$header"; head -c $((mib + 1)) /dev/zero; } >in
	refused '2: line is longer than 1 MiB' <in
}

@test "a line without end is given up, not collected" {
	run -3 --separate-stderr timeout 20 stream_copy </dev/zero
	[ "$stderr" = "stream_copy: stdin:1: line is longer than 1 MiB" ]
}

@test "lines in their thousands, in pieces of any size, pass byte for byte" {
	{
		echo "$header"
		for n in {1..4000}; do printf '{"type":"x","n":%d,"a":"%*s"}\n' "$n" $((n % 97)) ''; done
		echo '{"type":"end","images":0,"records":4000}'
	} >in
	passes in
	for size in 1 7 4096 65537; do
		dd if=in bs="$size" status=none | stream_copy >got
		cmp got in
	done
}

@test "left_out of many streams stays a number that the next tool takes" {
	for n in {1..1100}; do
		lines "$header" '{"type":"end","left_out":9007199254740991}'
	done >in
	lines "$header" '{"type":"end","images":0,"records":0,"left_out":9007199254740991}' >want
	passes in want
	passes want
}

@test "two streams become one, result records at its end" {
	a='{"type":"image","names":["a"]}' b='{"type":"image","names":["b"]}'
	tar='{"type":"tar","image":"a","file":"/a.tar"}' tree='{"type":"tree","image":"b","file":"/b"}'
	{
		lines "$header" "$a" "$tar" '{"type":"end","images":1,"records":2}'
		lines "$header" "$b" "$tree" '{"type":"end","images":1,"records":2}'
	} >in
	lines "$header" "$a" "$b" "$tar" "$tree" '{"type":"end","images":2,"records":4}' >want
	passes in want
}

@test "a second stream that never ends spoils the first" {
	{ lines "$header" "$end"; echo "$header"; } >in
	refused '3: stream ends without an end record' <in
}

@test "a stream of no image: refused by a sink, unless nothing has changed or all was left out" {
	lines "$header" "$end" >in
	run -0 --separate-stderr stream_copy <in
	run -3 --separate-stderr stream_copy --sink <in
	[ "$stderr" = "stream_copy: stdin: the stream holds no image" ]
	[ "$output" = "$header" ]
	for said in '"unchanged":true' '"left_out":1'; do
		lines "$header" "${end%\}},$said}" >in
		passes in in --sink
	done
}

@test "one layer can be picked with jq" {
	run -0 --separate-stderr bash -c '
		jq -c "select(.type!=\"layer\" or .index==1) | del(.records,.layers)" |
			stream_copy' <"$streams/good-registry.jsonl"
	jq -c 'select(.type!="layer" or .index==1) | del(.layers) |
		if .type=="end" then .records=3 else . end' <"$streams/good-registry.jsonl" >want
	[ -z "$stderr" ]
	diff want <(lines "$output")
}

@test "picked with jq, but with the counts left in, it is refused" {
	jq -c 'select(.type!="layer" or .index==1)' <"$streams/good-registry.jsonl" >in
	refused '5: image record says 2 layers, but 1 came' <in
}

@test "a full disk is status 9, not silence" {
	run -9 --separate-stderr bash -c 'stream_copy <"$1" >/dev/full' - "$streams/good-registry.jsonl"
	[ "$stderr" = "stream_copy: stdout: No space left on device" ]
}

@test "stdout and stdin that were closed are status 9" {
	run -9 --separate-stderr bash -c 'stream_copy <"$1" >&-' - "$streams/good-registry.jsonl"
	[ "$stderr" = "stream_copy: stdout: Bad file descriptor" ]
	run -9 --separate-stderr bash -c 'stream_copy <&-'
	[ "$stderr" = "stream_copy: stdin: Bad file descriptor" ]
	run -9 --separate-stderr bash -c 'stream_copy --help >&-'
	[ "$stderr" = "stream_copy: stdout: Bad file descriptor" ]
	run -9 --separate-stderr bash -c 'stream_copy </'
	[ "$stderr" = "stream_copy: stdin: Is a directory" ]
}

# Its status, where no pipeline can lose it.
copy_and_tell() {
	local rc=0
	stream_copy || rc=$?
	echo "$rc" >status
}

@test "a reader that has gone is a death by SIGPIPE, without a word" {
	{ echo "$header"; yes '{"type":"x"}' | head -n 300000; } >in
	(copy_and_tell <in 2>err) | head -n 3 >out
	[ "$(<status)" -eq 141 ]
	[ ! -s err ]
	[ "$(wc -l <out)" -eq 3 ]
}

@test "that the reader has gone shows within a second, though no input comes" {
	mkfifo in
	exec 9<>in
	(copy_and_tell <in 2>err | head -n 1 >out) 3>&- 9>&- &
	within 2 test -s status
	[ "$(<status)" -eq 141 ]
	[ ! -s err ]
	[ "$(<out)" = "$header" ]
}

@test "the header goes out before any input is there" {
	mkfifo in
	exec 9<>in
	stream_copy <in >out 3>&- 9>&- &
	within 2 test -s out
	kill $!
	[ "$(<out)" = "$header" ]
}

@test "each record goes out at once" {
	mkfifo in
	exec 9<>in
	stream_copy <in >out 3>&- 9>&- &
	lines "$header" '{"type":"image"}' >&9
	within 2 grep -q image out
	echo "$config" >&9
	within 2 grep -q config out
	lines "$header" '{"type":"image"}' "$config" | diff - out
	printf '{"type":"end"' >&9
	kill $!
}

@test "a stdout that somebody else made non-blocking is waited for" {
	{
		echo "$header"
		for n in {1..5000}; do printf '{"type":"x","a":"%60s"}\n' "$n"; done
		echo '{"type":"end","images":0,"records":5000}'
	} >in
	run -0 --separate-stderr python3 -c '
import os, subprocess, sys, time
r, w = os.pipe()
os.set_blocking(w, False)
p = subprocess.Popen(["stream_copy"], stdin=open("in"), stdout=w)
os.close(w)
time.sleep(0.3)
open("out", "wb").write(open(r, "rb").read())
sys.exit(p.wait())'
	[ -z "$stderr" ]
	cmp in out
}

@test "a signal ends it at once, and while it is held back too" {
	mkfifo in
	exec 9<>in
	for option in '' --hold; do
		for signal in INT TERM HUP; do
			echo "# $signal $option"
			# shellcheck disable=SC2086
			python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' stream_copy $option <in >out 2>err 3>&- 9>&- &
			within 5 test -s out
			kill -s "$signal" $!
			within 5 gone $!
			rc=0
			wait $! || rc=$?
			[ "$rc" -eq $((128 + $(kill -l "$signal"))) ]
			[ ! -s err ]
			: >out
		done
	done
}

@test "a signal that was ignored from the start stays ignored" {
	mkfifo in
	exec 9<>in
	(trap '' HUP; exec stream_copy --hold <in >out) 3>&- 9>&- &
	within 2 test -s out
	kill -s HUP $!
	lines "$header" "$end" >&9
	exec 9>&-
	within 5 gone $!
	wait $!
	lines "$header" "$end" | diff - out
}

@test "options: what is wrong is named, with the usage, status 2" {
	usage='usage: stream_copy [-ks] <stream >stream'
	while IFS='|' read -r arguments message; do
		echo "# $arguments"
		# shellcheck disable=SC2086
		run -2 --separate-stderr stream_copy $arguments </dev/null
		[ -z "$output" ]
		[ "$stderr" = "stream_copy: $message"$'\n'"$usage" ]
	done <<-EOF
		--no-such|unknown option --no-such
		-Z|unknown option -Z
		-kZ|unknown option -Z
		-Zk|unknown option -Z
		--hold -Zk|unknown option -Z
		--hold -kZs|unknown option -Z
		file -Zk|unknown option -Z
		x=y -Zk|unknown option -Z
		--hold=yes|option --hold takes no argument
		-k file|unexpected argument: file
	EOF
	run -2 --separate-stderr stream_copy $'a\033b' </dev/null
	[ "$stderr" = 'stream_copy: unexpected argument: a\x1bb'$'\n'"$usage" ]
}

@test "--help and --version go to stdout" {
	run -0 --separate-stderr stream_copy --help
	[[ "$output" == 'usage: stream_copy [-ks] '* && -z "$stderr" ]]
	run -0 --separate-stderr stream_copy --version
	[[ "$output" =~ ^stream_copy\ [0-9.]+$ && -z "$stderr" ]]
}

@test "a stream is not read from a terminal" {
	run -2 script -qec 'stream_copy >out 2>err' /dev/null </dev/null
	[ "$(head -n 1 err)" = "stream_copy: stdin is a terminal; a stream is read from it" ]
	[ ! -s out ]
}

# page_blocks: the literal blocks of the page that a comment marks for a test,
# as files 01, 02, …; on stdout a line for each, its number and what it is for.
page_blocks() {
	awk '
	/^\.\\" test: / { mark = substr($0, 11); next }
	/^\.Bd -literal/ && mark != "" {
		n++; file = sprintf("%02d", n)
		print file, mark
		mark = ""
		next
	}
	/^\.Ed/ { file = "" }
	file != "" {
		gsub(/\\\(aq/, "\x27"); gsub(/\\e/, "\\"); sub(/^\\&/, "")
		print >file
	}' "$page"
}

# transcript FILE: run what stands after "$ "; the rest must come out of it
transcript() {
	sed -n 's/^\$ //p' "$1" >script
	sed '/^\$ /d' "$1" >want
	[ -s script ]
	bash -e script | diff want -
}

@test "the man page's examples are true" {
	marks=$(page_blocks)
	while read -r file kind name; do
		[ "$kind" != stream ] || cp "$file" "$name"
	done <<<"$marks"
	while read -r file kind name; do
		echo "# $file $kind $name"
		case $kind in
		stream) [[ "$marks" == *" "@(becomes|refused)" $name"* ]] || passes "$name" ;;
		becomes) passes "$name" "$file" ;;
		refused) refused "$(sed 's/^stdin://' "$file")" <"$name" ;;
		shell) transcript "$file" ;;
		*) false ;;
		esac
	done <<<"$marks"
	for kind in stream becomes refused shell; do
		[[ "$marks" == *" $kind"* ]]
	done
	[ "$(grep -c '^\.Bd -literal' "$page")" -eq "$(wc -l <<<"$marks")" ]
}
