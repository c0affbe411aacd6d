/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The OSPF neighbours of tunnels, from FRR: entry function ospf_fill, called by ctl/remote.c with
 * what gwd told. Asked are ospfd and ospf6d, once each, for what they print for programs.
 * Neighbours: ctl/vty.c (the way to them), ctl/render.c and ctl/render_show.c (the looks).
 */
#include "ctl/ospf.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "ctl/vty.h"

/* found: interface -> list of neighbours */
static void found_add(json_t *found, const char *interface, int version, const char *neighbour,
		      const char *state)
{
	json_t *list;

	if (!interface || !neighbour || !state)
		return;
	list = json_object_get(found, interface);
	if (!list) {
		list = json_array();
		json_object_set_new(found, interface, list);
	}
	json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "version", version, "neighbour",
					      neighbour, "state", state));
}

/* "branch1:10.255.0.1" and "Full/DR" (show_ip_ospf_neighbor_sub, ospfd/ospf_vty.c). */
static void found_add_v2(json_t *found, const json_t *one)
{
	const char *name = json_string_value(json_object_get(one, "ifaceName"));
	const char *state = json_string_value(json_object_get(one, "nbrState"));
	char interface[IF_NAMESIZE] = "", word[32];

	if (!name || !state)
		return;
	snprintf(interface, sizeof(interface), "%.*s", (int)strcspn(name, ":"), name);
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(state, "/"), state);
	found_add(found, interface, 2, json_string_value(json_object_get(one, "ifaceAddress")),
		  word);
}

static void found_collect_v2(json_t *found, json_t *vrf)
{
	json_t *neighbours = json_object_get(vrf, "neighbors"), *list, *one;
	const char *router_id;
	size_t i;

	json_object_foreach(neighbours, router_id, list)
	{
		json_array_foreach(list, i, one) found_add_v2(found, one);
	}
}

/* ospfd prints one object with a member for each VRF, ospf6d an object for each. */
static void found_ask_v2(json_t *found, const char *dir)
{
	json_t *said = vty_ask(dir, "ospfd", "show ip ospf vrf all neighbor json"), *vrfs, *vrf;
	const char *name;
	size_t i;

	json_array_foreach(said, i, vrfs)
	{
		json_object_foreach(vrfs, name, vrf) found_collect_v2(found, vrf);
	}
	json_decref(said);
}

static void found_ask_v3(json_t *found, const char *dir)
{
	json_t *said = vty_ask(dir, "ospf6d", "show ipv6 ospf6 vrf all neighbor json"), *vrf, *one;
	size_t i, j;

	json_array_foreach(said, i, vrf)
	{
		json_array_foreach(json_object_get(vrf, "neighbors"), j, one)
			found_add(found, json_string_value(json_object_get(one, "interfaceName")),
				  3, json_string_value(json_object_get(one, "neighborId")),
				  json_string_value(json_object_get(one, "state")));
	}
	json_decref(said);
}

void ospf_fill(json_t *status, const char *dir)
{
	json_t *tunnels = json_object_get(status, "tunnels"), *tunnel, *found;
	size_t i;

	if (!json_array_size(tunnels))
		return;
	found = json_object();
	found_ask_v2(found, dir);
	found_ask_v3(found, dir);
	json_array_foreach(tunnels, i, tunnel)
	{
		const char *name = json_string_value(json_object_get(tunnel, "interface"));
		json_t *list = name ? json_object_get(found, name) : NULL;
		if (list)
			json_object_set(tunnel, "ospf", list);
	}
	json_decref(found);
}
