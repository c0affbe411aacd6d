/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon's events as plain structs; entry function ike_event_parse. Neighbours: ike/sa.c (the SAs
 * in them), ike/cause.c (what a log line means), daemon/, which treats them as hints. Pure. Follows
 * the vici plugin's README ("Server-issued events").
 */
#include "ike/sa_body.h"

#include <stdlib.h>
#include <string.h>

/* One IKE_SA's section, where the event has it. */
struct section {
	const char *name;
	size_t from, to;
};

static bool section_first(const struct ike_msg *m, size_t from, size_t to, struct section *s)
{
	return ike_msg_next_section(m, &from, to, &s->name, &s->from, &s->to);
}

static bool section_named(const struct ike_msg *m, size_t from, size_t to, const char *name,
			  struct section *s)
{
	while (ike_msg_next_section(m, &from, to, &s->name, &s->from, &s->to))
		if (strcmp(s->name, name) == 0)
			return true;
	return false;
}

static bool parse_updown(const struct ike_msg *m, const struct section *s, enum ike_event_kind up,
			 enum ike_event_kind down, struct ike_event *out)
{
	out->kind = ike_msg_get(m, "up") ? up : down; /* absent on the way down, not "no" */
	return ike_sa_parse_section(m, s->name, s->from, s->to, true, &out->sa);
}

/* NAME { old {…} new {…} } */
static bool parse_ike_rekey(const struct ike_msg *m, const struct section *s, struct ike_event *out)
{
	struct section new;

	out->kind = IKE_EVENT_IKE_REKEY;
	return section_named(m, s->from, s->to, "new", &new) &&
	       ike_sa_parse_section(m, s->name, new.from, new.to, false, &out->sa);
}

/* NAME { …, child-sas { gre-1 { old {…} new {…} } } } */
static bool parse_child_rekey(const struct ike_msg *m, const struct section *s,
			      struct ike_event *out)
{
	struct section children, child, old, new;
	struct ike_child before;

	out->kind = IKE_EVENT_CHILD_REKEY;
	if (!ike_sa_parse_section(m, s->name, s->from, s->to, false, &out->sa) ||
	    !section_named(m, s->from, s->to, "child-sas", &children) ||
	    !section_first(m, children.from, children.to, &child) ||
	    !section_named(m, child.from, child.to, "old", &old) ||
	    !section_named(m, child.from, child.to, "new", &new) ||
	    !ike_sa_parse_child(m, old.from, old.to, &before) ||
	    !ike_sa_parse_child(m, new.from, new.to, &out->sa.children[0]))
		return false;
	out->sa.n_children = 1;
	out->old_spi_in = before.spi_in;
	out->old_spi_out = before.spi_out;
	return true;
}

/* The new addresses stand outside, the old ones inside. */
static bool parse_update(const struct ike_msg *m, const struct section *s, struct ike_event *out)
{
	out->kind = IKE_EVENT_IKE_UPDATE;
	return ike_sa_parse_section(m, s->name, s->from, s->to, false, &out->sa) &&
	       ike_sa_parse_host(m, 0, ike_msg_len(m), &out->sa);
}

static bool parse_log(const struct ike_msg *m, struct ike_event *out)
{
	const char *name = ike_msg_get(m, "ikesa-name"), *text = ike_msg_get(m, "msg");
	const char *id = ike_msg_get(m, "ikesa-uniqueid");

	out->kind = IKE_EVENT_LOG;
	out->sa.uniqueid = id ? (uint32_t)strtoul(id, NULL, 10) : 0;
	if (!text)
		return false;
	ike_msg_copy_text(out->text, sizeof(out->text), text);
	/* As responder charon calls an IKE_SA so until it knows the connection. */
	if (!name || strcmp(name, "(unnamed)") == 0)
		return true;
	return ike_sa_parse_name(name, &out->sa);
}

bool ike_event_parse(const struct ike_msg *m, struct ike_event *out)
{
	const char *event = ike_msg_name(m);
	struct section s;

	memset(out, 0, sizeof(*out));
	out->kind = IKE_EVENT_OTHER;
	if (!ike_msg_valid(m))
		return false;
	if (strcmp(event, "log") == 0)
		return parse_log(m, out);
	bool section = section_first(m, 0, ike_msg_len(m), &s);
	if (strcmp(event, "ike-updown") == 0)
		return section && parse_updown(m, &s, IKE_EVENT_IKE_UP, IKE_EVENT_IKE_DOWN, out);
	if (strcmp(event, "child-updown") == 0)
		return section &&
		       parse_updown(m, &s, IKE_EVENT_CHILD_UP, IKE_EVENT_CHILD_DOWN, out);
	if (strcmp(event, "ike-rekey") == 0)
		return section && parse_ike_rekey(m, &s, out);
	if (strcmp(event, "child-rekey") == 0)
		return section && parse_child_rekey(m, &s, out);
	if (strcmp(event, "ike-update") == 0)
		return section && parse_update(m, &s, out);
	return true;
}
