// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gateway against a charon that misbehaves (daemon/charon.c): what it says of it and since when, and that its control
 * socket answers all the while. All of gwd but main.c runs, in a network namespace of its own; its clock can be put
 * forward. Where the kernel has no GRE the tunnel's link fails, which is of no matter here.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "daemon/charon.h"
#include "daemon/control.h"
#include "daemon/names.h"
#include "daemon/reconcile.h"
#include "daemon/reload.h"
#include "daemon/generation.h"
#include "daemon/status.h"
#include "lib/key.h"
#include "tests/unit/netlink_test.h"
#include "tests/unit/ike_fake.h"
#include "tests/unit/charon_client.h"

#define STALL_MS \
	3000 /* far above what an answer takes, far below the deadline of a request to charon */

static _Atomic uint64_t ahead_ms;

/* In place of libc's, for gwd and libevent. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	uint64_t ms = atomic_load(&ahead_ms);

	if (syscall(SYS_clock_gettime, id, ts))
		return -1;
	if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
		return 0;
	ts->tv_sec += (time_t)(ms / 1000);
	ts->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
	return 0;
}

static struct gateway gw;
static struct fake fake;
static char folder[64], path[96], socket_path[96];

static void file_write(const char *name, const void *bytes, size_t size, mode_t mode)
{
	char file[128];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void configuration_write(void)
{
	char public[KEY_PUBLIC_TEXT_SIZE], text[1024];
	struct secret *pem = key_generate(public);
	int n;

	assert_non_null(pem);
	file_write("key", pem->bytes, pem->size, 0600);
	secret_free(pem);
	n = snprintf(text, sizeof(text),
		     "gateway: {id: hq.example.net, local: 192.0.2.1, key: %s/key}\n"
		     "charon: {socket: %s}\n"
		     "tunnels:\n  branch1:\n    remote: 192.0.2.7\n"
		     "    peer: {id: branch.example.net, public-key: %s}\n"
		     "    addresses: [10.255.0.1/30]\n",
		     folder, path, public);
	file_write("gwd.yaml", text, (size_t)n, 0600);
}

/* As main.c, but for what needs the whole kernel. */
static int gateway_begin(void **state)
{
	static char conf_path[96];
	char err[512] = "", *report = NULL;

	(void)state;
	strcpy(folder, "/tmp/test_charon.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vici", folder);
	snprintf(socket_path, sizeof(socket_path), "%s/gwd.sock", folder);
	snprintf(conf_path, sizeof(conf_path), "%s/gwd.yaml", folder);
	assert_int_equal(secret_init(err, sizeof(err)), 0);
	configuration_write();
	gw.conf_path = conf_path;
	gw.run_dir = folder;
	gw.started = gateway_now();
	gw.base = event_base_new();
	assert_int_equal(nl_open(&gw.rtnl, NETLINK_ROUTE), 0);
	assert_int_equal(nl_open(&gw.xfrm, NETLINK_XFRM), 0);
	assert_int_equal(guard_open(&gw.guard), 0);
	assert_int_equal(guard_events_open(&gw.guard_events), 0);
	assert_int_equal(reconcile_init(&gw), 0);
	assert_int_equal(names_init(&gw), 0);
	if (reload_conf(&gw, &report))
		fail_msg("%s", report ? report : "no memory");
	free(report);
	assert_int_equal(control_init(&gw, err, sizeof(err)), 0);
	assert_int_equal(charon_init(&gw), 0);
	gw.ready = true;
	return pthread_create(&client.thread, NULL, client_main, socket_path);
}

static int gateway_end(void **state)
{
	(void)state;
	atomic_store(&client.stop, true);
	while (pthread_tryjoin_np(client.thread, NULL))
		event_base_loop(gw.base, EVLOOP_NONBLOCK);
	control_done(&gw);
	charon_done(&gw);
	names_done(&gw);
	generation_end(&gw);
	guard_close(gw.guard);
	nl_close(gw.guard_events);
	nl_close(gw.rtnl);
	nl_close(gw.xfrm);
	for (const char *const *name = (const char *const[]){"key", "gwd.yaml", NULL}; *name;
	     name++) {
		char file[128];

		snprintf(file, sizeof(file), "%s/%s", folder, *name);
		unlink(file);
	}
	return rmdir(folder);
}

/* The main loop for so long. */
static void turn(unsigned ms)
{
	struct timeval tv = {.tv_usec = (suseconds_t)ms * 1000};

	event_base_loopexit(gw.base, &tv);
	event_base_dispatch(gw.base);
}

/* Puts the clock forward between two requests: gwd lets go of a client whose time is over. */
static void advance(uint64_t ms)
{
	if (!ms)
		return;
	atomic_store(&client.pause, true);
	while (atomic_load(&client.busy))
		turn(2);
	atomic_fetch_add(&ahead_ms, ms);
	atomic_store(&client.pause, false);
}

/* Until text is in the answer to `status`; the clock goes on by itself and by step_ms a turn. */
static bool says(const char *text, unsigned step_ms)
{
	uint64_t until = ask_now() + 20000000;
	char *now = NULL;
	bool found = false;

	while (!found && ask_now() < until) {
		turn(10);
		advance(step_ms);
		json_t *status = status_json(&gw, NULL, NULL, 0);

		free(now);
		now = json_dumps(status, JSON_SORT_KEYS);
		json_decref(status);
		found = strstr(now, text) != NULL;
	}
	if (!found)
		print_message("# never said %s: %s\n", text, now);
	free(now);
	return found;
}

static unsigned since_s(void)
{
	json_t *status = status_json(&gw, NULL, NULL, 0);
	json_int_t s = json_integer_value(json_object_get(
		json_object_get(json_object_get(status, "gateway"), "charon"), "since_s"));

	json_decref(status);
	return (unsigned)s;
}

static void ask_charon(void)
{
	gw.charon_queries = 0;
	charon_query_loaded(&gw);
}

/* Of the part of a test that is over: nobody waited long for an answer. */
static void check_client(const char *what)
{
	print_message("# %s: %u answers, the longest after %.1f ms, with %.1f ms of the processor\n",
		      what, atomic_exchange(&client.asked, 0),
		      (double)atomic_exchange(&client.longest_us, 0) / 1000,
		      (double)atomic_exchange(&client.longest_cpu_us, 0) / 1000);
	assert_int_equal(atomic_exchange(&client.failed, 0), 0);
}

static void check_longest(const char *what)
{
	assert_true(atomic_load(&client.longest_us) < STALL_MS * 1000);
	for (int i = 0; i < 1000 && atomic_load(&client.asked) < 5; i++)
		turn(10);
	check_client(what);
}

static void later(unsigned s)
{
	advance((uint64_t)s * 1000);
	turn(10);
}

static void connected(enum fake_mode mode)
{
	assert_true(fake_start(&fake, path, mode));
	assert_true(says("\"state\": \"connected\"", 0));
}

/* Nothing is asked of charon for a while: what is would be overdue when the clock is put forward. */
static void settled(void)
{
	for (unsigned i = 0, quiet = 0; i < 1000 && quiet < 15; i++) {
		turn(10);
		quiet = ike_session_outstanding(gw.session) ? 0 : quiet + 1;
	}
}

static void test_absent_then_late(void **state)
{
	char reason[192];

	(void)state;
	snprintf(reason, sizeof(reason), "\"reason\": \"no socket %s\"", path);
	assert_true(says(reason, 0));
	assert_true(says("\"state\": \"not reachable\"", 0));
	later(100);
	assert_in_range(since_s(), 100, 110);
	check_longest("absent");
	connected(FAKE_ANSWER);
	assert_true(since_s() < 10);
	settled();
	later(50);
	assert_in_range(since_s(), 50, 60);
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
	assert_true(since_s() < 10);
	check_longest("late, then gone");
}

static void test_never_answers(void **state)
{
	(void)state;
	connected(FAKE_ANSWER);
	settled();
	later(50);
	atomic_store(&fake.mode, FAKE_SILENT);
	ask_charon();
	assert_true(says("\"state\": \"does not answer\"", 200));
	assert_true(since_s() < 10);
	later(100);
	assert_in_range(since_s(), 100, 110);
	check_longest("silent");
	fake_release(&fake);
	assert_true(says("\"state\": \"connected\"", 0));
	assert_true(since_s() < 10);
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
	check_longest("answers again");
}

/* It stands still as gwd connects, and goes on after that has been told: then it is asked what it has, at once. */
static void test_confirms_late(void **state)
{
	(void)state;
	assert_true(fake_start(&fake, path, FAKE_NO_CONFIRM));
	assert_true(says("\"state\": \"does not answer\"", 200));
	assert_int_equal(atomic_load(&fake.commands), 0);
	fake_release(&fake);
	assert_true(says("\"state\": \"connected\"", 0));
	settled();
	assert_true(gw.charon_known);
	assert_in_range(atomic_load(&fake.commands), 6, 100);
	assert_true(since_s() < 10);
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
	check_longest("stands still at first");
}

/* It misbehaves at the first question of a session, then not any more. */
static void recovers(enum fake_mode mode, const char *what)
{
	unsigned before;

	assert_true(fake_start(&fake, path, mode));
	before = atomic_load(&fake.commands);
	for (int i = 0; i < 1000 && atomic_load(&fake.commands) == before; i++)
		turn(10);
	assert_true(atomic_load(&fake.commands) > before);
	atomic_store(&fake.mode, FAKE_ANSWER);
	fake_release(&fake);
	assert_true(says("\"state\": \"connected\"", 100));
	ask_charon();
	later(1);
	assert_int_equal(charon_health(&gw), HEALTH_CHARON_CONNECTED);
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
	check_longest(what);
}

static void test_recovers(void **state)
{
	(void)state;
	recovers(FAKE_CLOSE, "closes");
	recovers(FAKE_HALF, "closes in the middle");
	recovers(FAKE_GARBAGE, "garbage");
	recovers(FAKE_HUGE, "oversize");
	recovers(FAKE_EMPTY, "empty");
	recovers(FAKE_BAD_BODY, "malformed");
	recovers(FAKE_OPEN_BODY, "a section left open");
	recovers(FAKE_CLOSE_WATCH, "half closed");
}

/* It takes connections and never answers one whole question: that is no charon, from the first moment on, and not asked for ever
 * ten times a second. */
static void never_well(enum fake_mode mode, const char *reason, const char *what)
{
	unsigned began = since_s(), tries;

	assert_true(fake_start(&fake, path, mode));
	for (int i = 0; i < 1000 && !atomic_load(&fake.commands); i++)
		turn(10);
	tries = atomic_load(&fake.commands);
	assert_true(tries > 0);
	for (int i = 0; i < 30; i++) {
		later(1);
		turn(20);
		assert_int_not_equal(charon_health(&gw), HEALTH_CHARON_CONNECTED);
	}
	assert_true(says(reason, 0));
	assert_true(says("\"state\": \"not reachable\"", 0));
	assert_in_range(since_s(), began + 30, began + 40);
	assert_in_range(atomic_load(&fake.commands) - tries, 1, 40);
	fake_stop(&fake);
	check_longest(what);
}

static void test_never_well(void **state)
{
	(void)state;
	never_well(FAKE_CLOSE, "vici was lost", "closes for ever");
	never_well(FAKE_GARBAGE, "vici does not speak vici", "garbage for ever");
}

static void test_flood(void **state)
{
	(void)state;
	fake.flood = 0;
	connected(FAKE_ANSWER);
	fake.flood = 20000;
	atomic_store(&fake.mode, FAKE_FLOOD);
	ask_charon();
	for (int i = 0; i < 3000 && !atomic_load(&fake.drained); i++)
		turn(10);
	assert_true(atomic_load(&fake.drained));
	atomic_store(&fake.mode, FAKE_ANSWER);
	settled();
	assert_true(says("\"state\": \"connected\"", 0));
	check_longest("flood of events");
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
}

static void test_crash_loop(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_true(fake_start(&fake, path, i % 2 ? FAKE_ANSWER : FAKE_NO_CONFIRM));
		later(1);
		fake_stop(&fake);
		later(0);
	}
	connected(FAKE_ANSWER);
	check_longest("killed in a loop");
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
}

/* Another listens at the path while the connection to the first stands: the first, while it answers, is charon. */
static void test_replaced(void **state)
{
	static struct fake other;
	char kept[128];

	(void)state;
	connected(FAKE_ANSWER);
	snprintf(kept, sizeof(kept), "%s.old", path);
	assert_int_equal(rename(path, kept), 0);
	assert_true(fake_start(&other, path, FAKE_ANSWER));
	later(1);
	assert_int_equal(charon_health(&gw), HEALTH_CHARON_CONNECTED);
	assert_int_equal(atomic_load(&other.commands), 0);
	assert_int_equal(rename(path, kept), 0);
	fake_stop(&fake);
	assert_int_equal(rename(kept, path), 0);
	for (int i = 0; i < 2000 && !atomic_load(&other.commands); i++)
		later(0);
	assert_true(atomic_load(&other.commands) > 0);
	assert_true(says("\"state\": \"connected\"", 0));
	check_longest("replaced");
	fake_stop(&other);
	assert_true(says("\"state\": \"not reachable\"", 0));
}

static void test_other_versions(void **state)
{
	(void)state;
	connected(FAKE_OLDER);
	for (int i = 0; i < 1000 && !gw.tunnels[0].refused; i++)
		turn(10);
	assert_non_null(gw.tunnels[0].refused);
	assert_string_equal(gw.tunnels[0].refused, "it does not know the command");
	check_longest("older");
	fake_stop(&fake);
	assert_true(says("\"state\": \"not reachable\"", 0));
	connected(FAKE_NEWER);
	later(1);
	ask_charon();
	later(1);
	assert_int_equal(charon_health(&gw), HEALTH_CHARON_CONNECTED);
	check_longest("newer");
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent_then_late), cmocka_unit_test(test_never_answers),
		cmocka_unit_test(test_confirms_late),	 cmocka_unit_test(test_recovers),
		cmocka_unit_test(test_never_well),	 cmocka_unit_test(test_flood),
		cmocka_unit_test(test_crash_loop),	 cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_other_versions),
	};

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		puts("1..0 # SKIP no network namespace of its own");
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, gateway_begin, gateway_end);
}
