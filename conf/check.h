/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules beyond one value: within a tunnel, across tunnels, and for the files a configuration
 * names.
 */
#ifndef GWD_CONF_CHECK_H
#define GWD_CONF_CHECK_H

#include "conf/draft.h"

/*
 * Each tunnel by itself; also settles what follows from several keys: interface, auth, psks.
 * Pure.
 */
void check_tunnels(struct drafts *drafts);

/* The options of the GRE device of one tunnel; part of check_tunnels. Pure. */
void check_gre(struct drafts *drafts, const struct draft *draft);

/*
 * Sorts the drafts by name and checks all against each other, in O(n log n). Disabled tunnels
 * conflict with none. Pure.
 */
void check_across(struct drafts *drafts);

/* Reads the gateway's key and the PSK files, as gwd would. */
void check_files(struct drafts *drafts);

#endif
