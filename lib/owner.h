/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To whom secret files belong: root, or the user gwd, as whom gwd.service runs gwd; and what a file that
 * gwd may not read needs.
 */
#ifndef GWD_LIB_OWNER_H
#define GWD_LIB_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Asks the system's users (getpwnam) for gwd, once per process; the other functions do it when it was not done. gwd does it at
 * its start, for later its system calls are filtered.
 */
void owner_init(void);

/* The user gwd, if there is one. */
bool owner_gwd(uid_t *uid);

/* A secret file may belong to this user: root, gwd, or the one we are. */
bool owner_is_good(uid_t uid);

/* The name for "chown NAME FILE": gwd where there is such a user, else root. */
const char *owner_name(void);

/* Gives a new secret file to gwd, when we are root and there is that user. 0 or -errno. */
int owner_give(int fd);

/*
 * Why path cannot be opened (err, a positive errno), to stand behind "cannot open PATH: ". For the user gwd it
 * names what is closed to it and the remedy; for others it is strerror.
 */
void owner_explain(const char *path, int err, bool secret, char *text, size_t size);

#endif
