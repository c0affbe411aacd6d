/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our messages to libvici's and back. Private to ike/vici_conn.c.
 *
 * SECURITY: libvici copies a request, secrets included, into memory of its own, and wipes it when it was sent, but not what it left
 * behind while it grew: a secret is the last item of its message (ike/request.c). The socket's buffers and charon are out of our reach.
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
