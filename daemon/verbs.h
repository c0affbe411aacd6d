/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client may ask: the verb table of doc/CONTROL.md. */
#ifndef GWD_DAEMON_VERBS_H
#define GWD_DAEMON_VERBS_H

#include "daemon/control.h"

/* Answers now, or later through control_answer. request is borrowed. */
void verbs_run(struct control_client *c, const json_t *request, bool root);

/* control_wait's two questions: is it decided for this tunnel, and what is then the answer. */
bool verbs_wait_is_over(const struct tunnel *t, bool for_up);
void verbs_answer_tunnel(struct control_client *c, const char *name, bool for_up);

#endif
