// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads back what stands: links, addresses, routes, policies, SAs and the guard from the kernel, connections and secrets
 * from what charon is known to have. Entries: observe_all (dumps) and observe_some (single gets, so that an event of one
 * tunnel costs the same with ten tunnels and ten thousand). The other side of the comparison is daemon/desire.c.
 */
#include "daemon/observe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/charon.h"
#include "daemon/holds.h"
#include "daemon/sas.h"
#include "daemon/twins.h"
#include "gre/mpls.h"
#include "lib/log.h"

#define NAT_REMEDY                 \
	"source NAT took %" PRIu64 \
	" packets out of IPsec, they were stopped: except protocol 47 from it"
#define STRAYED                                                     \
	"%" PRIu64 " packets of our links would have left in clear" \
	" towards other addresses than theirs, and were stopped: somebody has changed a link"

struct observer {
	struct gateway *gw;
	struct objects *out;
	const struct gre_link *link; /* whose addresses are read */
	unsigned ifindex;
	bool link_only; /* routes of one link are read */
};

static int fail(char *err, size_t err_size, const char *what, int code)
{
	snprintf(err, err_size, "reading %s: %s", what, strerror(-code));
	return code;
}

static bool link_ours(const struct gre_link *l)
{
	return l->is_gre && (l->group == GRE_GROUP || l->group == GRE_GROUP_DOOMED);
}

static int take_link(void *user, const struct gre_link *link)
{
	struct observer *o = user;
	struct tunnel *t = gateway_tunnel_by_ifname(o->gw, link->name);
	bool ours = link->group == GRE_GROUP || link->group == GRE_GROUP_DOOMED;
	struct gre_link *slot;

	if (!t && !ours)
		return 0;
	slot = vec_push(&o->out->links);
	if (!slot)
		return -ENOMEM;
	*slot = *link;
	slot->tunnel = t ? t->index : -1;
	/* One of others that has the name is no link to write to. */
	if (t && link_ours(link)) {
		t->ifindex = link->ifindex;
		t->operstate = link->operstate;
	}
	return 0;
}

static void drop_links(void *user)
{
	struct observer *o = user;

	o->out->links.len = 0;
	for (size_t i = 0; i < o->gw->conf->n_tunnels; i++)
		o->gw->tunnels[i].ifindex = 0;
}

static int ifindex_cmp(const void *a, const void *b)
{
	unsigned x = (*(const struct gre_link *const *)a)->ifindex;
	unsigned y = (*(const struct gre_link *const *)b)->ifindex;

	return x < y ? -1 : x > y;
}

static const struct gre_link *link_by_index(const struct gre_link **sorted, size_t n,
					    unsigned ifindex)
{
	struct gre_link key = {.ifindex = ifindex};
	const struct gre_link *kp = &key;
	const struct gre_link **hit = n ? bsearch(&kp, sorted, n, sizeof(*sorted), ifindex_cmp)
					: NULL;

	return hit ? *hit : NULL;
}

static int take_addr(void *user, const struct gre_addr *a)
{
	struct observer *o = user;
	struct gre_addr *slot;

	if (a->by_kernel)
		return 0;
	slot = vec_push(&o->out->addrs);
	if (!slot)
		return -ENOMEM;
	*slot = *a;
	slot->tunnel = -1;
	return 0;
}

static void drop_addrs(void *user)
{
	((struct observer *)user)->out->addrs.len = 0;
}

static int take_route(void *user, const struct gre_route *r)
{
	struct observer *o = user;
	struct gre_route *slot;

	if (r->unreachable)
		return o->link_only ? 0 : holds_take(o->gw, r);
	slot = vec_push(&o->out->routes);
	if (!slot)
		return -ENOMEM;
	*slot = *r;
	slot->tunnel = -1;
	return 0;
}

static void drop_routes(void *user)
{
	struct observer *o = user;

	o->out->routes.len = 0;
	holds_forget(o->gw);
}

static int exempt_order(const void *a, const void *b)
{
	return guard_exempt_cmp(a, b);
}

static int take_policy(void *user, const struct xfrm_policy *p)
{
	struct observer *o = user;
	struct tunnel *t = xfrm_policy_ours(p) ? gateway_tunnel_by_reqid(o->gw, p->reqid) : NULL;
	struct xfrm_policy *slot = vec_push(&o->out->policies);

	if (!slot)
		return -ENOMEM;
	*slot = *p;
	slot->tunnel = t ? t->index : -1;
	return 0;
}

static void drop_policies(void *user)
{
	((struct observer *)user)->out->policies.len = 0;
}

/* Gives addresses and routes the names of their links, and drops those that are on links not ours. */
static int name_dependants(struct objects *o)
{
	const struct gre_link **sorted = calloc(o->links.len + 1, sizeof(*sorted));
	size_t n = 0, kept = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < o->links.len; i++)
		if (link_ours(&o->links.at[i]))
			sorted[n++] = &o->links.at[i];
	qsort(sorted, n, sizeof(*sorted), ifindex_cmp);
	for (size_t i = 0; i < o->addrs.len; i++) {
		const struct gre_link *l = link_by_index(sorted, n, o->addrs.at[i].ifindex);

		if (!l)
			continue;
		o->addrs.at[kept] = o->addrs.at[i];
		memcpy(o->addrs.at[kept].link, l->name, sizeof(l->name));
		o->addrs.at[kept++].tunnel = l->tunnel;
	}
	o->addrs.len = kept;
	kept = 0;
	for (size_t i = 0; i < o->routes.len; i++) {
		const struct gre_link *l = link_by_index(sorted, n, o->routes.at[i].ifindex);

		if (!l)
			continue;
		o->routes.at[kept] = o->routes.at[i];
		memcpy(o->routes.at[kept].link, l->name, sizeof(l->name));
		o->routes.at[kept++].tunnel = l->tunnel;
	}
	o->routes.len = kept;
	free(sorted);
	return 0;
}

static int guard_refresh(struct gateway *gw, char *err, size_t err_size)
{
	struct guard_state seen = {0};
	int r;

	r = guard_read(gw->guard, &seen, err, err_size);
	if (r)
		return r;
	if (seen.strayed > gw->guard_seen.strayed)
		log_warn(NULL, STRAYED, seen.strayed - gw->guard_seen.strayed);
	if (seen.uncovered > gw->guard_seen.uncovered)
		log_warn(NULL, NAT_REMEDY, seen.uncovered - gw->guard_seen.uncovered);
	guard_state_done(&gw->guard_seen);
	gw->guard_seen = seen;
	gw->guard_dirty = false;
	return 0;
}

static int take_exempt(const struct gateway *gw, const struct guard_exempt *e, int tunnel,
		       struct objects *out)
{
	const struct guard_state *s = &gw->guard_seen;
	bool there = s->n_exempts && bsearch(e, s->exempts, s->n_exempts, sizeof(*e), exempt_order);
	struct guard_exempt *slot = there ? vec_push(&out->exempts) : NULL;

	if (!slot)
		return there ? -ENOMEM : 0;
	*slot = *e;
	slot->tunnel = tunnel;
	return 0;
}

static int take_guard(struct gateway *gw, struct objects *out)
{
	for (size_t i = 0; i < gw->guard_seen.n_exempts; i++)
		if (take_exempt(gw, &gw->guard_seen.exempts[i], -1, out))
			return -ENOMEM;
	out->guard = gw->guard_seen.present;
	out->guard_intact = gw->guard_seen.intact;
	for (size_t i = 0; i < gw->guard_seen.n_pairs; i++) {
		struct guard_pair *slot = vec_push(&out->pairs);

		if (!slot)
			return -ENOMEM;
		*slot = gw->guard_seen.pairs[i];
		slot->tunnel = -1;
	}
	return 0;
}

static int routes_read(struct observer *o)
{
	holds_forget(o->gw);
	int r = gre_route_dump(o->gw->rtnl, 0, take_route, drop_routes, o);

	return r ? r : holds_all(o->gw, o->out);
}

int observe_all(struct gateway *gw, struct objects *out, char *err, size_t err_size)
{
	struct observer o = {.gw = gw, .out = out};
	bool known = !gw->guard_dirty && gw->guard_seen.present && gw->guard_seen.intact;
	int r = known ? 0 : guard_refresh(gw, err, err_size);

	if (r)
		return r;
	r = take_guard(gw, out);
	if (r)
		return fail(err, err_size, "the guard", r);
	r = xfrm_policy_dump(gw->xfrm, take_policy, drop_policies, &o);
	if (!r)
		r = sas_read_all(gw);
	if (r)
		return fail(err, err_size, "XFRM policies and SAs", r);
	drop_links(&o);
	r = gre_link_dump(gw->rtnl, 0, take_link, drop_links, &o);
	if (!r)
		r = gre_addr_dump(gw->rtnl, 0, take_addr, drop_addrs, &o);
	if (!r)
		r = routes_read(&o);
	if (!r)
		r = gre_mpls_read(gw->rtnl, out->links.at, out->links.len);
	if (!r)
		r = name_dependants(out);
	if (r)
		return fail(err, err_size, "links, addresses and routes", r);
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		sas_adopt_pin(&gw->tunnels[i]);
	r = twins_part(gw);
	if (r)
		return fail(err, err_size, "who shares addresses", r);
	r = charon_observe(gw, NULL, 0, out);
	objects_sort(out);
	return r;
}

static int observe_link(struct observer *o, struct tunnel *t)
{
	struct gre_link link;
	int r = gre_link_get(o->gw->rtnl, t->conf->interface, &link);

	t->ifindex = 0;
	if (r == -ENODEV)
		return 0;
	if (!r)
		r = gre_mpls_read_one(o->gw->rtnl, &link);
	if (!r)
		r = take_link(o, &link);
	if (!r && link_ours(&link))
		r = gre_addr_dump(o->gw->rtnl, link.ifindex, take_addr, NULL, o);
	if (!r && link_ours(&link))
		r = gre_route_dump(o->gw->rtnl, link.ifindex, take_route, NULL, o);
	return r;
}

static int observe_policy(struct observer *o, const struct tunnel *t, const struct addr *src,
			  const struct addr *dst, enum xfrm_dir dir)
{
	struct xfrm_policy found,
		key = {
			.dir = dir,
			.src = *src,
			.dst = *dst,
			.has_key = t->conf->has_gre_key,
			.key = dir == XFRM_DIR_OUT ? t->conf->gre_key_out : t->conf->gre_key_in,
		};
	int r = src->family && dst->family ? xfrm_policy_get(o->gw->xfrm, &key, &found) : -ENOENT;

	if (r == -ENOENT)
		return 0;
	return r ? r : take_policy(o, &found);
}

static int take_pair(const struct tunnel *t, const struct addr *local, const struct addr *remote,
		     uint32_t key, struct objects *out)
{
	const struct guard_pair *hit = gateway_pair(t, local, remote, key);
	struct guard_pair *slot = hit ? vec_push(&out->pairs) : NULL;

	if (slot) {
		*slot = *hit;
		slot->tunnel = t->index;
	}
	return hit && !slot ? -ENOMEM : 0;
}

/*
 * Ends that the tunnel does not want (any more) may be another's by now, as when one of two towards the same peer is disabled:
 * what stands there would look unwanted to a plan of this tunnel alone. Only in these cases all are walked.
 */
static bool ends_are_anothers(const struct tunnel *t, const struct addr *local,
			      const struct addr *remote)
{
	const struct gateway *gw = t->gw;
	bool wanted = gateway_tunnel_protected(t) && addr_equal(local, &t->local) &&
		      addr_equal(remote, &t->remote);

	for (size_t i = 0; !wanted && remote->family && i < gw->conf->n_tunnels; i++) {
		const struct tunnel *other = &gw->tunnels[i];

		if (other != t && gateway_tunnel_protected(other) &&
		    addr_equal(&other->local, local) && addr_equal(&other->remote, remote) &&
		    twins_same_key(other->conf, t->conf))
			return true;
	}
	return false;
}

static int observe_policies(struct observer *o, const struct tunnel *t, const struct addr *local,
			    const struct addr *remote)
{
	int r;

	if (ends_are_anothers(t, local, remote))
		return 0;
	r = observe_policy(o, t, local, remote, XFRM_DIR_OUT);
	return r ? r : observe_policy(o, t, remote, local, XFRM_DIR_IN);
}

/* One, or two where each direction has its key. */
static int take_pairs_of(const struct tunnel *t, const struct addr *local,
			 const struct addr *remote, struct objects *out)
{
	int r;

	if (ends_are_anothers(t, local, remote))
		return 0;
	r = take_pair(t, local, remote, t->conf->gre_key_in, out);
	if (r || t->conf->gre_key_out == t->conf->gre_key_in)
		return r;
	return take_pair(t, local, remote, t->conf->gre_key_out, out);
}

/* Of the guard only what is of these tunnels: others would look unwanted to the plan. */
static int take_pairs(struct gateway *gw, const int *only, size_t n, struct objects *out)
{
	int r = 0;

	out->guard = gw->guard_seen.present;
	out->guard_intact = gw->guard_seen.intact;
	for (size_t i = 0; i < n && !r; i++) {
		const struct tunnel *t = &gw->tunnels[only[i]];
		struct guard_exempt exempt = {.from = GUARD_FROM_CLAMP};

		memcpy(exempt.link, t->conf->interface, sizeof(exempt.link));
		r = take_exempt(gw, &exempt, t->index, out);
		exempt.from = GUARD_FROM_COVER;
		if (!r)
			r = take_exempt(gw, &exempt, t->index, out);
		if (!r)
			r = take_pairs_of(t, &t->local, &t->remote, out);
		if (!r && t->left_remote.family)
			r = take_pairs_of(t, &t->left_local, &t->left_remote, out);
	}
	return r;
}

int observe_some(struct gateway *gw, const int *only, size_t n, struct objects *out, char *err,
		 size_t err_size)
{
	struct observer o = {.gw = gw, .out = out, .link_only = true};
	int r = gw->guard_dirty ? guard_refresh(gw, err, err_size) : 0;

	if (r)
		return r;
	r = take_pairs(gw, only, n, out);
	if (!r)
		r = holds_some(gw, only, n, out);
	for (size_t i = 0; i < n && !r; i++) {
		struct tunnel *t = &gw->tunnels[only[i]];

		r = observe_policies(&o, t, &t->local, &t->remote);
		if (!r)
			r = observe_policies(&o, t, &t->left_local, &t->left_remote);
		if (!r)
			r = observe_link(&o, t);
	}
	if (!r)
		r = name_dependants(out);
	if (!r)
		r = charon_observe(gw, only, n, out);
	if (r)
		return fail(err, err_size, "the kernel", r);
	objects_sort(out);
	return 0;
}
