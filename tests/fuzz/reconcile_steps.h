/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of fuzz_reconcile.c: what can happen. Included there alone; each takes its bytes from the input. */
#ifndef GWD_TESTS_FUZZ_RECONCILE_STEPS_H
#define GWD_TESTS_FUZZ_RECONCILE_STEPS_H

static void forget_link(const struct gre_link *l)
{
	for (size_t i = kernel.w.addrs.n; i-- > 0;)
		if (!strcmp(kernel.w.addrs.at[i].link, l->name))
			WORLD_DROP(&kernel.w.addrs, i);
	for (size_t i = kernel.w.routes.n; i-- > 0;)
		if (!strcmp(kernel.w.routes.at[i].link, l->name))
			WORLD_DROP(&kernel.w.routes, i);
}

static void others_delete_link(size_t i)
{
	struct gre_link l = kernel.w.links.at[i];

	forget_link(&l);
	WORLD_DROP(&kernel.w.links, i);
	tell_link(&l, true);
}

static void step_link(void)
{
	unsigned how = take(6);
	size_t i = take(WORLD_ROOM);

	if (!kernel.w.links.n)
		return;
	i %= kernel.w.links.n;
	struct gre_link *l = &kernel.w.links.at[i];
	if (how == 0) {
		others_delete_link(i);
		return;
	}
	if (how == 1 && world_link_ours(l))
		l->group = GRE_GROUP_DOOMED;
	else if (how == 2)
		l->ttl ^= 1;
	else if (how == 3)
		l->mtu = 1300;
	else if (how == 4 && world_link_ours(l))
		l->operstate = IF_OPER_UP;
	else if (how == 5) {
		l->up = false;
		for (size_t k = kernel.w.routes.n; k-- > 0;)
			if (!strcmp(kernel.w.routes.at[k].link, l->name))
				WORLD_DROP(&kernel.w.routes, k);
	}
	tell_link(l, false);
}

static void step_policy(void)
{
	unsigned how = take(4);
	size_t i = take(WORLD_ROOM);

	if (how == 0) {
		kernel.w.policies.n = 0;
		tell_xfrm(&(struct xfrm_event){.kind = XFRM_EVENT_POLICY_FLUSH, .gone = true});
		return;
	}
	if (!kernel.w.policies.n)
		return;
	i %= kernel.w.policies.n;
	struct xfrm_policy p = kernel.w.policies.at[i];
	if (how == 1)
		WORLD_DROP(&kernel.w.policies, i);
	else if (how == 2)
		kernel.w.policies.at[i].required = false;
	else if (xfrm_policy_ours(&p))
		kernel.w.policies.at[i].reqid ^= 8;
	tell_policy(&p, how == 1);
}

static void step_guard(void)
{
	unsigned how = take(4);
	size_t i = take(WORLD_ROOM);

	if (how == 0) {
		kernel.w.guard = kernel.w.intact = false;
		kernel.w.pairs.n = kernel.w.exempts.n = 0;
	} else if (how == 1) {
		kernel.w.intact = false;
	} else if (kernel.w.pairs.n && how == 2) {
		kernel.w.pairs.at[i % kernel.w.pairs.n].in_missing = true;
	} else if (kernel.w.pairs.n) {
		WORLD_DROP(&kernel.w.pairs, i % kernel.w.pairs.n);
	}
	tell_guard();
}

static void step_addr(void)
{
	unsigned how = take(3);
	size_t i = take(WORLD_ROOM);

	if (how == 0 && kernel.w.addrs.n) {
		struct gre_addr a = kernel.w.addrs.at[i % kernel.w.addrs.n];
		const struct gre_link *l = world_link(&kernel.w, a.link);

		WORLD_DROP(&kernel.w.addrs, i % kernel.w.addrs.n);
		if (a.prefix.addr.family == AF_INET)
			world_v4_gone(&kernel.w, a.link);
		tell_addr(l ? l->ifindex : 0);
	} else if (how == 1 && kernel.w.routes.n) {
		struct gre_route r = kernel.w.routes.at[i % kernel.w.routes.n];
		const struct gre_link *l = world_link(&kernel.w, r.link);

		WORLD_DROP(&kernel.w.routes, i % kernel.w.routes.n);
		tell_route(&r, l ? l->ifindex : 0, true);
	} else if (how == 2 && kernel.w.holds.n) {
		struct gre_route r = kernel.w.holds.at[i % kernel.w.holds.n];

		WORLD_DROP(&kernel.w.holds, i % kernel.w.holds.n);
		tell_route(&r, 0, true);
	}
}

static void step_sa(void)
{
	unsigned how = take(5);
	size_t i = take(WORLD_ROOM);

	kernel.packets += how;
	if (how == 4) {
		kernel.sas.n = 0;
		tell_xfrm(&(struct xfrm_event){.kind = XFRM_EVENT_SA_FLUSH, .gone = true});
	}
	if (!kernel.sas.n)
		return;
	i %= kernel.sas.n;
	if (how == 0)
		sa_drop(i);
	else if (how == 1)
		tell_sa(&kernel.sas.at[i], XFRM_EVENT_SA_SOFT);
	else if (how == 2)
		tell_sa(&kernel.sas.at[i], XFRM_EVENT_ACQUIRE);
	else
		tell_sa(&kernel.sas.at[i], XFRM_EVENT_SA_NEW);
}

static void foreign_policy(void)
{
	struct xfrm_policy p = {.dir = XFRM_DIR_OUT,
				.priority = take(2) ? 366975 : XFRM_PRIORITY,
				.reqid = 5,
				.required = true,
				.tunnel = -1};
	unsigned peer = take(4);

	require(addr_parse(peers[peer], &p.dst));
	p.src = kernel.local[peer == 3];
	if (!p.src.family || !room())
		return;
	struct xfrm_policy *at = world_policy(&kernel.w, &p);
	if (at)
		*at = p;
	else
		kernel.w.policies.at[kernel.w.policies.n++] = p;
	tell_policy(&p, false);
}

static void foreign_link(void)
{
	struct gre_link l = {.tunnel = -1, .is_gre = take(2), .ifindex = ++kernel.last_ifindex};
	unsigned name = take(5);

	snprintf(l.name, sizeof(l.name), "%s", names[name]);
	l.group = !l.is_gre && take(2) ? GRE_GROUP : 0;
	if (l.is_gre) {
		l.local = kernel.local[0];
		require(addr_parse("192.0.2.77", &l.remote));
	}
	if (!room() || world_link_place(&kernel.w, &l, NULL))
		return;
	kernel.w.links.at[kernel.w.links.n++] = l;
	tell_link(&l, false);
}

static void foreign_gone(void)
{
	for (size_t i = kernel.w.links.n; i-- > 0;)
		if (!world_link_ours(&kernel.w.links.at[i]))
			others_delete_link(i);
	for (size_t i = kernel.w.policies.n; i-- > 0;) {
		struct xfrm_policy p = kernel.w.policies.at[i];

		if (xfrm_policy_ours(&p))
			continue;
		WORLD_DROP(&kernel.w.policies, i);
		tell_policy(&p, true);
	}
}

static void step_foreign(void)
{
	unsigned how = take(3);

	if (how == 0)
		foreign_policy();
	else if (how == 1)
		foreign_link();
	else
		foreign_gone();
}

static void charon_die(void)
{
	charon.alive = false;
	charon.lost = charon.open && charon.state != IKE_SESSION_ABSENT;
	charon.conns.n = charon.shared.n = charon.keys.n = charon.sas.n = 0;
}

/*
 * charon finds a connection for who calls from an address that it names only (5.9.8, backend_manager.c, get_ike_match). One IKE_SA too
 * many is closed at a time, in up to 18 s: of more than these the end is not waited for.
 */
#define IKE_SAS_MOST 6
static bool may_call(const char *conn, const struct addr *from)
{
	const struct tunnel *t = gateway_tunnel_by_conn(&gw, conn);

	return t && charon.sas.n < IKE_SAS_MOST &&
	       (caller_expected(t) || addr_equal(from, &t->remote));
}

static void step_charon(void)
{
	struct addr from;
	unsigned how = take(9), which = take(TUNNELS), peer = take(4);
	char conn[16];

	if (how == 0)
		charon_die();
	else if (how == 1)
		charon.alive = true;
	else if (how == 2)
		charon.still = !charon.still;
	else if (how == 3)
		charon.refuses = which + 1;
	else if (how == 4)
		charon.peer_answers = !charon.peer_answers;
	else if (how == 5)
		charon.tunnel_mode = !charon.tunnel_mode;
	else if (how == 6 && charon.sas.n)
		charon_end(which % charon.sas.n, peer & 1);
	else if (how == 7)
		charon.conns.n = charon.shared.n = charon.keys.n = 0;
	else if (charon.alive) {
		snprintf(conn, sizeof(conn), IKE_PREFIX "%s", names[which]);
		require(addr_parse(peers[peer], &from));
		if (may_call(conn, &from))
			charon_establish(conn, &from);
	}
}

static void step_underlay(void)
{
	static const char *const locals[] = {"198.51.100.1", "198.51.100.2", NULL};
	static const char *const at[] = {"192.0.2.9", "192.0.2.2", NULL};
	unsigned how = take(6), value = take(3);

	if (how == 0) {
		kernel.local[0] = (struct addr){0};
		require(!locals[value] || addr_parse(locals[value], &kernel.local[0]));
	} else if (how == 1) {
		kernel.routed[value & 1] = !kernel.routed[value & 1];
	} else if (how == 2) {
		kernel.mtu = value ? 1500 : 1400;
	} else if (how == 3) {
		kernel.sysctl = !kernel.sysctl;
	} else {
		name_is_at(at[value]);
		names_hint_all(&gw, true);
	}
	tell_gre(&(struct gre_event){.kind = GRE_EVENT_ROUTE});
	kernel.untold = true; /* paths and settings are told by nobody */
}

static void step_conf(void)
{
	char *report = NULL;
	char before[sizeof(conf_text)];

	memcpy(before, conf_text, sizeof(before));
	conf_make();
	conf_renew();
	if (reload_conf(&gw, &report))
		memcpy(conf_text, before, sizeof(before));
	else
		reconcile_run(&gw, NULL);
	free(report);
}

static void step_verb(void)
{
	unsigned how = take(3);
	struct tunnel *t = gw.conf->n_tunnels ? &gw.tunnels[take(TUNNELS) % gw.conf->n_tunnels]
					      : NULL;

	if (how == 0) {
		gw.torn_down = gw.dirty_all = true;
		reconcile_run(&gw, NULL);
	} else if (t && gateway_tunnel_protected(t)) {
		t->held = how == 1;
		if (t->held)
			peer_terminate(t);
		reconcile_mark(t);
		if (!t->held)
			peer_want(t, true);
	}
}

static void step_faults(void)
{
	/* That something is not there the kernel says only where nothing is. */
	static const int errors[] = {ENOBUFS, ENOMEM, EINTR,	  EAGAIN, EPERM, EINVAL,
				     EEXIST,  ENOSPC, EOPNOTSUPP, EBUSY,  EIO,	 ETIMEDOUT};

	kernel.fail_in = take(40);
	kernel.fail_n = take(8);
	kernel.fail_err = errors[take(12)];
}

static void restart(void)
{
	gateway_end();
	kernel.dead = false;
	kernel.dies_in = 0;
	require(gateway_begin());
}

static void one_step(void)
{
	unsigned step = take(16);

	log_debug(NULL, "-- step %u", step);
	switch (step) {
	case 0:
		step_conf();
		break;
	case 1:
		step_link();
		break;
	case 2:
		step_policy();
		break;
	case 3:
		step_guard();
		break;
	case 4:
		step_addr();
		break;
	case 5:
		step_sa();
		break;
	case 6:
		step_foreign();
		break;
	case 7:
	case 8:
		step_charon();
		break;
	case 9:
		step_underlay();
		break;
	case 10:
		step_verb();
		break;
	case 11:
		step_faults();
		break;
	case 12:
		kernel.dies_in = 1 + take(20);
		break;
	case 13:
		kernel.mute = !kernel.mute;
		break;
	case 14:
		kernel.overrun = kernel.untold = true;
		break;
	default:
		model_run((uint64_t)1 << take(16));
		break;
	}
}

#endif
