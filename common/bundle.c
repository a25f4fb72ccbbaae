/* bundle.c - see bundle.h */
#include "common/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define CONFIG "config.json"
#define IMAGE_CONFIG "container-config.json"

/* A name that stands for anything else than a file of ours is never written
 * through. */
static int check_name(const struct bundle *bundle, const char *name,
		      const char *path)
{
	struct stat st;

	if (fstatat(bundle->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : io_fail(path);
	errno = EEXIST;
	if (!bundle->replace)
		return io_fail(path);
	if (!S_ISREG(st.st_mode))
		return msg_fail(STATUS_STORAGE, "%s: not a regular file", path);
	return 0;
}

static int check_names(const struct bundle *bundle)
{
	int rc = check_name(bundle, CONFIG, bundle->config_name);

	if (rc == 0)
		rc = check_name(bundle, IMAGE_CONFIG, bundle->image_config_name);
	return rc;
}

int bundle_open(struct bundle *bundle, bool may_be_missing)
{
	int rc;

	if (bundle->dir >= 0)
		return 0;
	bundle->dir = open(bundle->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle->dir < 0)
		return errno == ENOENT && may_be_missing ? 0
							 : io_fail(bundle->path);
	bundle->config_name = mem_printf("%s/" CONFIG, bundle->path);
	bundle->image_config_name = mem_printf("%s/" IMAGE_CONFIG, bundle->path);
	rc = check_names(bundle);
	if (rc == 0)
		rc = outfile_open(&bundle->image_config,
				  bundle->image_config_name);
	if (rc == 0)
		rc = outfile_open(&bundle->config, bundle->config_name);
	return rc;
}

int bundle_open_rootfs(struct bundle *bundle, const char *directory)
{
	AUTO(fd) int fd = -1;
	struct stat ours, theirs;

	fd = openat(bundle->dir, "rootfs",
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0 || fstat(fd, &ours) != 0)
		return io_fail(bundle->path);
	if (stat(directory, &theirs) != 0 || ours.st_dev != theirs.st_dev ||
	    ours.st_ino != theirs.st_ino)
		return 0;
	bundle->rootfs = TAKE_FD(fd);
	return 1;
}

int bundle_publish(struct bundle *bundle, const struct buf *config,
		   const struct buf *image_config)
{
	int rc = outfile_write(bundle->image_config, image_config->data,
			       image_config->len);

	if (rc == 0)
		rc = outfile_write(bundle->config, config->data, config->len);
	if (rc == 0)
		rc = check_names(bundle); /* much may have happened meanwhile */
	if (rc == 0)
		rc = outfile_publish(bundle->image_config);
	if (rc < 0)
		return rc;
	rc = outfile_publish(bundle->config);
	if (rc < 0 && !bundle->replace)
		unlinkat(bundle->dir, IMAGE_CONFIG, 0);
	return rc;
}

void bundle_close(struct bundle *bundle)
{
	outfile_free(bundle->config);
	outfile_free(bundle->image_config);
	free(bundle->config_name);
	free(bundle->image_config_name);
	if (bundle->rootfs >= 0)
		close(bundle->rootfs);
	if (bundle->dir >= 0)
		close(bundle->dir);
	*bundle = (struct bundle)BUNDLE_NONE;
}
