/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text helpers: a growing buffer (text_add) and the nearest word of a list (text_nearest), for "did
 * you mean". Pure. The distance is Damerau-Levenshtein's restricted form (optimal string
 * alignment): insertions, deletions, replacements and swaps of neighbours each cost 1.
 */
#include "lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 64 /* bytes; nothing we suggest is longer */

static bool text_reserve(struct text *t, size_t more)
{
	size_t need = t->len + more + 1;
	size_t room = t->room ? t->room : 128;

	if (need <= t->room)
		return true;
	while (room < need)
		room *= 2;
	char *grown = realloc(t->text, room);
	if (!grown)
		return false;
	t->text = grown;
	t->room = room;
	return true;
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args, again;

	if (t->failed)
		return;
	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	if (n < 0 || !text_reserve(t, (size_t)n)) {
		t->failed = true;
	} else {
		vsnprintf(t->text + t->len, t->room - t->len, fmt, again);
		t->len += (size_t)n;
	}
	va_end(again);
	va_end(args);
}

void text_free(struct text *t)
{
	free(t->text);
	*t = (struct text){0};
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Three rows of the matrix suffice: a swap looks back two. */
static unsigned text_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned replace = last[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(replace, least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unsigned *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

const char *text_nearest(const char *written, const char *const *words)
{
	size_t len = strlen(written);
	unsigned limit = len / 3 > 1 ? (unsigned)(len / 3) : 1;
	const char *nearest = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		size_t word_len = strlen(*words);
		if (word_len > WORD_MAX)
			continue;
		unsigned distance = text_distance(written, len, *words, word_len);
		if (distance > limit || (nearest && distance == limit))
			continue;
		nearest = *words;
		limit = distance;
	}
	return nearest;
}
