/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vici message as a flat list of items; entry functions ike_msg_new and ike_msg_at. Neighbours:
 * ike/vici_codec.c, which turns libvici's messages into these and back, ike/conn.c and
 * ike/request.c, which build them, ike/sa.c and ike/event.c, which read them. Pure. Follows
 * strongSwan's vici plugin README, "Message format": names up to 255 bytes, values up to 65535.
 *
 * Names and values live in blocks that never move, so an item's pointers stay good while the
 * message grows; secret values live in guarded memory of their own.
 */
#include "ike/msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vec.h"

#define NAME_MAX_SIZE 255
#define VALUE_MAX_SIZE 65535
#define DEPTH_MAX 32 /* charon nests five deep */
#define BLOCK_MIN 512
#define BLOCK_MAX 65536

struct block {
	struct block *next;
	size_t used, room;
	char bytes[];
};

struct ike_msg {
	char *name;
	VEC(struct ike_item) items;
	VEC(struct secret *) secrets;
	struct block *blocks; /* the newest first */
	size_t size;
	bool failed;
};

struct ike_msg *ike_msg_new(const char *name)
{
	struct ike_msg *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->name = strdup(name);
	if (!m->name || strlen(name) > NAME_MAX_SIZE) {
		ike_msg_free(m);
		return NULL;
	}
	m->size = 2 + strlen(name); /* kind, length of the name, name */
	return m;
}

void ike_msg_free(struct ike_msg *m)
{
	if (!m)
		return;
	while (m->blocks) {
		struct block *next = m->blocks->next;

		free(m->blocks);
		m->blocks = next;
	}
	for (size_t i = 0; i < m->secrets.len; i++)
		secret_free(m->secrets.at[i]);
	vec_free(&m->secrets);
	vec_free(&m->items);
	free(m->name);
	free(m);
}

const char *ike_msg_name(const struct ike_msg *m)
{
	return m->name;
}

bool ike_msg_failed(const struct ike_msg *m)
{
	return m->failed;
}

size_t ike_msg_size(const struct ike_msg *m)
{
	return m->size;
}

static struct block *block_new(struct ike_msg *m, size_t need)
{
	size_t room = m->blocks ? m->blocks->room * 2 : BLOCK_MIN;

	if (room > BLOCK_MAX)
		room = BLOCK_MAX;
	if (room < need)
		room = need;
	struct block *b = malloc(sizeof(*b) + room);
	if (!b)
		return NULL;
	*b = (struct block){.next = m->blocks, .room = room};
	m->blocks = b;
	return b;
}

/* A NUL-terminated copy in the message's memory. */
static const char *msg_keep(struct ike_msg *m, const void *bytes, size_t size)
{
	struct block *b = m->blocks;

	if (!b || b->room - b->used < size + 1)
		b = block_new(m, size + 1);
	if (!b) {
		m->failed = true;
		return NULL;
	}
	char *copy = b->bytes + b->used;
	if (size)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	b->used += size + 1;
	return copy;
}

static struct ike_item *msg_push(struct ike_msg *m, enum ike_item_type type, const char *name)
{
	if (m->failed)
		return NULL;
	size_t len = name ? strlen(name) : 0;
	const char *copy = name ? msg_keep(m, name, len) : NULL;
	struct ike_item *item = len > NAME_MAX_SIZE || m->failed ? NULL : vec_push(&m->items);
	if (!item) {
		m->failed = true;
		return NULL;
	}
	item->type = type;
	item->name = copy;
	m->size += 1 + (name ? 1 + len : 0);
	return item;
}

void ike_msg_section(struct ike_msg *m, const char *name)
{
	msg_push(m, IKE_ITEM_SECTION, name);
}

void ike_msg_section_end(struct ike_msg *m)
{
	msg_push(m, IKE_ITEM_SECTION_END, NULL);
}

static void msg_push_value(struct ike_msg *m, enum ike_item_type type, const char *name,
			   const void *value, size_t size)
{
	struct ike_item *item = size > VALUE_MAX_SIZE ? NULL : msg_push(m, type, name);

	if (!item) {
		m->failed = true;
		return;
	}
	item->value = msg_keep(m, value, size);
	item->size = item->value ? size : 0;
	m->size += 2 + size;
}

void ike_msg_bytes(struct ike_msg *m, const char *name, const void *value, size_t size)
{
	msg_push_value(m, IKE_ITEM_VALUE, name, value, size);
}

void ike_msg_value(struct ike_msg *m, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		m->failed = true; /* longer values go through ike_msg_bytes */
		return;
	}
	ike_msg_bytes(m, name, text, (size_t)n);
}

void ike_msg_secret(struct ike_msg *m, const char *name, const struct secret *value)
{
	struct secret *copy = value->size <= VALUE_MAX_SIZE ? secret_new(value->size + 1) : NULL;
	struct secret **slot = copy ? vec_push(&m->secrets) : NULL;

	if (!slot) {
		secret_free(copy);
		m->failed = true;
		return;
	}
	memcpy(copy->bytes, value->bytes, value->size); /* the byte behind is zero */
	*slot = copy;
	struct ike_item *item = msg_push(m, IKE_ITEM_VALUE, name);
	if (!item)
		return;
	item->value = copy->bytes;
	item->size = value->size;
	m->size += 2 + value->size;
}

void ike_msg_list(struct ike_msg *m, const char *name)
{
	msg_push(m, IKE_ITEM_LIST, name);
}

void ike_msg_list_bytes(struct ike_msg *m, const void *value, size_t size)
{
	msg_push_value(m, IKE_ITEM_LIST_VALUE, NULL, value, size);
}

void ike_msg_list_value(struct ike_msg *m, const char *text)
{
	ike_msg_list_bytes(m, text, strlen(text));
}

void ike_msg_list_end(struct ike_msg *m)
{
	msg_push(m, IKE_ITEM_LIST_END, NULL);
}

void ike_msg_list_one(struct ike_msg *m, const char *name, const char *text)
{
	ike_msg_list(m, name);
	ike_msg_list_value(m, text);
	ike_msg_list_end(m);
}

size_t ike_msg_len(const struct ike_msg *m)
{
	return m->items.len;
}

const struct ike_item *ike_msg_at(const struct ike_msg *m, size_t i)
{
	return i < m->items.len ? &m->items.at[i] : NULL;
}

bool ike_msg_valid(const struct ike_msg *m)
{
	size_t depth = 0;
	bool list = false;

	for (size_t i = 0; i < m->items.len; i++) {
		const struct ike_item *item = &m->items.at[i];
		bool in_list = item->type == IKE_ITEM_LIST_VALUE || item->type == IKE_ITEM_LIST_END;
		bool named = item->type == IKE_ITEM_SECTION || item->type == IKE_ITEM_LIST ||
			     item->type == IKE_ITEM_VALUE;

		if (list != in_list || (named && (!item->name || !*item->name)))
			return false;
		if (item->type == IKE_ITEM_LIST || item->type == IKE_ITEM_LIST_END)
			list = item->type == IKE_ITEM_LIST;
		if (item->type == IKE_ITEM_SECTION && ++depth > DEPTH_MAX)
			return false;
		if (item->type == IKE_ITEM_SECTION_END && depth-- == 0)
			return false;
	}
	return !m->failed && !list && depth == 0;
}

/* Behind the end of the section whose head is at i; to when it does not close before. */
static size_t section_skip(const struct ike_msg *m, size_t i, size_t to)
{
	size_t depth = 0;

	for (; i < to; i++) {
		if (m->items.at[i].type == IKE_ITEM_SECTION)
			depth++;
		else if (m->items.at[i].type == IKE_ITEM_SECTION_END && --depth == 0)
			return i + 1;
	}
	return to;
}

const char *ike_msg_find(const struct ike_msg *m, size_t from, size_t to, const char *key)
{
	if (to > m->items.len)
		to = m->items.len;
	for (size_t i = from; i < to;) {
		const struct ike_item *item = &m->items.at[i];

		if (item->type == IKE_ITEM_VALUE && item->name && strcmp(item->name, key) == 0)
			return item->value && !memchr(item->value, '\0', item->size) ? item->value
										     : NULL;
		i = item->type == IKE_ITEM_SECTION ? section_skip(m, i, to) : i + 1;
	}
	return NULL;
}

bool ike_msg_next_section(const struct ike_msg *m, size_t *pos, size_t to, const char **name,
			  size_t *from, size_t *end)
{
	size_t i = *pos;

	if (to > m->items.len)
		to = m->items.len;
	while (i < to && m->items.at[i].type != IKE_ITEM_SECTION)
		i++;
	*pos = i < to ? section_skip(m, i, to) : to;
	if (i >= to || m->items.at[*pos - 1].type != IKE_ITEM_SECTION_END || !m->items.at[i].name)
		return false;
	*name = m->items.at[i].name;
	*from = i + 1;
	*end = *pos - 1;
	return true;
}

const char *ike_msg_get(const struct ike_msg *m, const char *key)
{
	return ike_msg_find(m, 0, m->items.len, key);
}

void ike_msg_copy_text(char *out, size_t size, const char *text)
{
	size_t i = 0;

	if (!size)
		return;
	for (; text[i] && i + 1 < size; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	out[i] = '\0';
}

/* A digest of any length of input in fixed memory: each full buffer is digested together with
 * the digest so far. */
struct digest {
	size_t used;
	unsigned char so_far[SECRET_DIGEST_SIZE];
	unsigned char bytes[4096];
};

static void digest_flush(struct digest *d)
{
	unsigned char joined[SECRET_DIGEST_SIZE + sizeof(d->bytes)];

	memcpy(joined, d->so_far, SECRET_DIGEST_SIZE);
	memcpy(joined + SECRET_DIGEST_SIZE, d->bytes, d->used);
	secret_digest(joined, SECRET_DIGEST_SIZE + d->used, d->so_far);
	secret_wipe(joined, SECRET_DIGEST_SIZE + d->used);
	d->used = 0;
}

static void digest_add(struct digest *d, const void *bytes, size_t size)
{
	const unsigned char *from = bytes;

	while (size) {
		size_t part = sizeof(d->bytes) - d->used;

		part = size < part ? size : part;
		memcpy(d->bytes + d->used, from, part);
		d->used += part;
		from += part;
		size -= part;
		if (d->used == sizeof(d->bytes))
			digest_flush(d);
	}
}

void ike_msg_digest(const struct ike_msg *m, unsigned char out[SECRET_DIGEST_SIZE])
{
	struct digest d;

	d.used = 0;
	memset(d.so_far, 0, sizeof(d.so_far));
	digest_add(&d, m->name, strlen(m->name) + 1);
	for (size_t i = 0; i < m->items.len; i++) {
		const struct ike_item *item = &m->items.at[i];
		uint32_t head[3] = {item->type, item->name ? (uint32_t)strlen(item->name) : 0,
				    (uint32_t)item->size};

		digest_add(&d, head, sizeof(head));
		digest_add(&d, item->name, head[1]);
		digest_add(&d, item->value, item->size);
	}
	digest_flush(&d);
	memcpy(out, d.so_far, SECRET_DIGEST_SIZE);
	secret_wipe(&d, sizeof(d));
}
