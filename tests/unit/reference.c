/* reference.c - names of images: what they become, and why some are none */
#include "common/reference.h"

#include "check.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

struct good {
	const char *text, *registry, *host, *typed, *repository, *tag, *digest;
};

static const struct good names[] = {
	{ "busybox", "docker.io", "registry-1.docker.io", "docker.io",
	  "library/busybox", "latest", "" },
	{ "ubuntu:22.04", "docker.io", "registry-1.docker.io", "docker.io",
	  "library/ubuntu", "22.04", "" },
	{ "user/app", "docker.io", "registry-1.docker.io", "docker.io",
	  "user/app", "latest", "" },
	{ "docker.io/busybox", "docker.io", "registry-1.docker.io", "docker.io",
	  "library/busybox", "latest", "" },
	{ "index.docker.io/a/b:1", "docker.io", "registry-1.docker.io",
	  "index.docker.io", "a/b", "1", "" },
	{ "Registry-1.Docker.IO/x", "docker.io", "registry-1.docker.io",
	  "Registry-1.Docker.IO", "library/x", "latest", "" },
	{ "quay.io/a", "quay.io", "quay.io", "quay.io", "a", "latest", "" },
	{ "Quay.IO/a", "quay.io", "quay.io", "Quay.IO", "a", "latest", "" },
	{ "localhost/a", "localhost", "localhost", "localhost", "a", "latest",
	  "" },
	{ "host:5000/a/b/c:t", "host:5000", "host:5000", "host:5000", "a/b/c",
	  "t", "" },
	{ "HOST/a", "host", "host", "HOST", "a", "latest", "" },
	{ "[::1]:5000/a", "[::1]:5000", "[::1]:5000", "[::1]:5000", "a",
	  "latest", "" },
	{ "[2001:DB8::1]/a", "[2001:db8::1]", "[2001:db8::1]",
	  "[2001:DB8::1]", "a", "latest", "" },
	{ "127.0.0.1:65535/a", "127.0.0.1:65535", "127.0.0.1:65535",
	  "127.0.0.1:65535", "a", "latest", "" },
	{ "a-b.c-d/x", "a-b.c-d", "a-b.c-d", "a-b.c-d", "x", "latest", "" },
	{ "q.io/a@" DIGEST, "q.io", "q.io", "q.io", "a", NULL, DIGEST },
	{ "q.io/a:1@" DIGEST, "q.io", "q.io", "q.io", "a", "1", DIGEST },
	{ "a@sha512:" HEX HEX, "docker.io", "registry-1.docker.io",
	  "docker.io", "library/a", NULL, "sha512:" HEX HEX },
	{ "docker://quay.io/a:1", "quay.io", "quay.io", "quay.io", "a", "1",
	  "" },
	{ "https://quay.io/a@" DIGEST, "quay.io", "quay.io", "quay.io", "a",
	  NULL, DIGEST },
	{ "oci://busybox", "docker.io", "registry-1.docker.io", "docker.io",
	  "library/busybox", "latest", "" },
	{ "q.io/a.b_c__d-e---f/0", "q.io", "q.io", "q.io",
	  "a.b_c__d-e---f/0", "latest", "" },
	{ "q.io/a:_A.b-C", "q.io", "q.io", "q.io", "a", "_A.b-C", "" },
	{ "q.io/" HEX, "q.io", "q.io", "q.io", HEX, "latest", "" },
	{ "library/" HEX, "docker.io", "registry-1.docker.io", "docker.io",
	  "library/" HEX, "latest", "" },
	{ "a:" HUNDRED TEN TEN "01234567", "docker.io", "registry-1.docker.io",
	  "docker.io", "library/a", HUNDRED TEN TEN "01234567", "" },
};

static const struct {
	const char *text, *why;
} bad_names[] = {
	{ "", "the image's name is empty" },
	{ "docker://", "the image's name is empty" },
	{ "Foo", "repository name must be lower case: Foo" },
	{ "docker.io/Foo:1", "repository name must be lower case: Foo" },
	{ "q.io/", "the repository name is missing" },
	{ ":1", "the repository name is missing" },
	{ "q.io/:1", "the repository name is missing" },
	{ "/a", "bad repository name: /a" },
	{ "q.io/a/", "bad repository name: a/" },
	{ "q.io//a", "bad repository name: /a" },
	{ "q.io/../a", "bad repository name: ../a" },
	{ "q.io/a/../b", "bad repository name: a/../b" },
	{ "a..b", "bad repository name: a..b" },
	{ "a___b", "bad repository name: a___b" },
	{ "a._b", "bad repository name: a._b" },
	{ "-a", "bad repository name: -a" },
	{ "a-", "bad repository name: a-" },
	{ "a b", "bad repository name: a b" },
	{ "a\033[2jb", "bad repository name: a\\x1b[2jb" },
	{ "a%2f", "bad repository name: a%2f" },
	{ "\xc3\xa4", "bad repository name: \\xc3\\xa4" },
	{ HEX, "64 hexadecimal digits are an image's id, not a name: " HEX },
	{ "a:", "the tag is empty" },
	{ "a:@" DIGEST, "the tag is empty" },
	{ "a:.b", "bad tag: .b" },
	{ "a:-b", "bad tag: -b" },
	{ "a:b/c", "bad port in registry name: a:b" },
	{ "a/b:c/d", "bad tag: c/d" },
	{ "a:b:c", "bad tag: b:c" },
	{ "a:" HUNDRED TEN TEN "012345678",
	  "the tag is longer than 128: " HUNDRED TEN TEN "012345678" },
	{ "a@sha256:ABC",
	  "bad digest (sha256: and 64 lower-case digits are wanted): sha256:ABC" },
	{ "a@latest",
	  "bad digest (sha256: and 64 lower-case digits are wanted): latest" },
	{ "a@", "bad digest (sha256: and 64 lower-case digits are wanted)" },
	{ "a@" DIGEST "0",
	  "bad digest (sha256: and 64 lower-case digits are wanted): " DIGEST
	  "0" },
	{ "http://q.io/a",
	  "plain http is asked for with --insecure, not with http://" },
	{ "user:secret@q.io/a",
	  "an image's name holds no user and no password" },
	{ "https://u:sec/ret@q.io/a",
	  "an image's name holds no user and no password" },
	{ "https://u:s@cret@q.io",
	  "an image's name holds no user and no password" },
	{ "https://u:secret@q.io",
	  "an image's name holds no user and no password" },
	{ "-q.io/a", "bad registry name: -q.io" },
	{ "q-.io/a", "bad registry name: q-.io" },
	{ "q..io/a", "bad registry name: q..io" },
	{ "q.io./a", "bad registry name: q.io." },
	{ "q_r.io/a", "bad registry name: q_r.io" },
	{ "./a", "bad registry name: ." },
	{ "../a", "bad registry name: .." },
	{ ":5000/a", "bad registry name: :5000" },
	{ "q.io:/a", "bad port in registry name: q.io:" },
	{ "q.io:0/a", "bad port in registry name: q.io:0" },
	{ "q.io:080/a", "bad port in registry name: q.io:080" },
	{ "q.io:65536/a", "bad port in registry name: q.io:65536" },
	{ "q.io:655360/a", "bad port in registry name: q.io:655360" },
	{ "q.io:5x/a", "bad port in registry name: q.io:5x" },
	{ "::1/a", "an IPv6 address belongs in brackets: ::1" },
	{ "[::1/a", "bad registry name: [::1" },
	{ "[fe80::1%eth0]/a", "bad registry name: [fe80::1%eth0]" },
	{ "[::1]x/a", "bad registry name: [::1]x" },
	{ "[]:1/a", "bad registry name: []:1" },
	{ "[1.2.3.4]/a", "bad registry name: [1.2.3.4]" },
	{ "[" HUNDRED "]/a", NULL },
};

static const struct {
	const char *registry, *image, *tag, *text, *tagged;
} parts[] = {
	{ "docker.io", "busybox", "latest", "docker.io/library/busybox:latest",
	  "docker.io/library/busybox:latest" },
	{ "registry-1.docker.io", "library/busybox", "1.36",
	  "docker.io/library/busybox:1.36", "docker.io/library/busybox:1.36" },
	{ "myhost", "a", "1", "myhost/a:1", "myhost/a:1" },
	{ "MyHost:5000", "a/b", "1", "myhost:5000/a/b:1", "myhost:5000/a/b:1" },
	{ "[::1]:5000", "a", "1", "[::1]:5000/a:1", "[::1]:5000/a:1" },
	{ "q.io", "a", DIGEST, "q.io/a@" DIGEST, NULL },
	{ "q.io", "a", "1@" DIGEST, "q.io/a:1@" DIGEST, NULL },
	{ "q.io", "docker.io/a", "1", "q.io/docker.io/a:1",
	  "q.io/docker.io/a:1" },
};

static const struct {
	const char *registry, *image, *tag, *why;
} bad_parts[] = {
	{ "", "a", "1", "REGISTRY is empty" },
	{ "https://q.io", "a", "1",
	  "REGISTRY is a host name, without a scheme: https://q.io" },
	{ "q.io/v2", "a", "1",
	  "REGISTRY is a host name, without a path: q.io/v2" },
	{ "q.io/", "a", "1", "REGISTRY is a host name, without a path: q.io/" },
	{ "https://u:secret@q.io", "a", "1",
	  "a registry's name holds no user and no password" },
	{ "u:secret@q.io/x", "a", "1",
	  "a registry's name holds no user and no password" },
	{ "::1", "a", "1", "an IPv6 address belongs in brackets: ::1" },
	{ "q io", "a", "1", "bad registry name: q io" },
	{ "q.io", "", "1", "the repository name is missing" },
	{ "q.io", "a:1", "1", "put the tag in TAG, not in IMAGE: a:1" },
	{ "q.io", "a@" DIGEST, "1",
	  "put the digest in TAG, not in IMAGE: a@" DIGEST },
	{ "q.io", "A", "1", "repository name must be lower case: A" },
	{ "docker.io", HEX, "1",
	  "64 hexadecimal digits are an image's id, not a name: " HEX },
	{ "q.io", "a", "", "the tag is empty" },
	{ "q.io", "a", "@" DIGEST, "the tag is empty" },
	{ "q.io", "a", "../1", "bad tag: ../1" },
	{ "q.io", "a", "md5:00",
	  "bad digest (sha256: and 64 lower-case digits are wanted): md5:00" },
	{ "q.io", "a", "1@2",
	  "bad digest (sha256: and 64 lower-case digits are wanted): 2" },
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static void check_fields(const struct reference *got, const struct good *want)
{
	CHECK_TEXT(got->registry, want->registry);
	CHECK_TEXT(got->host, want->host);
	CHECK_TEXT(got->typed_host, want->typed);
	CHECK_TEXT(got->repository, want->repository);
	CHECK_TEXT(got->tag, want->tag);
	CHECK_TEXT(got->digest.text, want->digest);
}

static void test_parse(void)
{
	char why[512] = "";

	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(reference) struct reference ref = { 0 };

		check_row(names[i].text);
		CHECK_NUMBER(reference_parse(&ref, names[i].text, why,
					     sizeof(why)), 0);
		check_fields(&ref, &names[i]);
	}
	for (size_t i = 0; i < COUNT(bad_names); i++) {
		AUTO(reference) struct reference ref = { 0 };

		check_row(bad_names[i].text);
		CHECK_NUMBER(reference_parse(&ref, bad_names[i].text, why,
					     sizeof(why)), -1);
		if (bad_names[i].why)
			CHECK_TEXT(why, bad_names[i].why);
		CHECK(!ref.registry && !ref.repository && !ref.tag);
	}
}

static void test_parts(void)
{
	char why[512] = "";

	for (size_t i = 0; i < COUNT(parts); i++) {
		AUTO(reference) struct reference ref = { 0 };
		AUTO(mem) char *text = NULL;
		AUTO(mem) char *tagged = NULL;

		check_row(parts[i].text);
		CHECK_NUMBER(reference_from_parts(&ref, parts[i].registry,
						  parts[i].image, parts[i].tag,
						  why, sizeof(why)), 0);
		text = ref.registry ? reference_text(&ref) : NULL;
		tagged = ref.registry ? reference_tagged_name(&ref) : NULL;
		CHECK_TEXT(text, parts[i].text);
		CHECK_TEXT(tagged, parts[i].tagged);
	}
	for (size_t i = 0; i < COUNT(bad_parts); i++) {
		AUTO(reference) struct reference ref = { 0 };

		check_row(bad_parts[i].why);
		CHECK_NUMBER(reference_from_parts(&ref, bad_parts[i].registry,
						  bad_parts[i].image,
						  bad_parts[i].tag, why,
						  sizeof(why)), -1);
		CHECK_TEXT(why, bad_parts[i].why);
		CHECK(!ref.registry && !ref.repository);
	}
}

/* 255 for host, slash and path together, and not one more. */
static void test_length(void)
{
	static const char longest[] = "q.io/" HUNDRED HUNDRED TEN TEN TEN TEN TEN;
	AUTO(reference) struct reference ref = { 0 };
	char why[512] = "";

	check_row("255 bytes");
	CHECK_NUMBER(sizeof(longest) - 1, 255);
	CHECK_NUMBER(reference_parse(&ref, longest, why, sizeof(why)), 0);
	reference_clear(&ref);
	check_row("256 bytes");
	CHECK_NUMBER(reference_parse(&ref, "r" "q.io/" HUNDRED HUNDRED TEN TEN TEN TEN TEN,
				     why, sizeof(why)), -1);
	CHECK(strncmp(why, "registry and repository name are longer than 255",
		      48) == 0);
	check_row("1025 bytes");
	CHECK_NUMBER(reference_parse(&ref,
				     HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
				     HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
				     TEN TEN "01234", why, sizeof(why)), -1);
	CHECK_TEXT(why, "the image's name is too long");
}

int main(void)
{
	test_parse();
	test_parts();
	test_length();
	return check_result();
}
