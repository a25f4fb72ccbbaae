/* stored.c - see stored.h */
#include "common/stored.h"

#include "common/mem.h"
#include "common/msg.h"

int stored_document(const struct store *store, const char *name,
		    const struct digest *digest, int64_t size, const char *type,
		    struct document *out)
{
	int64_t is = store_size(store, digest);
	char why[512];
	int rc;

	if (is < 0)
		return msg_fail(STATUS_NOT_FOUND,
				"%s: manifest %s is missing from the store", name,
				digest->text);
	if (is > MANIFEST_MAX_BYTES || (size >= 0 && is != size))
		return msg_fail(STATUS_INTEGRITY,
				"%s: manifest %s: %lld bytes in the store, not what was to be expected",
				name, digest->text, (long long)is);
	rc = store_read(store, digest, is, &out->bytes);
	if (rc < 0)
		return rc;
	out->digest = *digest;
	if (manifest_parse(&out->manifest, out->bytes.data ? out->bytes.data : "",
			   out->bytes.len, type, why, sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: manifest %s: %.511s", name,
				digest->text, why);
	return 0;
}

int stored_image(const struct store *store, const char *name,
		 const struct reference *reference,
		 const struct platform *wish, struct registry_image *out)
{
	AUTO(store_found) struct store_found found = { 0 };
	AUTO(mem) char *full = reference_tagged_name(reference);
	int got = store_find_image(store, full, wish, &found);

	if (got < 0)
		return got;
	if (got == 0)
		return msg_fail(STATUS_NOT_FOUND, "%s: no such image in the store",
				name);
	out->tag_digest = found.digest;
	if (digest_is_set(&found.tag_digest)) {
		out->tag_digest = found.tag_digest;
		if (store_size(store, &found.tag_digest) >= 0)
			return stored_document(store, name, &found.tag_digest, -1,
					       NULL, &out->document);
		out->has_index = true;
		out->has_platform = found.platform.os && found.platform.architecture;
		out->platform = found.platform;
		found.platform = (struct platform){ 0 };
	}
	return stored_document(store, name, &found.digest, -1, found.media_type,
			       &out->document);
}
