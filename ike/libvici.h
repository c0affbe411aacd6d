/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few functions of libvici's ABI that we use (libvici.so.0, strongSwan 5.9 and 6.0). The
 * declarations are ours: Debian ships the library without a header. Only ike/vici_conn.c and
 * ike/vici_codec.c may include this.
 *
 * What a caller must know: vici_submit and vici_register block without a limit; event callbacks run
 * in a thread of the library's pool, with the connection locked, and must not submit; a failed call
 * leaves the cause in errno; a write after charon's death raises SIGPIPE; loading the library's
 * core registers the printf conversions b B H N R P T V Y for the whole process (we use none).
 */
#ifndef GWD_IKE_LIBVICI_H
#define GWD_IKE_LIBVICI_H

typedef struct vici_conn_t vici_conn_t;
typedef struct vici_req_t vici_req_t;
typedef struct vici_res_t vici_res_t;

/* What vici_parse found; the numbers are part of the ABI. */
enum ike_vici_parse {
	IKE_VICI_BEGIN_SECTION,
	IKE_VICI_END_SECTION,
	IKE_VICI_BEGIN_LIST,
	IKE_VICI_LIST_ITEM,
	IKE_VICI_END_LIST,
	IKE_VICI_KEY_VALUE,
	IKE_VICI_END,
	IKE_VICI_ERROR,
};

typedef void (*vici_event_cb_t)(void *user, char *name, vici_res_t *msg);

void vici_init(void); /* starts the library's four threads */

/* uri: "unix:///path". NULL and errno. Blocks while the listener's backlog is full. */
vici_conn_t *vici_connect(char *uri);
void vici_disconnect(vici_conn_t *conn); /* waits for a callback in progress */

vici_req_t *vici_begin(char *name);
void vici_begin_section(vici_req_t *req, char *name);
void vici_end_section(vici_req_t *req);
void vici_add_key_value(vici_req_t *req, char *key, void *buf, int len); /* copies */
void vici_begin_list(vici_req_t *req, char *name);
void vici_add_list_item(vici_req_t *req, void *buf, int len); /* copies */
void vici_end_list(vici_req_t *req);

/* Takes the request. NULL and errno: ENOENT for a command charon does not know. */
vici_res_t *vici_submit(vici_req_t *req, vici_conn_t *conn);
void vici_free_req(vici_req_t *req);
void vici_free_res(vici_res_t *res);

int vici_parse(vici_res_t *res); /* enum ike_vici_parse */
char *vici_parse_name(vici_res_t *res); /* the result's, until it is freed */
void *vici_parse_value(vici_res_t *res, int *len); /* the same */

/* 0, or 1 and errno: ENOENT for an event charon does not know. */
int vici_register(vici_conn_t *conn, char *name, vici_event_cb_t cb, void *user);

#endif
