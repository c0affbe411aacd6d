/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings of one load: where in which file, what is wrong, what would be right; rendered in the
 * files' order.
 */
#ifndef GWD_CONF_REPORT_H
#define GWD_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/vec.h"

/*
 * Beyond this many findings of one load nothing is recorded any more: bounds memory on hostile
 * input.
 */
#define FINDINGS_MAX 1000

/* A place in a source; size 0 means the file as a whole. Offset and size are bytes. */
struct spot {
	uint32_t file; /* index of the source */
	uint32_t offset;
	uint32_t size;
};

struct source {
	char *name;
	char *text; /* size bytes and a NUL */
	size_t size;
};

enum finding_level {
	FINDING_ERROR,
	FINDING_WARNING,
};

/* What may be shown of the source line: a value in the wrong place can be a secret. */
enum finding_show {
	FINDING_SHOW_LINE,
	FINDING_SHOW_TO_END, /* up to the end of the spot */
	FINDING_SHOW_TO_SPOT, /* up to its beginning */
};

struct finding {
	enum finding_level level;
	enum finding_show show;
	struct spot at;
	char *message;
	char *hint; /* NULL: none */
	bool has_other;
	struct spot other; /* named behind the hint as FILE:LINE:COL */
	unsigned order; /* of arrival, among findings at one spot */
};

/* Start from {0}. failed sticks when memory ran out. */
struct findings {
	VEC(struct source) sources;
	VEC(struct finding) list;
	bool quiet; /* nothing is recorded */
	bool failed;
};

/* Takes text (malloc'ed) over, also on failure; *file is its index. False when out of memory. */
bool findings_source_add(struct findings *f, const char *name, char *text, size_t size,
			 uint32_t *file);

/*
 * Records a finding and returns it, for a hint to be added to; NULL when nothing was recorded
 * (the other functions take that). The pointer holds until the next finding.
 */
struct finding *findings_add(struct findings *f, enum finding_level level, struct spot at,
			     const char *format, ...) __attribute__((format(printf, 4, 5)));
void finding_hint(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_other(struct finding *finding, struct spot other);
void finding_hide(struct finding *finding, enum finding_show show);

/*
 * Sorts, drops repetitions, renders at most CONF_ERRORS_MAX errors and as many warnings, and
 * counts all.
 */
void findings_render(struct findings *f, struct conf_report *report);

void findings_done(struct findings *f);

#endif
