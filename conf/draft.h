/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration while it is made: the values as they will be, with the place each was given at.
 */
#ifndef GWD_CONF_DRAFT_H
#define GWD_CONF_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/report.h"
#include "conf/schema.h"
#include "lib/vec.h"

/* A set of slots. */
struct slots {
	uint64_t bits[(SLOTS + 63) / 64];
};

/* Which slots were given, and where. here: in the thing itself; inherited: under defaults. */
struct given {
	struct slots here, inherited;
	struct spot at[SLOTS]; /* of the value, or of the key when the value is a map or a list */
};

/* A proposal with a weak word; allow-weak may stand behind it, so it is judged when all is read. */
struct weak_proposal {
	struct spot at;
	enum schema_slot slot; /* the list it is in */
	char word[24]; /* PROPOSAL_WORD_SIZE */
	const char *instead;
};

struct draft {
	struct conf_tunnel tunnel;
	struct given given;
	struct spot name_at;
	struct spot *address_at; /* one per address */
	struct spot *route_at; /* one per route */
	bool keys_apart; /* gre-key is a map */
	struct spot psk_at[CONF_PSKS_MAX]; /* one per psk */
	VEC(struct weak_proposal) weak;
	bool left_out; /* no map, or another tunnel of this name stands before it */
};

struct drafts {
	struct findings *found;
	struct conf *conf; /* what gateway and charon say; its tunnels come last */
	struct given global;
	VEC(struct draft) list;
};

static inline bool slots_have(const struct slots *set, enum schema_slot slot)
{
	return set->bits[slot / 64] >> slot % 64 & 1;
}

static inline void slots_add(struct slots *set, enum schema_slot slot)
{
	set->bits[slot / 64] |= 1ull << slot % 64;
}

static inline bool given_here(const struct given *given, enum schema_slot slot)
{
	return slots_have(&given->here, slot);
}

static inline bool given_inherited(const struct given *given, enum schema_slot slot)
{
	return slots_have(&given->inherited, slot);
}

/* Frees what the tunnel owns. */
void conf_tunnel_done(struct conf_tunnel *tunnel);
void conf_list_free(char **list);

void draft_done(struct draft *draft);

#endif
