/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection to charon through libvici; entry function ike_vici_open. Neighbours:
 * ike/vici_thread.c, whose thread lives here, and ike/vici_codec.c. Only these two files call
 * libvici; what must be known of it is in ike/libvici.h.
 */
#include "ike/vici_conn.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ike/libvici.h"
#include "ike/vici_codec.h"

#define STREAMS_MAX 8
#define CLIENTS_MAX 64

struct ike_vici {
	vici_conn_t *conn;
	int fd; /* libvici's, for ike_vici_interrupt alone; -1 when it was not found */
	ike_vici_event_fn fn;
	void *user;
	char streams[STREAMS_MAX][IKE_STREAM_NAME_SIZE]; /* registered */
	size_t n_streams;
};

static const char *const event_names[] = {
	"ike-updown", "ike-rekey", "ike-update", "child-updown", "child-rekey", "log",
};

static pthread_once_t start_once = PTHREAD_ONCE_INIT;

/*
 * The configuration file that libvici would read is charon's, of no use to a client: an empty name
 * is an empty configuration (/dev/null is refused). What libvici logs would go to our stderr; every
 * failure reaches us through errno as well.
 */
static void start(void)
{
	const char *before = getenv("STRONGSWAN_CONF");
	char *kept = before ? strdup(before) : NULL;

	setenv("STRONGSWAN_CONF", "", 1);
	vici_init();
	if (kept)
		setenv("STRONGSWAN_CONF", kept, 1);
	else
		unsetenv("STRONGSWAN_CONF");
	free(kept);

	/* libstrongswan's, behind libvici, which has nothing for it. */
	void (*set_level)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "dbg_default_set_level");
	if (set_level)
		set_level(-1);
}

void ike_vici_start(void)
{
	pthread_once(&start_once, start);
}

static void event_callback(void *user, char *name, vici_res_t *res)
{
	struct ike_vici *v = user;

	v->fn(v->user, name, false, ike_codec_decode(res, name));
}

static void stream_callback(void *user, char *name, vici_res_t *res)
{
	struct ike_vici *v = user;

	v->fn(v->user, name, true, ike_codec_decode(res, name));
}

/* An event that this charon does not know is none. */
static int conn_register(struct ike_vici *v, const char *name, vici_event_cb_t cb)
{
	errno = 0;
	if (vici_register(v->conn, (char *)name, cb, v) == 0 || errno == ENOENT)
		return 0;
	return errno ? -errno : -ECONNRESET;
}

/* fd is connected, as a client, to the socket at path (which may be reached by another name than
 * charon's). */
static bool is_client_of(int fd, const char *path)
{
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof(peer) - 1; /* keeps a NUL behind the name */
	struct stat theirs, ours;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) || peer.sun_family != AF_UNIX ||
	    peer.sun_path[0] != '/')
		return false;
	return stat(peer.sun_path, &theirs) == 0 && stat(path, &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* Our descriptors connected to path, up to max. */
static size_t clients_of(const char *path, int *fds, size_t max)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	size_t n = 0;

	while (dir && n < max && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && is_client_of(fd, path))
			fds[n++] = fd;
	}
	if (dir)
		closedir(dir);
	return n;
}

/* The descriptor that came since before was read; -1 unless it is exactly one. */
static int client_since(const char *path, const int *before, size_t n_before)
{
	int now[CLIENTS_MAX], found = -1;
	size_t n = clients_of(path, now, CLIENTS_MAX);

	for (size_t i = 0; i < n; i++) {
		bool old = false;

		for (size_t j = 0; j < n_before; j++)
			old |= before[j] == now[i];
		if (!old && found >= 0)
			return -1;
		if (!old)
			found = now[i];
	}
	return found;
}

int ike_vici_open(struct ike_vici **out, const char *path, ike_vici_event_fn fn, void *user)
{
	char uri[sizeof("unix://") + sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct ike_vici *v = calloc(1, sizeof(*v));
	int before[CLIENTS_MAX];

	if (!v)
		return -ENOMEM;
	v->fn = fn;
	v->user = user;
	snprintf(uri, sizeof(uri), "unix://%s", path);
	size_t n_before = clients_of(path, before, CLIENTS_MAX);
	errno = 0;
	v->conn = vici_connect(uri);
	if (!v->conn) {
		free(v);
		return errno ? -errno : -ECONNREFUSED;
	}
	v->fd = client_since(path, before, n_before);
	*out = v;
	return 0;
}

int ike_vici_listen(struct ike_vici *v)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(event_names) / sizeof(*event_names); i++)
		rc = conn_register(v, event_names[i], event_callback);
	return rc;
}

/*
 * The number stays libvici's, to be closed by vici_disconnect. What is behind it becomes something
 * that is no socket, so that the next recv fails with an error that cannot be mistaken; the
 * shutdown wakes those who wait for data.
 */
void ike_vici_interrupt(struct ike_vici *v)
{
	int null;

	if (v->fd < 0)
		return;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	shutdown(v->fd, SHUT_RDWR);
	if (null < 0)
		return;
	dup3(null, v->fd, O_CLOEXEC);
	close(null);
	v->fd = -1;
}

void ike_vici_close(struct ike_vici *v)
{
	if (!v)
		return;
	/* vici_disconnect waits for its threads, and one may wait for the rest of a packet that
	 * never comes. */
	ike_vici_interrupt(v);
	vici_disconnect(v->conn);
	free(v);
}

/* Never taken back: charon sends these only to a client that asks with a command. */
int ike_vici_stream(struct ike_vici *v, const char *name)
{
	for (size_t i = 0; i < v->n_streams; i++)
		if (strcmp(v->streams[i], name) == 0)
			return 0;
	if (v->n_streams == STREAMS_MAX || strlen(name) >= IKE_STREAM_NAME_SIZE)
		return -ENOSPC;
	int rc = conn_register(v, name, stream_callback);
	if (!rc)
		strcpy(v->streams[v->n_streams++], name);
	return rc;
}

struct ike_msg *ike_vici_submit(struct ike_vici *v, struct ike_msg *request, int *err, bool *broken)
{
	vici_req_t *req = ike_codec_encode(request);

	/* Secrets of ours are wiped now, not when the answer comes. */
	ike_msg_free(request);
	*err = req ? 0 : -ENOMEM;
	*broken = false;
	if (!req)
		return NULL;
	errno = 0;
	vici_res_t *res = vici_submit(req, v->conn);
	if (!res) {
		*broken = errno != ENOENT;
		*err = errno == EBADMSG || errno == ENOENT ? -errno : -ECONNRESET;
		return NULL;
	}
	struct ike_msg *answer = ike_codec_decode(res, "");
	vici_free_res(res);
	*broken = !answer;
	*err = answer ? 0 : -EBADMSG;
	return answer;
}
