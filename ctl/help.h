/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gwctl says about itself, out of the table in ctl/main.c. */
#ifndef GWD_CTL_HELP_H
#define GWD_CTL_HELP_H

#include "ctl/verb.h"
#include "lib/text.h"

/* All verbs and options. */
void help_overview(struct text *out);

/* One verb. */
void help_verb(struct text *out, const struct verb *verb);

#endif
