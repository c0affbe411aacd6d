/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time and libevent's loop as a model, for the targets that drive daemon/: timers fire in their order, without waiting, and
 * descriptors are numbers that the model kernel and the model charon make readable. Replaces functions by model.wrap.
 */
#ifndef GWD_TESTS_FUZZ_MODEL_LOOP_H
#define GWD_TESTS_FUZZ_MODEL_LOOP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define MODEL_EPOCH 1700000000 /* the wall clock's start, seconds */
#define MODEL_START_MS 1000000 /* the monotonic clock's: 0 means never in many places */
#define MODEL_CALLS_MAX 200000 /* of one run; more is a loop without an end */

/* A function that is called in the place of another one of this name. */
#define WRAP(type, name, ...)            \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

struct model_event {
	struct model_event *next;
	evutil_socket_t fd;
	short what;
	event_callback_fn fn;
	void *user;
	bool armed, once;
	uint64_t due, every;
};

static uint64_t model_ms = MODEL_START_MS;
static struct model_event *model_events;

/* The owners of the descriptors: true when one became readable, whose number is then in *fd. */
static bool model_readable(evutil_socket_t *fd);

uint64_t __wrap_gateway_now(void);
time_t __wrap_time(time_t *out);
struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd, short what,
			       event_callback_fn fn, void *user);
int __wrap_event_add(struct event *ev, const struct timeval *tv);
int __wrap_event_del(struct event *ev);
void __wrap_event_free(struct event *ev);
int __wrap_event_pending(const struct event *ev, short what, struct timeval *tv);
evutil_socket_t __wrap_event_get_fd(const struct event *ev);
int __wrap_event_base_once(struct event_base *base, evutil_socket_t fd, short what,
			   event_callback_fn fn, void *user, const struct timeval *tv);
int __wrap_event_base_loop(struct event_base *base, int flags);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* An input must lead to the same each time. */
static uint32_t model_random;

uint32_t __wrap_randombytes_random(void);
uint32_t __wrap_randombytes_random(void)
{
	return model_random = model_random * 1664525 + 1013904223;
}

uint32_t __wrap_randombytes_uniform(const uint32_t upper);
uint32_t __wrap_randombytes_uniform(const uint32_t upper)
{
	return upper ? (__wrap_randombytes_random() >> 8) % upper : 0;
}

uint64_t __wrap_gateway_now(void)
{
	return model_ms;
}

time_t __wrap_time(time_t *out)
{
	time_t now = MODEL_EPOCH + (time_t)(model_ms / 1000);

	if (out)
		*out = now;
	return now;
}

struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd, short what,
			       event_callback_fn fn, void *user)
{
	struct model_event *ev = calloc(1, sizeof(*ev));

	(void)base;
	require(ev != NULL);
	*ev = (struct model_event){
		.next = model_events, .fd = fd, .what = what, .fn = fn, .user = user};
	model_events = ev;
	return (struct event *)ev;
}

int __wrap_event_add(struct event *event, const struct timeval *tv)
{
	struct model_event *ev = (struct model_event *)event;
	uint64_t ms = tv ? (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000 : 0;

	ev->armed = true;
	ev->due = tv ? model_ms + ms : UINT64_MAX;
	ev->every = tv && ev->what & EV_PERSIST ? ms : 0;
	return 0;
}

int __wrap_event_del(struct event *event)
{
	((struct model_event *)event)->armed = false;
	return 0;
}

void __wrap_event_free(struct event *event)
{
	struct model_event **at = &model_events;

	while (*at && *at != (struct model_event *)event)
		at = &(*at)->next;
	require(*at != NULL); /* freed twice */
	*at = (*at)->next;
	free(event);
}

int __wrap_event_pending(const struct event *event, short what, struct timeval *tv)
{
	(void)what, (void)tv;
	return ((const struct model_event *)event)->armed;
}

evutil_socket_t __wrap_event_get_fd(const struct event *event)
{
	return ((const struct model_event *)event)->fd;
}

int __wrap_event_base_once(struct event_base *base, evutil_socket_t fd, short what,
			   event_callback_fn fn, void *user, const struct timeval *tv)
{
	struct event *ev = __wrap_event_new(base, fd, what, fn, user);

	((struct model_event *)ev)->once = true;
	return __wrap_event_add(ev, tv);
}

static void model_fire(struct model_event *ev)
{
	struct model_event copy = *ev;

	if (ev->every)
		ev->due = model_ms + ev->every;
	else if (ev->due != UINT64_MAX)
		ev->armed = false;
	if (ev->once)
		__wrap_event_free((struct event *)ev);
	copy.fn(copy.fd, copy.due == UINT64_MAX ? EV_READ : EV_TIMEOUT, copy.user);
}

static struct model_event *model_event_of(evutil_socket_t fd)
{
	struct model_event *ev = model_events;

	while (ev && !(ev->armed && ev->fd == fd && fd >= 0))
		ev = ev->next;
	return ev;
}

static struct model_event *model_next_timer(uint64_t until)
{
	struct model_event *first = NULL;

	for (struct model_event *ev = model_events; ev; ev = ev->next)
		if (ev->armed && ev->due <= until && (!first || ev->due < first->due))
			first = ev;
	return first;
}

/* One callback; false when there is nothing to do before until. */
static bool model_step(uint64_t until)
{
	struct model_event *ev = NULL;
	evutil_socket_t fd;

	if (model_readable(&fd))
		ev = model_event_of(fd);
	else
		ev = model_next_timer(until);
	if (!ev)
		return false;
	if (ev->due > model_ms && ev->due != UINT64_MAX)
		model_ms = ev->due;
	model_fire(ev);
	return true;
}

static void model_run(uint64_t ms)
{
	uint64_t until = model_ms + ms;
	unsigned calls = 0;

	while (model_step(until))
		require(++calls < MODEL_CALLS_MAX);
	model_ms = until;
}

int __wrap_event_base_loop(struct event_base *base, int flags)
{
	(void)base, (void)flags;
	model_step(UINT64_MAX - 1);
	return 0;
}

#endif
