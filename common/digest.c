/* digest.c - see digest.h */
#include "common/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

static const struct algorithm {
	const char *prefix;
	size_t digits;
} algorithms[] = {
	[DIGEST_SHA256] = { "sha256:", 64 },
	[DIGEST_SHA512] = { "sha512:", 128 },
};

#define PREFIX_LEN 7

struct digest_state {
	enum digest_algorithm algorithm;
	EVP_MD_CTX *context;
};

static bool is_hex(const char *text, size_t digits)
{
	for (size_t i = 0; i < digits; i++)
		if (!(text[i] >= '0' && text[i] <= '9') &&
		    !(text[i] >= 'a' && text[i] <= 'f'))
			return false; /* the NUL of a short one, too */
	return text[digits] == '\0';
}

int digest_parse(struct digest *out, const char *text)
{
	*out = (struct digest){ 0 };
	for (size_t i = 0; text && i < 2; i++) {
		const struct algorithm *a = &algorithms[i];

		if (strncmp(text, a->prefix, PREFIX_LEN) == 0 &&
		    is_hex(text + PREFIX_LEN, a->digits)) {
			memcpy(out->text, text, PREFIX_LEN + a->digits);
			return 0;
		}
	}
	return -1;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

enum digest_algorithm digest_algorithm(const struct digest *d)
{
	return strncmp(d->text, "sha512:", PREFIX_LEN) == 0 ? DIGEST_SHA512
							    : DIGEST_SHA256;
}

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_SHA512 ? "sha512" : "sha256";
}

const char *digest_hex(const struct digest *d)
{
	return digest_is_set(d) ? d->text + PREFIX_LEN : "";
}

static const EVP_MD *method(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_SHA512 ? EVP_sha512() : EVP_sha256();
}

struct digest_state *digest_begin(enum digest_algorithm algorithm)
{
	struct digest_state *state = mem_zalloc(1, sizeof(*state));

	state->algorithm = algorithm;
	state->context = EVP_MD_CTX_new();
	if (!state->context)
		mem_die("EVP_MD_CTX_new");
	digest_restart(state);
	return state;
}

void digest_restart(struct digest_state *state)
{
	if (EVP_DigestInit_ex(state->context, method(state->algorithm), NULL) != 1)
		mem_die("EVP_DigestInit_ex");
}

void digest_update(struct digest_state *state, const void *data, size_t len)
{
	if (EVP_DigestUpdate(state->context, data, len) != 1)
		mem_die("EVP_DigestUpdate");
}

void digest_result(const struct digest_state *state, struct digest *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	char *p;

	if (!copy || EVP_MD_CTX_copy_ex(copy, state->context) != 1 ||
	    EVP_DigestFinal_ex(copy, raw, &len) != 1)
		mem_die("EVP_DigestFinal_ex");
	EVP_MD_CTX_free(copy);
	*out = (struct digest){ 0 };
	memcpy(out->text, algorithms[state->algorithm].prefix, PREFIX_LEN);
	p = out->text + PREFIX_LEN;
	for (unsigned int i = 0; i < len; i++) {
		*p++ = digits[raw[i] >> 4];
		*p++ = digits[raw[i] & 15];
	}
}

void digest_end(struct digest_state *state)
{
	if (!state)
		return;
	EVP_MD_CTX_free(state->context);
	free(state);
}

void digest_of(enum digest_algorithm algorithm, const void *data, size_t len,
	       struct digest *out)
{
	AUTO(digest_state) struct digest_state *state = digest_begin(algorithm);

	digest_update(state, data, len);
	digest_result(state, out);
}

#define READ_SIZE 262144

bool digest_matches_file(int fd, const struct digest *digest)
{
	AUTO(digest_state) struct digest_state *state =
		digest_begin(digest_algorithm(digest));
	AUTO(mem) char *block = mem_resize(NULL, READ_SIZE, 1);
	struct digest got;
	off_t at = 0;
	ssize_t n;

	do {
		n = pread(fd, block, READ_SIZE, at);
		if (n > 0)
			digest_update(state, block, (size_t)n);
		at += n > 0 ? n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	digest_result(state, &got);
	return n == 0 && digest_equal(&got, digest);
}
