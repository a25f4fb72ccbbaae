/* runtimeconfig_private.h - what the files of runtimeconfig.h share. */
#ifndef OCCY_COMMON_RUNTIMECONFIG_PRIVATE_H
#define OCCY_COMMON_RUNTIMECONFIG_PRIVATE_H

#include "common/runtimeconfig.h"

struct runtime_maker {
	const struct runtime_source *source;
	const struct runtime_options *options;
	struct json_object *config; /* the member of the image's; lent */
	struct runtime_config *out;
};

/* The image's config cannot be converted. Returns a failure (reported). */
int runtime_refuse(const struct runtime_maker *maker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Something of it is left out: a warning and 0, or with --strict a failure. */
int runtime_complain(const struct runtime_maker *maker, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Members of the image's config or of its member "config"; a member that is
 * absent or null leaves *out as it is. Return 0 or a failure (reported). */
int runtime_get_string(const struct runtime_maker *maker,
		       const struct json_object *object, const char *key,
		       const char **out);
int runtime_get_object(const struct runtime_maker *maker, const char *key,
		       struct json_object **out);
/* Every element is a string. */
int runtime_get_strings(const struct runtime_maker *maker,
			const struct json_object *object, const char *key,
			struct json_object **out);

/* The keys of an object (may be NULL) in the order of their bytes; the array
 * is the caller's to free, the keys are lent. */
const char **runtime_sorted_keys(struct json_object *object, size_t *count);

/* Add the image's Volumes to mounts. Returns 0 or a failure (reported). */
int runtime_add_volumes(const struct runtime_maker *maker,
			struct json_object *mounts);

/* Make annotations of what has no place of its own. The caller puts *out.
 * Returns 0 or a failure (reported). */
int runtime_make_annotations(const struct runtime_maker *maker,
			     struct json_object **out);

#endif
