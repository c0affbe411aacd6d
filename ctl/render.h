/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwd's results (doc/CONTROL.md) as text for people. No I/O. What is missing or of another type is
 * shown as "-". color adds the sequences of ECMA-48 (SGR) for green, red and yellow.
 */
#ifndef GWD_CTL_RENDER_H
#define GWD_CTL_RENDER_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/text.h"

#define RENDER_GREEN "\033[32m"
#define RENDER_RED "\033[31m"
#define RENDER_YELLOW "\033[33m"
#define RENDER_PLAIN "\033[0m"

/* A status object as what is off, then a table, a tunnel's reason under its row. */
void render_status(struct text *out, const json_t *status, bool color);

/* Each tunnel of a status object as a block: what is wanted, then layer by layer what is there. */
void render_show(struct text *out, const json_t *status, bool color);

/* A plan object: what gwd would do, and what it did. */
void render_plan(struct text *out, const json_t *plan, bool color);
void render_done(struct text *out, const json_t *plan, bool color);

void render_version(struct text *out, const json_t *version, bool color);

/* For the files of this header: a member as text, NULL when it is no text; and a tunnel's STATE. */
const char *render_member(const json_t *object, const char *key);
const char *render_state(const json_t *tunnel);
const char *render_state_color(const json_t *tunnel);

/* Appends text, safe, in color (one of the sequences above) when that is not NULL. */
void render_add_colored(struct text *out, const char *text, const char *color);

#endif
