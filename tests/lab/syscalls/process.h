/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gwd as the sweeps see it: starting it, hitting its Nth system call, asking its control socket, and how it ended. */
#ifndef GWD_TESTS_SYSCALLS_PROCESS_H
#define GWD_TESTS_SYSCALLS_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lab/inject.h"

/* argv[0] is gwd; its output goes to log. */
void process_open(char *const argv[], const char *preload, const char *log);
void process_start(void);
void process_kill(void); /* SIGKILL, and waits; no matter whether it runs */

/* False when it still runs after ms. status is of waitpid(2). */
bool process_ended(unsigned ms, int *status);

/* Lets the nth system call from now on fail, or kills gwd there (error 0). For a gwd that is to be started: of its own. */
void process_arm(enum inject_scope scope, uint64_t n, int error);
bool process_was_hit(void);
const char *process_hit(
	void); /* the name of the call that was hit, NULL: none; nothing is hit any more */
uint64_t process_seen(enum inject_scope scope);

/* Asks for a verb: gwctl's exit status, or -1 when there was no answer within ms. */
int process_ask(const char *verb, unsigned ms);

unsigned process_fds(void);
unsigned process_memory_kib(void); /* without what files are mapped, which come as they are used */

/* What it has logged since the last process_log. */
const char *process_log(void);

uint64_t process_now(void); /* monotonic ms */
void process_sleep(unsigned ms);

#endif
