/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's side of the vici session: connects with back-off, learns what charon has loaded, loads and unloads, and hands
 * events to daemon/peer.h. All requests are asynchronous; nothing here waits.
 */
#ifndef GWD_DAEMON_CHARON_H
#define GWD_DAEMON_CHARON_H

#include "daemon/gateway.h"

/* A session that is not the gateway's yet. */
struct charon_spare {
	struct ike_session *session;
	struct event *event, *timer;
};

/* Makes one for this socket; all that can fail. 0, or -errno and *out is empty. */
int charon_prepare(struct gateway *gw, const char *socket, struct charon_spare *out);
/* Puts it in the place of the one there is, and connects. */
void charon_replace(struct gateway *gw, struct charon_spare *spare);
void charon_spare_free(struct charon_spare *spare);

/* The two at the start. */
int charon_init(struct gateway *gw);
/* Runs the loop until charon has told what it has loaded, is found absent, or ms have passed: then the first plan has its
 * connections too, and charon loads them while the kernel makes links. */
void charon_await(struct gateway *gw, unsigned ms);
void charon_done(struct gateway *gw);

bool charon_connected(const struct gateway *gw);
enum health_charon charon_health(const struct gateway *gw);

/* Submits, and keeps the deadline timer right. Takes the request. */
int charon_submit(struct gateway *gw, struct ike_msg *request, const char *stream,
		  ike_reply_fn reply, void *user);

/* Asks again what charon has loaded (somebody may have run `swanctl --load-all`), then marks all. */
void charon_query_loaded(struct gateway *gw);

/*
 * Plan actions of kinds secret and connection; what fails later is told in the tunnel's `refused`. 0, or -ENOMEM: some of it was
 * not sent.
 */
int charon_load_secret(struct gateway *gw, const struct object_secret *s);
int charon_load_conns(struct gateway *gw, const struct object_conn *const *conns, size_t n);
void charon_unload_secret(struct gateway *gw, const char *name);
/* Terminates its IKE_SAs, then unloads it. */
void charon_unload_conn(struct gateway *gw, const char *name);

/* Adds what is loaded to the seen objects: all of ours, or (only, n) what these tunnels could have, and the private key. */
int charon_observe(const struct gateway *gw, const int *only, size_t n, struct objects *out);

/* Why a request had no answer, by its code (ike/session.h), for people. */
const char *charon_error_text(int code);

#endif
