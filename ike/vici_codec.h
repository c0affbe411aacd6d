/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our messages to libvici's and back. Private to ike/vici_conn.c.
 *
 * SECURITY: libvici copies a request, secrets included, into memory of its own that it frees
 * without wiping. What is ours is in guarded memory and wiped; a secret's copies in libvici and in
 * the socket's buffers are out of our reach, as charon's are.
 */
#ifndef GWD_IKE_VICI_CODEC_H
#define GWD_IKE_VICI_CODEC_H

#include "ike/libvici.h"
#include "ike/msg.h"

/* A request for vici_submit, the caller's. The message must be ike_msg_valid. NULL when out of
 * memory. */
vici_req_t *ike_codec_encode(const struct ike_msg *m);

/* A copy of an answer (name "") or an event, the caller's. NULL when it is malformed or memory
 * is out. */
struct ike_msg *ike_codec_decode(vici_res_t *res, const char *name);

#endif
