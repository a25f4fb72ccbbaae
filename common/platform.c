/* platform.c - see platform.h */
#include "common/platform.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* More than any image says; each one is compared with each of the wish. */
#define FEATURES_MAX 64

static void set(char **field, const char *value)
{
	char *copy = value && value[0] ? mem_strdup(value) : NULL;

	free(*field);
	*field = copy;
}

static void lower(char **field)
{
	if (!*field)
		return;
	for (char *p = *field; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if ((*field)[0] == '\0')
		set(field, NULL);
}

static bool is(const char *field, const char *value)
{
	return field && strcmp(field, value) == 0;
}

static void normalize_architecture(struct platform *p)
{
	static const struct {
		const char *alias, *name, *variant; /* NULL: as it was */
	} aliases[] = {
		{ "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },
		{ "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },
		{ "armel", "arm", "v6" },    { "i386", "386", "" },
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		if (!is(p->architecture, aliases[i].alias))
			continue;
		set(&p->architecture, aliases[i].name);
		if (aliases[i].variant)
			set(&p->variant, aliases[i].variant);
		return;
	}
}

static void normalize_variant(struct platform *p)
{
	static const struct {
		const char *architecture, *alias, *variant;
	} aliases[] = {
		{ "amd64", "v1", "" },    { "arm64", "v8", "" },
		{ "arm64", "8", "" },     { "arm64", "v8.0", "" },
		{ "arm64", "8.0", "" },   { "arm64", "9", "v9" },
		{ "arm64", "9.0", "v9" }, { "arm64", "v9.0", "v9" },
		{ "arm", "", "v7" },      { "arm", "5", "v5" },
		{ "arm", "6", "v6" },     { "arm", "7", "v7" },
		{ "arm", "8", "v8" },
	};
	const char *variant = p->variant ? p->variant : "";

	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		if (!is(p->architecture, aliases[i].architecture) ||
		    strcmp(variant, aliases[i].alias) != 0)
			continue;
		set(&p->variant, aliases[i].variant);
		return;
	}
}

void platform_normalize(struct platform *platform)
{
	lower(&platform->os);
	lower(&platform->architecture);
	lower(&platform->variant);
	if (is(platform->os, "macos"))
		set(&platform->os, "darwin");
	normalize_architecture(platform);
	normalize_variant(platform);
}

static int read_string(const struct json_object *json, const char *key,
		       char **out)
{
	const char *text = NULL;

	if (json_get_string(json, key, &text) < 0)
		return -1;
	set(out, text);
	return 0;
}

static int read_features(struct platform *out, const struct json_object *json)
{
	struct json_object *array = NULL;
	size_t count;
	int got = json_get_array(json, "os.features", &array);

	if (got != 1)
		return got;
	count = json_object_array_length(array);
	if (count > FEATURES_MAX)
		return -1;
	out->os_features = mem_zalloc(count, sizeof(*out->os_features));
	for (size_t i = 0; i < count; i++) {
		const char *feature = json_string_at(array, i);

		if (!feature)
			return -1;
		out->os_features[out->os_feature_count++] = mem_strdup(feature);
	}
	return 0;
}

int platform_from_json(struct platform *out, const struct json_object *json)
{
	*out = (struct platform){ 0 };
	if (read_string(json, "os", &out->os) < 0 ||
	    read_string(json, "architecture", &out->architecture) < 0 ||
	    read_string(json, "variant", &out->variant) < 0 ||
	    read_string(json, "os.version", &out->os_version) < 0 ||
	    read_features(out, json) < 0) {
		platform_clear(out);
		return -1;
	}
	platform_normalize(out);
	return 0;
}

/* "v8" is 80, "v9.2" is 92; -1 for what is no such version. */
static int version_of(const char *variant)
{
	int version;

	if (variant[0] != 'v' || variant[1] < '1' || variant[1] > '9')
		return -1;
	version = (variant[1] - '0') * 10;
	if (variant[2] == '\0')
		return version;
	if (variant[2] != '.' || variant[3] < '0' || variant[3] > '9' ||
	    variant[4] != '\0')
		return -1;
	return version + variant[3] - '0';
}

/* arm64 v9.x has all of v8.(x+5) and nothing later. */
static int arm64_distance(int wish, int entry)
{
	int minor;

	if (wish / 10 == entry / 10)
		return wish >= entry ? wish - entry : -1;
	if (wish / 10 != 9 || entry / 10 != 8)
		return -1;
	minor = wish % 10 + 5 < 9 ? wish % 10 + 5 : 9;
	return minor >= entry % 10 ? wish % 10 + 1 + minor - entry % 10 : -1;
}

/* How many steps down from the wish's variant; -1: it does not serve. */
static int variant_distance(const char *architecture, const char *wish,
			    const char *entry)
{
	bool is_arm64 = is(architecture, "arm64");
	const char *none = is_arm64 ? "v8" : is(architecture, "amd64") ? "v1" : "";
	int from, to;

	wish = wish ? wish : none;
	entry = entry ? entry : none;
	if (strcmp(wish, entry) == 0)
		return 0;
	from = version_of(wish);
	to = version_of(entry);
	if (from < 0 || to < 0)
		return -1;
	if (is_arm64)
		return arm64_distance(from, to);
	if (!is(architecture, "amd64") && !is(architecture, "arm"))
		return -1;
	if (from % 10 || to % 10 || from < to)
		return -1;
	return is(architecture, "arm") && to < 50 ? -1 : (from - to) / 10;
}

static bool has_features(const struct platform *wish,
			 const struct platform *entry)
{
	for (size_t i = 0; i < entry->os_feature_count; i++) {
		size_t j = 0;

		while (j < wish->os_feature_count &&
		       strcmp(wish->os_features[j], entry->os_features[i]) != 0)
			j++;
		if (j == wish->os_feature_count)
			return false;
	}
	return true;
}

/* Windows runs what was built for its own build number: the wish 10.0.17763
 * takes 10.0.17763.1234. Elsewhere the version is only a remark. */
static bool has_version(const struct platform *wish,
			const struct platform *entry)
{
	size_t len;

	if (!is(wish->os, "windows") || !wish->os_version || !entry->os_version)
		return true;
	len = strlen(wish->os_version);
	return strncmp(wish->os_version, entry->os_version, len) == 0 &&
	       (entry->os_version[len] == '\0' || entry->os_version[len] == '.');
}

int platform_rank(const struct platform *wish, const struct platform *entry)
{
	if (!is(wish->os, entry->os ? entry->os : "") ||
	    !is(wish->architecture, entry->architecture ? entry->architecture : "") ||
	    !has_version(wish, entry) || !has_features(wish, entry))
		return -1;
	return variant_distance(wish->architecture, wish->variant,
				entry->variant);
}

char *platform_text(const struct platform *platform)
{
	return mem_printf("%s/%s%s%s", platform->os ? platform->os : "unknown",
			  platform->architecture ? platform->architecture
						 : "unknown",
			  platform->variant ? "/" : "",
			  platform->variant ? platform->variant : "");
}

void platform_clear(struct platform *platform)
{
	free(platform->os);
	free(platform->architecture);
	free(platform->variant);
	free(platform->os_version);
	for (size_t i = 0; i < platform->os_feature_count; i++)
		free(platform->os_features[i]);
	free(platform->os_features);
	*platform = (struct platform){ 0 };
}
