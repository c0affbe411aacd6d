/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl show: one tunnel as a block, what is wanted and then every layer as it was read back. Entry
 * function render_show. Neighbour: ctl/render.c (the table, and the words for states).
 */
#include "ctl/render.h"

#include <stdint.h>
#include <string.h>

#include "ctl/output.h"

/* Appends before and the member when it is a text; returns whether it was. */
static bool add_member(struct text *out, const char *before, const json_t *object, const char *key)
{
	const char *value = render_member(object, key);

	if (!value)
		return false;
	text_add(out, "%s", before);
	output_add_safe(out, value, false);
	return true;
}

static void add_age(struct text *out, const char *before, const json_t *object, const char *key)
{
	const json_t *seconds = json_object_get(object, key);
	char age[OUTPUT_NUMBER_SIZE];

	if (json_is_integer(seconds))
		text_add(out, "%s%s", before,
			 output_format_age((uint64_t)json_integer_value(seconds), age));
}

static void add_or_dash(struct text *out, const json_t *object, const char *key)
{
	if (!add_member(out, "", object, key))
		text_add(out, "-");
}

/* What the name had when it was asked for last; its own "name" is the tunnel's `remote:`. */
static void add_name(struct text *out, const json_t *name)
{
	const json_t *list = json_object_get(name, "addresses");

	add_member(out, "\n  name     ", name, "name");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *addr = json_string_value(json_array_get(list, i));

		text_add(out, "%s", i ? ", " : ": ");
		output_add_safe(out, addr ? addr : "-", false);
	}
	add_age(out, ", asked again in ", name, "ask_s");
	add_member(out, ", ", name, "error");
}

static void show_head(struct text *out, const json_t *tunnel, bool color)
{
	add_or_dash(out, tunnel, "name");
	text_add(out, "  ");
	render_add_colored(out, render_state(tunnel), color ? render_state_color(tunnel) : NULL);
	add_age(out, " since ", tunnel, "since_s");
	add_member(out, ": ", tunnel, "reason");
	if (render_member(tunnel, "description"))
		add_member(out, "\n  about    ", tunnel, "description");
	if (json_is_object(json_object_get(tunnel, "remote_name")))
		add_name(out, json_object_get(tunnel, "remote_name"));
}

/* A number, or one for each direction. */
static void add_key(struct text *out, const json_t *key)
{
	const json_t *in = json_object_get(key, "in"), *sent = json_object_get(key, "out");

	if (json_is_integer(key))
		text_add(out, ", key %" JSON_INTEGER_FORMAT, json_integer_value(key));
	else if (json_is_integer(in) && json_is_integer(sent))
		text_add(out, ", key %" JSON_INTEGER_FORMAT " in, %" JSON_INTEGER_FORMAT " out",
			 json_integer_value(in), json_integer_value(sent));
}

static void add_options(struct text *out, const json_t *tunnel)
{
	const json_t *options = json_object_get(tunnel, "options");

	add_member(out, ", over ", tunnel, "device");
	for (size_t i = 0; i < json_array_size(options); i++) {
		const char *name = json_string_value(json_array_get(options, i));

		if (name)
			text_add(out, ", %s", name);
	}
}

static void show_want(struct text *out, const json_t *tunnel)
{
	const char *protect = render_member(tunnel, "protect");
	const char *start = render_member(tunnel, "start");

	text_add(out, "gre ");
	add_or_dash(out, tunnel, "local");
	text_add(out, " -> ");
	add_or_dash(out, tunnel, "remote");
	add_key(out, json_object_get(tunnel, "gre_key"));
	add_options(out, tunnel);
	if (protect && strcmp(protect, "none") == 0) {
		text_add(out, ", UNPROTECTED (plain GRE)");
		return;
	}
	add_member(out, ", as ", tunnel, "id");
	add_member(out, ", peer ", tunnel, "peer");
	add_member(out, " by ", tunnel, "auth");
	if (start && strcmp(start, "always"))
		add_member(out, ", starts ", tunnel, "start");
	if (add_member(out, ", WEAK: ", tunnel, "weak"))
		text_add(out, " is allowed");
}

static void show_guard(struct text *out, const json_t *tunnel)
{
	const json_t *guard = json_object_get(tunnel, "guard");
	json_int_t sent = json_integer_value(json_object_get(guard, "out_dropped"));
	json_int_t received = json_integer_value(json_object_get(guard, "in_dropped"));

	add_or_dash(out, guard, "state");
	if (!json_is_object(guard))
		return;
	text_add(out, ", %" JSON_INTEGER_FORMAT " clear packets stopped", sent + received);
	if (sent + received)
		text_add(out, " (%" JSON_INTEGER_FORMAT " out, %" JSON_INTEGER_FORMAT " in)", sent,
			 received);
}

static void show_policy(struct text *out, const json_t *tunnel)
{
	const json_t *policy = json_object_get(tunnel, "policy");

	if (json_is_object(policy))
		text_add(out, "out, in: ");
	add_or_dash(out, policy, "state");
	add_member(out, ", on spi ", policy, "spi");
}

static void show_link(struct text *out, const json_t *tunnel)
{
	const json_t *link = json_object_get(tunnel, "link");
	const json_t *mtu = json_object_get(tunnel, "mtu");
	const char *state = render_member(link, "state");

	add_or_dash(out, tunnel, "interface");
	add_member(out, " in vrf ", tunnel, "vrf");
	add_member(out, " ", link, "operstate");
	if (state && strcmp(state, "in place"))
		add_member(out, ", ", link, "state");
	if (!json_is_integer(mtu))
		return;
	text_add(out, ", mtu %" JSON_INTEGER_FORMAT, json_integer_value(mtu));
	add_member(out, " = ", tunnel, "mtu_sum");
}

static void show_ike(struct text *out, const json_t *tunnel)
{
	const json_t *ike = json_object_get(tunnel, "ike");

	add_or_dash(out, ike, "state");
	add_age(out, " ", ike, "since_s");
	add_member(out, ", ", ike, "proposal");
	if (json_is_true(json_object_get(ike, "nat")))
		text_add(out, ", NAT on the way");
	if (json_is_true(json_object_get(ike, "ppk")))
		text_add(out, ", with ppk");
	add_age(out, ", rekey in ", ike, "rekey_s");
	add_member(out, ": ", ike, "text");
}

static void show_child(struct text *out, const json_t *tunnel)
{
	const json_t *child = json_object_get(tunnel, "child");

	add_or_dash(out, child, "state");
	add_member(out, ", ", child, "mode");
	add_member(out, ", ", child, "proposal");
	if (json_is_true(json_object_get(child, "encap")))
		text_add(out, ", in UDP");
	add_member(out, ", spi in ", child, "spi_in");
	add_member(out, " out ", child, "spi_out");
	add_age(out, ", rekey in ", child, "rekey_s");
}

static void show_ospf(struct text *out, const json_t *tunnel)
{
	const json_t *list = json_object_get(tunnel, "ospf"), *one;
	size_t i;

	json_array_foreach((json_t *)list, i, one)
	{
		bool v3 = json_integer_value(json_object_get(one, "version")) == 3;
		text_add(out, "%s%s", i ? ", " : "  ospf     ", v3 ? "OSPFv3 " : "");
		add_or_dash(out, one, "neighbour");
		add_member(out, " ", one, "state");
	}
	if (json_array_size(list))
		text_add(out, " (from FRR)\n");
}

static void show_failed(struct text *out, const json_t *tunnel)
{
	const json_t *failed = json_object_get(tunnel, "actions_failed"), *one;
	size_t i;

	json_array_foreach((json_t *)failed, i, one)
	{
		if (!json_is_string(one))
			continue;
		text_add(out, "  failed   ");
		output_add_safe(out, json_string_value(one), false);
		text_add(out, "\n");
	}
}

void render_show(struct text *out, const json_t *status, bool color)
{
	static const struct {
		const char *head;
		void (*show)(struct text *out, const json_t *tunnel);
	} layers[] = {
		{"want", show_want}, {"guard", show_guard}, {"policy", show_policy},
		{"link", show_link}, {"ike", show_ike},	    {"child", show_child},
	};
	const json_t *tunnels = json_object_get(status, "tunnels"), *tunnel;
	size_t i;

	json_array_foreach((json_t *)tunnels, i, tunnel)
	{
		show_head(out, tunnel, color);
		text_add(out, "\n");
		for (size_t j = 0; j < sizeof(layers) / sizeof(layers[0]); j++) {
			text_add(out, "  %-7s  ", layers[j].head);
			layers[j].show(out, tunnel);
			text_add(out, "\n");
		}
		show_ospf(out, tunnel);
		show_failed(out, tunnel);
	}
}
