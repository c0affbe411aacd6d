/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are written whole or not at all. gwd itself writes none; gwctl writes keys.
 */
#ifndef GWD_LIB_FILE_H
#define GWD_LIB_FILE_H

#include <stddef.h>

/*
 * A new file of mode 0600, of the user gwd where root writes it (owner_give). It gets its name when all of it is on the disk, and never takes that of another: -EEXIST. On failure
 * nothing stays, nor where the process is killed meanwhile, but where the file system has no nameless files (O_TMPFILE), as
 * NFS: there "NAME.XXXXXX" may stay. 0 or -errno.
 */
int file_write_new(const char *path, const void *bytes, size_t size);

/* Puts the entry of path in its folder on the disk, as a new folder needs it. 0 or -errno. */
int file_sync_entry(const char *path);

#endif
