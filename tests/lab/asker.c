// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * asker SOCKET VERB EVERY_MS: asks gwd on its control socket (doc/CONTROL.md), again EVERY_MS after each answer, until it is ended. VERB may
 * be of several words: "show branch1". At each SIGUSR1 a line about the time since the one before:
 *
 *	asked=N failed=N median_ms=N worst_ms=N late_ms=N
 *
 * failed: there was no whole answer within 20 s. late_ms is by how much its own longest pause was too long, which tells how
 * far the machine itself stood still, whatever gwd does.
 */
#include <signal.h>

#include "tests/lab/ask.h"

#define ANSWER_MS 20000
#define SAMPLES_MAX 100000
#define ANSWER_SIZE (4u << 20)

static struct {
	const char *path;
	char request[256];
	char answer[ANSWER_SIZE];
	uint32_t took_us[SAMPLES_MAX];
	unsigned asked, failed;
	uint64_t late_us;
} a;

static int by_size(const void *one, const void *other)
{
	uint32_t x = *(const uint32_t *)one, y = *(const uint32_t *)other;

	return x < y ? -1 : x > y;
}

static void report(void)
{
	unsigned n = a.asked < SAMPLES_MAX ? a.asked : SAMPLES_MAX;

	qsort(a.took_us, n, sizeof(*a.took_us), by_size);
	printf("asked=%u failed=%u median_ms=%.1f worst_ms=%.1f late_ms=%.1f\n", a.asked, a.failed,
	       n ? a.took_us[n / 2] / 1e3 : 0, n ? a.took_us[n - 1] / 1e3 : 0,
	       (double)a.late_us / 1e3);
	fflush(stdout);
	a.asked = a.failed = 0;
	a.late_us = 0;
}

static void ask_once(void)
{
	uint64_t began = ask_now(), took;
	int r = ask_line(a.path, a.request, ANSWER_MS, a.answer, sizeof(a.answer));

	took = ask_now() - began;
	a.failed += r < 0;
	if (a.asked < SAMPLES_MAX)
		a.took_us[a.asked] = (uint32_t)took;
	a.asked++;
}

static void pause_for(unsigned ms, const sigset_t *set)
{
	const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	uint64_t began = ask_now(), took;

	if (sigtimedwait(set, NULL, &wait) == SIGUSR1) {
		report();
		return;
	}
	took = ask_now() - began;
	if (took > ms * 1000 && took - ms * 1000 > a.late_us)
		a.late_us = took - ms * 1000;
}

static void request_set(const char *verb)
{
	const char *space = strchr(verb, ' ');

	if (space)
		snprintf(a.request, sizeof(a.request), "{\"verb\":\"%.*s\",\"tunnel\":\"%s\"}\n",
			 (int)(space - verb), verb, space + 1);
	else
		snprintf(a.request, sizeof(a.request), "{\"verb\":\"%s\"}\n", verb);
}

int main(int argc, char **argv)
{
	sigset_t set;

	if (argc != 4) {
		fputs("usage: asker SOCKET VERB EVERY_MS\n", stderr);
		return 1;
	}
	a.path = argv[1];
	request_set(argv[2]);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		ask_once();
		pause_for((unsigned)atoi(argv[3]), &set);
	}
}
