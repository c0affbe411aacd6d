/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes files whole or not at all; entry function file_write_new. Neighbours: lib/secret.c and ctl/keys.c, which use it. Follows
 * open(2), O_TMPFILE: a file without a name is written, synced and then linked, so that whatever stops it leaves nothing.
 */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/owner.h"

/* Given away first, while it has no name. */
static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	int given = owner_give(fd);

	if (given)
		return given;
	while (size) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

static int folder_open(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A file system that cannot sync folders (EINVAL) has nothing to be synced. */
static int folder_sync(int folder)
{
	return fsync(folder) && errno != EINVAL ? -errno : 0;
}

/* Without ever replacing: NFS knows no RENAME_NOREPLACE, but it knows links. */
static int rename_if_absent(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL || link(from, to))
		return -errno;
	unlink(from);
	return 0;
}

static int write_beside(const char *path, const void *bytes, size_t size)
{
	char beside[PATH_MAX];

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	int fd = mkostemp(beside, O_CLOEXEC); /* O_EXCL, 0600 */
	if (fd < 0)
		return -errno;
	int rc = write_all(fd, bytes, size);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc)
		rc = rename_if_absent(beside, path);
	if (rc)
		unlink(beside);
	return rc;
}

/* linkat's AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH. */
static int link_nameless(int fd, const char *path)
{
	char self[40];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

/* -EOPNOTSUPP when there are no files without names, or no /proc to name them by. */
static int write_nameless(int folder, const char *path, const void *bytes, size_t size)
{
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EISDIR || errno == ENOENT || errno == EINVAL ? -EOPNOTSUPP : -errno;
	int rc = write_all(fd, bytes, size);
	if (!rc)
		rc = link_nameless(fd, path);
	close(fd); /* on the disk since fsync */
	return rc == -ENOENT ? -EOPNOTSUPP : rc;
}

int file_write_new(const char *path, const void *bytes, size_t size)
{
	int folder = folder_open(path), rc;
	struct stat st;

	if (folder < 0)
		return folder;
	rc = lstat(path, &st) ? write_nameless(folder, path, bytes, size) : -EEXIST;
	if (rc == -EOPNOTSUPP)
		rc = write_beside(path, bytes, size);
	if (!rc) {
		rc = folder_sync(folder);
		if (rc)
			unlink(path);
	}
	close(folder);
	return rc;
}

int file_sync_entry(const char *path)
{
	int folder = folder_open(path), rc;

	if (folder < 0)
		return folder;
	rc = folder_sync(folder);
	close(folder);
	return rc;
}
