/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists: entry function list_read, called by conf/parse.c, which it calls back for a route
 * written as a map. A list under a tunnel replaces the one under defaults as a whole, as scalars
 * do.
 */
#include "conf/list.h"

#include <net/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "conf/proposal.h"
#include "conf/read.h"
#include "conf/weak.h"
#include "conf/yaml.h"

struct list {
	struct parse *p;
	const struct schema_key *key;
	struct spot at;
	struct findings *found;
};

/*
 * The items of a list, or the one scalar that stands for a list of one where lone is set; false
 * after an error.
 */
static bool list_begin(const struct list *l, struct fy_node *node, bool lone, int max)
{
	if (lone && node && fy_node_is_scalar(node) && !yaml_is_null(node))
		return true;
	if (!node || !fy_node_is_sequence(node)) {
		parse_wrong_type(l->p, l->key->name, node, l->at, "a list");
		return false;
	}
	if (fy_node_sequence_item_count(node) <= max)
		return true;
	/* Some of it can be secrets, written in the wrong place. */
	finding_hide(findings_add(l->found, FINDING_ERROR, l->at, "%s: at most %d are possible",
				  l->key->name, max),
		     l->key->type == SCHEMA_SECRET_LIST ? FINDING_SHOW_TO_END : FINDING_SHOW_LINE);
	return false;
}

static struct fy_node *list_next(struct fy_node *node, void **iter, bool *lone_seen)
{
	if (fy_node_is_sequence(node))
		return fy_node_sequence_iterate(node, iter);
	bool again = *lone_seen;
	*lone_seen = true;
	return again ? NULL : node;
}

static char *item_text(const struct list *l, struct fy_node *item, struct spot *at)
{
	*at = yaml_spot(l->p->file, item, l->at);
	if (item && yaml_is_null(item)) {
		findings_add(l->found, FINDING_ERROR, *at, "%s: an entry is empty", l->key->name);
		return NULL;
	}
	return yaml_text(l->found, item, *at, l->key->name);
}

static void proposal_refuse(const struct list *l, struct spot at, const char *err, const char *hint)
{
	struct finding *finding = findings_add(l->found, FINDING_ERROR, at, "%s: %s", l->key->name,
					       err);

	if (*hint)
		finding_hint(finding, "%s", hint);
}

static void read_proposals(const struct list *l, struct fy_node *node, char ***field,
			   struct draft *draft)
{
	enum proposal_for what = l->key->type == SCHEMA_IKE_PROPOSAL_LIST ? PROPOSAL_IKE
									  : PROPOSAL_ESP;
	char err[160], hint[64], *text;
	void *iter = NULL;
	bool lone_seen = false;
	struct fy_node *item;
	struct spot at;
	size_t n = 0;

	if (!list_begin(l, node, true, LIST_PROPOSALS_MAX))
		return;
	char **list = calloc(LIST_PROPOSALS_MAX + 1, sizeof(*list));
	if (!list) {
		l->found->failed = true;
		return;
	}
	weak_forget(draft, l->key->slot);
	while (n < LIST_PROPOSALS_MAX && (item = list_next(node, &iter, &lone_seen))) {
		text = item_text(l, item, &at);
		if (!text)
			continue;
		if (!proposal_check(what, text, err, sizeof(err), hint, sizeof(hint)))
			proposal_refuse(l, at, err, hint);
		else if (!weak_note(draft, l->key->slot, text, at))
			l->found->failed = true;
		list[n++] = text;
	}
	if (fy_node_is_sequence(node) && fy_node_sequence_is_empty(node))
		findings_add(l->found, FINDING_ERROR, l->at, "%s: the list is empty", l->key->name);
	conf_list_free(*field);
	*field = list;
}

static void read_addresses(const struct list *l, struct fy_node *node, struct draft *draft)
{
	VEC(struct prefix) addresses = {0};
	VEC(struct spot) spots = {0};
	void *iter = NULL;
	struct fy_node *item;

	if (!list_begin(l, node, false, LIST_ADDRESSES_MAX))
		return;
	while ((item = fy_node_sequence_iterate(node, &iter))) {
		struct value v = {.found = l->found, .key = l->key};
		struct prefix p;
		char *text = item_text(l, item, &v.at);
		v.text = text;
		if (text && read_address(&v, &p)) {
			struct prefix *address = vec_push(&addresses);
			struct spot *spot = address ? vec_push(&spots) : NULL;
			if (spot) {
				*address = p;
				*spot = v.at;
			}
			l->found->failed |= !spot;
		}
		free(text);
	}
	draft->tunnel.addresses = addresses.at;
	draft->tunnel.n_addresses = spots.len;
	draft->address_at = spots.at;
}

/* A route as a map; its first key stands for it in findings. */
static bool read_route_map(const struct list *l, struct fy_node *item, struct conf_route *route,
			   struct spot *at)
{
	struct given given = {0};
	struct target target = {.base = route, .given = &given, .place = SCHEMA_ROUTE};
	void *iter = NULL;
	struct fy_node_pair *pair = fy_node_mapping_iterate(item, &iter);

	*at = pair ? yaml_spot(l->p->file, fy_node_pair_key(pair), l->at) : l->at;
	parse_map(l->p, item, &target);
	if (given_here(&given, SLOT_TO))
		*at = given.at[SLOT_TO];
	else
		finding_hint(findings_add(l->found, FINDING_ERROR, *at,
					  "a route has no destination"),
			     "add to: PREFIX");
	return route->to.addr.family != AF_UNSPEC;
}

static bool read_route(const struct list *l, struct fy_node *item, struct conf_route *route,
		       struct spot *at)
{
	if (item && fy_node_is_mapping(item))
		return read_route_map(l, item, route, at);
	char *text = item_text(l, item, at);
	struct value v = {.found = l->found, .key = l->key, .at = *at, .text = text};
	bool ok = text && read_destination(&v, &route->to);
	free(text);
	return ok;
}

static void read_routes(const struct list *l, struct fy_node *node, struct draft *draft)
{
	VEC(struct conf_route) routes = {0};
	VEC(struct spot) spots = {0};
	void *iter = NULL;
	struct fy_node *item;

	if (!list_begin(l, node, false, LIST_ROUTES_MAX))
		return;
	while ((item = fy_node_sequence_iterate(node, &iter))) {
		struct conf_route read = {.hold = true};
		struct spot at;
		if (!read_route(l, item, &read, &at))
			continue;
		struct conf_route *route = vec_push(&routes);
		struct spot *spot = route ? vec_push(&spots) : NULL;
		if (spot) {
			*route = read;
			*spot = at;
		}
		l->found->failed |= !spot;
	}
	free(draft->tunnel.routes);
	free(draft->route_at);
	draft->tunnel.routes = routes.at;
	draft->tunnel.n_routes = spots.len;
	draft->route_at = spots.at;
}

/*
 * Reads one item by read_scalar into field. A text given twice is a mistake: the other was meant to differ. True when nothing
 * was wrong with it; without memory a text's field is empty then.
 */
static bool read_credential(const struct list *l, struct fy_node *item, void *field,
			    const char *before, struct spot *at)
{
	char *text = item_text(l, item, at);
	struct value v = {.found = l->found, .key = l->key, .at = *at, .text = text, .field = field};
	size_t errors = l->found->list.len;

	if (text && before && strcmp(text, before) == 0)
		finding_hide(findings_add(l->found, FINDING_ERROR, *at,
					  "%s: the second is the same as the first", l->key->name),
			     FINDING_SHOW_TO_SPOT);
	else if (text)
		read_scalar(&v);
	free(text);
	return l->found->list.len == errors && text;
}

static void empty_list(const struct list *l, struct fy_node *node)
{
	if (fy_node_is_sequence(node) && fy_node_sequence_is_empty(node))
		findings_add(l->found, FINDING_ERROR, l->at, "%s: the list is empty", l->key->name);
}

static void read_public_keys(const struct list *l, struct fy_node *node, struct conf_tunnel *t)
{
	char *fields[LIST_KEYS_MAX] = {t->peer_public_key, t->peer_other_key};
	bool lone_seen = false;
	struct fy_node *item;
	void *iter = NULL;
	struct spot at;

	if (!list_begin(l, node, true, LIST_KEYS_MAX))
		return;
	empty_list(l, node);
	for (size_t i = 0; i < LIST_KEYS_MAX && (item = list_next(node, &iter, &lone_seen)); i++)
		read_credential(l, item, fields[i], i ? fields[0] : NULL, &at);
}

static void read_secrets(const struct list *l, struct fy_node *node, const struct target *target)
{
	char **list, ***field = (char ***)((char *)target->base + l->key->offset);
	bool lone_seen = false;
	struct fy_node *item;
	void *iter = NULL;
	struct spot at;
	size_t n = 0;

	if (!list_begin(l, node, true, CONF_PSKS_MAX))
		return;
	empty_list(l, node);
	list = calloc(CONF_PSKS_MAX + 1, sizeof(*list));
	if (!list) {
		l->found->failed = true;
		return;
	}
	while (n < CONF_PSKS_MAX && (item = list_next(node, &iter, &lone_seen))) {
		if (!read_credential(l, item, &list[n], n ? list[0] : NULL, &at) || !list[n])
			break;
		target->draft->psk_at[n++] = at;
	}
	conf_list_free(*field);
	*field = list;
}

static void read_paths(const struct list *l, struct fy_node *node, char ***field)
{
	char **list;
	bool lone_seen = false;
	struct fy_node *item;
	void *iter = NULL;
	struct spot at;
	size_t n = 0;

	if (!list_begin(l, node, true, CONF_FILES_MAX))
		return;
	empty_list(l, node);
	list = calloc(CONF_FILES_MAX + 1, sizeof(*list));
	if (!list) {
		l->found->failed = true;
		return;
	}
	while (n < CONF_FILES_MAX && (item = list_next(node, &iter, &lone_seen))) {
		if (!read_credential(l, item, &list[n], n ? list[n - 1] : NULL, &at) || !list[n])
			break;
		n++;
	}
	conf_list_free(*field);
	*field = list;
}

bool list_read(struct parse *p, const struct schema_key *key, struct fy_node *node, struct spot at,
	       const struct target *target)
{
	struct list l = {.p = p, .key = key, .at = at, .found = p->drafts->found};

	if (key->type == SCHEMA_IKE_PROPOSAL_LIST || key->type == SCHEMA_ESP_PROPOSAL_LIST)
		read_proposals(&l, node, (char ***)((char *)target->base + key->offset),
			       target->draft);
	else if (key->type == SCHEMA_ADDRESS_LIST)
		read_addresses(&l, node, target->draft);
	else if (key->type == SCHEMA_ROUTE_LIST)
		read_routes(&l, node, target->draft);
	else if (key->type == SCHEMA_PUBLIC_KEY_LIST)
		read_public_keys(&l, node, &target->draft->tunnel);
	else if (key->type == SCHEMA_PATH_LIST)
		read_paths(&l, node, (char ***)((char *)target->base + key->offset));
	else if (key->type == SCHEMA_SECRET_LIST)
		read_secrets(&l, node, target);
	else
		return false;
	return true;
}
