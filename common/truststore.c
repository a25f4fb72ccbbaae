/* truststore.c - see truststore.h */
#include "common/truststore.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define FILE_MAX_BYTES 8388608

struct truststore {
	X509_STORE *store;
};

AUTO_DEFINE(bio, BIO *, BIO_free);
AUTO_DEFINE(certificate, X509 *, X509_free);
AUTO_DEFINE(key, EVP_PKEY *, EVP_PKEY_free);

struct truststore *truststore_new(const char *directory, const char *bundle)
{
	struct truststore *store = mem_zalloc(1, sizeof(*store));

	store->store = X509_STORE_new();
	if (!store->store)
		mem_die("X509_STORE_new");
	/* As libcurl has it: what is in the store is trusted, be it the root of a
	 * chain, an inner certificate or the server's own. */
	X509_STORE_set_flags(store->store,
			     X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	if (directory)
		X509_STORE_load_path(store->store, directory);
	else if (bundle)
		X509_STORE_load_file(store->store, bundle);
	ERR_clear_error();
	return store;
}

void truststore_free(struct truststore *store)
{
	if (!store)
		return;
	X509_STORE_free(store->store);
	free(store);
}

static void wipe(struct buf *bytes)
{
	if (bytes->data)
		explicit_bzero(bytes->data, bytes->len);
	buf_clear(bytes);
}

static int read_file(const char *path, struct buf *bytes)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	/* Room for a key at once: what a growing buffer leaves behind cannot be
	 * wiped. */
	buf_reserve(bytes, (size_t)2 * IO_BLOCK_SIZE);
	return fd < 0 ? io_fail(path)
		      : io_read_all(fd, path, FILE_MAX_BYTES, bytes);
}

static BIO *open_bytes(const struct buf *bytes)
{
	BIO *bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);

	if (!bio)
		mem_die("BIO_new_mem_buf");
	return bio;
}

/* Nothing more begins in the file, which is how each of them ends. */
static bool is_at_end(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
	       ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int truststore_add(struct truststore *store, const char *path)
{
	AUTO(buf) struct buf bytes = { 0 };
	AUTO(bio) BIO *bio = NULL;
	bool is_whole;
	int count = 0, rc = read_file(path, &bytes);

	if (rc < 0)
		return rc;
	bio = open_bytes(&bytes);
	ERR_clear_error();
	for (;;) {
		AUTO(certificate) X509 *one = PEM_read_bio_X509(bio, NULL, NULL, NULL);

		if (!one)
			break;
		if (X509_STORE_add_cert(store->store, one) != 1)
			mem_die("X509_STORE_add_cert");
		count++;
	}
	is_whole = is_at_end();
	ERR_clear_error();
	if (!is_whole)
		return msg_fail(STATUS_FAILED, "%.4096s: holds a broken certificate",
				path);
	return count ? 0
		     : msg_fail(STATUS_FAILED, "%.4096s: holds no certificate in PEM",
				path);
}

void truststore_give(const struct truststore *store, void *ssl_ctx)
{
	SSL_CTX_set1_cert_store(ssl_ctx, store->store);
}

/* Nobody is asked: OpenSSL would do that at the terminal. */
static int have_no_passphrase(char *out, int size, int ignored, void *context)
{
	bool *was_asked = context;

	(void)ignored;
	if (size > 0)
		out[0] = '\0';
	*was_asked = true;
	return -1;
}

static int read_certificate(const char *path, X509 **out)
{
	AUTO(buf) struct buf bytes = { 0 };
	AUTO(bio) BIO *bio = NULL;
	int rc = read_file(path, &bytes);

	if (rc < 0)
		return rc;
	bio = open_bytes(&bytes);
	*out = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ERR_clear_error();
	return *out ? 0
		    : msg_fail(STATUS_FAILED, "%.4096s: holds no certificate in PEM",
			       path);
}

static int read_key(const char *path, EVP_PKEY **out)
{
	struct buf bytes = { 0 };
	bool was_asked = false;
	int rc = read_file(path, &bytes);

	if (rc == 0) {
		AUTO(bio) BIO *bio = open_bytes(&bytes);

		*out = PEM_read_bio_PrivateKey(bio, NULL, have_no_passphrase,
					       &was_asked);
		ERR_clear_error();
	}
	wipe(&bytes);
	if (rc < 0 || *out)
		return rc;
	return msg_fail(STATUS_FAILED, "%.4096s: %s", path,
			was_asked ? "the key needs a passphrase, which is not supported"
				  : "holds no private key in PEM");
}

int truststore_check_pair(const char *certificate, const char *key)
{
	AUTO(certificate) X509 *x509 = NULL;
	AUTO(key) EVP_PKEY *private = NULL;
	int rc = read_certificate(certificate, &x509);
	bool fits;

	if (rc == 0)
		rc = read_key(key, &private);
	if (rc < 0)
		return rc;
	fits = X509_check_private_key(x509, private) == 1;
	ERR_clear_error();
	return fits ? 0
		    : msg_fail(STATUS_FAILED, "%.4096s: is not the key of %.4096s",
			       key, certificate);
}
