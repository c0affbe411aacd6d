// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares a connection with what the charon that runs can (get-algorithms and version, asked by daemon/charon.c). Entry:
 * lacks_conn, called by daemon/loading.c before it loads. conf/proposal.c has refused what no charon knows.
 */
#include "daemon/lacks.h"

#include <stdio.h>

static bool lacks_word(const struct gateway *gw, char *const *proposals, bool esp, char *why,
		       size_t size)
{
	char word[IKE_WORD_SIZE];
	const char *near;

	for (size_t i = 0; proposals && proposals[i]; i++) {
		if (!ike_known_lacks(&gw->known, esp, proposals[i], word, sizeof(word), &near))
			continue;
		snprintf(why, size, "it does not know %s, of %s.proposals%s%s%s", word,
			 esp ? "esp" : "ike", near ? "; did you mean " : "", near ? near : "",
			 near ? "?" : "");
		return true;
	}
	return false;
}

/* From 5.9.10 on "auto" may choose packet offload, to which policies in the kernel do not lead (xfrm_state_find). */
static bool lacks_auto(const struct gateway *gw, const struct ike_conn *c, char *why, size_t size)
{
	unsigned major = 0, minor = 0, patch = 0;

	if (c->offload != IKE_OFFLOAD_AUTO || !gw->charon_version ||
	    sscanf(gw->charon_version, "%u.%u.%u", &major, &minor, &patch) < 2 || major < 5 ||
	    (major == 5 && (minor < 9 || (minor == 9 && patch < 10))))
		return false;
	snprintf(
		why, size,
		"strongSwan %s may take esp.hw-offload: auto for packet offload: write crypto or no",
		gw->charon_version);
	return true;
}

bool lacks_conn(const struct gateway *gw, const struct ike_conn *c, char *why, size_t size)
{
	return lacks_word(gw, c->ike_proposals, false, why, size) ||
	       lacks_word(gw, c->esp_proposals, true, why, size) || lacks_auto(gw, c, why, size);
}
