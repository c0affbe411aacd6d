// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syscalls: gwd killed as it makes its Nth system call, and that call failing, for every Nth of a start, a start on what
 * stands, a reload, a removal, a teardown and the handling of events.
 *
 *	syscalls GWD PRELOAD LOG EVERY FIRST [SWEEP...]
 *
 * All sweeps but those of other threads, which need a charon, or those named. Within a node whose /etc/gwd has a.yaml (a
 * tunnel to 203.0.113.7), b.yaml (the same to 203.0.113.8) and none.yaml. A line for each sweep on stdout; what failed on
 * stderr. After each hit: no link is without guard and policies; gwd, started again
 * where it was killed, comes to what is configured, and takes nothing away on its way that was right.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/secret.h"
#include "tests/lab/syscalls/process.h"
#include "tests/lab/syscalls/world.h"

#define REMOTE_A "203.0.113.7"
#define REMOTE_B "203.0.113.8"
#define CONVERGE_MS 20000
#define ANSWER_MS 15000
#define QUIET_MS 250 /* without a call: an event has been handled */
#define POINTS_MAX 5000

/* 0: killed; then what may fail. */
static const int errors[] = {0, ENOBUFS, ENOMEM, EINTR, EAGAIN, EIO, ENOSPC, EMFILE};
#define N_ERRORS (sizeof(errors) / sizeof(*errors))

struct sweep {
	const char *name;
	void (*prepare)(void); /* NULL: gwd runs, and all of A stands */
	void (*act)(void); /* what is swept; NULL: the start itself */
	const char *remote; /* where it leads to; NULL: nothing is left */
	enum inject_scope scope;
	bool may_take; /* what is made anew may have to go first */
	bool bares; /* the act itself takes cover away */
};

static struct {
	unsigned every, first;
	unsigned points, hits, ended, again; /* of the sweep */
	unsigned turn; /* which error is next */
	unsigned failed;
	char where[160];
} run;

static void fail(const char *what, const char *detail)
{
	run.failed++;
	fprintf(stderr, "%s: %s%s%s\n", run.where, what, *detail ? ": " : "", detail);
}

static void configure(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/etc/gwd/%s.yaml", name);
	unlink("/etc/gwd/gwd.yaml");
	if (link(path, "/etc/gwd/gwd.yaml"))
		world_die(path, errno);
}

static const char *configured(const char *remote)
{
	return !remote ? "none" : !strcmp(remote, REMOTE_A) ? "a" : "b";
}

/* Until it stands so; whether gwd runs does not matter. */
static bool stands(const char *remote, unsigned ms, char *why)
{
	uint64_t until = process_now() + ms;
	struct world_state s;
	bool well;

	for (;;) {
		world_look(&s);
		well = world_is(&s, remote, why);
		world_look_done(&s);
		if (well || process_now() > until)
			return well;
		process_sleep(10);
	}
}

/* gwd agrees that nothing is to be done. */
static bool plan_empty(unsigned ms, char *why)
{
	uint64_t until = process_now() + ms;
	int r;

	do {
		r = process_ask("plan", ANSWER_MS);
		if (!r)
			return true;
		process_sleep(10);
	} while (process_now() < until);
	snprintf(why, WORLD_TEXT, "gwd's plan is not empty (%d)", r);
	return false;
}

static bool converged(const char *remote, char *why)
{
	return stands(remote, CONVERGE_MS, why) && plan_empty(CONVERGE_MS, why);
}

/* Without any hit; the base of a point. A failure here makes no point worthwhile. */
static void running(const char *remote)
{
	char why[WORLD_TEXT] = "";
	int status;

	configure(configured(remote));
	if (process_ended(0, &status))
		process_start();
	else
		process_ask("reload", ANSWER_MS);
	if (!converged(remote, why)) {
		process_kill();
		process_start();
		fail("the next point does not come to stand", why);
		if (!converged(remote, why))
			world_die(why, EIO);
	}
}

static void from_nothing(void)
{
	process_kill();
	world_wipe();
	configure("a");
}

static void on_what_stands(void)
{
	running(REMOTE_A);
	process_kill();
}

static void act_reload_b(void)
{
	configure("b");
	process_ask("reload", ANSWER_MS);
}

static void act_remove(void)
{
	configure("none");
	process_ask("reload", ANSWER_MS);
}

static void act_teardown(void)
{
	process_ask("teardown", ANSWER_MS);
}

static void act_status(void)
{
	process_ask("status", ANSWER_MS);
}

static const struct sweep sweeps[] = {
	{.name = "start", .prepare = from_nothing, .remote = REMOTE_A},
	{.name = "restart", .prepare = on_what_stands, .remote = REMOTE_A},
	{.name = "reload", .act = act_reload_b, .remote = REMOTE_B, .may_take = true},
	{.name = "removal", .act = act_remove, .may_take = true},
	{.name = "teardown", .act = act_teardown, .may_take = true},
	{.name = "policies-flushed", .act = world_flush_policies, .remote = REMOTE_A, .bares = true},
	{.name = "guard-deleted", .act = world_delete_guard, .remote = REMOTE_A, .bares = true},
	{.name = "link-deleted", .act = world_delete_link, .remote = REMOTE_A, .may_take = true},
	{.name = "address-deleted", .act = world_delete_addr, .remote = REMOTE_A, .may_take = true},
	{.name = "status", .act = act_status, .remote = REMOTE_A},
	{.name = "start-threads",
	 .prepare = from_nothing,
	 .remote = REMOTE_A,
	 .scope = INJECT_THREADS},
	{.name = "restart-threads",
	 .prepare = on_what_stands,
	 .remote = REMOTE_A,
	 .scope = INJECT_THREADS},
};

/* No call for a while: the number of calls that it took. */
static uint64_t calls_until_quiet(enum inject_scope scope, uint64_t from)
{
	uint64_t last = process_seen(scope), now;

	for (unsigned i = 0; i < 100; i++) {
		process_sleep(QUIET_MS);
		now = process_seen(scope);
		if (now == last)
			break;
		last = now;
	}
	return last - from;
}

static void prepare(const struct sweep *s)
{
	if (s->prepare)
		s->prepare();
	else
		running(REMOTE_A);
}

static void act(const struct sweep *s)
{
	if (s->act)
		s->act();
	else
		process_start();
}

/* How many calls it takes undisturbed, with few that come by themselves. */
static uint64_t measure(const struct sweep *s)
{
	char why[WORLD_TEXT] = "";
	uint64_t from;

	snprintf(run.where, sizeof(run.where), "%s, undisturbed", s->name);
	prepare(s);
	from = s->act ? process_seen(s->scope) : 0;
	act(s);
	if (!stands(s->remote, CONVERGE_MS, why))
		fail("does not come to stand", why);
	return calls_until_quiet(s->scope, from);
}

static void check_covered(void)
{
	char why[WORLD_TEXT] = "";
	struct world_state s;

	world_look(&s);
	if (!world_covered(&s, why))
		fail("uncovered", why);
	world_look_done(&s);
}

/* Started on before, it took nothing away that is there still, and made only what was missing. */
static void check_kept(const struct world_state *before, const struct world_events *e)
{
	struct world_state now;
	char text[WORLD_TEXT];

	world_look(&now);
	snprintf(text, sizeof(text),
		 "gone: %u links, %u addresses, %u routes, %u policies, %u of the guard; policies: %u "
		 "before, %u new, %u changed; guard: %d before, made %u times; link %u -> %u",
		 e->links_gone, e->addrs_gone, e->routes_gone, e->policies_gone, e->guard_gone,
		 before->n_policies, e->policies_new, e->policies_changed, before->guard.present,
		 e->tables_new, before->link.ifindex, now.link.ifindex);
	/* a transaction that makes the table makes sure first that there is none */
	if (e->links_gone || e->addrs_gone || e->routes_gone || e->policies_gone ||
	    e->policies_changed || before->n_policies + e->policies_new != now.n_policies ||
	    (before->guard.present && (e->guard_gone || e->tables_new)) ||
	    (before->n_links && before->link.ifindex != now.link.ifindex))
		fail("what was right was rewritten", text);
	world_look_done(&now);
}

/* gwd is not there any more: what it left is covered, and it goes on from there. */
static void start_again(const struct sweep *s)
{
	struct world_state before;
	struct world_events e;
	char why[WORLD_TEXT] = "";
	const char *remote = s->act == act_teardown ? REMOTE_A : s->remote;

	world_look(&before);
	if (!s->bares && !world_covered(&before, why))
		fail("uncovered", why);
	world_events(&e);
	process_start();
	if (!converged(remote, why))
		fail("does not converge after a new start", why);
	world_events(&e);
	if (!s->may_take && !s->bares)
		check_kept(&before, &e);
	world_look_done(&before);
}

/* It had no chance but to end: by itself, as a failure, with a word. */
static void check_end(const struct sweep *s, int status, bool killed)
{
	const char *log = process_log();
	char text[64];

	run.ended++;
	if (killed)
		return;
	snprintf(text, sizeof(text), "status 0x%x", status);
	if (s->act)
		fail("gwd ended in steady state", text);
	else if (!WIFEXITED(status) || !WEXITSTATUS(status))
		fail("gwd did not end as a failure", text);
	else if (!strstr(log, "error: ") && !strcasestr(log, "netlink"))
		fail("gwd ended without a word", log);
}

/* It goes on: by itself to what is configured, or, where the failure was told to who asked, once asked again. */
static void go_on(const struct sweep *s)
{
	char why[WORLD_TEXT] = "";
	bool asked = s->act == act_reload_b || s->act == act_remove || s->act == act_teardown;
	int status;

	if (asked && !stands(s->remote, 3000, why)) {
		run.again++;
		s->act();
	}
	/* torn down, its plan tells what a reload would bring */
	if (!(s->act == act_teardown ? stands(s->remote, CONVERGE_MS, why)
				     : converged(s->remote, why)))
		fail(process_ended(0, &status) ? "gwd ended late" : "does not converge", why);
}

/* Until the hit was made, or what it would hit is over. True when gwd has ended. */
static bool await_hit(const struct sweep *s, int *status)
{
	uint64_t until = process_now() + CONVERGE_MS, changed = process_now();
	uint64_t seen = process_seen(s->scope);
	char why[WORLD_TEXT];

	while (process_now() < until && !process_was_hit()) {
		if (process_ended(5, status))
			return true;
		if (process_seen(s->scope) != seen) {
			seen = process_seen(s->scope);
			changed = process_now();
		}
		if (process_now() - changed > QUIET_MS && (s->act || stands(s->remote, 0, why)))
			break;
	}
	return process_ended(50, status);
}

/* A start that an error has hit: until it ends, or everything stands and it answers. */
static bool await_start(const struct sweep *s, int *status)
{
	uint64_t until = process_now() + CONVERGE_MS;
	char why[WORLD_TEXT];

	while (process_now() < until)
		if (process_ended(10, status))
			return true;
		else if (stands(s->remote, 0, why) && process_ask("version", 2000) >= 0)
			break;
	return process_ended(20, status);
}

static void point(const struct sweep *s, uint64_t n, int error)
{
	struct world_events e;
	const char *hit;
	int status = 0;
	bool ended;

	snprintf(run.where, sizeof(run.where), "%s, call %llu, %s", s->name, (unsigned long long)n,
		 error ? strerrorname_np(error) : "killed");
	prepare(s);
	process_log();
	world_events(&e);
	process_arm(s->scope, n, error);
	act(s);
	ended = await_hit(s, &status);
	if (!ended && !s->act && error)
		ended = await_start(s, &status);
	hit = process_hit();
	if (!ended && hit && !error)
		ended = process_ended(5000, &status);
	run.points++;
	run.hits += hit != NULL;
	snprintf(run.where + strlen(run.where), sizeof(run.where) - strlen(run.where), " in %s",
		 hit ? hit : "none");
	if (ended) {
		check_end(s, status, hit && !error);
		start_again(s);
		return;
	}
	if (!s->bares)
		check_covered();
	go_on(s);
}

static void sweep_kind(const struct sweep *s, uint64_t calls, bool kills)
{
	unsigned before = run.failed;
	uint64_t began = process_now();

	run.points = run.hits = run.ended = run.again = 0;
	for (uint64_t n = run.first; n <= calls && run.points < POINTS_MAX; n += run.every) {
		if (kills)
			point(s, n, 0);
		for (size_t i = 1; !kills && i < N_ERRORS; i++)
			if (run.every == 1 || i == 1 + run.turn % (N_ERRORS - 1))
				point(s, n, errors[i]);
		run.turn += !kills;
	}
	printf("%s %s: %llu calls, %u points, %u hit, %u ended, %u asked again, %u failed, %llu s\n",
	       s->name, kills ? "kills" : "errors", (unsigned long long)calls, run.points, run.hits,
	       run.ended, run.again, run.failed - before,
	       (unsigned long long)(process_now() - began) / 1000);
	fflush(stdout);
}

/* Errors that gwd lives through leave nothing open and nothing allocated. */
static void check_leaks(const char *name, unsigned fds, unsigned memory)
{
	unsigned fds_now, memory_now;

	process_sleep(300);
	fds_now = process_fds();
	memory_now = process_memory_kib();
	snprintf(run.where, sizeof(run.where), "%s, at its end", name);
	printf("%s leaks: descriptors %u -> %u, memory %u -> %u KiB\n", name, fds, fds_now, memory,
	       memory_now);
	if (fds_now > fds)
		fail("descriptors leak", "");
	if (memory_now > memory + 2048)
		fail("memory leaks", "");
}

static void sweep(const struct sweep *s)
{
	uint64_t calls = measure(s);
	unsigned fds = 0, memory = 0;

	sweep_kind(s, calls, true);
	if (s->act) {
		running(REMOTE_A);
		process_sleep(300);
		fds = process_fds();
		memory = process_memory_kib();
	}
	sweep_kind(s, calls, false);
	if (s->act) {
		running(REMOTE_A);
		check_leaks(s->name, fds, memory);
	}
}

/* Without charon no other thread calls anything. */
static bool wanted(const struct sweep *s, int argc, char **argv)
{
	for (int i = 6; i < argc; i++)
		if (!strcmp(argv[i], s->name))
			return true;
	return argc == 6 && s->scope == INJECT_MAIN;
}

int main(int argc, char **argv)
{
	char *gwd[] = {argc > 1 ? argv[1] : NULL, "-c", "/etc/gwd/gwd.yaml", NULL}, err[256];

	if (argc < 6 || secret_init(err, sizeof(err)))
		world_die("GWD PRELOAD LOG EVERY FIRST [SWEEP...]", EINVAL);
	run.every = (unsigned)strtoul(argv[4], NULL, 10);
	run.first = (unsigned)strtoul(argv[5], NULL, 10);
	if (!run.every || !run.first)
		world_die("EVERY and FIRST are 1 or more", EINVAL);
	process_open(gwd, argv[2], argv[3]);
	world_open();
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(*sweeps); i++)
		if (wanted(&sweeps[i], argc, argv))
			sweep(&sweeps[i]);
	process_kill();
	printf("failed: %u\n", run.failed);
	return run.failed != 0;
}
