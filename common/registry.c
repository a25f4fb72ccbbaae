/* registry.c - see registry.h */
#include "common/registry_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/msg.h"
#include "common/stored.h"

/* One manifest on its way. */
struct request {
	struct document *out;
	const struct digest *digest; /* what it must hash to; unset: anything */
	int64_t size;                /* -1: anything */
	char *type;
	struct digest claimed;       /* by the answer's header; may be unset */
	bool may_be_head;
	bool is_head;                /* the answer is: bytes do not come */
	bool has_length;
};

static int on_begin(void *context, struct transfer *transfer,
		    const struct transfer_answer *answer)
{
	struct request *request = context;

	(void)transfer;
	buf_clear(&request->out->bytes);
	free(request->type);
	request->type = answer->type ? mem_strdup(answer->type) : NULL;
	request->is_head = answer->is_head;
	request->has_length = answer->length >= 0;
	request->claimed = (struct digest){ 0 };
	if (answer->digest && digest_parse(&request->claimed, answer->digest) < 0)
		request->claimed = (struct digest){ 0 };
	return 0;
}

static int on_data(void *context, struct transfer *transfer, const void *data,
		   size_t len)
{
	struct request *request = context;
	struct buf *bytes = &request->out->bytes;

	if (bytes->len + len > MANIFEST_MAX_BYTES)
		return transfer_refuse(transfer, STATUS_INTEGRITY,
				       "larger than %d bytes", MANIFEST_MAX_BYTES);
	if (request->size >= 0 && (int64_t)(bytes->len + len) > request->size) {
		transfer_doubt(transfer, "longer than the %lld bytes of its descriptor",
			       (long long)request->size);
		return TRANSFER_DOUBT;
	}
	buf_append(bytes, data, len);
	return 0;
}

/* Size, then digest; returns 0 or TRANSFER_DOUBT. */
static int verify(struct request *request, struct transfer *transfer)
{
	struct document *out = request->out;
	struct digest got;

	if (request->size >= 0 && (int64_t)out->bytes.len != request->size) {
		transfer_doubt(transfer, "%zu bytes came, but its descriptor says %lld",
			       out->bytes.len, (long long)request->size);
		return TRANSFER_DOUBT;
	}
	digest_of(digest_is_set(request->digest)
			  ? digest_algorithm(request->digest)
			  : DIGEST_SHA256,
		  out->bytes.data, out->bytes.len, &got);
	out->digest = got;
	if (digest_is_set(request->digest) && !digest_equal(request->digest, &got)) {
		transfer_doubt(transfer, "digest mismatch, got %s", got.text);
		return TRANSFER_DOUBT;
	}
	return 0;
}

static void compare_claim(const struct request *request)
{
	const struct digest *claimed = &request->claimed;
	const struct digest *got = &request->out->digest;

	if (digest_is_set(claimed) && !digest_equal(claimed, got) &&
	    digest_algorithm(claimed) == digest_algorithm(got))
		msg_warn("the registry's Docker-Content-Digest is %s, but the manifest hashes to %s",
			 claimed->text, got->text);
}

/* What others forget, or get wrong, of a HEAD the bytes will tell. */
static int judge_head(struct request *request, struct transfer *transfer)
{
	const struct digest *claimed = &request->claimed;

	request->out->digest = *claimed;
	if (request->has_length && request->type && digest_is_set(claimed) &&
	    strncasecmp(request->type, "text/html", 9) != 0 &&
	    (!digest_is_set(request->digest) ||
	     digest_equal(request->digest, claimed)))
		return 0;
	transfer_doubt(transfer, "the answer to a HEAD lacks something");
	return TRANSFER_DOUBT;
}

static int on_end(void *context, struct transfer *transfer)
{
	struct request *request = context;
	struct document *out = request->out;
	char why[512];
	int rc;

	if (request->is_head)
		return judge_head(request, transfer);
	rc = verify(request, transfer);
	if (rc != 0)
		return rc;
	if (request->type && strncasecmp(request->type, "text/html", 9) == 0)
		return transfer_refuse(transfer, STATUS_NETWORK,
				       "not a registry's answer: %.80s",
				       request->type);
	if (manifest_parse(&out->manifest, out->bytes.data ? out->bytes.data : "",
			   out->bytes.len, request->type, why, sizeof(why)) == 0) {
		compare_claim(request);
		return 0;
	}
	/* Nobody says what these bytes must hash to: they may be encoded. */
	if (!transfer_is_encoded(transfer))
		return transfer_refuse(transfer, STATUS_INTEGRITY, "%s", why);
	transfer_doubt(transfer, "%s", why);
	return TRANSFER_DOUBT;
}

static const struct transfer_sink manifest_sink = {
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
};

static int get_document(const struct registry_access *access, const char *wanted,
			struct request *request)
{
	if (access->route->offline)
		return stored_document(access->route->offline, access->route->name,
				       request->digest, request->size, NULL,
				       request->out);

	AUTO(mem) char *path = mem_printf("manifests/%s", wanted);
	AUTO(mem) char *label = strchr(wanted, ':')
					? mem_printf("manifest %s", wanted)
					: mem_strdup("manifest");
	struct transfer_request transfer = {
		.route = access->route,
		.path = path,
		.label = label,
		.accept = MANIFEST_ACCEPT,
		.is_head = request->may_be_head,
		.sink = &manifest_sink,
		.context = request,
	};
	int rc = client_wait(access->loop, client_get(&transfer));

	free(request->type);
	request->type = NULL;
	return rc;
}

void registry_document_clear(struct document *document)
{
	buf_clear(&document->bytes);
	manifest_clear(&document->manifest);
	*document = (struct document){ 0 };
}

void registry_image_clear(struct registry_image *image)
{
	registry_document_clear(&image->document);
	platform_clear(&image->platform);
	*image = (struct registry_image){ 0 };
}

static int no_platform(const struct registry_access *access,
		       const struct manifest *index, const struct platform *wish)
{
	AUTO(mem) char *wanted = platform_text(wish);
	AUTO(mem) char *offered = manifest_platforms(index);

	if (!*offered)
		return msg_fail(STATUS_NOT_FOUND,
				"%s: no image for %s, nor for any other platform",
				access->route->name, wanted);
	return msg_fail(STATUS_NOT_FOUND, "%s: no image for %s, only for: %.2000s",
			access->route->name, wanted, offered);
}

int registry_get_entry(const struct registry_access *access,
		       const struct index_entry *entry, struct registry_image *out)
{
	struct request request = {
		.out = &out->document,
		.digest = &entry->descriptor.digest,
		.size = entry->descriptor.size,
	};

	if (entry->has_platform) {
		AUTO(json) struct json_object *json = NULL;

		json_object_object_get_ex(entry->descriptor.json, "platform", &json);
		json_object_get(json);
		platform_clear(&out->platform);
		out->has_platform = platform_from_json(&out->platform, json) == 0;
	}
	return get_document(access, entry->descriptor.digest.text, &request);
}

int registry_get_reference(const struct registry_access *access,
			   const struct reference *reference,
			   const struct platform *wish, bool may_be_head,
			   struct registry_image *out)
{
	struct request request = {
		.out = &out->document,
		.digest = &reference->digest,
		.size = -1,
		.may_be_head = may_be_head,
	};
	int rc;

	if (access->route->offline && !digest_is_set(&reference->digest))
		return stored_image(access->route->offline, access->route->name,
				    reference, wish, out);
	rc = get_document(access,
			  digest_is_set(&reference->digest)
				  ? reference->digest.text
				  : reference->tag,
			  &request);
	out->tag_digest = out->document.digest;
	return rc;
}

int registry_look(const struct registry_access *access,
		  const struct reference *reference, struct digest *out)
{
	AUTO(registry_image) struct registry_image found = { 0 };
	int rc = registry_get_reference(access, reference, NULL, true, &found);

	*out = found.tag_digest;
	return rc;
}

int registry_keep_index(const struct registry_access *access,
			const struct document *index)
{
	return access->route->offline ? 0
			       : store_put(access->store, &index->digest,
					   index->bytes.data, index->bytes.len);
}

int registry_too_deep(const struct registry_access *access)
{
	return msg_fail(STATUS_INTEGRITY, "%s: more than %d indexes within each other",
			access->route->name, MANIFEST_MAX_INDEX_DEPTH);
}

/* From an index one step down. Keeps in *out what its entry says. */
static int descend(const struct registry_access *access,
		   const struct platform *wish, struct registry_image *out)
{
	struct document index = out->document;
	const struct index_entry *entry = manifest_choose(&index.manifest, wish);
	int rc;

	out->document = (struct document){ 0 };
	out->has_index = true;
	if (!entry) {
		rc = no_platform(access, &index.manifest, wish);
		registry_document_clear(&index);
		return rc;
	}
	rc = registry_keep_index(access, &index);
	if (rc == 0)
		rc = registry_get_entry(access, entry, out);
	registry_document_clear(&index);
	return rc;
}

int registry_find_image(const struct registry_access *access,
			const struct reference *reference,
			const struct platform *wish, struct registry_image *out)
{
	int rc = registry_get_reference(access, reference, wish, false, out);

	for (int depth = 0; rc == 0; depth++) {
		if (out->document.manifest.kind == MANIFEST_IMAGE)
			return 0;
		if (depth == MANIFEST_MAX_INDEX_DEPTH)
			return registry_too_deep(access);
		rc = descend(access, wish, out);
	}
	return rc;
}
