/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests to charon other than load-conn's sections, and what its answers say; entry functions
 * ike_req_* and ike_answer_ok. Neighbours: ike/conn.c, ike/session.c (it sends them). Pure. Follows
 * the vici plugin's README ("Client-initiated commands").
 */
#include "ike/conn.h"

#include <string.h>

/* NULL when out of memory, or when a part of it did not fit: a request is whole or none. */
static struct ike_msg *finish(struct ike_msg *m)
{
	if (!m || !ike_msg_failed(m))
		return m;
	ike_msg_free(m);
	return NULL;
}

/* A command with one value. */
static struct ike_msg *request_of(const char *command, const char *key, const char *value)
{
	struct ike_msg *m = ike_msg_new(command);

	if (m)
		ike_msg_bytes(m, key, value, strlen(value));
	return m;
}

/*
 * Secrets come last in their messages: libvici's buffer grows by realloc, 32 bytes at a time, which leaves a copy of what was in it
 * behind; the last one it wipes (5.9.8, bio_writer.c increase, vici_message.c destroy).
 */
struct ike_msg *ike_req_load_key(const struct secret *pem)
{
	struct ike_msg *m = request_of("load-key", "type", "any");

	if (m)
		ike_msg_secret(m, "data", pem);
	return finish(m);
}

/*
 * Only the peer's identity owns the key. charon 5.9.8 takes a key whose owners match either end
 * (mem_cred.c, shared_filter), and tries all it finds against the peer (psk_authenticator.c): were
 * our identity among the owners, every branch's key would open every tunnel.
 */
struct ike_msg *ike_req_load_psk(const char *name, const struct secret *psk, const char *remote_id)
{
	struct ike_msg *m = request_of("load-shared", "id", name);

	if (!m)
		return NULL;
	ike_msg_value(m, "type", "IKE");
	ike_msg_list_one(m, "owners", remote_id);
	ike_msg_secret(m, "data", psk);
	return finish(m);
}

struct ike_msg *ike_req_load_ppk(const char *name, const struct secret *ppk, const char *ppk_id)
{
	struct ike_msg *m = request_of("load-shared", "id", name);

	if (!m)
		return NULL;
	ike_msg_value(m, "type", "PPK");
	ike_msg_list_one(m, "owners", ppk_id);
	ike_msg_secret(m, "data", ppk);
	return finish(m);
}

struct ike_msg *ike_req_load_crl(const unsigned char *der, size_t size)
{
	struct ike_msg *m = request_of("load-cert", "type", "X509_CRL");

	if (m)
		ike_msg_bytes(m, "data", der, size);
	return finish(m);
}

struct ike_msg *ike_req_flush_crls(void)
{
	return finish(request_of("flush-certs", "type", "X509_CRL"));
}

struct ike_msg *ike_req_unload_psk(const char *name)
{
	return finish(request_of("unload-shared", "id", name));
}

struct ike_msg *ike_req_unload_key(const char *id)
{
	return finish(request_of("unload-key", "id", id));
}

struct ike_msg *ike_req_unload_conn(const char *name)
{
	return finish(request_of("unload-conn", "name", name));
}

/* With any other timeout one of charon's threads waits for the peer, and some dead peers stop
 * all of vici. */
static struct ike_msg *no_wait(struct ike_msg *m)
{
	if (m)
		ike_msg_value(m, "timeout", "-1");
	return m;
}

struct ike_msg *ike_req_initiate(const char *name)
{
	struct ike_msg *m = request_of("initiate", "ike", name);

	if (m)
		ike_msg_value(m, "child", "%s", IKE_CHILD);
	return finish(no_wait(m));
}

struct ike_msg *ike_req_terminate(const char *name, uint32_t ike_id, bool force)
{
	/* Of name and id charon ends what matches either (5.9.8 vici_control.c, terminate). */
	struct ike_msg *m = ike_id ? ike_msg_new("terminate")
				   : request_of("terminate", "ike", name);

	if (m && ike_id)
		ike_msg_value(m, "ike-id", "%u", ike_id);
	if (m && force)
		ike_msg_value(m, "force", "yes");
	return finish(no_wait(m));
}

struct ike_msg *ike_req_terminate_child(uint32_t child_id)
{
	struct ike_msg *m = ike_msg_new("terminate");

	if (m)
		ike_msg_value(m, "child-id", "%u", child_id);
	return finish(no_wait(m));
}

struct ike_msg *ike_req_list_sas(const char *name)
{
	/* An IKE_SA that is busy is left out rather than waited for. */
	struct ike_msg *m = request_of("list-sas", "noblock", "yes");

	if (m && name)
		ike_msg_bytes(m, "ike", name, strlen(name));
	return finish(m);
}

struct ike_msg *ike_req_simple(const char *command)
{
	return ike_msg_new(command);
}

bool ike_answer_ok(const struct ike_msg *answer, char *err, size_t err_size)
{
	const char *success = ike_msg_get(answer, "success");
	const char *why = ike_msg_get(answer, "errmsg");

	if (success && strcmp(success, "yes") == 0)
		return true;
	if (!why || !*why)
		why = "charon refuses, and does not say why";
	ike_msg_copy_text(err, err_size, why);
	return false;
}

void ike_answer_list(const struct ike_msg *answer, const char *list,
		     void (*fn)(void *user, const char *name), void *user)
{
	const struct ike_item *item;
	bool inside = false;
	size_t depth = 0;

	for (size_t i = 0; (item = ike_msg_at(answer, i)); i++) {
		if (item->type == IKE_ITEM_SECTION)
			depth++;
		else if (item->type == IKE_ITEM_SECTION_END && depth)
			depth--;
		else if (item->type == IKE_ITEM_LIST)
			inside = depth == 0 && item->name && strcmp(item->name, list) == 0;
		else if (item->type == IKE_ITEM_LIST_END)
			inside = false;
		else if (inside && item->value && !memchr(item->value, '\0', item->size))
			fn(user, item->value);
	}
}
