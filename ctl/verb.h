/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of gwctl: one table (in ctl/main.c) from which dispatch, help and completion come, and
 * the function behind each verb. Each returns gwctl's exit status: 0 well, 1 error, 2 not as
 * wanted.
 */
#ifndef GWD_CTL_VERB_H
#define GWD_CTL_VERB_H

#include <stdbool.h>

#define EXIT_WELL 0
#define EXIT_ERROR 1
#define EXIT_NOT_AS_WANTED 2

struct options {
	bool json;
	bool color;
	bool help;
	const char *run_dir;
	const char *frr_dir;
	const char *config;
	const char *make; /* of export: --for */
	const char *to; /* seal: the public key; NULL: our own */
	unsigned timeout; /* seconds gwd may be silent; 0: the verb's own */
};

struct verb {
	const char *name;
	const char *args; /* "", "NAME", or "[NAME]" when it may be left out */
	const char *help;
	bool needs_root;
	unsigned timeout; /* seconds gwd may be silent, unless --timeout */
	/* arg is NULL when it was left out. */
	int (*run)(const struct verb *verb, const char *arg, const struct options *opt);
};

/* Ends with a verb whose name is NULL. */
extern const struct verb verbs[];

/* NULL when there is none of this name. */
const struct verb *verb_find(const char *name);

/* Says on stderr that there is no such verb, with the nearest one; EXIT_ERROR. */
int verb_unknown(const char *name);

/* Asked of gwd: ctl/remote.c. */
int verb_status(const struct verb *verb, const char *arg, const struct options *opt);
int verb_show(const struct verb *verb, const char *arg, const struct options *opt);
int verb_change(const struct verb *verb, const char *arg, const struct options *opt);
int verb_plan(const struct verb *verb, const char *arg, const struct options *opt);
int verb_done(const struct verb *verb, const char *arg, const struct options *opt);
int verb_version(const struct verb *verb, const char *arg, const struct options *opt);

/* Done here, without gwd: ctl/check.c, ctl/export.c, ctl/frr.c, ctl/keys.c, ctl/seal.c, ctl/help.c. */
int verb_check(const struct verb *verb, const char *arg, const struct options *opt);
int verb_export(const struct verb *verb, const char *arg, const struct options *opt);
int verb_keygen(const struct verb *verb, const char *arg, const struct options *opt);
int verb_pubkey(const struct verb *verb, const char *arg, const struct options *opt);
int verb_seal(const struct verb *verb, const char *arg, const struct options *opt);
int verb_frr(const struct verb *verb, const char *arg, const struct options *opt);
int verb_help(const struct verb *verb, const char *arg, const struct options *opt);
int verb_completion(const struct verb *verb, const char *arg, const struct options *opt);

#endif
