// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers of the control socket as text. Entry: answer_line, called by daemon/control.c. libjansson, asked to put NULL into an object,
 * does nothing and says so, which the many places that build objects do not look at: so its allocations are watched instead, and a
 * line of which a part may be missing is none.
 */
#include "daemon/answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
	is_short; /* libjansson was refused memory since the last line: what was built may lack a part */

static void *watched_alloc(size_t size)
{
	void *at = malloc(size);

	is_short |= !at;
	return at;
}

void answer_init(void)
{
	json_set_alloc_funcs(watched_alloc, free);
}

void answer_begin(void)
{
	is_short = false;
}

/* A name in it may have been cut within a character, which JSON cannot carry (RFC 3629). */
static json_t *error_json(const char *error)
{
	json_t *o = json_string(error);
	char *ascii = o ? NULL : strdup(error);

	for (char *p = ascii; p && *p; p++)
		*p = *p & 0x80 ? '?' : *p;
	if (ascii)
		o = json_string(ascii);
	free(ascii);
	return o;
}

json_t *answer_make(int status, json_t *result, const char *error)
{
	json_t *answer = json_pack("{s:i}", "exit", status);

	if (result)
		json_object_set_new(answer, "result", result);
	if (error)
		json_object_set_new(answer, "error", error_json(error));
	is_short |= !result && !error;
	return answer;
}

char *answer_line(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT), *line = NULL;

	if (!text || is_short || asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	is_short = false;
	free(text);
	json_decref(object);
	return line;
}
