/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of what the kernel and charon do with the actions of a plan, for
 * tests/unit/test_plan_property.c. Its rules are those of Linux 6.1: a link takes its addresses and
 * routes with it, the last IPv4 address takes the IPv4 routes, endpoints and selectors belong to
 * one object only, a route needs its link up. Entry functions: world_observe, world_apply,
 * world_covered.
 */
#ifndef GWD_TESTS_UNIT_PLAN_WORLD_H
#define GWD_TESTS_UNIT_PLAN_WORLD_H

#include <errno.h>
#include <string.h>

#include "daemon/plan.h"

#ifndef WORLD_ROOM
#define WORLD_ROOM 16
#endif
#define WORLD_LIST(type)             \
	struct {                     \
		type at[WORLD_ROOM]; \
		size_t n;            \
	}
#define WORLD_DROP(list, i) ((list)->at[i] = (list)->at[--(list)->n])

struct world {
	bool guard, intact;
	WORLD_LIST(struct gre_route) holds;
	WORLD_LIST(struct guard_pair) pairs;
	WORLD_LIST(struct guard_exempt) exempts;
	WORLD_LIST(struct xfrm_policy) policies;
	WORLD_LIST(struct object_secret) secrets;
	WORLD_LIST(struct object_conn) conns;
	WORLD_LIST(struct gre_link) links;
	WORLD_LIST(struct gre_addr) addrs;
	WORLD_LIST(struct gre_route) routes;
};

static inline bool world_link_ours(const struct gre_link *l)
{
	return l->is_gre && (l->group == GRE_GROUP || l->group == GRE_GROUP_DOOMED);
}

static inline bool world_same_endpoints(const struct gre_link *a, const struct gre_link *b)
{
	return addr_equal(&a->local, &b->local) && addr_equal(&a->remote, &b->remote) &&
	       a->has_key == b->has_key && a->key_in == b->key_in;
}

static inline struct gre_link *world_link(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->links.n; i++)
		if (strcmp(w->links.at[i].name, name) == 0)
			return &w->links.at[i];
	return NULL;
}

static inline struct xfrm_policy *world_policy(struct world *w, const struct xfrm_policy *key)
{
	for (size_t i = 0; i < w->policies.n; i++)
		if (xfrm_policy_cmp(&w->policies.at[i], key) == 0)
			return &w->policies.at[i];
	return NULL;
}

static inline struct guard_pair *world_pair(struct world *w, const struct guard_pair *key)
{
	for (size_t i = 0; i < w->pairs.n; i++)
		if (guard_pair_cmp(&w->pairs.at[i], key) == 0)
			return &w->pairs.at[i];
	return NULL;
}

static inline bool world_guarded(struct world *w, const struct gre_link *l, uint32_t key)
{
	struct guard_pair pair = {
		.local = l->local, .remote = l->remote, .has_key = l->has_key, .key = key};
	const struct guard_pair *p = world_pair(w, &pair);

	return w->guard && w->intact && p && !p->out_missing && !p->in_missing;
}

/* Guard pairs and both policies stand for the endpoints of this link. */
static inline bool world_covered(struct world *w, const struct gre_link *l)
{
	struct xfrm_policy out = {.dir = XFRM_DIR_OUT,
				  .src = l->local,
				  .dst = l->remote,
				  .has_key = l->has_key,
				  .key = l->key_out};
	struct xfrm_policy in = out;

	in.dir = XFRM_DIR_IN;
	in.key = l->key_in;
	in.src = l->remote;
	in.dst = l->local;
	const struct xfrm_policy *o = world_policy(w, &out), *i = world_policy(w, &in);
	return world_guarded(w, l, l->key_in) && world_guarded(w, l, l->key_out) && o && i &&
	       o->required && i->required && xfrm_policy_ours(o) && xfrm_policy_ours(i);
}

/* Links */

static inline int world_link_place(struct world *w, const struct gre_link *l, const char *besides)
{
	for (size_t i = 0; i < w->links.n; i++) {
		const struct gre_link *other = &w->links.at[i];
		if (besides && strcmp(other->name, besides) == 0)
			continue;
		if (strcmp(other->name, l->name) == 0)
			return -EEXIST;
		if (other->is_gre && world_same_endpoints(other, l))
			return -EEXIST;
	}
	return 0;
}

static inline int world_link_create(struct world *w, const struct gre_link *l)
{
	int rc = world_link_place(w, l, NULL);

	if (!rc)
		w->links.at[w->links.n++] = *l;
	return rc;
}

static inline int world_link_delete(struct world *w, const struct gre_link *l)
{
	struct gre_link *at = world_link(w, l->name);

	if (!at)
		return -ENODEV;
	if (!world_link_ours(at))
		return -EPERM;
	for (size_t i = w->addrs.n; i-- > 0;)
		if (strcmp(w->addrs.at[i].link, l->name) == 0)
			WORLD_DROP(&w->addrs, i);
	for (size_t i = w->routes.n; i-- > 0;)
		if (strcmp(w->routes.at[i].link, l->name) == 0)
			WORLD_DROP(&w->routes, i);
	WORLD_DROP(&w->links, at - w->links.at);
	return 0;
}

static inline int world_link_update(struct world *w, const struct gre_link *l)
{
	struct gre_link *at = world_link(w, l->name);

	if (!at)
		return -ENODEV;
	if (!world_link_ours(at))
		return -EPERM;
	if (gre_link_must_replace(l, at))
		return -EOPNOTSUPP;
	int rc = world_link_place(w, l, l->name);
	if (!rc)
		*at = *l;
	return rc;
}

/* RTM_DELLINK of the doomed group. */
static inline void world_delete_doomed(struct world *w)
{
	for (size_t i = w->links.n; i-- > 0;) {
		struct gre_link l = w->links.at[i];
		if (world_link_ours(&l) && l.group == GRE_GROUP_DOOMED)
			world_link_delete(w, &l);
	}
}

static inline int world_do_link(struct world *w, const struct plan_action *a)
{
	int rc = 0;

	if (a->op == PLAN_UPDATE)
		return world_link_update(w, a->want);
	if (a->op != PLAN_CREATE)
		rc = world_link_delete(w, a->have);
	if (!rc && a->op != PLAN_DELETE)
		rc = world_link_create(w, a->want);
	return rc;
}

/* Addresses and routes */

static inline void world_v4_gone(struct world *w, const char *link)
{
	for (size_t i = 0; i < w->addrs.n; i++)
		if (strcmp(w->addrs.at[i].link, link) == 0 &&
		    w->addrs.at[i].prefix.addr.family == AF_INET)
			return;
	for (size_t i = w->routes.n; i-- > 0;)
		if (strcmp(w->routes.at[i].link, link) == 0 &&
		    w->routes.at[i].to.addr.family == AF_INET)
			WORLD_DROP(&w->routes, i);
}

static inline int world_do_addr(struct world *w, const struct plan_action *a)
{
	const struct gre_addr *about = a->want ? a->want : a->have;
	const struct gre_link *link = world_link(w, about->link);
	size_t i = 0;

	if (!link)
		return -ENODEV;
	if (!world_link_ours(link))
		return -EPERM;
	while (i < w->addrs.n && gre_addr_cmp(&w->addrs.at[i], about) != 0)
		i++;
	if (a->op == PLAN_CREATE) {
		if (i < w->addrs.n)
			return -EEXIST;
		w->addrs.at[w->addrs.n++] = *about;
		return 0;
	}
	if (i == w->addrs.n)
		return -EADDRNOTAVAIL;
	if (w->addrs.at[i].by_kernel)
		return -EPERM;
	WORLD_DROP(&w->addrs, i);
	if (about->prefix.addr.family == AF_INET)
		world_v4_gone(w, about->link);
	return 0;
}

static inline int world_do_route(struct world *w, const struct plan_action *a)
{
	const struct gre_route *about = a->want ? a->want : a->have;
	const struct gre_link *link = world_link(w, about->link);
	size_t i = 0;

	while (i < w->routes.n && gre_route_cmp(&w->routes.at[i], about) != 0)
		i++;
	if (a->op == PLAN_CREATE) {
		if (i < w->routes.n)
			return -EEXIST;
		if (!link || !link->up)
			return link ? -ENETDOWN : -ENODEV;
		w->routes.at[w->routes.n++] = *about;
		return 0;
	}
	if (i == w->routes.n || strcmp(w->routes.at[i].link, about->link) != 0)
		return -ESRCH;
	WORLD_DROP(&w->routes, i);
	return 0;
}

static inline int world_do_hold(struct world *w, const struct plan_action *a)
{
	const struct gre_route *about = a->want ? a->want : a->have;
	size_t i = 0;

	while (i < w->holds.n && gre_route_cmp(&w->holds.at[i], about) != 0)
		i++;
	if ((a->op == PLAN_CREATE) != (i == w->holds.n))
		return i == w->holds.n ? -ESRCH : -EEXIST;
	if (a->op == PLAN_CREATE)
		w->holds.at[w->holds.n++] = *about;
	else
		WORLD_DROP(&w->holds, i);
	return 0;
}

/* The guard */

static inline int world_do_guard(struct world *w, const struct plan_action *a)
{
	const struct objects *want = a->want;

	w->pairs.n = w->exempts.n = 0;
	w->guard = w->intact = a->op != PLAN_DELETE;
	for (size_t i = 0; want && i < want->pairs.len; i++)
		w->pairs.at[w->pairs.n++] = want->pairs.at[i];
	for (size_t i = 0; want && i < want->exempts.len; i++)
		w->exempts.at[w->exempts.n++] = want->exempts.at[i];
	return 0;
}

static inline int world_do_exempt(struct world *w, const struct plan_action *a)
{
	const struct guard_exempt *about = a->want ? a->want : a->have;
	size_t i = 0;

	while (i < w->exempts.n && guard_exempt_cmp(&w->exempts.at[i], about) != 0)
		i++;
	if (!w->guard || (a->op == PLAN_CREATE) != (i == w->exempts.n))
		return -ENOENT;
	if (a->op == PLAN_CREATE)
		w->exempts.at[w->exempts.n++] = *about;
	else
		WORLD_DROP(&w->exempts, i);
	return 0;
}

static inline int world_do_pair(struct world *w, const struct plan_action *a)
{
	struct guard_pair *at = world_pair(w, a->want ? a->want : a->have);

	if (!w->guard || (a->op == PLAN_DELETE && !at))
		return -ENOENT;
	if (a->op == PLAN_DELETE)
		WORLD_DROP(&w->pairs, at - w->pairs.at);
	else if (at)
		at->out_missing = at->in_missing = false;
	else
		w->pairs.at[w->pairs.n++] = *(const struct guard_pair *)a->want;
	return 0;
}

/* Policies, secrets, connections */

static inline int world_do_policy(struct world *w, const struct plan_action *a)
{
	struct xfrm_policy *at = world_policy(w, a->want ? a->want : a->have);

	if (at && !xfrm_policy_ours(at))
		return -EPERM;
	if (a->op == PLAN_CREATE) {
		if (at)
			return -EEXIST;
		w->policies.at[w->policies.n++] = *(const struct xfrm_policy *)a->want;
		return 0;
	}
	if (!at)
		return -ENOENT;
	if (a->op == PLAN_DELETE)
		WORLD_DROP(&w->policies, at - w->policies.at);
	else
		*at = *(const struct xfrm_policy *)a->want;
	return 0;
}

static inline bool world_prefixed(const char *name)
{
	return strncmp(name, IKE_PREFIX, strlen(IKE_PREFIX)) == 0;
}

static inline int world_do_secret(struct world *w, const struct plan_action *a)
{
	const struct object_secret *about = a->want ? a->want : a->have;
	size_t i = 0;

	while (i < w->secrets.n && object_secret_cmp(&w->secrets.at[i], about) != 0)
		i++;
	if (a->op != PLAN_DELETE) {
		w->secrets.n += i == w->secrets.n;
		w->secrets.at[i] = *about;
		return 0;
	}
	if (i == w->secrets.n)
		return -ENOENT;
	if (about->kind != OBJECT_SECRET_KEY && !world_prefixed(about->name))
		return -EPERM;
	WORLD_DROP(&w->secrets, i);
	return 0;
}

static inline int world_do_conn(struct world *w, const struct plan_action *a)
{
	const struct object_conn *about = a->want ? a->want : a->have;
	size_t i = 0;

	while (i < w->conns.n && object_conn_cmp(&w->conns.at[i], about) != 0)
		i++;
	if (a->op != PLAN_DELETE) {
		w->conns.n += i == w->conns.n;
		w->conns.at[i] = *about;
		return 0;
	}
	if (i == w->conns.n)
		return -ENOENT;
	if (!world_prefixed(about->conn.name))
		return -EPERM;
	WORLD_DROP(&w->conns, i);
	return 0;
}

/* 0 or -errno; -EPERM: the action would have touched what is not ours. */
static inline int world_apply(struct world *w, const struct plan_action *a)
{
	switch (a->kind) {
	case OBJECT_HOLD:
		return world_do_hold(w, a);
	case OBJECT_EXEMPT:
		return world_do_exempt(w, a);
	case OBJECT_GUARD:
		return world_do_guard(w, a);
	case OBJECT_PAIR:
		return world_do_pair(w, a);
	case OBJECT_POLICY:
		return world_do_policy(w, a);
	case OBJECT_SECRET:
		return world_do_secret(w, a);
	case OBJECT_CONN:
		return world_do_conn(w, a);
	case OBJECT_LINK:
		return world_do_link(w, a);
	case OBJECT_ADDR:
		return world_do_addr(w, a);
	case OBJECT_ROUTE:
		return world_do_route(w, a);
	case OBJECT_KINDS:
		break;
	}
	return -EINVAL;
}

#define WORLD_COPY(list, vec)                                        \
	do {                                                         \
		for (size_t i_ = 0; i_ < (list)->n; i_++) {          \
			__typeof__((vec)->at) slot_ = vec_push(vec); \
			if (slot_)                                   \
				*slot_ = (list)->at[i_];             \
		}                                                    \
	} while (0)

/* All there is, also what daemon/objects.h lets an observer leave out. */
static inline void world_observe(const struct world *w, bool charon, struct objects *out)
{
	*out = (struct objects){.guard = w->guard,
				.guard_intact = w->guard && w->intact,
				.charon_known = charon};
	WORLD_COPY(&w->holds, &out->holds);
	WORLD_COPY(&w->pairs, &out->pairs);
	WORLD_COPY(&w->exempts, &out->exempts);
	WORLD_COPY(&w->policies, &out->policies);
	if (charon) {
		WORLD_COPY(&w->secrets, &out->secrets);
		WORLD_COPY(&w->conns, &out->conns);
	}
	WORLD_COPY(&w->links, &out->links);
	WORLD_COPY(&w->addrs, &out->addrs);
	WORLD_COPY(&w->routes, &out->routes);
	objects_sort(out);
}

#endif
