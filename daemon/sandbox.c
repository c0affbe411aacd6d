// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter of system calls, by libseccomp. Entry: sandbox_enter, called by daemon/main.c when all that needs more is done (the control
 * socket is bound, privileges asked for), and before charon, a peer or a name server has said a word. It holds for threads
 * that are there and that come (libvici's), and cannot be taken back.
 *
 * A call that is in no table fails with ENOSYS, as in a kernel that does not know it: so a newer libc falls back to
 * an older one instead of dying. What gwd and its libraries never do and an intruder would, kills the process. Both are logged by
 * the kernel (audit type 1326, in its log or auditd's). Names that an architecture does not have are skipped.
 *
 * What filters cannot see are paths and addresses, which are in memory: those are up to gwd.service and its user.
 */
#include "daemon/sandbox.h"

#include <asm/ioctls.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/sandbox_calls.h"
#include "lib/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#ifdef __s390x__
#define CLONE_FLAGS_AT 1
#else
#define CLONE_FLAGS_AT 0
#endif

/* One argument's bits under mask are value. */
static struct scmp_arg_cmp bits(unsigned at, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = at, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/* One argument is value; ints are compared by their 32 bits, since what is above them is not defined. */
static struct scmp_arg_cmp is(unsigned at, int value)
{
	return bits(at, 0xffffffff, (uint32_t)value);
}

/* Keeps the first failure of many; a call that the architecture has not is none. */
static void add(int *r, scmp_filter_ctx f, uint32_t action, int call, unsigned n,
		const struct scmp_arg_cmp *args)
{
	int rule = *r ? 0 : seccomp_rule_add_array(f, action, call, n, args);

	if (rule && rule != -EDOM)
		*r = rule;
}

static void allow_if(int *r, scmp_filter_ctx f, int call, struct scmp_arg_cmp arg)
{
	add(r, f, SCMP_ACT_ALLOW, call, 1, &arg);
}

static void allow_if_both(int *r, scmp_filter_ctx f, int call, struct scmp_arg_cmp a,
			  struct scmp_arg_cmp b)
{
	add(r, f, SCMP_ACT_ALLOW, call, 2, (struct scmp_arg_cmp[]){a, b});
}

/*
 * Sockets made after the start: streams to charon, datagrams to systemd (sd_notify) and to name servers (evdns asks by UDP only),
 * netlink of the protocols of gwd's drivers, should one be opened anew.
 */
static void allow_sockets(int *r, scmp_filter_ctx f)
{
	static const int protocols[] = {NETLINK_ROUTE, NETLINK_XFRM, NETLINK_NETFILTER};
	const uint64_t type = 0xf; /* without SOCK_CLOEXEC and SOCK_NONBLOCK */

	allow_if_both(r, f, SCMP_SYS(socket), is(0, AF_UNIX), bits(1, type, SOCK_STREAM));
	allow_if_both(r, f, SCMP_SYS(socket), is(0, AF_UNIX), bits(1, type, SOCK_DGRAM));
	allow_if_both(r, f, SCMP_SYS(socket), is(0, AF_INET), bits(1, type, SOCK_DGRAM));
	allow_if_both(r, f, SCMP_SYS(socket), is(0, AF_INET6), bits(1, type, SOCK_DGRAM));
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		allow_if_both(r, f, SCMP_SYS(socket), is(0, AF_NETLINK), is(2, protocols[i]));
	/* Buffers and time-outs; groups and extended errors of netlink. No option of IP: those can bypass IPsec. */
	allow_if(r, f, SCMP_SYS(setsockopt), is(1, SOL_SOCKET));
	allow_if(r, f, SCMP_SYS(setsockopt), is(1, SOL_NETLINK));
	/* libevent asks how much can be read; stdio whether it writes to a terminal; libc for names of interfaces. */
	allow_if(r, f, SCMP_SYS(ioctl), is(1, FIONREAD));
	allow_if(r, f, SCMP_SYS(ioctl), is(1, TCGETS));
	allow_if(r, f, SCMP_SYS(ioctl), is(1, SIOCGIFNAME));
	allow_if(r, f, SCMP_SYS(ioctl), is(1, SIOCGIFINDEX));
}

/*
 * Files are read: the configuration and what it names (reload), sysctls, resolv.conf and hosts. One that exists may be
 * opened for writing, for the sysctl of MPLS (gre/mpls.c); none is made, cut or appended to.
 */
static void allow_files(int *r, scmp_filter_ctx f)
{
	const uint64_t ways = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

	allow_if(r, f, SCMP_SYS(openat), bits(2, ways, O_RDONLY));
	allow_if(r, f, SCMP_SYS(open), bits(1, ways, O_RDONLY));
	allow_if(r, f, SCMP_SYS(openat), bits(2, ways, O_WRONLY));
	allow_if(r, f, SCMP_SYS(open), bits(1, ways, O_WRONLY));
}

/* Memory that is no code: heaps, stacks, guarded secrets. */
static void allow_memory(int *r, scmp_filter_ctx f)
{
	allow_if(r, f, SCMP_SYS(mmap), bits(2, PROT_EXEC, 0));
	allow_if(r, f, SCMP_SYS(mmap2), bits(2, PROT_EXEC, 0));
	allow_if(r, f, SCMP_SYS(mprotect), bits(2, PROT_EXEC, 0));
}

/* Threads of this process and signals to them; a process of its own is killed at once. */
static void allow_threads(int *r, scmp_filter_ctx f)
{
	struct scmp_arg_cmp process = bits(CLONE_FLAGS_AT, CLONE_THREAD, 0);
	struct scmp_arg_cmp limits = {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = 0};

	allow_if(r, f, SCMP_SYS(clone), bits(CLONE_FLAGS_AT, CLONE_THREAD, CLONE_THREAD));
	add(r, f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &process);
	/* libvici's threads are ended by a signal; abort(3). */
	allow_if(r, f, SCMP_SYS(tgkill), is(0, getpid()));
	/* The names of threads. */
	allow_if(r, f, SCMP_SYS(prctl), is(0, PR_SET_NAME));
	/* A thread's stack is as large as the limit says. */
	allow_if(r, f, SCMP_SYS(prlimit64), limits);
	/* A reload sees to it once more that there are no core dumps (secret_init); the hard limit is 0 by then. */
	allow_if(r, f, SCMP_SYS(prlimit64), is(1, RLIMIT_CORE));
	allow_if(r, f, SCMP_SYS(setrlimit), is(0, RLIMIT_CORE));
	allow_if_both(r, f, SCMP_SYS(prctl), is(0, PR_SET_DUMPABLE), is(1, 0));
}

static int filter_attributes(scmp_filter_ctx f)
{
	int r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!r)
		r = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* Either may be beyond an older kernel or library: then it is less well logged, or a bit slower. */
	if (!r && seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1))
		log_debug(NULL, "this kernel does not log refused system calls");
	if (!r && seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2))
		log_debug(NULL, "this libseccomp does not sort system calls");
	return r;
}

static int filter_fill(scmp_filter_ctx f)
{
	int r = filter_attributes(f);

	for (size_t i = 0; sandbox_allowed[i] != SANDBOX_END; i++)
		add(&r, f, SCMP_ACT_ALLOW, sandbox_allowed[i], 0, NULL);
	for (size_t i = 0; sandbox_deadly[i] != SANDBOX_END; i++)
		add(&r, f, SCMP_ACT_KILL_PROCESS, sandbox_deadly[i], 0, NULL);
	allow_sockets(&r, f);
	allow_files(&r, f);
	allow_memory(&r, f);
	allow_threads(&r, f);
	return r;
}

/*
 * libc makes a thread by clone3, whose flags are in memory where no filter sees them, and takes clone where that is not known. As this
 * is all right and happens each time, a filter of its own refuses it, which does not log.
 */
static int quiet_load(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int r = f ? seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

	add(&r, f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
	if (!r)
		r = seccomp_load(f);
	if (f)
		seccomp_release(f);
	return r;
}

static void *thread_that_exits(void *user)
{
	pthread_exit(user);
}

/*
 * The end of libvici's threads takes libgcc_s, which libc loads then, as code, and aborts when it cannot (unwind_link). So it is loaded
 * now, for good, and one ends.
 */
static int preload(void)
{
	pthread_t thread;
	int r = dlopen("libgcc_s.so.1", RTLD_NOW) ? 0 : -ELIBACC;

	if (!r)
		r = -pthread_create(&thread, NULL, thread_that_exits, NULL);
	return r ? r : -pthread_join(thread, NULL);
}

int sandbox_load(void)
{
	int r = preload() ?: quiet_load();
	scmp_filter_ctx f = r ? NULL : seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!r)
		r = f ? filter_fill(f) : -ENOMEM;
	if (!r)
		r = seccomp_load(f);
	if (f)
		seccomp_release(f);
	return r;
}

static bool kernel_can(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int sandbox_enter(char *err, size_t err_size)
{
	int r;

	if (SANITIZED) {
		log_debug(NULL, "no filter of system calls: built with a sanitizer");
		return 0;
	}
	if (!kernel_can()) {
		log_warn(NULL, "no filter of system calls: this kernel has no seccomp");
		return 0;
	}
	r = sandbox_load();
	if (r)
		snprintf(err, err_size, "the filter of system calls: %s", strerror(-r));
	else
		log_debug(NULL, "the filter of system calls is in force");
	return r;
}
