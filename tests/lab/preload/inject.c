// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inject.so: counts every system call of the program it is preloaded into, and kills it as it makes the Nth, or lets that
 * one fail. The file that the environment variable GWD_INJECT names says which (tests/lab/syscalls/process.c writes it); without it
 * nothing is done.
 *
 * A seccomp filter (seccomp(2), SECCOMP_RET_TRAP) turns the calls of INJECT_CALLS into SIGSYS, wherever in the program or
 * its libraries they are made; the handler makes the call in its place, by the one instruction that the filter lets pass.
 * So SIGSYS must never be blocked: masks lose it on their way to the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lab/inject.h"

#ifndef __x86_64__
#error "inject.so knows the system calls and registers of x86-64 only, which the lab's kernel is"
#endif

#define NUMBER(name) SYS_##name,
#define SIGSYS_BIT (1ull << (SIGSYS - 1))

static const unsigned counted[] = {INJECT_CALLS(NUMBER)};
#define N_COUNTED (sizeof(counted) / sizeof(*counted))

static struct inject *shared;
static __thread bool is_main __attribute__((tls_model("initial-exec")));

/* syscall(2) with the kernel's result; made_at is what the kernel takes for its place. */
long made(long nr, long a, long b, long c, long d, long e, long f);
extern const char made_at[];
__asm__(".text\n"
	".type made, @function\n"
	"made:\n"
	".cfi_startproc\n"
	"mov %rdi, %rax\n"
	"mov %rsi, %rdi\n"
	"mov %rdx, %rsi\n"
	"mov %rcx, %rdx\n"
	"mov %r8, %r10\n"
	"mov %r9, %r8\n"
	"mov 8(%rsp), %r9\n"
	"syscall\n"
	"made_at:\n"
	"ret\n"
	".cfi_endproc\n"
	".size made, .-made\n");

/* As the kernel has it (kernel_sigaction, sigset_t of 8 bytes). */
struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void die(void)
{
	long self = made(SYS_getpid, 0, 0, 0, 0, 0, 0);

	for (;;) {
		made(SYS_kill, self, SIGKILL, 0, 0, 0, 0);
		made(SYS_exit_group, 128 + SIGKILL, 0, 0, 0, 0, 0);
	}
}

/* What the kernel promises not to fail, and libsodium gives up for (getrandom(2), up to 256 bytes). */
static bool can_fail(long nr)
{
	return nr != SYS_getrandom;
}

static bool is_hit(long nr)
{
	enum inject_scope scope = is_main ? INJECT_MAIN : INJECT_THREADS;
	uint64_t n = atomic_fetch_add(&shared->seen[scope], 1);
	uint64_t at = atomic_load(&shared->at);

	if (atomic_load(&shared->scope) != scope || n < at || n - at >= atomic_load(&shared->times))
		return false;
	if (atomic_load(&shared->error) && !can_fail(nr))
		return false;
	atomic_store(&shared->last, (uint32_t)nr);
	atomic_fetch_add(&shared->hits, 1);
	return true;
}

static long call_masked(const long *r, long nr)
{
	struct kernel_action action;
	uint64_t mask;

	if (!r[1])
		return made(nr, r[0], r[1], r[2], r[3], 0, 0);
	if (nr == SYS_rt_sigprocmask) {
		memcpy(&mask, (const void *)r[1], sizeof(mask));
		mask &= ~SIGSYS_BIT;
		return made(nr, r[0], (long)&mask, r[2], r[3], 0, 0);
	}
	memcpy(&action, (const void *)r[1], sizeof(action));
	action.mask &= ~SIGSYS_BIT;
	return made(nr, r[0], (long)&action, r[2], r[3], 0, 0);
}

static long call(const long *r, long nr)
{
	int error;

	if (nr == SYS_rt_sigprocmask || nr == SYS_rt_sigaction)
		return call_masked(r, nr);
	if (!is_hit(nr))
		return made(nr, r[0], r[1], r[2], r[3], r[4], r[5]);
	error = atomic_load(&shared->error);
	if (!error)
		die();
	/* The descriptor is gone all the same (close(2)). */
	if (nr == SYS_close)
		made(nr, r[0], 0, 0, 0, 0, 0);
	return -error;
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	const long r[] = {g[REG_RDI], g[REG_RSI], g[REG_RDX], g[REG_R10], g[REG_R8], g[REG_R9]};

	(void)sig;
	g[REG_RAX] = call(r, info->si_syscall);
}

static size_t put_traps(struct sock_filter *f, const unsigned *nr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr[i],
						    (unsigned char)(n - i), 0);
	return n;
}

static bool filter_install(void)
{
	struct sock_filter f[N_COUNTED + 16];
	unsigned traps[N_COUNTED + 2] = {SYS_rt_sigprocmask, SYS_rt_sigaction};
	uint64_t pass = (uint64_t)(uintptr_t)made_at;
	const unsigned ip = offsetof(struct seccomp_data, instruction_pointer);
	struct sock_fprog prog = {.filter = f};
	size_t n = 0;

	memcpy(traps + 2, counted, sizeof(counted));
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)pass, 0, 3);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 4);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(pass >> 32), 0,
					      1);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	n += put_traps(f + n, traps, N_COUNTED + 2);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	prog.len = (unsigned short)n;
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static struct inject *map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct inject *m = fd < 0 ? MAP_FAILED
				  : mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
					 0);

	if (fd >= 0)
		close(fd);
	return m != MAP_FAILED && m->magic == INJECT_MAGIC ? m : NULL;
}

/*
 * Where GWD_INJECT_FORK names a socket: the program as it is after linking, which takes most of a start under emulation, is
 * kept, and each 's' on the socket makes a copy of it that goes on to main(). Its number is the answer. 'w' asks how the
 * last one ended (waitpid(2)).
 */
static void fork_on_demand(int fd)
{
	pid_t pid = 0;
	int status;
	char what;

	while (read(fd, &what, 1) == 1) {
		if (what == 's') {
			pid = fork();
			if (!pid) {
				close(fd);
				return;
			}
			status = pid;
		} else {
			waitpid(pid, &status, 0);
		}
		if (write(fd, &status, sizeof(status)) != sizeof(status))
			break;
	}
	_exit(0);
}

__attribute__((constructor)) static void start(void)
{
	struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER};
	const char *path = getenv(INJECT_VARIABLE), *fork_fd = getenv(INJECT_FORK);

	if (!path)
		return;
	if (fork_fd)
		fork_on_demand(atoi(fork_fd));
	is_main = true;
	shared = map(path);
	if (!shared || sigaction(SIGSYS, &action, NULL) || !filter_install()) {
		fprintf(stderr, "inject: %s: %s\n", path, strerror(errno));
		_exit(99);
	}
}
