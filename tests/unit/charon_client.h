/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of the gateway under test (test_charon.c), on a thread of its own: client_main takes the path of its control socket. */
#ifndef GWD_TESTS_CHARON_CLIENT_H
#define GWD_TESTS_CHARON_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lab/ask.h"

/* Asks again and again, on a thread of its own. */
static struct {
	pthread_t thread;
	atomic_bool stop, pause, busy;
	atomic_uint asked, failed;
	_Atomic uint64_t longest_us,
		longest_cpu_us; /* the second of the processor: what a busy machine cannot add to */
} client;

static inline uint64_t cpu_now(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static inline void *client_main(void *user)
{
	static char answer[65536];

	while (!atomic_load(&client.stop)) {
		atomic_store(&client.busy, true);
		if (atomic_load(&client.pause)) {
			atomic_store(&client.busy, false);
			usleep(1000);
			continue;
		}
		uint64_t began = ask_now(), cpu = cpu_now(), took;
		int r = ask(user, "status", 15000, answer, sizeof(answer));

		took = ask_now() - began;
		cpu = cpu_now() - cpu;
		atomic_fetch_add(&client.asked, 1);
		if (r < 0)
			atomic_fetch_add(&client.failed, 1);
		if (took > atomic_load(&client.longest_us))
			atomic_store(&client.longest_us, took);
		if (cpu > atomic_load(&client.longest_cpu_us))
			atomic_store(&client.longest_cpu_us, cpu);
		usleep(2000);
	}
	return NULL;
}

#endif
