/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cipher proposals in strongSwan's syntax: words joined by dashes, such as
 * aes256gcm16-prfsha384-x25519. Pure.
 */
#ifndef GWD_CONF_PROPOSAL_H
#define GWD_CONF_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>

enum proposal_for {
	PROPOSAL_IKE,
	PROPOSAL_ESP,
};

/*
 * True when charon 5.9.8 with the plugins gwd uses takes it and every word of it is strong (RFC
 * 8247, RFC 8221). False, with a sentence in err, and what would be right in hint ("" when
 * nothing is near).
 */
bool proposal_check(enum proposal_for what, const char *text, char *err, size_t err_size,
		    char *hint, size_t hint_size);

#endif
