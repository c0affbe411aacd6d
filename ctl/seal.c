/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl seal: a secret as a text for the configuration of one gateway, without gwd. Entry function verb_seal. The secret comes from
 * a file, from standard input, or is asked for on a terminal that does not show it; never from the command line, which every
 * process can read. Neighbour: lib/seal.c (the format).
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/output.h"
#include "ctl/verb.h"
#include "lib/key.h"
#include "lib/seal.h"

#define KEY_FILE "/etc/gwd/gwd.key"

static struct termios terminal_before;

static void on_signal(int number)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
	signal(number, SIG_DFL);
	raise(number);
}

/* A terminal stays silent only as long as the secret is typed, also when gwctl is interrupted. */
static bool terminal_silence(void)
{
	struct termios silent;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal_before))
		return false;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	silent = terminal_before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	fputs("Secret (not shown): ", stderr);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
}

static void terminal_restore(void)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
	fputc('\n', stderr);
}

/* Up to the end of the input; of a terminal, one line. */
static ssize_t stdin_fill(struct secret *s, bool line)
{
	size_t got = 0;

	while (got < s->size && !(line && got && s->bytes[got - 1] == '\n')) {
		ssize_t n = read(STDIN_FILENO, s->bytes + got, s->size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : (ssize_t)got;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static struct secret *stdin_read(void)
{
	struct secret *s = secret_new(SEAL_SECRET_MAX + 2); /* and a line's end */
	bool silent = s && terminal_silence();
	ssize_t got = s ? stdin_fill(s, silent) : 0;
	char err[256];

	if (silent)
		terminal_restore();
	if (!s) {
		secret_no_memory(err, sizeof(err));
		output_error("%s", err);
		return NULL;
	}
	if (got < 0) {
		output_error("cannot read the secret: %s", strerror((int)-got));
		secret_free(s);
		return NULL;
	}
	s->size = (size_t)got;
	return s;
}

/* The word may be the secret itself, so it is not repeated when it is no file. */
static struct secret *file_read(const char *path)
{
	struct secret *s = NULL;
	char err[512];
	int rc = secret_read_file(path, &s, err, sizeof(err));

	if (rc == -ENOENT)
		output_error(
			"seal: there is no such file; the secret itself does not belong on the "
			"command line, where others can read it: write it into a file, or leave "
			"the word out");
	else if (rc)
		output_error("%s", err);
	return rc ? NULL : s;
}

static bool own_public(char *public_text)
{
	struct secret *pem;
	char err[512];
	int rc = secret_read_file(KEY_FILE, &pem, err, sizeof(err));

	if (!rc) {
		rc = key_public_from_pem(pem, public_text, err, sizeof(err));
		secret_free(pem);
	}
	if (rc)
		output_error("%s: --to PUBLIC-KEY seals for another gateway", err);
	return rc == 0;
}

static int sealed_print(const char *sealed, const char *public_text, const struct options *opt)
{
	struct text out = {0};

	if (!opt->json) {
		text_add(&out, "%s\n", sealed);
		return output_text(&out, EXIT_WELL);
	}
	json_t *both = json_pack("{s:s, s:s}", "sealed", sealed, "public_key", public_text);
	int rc = output_json(both, EXIT_WELL);
	json_decref(both);
	return rc;
}

int verb_seal(const struct verb *verb, const char *arg, const struct options *opt)
{
	char public_text[KEY_PUBLIC_TEXT_SIZE], err[512];

	(void)verb;
	if (secret_init(err, sizeof(err)))
		return output_error("%s", err);
	if (opt->to && !key_public_parse(opt->to, NULL, err, sizeof(err)))
		return output_error("--to: %s", err);
	if (opt->to)
		memcpy(public_text, opt->to, sizeof(public_text));
	else if (!own_public(public_text))
		return EXIT_ERROR;
	struct secret *s = arg && strcmp(arg, "-") ? file_read(arg) : stdin_read();
	if (!s)
		return EXIT_ERROR;
	secret_trim_newline(s);
	char *sealed = seal_make(s, public_text, err, sizeof(err));
	secret_free(s);
	int rc = sealed ? sealed_print(sealed, public_text, opt) : output_error("%s", err);
	free(sealed);
	return rc;
}
