/* runtimedefaults.c - see runtimedefaults.h */
#include "common/runtimedefaults.h"

#define MOUNT_OPTIONS_MAX 8

static const char *const capabilities[] = {
	"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL,
};

static const char *const none[] = { NULL };

static const struct {
	const char *destination, *type, *source;
	const char *options[MOUNT_OPTIONS_MAX]; /* ends with NULL */
} mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs",
	  { "nosuid", "strictatime", "mode=755", "size=65536k", NULL } },
	{ "/dev/pts", "devpts", "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
	    "gid=5", NULL } },
	{ "/dev/shm", "tmpfs", "shm",
	  { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k", NULL } },
	{ "/dev/mqueue", "mqueue", "mqueue",
	  { "nosuid", "noexec", "nodev", NULL } },
	{ "/sys", "sysfs", "sysfs",
	  { "nosuid", "noexec", "nodev", "ro", NULL } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup",
	  { "nosuid", "noexec", "nodev", "relatime", "ro", NULL } },
};

static const char *const namespaces[] = {
	"pid", "network", "ipc", "uts", "mount", NULL,
};

static const char *const masked_paths[] = {
	"/proc/acpi",        "/proc/asound",        "/proc/kcore",
	"/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug",   "/sys/firmware",
	"/proc/scsi",        NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	NULL,
};

static struct json_object *strings(const char *const *texts)
{
	struct json_object *array = json_new_array();

	for (; *texts; texts++)
		json_append(array, json_new_string(*texts));
	return array;
}

struct json_object *runtimedefaults_capabilities(void)
{
	struct json_object *sets = json_new_object();

	json_add(sets, "bounding", strings(capabilities));
	json_add(sets, "effective", strings(capabilities));
	json_add(sets, "inheritable", strings(none));
	json_add(sets, "permitted", strings(capabilities));
	json_add(sets, "ambient", strings(none));
	return sets;
}

struct json_object *runtimedefaults_rlimits(void)
{
	struct json_object *array = json_new_array();
	struct json_object *limit = json_new_object();

	json_add_string(limit, "type", "RLIMIT_NOFILE");
	json_add_integer(limit, "hard", 1024);
	json_add_integer(limit, "soft", 1024);
	json_append(array, limit);
	return array;
}

struct json_object *runtimedefaults_mount(const char *destination,
					  const char *type, const char *source,
					  const char *const *options)
{
	struct json_object *mount = json_new_object();

	json_add_string(mount, "destination", destination);
	json_add_string(mount, "type", type);
	json_add_string(mount, "source", source);
	if (options[0])
		json_add(mount, "options", strings(options));
	return mount;
}

struct json_object *runtimedefaults_mounts(void)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++)
		json_append(array, runtimedefaults_mount(mounts[i].destination,
							 mounts[i].type,
							 mounts[i].source,
							 mounts[i].options));
	return array;
}

/* No device at all; the runtime adds those that every container has. */
static struct json_object *resources(void)
{
	struct json_object *object = json_new_object();
	struct json_object *devices = json_new_array();
	struct json_object *rule = json_new_object();

	json_add_bool(rule, "allow", false);
	json_add_string(rule, "access", "rwm");
	json_append(devices, rule);
	json_add(object, "devices", devices);
	return object;
}

struct json_object *runtimedefaults_linux(void)
{
	struct json_object *object = json_new_object();
	struct json_object *array = json_new_array();

	for (size_t i = 0; namespaces[i]; i++) {
		struct json_object *one = json_new_object();

		json_add_string(one, "type", namespaces[i]);
		json_append(array, one);
	}
	json_add(object, "resources", resources());
	json_add(object, "namespaces", array);
	json_add(object, "maskedPaths", strings(masked_paths));
	json_add(object, "readonlyPaths", strings(readonly_paths));
	return object;
}
