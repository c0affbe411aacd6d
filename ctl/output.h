/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What leaves gwctl: text and JSON to stdout, complaints to stderr, and the forms people read
 * numbers in. Whatever came from elsewhere passes output_add_safe before it meets a terminal.
 */
#ifndef GWD_CTL_OUTPUT_H
#define GWD_CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/text.h"

#define OUTPUT_NUMBER_SIZE 24

/*
 * "gwctl: TEXT" on stderr. TEXT may have several lines; control characters are escaped. Returns
 * EXIT_ERROR.
 */
int output_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line on stderr, safe, without "gwctl:". */
void output_note(const char *line);

/*
 * Writes t to stdout and frees it. EXIT_ERROR when it could not be built or written (flushed), else
 * exit_status.
 */
int output_text(struct text *t, int exit_status);

/* Indented, ASCII only. The same returns. */
int output_json(const json_t *value, int exit_status);

/* Colour is for terminals, never with a non-empty NO_COLOR (no-color.org) or TERM=dumb. */
bool output_color_wanted(void);

/*
 * Appends s with control characters (C0, DEL, C1 of ISO 6429) as \xNN; line feeds stay when
 * keep_lines.
 */
void output_add_safe(struct text *t, const char *s, bool keep_lines);

/* Appends a line feed unless t is empty or ends in one. */
void output_end_line(struct text *t);

/*
 * 999, 1.2k, 18k, 340M, 1.2G …: powers of 1000, cut, never rounded up. buf has OUTPUT_NUMBER_SIZE
 * bytes.
 */
const char *output_format_bytes(uint64_t bytes, char *buf);

/* 14 s, 5 min, 3 h, 3 d. buf as above. */
const char *output_format_age(uint64_t seconds, char *buf);

#endif
