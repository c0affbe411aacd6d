/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to a replaceable sink; entry function log_write. The default sink writes stderr, with
 * the <N> priorities of sd-daemon(3) when stderr is the journal (JOURNAL_STREAM of
 * systemd.exec(5)). One line is one write(2), so that lines of several processes do not mix.
 */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const struct {
	int priority;
	const char *word;
} levels[] = {
	[LOG_LEVEL_ERROR] = {LOG_ERR, "error: "},
	[LOG_LEVEL_WARN] = {LOG_WARNING, "warning: "},
	[LOG_LEVEL_INFO] = {LOG_INFO, ""},
	[LOG_LEVEL_DEBUG] = {LOG_DEBUG, "debug: "},
};

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

static void log_to_stderr(enum log_level level, const char *tunnel, const char *text)
{
	static int journal = -1;
	char head[8], line[LINE_MAX_BYTES + 128];

	if (journal < 0)
		journal = stderr_is_journal();
	snprintf(head, sizeof(head), "<%d>", levels[level].priority);
	int n = snprintf(line, sizeof(line), "%s%s%s%s\n", journal ? head : levels[level].word,
			 tunnel ? tunnel : "", tunnel ? ": " : "", text);
	if (n < 0)
		return;
	size_t len = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
	line[len - 1] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* there is nowhere left to say so */
}

static log_sink sink = log_to_stderr;
static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_sink(log_sink s)
{
	sink = s ? s : log_to_stderr;
}

void log_set_level(enum log_level max)
{
	max_level = max;
}

void log_write(enum log_level level, const char *tunnel, const char *fmt, ...)
{
	int kept = errno;
	char text[LINE_MAX_BYTES];
	va_list args;

	if (level > max_level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* Texts may quote a peer: it must not be able to begin a line of its own. */
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	sink(level, tunnel, text);
	errno = kept;
}
