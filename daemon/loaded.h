/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of what charon has loaded, by name; shared by daemon/loading.c (connections) and daemon/credentials.c (secrets). */
#ifndef GWD_DAEMON_LOADED_H
#define GWD_DAEMON_LOADED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"

/* Of what is there, but not known to be what is wanted. */
static const unsigned char loaded_unknown[SECRET_DIGEST_SIZE];

static inline int loaded_cmp(const void *a, const void *b)
{
	return strcmp(((const struct loaded *)a)->name, ((const struct loaded *)b)->name);
}

static inline struct loaded *loaded_find_in(struct loaded *at, size_t n, const char *name)
{
	struct loaded key = {0};

	snprintf(key.name, sizeof(key.name), "%s", name);
	return n ? bsearch(&key, at, n, sizeof(key), loaded_cmp) : NULL;
}

static inline struct loaded *loaded_find(const struct loaded_set *set, const char *name)
{
	return loaded_find_in(set->at, set->len, name);
}

/* Adds it when it is not there; NULL when out of memory. */
static inline struct loaded *loaded_note(struct loaded_set *set, const char *name,
					 const unsigned char *digest)
{
	struct loaded *l = loaded_find(set, name);

	if (!l) {
		l = vec_push(set);
		if (!l)
			return NULL;
		snprintf(l->name, sizeof(l->name), "%s", name);
		vec_sort(set, loaded_cmp);
		l = loaded_find(set, name);
	}
	if (!l)
		return NULL;
	memcpy(l->digest, digest, sizeof(l->digest));
	return l;
}

/* NULL is fine. */
static inline void loaded_drop(struct loaded_set *set, struct loaded *l)
{
	if (l)
		memmove(l, l + 1, (size_t)(&set->at[--set->len] - l) * sizeof(*l));
}

/* One name of a query's answer (user: the set), when it is one of ours. */
static inline void loaded_list_one(void *user, const char *name)
{
	struct loaded_set *l = user;
	struct loaded *slot;

	if (strncmp(name, IKE_PREFIX, strlen(IKE_PREFIX)) || strlen(name) >= IKE_NAME_SIZE)
		return;
	slot = vec_push(l);
	if (slot)
		snprintf(slot->name, sizeof(slot->name), "%s", name);
}

/* What we loaded, and is still listed, is still what we loaded. */
static inline void loaded_keep(struct loaded_set *listed, const struct loaded_set *known)
{
	for (size_t i = 0; i < listed->len; i++) {
		const struct loaded *l = loaded_find(known, listed->at[i].name);

		if (l)
			listed->at[i] = *l;
	}
}

#endif
