#!/usr/bin/env bats
# What holds for the source text itself.
load helpers/common

# Who may include a foreign library's header: one file (curl's requests and its
# URLs are apart), which knows how that library fails. Tests may ask a library what is right.
owners='
curl/           common/http_private.h common/http_url.c
openssl/evp     common/digest.c
openssl/[^e]    common/truststore.c
openssl/e[^v]   common/truststore.c
archive.h       common/filter.c
archive_entry.h common/filter.c
isa-l           common/gunzip_isal.c
zlib.h          common/gunzip_zlib.c
'

sources() {
	(cd "${OCCY_SRCDIR:?}" && find common tools -name '*.[ch]' | sort)
}

@test "a foreign header is included by its owner only" {
	sources >"$BATS_TEST_TMPDIR/sources"
	[ -s "$BATS_TEST_TMPDIR/sources" ]
	cd "$OCCY_SRCDIR"
	while read -r header allowed; do
		[[ $header ]] || continue
		xargs grep -lE "^ *# *include *[<\"]$header" <"$BATS_TEST_TMPDIR/sources" \
			>"$BATS_TEST_TMPDIR/users" || [ $? = 123 ]
		while read -r file; do
			if [[ " $allowed " != *" $file "* ]]; then
				echo "$file includes $header"
				false
			fi
		done <"$BATS_TEST_TMPDIR/users"
	done <<<"$owners"
}

@test "each header of ours compiles alone" {
	# shellcheck disable=SC2086 # a compiler may have arguments
	for header in "$OCCY_SRCDIR"/common/*.h; do
		echo "$header"
		${CC:-cc} -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
			-Wall -Wextra -Werror -fsyntax-only -I"$OCCY_SRCDIR" \
			-include "$header" -x c /dev/null
	done
}

@test "common/ knows no tool" {
	run -1 grep -rlE '#[[:space:]]*include.*tools/' "$OCCY_SRCDIR/common"
}

@test "no file of code is longer than 600 lines" {
	sources | xargs -I{} wc -l "$OCCY_SRCDIR/{}" |
		awk '$1 > 600' >long
	diff /dev/null long
}

@test "no binary file is kept" {
	# A release's tarball holds what git held.
	if [ -e "$OCCY_SRCDIR/.git" ]; then
		git -C "$OCCY_SRCDIR" -c safe.directory='*' ls-files -z >names
	else
		(cd "$OCCY_SRCDIR" && find . -type f ! -path './build*' -print0) >names
	fi
	[ -s names ]
	while IFS= read -r -d '' name; do
		if [ -s "$OCCY_SRCDIR/$name" ] && ! grep -qI '' "$OCCY_SRCDIR/$name"; then
			echo "$name"
			false
		fi
	done <names
}
