/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan as words and as JSON. Entry functions: plan_action_name, plan_action_text, plan_json.
 * Neighbours: daemon/plan.c makes the plan, gwctl prints it, doc/CONTROL.md specifies the JSON.
 * Pure. Of a secret only its name and its owners' identities are told.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/plan.h"

#define NAME_ROOM 192
#define TEXT_ROOM 512
#define UTF8_MAX 4 /* bytes of a character, RFC 3629 */

/* What the action is about: as wanted, else as seen. */
static const void *subject(const struct plan_action *a)
{
	return a->want ? a->want : a->have;
}

static const char *dir_name(enum xfrm_dir dir)
{
	switch (dir) {
	case XFRM_DIR_IN:
		return "in";
	case XFRM_DIR_OUT:
		return "out";
	}
	return "?";
}

static void policy_name(const struct xfrm_policy *p, char *buf, size_t size)
{
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], key[16] = "";

	if (p->has_key)
		snprintf(key, sizeof(key), " key %u", p->key);
	snprintf(buf, size, "%s %s -> %s%s", dir_name(p->dir), addr_format(&p->src, src),
		 addr_format(&p->dst, dst), key);
}

/* The metric is the same for all. */
static void hold_name(const struct gre_route *hold, char *buf, size_t size)
{
	struct gre_route bare = *hold;

	bare.metric = 0;
	gre_route_format(&bare, buf, size);
}

const char *plan_action_name(const struct plan_action *a, char *buf, size_t size)
{
	const void *about = subject(a);
	char text[NAME_ROOM];

	buf[0] = '\0';
	switch (a->kind) {
	case OBJECT_HOLD:
		hold_name(about, buf, size);
		break;
	case OBJECT_EXEMPT:
		snprintf(buf, size, "%s", ((const struct guard_exempt *)about)->link);
		break;
	case OBJECT_GUARD:
		snprintf(buf, size, "inet %s", GUARD_TABLE);
		break;
	case OBJECT_PAIR:
		guard_pair_format(about, buf, size);
		break;
	case OBJECT_POLICY:
		policy_name(about, buf, size);
		break;
	case OBJECT_SECRET:
		snprintf(buf, size, "%s", ((const struct object_secret *)about)->name);
		break;
	case OBJECT_CONN:
		snprintf(buf, size, "%s", ((const struct object_conn *)about)->conn.name);
		break;
	case OBJECT_LINK:
		snprintf(buf, size, "%s", ((const struct gre_link *)about)->name);
		break;
	case OBJECT_ADDR:
		snprintf(buf, size, "%s dev %s", gre_addr_format(about, text, sizeof(text)),
			 ((const struct gre_addr *)about)->link);
		break;
	case OBJECT_ROUTE:
		snprintf(buf, size, "%s dev %s", gre_route_format(about, text, sizeof(text)),
			 ((const struct gre_route *)about)->link);
		break;
	case OBJECT_KINDS:
		break;
	}
	return buf;
}

static void guard_text(const struct plan_action *a, char *buf, size_t size)
{
	const struct objects *want = a->want;

	if (!want)
		snprintf(buf, size, "no tunnel is left that needs it");
	else if (a->op == PLAN_UPDATE)
		snprintf(buf, size, "not as gwd made it: made anew with %zu pair%s",
			 want->pairs.len, want->pairs.len == 1 ? "" : "s");
	else
		snprintf(buf, size, "%zu pair%s", want->pairs.len, want->pairs.len == 1 ? "" : "s");
}

static const char *spi_format(uint32_t spi, char buf[12])
{
	if (spi)
		snprintf(buf, 12, "%08x", spi);
	else
		snprintf(buf, 12, "any");
	return buf;
}

static void policy_change(const struct xfrm_policy *want, const struct xfrm_policy *have, char *buf,
			  size_t size)
{
	char a[12], b[12], reqid[48] = "", spi[48] = "";

	if (want->reqid != have->reqid)
		snprintf(reqid, sizeof(reqid), ", reqid 0x%08x -> 0x%08x", have->reqid,
			 want->reqid);
	if (want->spi != have->spi)
		snprintf(spi, sizeof(spi), ", spi %s -> %s", spi_format(have->spi, a),
			 spi_format(want->spi, b));
	const char *rule = have->required ? "" : ", it did not require esp transport";
	int n = snprintf(buf, size, "%s%s%s", reqid, spi, rule);
	if (n > 2) /* the leading comma */
		memmove(buf, buf + 2, strlen(buf + 2) + 1);
}

static void policy_text(const struct plan_action *a, char *buf, size_t size)
{
	const struct xfrm_policy *p = subject(a), *have = a->have;
	char spi[12];

	if (a->op == PLAN_CONFLICT)
		snprintf(buf, size,
			 "a policy with priority %u has this selector and is not ours: "
			 "remove it with `ip xfrm policy delete`",
			 have->priority);
	else if (a->op == PLAN_UPDATE)
		policy_change(a->want, have, buf, size);
	else
		snprintf(buf, size, "esp transport reqid 0x%08x spi %s", p->reqid,
			 spi_format(p->spi, spi));
}

/* Charon tells names only: a digest of zero stands for an object that this session did not load. */
static bool is_unknown(const unsigned char digest[SECRET_DIGEST_SIZE])
{
	static const unsigned char zero[SECRET_DIGEST_SIZE];

	return memcmp(digest, zero, sizeof(zero)) == 0;
}

static void secret_text(const struct plan_action *a, char *buf, size_t size)
{
	const struct object_secret *s = subject(a), *have = a->have;
	const char *how = "";

	if (a->op == PLAN_UPDATE)
		how = is_unknown(have->digest) ? ", loaded again" : ", changed";
	if (s->kind == OBJECT_SECRET_KEY)
		snprintf(buf, size, "private key of this gateway%s", how);
	else if (s->kind == OBJECT_SECRET_CRL)
		snprintf(buf, size, "certificate revocation list%s", how);
	else if (s->kind == OBJECT_SECRET_PPK)
		snprintf(buf, size, "post-quantum key%s%s%s", a->want ? " " : "",
			 a->want ? s->remote_id : "", how);
	else if (a->want)
		snprintf(buf, size, "pre-shared key of %s and %s%s", s->local_id, s->remote_id,
			 how);
	else
		snprintf(buf, size, "pre-shared key");
}

static void conn_text(const struct plan_action *a, char *buf, size_t size)
{
	const struct object_conn *want = a->want, *have = a->have;
	char text[TEXT_ROOM];

	if (!want)
		return;
	const char *how = a->op == PLAN_UPDATE && is_unknown(have->digest) ? ", loaded again" : "";
	snprintf(buf, size, "%s%s", ike_conn_format(&want->conn, text, sizeof(text)), how);
}

static void link_text(const struct plan_action *a, char *buf, size_t size)
{
	if (a->op == PLAN_CONFLICT)
		snprintf(buf, size,
			 "exists and is not ours: rename it or choose another `interface:`");
	else if (a->op == PLAN_UPDATE || a->op == PLAN_REPLACE)
		gre_link_format_change(a->want, a->have, buf, size);
	else
		gre_link_format(subject(a), buf, size);
}

static void exempt_text(const struct guard_exempt *e, char *buf, size_t size)
{
	switch (e->from) {
	case GUARD_FROM_CLAMP:
		snprintf(buf, size, "TCP is not clamped");
		return;
	case GUARD_FROM_COVER:
		snprintf(buf, size, "GRE may leave in clear");
		return;
	}
}

const char *plan_action_text(const struct plan_action *a, char *buf, size_t size)
{
	buf[0] = '\0';
	switch (a->kind) {
	case OBJECT_HOLD:
		snprintf(buf, size, "unreachable while no route leads there");
		break;
	case OBJECT_EXEMPT:
		exempt_text(a->want ? a->want : a->have, buf, size);
		break;
	case OBJECT_GUARD:
		guard_text(a, buf, size);
		break;
	case OBJECT_PAIR:
		if (a->op == PLAN_UPDATE)
			snprintf(buf, size, "one direction was missing");
		break;
	case OBJECT_POLICY:
		policy_text(a, buf, size);
		break;
	case OBJECT_SECRET:
		secret_text(a, buf, size);
		break;
	case OBJECT_CONN:
		conn_text(a, buf, size);
		break;
	case OBJECT_LINK:
		link_text(a, buf, size);
		break;
	case OBJECT_ADDR:
	case OBJECT_ROUTE: /* the name says all */
	case OBJECT_KINDS:
		break;
	}
	return buf;
}

const char *plan_op_name(enum plan_op op)
{
	switch (op) {
	case PLAN_CREATE:
		return "create";
	case PLAN_UPDATE:
		return "update";
	case PLAN_REPLACE:
		return "replace";
	case PLAN_DELETE:
		return "delete";
	case PLAN_CONFLICT:
		return "conflict";
	}
	return "?";
}

/* A cut text may end within a character, which JSON cannot carry. */
static json_t *text_json(const char *text)
{
	size_t len = strlen(text);
	json_t *json = json_stringn(text, len);

	for (int cut = 1; !json && cut < UTF8_MAX && len; cut++)
		json = json_stringn(text, --len);
	return json ? json : json_string("");
}

static json_t *action_json(const struct plan_action *a, const struct conf *conf, const char *error)
{
	char name[NAME_ROOM], text[TEXT_ROOM];
	bool known = conf && a->tunnel >= 0 && (size_t)a->tunnel < conf->n_tunnels;

	plan_action_name(a, name, sizeof(name));
	plan_action_text(a, text, sizeof(text));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "op", plan_op_name(a->op), "kind",
			 object_kind_name(a->kind), "name", text_json(name), "tunnel",
			 known ? text_json(conf->tunnels[a->tunnel].name) : json_null(), "text",
			 text_json(text), "error", error ? text_json(error) : json_null());
}

json_t *plan_json(const struct plan *p, const struct conf *conf, char *const *errors)
{
	size_t changes = plan_changes(p);
	json_t *actions = json_array();

	for (size_t i = 0; i < p->actions.len; i++)
		json_array_append_new(actions, action_json(&p->actions.at[i], conf,
							   errors ? errors[i] : NULL));
	return json_pack("{s:I, s:I, s:o}", "changes", (json_int_t)changes, "conflicts",
			 (json_int_t)(p->actions.len - changes), "actions", actions);
}
