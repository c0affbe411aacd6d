/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small text helpers: a growing buffer, and the nearest word for "did you mean". Pure. */
#ifndef GWD_LIB_TEXT_H
#define GWD_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Start from {0}; text is NULL or NUL-terminated, the owner frees it. failed sticks when memory
 * runs out.
 */
struct text {
	char *text;
	size_t len;
	size_t room;
	bool failed;
};

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *t);

/* The word of the NULL-terminated list nearest to what was written, or NULL when none is near. */
const char *text_nearest(const char *written, const char *const *words);

#endif
