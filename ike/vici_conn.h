/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection to charon through libvici: all but ike_vici_interrupt blocks, and belongs to the
 * thread of ike/vici_thread.c alone.
 */
#ifndef GWD_IKE_VICI_CONN_H
#define GWD_IKE_VICI_CONN_H

#include <stdbool.h>

#include "ike/msg.h"

#define IKE_STREAM_NAME_SIZE 32

struct ike_vici;

/*
 * An event, the callee's to free; NULL when it was malformed or memory was out. streamed: it was
 * asked for by ike_vici_stream. Called in a thread of libvici's pool with the connection locked: it
 * must not call anything of this header.
 */
typedef void (*ike_vici_event_fn)(void *user, const char *name, bool streamed,
				  struct ike_msg *event);

/* Starts libvici and its four threads, once; they inherit the caller's signal mask. The caller's
 * thread changes the environment variable STRONGSWAN_CONF for a moment. */
void ike_vici_start(void);

/* Connects. path: charon's socket. 0 or -errno. */
int ike_vici_open(struct ike_vici **out, const char *path, ike_vici_event_fn fn, void *user);
/* Registers the events of ike_session_new. 0 or -errno. */
int ike_vici_listen(struct ike_vici *v);

/*
 * From any thread, while v is there: makes what blocks in v fail soon; v is then only good for
 * ike_vici_close. Needed at charon's death as well: libvici (5.9.8 and 6.0.1, on_read) takes an EOF
 * for "no data yet" when errno happens to be EWOULDBLOCK from some earlier call of its thread; then
 * vici_submit never returns and one of its threads spins.
 */
void ike_vici_interrupt(struct ike_vici *v);
/* No callback comes after it. NULL is fine. */
void ike_vici_close(struct ike_vici *v);

/* Lets the events of a streamed command come ("list-sa"). 0; -ENOSPC when there are too many
 * kinds; any other -errno: the connection is broken. */
int ike_vici_stream(struct ike_vici *v, const char *name);

/* Takes the request. The answer is the caller's; or NULL with *err: -ENOENT for an unknown
 * command, -ENOMEM, and with *broken set, for the connection is of no use any more, -ECONNRESET,
 * -EBADMSG. */
struct ike_msg *ike_vici_submit(struct ike_vici *v, struct ike_msg *request, int *err,
				bool *broken);

#endif
