/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question to a daemon of FRR, over the socket that vtysh uses. */
#ifndef GWD_CTL_VTY_H
#define GWD_CTL_VTY_H

#include <jansson.h>

/*
 * What the daemon ("ospfd") whose socket is in dir says to a command that ends in "json", as a list
 * of what it printed: some commands print a document for each VRF. NULL when it does not run, may
 * not be asked, is silent for a second, or answers with something else. The result is the caller's.
 */
json_t *vty_ask(const char *dir, const char *daemon, const char *command);

#endif
