/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon can, against what a proposal asks for: entry functions ike_known_take and ike_known_lacks. Neighbours:
 * ike/algs.c has the words for charon's names, daemon/loading.c asks before it loads a connection, for charon 5.9.8 takes an
 * IKE proposal of which it has no part and then answers every peer NO_PROPOSAL_CHOSEN. Pure. Follows the vici plugin's
 * README ("get-algorithms"; the section of key exchanges is "dh" in 5.9.8 and "ke" from 6.0 on) and
 * proposal_keywords_static.txt.
 */
#include "ike/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/algs.h"
#include "lib/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *written, *means;
} aliases[] = {
	{"aes", "aes128"},
	{"aes128gcm128", "aes128gcm16"},
	{"aes192gcm128", "aes192gcm16"},
	{"aes256gcm128", "aes256gcm16"},
	{"blowfish", "blowfish128"},
	{"sha", "sha1"},
	{"sha2_256", "sha256"},
	{"sha2_384", "sha384"},
	{"sha2_512", "sha512"},
	{"curve25519", "x25519"},
	{"curve448", "x448"},
};

static int word_cmp(const void *a, const void *b)
{
	return strcmp(((const struct ike_known_word *)a)->name,
		      ((const struct ike_known_word *)b)->name);
}

static int name_add(struct ike_known *known, const char *listed, const char *keysize)
{
	struct ike_known_word *w = vec_push(&known->words);

	if (!w)
		return -ENOMEM;
	ike_algs_format(w->name, sizeof(w->name), listed, keysize, NULL, NULL, NULL);
	return 0;
}

/* charon does not list sizes of keys: of a cipher all are taken for there. */
static int cipher_add(struct ike_known *known, const char *listed)
{
	static const char *const sizes[] = {"128", "192", "256"};
	int r = 0;

	for (size_t i = 0; i < COUNT(sizes) && !r; i++)
		r = name_add(known, listed, sizes[i]);
	return r;
}

static int section_take(struct ike_known *known, const struct ike_msg *answer, size_t from,
			size_t to, const char *section)
{
	bool cipher = !strcmp(section, "encryption") || !strcmp(section, "aead");
	const struct ike_item *item;
	int r = 0;

	if (!cipher && strcmp(section, "integrity") && strcmp(section, "prf") &&
	    strcmp(section, "dh") && strcmp(section, "ke"))
		return 0;
	for (size_t i = from; i < to && (item = ike_msg_at(answer, i)) && !r; i++)
		if (item->type == IKE_ITEM_VALUE && item->name)
			r = cipher ? cipher_add(known, item->name)
				   : name_add(known, item->name, NULL);
	return r;
}

int ike_known_take(struct ike_known *known, const struct ike_msg *answer)
{
	size_t pos = 0, from, to;
	const char *section;
	int r = 0;

	ike_known_free(known);
	while (!r && ike_msg_next_section(answer, &pos, ike_msg_len(answer), &section, &from, &to))
		r = section_take(known, answer, from, to, section);
	if (r)
		ike_known_free(known);
	vec_sort(&known->words, word_cmp);
	return r;
}

void ike_known_free(struct ike_known *known)
{
	vec_free(&known->words);
}

static const char *meant(const char *written)
{
	/* A further key exchange, ke1_ to ke7_ (RFC 9370). */
	if (!strncmp(written, "ke", 2) && written[2] >= '1' && written[2] <= '7' &&
	    written[3] == '_')
		written += 4;
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (!strcmp(aliases[i].written, written))
			return aliases[i].means;
	return written;
}

static bool has(const struct ike_known *known, const char *written)
{
	struct ike_known_word key;

	snprintf(key.name, sizeof(key.name), "%s", meant(written));
	return bsearch(&key, known->words.at, known->words.len, sizeof(key), word_cmp);
}

static bool is_exchange(const char *written)
{
	static const char *const begins[] = {"modp", "ecp", "x25519", "x448", "mlkem"};
	const char *name = meant(written);

	for (size_t i = 0; i < COUNT(begins); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static const char *nearest(const struct ike_known *known, const char *word)
{
	const char **names = calloc(known->words.len + 1, sizeof(*names)), *near = NULL;

	for (size_t i = 0; names && i < known->words.len; i++)
		names[i] = known->words.at[i].name;
	if (names)
		near = text_nearest(word, names);
	free(names);
	return near;
}

bool ike_known_lacks(const struct ike_known *known, bool esp, const char *proposal, char *word,
		     size_t size, const char **near)
{
	*near = NULL;
	for (size_t len; known->words.len && *proposal; proposal += len + (proposal[len] == '-')) {
		len = strcspn(proposal, "-");
		if (len >= size)
			continue;
		memcpy(word, proposal, len);
		word[len] = '\0';
		if ((esp && !is_exchange(word)) || !strcmp(word, "esn") || !strcmp(word, "noesn") ||
		    has(known, word))
			continue;
		*near = nearest(known, word);
		return true;
	}
	return false;
}
