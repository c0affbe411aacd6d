/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates, CAs and CRLs that a configuration names. */
#ifndef GWD_CONF_CERTS_H
#define GWD_CONF_CERTS_H

#include "conf/draft.h"

/* Reads them, when a tunnel authenticates by certificate, and says what would make peers refuse each other. */
void certs_check(struct drafts *drafts);

#endif
