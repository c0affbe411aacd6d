/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/view.c: what is kept of several IKE_SAs, and what is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/view.h"

static struct ike_sa sa_of(uint32_t id, bool initiator, uint32_t age)
{
	struct ike_sa sa = {
		.uniqueid = id, .established = true, .initiator = initiator, .age_s = age};

	strcpy(sa.state, "ESTABLISHED");
	return sa;
}

static void child_add(struct ike_sa *sa, uint32_t id, uint32_t spi_out)
{
	sa->children[sa->n_children++] = (struct ike_child){
		.uniqueid = id,
		.installed = true,
		.transport = true,
		.spi_in = spi_out + 0x1000,
		.spi_out = spi_out,
	};
}

static void test_one(void **state)
{
	struct view v = {.leads = true, .in_use = 0xa};
	struct ike_sa sa = sa_of(1, true, 10);

	(void)state;
	child_add(&sa, 5, 0xa);
	view_add(&v, &sa, false);
	assert_int_equal(v.n_established, 1);
	assert_int_equal(v.n_children, 1);
	assert_int_equal(v.keep, 1);
	assert_int_equal(v.keep_spi_out, 0xa);
	assert_true(v.in_use_there);
	assert_int_equal(v.surplus_child, 0);
	assert_int_equal(view_surplus_ike(&v), 0);
	assert_int_equal(v.n_spis, 2);
	assert_false(v.tunnel_mode);
}

static void test_two_children(void **state)
{
	struct view v = {.leads = true, .in_use = 0xb};
	struct ike_sa sa = sa_of(1, true, 10);

	(void)state;
	child_add(&sa, 5, 0xa);
	child_add(&sa, 6, 0xb);
	child_add(&sa, 7, 0xc);
	sa.children[2].installed = false; /* rekeyed away */
	view_add(&v, &sa, false);
	assert_int_equal(v.n_children, 2);
	assert_int_equal(v.surplus_child, 5);
	assert_int_equal(v.keep_spi_out, 0xb);
	assert_int_equal(v.n_spis, 6);
}

/* An IKE_SA with a child is kept before one without, then the younger, then the leader's. */
static void test_keep(void **state)
{
	static const struct {
		bool leads, initiator[2], child[2];
		uint32_t age[2], keep;
	} cases[] = {
		{true, {true, true}, {true, true}, {9, 3}, 2},
		{true, {true, true}, {true, true}, {3, 9}, 1},
		{true, {true, true}, {true, false}, {9, 3}, 1},
		{true, {true, true}, {false, true}, {3, 9}, 2},
		{true, {false, true}, {true, true}, {3, 3}, 2},
		{true, {true, false}, {true, true}, {3, 3}, 1},
		{false, {false, true}, {true, true}, {3, 3}, 1},
		{false, {true, false}, {true, true}, {3, 3}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view v = {.leads = cases[i].leads};
		for (uint32_t k = 0; k < 2; k++) {
			struct ike_sa sa = sa_of(k + 1, cases[i].initiator[k], cases[i].age[k]);
			if (cases[i].child[k])
				child_add(&sa, k + 10, k + 0xa);
			view_add(&v, &sa, false);
		}
		assert_int_equal(v.keep, cases[i].keep);
		assert_int_equal(v.keep_spi_out, cases[i].keep + 9);
		assert_int_equal(view_surplus_ike(&v), 3 - cases[i].keep);
	}
}

static void test_left(void **state)
{
	struct view v = {.leads = false};
	struct ike_sa sa = sa_of(3, false, 9);

	(void)state;
	view_add(&v, &sa, true);
	sa.uniqueid = 4;
	view_add(&v, &sa, false);
	assert_int_equal(v.left, 3);
}

static void test_connecting(void **state)
{
	struct view v = {.leads = true};
	struct ike_sa sa = sa_of(1, true, 0);

	(void)state;
	sa.established = false;
	strcpy(sa.state, "CONNECTING");
	view_add(&v, &sa, false);
	strcpy(sa.state, "DELETING");
	view_add(&v, &sa, false);
	assert_int_equal(v.n_connecting, 1);
	assert_int_equal(v.n_established, 0);
	assert_int_equal(v.keep, 0);
}

/* Its children are there until the peer answers, and stand in nobody's way; their SAs are charon's still. */
static void test_being_ended(void **state)
{
	struct view v = {.leads = true};
	struct ike_sa sa = sa_of(1, true, 10);

	(void)state;
	sa.established = false;
	strcpy(sa.state, "DELETING");
	child_add(&sa, 5, 0xa);
	view_add(&v, &sa, false);
	assert_int_equal(v.n_children, 0);
	assert_int_equal(v.n_spis, 2);
	assert_int_equal(v.spis[1], 0xa);
}

/* More than is kept: what is not in the view may be charon's all the same. */
static void test_cut(void **state)
{
	struct view v = {.leads = true};
	struct ike_sa sa = sa_of(1, true, 10);

	(void)state;
	for (uint32_t i = 1; i < IKE_CHILDREN_MAX; i++)
		child_add(&sa, i, i);
	view_add(&v, &sa, false);
	assert_false(v.cut);
	child_add(&sa, IKE_CHILDREN_MAX, IKE_CHILDREN_MAX);
	v = (struct view){.leads = true};
	view_add(&v, &sa, false);
	assert_true(v.cut);
}

static void test_bounds(void **state)
{
	struct view v = {.leads = true};

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		struct ike_sa sa = sa_of(i, true, 100 - i);
		child_add(&sa, i, i);
		view_add(&v, &sa, false);
	}
	assert_int_equal(v.n_established, VIEW_IKES_MAX);
	assert_int_equal(v.n_spis, VIEW_SPIS_MAX);
	assert_int_equal(v.n_children, 100);
	assert_int_equal(v.keep, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),    cmocka_unit_test(test_two_children),
		cmocka_unit_test(test_keep),   cmocka_unit_test(test_connecting),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_left),
		cmocka_unit_test(test_cut),    cmocka_unit_test(test_being_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
