// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What stands of the unreachable routes beside `routes:` (desire_hold in daemon/desire.c says what should). They belong to
 * no link, and the kernel answers no question for one that a better route hides, so a look at few tunnels is answered from
 * memory. Entries: holds_all and holds_some for daemon/observe.c, holds_note for daemon/apply.c and daemon/events.c.
 */
#include "daemon/holds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef VEC(struct gre_route) hold_list;

static int hold_order(const void *a, const void *b)
{
	return gre_route_cmp(a, b);
}

static struct gre_route *hold_find(const struct gateway *gw, const struct gre_route *key)
{
	return gw->holds.len ? bsearch(key, gw->holds.at, gw->holds.len, sizeof(*key), hold_order)
			     : NULL;
}

static int push(struct objects *out, const struct gre_route *hold)
{
	struct gre_route *slot = vec_push(&out->holds);

	if (!slot)
		return -ENOMEM;
	*slot = *hold;
	return 0;
}

static bool holds_wanted(const struct gateway *gw, const struct conf_tunnel *t)
{
	return t->enabled && !gw->torn_down;
}

/* Every hold that some tunnel wants, sorted. */
static int wanted_list(const struct gateway *gw, hold_list *list)
{
	struct gre_route hold;

	for (size_t i = 0; i < gw->conf->n_tunnels; i++) {
		const struct conf_tunnel *t = &gw->conf->tunnels[i];

		for (size_t k = 0; holds_wanted(gw, t) && k < t->n_routes; k++) {
			if (!desire_hold(t, &t->routes[k], gw->tunnels[i].vrf_table, &hold))
				continue;
			struct gre_route *slot = vec_push(list);
			if (!slot)
				return -ENOMEM;
			*slot = hold;
		}
	}
	vec_sort(list, hold_order);
	return 0;
}

static int take_unwanted(struct gateway *gw, struct objects *out)
{
	hold_list list = {0};
	int r = wanted_list(gw, &list);

	for (size_t i = 0; i < gw->holds.len && !r; i++) {
		const struct gre_route *hold = &gw->holds.at[i];

		if (!list.len || !bsearch(hold, list.at, list.len, sizeof(*list.at), hold_order))
			r = push(out, hold);
	}
	vec_free(&list);
	gw->holds_recount = r != 0;
	return r;
}

void holds_forget(struct gateway *gw)
{
	gw->holds.len = 0;
}

int holds_take(struct gateway *gw, const struct gre_route *hold)
{
	struct gre_route *slot = vec_push(&gw->holds);

	if (!slot)
		return -ENOMEM;
	*slot = *hold;
	slot->tunnel = -1;
	return 0;
}

int holds_all(struct gateway *gw, struct objects *out)
{
	int r = 0;

	vec_sort(&gw->holds, hold_order);
	for (size_t i = 0; i < gw->holds.len && !r; i++)
		r = push(out, &gw->holds.at[i]);
	gw->holds_recount = false;
	return r;
}

int holds_some(struct gateway *gw, const int *only, size_t n, struct objects *out)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct conf_tunnel *t = &gw->conf->tunnels[only[i]];

		for (size_t k = 0; holds_wanted(gw, t) && k < t->n_routes && !r; k++) {
			struct gre_route key;

			if (desire_hold(t, &t->routes[k], gw->tunnels[only[i]].vrf_table, &key) &&
			    hold_find(gw, &key))
				r = push(out, &key);
		}
	}
	return r || !gw->holds_recount ? r : take_unwanted(gw, out);
}

void holds_recount(struct gateway *gw)
{
	gw->holds_recount = true;
}

bool holds_note(struct gateway *gw, const struct gre_route *hold, bool there)
{
	struct gre_route *known = hold_find(gw, hold);
	size_t at = 0;

	if (there == (known != NULL))
		return false;
	if (known) {
		at = (size_t)(known - gw->holds.at);
		memmove(known, known + 1, (--gw->holds.len - at) * sizeof(*known));
		return true;
	}
	if (holds_take(gw, hold))
		return true;
	/* Holds are made in their order, so that the new one mostly is the last. */
	for (at = gw->holds.len - 1; at > 0; at--) {
		struct gre_route *one = &gw->holds.at[at], swap = *one;

		if (gre_route_cmp(one - 1, one) <= 0)
			break;
		*one = one[-1];
		one[-1] = swap;
	}
	return true;
}
