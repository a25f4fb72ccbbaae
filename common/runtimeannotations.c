/* runtimeannotations.c - annotations of an image's config: see
 * runtimeconfig.h and image-spec conversion.md, "Annotation Fields"
 */
#include <stdlib.h>
#include <string.h>

#include "common/runtimeconfig_private.h"

/* Names by which runtimes take orders: hooks, seccomp filters, handlers,
 * cgroup properties, virtual machines. No image gives such orders. */
static const char *const orders[] = {
	"run.oci.",       "org.criu.",     "org.systemd.property.",
	"io.katacontainers.", "io.containerd.", "module.wasm.image/",
	"dev.gvisor.",
};

static bool is_order(const char *label)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (strncmp(label, orders[i], strlen(orders[i])) == 0)
			return true;
	return false;
}

static int add_string(const struct runtime_maker *maker,
		      const struct json_object *from, const char *key,
		      const char *name, struct json_object *to)
{
	const char *text = NULL;
	int rc = runtime_get_string(maker, from, key, &text);

	if (rc == 0 && text && text[0] != '\0')
		json_add_string(to, name, text);
	return rc;
}

static void join(struct buf *out, const char *text)
{
	if (out->len > 0)
		buf_append_text(out, ",");
	buf_append_text(out, text);
}

static int add_features(const struct runtime_maker *maker,
			struct json_object *to)
{
	AUTO(buf) struct buf list = { 0 };
	struct json_object *features = NULL;
	int rc = runtime_get_strings(maker, maker->source->image, "os.features",
				     &features);

	for (size_t i = 0;
	     rc == 0 && features && i < json_object_array_length(features); i++)
		join(&list, json_string_at(features, i));
	if (rc == 0 && list.len > 0)
		json_add_string(to, "org.opencontainers.image.os.features",
				list.data);
	return rc;
}

static int add_ports(const struct runtime_maker *maker, struct json_object *to)
{
	AUTO(buf) struct buf list = { 0 };
	struct json_object *ports = NULL;
	const char **keys;
	size_t count;
	int rc = runtime_get_object(maker, "ExposedPorts", &ports);

	if (rc < 0)
		return rc;
	keys = runtime_sorted_keys(ports, &count);
	for (size_t i = 0; i < count; i++)
		join(&list, keys[i]);
	free(keys);
	if (list.len > 0)
		json_add_string(to, "org.opencontainers.image.exposedPorts",
				list.data);
	return 0;
}

static int add_implied(const struct runtime_maker *maker,
		       struct json_object *to)
{
	static const struct {
		const char *key, *name;
	} strings[] = {
		{ "os", "org.opencontainers.image.os" },
		{ "os.version", "org.opencontainers.image.os.version" },
		{ "architecture", "org.opencontainers.image.architecture" },
		{ "variant", "org.opencontainers.image.variant" },
		{ "author", "org.opencontainers.image.author" },
		{ "created", "org.opencontainers.image.created" },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(strings) / sizeof(*strings); i++)
		rc = add_string(maker, maker->source->image, strings[i].key,
				strings[i].name, to);
	if (rc == 0)
		rc = add_features(maker, to);
	if (rc == 0)
		rc = add_string(maker, maker->config, "StopSignal",
				"org.opencontainers.image.stopSignal", to);
	return rc == 0 ? add_ports(maker, to) : rc;
}

/* An explicit label wins over what is implied. */
static int add_label(const struct runtime_maker *maker,
		     const struct json_object *labels, const char *key,
		     struct json_object *to)
{
	const char *value = NULL;
	int got = json_get_string(labels, key, &value);

	if (got < 0)
		return runtime_refuse(maker, "Labels: '%.256s' is no string", key);
	if (got == 1 && key[0] != '\0' && !is_order(key)) {
		json_add_string(to, key, value);
		return 0;
	}
	maker->out->labels_left_out++;
	return runtime_complain(maker, "Labels: '%.256s' %s; left out", key,
				key[0] == '\0' ? "is no name of an annotation"
				: got == 0     ? "has no value"
					       : "gives orders to a runtime");
}

int runtime_make_annotations(const struct runtime_maker *maker,
			     struct json_object **out)
{
	AUTO(json) struct json_object *annotations = json_new_object();
	struct json_object *labels = NULL;
	const char **keys;
	size_t count;
	int rc = add_implied(maker, annotations);

	if (rc == 0)
		rc = runtime_get_object(maker, "Labels", &labels);
	if (rc < 0)
		return rc;
	keys = runtime_sorted_keys(labels, &count);
	if (!maker->options->labels)
		maker->out->labels_left_out = count;
	for (size_t i = 0; maker->options->labels && rc == 0 && i < count; i++)
		rc = add_label(maker, labels, keys[i], annotations);
	free(keys);
	if (rc == 0)
		*out = TAKE(annotations);
	return rc;
}
