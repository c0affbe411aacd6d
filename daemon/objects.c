/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order and the names of gwd's objects. Entry functions: objects_sort, objects_done.
 * Neighbours: daemon/desire.c and the observer fill such objects, daemon/plan.c walks two of them
 * in step and so relies on the order made here. Pure.
 */
#include "daemon/objects.h"

#include <string.h>

typedef int (*order_fn)(const void *a, const void *b);

/* qsort calls through const void *; a cast of the typed functions would be undefined (C11
 * 6.3.2.3). */
static int pair_order(const void *a, const void *b)
{
	return guard_pair_cmp(a, b);
}

static int exempt_order(const void *a, const void *b)
{
	return guard_exempt_cmp(a, b);
}

static int policy_order(const void *a, const void *b)
{
	return xfrm_policy_cmp(a, b);
}

static int secret_order(const void *a, const void *b)
{
	return object_secret_cmp(a, b);
}

static int conn_order(const void *a, const void *b)
{
	return object_conn_cmp(a, b);
}

static int link_order(const void *a, const void *b)
{
	return gre_link_cmp(a, b);
}

static int addr_order(const void *a, const void *b)
{
	return gre_addr_cmp(a, b);
}

static int route_order(const void *a, const void *b)
{
	return gre_route_cmp(a, b);
}

/* Most vectors arrive in order (the configuration is sorted by name), and one look is cheaper
 * than a sort. */
static void sort(void *at, size_t n, size_t size, order_fn order)
{
	const char *p = at;

	for (size_t i = 1; i < n; i++) {
		if (order(p + (i - 1) * size, p + i * size) > 0) {
			qsort(at, n, size, order);
			return;
		}
	}
}

int object_secret_cmp(const struct object_secret *a, const struct object_secret *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

int object_conn_cmp(const struct object_conn *a, const struct object_conn *b)
{
	return strcmp(a->conn.name, b->conn.name);
}

/* Several tunnels with the same destination, of different metrics, share one hold. */
static void holds_once(struct objects *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->holds.len; i++)
		if (!n || gre_route_cmp(&o->holds.at[n - 1], &o->holds.at[i]))
			o->holds.at[n++] = o->holds.at[i];
	o->holds.len = n;
}

void objects_sort(struct objects *o)
{
	sort(o->holds.at, o->holds.len, sizeof(*o->holds.at), route_order);
	holds_once(o);
	sort(o->exempts.at, o->exempts.len, sizeof(*o->exempts.at), exempt_order);
	sort(o->pairs.at, o->pairs.len, sizeof(*o->pairs.at), pair_order);
	sort(o->policies.at, o->policies.len, sizeof(*o->policies.at), policy_order);
	sort(o->secrets.at, o->secrets.len, sizeof(*o->secrets.at), secret_order);
	sort(o->conns.at, o->conns.len, sizeof(*o->conns.at), conn_order);
	sort(o->links.at, o->links.len, sizeof(*o->links.at), link_order);
	sort(o->addrs.at, o->addrs.len, sizeof(*o->addrs.at), addr_order);
	sort(o->routes.at, o->routes.len, sizeof(*o->routes.at), route_order);
}

void objects_done(struct objects *o)
{
	vec_free(&o->holds);
	vec_free(&o->pairs);
	vec_free(&o->exempts);
	vec_free(&o->policies);
	vec_free(&o->secrets);
	vec_free(&o->conns);
	vec_free(&o->links);
	vec_free(&o->addrs);
	vec_free(&o->routes);
	*o = (struct objects){0};
}

const char *object_kind_name(enum object_kind k)
{
	switch (k) {
	case OBJECT_HOLD:
		return "hold";
	case OBJECT_GUARD:
		return "guard";
	case OBJECT_PAIR:
		return "pair";
	case OBJECT_EXEMPT:
		return "exemption";
	case OBJECT_POLICY:
		return "policy";
	case OBJECT_SECRET:
		return "secret";
	case OBJECT_CONN:
		return "connection";
	case OBJECT_LINK:
		return "link";
	case OBJECT_ADDR:
		return "address";
	case OBJECT_ROUTE:
		return "route";
	case OBJECT_KINDS:
		break;
	}
	return "?";
}
