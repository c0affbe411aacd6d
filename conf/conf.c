/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loaded configuration as a value: freeing it and finding a tunnel in it. conf/load.c makes it.
 */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/draft.h"

void conf_list_free(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

void conf_tunnel_done(struct conf_tunnel *tunnel)
{
	free(tunnel->name);
	free(tunnel->description);
	free(tunnel->addresses);
	free(tunnel->routes);
	free(tunnel->id);
	free(tunnel->peer_id);
	free(tunnel->remote.name);
	free(tunnel->ospf.key_file);
	conf_list_free(tunnel->psks);
	conf_list_free(tunnel->ca_files);
	conf_list_free(tunnel->crl_files);
	free(tunnel->ppk_id);
	free(tunnel->ppk_secret);
	conf_list_free(tunnel->ike_proposals);
	conf_list_free(tunnel->esp_proposals);
}

void draft_done(struct draft *draft)
{
	conf_tunnel_done(&draft->tunnel);
	free(draft->address_at);
	free(draft->route_at);
	vec_free(&draft->weak);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_tunnels; i++)
		conf_tunnel_done(&c->tunnels[i]);
	free(c->tunnels);
	free(c->path);
	free(c->id);
	free(c->key_file);
	free(c->cert_file);
	free(c->cert_key_file);
	conf_list_free(c->ca_files);
	conf_list_free(c->crl_files);
	free(c->charon_socket);
	free(c);
}

void conf_report_done(struct conf_report *report)
{
	free(report->text);
	*report = (struct conf_report){0};
}

static int name_cmp(const void *name, const void *tunnel)
{
	return strcmp(name, ((const struct conf_tunnel *)tunnel)->name);
}

const char *conf_tunnel_id(const struct conf *c, const struct conf_tunnel *t)
{
	return t->id ? t->id : c->id;
}

const struct conf_tunnel *conf_find_tunnel(const struct conf *c, const char *name)
{
	if (!c->n_tunnels)
		return NULL;
	return bsearch(name, c->tunnels, c->n_tunnels, sizeof(c->tunnels[0]), name_cmp);
}
