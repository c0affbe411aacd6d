/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's side of the vici session: connects with back-off, learns what charon has loaded, loads and unloads, and hands
 * events to daemon/peer.h. All requests are asynchronous; nothing here waits.
 */
#ifndef GWD_DAEMON_CHARON_H
#define GWD_DAEMON_CHARON_H

#include "daemon/gateway.h"

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

/* Plan actions of kinds secret and connection; what fails later is told in the tunnel's `refused`. */
void charon_load_secret(struct gateway *gw, const struct object_secret *s);
void charon_load_conns(struct gateway *gw, const struct object_conn *const *conns, size_t n);
void charon_unload_secret(struct gateway *gw, const char *name);
/* Terminates its IKE_SAs, then unloads it. */
void charon_unload_conn(struct gateway *gw, const char *name);

/* Adds what is loaded to the seen objects: all of ours, or (only, n) what these tunnels could have, and the private key. */
int charon_observe(const struct gateway *gw, const int *only, size_t n, struct objects *out);

#endif
