/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A charon that misbehaves, for tests of the session: a thread that speaks just enough of vici's
 * packet layer (the plugin's README, "Transport protocol") to confirm event registrations, and
 * treats commands as it is told.
 */
#ifndef GWD_TESTS_IKE_FAKE_H
#define GWD_TESTS_IKE_FAKE_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum fake_mode {
	FAKE_ANSWER,
	FAKE_SILENT, /* to commands, until fake_release */
	FAKE_NO_CONFIRM, /* of events, until fake_release */
	FAKE_CLOSE, /* all connections, on a command */
	FAKE_HALF, /* half an answer, then close */
	FAKE_GARBAGE, /* an unknown kind of packet */
	FAKE_HUGE, /* a length over the limit */
	FAKE_EMPTY, /* a length of nothing */
	FAKE_BAD_BODY, /* an answer whose elements make no sense */
	FAKE_OPEN_BODY, /* an answer with a section that does not close */
	FAKE_UNKNOWN, /* the command is not known */
	FAKE_FLOOD, /* events before the answer */
	FAKE_OLDER, /* neither a command nor an event is known */
	FAKE_NEWER, /* answers and events with keys, lists and sections nobody has heard of */
	FAKE_CLOSE_WATCH, /* the connection that never sends, on a command; the other stays */
};

#define FAKE_CONNS 8

struct fake {
	char path[108];
	int listener, wake;
	pthread_t thread;
	atomic_int mode;
	atomic_bool stop, release, drop;
	atomic_bool once; /* a release keeps the mode */
	atomic_uint commands;
	unsigned flood;
	atomic_bool drained; /* the flood was read by the other side */
	int fds[FAKE_CONNS];
	bool sent[FAKE_CONNS]; /* it has sent something */
	int pending; /* the connection that waits for the answer to be released; -1 */
	uint8_t pending_kind;
};

static inline void fake_send(int fd, uint8_t kind, const void *body, size_t size)
{
	uint8_t packet[512];
	uint32_t len = htonl((uint32_t)size + 1);

	memcpy(packet, &len, 4);
	packet[4] = kind;
	if (size)
		memcpy(packet + 5, body, size);
	send(fd, packet, 5 + size, MSG_NOSIGNAL);
}

static inline void fake_answer(int fd)
{
	static const char yes[] = "\3\7success\0\3yes";

	fake_send(fd, 1, yes, sizeof(yes) - 1);
}

static inline void fake_log(int fd)
{
	static const char event[] = "\3log\3\3msg\0\5hello";

	fake_send(fd, 7, event, sizeof(event) - 1);
}

static inline void fake_newer(int fd)
{
	static const char event[] = "\3\3new\0\1x\1\4what\4\4list\5\0\1y\6\2\3\2up\0\5maybe";
	static const char answer[] = "\1\4what\1\6nested\3\3key\0\5value\2\2"
				     "\4\4list\5\0\1y\5\0\1z\6\3\7success\0\3yes\3\5color\0\4blue";
	uint8_t named[256] = {12};

	memcpy(named + 1, "child-updown", 12);
	memcpy(named + 13, event, sizeof(event) - 1);
	fake_send(fd, 7, named, 13 + sizeof(event) - 1);
	fake_send(fd, 1, answer, sizeof(answer) - 1);
}

static inline void fake_close(struct fake *f, int i)
{
	if (f->fds[i] >= 0)
		close(f->fds[i]);
	f->fds[i] = -1;
	f->sent[i] = false;
	if (f->pending == i)
		f->pending = -1;
}

static inline void fake_close_all(struct fake *f, bool only_watch)
{
	for (int i = 0; i < FAKE_CONNS; i++)
		if (!only_watch || !f->sent[i])
			fake_close(f, i);
}

static inline void fake_raw(struct fake *f, int i, const char *bytes, size_t size)
{
	send(f->fds[i], bytes, size, MSG_NOSIGNAL);
}

static inline void fake_drain(struct fake *f, int fd)
{
	int unread = 1;

	for (int i = 0; i < 3000 && unread; i++) {
		ioctl(fd, SIOCOUTQ, &unread);
		usleep(10000);
	}
	atomic_store(&f->drained, unread == 0);
}

static inline void fake_command(struct fake *f, int i)
{
	int fd = f->fds[i];

	atomic_fetch_add(&f->commands, 1);
	switch ((enum fake_mode)atomic_load(&f->mode)) {
	case FAKE_ANSWER:
	case FAKE_NO_CONFIRM:
		fake_answer(fd);
		break;
	case FAKE_SILENT:
		f->pending = i;
		f->pending_kind = 1;
		break;
	case FAKE_CLOSE:
		fake_close_all(f, false);
		break;
	case FAKE_CLOSE_WATCH:
		fake_close_all(f, true);
		break;
	case FAKE_HALF:
		fake_raw(f, i, "\0\0\0\x40\1\3\7suc", 10);
		fake_close_all(f, false);
		break;
	case FAKE_GARBAGE:
		fake_send(fd, 0xee, "garbage", 7);
		break;
	case FAKE_HUGE:
		fake_raw(f, i, "\xff\xff\xff\xff\1", 5);
		break;
	case FAKE_EMPTY:
		fake_raw(f, i, "\0\0\0\0", 4);
		break;
	case FAKE_BAD_BODY:
		fake_send(fd, 1, "\x09\x09\x09", 3);
		break;
	case FAKE_OPEN_BODY:
		fake_send(fd, 1, "\1\1s", 3);
		break;
	case FAKE_NEWER:
		fake_newer(fd);
		break;
	case FAKE_OLDER:
	case FAKE_UNKNOWN:
		fake_send(fd, 2, NULL, 0);
		break;
	case FAKE_FLOOD:
		for (unsigned n = 0; n < f->flood; n++)
			fake_log(fd);
		fake_answer(fd);
		fake_drain(f, fd);
		break;
	}
}

static inline bool fake_read(int fd, void *bytes, size_t size)
{
	return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static inline void fake_packet(struct fake *f, int i)
{
	uint8_t body[4096];
	uint32_t len;

	if (!fake_read(f->fds[i], &len, 4) || ntohl(len) > sizeof(body) ||
	    !fake_read(f->fds[i], body, ntohl(len))) {
		fake_close(f, i);
		return;
	}
	f->sent[i] = true;
	if (body[0] == 0) {
		fake_command(f, i);
	} else if (body[0] == 3 && atomic_load(&f->mode) == FAKE_NO_CONFIRM) {
		f->pending = i;
		f->pending_kind = 5;
	} else if (body[0] == 3) {
		fake_send(f->fds[i], atomic_load(&f->mode) == FAKE_OLDER ? 6 : 5, NULL, 0);
	}
}

static inline void fake_released(struct fake *f)
{
	if (!atomic_exchange(&f->release, false) || f->pending < 0)
		return;
	if (!atomic_load(&f->once))
		atomic_store(&f->mode, FAKE_ANSWER);
	if (f->pending_kind == 5)
		fake_send(f->fds[f->pending], 5, NULL, 0);
	else
		fake_answer(f->fds[f->pending]);
	f->pending = -1;
}

static inline void fake_accept(struct fake *f)
{
	int fd = accept(f->listener, NULL, NULL);

	for (int i = 0; fd >= 0 && i < FAKE_CONNS; i++) {
		if (f->fds[i] < 0) {
			f->fds[i] = fd;
			return;
		}
	}
	close(fd);
}

static inline void *fake_main(void *user)
{
	struct fake *f = user;

	while (!atomic_load(&f->stop)) {
		struct pollfd p[FAKE_CONNS + 2] = {{.fd = f->listener, .events = POLLIN},
						   {.fd = f->wake, .events = POLLIN}};
		eventfd_t n;

		for (int i = 0; i < FAKE_CONNS; i++)
			p[i + 2] = (struct pollfd){.fd = f->fds[i], .events = POLLIN};
		poll(p, FAKE_CONNS + 2, -1);
		if (p[1].revents)
			eventfd_read(f->wake, &n);
		fake_released(f);
		if (atomic_exchange(&f->drop, false))
			fake_close_all(f, false);
		if (p[0].revents)
			fake_accept(f);
		for (int i = 0; i < FAKE_CONNS; i++)
			if (p[i + 2].revents && f->fds[i] == p[i + 2].fd)
				fake_packet(f, i);
	}
	return NULL;
}

/* Folder must exist. */
static inline bool fake_start(struct fake *f, const char *path, enum fake_mode mode)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	for (int i = 0; i < FAKE_CONNS; i++)
		f->fds[i] = -1;
	f->pending = -1;
	f->mode = mode;
	f->wake = eventfd(0, EFD_NONBLOCK);
	f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(f->listener, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	       listen(f->listener, 3) == 0 && pthread_create(&f->thread, NULL, fake_main, f) == 0;
}

static inline void fake_wake(struct fake *f)
{
	eventfd_write(f->wake, 1);
}

static inline void fake_release(struct fake *f)
{
	atomic_store(&f->release, true);
	fake_wake(f);
}

/* As a killed charon: every connection ends at once. */
static inline void fake_drop(struct fake *f)
{
	atomic_store(&f->drop, true);
	fake_wake(f);
}

static inline void fake_stop(struct fake *f)
{
	atomic_store(&f->stop, true);
	fake_wake(f);
	pthread_join(f->thread, NULL);
	fake_close_all(f, false);
	close(f->listener);
	close(f->wake);
	unlink(f->path);
}

#endif
