/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The algorithms that a charon has, by its answer to get-algorithms, in the words in which proposals are written. Pure.
 */
#ifndef GWD_IKE_KNOWN_H
#define GWD_IKE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "ike/msg.h"
#include "lib/vec.h"

#define IKE_WORD_SIZE 48

struct ike_known_word {
	char name[IKE_WORD_SIZE];
};

/* Start from {0}; without a word nothing is known, and nothing is missing. */
struct ike_known {
	VEC(struct ike_known_word) words; /* sorted */
};

/* Replaces what is known by the answer's; 0 or -ENOMEM. The caller frees it. */
int ike_known_take(struct ike_known *known, const struct ike_msg *answer);
void ike_known_free(struct ike_known *known);

/*
 * The first word of a proposal that this charon does not have, in word (size bytes; IKE_WORD_SIZE is enough): true, with
 * the nearest that it has in near (NULL: none). Of ESP's only key exchanges are looked at: its ciphers are the kernel's
 * (kernel_netlink_ipsec.c).
 */
bool ike_known_lacks(const struct ike_known *known, bool esp, const char *proposal, char *word,
		     size_t size, const char **near);

#endif
