/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IKE_SA with its children out of charon's messages; entry function ike_sa_parse, and
 * ike_sa_parse_body for ike/event.c, whose messages hold the same keys elsewhere. Pure. Follows the
 * vici plugin's README ("list-sa") and vici_query.c (5.9.8).
 *
 * What identifies (unique ids, reqid, SPIs, ports) must be a number of its range where it is given;
 * what only informs (times) is 0 when it makes no sense, for charon lists overdue times as negative
 * ones.
 */
#include "ike/sa_body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/algs.h"

/* Within one section: [from, to). */
struct span {
	const struct ike_msg *m;
	size_t from, to;
};

static const char *get(const struct span *s, const char *key)
{
	return ike_msg_find(s->m, s->from, s->to, key);
}

static bool get_yes(const struct span *s, const char *key)
{
	const char *text = get(s, key);

	return text && strcmp(text, "yes") == 0;
}

static void get_text(const struct span *s, const char *key, char *out, size_t size)
{
	const char *text = get(s, key);

	ike_msg_copy_text(out, size, text ? text : "");
}

/* Absent: 0, and well. False when it is there and no number up to max. */
static bool get_number(const struct span *s, const char *key, int base, uint32_t max, uint32_t *out)
{
	const char *text = get(s, key);
	char *end;

	*out = 0;
	if (!text)
		return true;
	errno = 0;
	unsigned long long n = strtoull(text, &end, base);
	/* strtoull takes a sign and leading blanks. */
	if (errno || *end || end == text || text[0] <= ' ' || text[0] == '-' || text[0] == '+' ||
	    n > max)
		return false;
	*out = (uint32_t)n;
	return true;
}

static uint32_t get_seconds(const struct span *s, const char *key)
{
	uint32_t n;

	return get_number(s, key, 10, UINT32_MAX, &n) ? n : 0;
}

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(text, *words) != 0)
		words++;
	return *words != NULL;
}

bool ike_sa_parse_host(const struct ike_msg *m, size_t from, size_t to, struct ike_sa *sa)
{
	const struct span s = {m, from, to};
	const char *local = get(&s, "local-host"), *remote = get(&s, "remote-host");
	uint32_t local_port, remote_port;

	if (!get_number(&s, "local-port", 10, UINT16_MAX, &local_port) ||
	    !get_number(&s, "remote-port", 10, UINT16_MAX, &remote_port))
		return false;
	/* "%any" while connecting: no address. */
	if (local)
		addr_parse(local, &sa->local);
	if (remote)
		addr_parse(remote, &sa->remote);
	sa->local_port = (uint16_t)local_port;
	sa->remote_port = (uint16_t)remote_port;
	return true;
}

bool ike_sa_parse_child(const struct ike_msg *m, size_t from, size_t to, struct ike_child *c)
{
	static const char *const usable[] = {"INSTALLED", "REKEYING", NULL};
	const struct span s = {m, from, to};
	const char *mode = get(&s, "mode");

	*c = (struct ike_child){0};
	if (!get(&s, "uniqueid") || !get_number(&s, "uniqueid", 10, UINT32_MAX, &c->uniqueid) ||
	    !get_number(&s, "reqid", 10, UINT32_MAX, &c->reqid) ||
	    !get_number(&s, "spi-in", 16, UINT32_MAX, &c->spi_in) ||
	    !get_number(&s, "spi-out", 16, UINT32_MAX, &c->spi_out))
		return false;
	get_text(&s, "state", c->state, sizeof(c->state));
	c->installed = is_one_of(c->state, usable);
	c->transport = mode && strcmp(mode, "TRANSPORT") == 0;
	c->encap = get_yes(&s, "encap");
	ike_algs_format(c->proposal, sizeof(c->proposal), get(&s, "encr-alg"),
			get(&s, "encr-keysize"), get(&s, "integ-alg"), NULL, get(&s, "dh-group"));
	c->rekey_s = get_seconds(&s, "rekey-time");
	c->life_s = get_seconds(&s, "life-time");
	c->age_s = get_seconds(&s, "install-time");
	return true;
}

static bool parse_children(const struct ike_msg *m, size_t from, size_t to, struct ike_sa *sa)
{
	size_t child_from, child_to;
	const char *name;

	while (sa->n_children < IKE_CHILDREN_MAX &&
	       ike_msg_next_section(m, &from, to, &name, &child_from, &child_to))
		if (!ike_sa_parse_child(m, child_from, child_to, &sa->children[sa->n_children++]))
			return false;
	return true;
}

bool ike_sa_parse_body(const struct ike_msg *m, size_t from, size_t to, struct ike_sa *sa)
{
	static const char *const established[] = {"ESTABLISHED", "REKEYING", NULL};
	const struct span s = {m, from, to};

	if (!get(&s, "uniqueid") || !get_number(&s, "uniqueid", 10, UINT32_MAX, &sa->uniqueid) ||
	    !ike_sa_parse_host(m, from, to, sa))
		return false;
	get_text(&s, "state", sa->state, sizeof(sa->state));
	sa->established = is_one_of(sa->state, established);
	sa->initiator = get_yes(&s, "initiator");
	sa->ppk = get_yes(&s, "ppk");
	sa->nat_local = get_yes(&s, "nat-local");
	sa->nat_remote = get_yes(&s, "nat-remote");
	get_text(&s, "local-id", sa->local_id, sizeof(sa->local_id));
	get_text(&s, "remote-id", sa->remote_id, sizeof(sa->remote_id));
	ike_algs_format(sa->proposal, sizeof(sa->proposal), get(&s, "encr-alg"),
			get(&s, "encr-keysize"), get(&s, "integ-alg"), get(&s, "prf-alg"),
			get(&s, "dh-group"));
	sa->age_s = get_seconds(&s, "established");
	sa->rekey_s = get_seconds(&s, "rekey-time");
	return true;
}

bool ike_sa_parse_name(const char *name, struct ike_sa *sa)
{
	if (!*name || strlen(name) >= sizeof(sa->name))
		return false;
	ike_msg_copy_text(sa->name, sizeof(sa->name), name);
	return true;
}

bool ike_sa_parse_section(const struct ike_msg *m, const char *name, size_t from, size_t to,
			  bool children, struct ike_sa *sa)
{
	size_t pos = from, inner_from, inner_to;
	const char *inner;

	*sa = (struct ike_sa){0};
	if (!ike_sa_parse_name(name, sa) || !ike_sa_parse_body(m, from, to, sa))
		return false;
	while (children && ike_msg_next_section(m, &pos, to, &inner, &inner_from, &inner_to))
		if (strcmp(inner, "child-sas") == 0 && !parse_children(m, inner_from, inner_to, sa))
			return false;
	return true;
}

bool ike_sa_parse(const struct ike_msg *m, struct ike_sa *out)
{
	size_t pos = 0, from, to;
	const char *name;

	*out = (struct ike_sa){0};
	return ike_msg_valid(m) &&
	       ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &to) &&
	       ike_sa_parse_section(m, name, from, to, true, out);
}
