// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of a tunnel's outbound SAs the kernel takes, told by their times. Entries: prefer_sa after each change of the pin
 * (daemon/pin.c) and each look; prefer_init watches the clock. Neighbours: daemon/sas.c knows the SAs, xfrm/state.c writes.
 *
 * An SA's add_time is of the wall clock, and counts twice for the kernel: the greatest is taken, and the SA ends a lifetime later
 * (xfrm_timer_handler). So the one in use gets the time of its coming, its lifetime and a minute; the others have that of their
 * coming. A rekey's new SA then cannot draw packets before its time, and takes over without a gap in the moment the old one
 * is deleted, even while gwd is not running; and no policy is written for it. The time of coming is kept by the
 * monotonic clock: when the other is set, what the kernel was told is wrong, and is told anew.
 */
#include "daemon/prefer.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/reconcile.h"
#include "lib/log.h"

/* How far ahead of its end the add_time of the SA in use is, which thereby comes later. */
#define AHEAD_S 60
/* The same for an SA without an end. */
#define AHEAD_ENDLESS_S (10u * 365 * 86400)
/* So far the wall clock may run away from the other before times are written anew; far less than AHEAD_S. */
#define DRIFT_S 10
#define TIME_FAR ((time_t)(sizeof(time_t) > 4 ? INT64_MAX / 1000000000 : INT32_MAX))

static void write_result(void *user, size_t index, int err, const char *text)
{
	(void)index;
	if (err)
		log_warn(user, "out policy: %s; reading the kernel again", text);
}

/* The same once more: that makes the kernel choose among the SAs anew. */
static void policy_renew(struct tunnel *t)
{
	struct nl_batch *b = t->policies_ok ? nl_batch_new() : NULL;
	struct xfrm_policy p = {
		.dir = XFRM_DIR_OUT,
		.src = t->local,
		.dst = t->remote,
		.has_key = t->conf->has_gre_key,
		.key = t->conf->gre_key_out,
		.tunnel = t->index,
		.priority = XFRM_PRIORITY,
		.reqid = t->reqid,
		.required = true,
	};

	reconcile_mark(t);
	if (!b)
		return;
	xfrm_policy_put(b, &p, false);
	nl_batch_send(t->gw->xfrm, b, write_result, t->conf->name);
	nl_batch_free(b);
}

static uint64_t ahead(uint64_t hard_s)
{
	return hard_s ? hard_s + AHEAD_S : AHEAD_ENDLESS_S;
}

/*
 * A time well ahead is of an SA that another gwd has left in use. An age beyond the SA's end comes of a clock that was
 * set; then the SA counts as new.
 */
uint64_t prefer_came_at(uint64_t add_time, uint64_t hard_s)
{
	uint64_t now = gateway_now(), wall = (uint64_t)time(NULL);

	if (add_time > wall + AHEAD_S / 2)
		add_time -= ahead(hard_s);
	if (add_time > wall || (hard_s && wall - add_time > hard_s))
		add_time = wall;
	return wall - add_time < now / 1000 ? now - (wall - add_time) * 1000 : 0;
}

static uint64_t time_due(const struct tunnel_sa *sa, bool in_use)
{
	uint64_t age = (gateway_now() - sa->came_at) / 1000, wall = (uint64_t)time(NULL);
	uint64_t came = age < wall ? wall - age : 0;

	return came + (in_use ? ahead(sa->hard_s) : 0);
}

static bool time_right(const struct tunnel_sa *sa, uint64_t due)
{
	return (sa->told > due ? sa->told - due : due - sa->told) <= DRIFT_S;
}

static void time_tell(struct tunnel *t, struct tunnel_sa *known, uint64_t due, bool in_use)
{
	struct xfrm_sa sa = {
		.src = t->local,
		.dst = t->remote,
		.spi = known->spi,
		.reqid = t->reqid,
	};
	int r = xfrm_sa_set_add_time(t->gw->xfrm, &sa, due);

	known->told = due;
	if (r && r != -ESRCH)
		log_warn(t->conf->name, "SA out spi %08x: %s", known->spi, strerror(-r));
	else if (in_use)
		log_debug(t->conf->name, "SA out spi %08x in use", known->spi);
}

static bool pin_stands(const struct tunnel *t)
{
	for (size_t i = 0; i < t->sas.len; i++)
		if (t->sas.at[i].spi == t->pin.spi && t->sas.at[i].outbound)
			return true;
	return false;
}

void prefer_sa(struct tunnel *t)
{
	bool told = false;
	unsigned n = 0;

	/* Who called and may not come has SAs, and the tunnel no ends. */
	if (!t->pin.spi || !gateway_tunnel_protected(t) || !gateway_tunnel_ends_known(t) ||
	    !pin_stands(t))
		return;
	for (size_t i = 0; i < t->sas.len; i++) {
		struct tunnel_sa *sa = &t->sas.at[i];
		bool in_use = sa->spi == t->pin.spi;
		uint64_t due = time_due(sa, in_use);

		if (!sa->outbound || sa->elsewhere)
			continue;
		n++;
		if (time_right(sa, due))
			continue;
		time_tell(t, sa, due, in_use);
		told = true;
	}
	if (told && n > 1)
		policy_renew(t);
}

static void on_clock(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;
	uint64_t unused;

	(void)what;
	/* ECANCELED tells of it (timerfd_create(2)) */
	if (read(fd, &unused, sizeof(unused)) >= 0 || errno != ECANCELED)
		return;
	log_info(NULL, "the clock was set");
	for (size_t i = 0; gw->ready && i < gw->conf->n_tunnels; i++)
		prefer_sa(&gw->tunnels[i]);
}

int prefer_init(struct gateway *gw)
{
	const struct itimerspec never = {.it_value.tv_sec = TIME_FAR};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	gw->clock_fd = fd;
	gw->clock = event_new(gw->base, fd, EV_READ | EV_PERSIST, on_clock, gw);
	if (!gw->clock || event_add(gw->clock, NULL))
		return -ENOMEM;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL))
		log_debug(NULL, "the clock is not watched: %s", strerror(errno));
	return 0;
}

void prefer_done(struct gateway *gw)
{
	if (!gw->clock)
		return;
	event_free(gw->clock);
	close(gw->clock_fd);
}
