/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/sas.c and prefer.c: of several outbound SAs, which one the kernel takes when others come and go and the clock is set. The
 * kernel is a list here, whose first one is the newest (xfrm_state_insert).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include "daemon/prefer.h"
#include "daemon/sas.h"
#include "lib/nl.h"

#define REQID 1000000001u
#define HARD_S 3960
#define T0 1700000000

static time_t wall;
static struct xfrm_sa kernel[64];
static size_t n_kernel;
static unsigned n_writes;

time_t __wrap_time(time_t *out);
int __wrap_xfrm_sa_set_add_time(struct nl *nl, const struct xfrm_sa *sa, uint64_t at);
int __wrap_xfrm_sa_dump(struct nl *nl, xfrm_sa_fn fn, void (*restart)(void *), void *user);

time_t __wrap_time(time_t *out)
{
	(void)out;
	return wall;
}

int __wrap_xfrm_sa_set_add_time(struct nl *nl, const struct xfrm_sa *sa, uint64_t at)
{
	(void)nl;
	n_writes++;
	for (size_t i = 0; i < n_kernel; i++)
		if (kernel[i].spi == sa->spi) {
			kernel[i].add_time = at;
			return 0;
		}
	return -ESRCH;
}

int __wrap_xfrm_sa_dump(struct nl *nl, xfrm_sa_fn fn, void (*restart)(void *), void *user)
{
	(void)nl, (void)restart;
	for (size_t i = 0; i < n_kernel; i++)
		assert_int_equal(fn(user, &kernel[i]), 0);
	return 0;
}

struct world {
	struct conf conf;
	struct conf_tunnel of;
	struct tunnel tunnel;
	struct reqid_index index;
	struct gateway gw;
};

static void make(struct world *w)
{
	struct tunnel *t = &w->tunnel;

	wall = T0;
	n_kernel = 0;
	memset(w, 0, sizeof(*w));
	w->of = (struct conf_tunnel){.name = (char *)"b1", .enabled = true};
	w->conf = (struct conf){.tunnels = &w->of, .n_tunnels = 1};
	w->index = (struct reqid_index){.reqid = REQID};
	w->gw = (struct gateway){.conf = &w->conf, .tunnels = t, .by_reqid = &w->index};
	w->gw.base = event_base_new();
	w->gw.debounce = event_new(w->gw.base, -1, 0, (event_callback_fn)abort, NULL);
	assert_int_equal(nl_open(&w->gw.xfrm, NETLINK_XFRM), 0);
	t->gw = &w->gw;
	t->conf = &w->of;
	t->reqid = REQID;
	t->tick = event_new(w->gw.base, -1, 0, (event_callback_fn)abort, NULL);
	addr_parse("198.51.100.1", &t->local);
	addr_parse("203.0.113.1", &t->remote);
}

static void done(struct world *w)
{
	vec_free(&w->tunnel.sas);
	vec_free(&w->gw.dirty);
	event_free(w->tunnel.tick);
	event_free(w->gw.debounce);
	nl_close(w->gw.xfrm);
	event_base_free(w->gw.base);
}

static void kernel_changes(enum xfrm_event_kind kind, const struct xfrm_sa *sa)
{
	if (kind == XFRM_EVENT_SA_NEW) {
		memmove(kernel + 1, kernel, n_kernel++ * sizeof(*kernel));
		kernel[0] = *sa;
		return;
	}
	for (size_t i = 0; i < n_kernel; i++)
		if (kernel[i].spi == sa->spi) {
			memmove(kernel + i, kernel + i + 1, (--n_kernel - i) * sizeof(*kernel));
			return;
		}
}

static void happens(struct world *w, enum xfrm_event_kind kind, uint32_t spi, bool out)
{
	const struct tunnel *t = &w->tunnel;
	struct xfrm_event ev = {.kind = kind};

	ev.sa = (struct xfrm_sa){.reqid = REQID, .spi = spi, .transport = true, .hard_s = HARD_S};
	ev.sa.add_time = (uint64_t)wall;
	ev.sa.src = out ? t->local : t->remote;
	ev.sa.dst = out ? t->remote : t->local;
	kernel_changes(kind, &ev.sa);
	sas_event(&w->gw, &ev);
}

static void pair_comes(struct world *w, uint32_t spi)
{
	usleep(2000); /* two never come within one millisecond */
	happens(w, XFRM_EVENT_SA_NEW, spi + 0x1000, false);
	happens(w, XFRM_EVENT_SA_NEW, spi, true);
}

/* as xfrm_state_look_at does, of those towards the peer */
static uint32_t taken(const struct world *w)
{
	const struct xfrm_sa *best = NULL;

	for (size_t i = 0; i < n_kernel; i++)
		if (addr_equal(&kernel[i].dst, &w->tunnel.remote) &&
		    (!best || kernel[i].add_time > best->add_time))
			best = &kernel[i];
	return best ? best->spi : 0;
}

static void assert_preferred(const struct world *w, uint32_t spi)
{
	assert_int_equal(w->tunnel.pin.spi, spi);
	assert_int_equal(taken(w), spi);
}

static void the_wait_ends(struct world *w)
{
	sas_pin_tick(&w->tunnel, gateway_now());
	sas_pin_tick(&w->tunnel, gateway_now() + PIN_DELAY_MS + 1);
}

static void look(struct world *w)
{
	assert_int_equal(sas_read_all(&w->gw), 0);
	sas_adopt_pin(&w->tunnel);
	prefer_sa(&w->tunnel);
}

/* Two pairs stand, as after both ends began at once; packets moved to the second, which then is deleted as surplus. */
static void the_one_that_stays_is_kept(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	pair_comes(&w, 1);
	assert_preferred(&w, 1);
	pair_comes(&w, 2);
	assert_preferred(&w, 1);
	the_wait_ends(&w);
	assert_preferred(&w, 2);
	happens(&w, XFRM_EVENT_SA_GONE, 2, true);
	assert_preferred(&w, 1);
	/* so a third one does not draw packets before the peer is ready */
	pair_comes(&w, 3);
	assert_preferred(&w, 1);
	done(&w);
}

static void the_last_one_goes(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	pair_comes(&w, 1);
	happens(&w, XFRM_EVENT_SA_GONE, 1, true);
	assert_int_equal(w.tunnel.pin.spi, 0);
	pair_comes(&w, 2);
	assert_preferred(&w, 2);
	done(&w);
}

/* A rekey begun by the peer after the clock was set by so much; the new SA must neither draw packets at once nor be left behind. */
static void rekey_after(long jump)
{
	struct world w;

	make(&w);
	pair_comes(&w, 1);
	wall += jump;
	prefer_sa(&w.tunnel); /* the clock's event */
	pair_comes(&w, 2);
	assert_preferred(&w, 1);
	look(&w);
	assert_preferred(&w, 1);
	the_wait_ends(&w);
	assert_preferred(&w, 2);
	look(&w);
	the_wait_ends(&w);
	assert_preferred(&w, 2);
	happens(&w, XFRM_EVENT_SA_GONE, 1, true);
	assert_preferred(&w, 2);
	/* nor does an SA live longer by it than it would: twice its lifetime and a minute */
	assert_true(kernel[0].add_time <= (uint64_t)wall + HARD_S + 61);
	done(&w);
}

static void the_clock_is_set(void **unused)
{
	static const long jumps[] = {-34560000, -90000, -3600, -5, 5, 3600, 90000, 34560000};

	(void)unused;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++)
		rekey_after(jumps[i]);
}

/* gwd is started anew during a rekey, the clock having been set before: it goes on with the one the kernel takes, and writes little. */
static void gwd_starts_after(long jump)
{
	struct world w;

	make(&w);
	pair_comes(&w, 1);
	wall += jump;
	prefer_sa(&w.tunnel);
	pair_comes(&w, 2);
	w.tunnel.pin = (struct pin){0};
	w.tunnel.sas.len = 0;
	n_writes = 0;
	look(&w);
	assert_preferred(&w, 1);
	assert_int_equal(n_writes, 0);
	the_wait_ends(&w);
	assert_preferred(&w, 2);
	done(&w);
}

static void gwd_starts(void **unused)
{
	(void)unused;
	gwd_starts_after(0);
	gwd_starts_after(-90000);
	gwd_starts_after(90000);
}

/* While gwd was away the clock was set far ahead: the SA in use is so again before the next one comes. */
static void set_while_away(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	pair_comes(&w, 1);
	w.tunnel.pin = (struct pin){0};
	w.tunnel.sas.len = 0;
	wall += 90000;
	look(&w);
	pair_comes(&w, 2);
	assert_preferred(&w, 1);
	done(&w);
}

/* As many as are looked at: another look knows each of them again. */
static void as_many_as_fit(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	for (uint32_t i = 1; i <= 32; i++) {
		happens(&w, XFRM_EVENT_SA_NEW, i + 0x1000, false);
		happens(&w, XFRM_EVENT_SA_NEW, i, true);
	}
	assert_int_equal(w.tunnel.sas.len, 64);
	look(&w);
	assert_int_equal(w.tunnel.sas.len, 64);
	assert_true(sas_have(&w.tunnel, true) && sas_have(&w.tunnel, false));
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_that_stays_is_kept),
		cmocka_unit_test(the_last_one_goes),
		cmocka_unit_test(the_clock_is_set),
		cmocka_unit_test(gwd_starts),
		cmocka_unit_test(set_while_away),
		cmocka_unit_test(as_many_as_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
