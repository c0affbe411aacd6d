// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which system calls gwd may make after its start, and which end it: two tables for daemon/sandbox.c, which has those whose
 * arguments matter. Each line says who needs it. Older and newer names of one thing stand together, as libc and architecture
 * choose among them.
 */
#include "daemon/sandbox_calls.h"

#include <seccomp.h>

const int sandbox_allowed[] = {
	/* the main loop: libevent */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), /* instead of epoll_wait on newer architectures */
	SCMP_SYS(epoll_pwait2), /* with nanoseconds, in newer libevents */
	SCMP_SYS(epoll_ctl), /* clients, name servers and charon's sockets come and go */
	SCMP_SYS(timerfd_settime), /* its precise timers, where it is told to use them */
	SCMP_SYS(timerfd_settime64),

	/* talking: netlink, gwctl, charon, name servers, systemd */
	SCMP_SYS(connect), /* to charon, name servers, systemd */
	SCMP_SYS(accept4), /* gwctl */
	SCMP_SYS(accept), /* the same where libevent was built without accept4 */
	SCMP_SYS(read), /* files too */
	SCMP_SYS(readv), /* evbuffers */
	SCMP_SYS(write), /* log lines, eventfds, the MPLS sysctl */
	SCMP_SYS(writev), /* evbuffers */
	SCMP_SYS(recv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), /* libmnl */
	SCMP_SYS(send),
	SCMP_SYS(sendto), /* libmnl, libvici */
	SCMP_SYS(sendmsg), /* libnftables, sd_notify */
	SCMP_SYS(shutdown), /* ends what libvici waits for */
	SCMP_SYS(getsockopt), /* who is at the control socket; what connecting came to */
	SCMP_SYS(getsockname), /* libmnl: its own netlink address */
	SCMP_SYS(getpeername), /* which descriptor is libvici's */
	SCMP_SYS(poll), /* libvici's watcher, evutil */
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(select), /* libnftables, between the parts of a batch */
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),

	/* descriptors */
	SCMP_SYS(close),
	SCMP_SYS(fcntl), /* non-blocking, close-on-exec */
	SCMP_SYS(fcntl64),
	SCMP_SYS(dup), /* of the eventfd, for the thread (ike/vici_thread.c) */
	SCMP_SYS(dup3), /* takes a descriptor from under libvici (ike/vici_conn.c) */
	SCMP_SYS(eventfd2), /* a session with another charon after a reload */
	SCMP_SYS(pipe2), /* libvici's watcher wakes itself by one */
	SCMP_SYS(pipe),

	/* files, of which it only reads; which ones gwd's user may, is for the file system to say */
	SCMP_SYS(stat), /* has a secret's file changed since? which socket is charon's? */
	SCMP_SYS(stat64),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(fstat), /* owner and mode of what was opened */
	SCMP_SYS(fstat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(access), /* which folder is closed to us (lib/owner.c) */
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(getdents), /* tunnels.d, /proc/self/fd */
	SCMP_SYS(getdents64),
	SCMP_SYS(lseek), /* stdio */
	SCMP_SYS(_llseek),
	SCMP_SYS(unlink), /* the control socket, at the end */
	SCMP_SYS(unlinkat),

	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap), /* realloc */
	SCMP_SYS(madvise), /* free; secrets stay out of dumps (libsodium) */
	SCMP_SYS(mlock), /* secrets stay out of swap (libsodium) */
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),

	/* threads: ours for charon, and libvici's, which come and go */
	SCMP_SYS(clone3), /* refused before, by the filter that does not log */
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(set_robust_list), /* a new thread's first act in libc */
	SCMP_SYS(rseq), /* its second */
	SCMP_SYS(sched_yield), /* spinning locks */
	SCMP_SYS(sched_getaffinity), /* how many processors: libc's heap, libstrongswan */
	SCMP_SYS(getcpu),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), /* signals are the main thread's */
	SCMP_SYS(sigprocmask),
	SCMP_SYS(rt_sigreturn), /* SIGTERM, SIGHUP */
	SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack), /* frees what a thread had */
	SCMP_SYS(restart_syscall), /* the kernel's own, after a stop */
	SCMP_SYS(exit), /* of a thread */
	SCMP_SYS(exit_group),

	/* time, chance, who and what we are */
	SCMP_SYS(clock_gettime), /* where the vDSO cannot */
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(clock_nanosleep), /* libvici, waiting for its threads */
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(nanosleep),
	SCMP_SYS(getrandom), /* keys of digests, jitter, DNS ids */
	SCMP_SYS(getpid), /* libmnl, sd_notify, DNS ids */
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid), /* whose a secret's file may be */
	SCMP_SYS(geteuid32),
	SCMP_SYS(getuid32),
	SCMP_SYS(getgid), /* faccessat in an older kernel */
	SCMP_SYS(getegid),
	SCMP_SYS(capget), /* libstrongswan, at its start */
	SCMP_SYS(uname), /* the kernel's version, for gwctl version */
	SCMP_SYS(sysinfo), /* qsort asks how much memory there is */
	SCMP_SYS(getrlimit), /* a thread's stack */
	SCMP_SYS(ugetrlimit),
	SANDBOX_END,
};

const int sandbox_deadly[] = {
	/* other programs and processes */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),

	/* other file systems, roots and namespaces */
	SCMP_SYS(mount),
	SCMP_SYS(umount),
	SCMP_SYS(umount2),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsmount),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(open_by_handle_at),

	/* other users and rights */
	SCMP_SYS(setuid),
	SCMP_SYS(setuid32),
	SCMP_SYS(setgid),
	SCMP_SYS(setgid32),
	SCMP_SYS(setreuid),
	SCMP_SYS(setreuid32),
	SCMP_SYS(setregid),
	SCMP_SYS(setregid32),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresuid32),
	SCMP_SYS(setresgid),
	SCMP_SYS(setresgid32),
	SCMP_SYS(setgroups),
	SCMP_SYS(setgroups32),
	SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid),
	SCMP_SYS(capset),

	/* the kernel's own doors, those most often found open */
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(personality),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SANDBOX_END,
};
