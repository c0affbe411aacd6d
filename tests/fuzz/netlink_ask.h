/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fuzz_netlink.c asks the kernel, and what must hold of what was read. Included there alone. */
#ifndef GWD_TESTS_FUZZ_NETLINK_ASK_H
#define GWD_TESTS_FUZZ_NETLINK_ASK_H

#define SEEN_MAX 4096 /* then the walk is ended, in the one way or the other */

struct seen {
	size_t n;
	struct gre_link link, links[8];
	struct gre_addr addr;
	struct gre_route route;
	struct xfrm_policy policy;
	struct xfrm_sa sa;
};

static void check_text(const char *text, size_t size)
{
	require(strnlen(text, size) < size);
}

static void check_addr(const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];
	size_t n = addr_size(a->family);

	require(n || a->family == AF_UNSPEC);
	for (size_t i = n; i < sizeof(a->bytes); i++)
		require(a->bytes[i] == 0);
	addr_format(a, text);
	check_text(text, sizeof(text));
}

static void check_prefix(const struct prefix *p)
{
	check_addr(&p->addr);
	require(p->len <= 8 * addr_size(p->addr.family));
}

/* A message of ours about what was read says the same. */
static void check_link_again(const struct gre_link *l)
{
	struct nl_batch *b = nl_batch_new();
	struct gre_link again;

	gre_link_put(b, l, 0, true);
	require(gre_link_parse(nl_batch_at(b, 0), &again));
	again.operstate = l->operstate;
	if (!l->extra)
		require(gre_link_equal(l, &again));
	nl_batch_free(b);
}

static void check_link(struct seen *s, const struct gre_link *l)
{
	char text[512];

	check_text(l->name, sizeof(l->name));
	check_addr(&l->local);
	check_addr(&l->remote);
	gre_link_format(l, text, sizeof(text));
	check_text(text, sizeof(text));
	require(gre_link_cmp(l, l) == 0);
	if (s->n) {
		gre_link_format_change(l, &s->link, text, sizeof(text));
		check_text(text, sizeof(text));
		gre_link_must_replace(l, &s->link);
		require((gre_link_cmp(l, &s->link) > 0) == (gre_link_cmp(&s->link, l) < 0));
	}
	if (l->is_gre && l->local.family && l->remote.family == l->local.family)
		check_link_again(l);
	s->links[s->n % 8] = s->link = *l;
}

static int stop_at(struct seen *s)
{
	return ++s->n < SEEN_MAX ? 0 : -ECANCELED;
}

static int saw_link(void *user, const struct gre_link *l)
{
	check_link(user, l);
	return stop_at(user);
}

static int saw_addr(void *user, const struct gre_addr *a)
{
	struct seen *s = user;
	char text[128];

	check_prefix(&a->prefix);
	gre_addr_format(a, text, sizeof(text));
	check_text(text, sizeof(text));
	require((gre_addr_cmp(a, &s->addr) > 0) == (gre_addr_cmp(&s->addr, a) < 0));
	s->addr = *a;
	return stop_at(s);
}

static int saw_route(void *user, const struct gre_route *r)
{
	struct seen *s = user;
	struct nl_batch *b = nl_batch_new();
	struct gre_route again;
	char text[128];

	check_prefix(&r->to);
	gre_route_format(r, text, sizeof(text));
	check_text(text, sizeof(text));
	require((gre_route_cmp(r, &s->route) > 0) == (gre_route_cmp(&s->route, r) < 0));
	gre_route_put(b, r, r->ifindex);
	require(gre_route_parse(nl_batch_at(b, 0), &again) && gre_route_cmp(r, &again) == 0);
	nl_batch_free(b);
	s->route = *r;
	return stop_at(s);
}

static int saw_policy(void *user, const struct xfrm_policy *p)
{
	struct seen *s = user;
	struct nl_batch *b = nl_batch_new();
	struct xfrm_policy again;
	char text[256];

	check_addr(&p->src);
	check_addr(&p->dst);
	xfrm_policy_format(p, text, sizeof(text));
	check_text(text, sizeof(text));
	require((xfrm_policy_cmp(p, &s->policy) > 0) == (xfrm_policy_cmp(&s->policy, p) < 0));
	xfrm_policy_put(b, p, true);
	require(xfrm_policy_parse(nl_batch_at(b, 0), &again));
	require(xfrm_policy_cmp(p, &again) == 0 && again.required);
	if (p->required)
		require(xfrm_policy_equal(p, &again));
	nl_batch_free(b);
	s->policy = *p;
	return stop_at(s);
}

static int saw_sa(void *user, const struct xfrm_sa *sa)
{
	struct seen *s = user;

	check_addr(&sa->src);
	check_addr(&sa->dst);
	check_text(sa->algorithm, sizeof(sa->algorithm));
	if (sa->block_size)
		xfrm_mtu(1500, sa->dst.family, sa->encap, sa->iv_size, sa->icv_size, sa->block_size,
			 8);
	s->sa = *sa;
	return stop_at(s);
}

static void forget(void *user)
{
	memset(user, 0, sizeof(struct seen));
}

static void ask_link_dump(struct nl *nl)
{
	struct seen s = {0};

	gre_link_dump(nl, kernel.at < kernel.end && *kernel.at & 1 ? GRE_GROUP : 0, saw_link,
		      forget, &s);
	gre_mpls_read(nl, s.links, s.n < 8 ? s.n : 8);
}

static void ask_link_get(struct nl *nl)
{
	struct seen s = {0};
	struct gre_link l;

	if (!gre_link_get(nl, "branch1", &l))
		check_link(&s, &l);
	if (!gre_link_get_index(nl, 5, &l)) {
		check_link(&s, &l);
		gre_mpls_read_one(nl, &l);
	}
}

static void ask_addr_dump(struct nl *nl)
{
	struct seen s = {0};

	gre_addr_dump(nl, 0, saw_addr, forget, &s);
	gre_addr_dump(nl, 5, saw_addr, NULL, &s);
}

static void ask_addr_first(struct nl *nl)
{
	struct addr out = {0};

	if (!gre_addr_first(nl, "lo", AF_INET, &out))
		require(out.family == AF_INET);
	if (!gre_addr_first(nl, "lo", AF_INET6, &out))
		require(out.family == AF_INET6);
}

static void ask_path(struct nl *nl)
{
	struct gre_link_mtu known = {0};
	struct gre_path_mtu mtu = {0};
	struct addr remote, local = {0};
	unsigned ifindex = 0;

	require(addr_parse("203.0.113.7", &remote));
	for (int i = 0; i < 2; i++)
		if (!gre_path_get(nl, &remote, 0, &local, &mtu, &ifindex, &known))
			check_addr(&local);
	require(addr_parse("2001:db8::7", &remote));
	if (!gre_path_get(nl, &remote, 3, &local, &mtu, &ifindex, &known))
		check_addr(&local);
}

static void ask_route_dump(struct nl *nl)
{
	struct seen s = {0};

	gre_route_dump(nl, 0, saw_route, forget, &s);
	gre_route_dump(nl, 5, saw_route, NULL, &s);
}

static void ask_mpls(struct nl *nl)
{
	struct gre_link links[3] = {{.ifindex = 1}, {.ifindex = 5}, {.ifindex = 7}};

	gre_mpls_read(nl, links, 3);
	gre_mpls_read_one(nl, &links[1]);
}

static void ask_vrf(struct nl *nl)
{
	struct gre_vrf vrf = {0};
	unsigned ifindex = 0;

	gre_vrf_get(nl, "blue", &vrf);
	gre_device_get(nl, "eth0", &ifindex);
}

static void ask_policy(struct nl *nl)
{
	struct seen s = {0};

	xfrm_policy_dump(nl, saw_policy, forget, &s);
}

static void ask_policy_get(struct nl *nl)
{
	struct xfrm_policy key = {.dir = XFRM_DIR_OUT, .has_key = true, .key = 7}, out;
	struct seen s = {0};

	require(addr_parse("198.51.100.1", &key.src) && addr_parse("203.0.113.7", &key.dst));
	if (!xfrm_policy_get(nl, &key, &out))
		saw_policy(&s, &out);
}

static void ask_sa_dump(struct nl *nl)
{
	struct seen s = {0};

	xfrm_sa_dump(nl, saw_sa, forget, &s);
}

static void ask_sa(struct nl *nl)
{
	struct xfrm_sa sa = {.spi = 0xc0ffee01, .reqid = XFRM_REQID_BASE};
	uint64_t packets, bytes;

	require(addr_parse("198.51.100.1", &sa.src) && addr_parse("203.0.113.7", &sa.dst));
	xfrm_sa_counters(nl, &sa, &packets, &bytes);
	xfrm_sa_set_add_time(nl, &sa, 1);
}

static void gre_event(void *user, const struct gre_event *ev)
{
	check_text(ev->name, sizeof(ev->name));
	if (ev->kind == GRE_EVENT_ROUTE && ev->ours)
		saw_route(user, &ev->route);
}

static void xfrm_event(void *user, const struct xfrm_event *ev)
{
	if (ev->kind == XFRM_EVENT_POLICY)
		saw_policy(user, &ev->policy);
	else if (ev->kind == XFRM_EVENT_SA_NEW || ev->kind == XFRM_EVENT_SA_GONE)
		saw_sa(user, &ev->sa);
}

static void ask_gre_events(struct nl *nl)
{
	struct seen s = {0};

	kernel.ended = true;
	for (int i = 0; i < 4; i++)
		gre_events_read(nl, gre_event, &s);
}

static void ask_xfrm_events(struct nl *nl)
{
	struct seen s = {0};

	kernel.ended = true;
	for (int i = 0; i < 4; i++)
		xfrm_events_read(nl, xfrm_event, &s);
}

static void ask_guard_events(struct nl *nl)
{
	kernel.ended = true;
	for (int i = 0; i < 4; i++)
		guard_events_read(nl);
}

struct results {
	size_t n;
};

/* One for each message, in order, with a text. */
static void result(void *user, size_t index, int err, const char *text)
{
	struct results *r = user;

	require(index == r->n++ && err <= 0 && text);
	check_text(text, 256);
}

static void ask_batch(struct nl *nl)
{
	size_t n = kernel.at < kernel.end ? *kernel.at++ : 0;
	struct nl_batch *b = nl_batch_new();
	struct results r = {0};

	for (size_t i = 0; i < n; i++)
		gre_link_put_delete(b, (unsigned)i + 1);
	nl_batch_send(nl, b, result, &r);
	require(r.n == n);
	nl_batch_free(b);
}

static void check_state(struct guard_state *s)
{
	char text[GUARD_PAIR_TEXT_SIZE];

	for (size_t i = 0; i < s->n_pairs; i++) {
		check_addr(&s->pairs[i].local);
		require(s->pairs[i].local.family &&
			s->pairs[i].local.family == s->pairs[i].remote.family);
		require(!i || guard_pair_cmp(&s->pairs[i - 1], &s->pairs[i]) < 0);
		require(!(s->pairs[i].out_missing && s->pairs[i].in_missing));
		check_text(guard_pair_format(&s->pairs[i], text, sizeof(text)), sizeof(text));
	}
	for (size_t i = 0; i < s->n_exempts; i++) {
		check_text(s->exempts[i].link, sizeof(s->exempts[i].link));
		require(!i || guard_exempt_cmp(&s->exempts[i - 1], &s->exempts[i]) <= 0);
	}
	require(s->present || !s->intact);
}

static void check_notes(struct guard_state *s)
{
	struct guard_exempt link = {.link = "branch1"};
	size_t n = s->n_pairs;

	if (n) {
		struct guard_pair first = s->pairs[0];

		guard_state_note_pair(s, &first, false);
		require(s->n_pairs == n - 1);
		guard_state_note_pair(s, &first, true);
		require(s->n_pairs == n && !guard_pair_cmp(&s->pairs[0], &first));
	}
	guard_state_note_exempt(s, &link, true);
	guard_state_note_exempt(s, &link, true);
	guard_state_note_exempt(s, &link, false);
}

/* The kernel says that there is a table, or what the input says. */
static const uint8_t table_there[] = {
	0, 20, 0, 20, 0, 0, 0, NFT_MSG_NEWTABLE, NFNL_SUBSYS_NFTABLES, 0, 0, 0, 0, 0, 0, 0,
	0, 0,  0, 1,  0, 0, 0,
};

static void ask_guard_table(struct nl *nl)
{
	size_t size = (size_t)(kernel.end - kernel.at);
	char *text = malloc(size + 1), err[64] = "";
	struct guard_state state;
	struct guard *g;

	(void)nl;
	require(text);
	memcpy(text, kernel.at, size);
	text[size] = '\0';
	nft.fails = size && text[0] == '!';
	nft.text = text;
	kernel.at = table_there;
	kernel.end = table_there + sizeof(table_there);
	require(!guard_open(&g));
	if (guard_read(g, &state, err, sizeof(err)))
		require(nft.fails && *err);
	check_text(err, sizeof(err));
	check_state(&state);
	if (state.present)
		check_notes(&state);
	guard_state_done(&state);
	require((guard_run(g, "", err, sizeof(err)) != 0) == nft.fails);
	guard_close(g);
	free(text);
}

static void ask_probe(struct nl *nl)
{
	gre_link_probe(nl);
	xfrm_sa_probe(nl);
}

#endif
