/* runtimevolumes.c - Volumes of an image's config as mounts: see
 * runtimeconfig.h
 *
 * A volume is an empty tmpfs over what the image has there. It belongs to
 * whom the image's directory belongs to, or who is not root could not use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/innerpath.h"
#include "common/runtimeconfig_private.h"
#include "common/runtimedefaults.h"

/* The runtime's own mounts, and what it guards in them, must stay on top. */
static bool is_reserved(const char *path)
{
	return strcmp(path, "/") == 0 ||
	       innerpath_is_at_or_below(path, "/proc") ||
	       innerpath_is_at_or_below(path, "/sys") ||
	       innerpath_is_at_or_below(path, "/dev");
}

static int add_volume(const struct runtime_maker *maker, const char *path,
		      struct json_object *mounts)
{
	char mode[32], uid[32], gid[32];
	const char *options[] = {
		"rw", "nosuid", "nodev", "noexec", "relatime", NULL, NULL, NULL,
		NULL,
	};
	AUTO(fd) int fd = safepath_open(maker->source->root, path + 1,
					O_PATH | O_DIRECTORY);
	struct stat st;

	if (fd < 0 && errno != ENOENT)
		return runtime_complain(maker, "Volumes: '%.256s': %s; left out",
					path, strerror(errno));
	if (fd >= 0 && fstat(fd, &st) == 0) {
		snprintf(mode, sizeof(mode), "mode=%04o", st.st_mode & 07777);
		snprintf(uid, sizeof(uid), "uid=%u", st.st_uid);
		snprintf(gid, sizeof(gid), "gid=%u", st.st_gid);
		options[5] = mode;
		options[6] = uid;
		options[7] = gid;
	}
	json_append(mounts, runtimedefaults_mount(path, "tmpfs", "tmpfs",
						  options));
	return 0;
}

static int try_volume(const struct runtime_maker *maker, const char *path,
		      struct json_object *mounts)
{
	AUTO(buf) struct buf clean = { 0 };
	AUTO(buf) struct buf real = { 0 };

	innerpath_clean(path, &clean);
	if (strcmp(clean.data, path) != 0)
		return runtime_complain(maker, "Volumes: '%.256s' is no absolute, "
					"clean path; left out", path);
	if (innerpath_real(maker->source->root, path, &real) < 0)
		return runtime_complain(maker, "Volumes: '%.256s': %s; left out",
					path, strerror(errno));
	if (is_reserved(path) || is_reserved(real.data))
		return runtime_complain(maker, "Volumes: '%.256s' would hide what "
					"the runtime mounts; left out", path);
	return add_volume(maker, path, mounts);
}

int runtime_add_volumes(const struct runtime_maker *maker,
			struct json_object *mounts)
{
	struct json_object *volumes = NULL;
	const char **paths;
	size_t count;
	int rc = runtime_get_object(maker, "Volumes", &volumes);

	if (rc < 0)
		return rc;
	/* In this order a volume inside another comes after it. */
	paths = runtime_sorted_keys(volumes, &count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = try_volume(maker, paths[i], mounts);
	free(paths);
	return rc;
}
