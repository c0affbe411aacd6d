/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status table: first what is off about the gateway itself, then a row per tunnel, its reason
 * below it. Entry function render_status. Neighbours: ctl/render_show.c (one tunnel in depth),
 * ctl/render_plan.c, ctl/remote.c, which chooses among them. libsmartcols makes the table and
 * escapes its cells.
 */
#include "ctl/render.h"

#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"

enum column {
	COLUMN_TUNNEL,
	COLUMN_STATE,
	COLUMN_PEER,
	COLUMN_REMOTE,
	COLUMN_MTU,
	COLUMN_IN_OUT,
	COLUMN_OSPF,
	COLUMN_SINCE,
	COLUMN_COUNT,
};

static const char *const headings[COLUMN_COUNT] = {
	"TUNNEL", "STATE", "PEER", "REMOTE", "MTU", "IN/OUT", "OSPF", "SINCE",
};

const char *render_member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_plain(const json_t *tunnel)
{
	const char *protect = render_member(tunnel, "protect");

	return protect && strcmp(protect, "none") == 0;
}

const char *render_state(const json_t *tunnel)
{
	const char *state = render_member(tunnel, "state");

	if (!state)
		return "-";
	if (strcmp(state, "unprotected") == 0)
		return "UNPROTECTED";
	if (strcmp(state, "down") == 0 && is_plain(tunnel))
		return "down, UNPROTECTED";
	if (strcmp(state, "up") == 0 && render_member(tunnel, "weak"))
		return "up, WEAK";
	return state;
}

const char *render_state_color(const json_t *tunnel)
{
	const char *state = render_member(tunnel, "state");

	if (!state || strcmp(state, "disabled") == 0 || strcmp(state, "idle") == 0)
		return NULL;
	if (strcmp(state, "up") == 0)
		return render_member(tunnel, "weak") ? RENDER_YELLOW : RENDER_GREEN;
	return strcmp(state, "down") == 0 ? RENDER_RED : RENDER_YELLOW;
}

void render_add_colored(struct text *out, const char *text, const char *color)
{
	text_add(out, "%s", color ? color : "");
	output_add_safe(out, text, false);
	text_add(out, "%s", color ? RENDER_PLAIN : "");
}

static void cell_mtu(const json_t *tunnel, char *buf, size_t size)
{
	const json_t *mtu = json_object_get(tunnel, "mtu");

	if (json_is_integer(mtu))
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(mtu));
}

static void cell_in_out(const json_t *tunnel, char *buf, size_t size)
{
	const json_t *rx = json_object_get(tunnel, "rx_bytes");
	const json_t *tx = json_object_get(tunnel, "tx_bytes");
	char in[OUTPUT_NUMBER_SIZE], out[OUTPUT_NUMBER_SIZE];

	if (json_is_integer(rx) && json_is_integer(tx))
		snprintf(buf, size, "%s / %s",
			 output_format_bytes((uint64_t)json_integer_value(rx), in),
			 output_format_bytes((uint64_t)json_integer_value(tx), out));
}

static void cell_peer(const json_t *tunnel, char *buf, size_t size)
{
	const char *peer = render_member(tunnel, "peer");

	if (is_plain(tunnel))
		snprintf(buf, size, "%s%s(plain GRE)", peer ? peer : "", peer ? " " : "");
	else if (peer)
		snprintf(buf, size, "%s", peer);
}

static void cell_since(const json_t *tunnel, char *buf)
{
	const json_t *since = json_object_get(tunnel, "since_s");

	if (json_is_integer(since))
		output_format_age((uint64_t)json_integer_value(since), buf);
}

/* A peer that calls is shown as configured, with where it is. */
static const char *cell_remote(const json_t *tunnel, char *buf, size_t size)
{
	const char *remote = render_member(tunnel, "remote");
	const char *kind = render_member(tunnel, "remote_kind");

	if (!remote || !kind || strcmp(kind, "any") || !strcmp(remote, "any"))
		return remote ? remote : "-";
	snprintf(buf, size, "any (%s)", remote);
	return buf;
}

/* The states of all neighbours, each once. */
static void cell_ospf(const json_t *tunnel, char *buf, size_t size)
{
	const json_t *list = json_object_get(tunnel, "ospf"), *one;
	size_t i, len = 0;

	json_array_foreach((json_t *)list, i, one)
	{
		const char *state = render_member(one, "state");
		if (!state || (len && strstr(buf, state)) || len + strlen(state) + 3 > size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "", state);
	}
}

/* OSPF is for those who have it. */
static bool column_wanted(const json_t *tunnels, size_t column)
{
	const json_t *tunnel;
	size_t i;

	if (column != COLUMN_OSPF)
		return true;
	json_array_foreach((json_t *)tunnels, i, tunnel)
	{
		if (json_array_size(json_object_get(tunnel, "ospf")))
			return true;
	}
	return false;
}

static bool table_add_row(struct libscols_table *table, const json_t *tunnel)
{
	char peer[300] = "-", mtu[OUTPUT_NUMBER_SIZE] = "-", since[OUTPUT_NUMBER_SIZE] = "-";
	char in_out[2 * OUTPUT_NUMBER_SIZE + 4] = "-", ospf[64] = "-";
	const char *name = render_member(tunnel, "name");
	char remote[64];
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line)
		return false;
	cell_peer(tunnel, peer, sizeof(peer));
	cell_mtu(tunnel, mtu, sizeof(mtu));
	cell_in_out(tunnel, in_out, sizeof(in_out));
	cell_ospf(tunnel, ospf, sizeof(ospf));
	cell_since(tunnel, since);
	const char *const cells[COLUMN_COUNT] = {
		name ? name : "-",
		render_state(tunnel),
		peer,
		cell_remote(tunnel, remote, sizeof(remote)),
		mtu,
		in_out,
		ospf,
		since,
	};
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (scols_line_set_data(line, i, cells[i]))
			return false;
	}
	const char *color = render_state_color(tunnel);
	return !color || scols_cell_set_color(scols_line_get_cell(line, COLUMN_STATE), color) == 0;
}

/*
 * The table as lines, or NULL. Never cut to the terminal's width: half a name is worse than a long
 * line.
 */
static char *table_print(const json_t *tunnels, bool color)
{
	struct libscols_table *table = scols_new_table();
	char *printed = NULL;
	const json_t *tunnel;
	size_t i;

	if (!table)
		return NULL;
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	scols_table_set_column_separator(table, "  ");
	scols_table_enable_colors(table, color);
	for (i = 0; i < COLUMN_COUNT; i++) {
		int flags = column_wanted(tunnels, i) ? 0 : SCOLS_FL_HIDDEN;
		if (!scols_table_new_column(table, headings[i], 0, flags))
			goto done;
	}
	json_array_foreach((json_t *)tunnels, i, tunnel)
	{
		if (!table_add_row(table, tunnel))
			goto done;
	}
	if (scols_print_table_to_string(table, &printed))
		printed = NULL;
done:
	scols_unref_table(table);
	return printed;
}

static size_t names_width(const json_t *tunnels)
{
	size_t width = strlen(headings[COLUMN_TUNNEL]), i;
	const json_t *tunnel;

	json_array_foreach((json_t *)tunnels, i, tunnel)
	{
		size_t len = json_string_length(json_object_get(tunnel, "name"));
		width = len > width ? len : width;
	}
	return width;
}

static void add_reason(struct text *out, const json_t *tunnel, size_t indent)
{
	const char *name = render_member(tunnel, "name");
	const char *reason = render_member(tunnel, "reason");

	if (!reason || !*reason)
		return;
	text_add(out, "%*s", (int)indent, "");
	output_add_safe(out, name ? name : "-", false);
	text_add(out, ": ");
	output_add_safe(out, reason, false);
	text_add(out, "\n");
}

/* scols escapes line feeds in cells, so line i + 1 of the table is row i. */
static void add_table(struct text *out, const json_t *tunnels, bool color)
{
	char *printed = table_print(tunnels, color);
	size_t indent = names_width(tunnels) + 2, row = 0;
	char *rest = printed, *line;

	if (!printed) {
		out->failed = true;
		return;
	}
	line = strsep(&rest, "\n");
	text_add(out, "%s\n", line);
	while ((line = strsep(&rest, "\n")) && row < json_array_size(tunnels)) {
		text_add(out, "%s\n", line);
		add_reason(out, json_array_get(tunnels, row++), indent);
	}
	free(printed);
}

static void add_charon(struct text *out, const json_t *charon)
{
	const char *state = render_member(charon, "state");
	const char *reason = render_member(charon, "reason");
	const json_t *since = json_object_get(charon, "since_s");
	char age[OUTPUT_NUMBER_SIZE];

	if (!state || strcmp(state, "connected") == 0)
		return;
	text_add(out, "charon: ");
	output_add_safe(out, state, false);
	if (json_is_integer(since))
		text_add(out, " since %s",
			 output_format_age((uint64_t)json_integer_value(since), age));
	if (reason) {
		text_add(out, ": ");
		output_add_safe(out, reason, false);
	}
	text_add(out, "\n");
}

/* What the guard stopped that is no tunnel's. */
static void add_stopped(struct text *out, const json_t *gateway)
{
	json_int_t nat = json_integer_value(json_object_get(gateway, "nat_dropped"));
	json_int_t strayed = json_integer_value(json_object_get(gateway, "strayed"));

	if (nat > 0)
		text_add(out,
			 "guard: source NAT took %lld packets out of IPsec, they were stopped: "
			 "except protocol 47 from it\n",
			 (long long)nat);
	if (strayed > 0)
		text_add(out,
			 "guard: %lld packets of our links would have left in clear towards other "
			 "addresses than theirs, they were stopped: somebody has changed a link\n",
			 (long long)strayed);
}

static void add_gateway(struct text *out, const json_t *gateway)
{
	const char *guard = render_member(gateway, "guard");
	const char *config = render_member(gateway, "config");
	const char *error = render_member(gateway, "config_error");

	add_charon(out, json_object_get(gateway, "charon"));
	if (guard && strcmp(guard, "in place") && strcmp(guard, "not needed")) {
		text_add(out, "guard: ");
		output_add_safe(out, guard, false);
		text_add(out, "\n");
	}
	add_stopped(out, gateway);
	if (!error)
		return;
	text_add(out, "configuration: ");
	output_add_safe(out, config ? config : "-", false);
	text_add(out, " has errors, the one before stays in force\n");
	output_add_safe(out, error, true);
	output_end_line(out);
}

void render_status(struct text *out, const json_t *status, bool color)
{
	const json_t *tunnels = json_object_get(status, "tunnels");

	add_gateway(out, json_object_get(status, "gateway"));
	if (json_array_size(tunnels))
		add_table(out, tunnels, color);
	else
		text_add(out, "no tunnels are configured\n");
}

void render_version(struct text *out, const json_t *version, bool color)
{
	static const char *const keys[] = {"charon", "kernel"};
	const char *gwd = render_member(version, "version");

	(void)color;
	text_add(out, "gwd ");
	output_add_safe(out, gwd ? gwd : "-", false);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *other = render_member(version, keys[i]);
		if (!other)
			continue;
		text_add(out, ", %s", i ? "Linux " : "");
		output_add_safe(out, other, false);
	}
	text_add(out, "\n");
}
