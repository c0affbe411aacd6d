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

#define PROPOSAL_WORD_SIZE 24

/*
 * True when it is words that strongSwan has, and a whole. False, with a sentence in err, and what
 * would be right in hint ("" when nothing is near). Whether its words are strong, and whether the
 * charon that runs has them, is not said.
 */
bool proposal_check(enum proposal_for what, const char *text, char *err, size_t err_size,
		    char *hint, size_t hint_size);

/*
 * True when a word of the proposal is weak (RFC 8247, RFC 8221): the first such in word, which has
 * size bytes (PROPOSAL_WORD_SIZE is enough), and what is strong in its place in instead.
 */
bool proposal_weak(const char *text, char *word, size_t size, const char **instead);

#endif
