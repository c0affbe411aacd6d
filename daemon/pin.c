/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The choice of a tunnel's outbound SA as a state machine without clock or socket. Entry functions:
 * pin_sa_new, pin_sa_gone, pin_tick, pin_adopt. Neighbours: daemon/sas.c feeds it from
 * xfrm/events.h, daemon/prefer.c tells the kernel. Follows strongSwan 5.9.8's child_sa.c
 * (install_outbound_immediately) and child_rekey.c, and the kernel's xfrm_state_look_at.
 */
#include "daemon/pin.h"

#include <stddef.h>

static bool pin_set(struct pin *p, uint32_t spi)
{
	bool changed = p->spi != spi;

	p->spi = spi;
	p->next = 0;
	p->next_in = 0;
	p->deadline = 0;
	p->soft_at = 0;
	p->asked_at = 0;
	return changed;
}

static bool list_has(const uint32_t *spis, unsigned n, uint32_t spi)
{
	for (unsigned i = 0; spi && i < n; i++)
		if (spis[i] == spi)
			return true;
	return false;
}

static bool we_rekey(const struct pin *p, uint64_t now)
{
	return (p->soft_at && now - p->soft_at <= PIN_SOFT_MS) ||
	       (p->asked_at && now - p->asked_at <= PIN_ASKED_MS);
}

/* The first waiter's deadline stays: a row of new SAs must not hold packets on a dead one. */
static void wait_start(struct pin *p, uint64_t now)
{
	if (p->deadline)
		return;
	p->deadline = now + PIN_DELAY_MS;
	/* An inbound SA from before this pair has old packets, which say nothing about the
	 * peer's readiness. */
	if (p->next_in && now - p->in_at > PIN_PAIR_MS)
		p->next_in = 0;
}

bool pin_sa_new(struct pin *p, bool outbound, uint32_t spi, uint64_t now)
{
	if (!outbound) {
		p->in = p->next_in = spi;
		p->in_at = now;
		return false;
	}
	if (!spi || spi == p->spi)
		return false;
	if (!p->spi || we_rekey(p, now))
		return pin_set(p, spi);
	if (spi == p->next)
		return false;
	p->next = spi;
	wait_start(p, now);
	return false;
}

bool pin_sa_gone(struct pin *p, bool outbound, uint32_t spi)
{
	if (!spi)
		return false;
	if (!outbound) {
		if (spi == p->next_in)
			p->next_in = 0;
		return false;
	}
	if (spi == p->spi)
		return pin_set(p, p->next);
	if (spi == p->next)
		pin_set(p, p->spi);
	return false;
}

void pin_sa_soft(struct pin *p, bool outbound, uint32_t spi, uint64_t now)
{
	if (spi && spi == (outbound ? p->spi : p->in))
		p->soft_at = now;
}

void pin_initiated(struct pin *p, uint64_t now)
{
	p->asked_at = now;
}

bool pin_tick(struct pin *p, uint64_t packets, uint64_t now)
{
	if (!p->next)
		return false;
	wait_start(p, now);
	if ((p->next_in && packets) || now >= p->deadline)
		return pin_set(p, p->next);
	return false;
}

bool pin_use(struct pin *p, uint32_t spi)
{
	return pin_set(p, spi);
}

uint64_t pin_due(const struct pin *p, uint64_t now)
{
	if (!p->next)
		return UINT64_MAX;
	if (!p->deadline)
		return now;
	if (p->next_in && now + PIN_POLL_MS < p->deadline)
		return now + PIN_POLL_MS;
	return p->deadline;
}

bool pin_adopt(struct pin *p, uint32_t seen, uint32_t in, const uint32_t *out_spis, unsigned n)
{
	uint32_t spi = n ? out_spis[0] : 0;

	if (list_has(out_spis, n, seen))
		spi = seen;
	if (list_has(out_spis, n, p->spi))
		spi = p->spi;
	bool changed = spi != p->spi;
	p->spi = spi;
	p->in = in;
	if (p->next == spi || !list_has(out_spis, n, p->next)) {
		/* A newer SA whose notification was lost waits too; its deadline starts with the
		 * next tick. */
		p->next = n && out_spis[0] != spi ? out_spis[0] : 0;
		p->deadline = 0;
	}
	return changed;
}
