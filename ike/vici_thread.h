/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that owns libvici's connection and blocks in it. Private to ike/session.c, whose
 * thread calls all of this; nothing here blocks, but for ike_thread_end with a wait.
 *
 * A generation is one connection, from ike_thread_connect on; every output carries the one it
 * belongs to.
 */
#ifndef GWD_IKE_VICI_THREAD_H
#define GWD_IKE_VICI_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/vici_job.h"

struct ike_thread;

/* Starts libvici on first use, and the thread. wake_fd is an eventfd, written when there is
 * output; it is duplicated. -ENOMEM, or what pthread_create or dup says. */
int ike_thread_new(struct ike_thread **out, const char *socket_path, int wake_fd);

/* Ends the thread, interrupting what it does; one that does not end within wait_ms is left to
 * itself, and ends when libvici lets it. */
void ike_thread_end(struct ike_thread *t, unsigned wait_ms);

/* It is in libvici now. */
bool ike_thread_busy(struct ike_thread *t);

/* Drops what is queued, and the connection, interrupting what is under way; then connects, or
 * not. */
void ike_thread_connect(struct ike_thread *t, uint64_t generation);
void ike_thread_disconnect(struct ike_thread *t, uint64_t generation);

/* Takes the request when it returns true; stream as in ike_session_submit. False: out of memory. */
bool ike_thread_submit(struct ike_thread *t, uint64_t id, struct ike_msg *request,
		       const char *stream);

/* Drops a request that was not begun. */
void ike_thread_cancel(struct ike_thread *t, uint64_t id);

/* All outputs, oldest first; the caller's, for ike_output_free. */
struct ike_output *ike_thread_take(struct ike_thread *t);

#endif
