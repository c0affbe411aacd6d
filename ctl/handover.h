/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secret files that are still root's, where gwd runs as a user of its own. */
#ifndef GWD_CTL_HANDOVER_H
#define GWD_CTL_HANDOVER_H

#include "conf/conf.h"

/* For root, where there is a user gwd: a line on stderr with the chown(1) for all files that need it. */
void handover_note(const struct conf *conf);

#endif
