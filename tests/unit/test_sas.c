/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/sas.c: of several outbound SAs, which one is kept in use when others come and go. The kernel is asked and knows none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/sas.h"
#include "lib/nl.h"

#define REQID 1000000001u

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

static void happens(struct world *w, enum xfrm_event_kind kind, uint32_t spi, bool out, uint64_t at)
{
	const struct tunnel *t = &w->tunnel;
	struct xfrm_event ev = {.kind = kind};

	ev.sa = (struct xfrm_sa){.reqid = REQID, .spi = spi, .transport = true, .add_time = at};
	ev.sa.src = out ? t->local : t->remote;
	ev.sa.dst = out ? t->remote : t->local;
	sas_event(&w->gw, &ev);
}

static void pair_comes(struct world *w, uint32_t spi, uint64_t at)
{
	happens(w, XFRM_EVENT_SA_NEW, spi + 0x1000, false, at);
	happens(w, XFRM_EVENT_SA_NEW, spi, true, at);
}

static void assert_preferred(const struct world *w, uint32_t spi)
{
	assert_int_equal(w->tunnel.pin.spi, spi);
	for (size_t i = 0; i < w->tunnel.sas.len; i++)
		assert_int_equal(w->tunnel.sas.at[i].preferred, w->tunnel.sas.at[i].spi == spi);
}

/* Two pairs stand, as after both ends began at once; packets moved to the second, which then is deleted as surplus. */
static void the_one_that_stays_is_kept(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	pair_comes(&w, 1, 100);
	assert_preferred(&w, 1);
	pair_comes(&w, 2, 101);
	assert_preferred(&w, 1);
	sas_pin_tick(&w.tunnel, gateway_now());
	sas_pin_tick(&w.tunnel, gateway_now() + PIN_DELAY_MS + 1);
	assert_preferred(&w, 2);
	happens(&w, XFRM_EVENT_SA_GONE, 2, true, 101);
	assert_preferred(&w, 1);
	/* so a third one does not draw packets before the peer is ready */
	pair_comes(&w, 3, 102);
	assert_preferred(&w, 1);
	done(&w);
}

static void the_last_one_goes(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	pair_comes(&w, 1, 100);
	happens(&w, XFRM_EVENT_SA_GONE, 1, true, 100);
	assert_int_equal(w.tunnel.pin.spi, 0);
	pair_comes(&w, 2, 101);
	assert_preferred(&w, 2);
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_that_stays_is_kept),
		cmocka_unit_test(the_last_one_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
