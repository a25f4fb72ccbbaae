/* runtimeconfig.c - see runtimeconfig.h: the document, and its process */
#include "common/runtimeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/document.h"
#include "common/innerpath.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/passwd.h"
#include "common/runtimeconfig_private.h"
#include "common/runtimedefaults.h"

#define DEFAULT_HOSTNAME "occystrap"
#define DEFAULT_PATH \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_TERM "TERM=xterm"

static const char *const config_keys[] = {
	"User",   "Env",	"Entrypoint", "Cmd",        "WorkingDir",
	"Labels", "ExposedPorts", "Volumes",    "StopSignal", NULL,
};

int runtime_refuse(const struct runtime_maker *maker, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return msg_fail(STATUS_INTEGRITY, "%s: %.1023s", maker->source->label,
			text);
}

int runtime_complain(const struct runtime_maker *maker, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (maker->options->strict)
		return msg_fail(STATUS_INTEGRITY, "%s: %.1023s",
				maker->source->label, text);
	msg_warn("%s: %.1023s", maker->source->label, text);
	return 0;
}

static int checked(const struct runtime_maker *maker, int got, const char *key)
{
	return got < 0 ? runtime_refuse(maker, "%s is of a wrong kind", key) : 0;
}

int runtime_get_string(const struct runtime_maker *maker,
		       const struct json_object *object, const char *key,
		       const char **out)
{
	return checked(maker, json_get_string(object, key, out), key);
}

int runtime_get_object(const struct runtime_maker *maker, const char *key,
		       struct json_object **out)
{
	return checked(maker, json_get_object(maker->config, key, out), key);
}

int runtime_get_strings(const struct runtime_maker *maker,
			const struct json_object *object, const char *key,
			struct json_object **out)
{
	int got = json_get_array(object, key, out);

	for (size_t i = 0; got == 1 && i < json_object_array_length(*out); i++)
		if (!json_string_at(*out, i))
			got = -1;
	return checked(maker, got, key);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **runtime_sorted_keys(struct json_object *object, size_t *count)
{
	size_t len = object ? (size_t)json_object_object_length(object) : 0;
	const char **keys = mem_zalloc(len, sizeof(*keys));

	*count = 0;
	if (len == 0)
		return keys;
	json_object_object_foreach(object, key, value) {
		(void)value;
		keys[(*count)++] = key;
	}
	qsort(keys, len, sizeof(*keys), compare_keys);
	return keys;
}

static int append_strings(const struct runtime_maker *maker, const char *key,
			  struct json_object *to)
{
	struct json_object *from = NULL;
	int rc = runtime_get_strings(maker, maker->config, key, &from);

	for (size_t i = 0; rc == 0 && from && i < json_object_array_length(from); i++)
		json_append(to, json_new_string(json_string_at(from, i)));
	return rc;
}

static int add_args(const struct runtime_maker *maker,
		    struct json_object *process)
{
	AUTO(json) struct json_object *args = json_new_array();
	int rc = 0;

	if (maker->options->args) {
		json_add(process, "args", json_object_get(maker->options->args));
		return 0;
	}
	rc = append_strings(maker, "Entrypoint", args);
	if (rc == 0)
		rc = append_strings(maker, "Cmd", args);
	if (rc == 0 && json_object_array_length(args) == 0)
		rc = runtime_refuse(maker, "neither Entrypoint nor Cmd says what "
				    "to run; --args can");
	if (rc == 0)
		json_add(process, "args", TAKE(args));
	return rc;
}

/* Whether a variable of the same name as in "NAME=default" is there. */
static bool has_variable(const struct json_object *env, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; env && i < json_object_array_length(env); i++)
		if (strncmp(json_string_at(env, i), entry, len) == 0)
			return true;
	return false;
}

static int add_env(const struct runtime_maker *maker,
		   struct json_object *process)
{
	AUTO(json) struct json_object *env = json_new_array();
	struct json_object *from = NULL;
	int rc = runtime_get_strings(maker, maker->config, "Env", &from);

	if (rc == 0 && !has_variable(from, DEFAULT_PATH))
		json_append(env, json_new_string(DEFAULT_PATH));
	if (rc == 0 && maker->options->terminal &&
	    !has_variable(from, DEFAULT_TERM))
		json_append(env, json_new_string(DEFAULT_TERM));
	for (size_t i = 0; rc == 0 && from && i < json_object_array_length(from); i++) {
		const char *entry = json_string_at(from, i);

		if (strcspn(entry, "=") > 0 && strchr(entry, '='))
			json_append(env, json_new_string(entry));
		else
			rc = runtime_complain(maker, "Env: '%.256s' is not "
					      "NAME=VALUE; left out", entry);
	}
	if (rc == 0)
		json_add(process, "env", TAKE(env));
	return rc;
}

/* A directory below one of these is an open descriptor, or another process's
 * view, and stands outside of the container (CVE-2024-21626). */
static bool is_way_out(const char *path)
{
	if (strncmp(path, "/proc/", 6) == 0)
		return strchr(path + 6, '/') != NULL;
	return strncmp(path, "/dev/fd/", 8) == 0;
}

static int add_cwd(const struct runtime_maker *maker,
		   struct json_object *process)
{
	AUTO(buf) struct buf cwd = { 0 };
	AUTO(buf) struct buf real = { 0 };
	const char *text = "";
	int rc = runtime_get_string(maker, maker->config, "WorkingDir", &text);

	if (rc < 0)
		return rc;
	innerpath_clean(text, &cwd);
	if (innerpath_real(maker->source->root, cwd.data, &real) < 0)
		return runtime_refuse(maker, "WorkingDir '%.256s': %s", text,
				      strerror(errno));
	if (is_way_out(cwd.data) || is_way_out(real.data))
		return runtime_refuse(maker, "WorkingDir '%.256s' may lead out of "
				      "the container", text);
	json_add_string(process, "cwd", cwd.data);
	return 0;
}

static int add_user(const struct runtime_maker *maker,
		    struct json_object *process)
{
	AUTO(identity) struct identity who = { 0 };
	struct json_object *user, *groups;
	const char *text = "";
	int rc = runtime_get_string(maker, maker->config, "User", &text);

	if (rc == 0 && text[0] != '\0')
		rc = identity_resolve(&who, text, maker->source->root,
				      maker->source->label);
	if (rc < 0)
		return rc;
	user = json_new_object();
	json_add(process, "user", user);
	json_add_integer(user, "uid", who.uid);
	json_add_integer(user, "gid", who.gid);
	if (who.group_count == 0)
		return 0;
	groups = json_new_array();
	json_add(user, "additionalGids", groups);
	for (size_t i = 0; i < who.group_count; i++)
		json_append(groups, json_new_integer(who.groups[i]));
	return 0;
}

static int make_process(const struct runtime_maker *maker,
			struct json_object **out)
{
	AUTO(json) struct json_object *process = json_new_object();
	int rc;

	json_add_bool(process, "terminal", maker->options->terminal);
	rc = add_user(maker, process);
	if (rc == 0)
		rc = add_args(maker, process);
	if (rc == 0)
		rc = add_env(maker, process);
	if (rc == 0)
		rc = add_cwd(maker, process);
	if (rc < 0)
		return rc;
	json_add(process, "capabilities", runtimedefaults_capabilities());
	json_add(process, "rlimits", runtimedefaults_rlimits());
	json_add_bool(process, "noNewPrivileges", true);
	*out = TAKE(process);
	return 0;
}

static struct json_object *make_root(const struct runtime_options *options)
{
	struct json_object *root = json_new_object();

	json_add_string(root, "path", "rootfs");
	json_add_bool(root, "readonly", options->readonly);
	return root;
}

static int check_image(struct runtime_maker *maker)
{
	const struct runtime_source *source = maker->source;
	const char *os = "linux";
	int rc;

	if (json_get_object(source->image, "config", &maker->config) < 0)
		return runtime_refuse(maker, "config is of a wrong kind");
	if (maker->config && document_disguised_key(maker->config, config_keys))
		return runtime_refuse(maker, "%s is written in another case",
				      document_disguised_key(maker->config,
							     config_keys));
	rc = runtime_get_string(maker, source->image, "os", &os);
	if (rc == 0 && strcmp(os, "linux") != 0)
		rc = runtime_complain(maker, "os is '%.256s', but the bundle is "
				      "for linux", os);
	return rc;
}

/* What the runtime mounts itself it would mount where a link of the image's
 * leads (CVE-2019-16884, CVE-2021-30465). */
static int check_mount_points(const struct runtime_maker *maker)
{
	static const char *const names[] = { "dev", "proc", "sys" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(*names); i++) {
		struct stat st;

		if (fstatat(maker->source->root->fd, names[i], &st,
			    AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
			rc = runtime_complain(maker, "rootfs/%s is no directory, "
					      "and the runtime mounts there",
					      names[i]);
	}
	return rc;
}

static int make_document(const struct runtime_maker *maker)
{
	AUTO(json) struct json_object *process = NULL;
	AUTO(json) struct json_object *mounts = runtimedefaults_mounts();
	AUTO(json) struct json_object *annotations = NULL;
	struct json_object *json = maker->out->json;
	const char *hostname = maker->options->hostname;
	int rc = make_process(maker, &process);

	if (rc == 0)
		rc = runtime_add_volumes(maker, mounts);
	if (rc == 0)
		rc = runtime_make_annotations(maker, &annotations);
	if (rc < 0)
		return rc;
	json_add_string(json, "ociVersion", RUNTIME_SPEC_VERSION);
	json_add(json, "process", TAKE(process));
	json_add(json, "root", make_root(maker->options));
	json_add_string(json, "hostname",
			hostname ? hostname : DEFAULT_HOSTNAME);
	json_add(json, "mounts", TAKE(mounts));
	json_add(json, "annotations", TAKE(annotations));
	json_add(json, "linux", runtimedefaults_linux());
	return 0;
}

int runtimeconfig_make(struct runtime_config *out,
		       const struct runtime_source *source,
		       const struct runtime_options *options)
{
	AUTO(runtime_config) struct runtime_config made = { 0 };
	struct runtime_maker maker = {
		.source = source, .options = options, .out = &made,
	};
	int rc;

	*out = (struct runtime_config){ 0 };
	made.json = json_new_object();
	rc = check_image(&maker);
	if (rc == 0)
		rc = check_mount_points(&maker);
	if (rc == 0)
		rc = make_document(&maker);
	if (rc < 0)
		return rc;
	*out = made;
	made = (struct runtime_config){ 0 };
	return 0;
}

void runtimeconfig_text(const struct runtime_config *config, struct buf *out)
{
	const char *text = json_object_to_json_string_ext(
		config->json, JSON_C_TO_STRING_PRETTY |
			      JSON_C_TO_STRING_PRETTY_TAB |
			      JSON_C_TO_STRING_SPACED |
			      JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		mem_die("json_object_to_json_string_ext");
	buf_append_text(out, text);
	buf_append_text(out, "\n");
}

void runtimeconfig_clear(struct runtime_config *config)
{
	json_object_put(config->json);
	*config = (struct runtime_config){ 0 };
}
