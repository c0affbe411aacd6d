/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One question to gwd over its control socket (doc/CONTROL.md), with a deadline for every step. */
#ifndef GWD_CTL_CLIENT_H
#define GWD_CTL_CLIENT_H

#include <jansson.h>

#include "ctl/verb.h"

struct client_answer {
	int exit; /* what gwctl is to exit with, 0 to 2 */
	json_t *result; /* NULL when there is none */
	char *error; /* NULL when there is none */
};

/*
 * Asks request (borrowed) of the gwd of opt->run_dir, which may be silent for timeout seconds; its
 * progress goes to stderr when that is a terminal. EXIT_WELL and an answer, which is the caller's
 * (client_answer_done), or EXIT_ERROR after saying on stderr what is wrong and what to do: gwd does
 * not run, not allowed, another protocol, silence, an answer that is none.
 */
int client_ask(const struct options *opt, unsigned timeout, const json_t *request,
	       struct client_answer *answer);

void client_answer_done(struct client_answer *answer);

#endif
