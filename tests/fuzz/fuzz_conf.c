/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of the configuration reader: any bytes either load or give a report, without a
 * crash, a leak or an undefined step; the file system is left out. What loads is walked, so that
 * a dangling value shows.
 */
#include <sanitizer/lsan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void tunnel_walk(const struct conf *conf, const struct conf_tunnel *tunnel)
{
	require(conf_find_tunnel(conf, tunnel->name) == tunnel);
	require(tunnel->interface[0] && strlen(tunnel->interface) < IF_NAMESIZE);
	require(!tunnel->remote.addr.family == (tunnel->remote.kind != CONF_REMOTE_ADDRESS));
	require(!tunnel->remote.name == (tunnel->remote.kind != CONF_REMOTE_NAME));
	require(tunnel->ike_proposals[0] && tunnel->esp_proposals[0]);
	for (size_t i = 0; i < tunnel->n_addresses; i++)
		require(addr_size(tunnel->addresses[i].addr.family) != 0);
	for (size_t i = 0; i < tunnel->n_routes; i++)
		require(addr_size(tunnel->routes[i].to.addr.family) != 0);
	if (tunnel->protect == CONF_PROTECT_NONE)
		return;
	require(conf->id && tunnel->peer_id);
	if (tunnel->auth == CONF_AUTH_PSK)
		require(tunnel->psks && tunnel->psks[0] &&
			(tunnel->psks[0][0] == '/' || seal_is_sealed(tunnel->psks[0])));
	else
		require(conf->key_file && strlen(tunnel->peer_public_key) == 60);
}

/*
 * libfyaml 0.7.12 forgets 4 KiB for each quoted text that it puts together of more than 64 pieces, two for an escape or a doubled
 * quote. What is ours is looked for in all other inputs.
 */
static bool many_pieces(const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\'' || data[i] == '\\';
	return n >= 32;
}

static void load(const uint8_t *data, size_t size)
{
	struct conf_report report;
	struct conf *conf = conf_load_text("fuzz.yaml", (const char *)data, size, &report);

	require((conf != NULL) == (report.errors == 0));
	require((report.text != NULL) == (report.errors + report.warnings > 0));
	for (size_t i = 0; conf && i < conf->n_tunnels; i++)
		tunnel_walk(conf, &conf->tunnels[i]);
	for (const char *p = report.text; p && *p; p++)
		require((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
	conf_free(conf);
	conf_report_done(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool forgets = many_pieces(data, size);

	if (forgets)
		__lsan_disable();
	load(data, size);
	if (forgets)
		__lsan_enable();
	return 0;
}
