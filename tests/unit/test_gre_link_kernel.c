/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gre/link.c, gre/events.c in the running kernel: its own links everywhere, GRE links where it has
 * GRE.
 */
#include "gre/events.h"
#include "tests/unit/gre_links.h"

#include <linux/if.h>

#define MANY 40

static struct nl *route_socket(void)
{
	struct nl *nl;

	own_network();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	return nl;
}

struct seen {
	unsigned n, gre;
	struct gre_link last;
};

static int seen_link(void *user, const struct gre_link *link)
{
	struct seen *s = user;

	s->n++;
	s->gre += link->is_gre;
	s->last = *link;
	return 0;
}

static int refuse_link(void *user, const struct gre_link *link)
{
	(void)user;
	(void)link;
	return -E2BIG;
}

/* Links that are none of ours, in any kernel. */
static void test_kernel_other_links(void **state)
{
	struct nl *nl = route_socket();
	struct gre_link lo;
	struct seen s = {0};

	(void)state;
	assert_int_equal(gre_link_get(nl, "lo", &lo), 0);
	assert_string_equal(lo.name, "lo");
	assert_int_equal(lo.ifindex, 1);
	assert_false(lo.is_gre || lo.up || lo.dormant_mode);
	assert_int_equal(lo.mtu, 65536);
	assert_int_equal(gre_link_get_index(nl, 1, &lo), 0);
	assert_string_equal(lo.name, "lo");
	assert_int_equal(gre_link_get(nl, "absent0", &lo), -ENODEV);
	assert_int_equal(gre_link_get(nl, "", &lo), -ENODEV);
	assert_int_equal(gre_link_get(nl, "a-name-that-is-too-long", &lo), -ENODEV);
	assert_int_equal(gre_link_get_index(nl, 4711, &lo), -ENODEV);
	assert_int_equal(gre_link_get_index(nl, 0, &lo), -ENODEV);
	assert_int_equal(gre_link_dump(nl, 0, seen_link, NULL, &s), 0);
	assert_true(s.n >= 1);
	s.n = 0;
	assert_int_equal(gre_link_dump(nl, GRE_GROUP, seen_link, NULL, &s), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(gre_link_dump(nl, 0, refuse_link, NULL, NULL), -E2BIG);
	nl_close(nl);
}

static int event_count;
static struct gre_event event_last;

static void event_note(void *user, const struct gre_event *ev)
{
	(void)user;
	if (ev->kind != GRE_EVENT_LINK)
		return;
	event_count++;
	event_last = *ev;
}

static void test_kernel_events(void **state)
{
	struct nl *nl = route_socket(), *ear;
	struct nl_batch *b = nl_batch_new();

	(void)state;
	assert_int_equal(gre_events_open(&ear), 0);
	event_count = 0;
	assert_int_equal(gre_events_read(ear, event_note, NULL), 0);
	assert_int_equal(event_count, 0);
	gre_link_put_up(b, 1, true); /* of links that are down the kernel tells little */
	gre_link_put_group(b, 1, GRE_GROUP);
	assert_int_equal(batch_outcome(nl, b), 0);
	assert_int_equal(gre_events_read(ear, event_note, NULL), 0);
	assert_true(event_count >= 1);
	assert_int_equal(event_last.kind, GRE_EVENT_LINK);
	assert_int_equal(event_last.ifindex, 1);
	assert_string_equal(event_last.name, "lo");
	assert_true(event_last.ours);
	assert_false(event_last.gone);
	nl_close(ear);
	nl_close(nl);
}

/* Creates or skips: the running kernel may have no GRE. */
static void gre_create(struct nl *nl, const struct gre_link *want)
{
	struct nl_batch *b = nl_batch_new();
	int err;

	gre_link_put(b, want, 0, true);
	err = batch_outcome(nl, b);
	if (err == -EOPNOTSUPP || err == -ENODEV) {
		nl_close(nl);
		skip();
	}
	assert_int_equal(err, 0);
}

static void gre_expect(struct nl *nl, const struct gre_link *want, uint8_t operstate)
{
	struct gre_link have;
	char text[256];

	assert_int_equal(gre_link_get(nl, want->name, &have), 0);
	assert_string_equal(gre_link_format_change(want, &have, text, sizeof(text)), "");
	assert_true(gre_link_equal(want, &have));
	assert_int_equal(have.operstate, operstate);
}

static void test_kernel_gre_variations(void **state)
{
	struct nl *nl = route_socket();
	struct gre_link want;

	(void)state;
	for (unsigned n = 0; link_vary(n, &want); n++) {
		struct nl_batch *b;
		struct gre_link have;

		gre_create(nl, &want);
		b = nl_batch_new();
		gre_expect(nl, &want, want.up ? IF_OPER_UNKNOWN : IF_OPER_DOWN);
		assert_int_equal(gre_link_get(nl, want.name, &have), 0);
		gre_link_put(b, &want, 0, true);
		gre_link_put_delete(b, have.ifindex);
		assert_int_equal(batch_outcome(nl, b), -EEXIST);
		assert_int_equal(gre_link_get(nl, want.name, &have), -ENODEV);
	}
	nl_close(nl);
}

/*
 * Any variation becomes any other in place, unless gre_link_must_replace says no, and then the
 * kernel says no too.
 */
static void test_kernel_gre_update(void **state)
{
	struct nl *nl = route_socket();
	struct gre_link from, to, have;

	(void)state;
	for (unsigned i = 0; link_vary(i, &from); i++)
		for (unsigned j = 0; link_vary(j, &to); j++) {
			struct nl_batch *b;
			int err;

			gre_create(nl, &from);
			b = nl_batch_new();
			assert_int_equal(gre_link_get(nl, from.name, &have), 0);
			gre_link_put(b, &to, have.ifindex, false);
			err = batch_outcome(nl, b);
			assert_int_equal(err != 0, gre_link_must_replace(&to, &have));
			if (!err)
				gre_expect(nl, &to, to.up ? IF_OPER_UP : IF_OPER_DOWN);
			b = nl_batch_new();
			gre_link_put_delete(b, have.ifindex);
			assert_int_equal(batch_outcome(nl, b), 0);
		}
	nl_close(nl);
}

static void operstate_step(struct nl *nl, const struct gre_link *want, unsigned ifindex,
			   uint8_t operstate)
{
	struct nl_batch *b = nl_batch_new();

	gre_link_put_operstate(b, ifindex, operstate);
	assert_int_equal(batch_outcome(nl, b), 0);
	gre_expect(nl, want, operstate);
}

/* Dormant from the first moment, and then whatever we say, also across updates and IFF_UP. */
static void test_kernel_gre_operstate(void **state)
{
	for (int six = 0; six < 2; six++) {
		struct nl *nl = route_socket();
		struct gre_link want = six ? link6() : link4(), have;
		struct nl_batch *b;

		(void)state;
		gre_create(nl, &want);
		assert_int_equal(gre_link_get(nl, want.name, &have), 0);
		b = nl_batch_new();
		gre_link_put_up(b, have.ifindex, true);
		assert_int_equal(batch_outcome(nl, b), 0);
		want.up = true;
		gre_expect(nl, &want, IF_OPER_DORMANT);
		operstate_step(nl, &want, have.ifindex, IF_OPER_UP);
		operstate_step(nl, &want, have.ifindex, IF_OPER_DORMANT);
		operstate_step(nl, &want, have.ifindex, IF_OPER_UP);
		b = nl_batch_new();
		want.mtu = 1300;
		want.ttl = 63;
		gre_link_put(b, &want, have.ifindex, false);
		assert_int_equal(batch_outcome(nl, b), 0);
		gre_expect(nl, &want, IF_OPER_UP);
		b = nl_batch_new();
		gre_link_put_up(b, have.ifindex, false);
		assert_int_equal(batch_outcome(nl, b), 0);
		want.up = false;
		gre_expect(nl, &want, IF_OPER_DOWN);
		nl_close(nl);
	}
}

static void test_kernel_gre_group(void **state)
{
	struct nl *nl = route_socket();
	struct gre_link l = link4();
	struct nl_batch *b;
	struct seen s = {0};

	(void)state;
	gre_create(nl, &l);
	b = nl_batch_new();
	l.has_key = true;
	for (l.key_in = 1; l.key_in < MANY; l.key_in++) {
		snprintf(l.name, sizeof(l.name), "gre-t%u", l.key_in);
		gre_link_put(b, &l, 0, true);
	}
	assert_int_equal(batch_outcome(nl, b), 0);
	assert_int_equal(gre_link_dump(nl, GRE_GROUP, seen_link, NULL, &s), 0);
	assert_int_equal(s.n, MANY);
	assert_int_equal(s.gre, MANY);
	b = nl_batch_new();
	gre_link_put_group(b, s.last.ifindex, GRE_GROUP_DOOMED);
	gre_link_put_delete_group(b, GRE_GROUP_DOOMED);
	assert_int_equal(batch_outcome(nl, b), 0);
	s = (struct seen){0};
	assert_int_equal(gre_link_dump(nl, GRE_GROUP, seen_link, NULL, &s), 0);
	assert_int_equal(s.n, MANY - 1);
	b = nl_batch_new();
	gre_link_put_delete_group(b, GRE_GROUP);
	assert_int_equal(batch_outcome(nl, b), 0);
	s = (struct seen){0};
	assert_int_equal(gre_link_dump(nl, GRE_GROUP, seen_link, NULL, &s), 0);
	assert_int_equal(s.n, 0);
	nl_close(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_other_links),
		cmocka_unit_test(test_kernel_events),
		cmocka_unit_test(test_kernel_gre_variations),
		cmocka_unit_test(test_kernel_gre_update),
		cmocka_unit_test(test_kernel_gre_operstate),
		cmocka_unit_test(test_kernel_gre_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
