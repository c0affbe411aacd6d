/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way out of gwctl: output_text and output_json to stdout, output_error to stderr, each telling
 * whether it arrived. Neighbours: ctl/render.c fills the texts, the verbs hand them over here.
 */
#include "ctl/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/verb.h"

/* C1 control characters are U+0080 to U+009F: c2 80 to c2 9f in UTF-8. */
static bool is_c1(const unsigned char *s)
{
	return s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f;
}

void output_add_safe(struct text *t, const char *s, bool keep_lines)
{
	const unsigned char *at = (const unsigned char *)s;

	while (*at) {
		size_t plain = 0;
		while (at[plain] >= ' ' && at[plain] != 0x7f && !is_c1(at + plain))
			plain++;
		text_add(t, "%.*s", (int)plain, (const char *)at);
		at += plain;
		if (!*at)
			break;
		if (*at == '\n' && keep_lines)
			text_add(t, "\n");
		else if (is_c1(at))
			text_add(t, "\\x%02x", *++at);
		else
			text_add(t, "\\x%02x", *at);
		at++;
	}
}

void output_end_line(struct text *t)
{
	if (t->len && t->text[t->len - 1] != '\n')
		text_add(t, "\n");
}

/* What stderr does not take, nobody can be told. */
static void output_complain(struct text *t)
{
	output_end_line(t);
	if (t->failed || t->text)
		fputs(t->failed ? "gwctl: out of memory\n" : t->text, stderr);
	text_free(t);
}

void output_note(const char *line)
{
	struct text t = {0};

	output_add_safe(&t, line, true);
	output_complain(&t);
}

int output_error(const char *fmt, ...)
{
	struct text said = {0};
	char *raw = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&raw, fmt, args) < 0)
		raw = NULL;
	va_end(args);
	text_add(&said, "gwctl: ");
	output_add_safe(&said, raw ? raw : "out of memory", true);
	output_complain(&said);
	free(raw);
	return EXIT_ERROR;
}

static int output_flush(bool written, int exit_status)
{
	if (written && fflush(stdout) == 0)
		return exit_status;
	/* Who closed the pipe has seen enough and needs no telling. */
	if (errno != EPIPE)
		output_error("cannot write the output: %s", strerror(errno));
	return EXIT_ERROR;
}

int output_text(struct text *t, int exit_status)
{
	bool whole = !t->failed;
	bool written = whole && (!t->text || fputs(t->text, stdout) >= 0);

	text_free(t);
	return whole ? output_flush(written, exit_status) : output_error("out of memory");
}

int output_json(const json_t *value, int exit_status)
{
	bool written = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0;

	return output_flush(written && fputc('\n', stdout) != EOF, exit_status);
}

bool output_color_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if ((no_color && *no_color) || !term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(STDOUT_FILENO);
}

const char *output_format_bytes(uint64_t bytes, char *buf)
{
	static const char units[] = {'k', 'M', 'G', 'T', 'P', 'E'};
	uint64_t whole = bytes, below = 0;
	size_t unit = 0;

	for (; whole >= 1000; unit++) {
		below = whole % 1000;
		whole /= 1000;
	}
	if (unit == 0)
		snprintf(buf, OUTPUT_NUMBER_SIZE, "%" PRIu64, whole);
	else if (whole < 10)
		snprintf(buf, OUTPUT_NUMBER_SIZE, "%" PRIu64 ".%" PRIu64 "%c", whole, below / 100,
			 units[unit - 1]);
	else
		snprintf(buf, OUTPUT_NUMBER_SIZE, "%" PRIu64 "%c", whole, units[unit - 1]);
	return buf;
}

const char *output_format_age(uint64_t seconds, char *buf)
{
	static const struct {
		uint64_t below, size;
		const char *unit;
	} units[] = {
		{60, 1, "s"},
		{3600, 60, "min"},
		{86400, 3600, "h"},
		{UINT64_MAX, 86400, "d"},
	};
	size_t i = 0;

	while (i < 3 && seconds >= units[i].below)
		i++;
	snprintf(buf, OUTPUT_NUMBER_SIZE, "%" PRIu64 " %s", seconds / units[i].size, units[i].unit);
	return buf;
}
