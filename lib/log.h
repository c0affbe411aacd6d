/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to a replaceable sink. Only daemon/ and ctl/ log; drivers return errors.
 *
 * error: an operator must act. warn: we proceed, the text says how ("ignoring", "retrying in 4 s").
 * info: a tunnel changed state or a plan was applied. debug: the rest.
 */
#ifndef GWD_LIB_LOG_H
#define GWD_LIB_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* tunnel is NULL for lines that concern no one tunnel. The sink must not log. */
typedef void (*log_sink)(enum log_level level, const char *tunnel, const char *text);

/*
 * NULL restores the default: stderr, with the <N> prefix of sd-daemon(3) when stderr is the
 * journal.
 */
void log_set_sink(log_sink sink);
void log_set_level(enum log_level max);

/* One line each; errno is kept. tunnel may be NULL. */
void log_write(enum log_level level, const char *tunnel, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(t, ...) log_write(LOG_LEVEL_ERROR, t, __VA_ARGS__)
#define log_warn(t, ...) log_write(LOG_LEVEL_WARN, t, __VA_ARGS__)
#define log_info(t, ...) log_write(LOG_LEVEL_INFO, t, __VA_ARGS__)
#define log_debug(t, ...) log_write(LOG_LEVEL_DEBUG, t, __VA_ARGS__)

#endif
