/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes from clients of the control socket, through daemon/control.c and the verbs as they are, into a gateway upon the models
 * (model_*.h): framing, JSON, sizes, several requests, half lines, clients that close in between. The socket is a real one in
 * a folder of its own. The input is steps: open a client, write what follows, read, close, let time pass; or only text, which one
 * client then sends as one request.
 *
 * What must hold: each answer is one line of JSON with an exit status; none of it comes twice; no client is left
 * behind; what only root may do is done for root alone.
 */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control.h"
#include "lib/protocol.h"
#include "tests/fuzz/model_gateway.h"

#define CLIENTS 4
#define ANSWER_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	int fd;
	char *got;
	size_t n;
	bool ended;
} clients[CLIENTS];

static struct event_base *base;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static bool as_root;
static char folder[] = "/tmp/gwd-fuzz.XXXXXX";

/* Who is asking: the input says. */
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len)
{
	int r = __real_getsockopt(fd, level, name, value, len);

	if (level == SOL_SOCKET && name == SO_PEERCRED)
		((struct ucred *)value)->uid = as_root ? 0 : 1000;
	return r;
}

static void model_changed(struct world *before, struct world *after)
{
	(void)before, (void)after;
}

static void folder_remove(void)
{
	rmdir(folder);
}

static void once(void)
{
	if (base)
		return;
	signal(SIGPIPE, SIG_IGN); /* as daemon/main.c */
	require(mkdtemp(folder) != NULL);
	atexit(folder_remove);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" PROTOCOL_SOCKET, folder);
	base = event_base_new();
	require(base != NULL);
}

int __real_event_base_loop(struct event_base *base, int flags);

/* The listener's is a real socket, of which the model of the loop knows nothing. */
static void knock(void)
{
	for (struct model_event *ev = model_events; ev; ev = ev->next) {
		socklen_t len = sizeof(int);
		int listens = 0;

		if (!ev->armed || ev->fd < 0 ||
		    __real_getsockopt(ev->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) ||
		    !listens)
			continue;
		model_fire(ev);
		return;
	}
}

/* Sockets and the model's own events, until both are done. */
static void turn(uint64_t ms)
{
	for (int i = 0; i < 3; i++) {
		knock();
		__real_event_base_loop(base, EVLOOP_NONBLOCK);
		model_run(ms / 3);
	}
}

static void client_open(unsigned i)
{
	if (clients[i].fd >= 0)
		return;
	clients[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	require(clients[i].fd >= 0);
	require(!connect(clients[i].fd, (struct sockaddr *)&address, sizeof(address)));
	clients[i].n = 0;
	clients[i].ended = false;
}

/* A greeting, lines of progress, one answer: each a line, each JSON. */
static void check_lines(unsigned i)
{
	size_t at = 0, lines = 0, answers = 0;
	char *end;

	while ((end = memchr(clients[i].got + at, '\n', clients[i].n - at))) {
		json_t *o = json_loadb(clients[i].got + at, (size_t)(end - clients[i].got) - at, 0,
				       NULL);

		require(json_is_object(o));
		require(lines++ || json_is_integer(json_object_get(o, "protocol")));
		if (json_is_integer(json_object_get(o, "exit"))) {
			answers++;
			require(json_object_get(o, "result") ||
				json_is_string(json_object_get(o, "error")));
		}
		json_decref(o);
		at = (size_t)(end - clients[i].got) + 1;
	}
	require(answers <= 1);
	if (clients[i].ended)
		require(at == clients[i].n); /* the last line is whole */
}

static void client_read(unsigned i)
{
	ssize_t n = 1;

	while (clients[i].fd >= 0 && n > 0 && clients[i].n < ANSWER_MAX) {
		n = read(clients[i].fd, clients[i].got + clients[i].n, ANSWER_MAX - clients[i].n);
		if (n > 0)
			clients[i].n += (size_t)n;
		clients[i].ended |= n == 0;
	}
}

static void client_close(unsigned i)
{
	if (clients[i].fd < 0)
		return;
	client_read(i);
	if (clients[i].n < ANSWER_MAX)
		check_lines(i);
	close(clients[i].fd);
	clients[i].fd = -1;
}

static void client_write(unsigned i, const uint8_t *at, size_t n)
{
	if (clients[i].fd >= 0 && send(clients[i].fd, at, n, MSG_NOSIGNAL) < 0)
		return; /* it was closed there */
}

static void steps(const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 2) {
		unsigned op = at[0] % 8, i = at[0] / 8 % CLIENTS;
		size_t n = at[1];

		at += 2;
		n = n < (size_t)(end - at) ? n : (size_t)(end - at);
		if (op <= 1) {
			client_open(i);
		} else if (op <= 4) {
			client_write(i, at, n);
			at += n;
		} else if (op == 5) {
			client_read(i);
		} else if (op == 6) {
			client_close(i);
		} else {
			turn((uint64_t)n * n);
		}
	}
}

static void one_request(const uint8_t *at, size_t n)
{
	client_open(0);
	turn(3);
	client_write(0, at, n);
	client_write(0, (const uint8_t *)"\n", 1);
}

static void begin(void)
{
	static const char tunnels[] =
		"gateway:\n  id: hq.example.net\n  local: wan0\n  key: /etc/gwd/gwd.key\ntunnels:\n"
		"  a:\n    remote: 192.0.2.1\n    peer: {id: a.example.net}\n    psk: /etc/gwd/a.psk\n"
		"    addresses: [10.255.0.1/30]\n"
		"  b:\n    remote: 192.0.2.2\n    protect: none\n    addresses: [10.255.1.1/30]\n"
		"  c:\n    remote: any\n    gre-key: 7\n    peer: {id: c.example.net}\n    psk: /etc/gwd/c.psk\n"
		"  d:\n    remote: hub.example.net\n    start: on-traffic\n    peer: {id: d.example.net}\n"
		"    psk: /etc/gwd/d.psk\n";
	char err[256];

	once();
	model_begin();
	strcpy(conf_text, tunnels);
	require(gateway_begin());
	gw.base = base;
	gw.run_dir = folder;
	require(!control_init(&gw, err, sizeof(err)));
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i].fd = -1;
		if (!clients[i].got)
			clients[i].got = malloc(ANSWER_MAX);
		require(clients[i].got != NULL);
	}
	model_run(1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	uint8_t how = *data++;

	as_root = how & 1;
	begin();
	bool torn = gw.torn_down;
	if (how & 2)
		steps(data, data + size - 1);
	else
		one_request(data, size - 1);
	turn(30);
	if (!(how & 2)) {
		client_read(0);
		require(clients[0].n > 0); /* the greeting at least */
	}
	charon.still = how & 4;
	turn(30000);
	if (!as_root) {
		require(gw.torn_down == torn);
		for (size_t i = 0; i < gw.conf->n_tunnels; i++)
			require(!gw.tunnels[i].held);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		client_close(i);
	turn(30);
	control_done(&gw);
	gateway_end();
	return 0;
}
