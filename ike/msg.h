/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vici message as a flat list of items: what we send, and what charon answered after libvici took
 * it apart. Pure. The element kinds are those of strongSwan's vici plugin README ("Message
 * format"): sections nest, lists do not.
 */
#ifndef GWD_IKE_MSG_H
#define GWD_IKE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/secret.h"

#define IKE_MSG_MAX (512 * 1024) /* bytes; charon discards a longer one without an answer */

enum ike_item_type {
	IKE_ITEM_SECTION, /* name */
	IKE_ITEM_SECTION_END,
	IKE_ITEM_VALUE, /* name, value */
	IKE_ITEM_LIST, /* name */
	IKE_ITEM_LIST_VALUE, /* value */
	IKE_ITEM_LIST_END,
};

struct ike_item {
	enum ike_item_type type;
	const char *name; /* NUL-terminated; NULL where the type has none */
	const void *value; /* size bytes, and a NUL behind them; NULL where the type has none */
	size_t size;
};

struct ike_msg;

/*
 * Name of the command, event, or "" for a bare answer. NULL when out of memory or longer than 255
 * bytes. Later failures (memory, a name over 255 or a value over 65535 bytes) stick: see
 * ike_msg_failed.
 */
struct ike_msg *ike_msg_new(const char *name);
/* Wipes values that were added as secret. NULL is fine. */
void ike_msg_free(struct ike_msg *m);
const char *ike_msg_name(const struct ike_msg *m);
bool ike_msg_failed(const struct ike_msg *m);
size_t ike_msg_size(const struct ike_msg *m); /* bytes on the wire, for IKE_MSG_MAX */

void ike_msg_section(struct ike_msg *m, const char *name);
void ike_msg_section_end(struct ike_msg *m);
/* For short values: one of 512 bytes or more fails. */
void ike_msg_value(struct ike_msg *m, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void ike_msg_bytes(struct ike_msg *m, const char *name, const void *value, size_t size);
/* A copy in guarded memory, wiped with the message. */
void ike_msg_secret(struct ike_msg *m, const char *name, const struct secret *value);
void ike_msg_list(struct ike_msg *m, const char *name);
void ike_msg_list_bytes(struct ike_msg *m, const void *value, size_t size);
void ike_msg_list_value(struct ike_msg *m, const char *text);
void ike_msg_list_end(struct ike_msg *m);
/* A list of one text. */
void ike_msg_list_one(struct ike_msg *m, const char *name, const char *text);

/* Items in order; NULL behind the last. */
size_t ike_msg_len(const struct ike_msg *m);
const struct ike_item *ike_msg_at(const struct ike_msg *m, size_t i);
/* Well formed: sections and lists close, names are there, nothing nests in a list. */
bool ike_msg_valid(const struct ike_msg *m);

/* The value of a key directly within [from, to), not within its sections; NULL when absent or
 * not text (a NUL inside). */
const char *ike_msg_find(const struct ike_msg *m, size_t from, size_t to, const char *key);
/* The next section directly within [*pos, to): its name, and its inside as [*from, *end); *pos
 * moves behind it. False at the end, and for a section that does not close. */
bool ike_msg_next_section(const struct ike_msg *m, size_t *pos, size_t to, const char **name,
			  size_t *from, size_t *end);
/* A key of the top level. */
const char *ike_msg_get(const struct ike_msg *m, const char *key);

/* Copies text from outside for a person's eyes: what is not printable ASCII as '?', cut to size
 * with its NUL. */
void ike_msg_copy_text(char *out, size_t size, const char *text);

/* A digest over all items (secrets too), for "did it change since we loaded it"; see
 * secret_digest. */
void ike_msg_digest(const struct ike_msg *m, unsigned char out[SECRET_DIGEST_SIZE]);

#endif
