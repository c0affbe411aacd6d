// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * daemon/control.c under many connections, over a real socket: who says nothing gives way to who asks, lines have an end, and
 * the lack of descriptors passes. Times are tested in the lab (96-control.t).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "daemon/control.h"
#include "daemon/crowd.h"
#include "lib/protocol.h"

#define MANY 200

static struct gateway gw;
static char dir[] = "/tmp/gwd-control-XXXXXX";

static void turn(int times)
{
	while (times--)
		event_base_loop(gw.base, EVLOOP_NONBLOCK);
}

/* Turns of the main loop as gwd makes them, unlike those of turn(), which end when nothing is left to do. */
static void step(int times)
{
	while (times--)
		event_base_loop(gw.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static int knock(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%.60s/" PROTOCOL_SOCKET, dir);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* What came; *end: and then the end of file. */
static const char *heard(int fd, bool *end)
{
	static char text[8192];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	*end = n == 0;
	text[len] = '\0';
	return text;
}

static const char *ask(int fd, const char *line)
{
	bool end;
	const char *answer;

	turn(3);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	turn(5);
	answer = heard(fd, &end);
	assert_true(end);
	return answer;
}

static int begin(void **state)
{
	char err[256];

	(void)state;
	memset(&gw, 0, sizeof(gw));
	gw.base = event_base_new();
	gw.run_dir = dir;
	return control_init(&gw, err, sizeof(err));
}

static int end(void **state)
{
	(void)state;
	control_done(&gw);
	event_base_free(gw.base);
	return 0;
}

static void one_is_answered(void **state)
{
	int fd = knock();

	(void)state;
	assert_non_null(strstr(ask(fd, "{\"verb\":\"version\"}\n"), "\"exit\":0"));
	close(fd);
}

static size_t count_closed(const int *fds, size_t n, const char *with)
{
	size_t closed = 0;
	bool over;

	for (size_t i = 0; i < n; i++) {
		const char *text = heard(fds[i], &over);

		if (!over)
			continue;
		closed++;
		assert_non_null(strstr(text, with));
		assert_memory_equal(text, "{\"gwd\"", 6);
	}
	return closed;
}

static void the_silent_give_way(void **state)
{
	int fds[MANY], last;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		fds[i] = knock();
	turn(MANY);
	assert_true(MANY - count_closed(fds, MANY, "too many connections") <= CROWD_MAX);
	last = knock();
	assert_non_null(strstr(ask(last, "{\"verb\":\"version\"}\n"), "\"exit\":0"));
	close(last);
	for (size_t i = 0; i < MANY; i++)
		close(fds[i]);
	turn(MANY);
}

static void a_line_has_an_end(void **state)
{
	static char line[PROTOCOL_REQUEST_MAX];
	bool over = false;
	int fd = knock();
	ssize_t n;
	size_t sent = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	turn(3);
	for (int i = 0; i < 100 && sent < sizeof(line); i++) {
		n = write(fd, line, sizeof(line) - sent);
		sent += n > 0 ? (size_t)n : 0;
		turn(3);
	}
	turn(5);
	assert_non_null(strstr(heard(fd, &over), "longer than 64 KiB"));
	assert_true(over);
	close(fd);
}

static bool has_answer(int fd)
{
	bool over;

	heard(fd, &over);
	return over;
}

static int knock_as(uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = knock();
	assert_int_equal(seteuid(0), 0);
	return fd;
}

static void let_others_in(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/" PROTOCOL_SOCKET, dir);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
}

/* A member's status of thousands of tunnels takes long: however many ask, root waits for one of them at most. */
static void root_goes_between_members(void **state)
{
	static const char line[] = "{\"verb\":\"version\"}\n";
	int members[8], root;
	size_t before = 0, after = 0;

	(void)state;
	if (geteuid() != 0)
		skip();
	let_others_in();
	for (size_t i = 0; i < 8; i++)
		members[i] = knock_as(65534);
	root = knock();
	turn(3);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(write(members[i], line, strlen(line)), strlen(line));
	step(2);
	assert_int_equal(write(root, line, strlen(line)), strlen(line));
	step(2);
	assert_true(has_answer(root));
	for (size_t i = 0; i < 8; i++)
		before += has_answer(members[i]);
	assert_in_range(before, 1, 4);
	turn(20);
	for (size_t i = 0; i < 8; i++)
		after += has_answer(members[i]);
	assert_int_equal(after, 8);
	for (size_t i = 0; i < 8; i++)
		close(members[i]);
	close(root);
}

/* To the end of file. */
static void drain(int fd)
{
	static char sink[1 << 16];
	ssize_t n = 1;

	for (int i = 0; i < 10000 && n != 0; i++) {
		turn(1);
		while ((n = read(fd, sink, sizeof(sink))) > 0)
			;
	}
	assert_int_equal(n, 0);
}

/* Answers that nobody reads have a bound, but for root. */
static void the_unread_have_a_bound(void **state)
{
	static const char line[] = "{\"verb\":\"version\"}\n";
	static char big[9 << 20];
	int deaf[2], member, root;

	(void)state;
	if (geteuid() != 0)
		skip();
	let_others_in();
	memset(big, 'x', sizeof(big) - 1);
	for (size_t i = 0; i < 2; i++) {
		deaf[i] = knock_as(65534);
		turn(3);
		control_answer(control_find(&gw, i + 1), 0, json_string(big), NULL);
	}
	turn(3);
	member = knock_as(65534);
	assert_non_null(strstr(ask(member, line), "gwd waits for others to read their answers"));
	root = knock();
	assert_non_null(strstr(ask(root, line), "\"exit\":0"));
	drain(deaf[0]);
	close(member);
	member = knock_as(65534);
	assert_non_null(strstr(ask(member, line), "\"exit\":0"));
	close(deaf[0]);
	close(deaf[1]);
	close(member);
	close(root);
}

static void set_flag(evutil_socket_t fd, short what, void *flag)
{
	(void)fd, (void)what;
	*(bool *)flag = true;
}

/* How often the loop wakes up in that time: once or twice, unless it turns in circles. */
static int turns_within(suseconds_t us)
{
	bool over = false;
	struct event *timer = evtimer_new(gw.base, set_flag, &over);
	int turns = 0;

	evtimer_add(timer, &(struct timeval){.tv_usec = us});
	for (; !over; turns++)
		event_base_loop(gw.base, EVLOOP_ONCE);
	event_free(timer);
	return turns;
}

/* The first is being served when there is no descriptor for the second. */
static void descriptors_run_out(void **state)
{
	struct rlimit before, none;
	int first = knock(), second, spare;
	bool over;

	(void)state;
	turn(3);
	second = knock();
	spare = dup(second);
	close(spare);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)spare;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	turn(3);
	assert_in_range(turns_within(50000), 1, 20);
	assert_string_equal(heard(second, &over), "");
	assert_non_null(strstr(ask(first, "{\"verb\":\"version\"}\n"), "\"exit\":0"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 100 && !*heard(second, &over); i++) {
		usleep(10000);
		turn(1);
	}
	assert_non_null(strstr(ask(second, "{\"verb\":\"version\"}\n"), "\"exit\":0"));
	close(first);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_is_answered, begin, end),
		cmocka_unit_test_setup_teardown(the_silent_give_way, begin, end),
		cmocka_unit_test_setup_teardown(root_goes_between_members, begin, end),
		cmocka_unit_test_setup_teardown(the_unread_have_a_bound, begin, end),
		cmocka_unit_test_setup_teardown(a_line_has_an_end, begin, end),
		cmocka_unit_test_setup_teardown(descriptors_run_out, begin, end),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
