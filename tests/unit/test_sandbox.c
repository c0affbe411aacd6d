// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter of system calls (daemon/sandbox.c), each case in a child under it: what gwd needs works, what it does not need fails
 * softly, and what only an intruder would do ends the process, in threads made before and after.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/sandbox.h"
#include "lib/secret.h"

#define KILLED 1000 /* by SIGSYS */

/* What became of a child that runs fn under the filter: its exit status, or KILLED. */
static int under_filter(int (*fn)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (sandbox_load())
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* The errno of a call, 0 when it worked. */
#define RESULT(call) ((call) < 0 ? errno : 0)

static int socket_result(int family, int type, int protocol)
{
	return RESULT(socket(family, type | SOCK_CLOEXEC, protocol));
}

static int sockets_of_gwd(void)
{
	int r = socket_result(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	r = r ?: socket_result(AF_UNIX, SOCK_DGRAM, 0);
	r = r ?: socket_result(AF_INET, SOCK_DGRAM, 0);
	r = r ?: socket_result(AF_INET6, SOCK_DGRAM, 0) % EAFNOSUPPORT;
	r = r ?: socket_result(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	return r ?: socket_result(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static int files_are_read(void)
{
	char byte;
	struct stat st;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd < 0 || fstat(fd, &st) || read(fd, &byte, 1) != 1 || close(fd) ||
	       stat("/etc", &st);
}

static int secrets_are_kept(void)
{
	char err[256];
	struct secret *s = secret_new(32);
	int r = secret_init(err, sizeof(err)) || !s;

	secret_free(s);
	return r;
}

static void *thread_main(void *user)
{
	prctl(PR_SET_NAME, "a thread");
	pthread_exit(user);
}

static int threads_come_and_go(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, thread_main, NULL) || pthread_join(thread, NULL))
			return 1;
	return 0;
}

static void *thread_that_waits(void *user)
{
	for (;;)
		pause();
	return user;
}

static int threads_are_cancelled(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, thread_that_waits, NULL) || pthread_cancel(thread) ||
	       pthread_join(thread, NULL);
}

static int descriptors(void)
{
	char name[IF_NAMESIZE];
	int fd = eventfd(0, EFD_CLOEXEC);

	return fd < 0 || dup(fd) < 0 || !if_indextoname(1, name) ||
	       fcntl(fd, F_SETFL, O_NONBLOCK) || close(fd);
}

static void test_what_gwd_needs(void **unused)
{
	(void)unused;
	assert_int_equal(under_filter(sockets_of_gwd), 0);
	assert_int_equal(under_filter(files_are_read), 0);
	assert_int_equal(under_filter(secrets_are_kept), 0);
	assert_int_equal(under_filter(threads_come_and_go), 0);
	assert_int_equal(under_filter(threads_are_cancelled), 0);
	assert_int_equal(under_filter(descriptors), 0);
}

static int socket_packet(void)
{
	return socket_result(AF_PACKET, SOCK_RAW, 0);
}

static int socket_vsock(void)
{
	return socket_result(AF_VSOCK, SOCK_STREAM, 0);
}

static int socket_tcp(void)
{
	return socket_result(AF_INET, SOCK_STREAM, 0);
}

static int socket_raw(void)
{
	return socket_result(AF_INET6, SOCK_RAW, 47);
}

static int socket_audit(void)
{
	return socket_result(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static int socket_pair_bound(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return RESULT(bind(fd, (struct sockaddr *)&sa, sizeof(sa.sun_family)));
}

/* IP_XFRM_POLICY and its like take a socket's packets out of IPsec. */
static int socket_option_of_ip(void)
{
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return RESULT(setsockopt(fd, IPPROTO_IP, 17, &one, sizeof(one)));
}

static int file_made(void)
{
	return RESULT(open("/tmp/gwd-test-sandbox", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int file_cut(void)
{
	return RESULT(open("/dev/null", O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static int file_both_ways(void)
{
	return RESULT(open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int file_unnamed(void)
{
	return RESULT(open("/tmp", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
}

static int folder_made(void)
{
	return RESULT(mkdir("/tmp/gwd-test-sandbox", 0700));
}

static int owner_changed(void)
{
	return RESULT(chown("/dev/null", 0, 0));
}

static int code_mapped(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? errno
		       : 0;
}

static int code_made(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return RESULT(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int terminal_fed(void)
{
	return RESULT(ioctl(0, TIOCSTI, "x"));
}

static int other_killed(void)
{
	return RESULT(kill(getppid(), 0));
}

static int other_thread_killed(void)
{
	return RESULT(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int dumpable(void)
{
	return RESULT(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int never_heard_of(void)
{
	return RESULT(syscall(4095));
}

/* The libc of tomorrow tries clone3 first. */
static int thread_by_clone3(void)
{
	return RESULT(syscall(SYS_clone3, NULL, 0));
}

static void test_what_fails_softly(void **unused)
{
	static int (*const refused[])(void) = {
		socket_packet,	     socket_vsock,	socket_tcp,	socket_raw,
		socket_audit,	     socket_pair_bound, file_made,	file_cut,
		file_both_ways,	     file_unnamed,	folder_made,	owner_changed,
		code_mapped,	     code_made,		terminal_fed,	other_killed,
		other_thread_killed, dumpable,		never_heard_of, thread_by_clone3,
		socket_option_of_ip,
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int got = under_filter(refused[i]);

		if (got != ENOSYS)
			fail_msg("case %zu: %d (%s)", i, got, strerror(got < KILLED ? got : 0));
	}
}

static int program_run(void)
{
	char *const argv[] = {"true", NULL};

	execve("/bin/true", argv, argv + 1);
	return 1;
}

static int process_traced(void)
{
	return (int)syscall(SYS_ptrace, 16, getppid(), 0, 0);
}

static int process_made(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int namespace_left(void)
{
	return unshare(CLONE_NEWUSER);
}

static int memory_of_another_read(void)
{
	return (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void *run_program(void *user)
{
	(void)user;
	program_run();
	return NULL;
}

static int program_run_by_new_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, run_program, NULL) || pthread_join(thread, NULL);
}

static void test_what_kills(void **unused)
{
	static int (*const deadly[])(void) = {
		program_run,	process_traced,		process_made,
		namespace_left, memory_of_another_read, program_run_by_new_thread,
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (under_filter(deadly[i]) != KILLED)
			fail_msg("case %zu lives", i);
}

static int go[2];

static void *run_program_later(void *user)
{
	char byte;

	if (read(go[0], &byte, 1) == 1)
		program_run();
	return user;
}

/* libvici's threads may be there already. */
static void test_threads_before(void **unused)
{
	int status;
	pid_t child;

	(void)unused;
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run_program_later, NULL) || sandbox_load() ||
		    write(go[1], "", 1) != 1)
			_exit(99);
		pthread_join(thread, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_gwd_needs),
		cmocka_unit_test(test_what_fails_softly),
		cmocka_unit_test(test_what_kills),
		cmocka_unit_test(test_threads_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
