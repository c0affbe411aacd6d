/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics. findings_add records what parse, check and keys find, findings_render turns it
 * into what a person reads: file:line:col, the message, the source line, a caret below it and the
 * hint. Positions are byte offsets until then, so that a finding costs no search. What is shown
 * is cleaned of control characters and of broken UTF-8 (RFC 3629), since files may hold anything
 * and terminals obey.
 */
#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define LINE_SHOWN_MAX 120 /* bytes of a source line */
#define LINE_BEFORE_MAX 60 /* of which stand before the caret, when the line is longer */

bool findings_source_add(struct findings *f, const char *name, char *text, size_t size,
			 uint32_t *file)
{
	char *copy = strdup(name);
	struct source *source = copy ? vec_push(&f->sources) : NULL;

	if (!source) {
		free(copy);
		free(text);
		f->failed = true;
		return false;
	}
	*source = (struct source){.name = copy, .text = text, .size = size};
	*file = (uint32_t)(f->sources.len - 1);
	return true;
}

struct finding *findings_add(struct findings *f, enum finding_level level, struct spot at,
			     const char *format, ...)
{
	va_list args;
	char *message = NULL;

	if (f->quiet || f->list.len >= FINDINGS_MAX)
		return NULL;
	va_start(args, format);
	int n = vasprintf(&message, format, args);
	va_end(args);
	struct finding *finding = n < 0 ? NULL : vec_push(&f->list);
	if (!finding) {
		if (n >= 0)
			free(message);
		f->failed = true;
		return NULL;
	}
	finding->level = level;
	finding->at = at;
	finding->message = message;
	finding->order = (unsigned)f->list.len;
	return finding;
}

void finding_hint(struct finding *finding, const char *format, ...)
{
	va_list args;
	char *hint = NULL;

	if (!finding)
		return;
	va_start(args, format);
	if (vasprintf(&hint, format, args) >= 0) {
		free(finding->hint);
		finding->hint = hint;
	}
	va_end(args);
}

void finding_other(struct finding *finding, struct spot other)
{
	if (!finding)
		return;
	finding->has_other = true;
	finding->other = other;
}

void finding_hide(struct finding *finding, enum finding_show show)
{
	if (finding)
		finding->show = show;
}

/* Bytes of the character at p that may be shown as they are; 0 when it must be replaced. */
static size_t shown_size(const char *p, size_t left)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;

	if (n == 1)
		return u[0] >= 0x20 && u[0] != 0x7f;
	if (n > left || u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	return !(u[0] == 0xc2 && u[1] < 0xa0) ? n : 0; /* C1 control characters */
}

static void add_clean(struct text *t, const char *p, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t n = shown_size(p + i, size - i);
		if (n)
			text_add(t, "%.*s", (int)n, p + i);
		else
			text_add(t, p[i] == '\t' ? "\t" : "?");
		i += n ? n : 1;
	}
}

static void add_clean_text(struct text *t, const char *p)
{
	add_clean(t, p, strlen(p));
}

static size_t chars(const char *p, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; n++) {
		size_t step = shown_size(p + i, size - i);
		i += step ? step : 1;
	}
	return n;
}

struct line {
	const char *begin, *end; /* without the line's end */
	const char *at, *at_end; /* the spot's part in it */
	size_t number, column; /* from 1; the column counts characters */
};

static struct line line_of(const struct source *source, struct spot at)
{
	const char *text = source->text, *text_end = text + source->size;
	struct line line = {.at = text + (at.offset < source->size ? at.offset : source->size)};

	line.begin = line.at;
	while (line.begin > text && line.begin[-1] != '\n')
		line.begin--;
	line.end = memchr(line.at, '\n', (size_t)(text_end - line.at));
	if (!line.end)
		line.end = text_end;
	if (line.end > line.at && line.end[-1] == '\r')
		line.end--;
	line.at_end = at.size < (size_t)(line.end - line.at) ? line.at + at.size : line.end;
	while (line.at < line.at_end && *line.at == ' ') /* a block's indentation */
		line.at++;
	line.number = 1;
	for (const char *p = text; (p = memchr(p, '\n', (size_t)(line.begin - p))); p++)
		line.number++;
	line.column = 1 + chars(line.begin, (size_t)(line.at - line.begin));
	return line;
}

static void add_position(struct text *t, const struct findings *f, struct spot at)
{
	const struct source *source = &f->sources.at[at.file];

	add_clean_text(t, source->name);
	if (!at.size)
		return;
	struct line line = line_of(source, at);
	text_add(t, ":%zu:%zu", line.number, line.column);
}

/* A long line is cut to a window around the spot, at whole characters. */
static void line_window(struct line *line)
{
	const char *last = line->end > line->at ? line->end : line->at;

	if (last - line->begin <= LINE_SHOWN_MAX)
		return;
	if (line->at - line->begin > LINE_BEFORE_MAX)
		line->begin = line->at - LINE_BEFORE_MAX;
	while (line->begin < line->at && (*line->begin & 0xc0) == 0x80)
		line->begin++;
	if (line->end - line->begin > LINE_SHOWN_MAX)
		line->end = line->begin + LINE_SHOWN_MAX;
	if (line->at_end > line->end)
		line->at_end = line->end > line->at ? line->end : line->at;
}

static void add_hint(struct text *t, const struct findings *f, const struct finding *finding)
{
	if (finding->hint) {
		text_add(t, " ");
		add_clean_text(t, finding->hint);
	}
	if (finding->has_other) {
		text_add(t, finding->hint ? " at " : " see ");
		add_position(t, f, finding->other);
	}
}

/*
 * Cuts the line where the first finding on it that hides something says, this one or another: a
 * secret is not to be shown for the sake of its neighbour. True when a value was cut off.
 */
static bool line_cut(const struct findings *f, struct line *line, uint32_t file)
{
	const char *text = f->sources.at[file].text;
	bool value = false;

	for (size_t i = 0; i < f->list.len; i++) {
		const struct finding *other = &f->list.at[i];
		const char *cut = text + other->at.offset;
		if (other->show == FINDING_SHOW_LINE || other->at.file != file)
			continue;
		if (other->show == FINDING_SHOW_TO_END)
			cut += other->at.size;
		if (cut < line->begin || cut >= line->end)
			continue;
		line->end = cut;
		value = other->show == FINDING_SHOW_TO_SPOT;
	}
	if (line->at_end > line->end)
		line->at_end = line->end > line->at ? line->end : line->at;
	return value;
}

/* Below the line: blanks as wide as what stands before the spot, tabs where tabs are. */
static void add_caret(struct text *t, const struct line *line)
{
	for (const char *p = line->begin; p < line->at;) {
		size_t n = shown_size(p, (size_t)(line->at - p));
		text_add(t, *p == '\t' ? "\t" : " ");
		p += n ? n : 1;
	}
	text_add(t, "^");
	for (size_t n = chars(line->at, (size_t)(line->at_end - line->at)); n > 1; n--)
		text_add(t, "~");
}

static void add_line(struct text *t, const struct findings *f, const struct finding *finding)
{
	struct line line = line_of(&f->sources.at[finding->at.file], finding->at);
	bool value = line_cut(f, &line, finding->at.file);

	line_window(&line);
	text_add(t, "%5zu | ", line.number);
	if (line.end > line.begin)
		add_clean(t, line.begin, (size_t)(line.end - line.begin));
	text_add(t, value ? "(not shown)\n      | " : "\n      | ");
	add_caret(t, &line);
	add_hint(t, f, finding);
	text_add(t, "\n");
}

static void add_finding(struct text *t, const struct findings *f, const struct finding *finding)
{
	add_position(t, f, finding->at);
	text_add(t, ": %s: ", finding->level == FINDING_ERROR ? "error" : "warning");
	add_clean_text(t, finding->message);
	text_add(t, "\n");
	if (finding->at.size) {
		add_line(t, f, finding);
	} else if (finding->hint || finding->has_other) {
		text_add(t, "     ");
		add_hint(t, f, finding);
		text_add(t, "\n");
	}
}

static int finding_cmp(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;

	if (a->at.file != b->at.file)
		return a->at.file < b->at.file ? -1 : 1;
	if (a->at.offset != b->at.offset)
		return a->at.offset < b->at.offset ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* A value under defaults is looked at once per tunnel that takes it. */
static bool finding_repeats(const struct finding *a, const struct finding *b)
{
	return a->at.file == b->at.file && a->at.offset == b->at.offset &&
	       a->at.size == b->at.size && strcmp(a->message, b->message) == 0;
}

static void add_count(struct text *t, unsigned n, const char *what)
{
	if (n > CONF_ERRORS_MAX)
		text_add(t, "too many %s, the first %d of %u%s are shown\n", what, CONF_ERRORS_MAX,
			 n, n >= FINDINGS_MAX ? " or more" : "");
}

void findings_render(struct findings *f, struct conf_report *report)
{
	struct text t = {0};

	vec_sort(&f->list, finding_cmp);
	/* Without memory a finding may be of a source that is not there. */
	for (size_t i = 0; !f->failed && i < f->list.len; i++) {
		const struct finding *finding = &f->list.at[i];
		if (i && finding_repeats(finding - 1, finding))
			continue;
		unsigned *count = finding->level == FINDING_ERROR ? &report->errors
								  : &report->warnings;
		if ((*count)++ < CONF_ERRORS_MAX)
			add_finding(&t, f, finding);
	}
	add_count(&t, report->errors, "errors");
	add_count(&t, report->warnings, "warnings");
	if (f->failed || t.failed) {
		text_free(&t);
		report->errors++;
		report->text = strdup("out of memory while the configuration was read\n");
		return;
	}
	report->text = t.text;
}

void findings_done(struct findings *f)
{
	for (size_t i = 0; i < f->list.len; i++) {
		free(f->list.at[i].message);
		free(f->list.at[i].hint);
	}
	for (size_t i = 0; i < f->sources.len; i++) {
		free(f->sources.at[i].name);
		free(f->sources.at[i].text);
	}
	vec_free(&f->list);
	vec_free(&f->sources);
}
