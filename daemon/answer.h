/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the control socket (doc/CONTROL.md), whole or not at all: libjansson leaves out what it has no memory for. */
#ifndef GWD_DAEMON_ANSWER_H
#define GWD_DAEMON_ANSWER_H

#include <jansson.h>

/* Of the same form, for where there is no memory to make another. */
#define ANSWER_NO_MEMORY "{\"exit\":1,\"error\":\"out of memory\"}\n"

/* From here on libjansson's failures are noted. Once, before all JSON. */
void answer_init(void);

/* Forgets what failed before: a new request. */
void answer_begin(void);

/* An answer; takes result, which may be NULL, as error may. NULL result without error means that there was no memory for it. */
json_t *answer_make(int status, json_t *result, const char *error);

/* The object, which it takes, as one line for the caller to free. NULL when a part of it is missing for memory. */
char *answer_line(json_t *object);

#endif
