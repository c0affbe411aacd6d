/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the configuration: at start, by SIGHUP and by `gwctl reload`; and previews of another one. */
#ifndef GWD_DAEMON_RELOAD_H
#define GWD_DAEMON_RELOAD_H

#include <jansson.h>

#include "daemon/gateway.h"

/*
 * Loads gw->conf_path and takes it into force; marks what changed. Files of the same content as those in force change nothing and
 * are not parsed. On error the one in force stays, gw->conf_error is set, and *report (the caller frees) tells what a person reads.
 */
int reload_conf(struct gateway *gw, char **report);

/* The plan for another file, or for the one in force (file NULL), without doing it. */
int reload_preview(struct gateway *gw, const char *file, json_t **plan, char **report);

#endif
