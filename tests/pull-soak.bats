#!/usr/bin/env bats
# occy-pull day after day: pulls that each meet a fault chosen by chance. What
# comes is right, or the status says what was wrong; and the next pull, which
# meets none, goes on from there and succeeds.
#
# OCCY_SOAK_SEED repeats a run. With OCCY_LONG there are 200 pulls, or as many
# as fit into three minutes; else as many as fit into 20 seconds.
load helpers/pull

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	describe | make_layout "$(layout)"
	export OCCY_SOAK_SEED=${OCCY_SOAK_SEED:-$((SRANDOM % 32768))}
	RANDOM=$OCCY_SOAK_SEED
	choose >chosen
	jq -s '[.[].rules[]]' chosen >rules.json
	start_faults "$(layout)" --rules rules.json
}

teardown_file() {
	stop_faults
}

# Twelve layers, from nothing to 300 kB.
describe() {
	local i
	echo 'image latest'
	for i in {0..11}; do
		lines 'layer none' "fill l$i $((i * i * 2500))"
	done
}

# What may happen, with the statuses that it may end in when it never stops
# (0 where it does no harm), and the kinds of requests that it befalls.
faults() {
	cat <<'END'
7 blob {"fault":"truncate","at":N}
7 blob {"fault":"reset","at":N}
7 blob+manifest {"fault":"close"}
7 blob+manifest {"fault":"close","mode":"rst"}
7 blob+manifest {"fault":"status","code":500}
7 blob+manifest {"fault":"status","code":503}
7 blob+manifest {"fault":"status","code":522}
6 blob+manifest {"fault":"rate_limit","after":"soon"}
4 blob+manifest {"fault":"status","code":404}
5 blob+manifest {"fault":"forbid"}
5 blob {"fault":"auth401"}
8 blob {"fault":"corrupt","at":N}
8 blob {"fault":"endless"}
8 blob {"fault":"content_length","delta":-1}
0 blob+manifest {"fault":"no_length","mode":"chunked"}
0 blob+manifest {"fault":"no_length","mode":"close"}
0 blob+manifest {"fault":"encoding","mode":"lie"}
0 blob+manifest {"fault":"encoding","mode":"real"}
0 blob+manifest {"fault":"digest_header","value":"wrong"}
0 manifest {"fault":"content_type","value":"text/plain"}
0 blob {"fault":"etag","mode":"change"}
0 blob {"fault":"redirect","to":"cdn"}
0 blob {"fault":"redirect","to":"cdn","uses":1}
0 blob {"fault":"redirect","to":"chain","n":9}
7 blob {"fault":"redirect","to":"loop"}
7 blob {"fault":"redirect","to":"file"}
0 any {"fault":"access","auth":"anon","token_requests":1}
0 any {"fault":"access","auth":"anon","token_expires_in":-1}
0 blob+manifest {"fault":"header_flood","n":20}
0 any {"fault":"warning"}
END
}

# What a server may make of a request for the rest.
ranges() {
	cat <<'END'
{"fault":"ignore_range"}
{"fault":"range","mode":"416"}
{"fault":"range","mode":"shift"}
{"fault":"range","mode":"nocr"}
{"fault":"range","mode":"short"}
{"fault":"range","mode":"star"}
{"fault":"redirect","to":"cdn","uses":1}
END
}

# 200 pulls: a line each of the status that is due and the rules.
choose() {
	local i all rest status kinds fault times second
	mapfile -t all < <(faults)
	mapfile -t rest < <(ranges)
	for ((i = 0; i < 200; i++)); do
		read -r status kinds fault <<<"${all[RANDOM % ${#all[@]}]}"
		fault=${fault/:N/:$((RANDOM * 4 % 90000))}
		times=$((RANDOM % 4))
		second=null
		[ $((RANDOM % 2)) = 0 ] || second=${rest[RANDOM % ${#rest[@]}]}
		# For two requests of each path it may be got over.
		jq -nc --argjson i "$i" --argjson fault "$fault" --argjson second "$second" \
			--arg kinds "$kinds" --argjson status "$status" --argjson times "$times" '
			"soak-\($i)([/%]|$)" as $path
			| ($fault + {kind: $kinds, path: $path}) as $first
			| (if $fault.fault == "access" or $status == 0 or $times == 0 then $first
				else $first + {times: $times} end) as $first
			| {status: $status, times: $times, name: $fault.fault,
				rules: [$first, ($second | select(. != null) + {path: $path})]}'
	done
}

@test "whatever happens: the right bytes or the right status, and the next pull succeeds" {
	local number=0 rule end=$((SECONDS + ${OCCY_LONG:+160} + 20)) due status
	echo "OCCY_SOAK_SEED=$OCCY_SOAK_SEED"
	while ((SECONDS < end)) && read -r rule; do
		rm -rf store
		echo "pull $number: $rule"
		status=0
		pull "soak-$number" latest --retry-wait 0.001 >stream 2>said || status=$?
		due=$(jq -r .status <<<"$rule")
		case $status in
		0) mapfile -t lines <stream && output=$(<stream) && whole_stream ;;
		"$due")
			# At most the one failure, beside the registry's warnings.
			[ "$(grep -vc '^occy-pull: warning: ' said)" = 1 ]
			mapfile -t lines <stream && output=$(<stream) && broken_stream
			;;
		*)
			cat said
			false
			;;
		esac
		# What never stops must have been noticed.
		[ "$(jq -r '.times == 0 and .status != 0' <<<"$rule")" = false ] ||
			[ "$status" = "$due" ] || may_miss "$rule"
		right_store store
		run -0 --separate-stderr pull "clean-$number" latest
		same "$stderr" ''
		whole_stream
		right_store store
		no_parts store
		same_blobs
		number=$((number + 1))
	done <"$BATS_FILE_TMPDIR/chosen"
	echo "# $number pulls" >&3
	((number > 5))
}

# A fault beyond the end of every blob, and one that a redirect leads past.
may_miss() {
	[[ $1 == *'"at":'* || $1 == *'"redirect"'* ]]
}

same_blobs() {
	local digest
	for digest in $(digest latest manifest) $(digest latest config) \
		$(layer_digests "$(layout)" latest); do
		cmp "$(blob_path store "$digest")" "$(blob_path "$(layout)" "$digest")"
	done
}
