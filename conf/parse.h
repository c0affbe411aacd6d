/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document of nodes into drafts, by the keyword table. */
#ifndef GWD_CONF_PARSE_H
#define GWD_CONF_PARSE_H

#include <libfyaml.h>

#include "conf/draft.h"

struct parse {
	struct drafts *drafts;
	uint32_t file;
	struct fy_node *defaults; /* of the main file, which must stay open for the parts */
	struct fy_node *tunnels; /* of the file being parsed */
};

/*
 * Adds what the document says: SCHEMA_TOP for the main file, which must come first, SCHEMA_PART
 * for the others. Errors become findings; what could be read stays in the drafts, so that later
 * checks have it.
 */
void parse_document(struct parse *p, struct fy_node *root, enum schema_place place);

/* Used between conf/parse.c and conf/list.c: where the values of one map go. */
struct target {
	void *base;
	struct given *given;
	struct draft *draft; /* NULL for the gateway's */
	enum schema_place place;
};

/* Reads a map's keys, valid at target->place, into the target. */
void parse_map(struct parse *p, struct fy_node *map, const struct target *target);

/* A value that is no map: "KEY: expected a list, found a text". */
void parse_wrong_type(struct parse *p, const char *name, struct fy_node *node, struct spot at,
		      const char *expected);

#endif
