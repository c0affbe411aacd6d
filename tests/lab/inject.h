/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests/lab/preload/inject.c, within the process under test, and tests/lab/syscalls/process.c, which directs it, share: a file
 * that both map, and the list of system calls that are counted.
 */
#ifndef GWD_TESTS_LAB_INJECT_H
#define GWD_TESTS_LAB_INJECT_H

#include <stdatomic.h>
#include <stdint.h>

#define INJECT_VARIABLE "GWD_INJECT" /* names the file */
#define INJECT_FORK "GWD_INJECT_FORK" /* a socket: copies on demand */
#define INJECT_MAGIC 0x696e6a31u

enum inject_scope { INJECT_MAIN, INJECT_THREADS, INJECT_SCOPES };

struct inject {
	uint32_t magic;
	_Atomic uint32_t scope; /* enum inject_scope: whose calls `at` numbers */
	_Atomic int32_t error; /* 0: the process is killed as it makes the call */
	_Atomic uint32_t times; /* calls in a row that fail */
	_Atomic uint64_t
		seen[INJECT_SCOPES]; /* calls so far, each one's number being the count before it */
	_Atomic uint64_t at; /* the first that is hit; UINT64_MAX: none */
	_Atomic uint64_t hits;
	_Atomic uint32_t last; /* the number of the system call that was hit last */
};

/*
 * Not there: what cannot fail in what gwd does with it (munmap, futex, madvise, exit), what has no number that could be
 * returned as an error (brk), and clone, whose child would return on the stack of the handler; pthread_create fails by mmap.
 */
/* clang-format off */
#define INJECT_CALLS(X) \
	X(read) X(write) X(readv) X(writev) X(pread64) X(open) X(openat) X(close) X(stat) \
	X(fstat) X(lstat) X(newfstatat) X(access) X(readlink) X(getdents64) X(lseek) \
	X(fcntl) X(ioctl) X(dup) X(dup2) X(dup3) X(pipe2) X(poll) X(ppoll) X(select) \
	X(pselect6) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(epoll_pwait) X(eventfd2) \
	X(timerfd_create) X(timerfd_settime) X(socket) X(socketpair) X(connect) X(accept) \
	X(accept4) X(bind) X(listen) X(shutdown) X(getsockname) X(getpeername) \
	X(setsockopt) X(getsockopt) X(sendto) X(sendmsg) X(sendmmsg) X(recvfrom) \
	X(recvmsg) X(mmap) X(mprotect) X(mlock) X(prctl) X(prlimit64) X(capget) X(unlink) \
	X(unlinkat) X(mkdir) X(rename) X(renameat) X(fsync) X(ftruncate) X(chmod) \
	X(fchmod) X(chown) X(fchown) X(uname) X(getrandom)
/* clang-format on */

#endif
