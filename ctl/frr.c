/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl frr: the tunnels' `ospf:` blocks as configuration for FRR, without gwd. Entry function
 * verb_frr. Neighbours: conf/ospf.h (the block's rules); FRR's words are those of ospfd and ospf6d
 * since 8.4 (doc/user/ospfd.rst, ospf6d.rst). Keys go from guarded memory to stdout, unbuffered.
 */
#include "ctl/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/ospf.h"
#include "ctl/output.h"
#include "lib/secret.h"

/* What is different in the words of the two versions. */
struct version {
	int family;
	const char *words; /* before each setting of an interface */
	const char *router;
	const char *router_id;
};

static const struct version versions[] = {
	{AF_INET, "ip ospf", "router ospf", "ospf router-id"},
	{AF_INET6, "ipv6 ospf6", "router ospf6", "ospf6 router-id"},
};

#define N_VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* What is written so far goes out; false when it cannot. */
static bool out_flush(struct text *out)
{
	return output_text(out, EXIT_WELL) == EXIT_WELL;
}

static bool key_read(const struct conf_ospf *ospf, struct secret **key)
{
	char err[512];
	const char *fault;

	if (secret_read_file(ospf->key_file, key, err, sizeof(err))) {
		output_error("%s", err);
		return false;
	}
	secret_trim_newline(*key);
	fault = ospf_key_fault(*key);
	if (!fault)
		return true;
	output_error("%s %s", ospf->key_file, fault);
	secret_free(*key);
	return false;
}

/*
 * FRR 8.4 knows of HMAC (RFC 5709, RFC 7166) for OSPFv3 only; what ESP carries was authenticated
 * before either looks.
 */
static bool add_authentication(struct text *out, const struct conf_ospf *ospf, int family)
{
	struct secret *key;

	if (family == AF_INET)
		text_add(out,
			 " ip ospf authentication message-digest\n"
			 " ip ospf message-digest-key %u md5 ",
			 ospf->key_id);
	else
		text_add(out, " ipv6 ospf6 authentication key-id %u hash-algo hmac-sha-256 key ",
			 ospf->key_id);
	if (!key_read(ospf, &key))
		return false;
	bool well = out_flush(out) && fwrite(key->bytes, 1, key->size, stdout) == key->size;
	secret_free(key);
	text_add(out, "\n");
	return well;
}

static void add_area(struct text *out, const struct conf_ospf *ospf, const char *words)
{
	text_add(out, " %s area %u.%u.%u.%u\n", words, ospf->area >> 24, ospf->area >> 16 & 255,
		 ospf->area >> 8 & 255, ospf->area & 255);
}

static bool add_version(struct text *out, const struct conf_tunnel *t, const struct version *v)
{
	const struct conf_ospf *ospf = &t->ospf;

	text_add(out, " %s network point-to-point\n", v->words);
	add_area(out, ospf, v->words);
	if (ospf->cost)
		text_add(out, " %s cost %u\n", v->words, ospf->cost);
	text_add(out, " %s hello-interval %u\n", v->words, ospf->hello);
	text_add(out, " %s dead-interval %u\n", v->words, ospf->dead);
	/* An MTU that follows the path differs between the ends until both have learned it. */
	if (!t->mtu)
		text_add(out, " %s mtu-ignore\n", v->words);
	if (ospf->bfd)
		text_add(out, " %s bfd\n", v->words);
	if (ospf->passive)
		text_add(out, " %s passive\n", v->words);
	return !ospf->key_file || add_authentication(out, ospf, v->family);
}

static bool add_tunnel(struct text *out, const struct conf_tunnel *t)
{
	text_add(out, "interface %s\n", t->interface);
	text_add(out, " ! tunnel %s%s%s\n", t->name, t->peer_id ? " to " : "",
		 t->peer_id ? t->peer_id : "");
	if (t->mtu)
		text_add(out, " ! OSPF needs an MTU of %u at the other end too\n", t->mtu);
	for (size_t i = 0; i < N_VERSIONS; i++) {
		if (ospf_runs(t, versions[i].family) && !add_version(out, t, &versions[i]))
			return false;
	}
	text_add(out, "exit\n!\n");
	return true;
}

static bool takes_part(const struct conf_tunnel *t, const struct conf_tunnel *only)
{
	return only ? t == only : t->enabled && t->ospf.enabled;
}

/* Whether a tunnel before this one has brought the router of its VRF already. */
static bool router_is_there(const struct conf *conf, size_t index, const struct conf_tunnel *only,
			    int family)
{
	for (size_t i = 0; i < index; i++) {
		const struct conf_tunnel *t = &conf->tunnels[i];
		if (takes_part(t, only) && ospf_runs(t, family) &&
		    !strcmp(t->vrf, conf->tunnels[index].vrf))
			return true;
	}
	return false;
}

/* FRR fills a router block that it has already, so this fits into a configuration with one. */
static void add_routers(struct text *out, const struct conf *conf, const struct conf_tunnel *only,
			const struct version *v)
{
	for (size_t i = 0; i < conf->n_tunnels; i++) {
		const struct conf_tunnel *t = &conf->tunnels[i];
		if (!takes_part(t, only) || !ospf_runs(t, v->family) ||
		    router_is_there(conf, i, only, v->family))
			continue;
		text_add(out, "%s%s%s\n ! %s A.B.C.D\nexit\n!\n", v->router, *t->vrf ? " vrf " : "",
			 t->vrf, v->router_id);
	}
}

static void add_head(struct text *out, const struct conf *conf, const struct conf_tunnel *only)
{
	bool bfd = false;

	for (size_t i = 0; i < conf->n_tunnels; i++)
		bfd |= takes_part(&conf->tunnels[i], only) && conf->tunnels[i].ospf.bfd;
	text_add(out,
		 "! OSPF over the tunnels%s%s, made by \"gwctl frr\". In /etc/frr/daemons: "
		 "ospfd=yes, with IPv6 ospf6d=yes%s.\n"
		 "! \"router ospf\" must have no \"network\" lines beside this: FRR wants either "
		 "them or areas on interfaces.\n!\n",
		 conf->id ? " of " : "", conf->id ? conf->id : "", bfd ? ", bfdd=yes" : "");
}

static int frr_print(const struct conf *conf, const struct conf_tunnel *only)
{
	struct text out = {0};
	bool well = true;

	setvbuf(stdout, NULL, _IONBF, 0);
	add_head(&out, conf, only);
	for (size_t i = 0; well && i < conf->n_tunnels; i++) {
		if (takes_part(&conf->tunnels[i], only))
			well = add_tunnel(&out, &conf->tunnels[i]);
	}
	for (size_t i = 0; well && i < N_VERSIONS; i++)
		add_routers(&out, conf, only, &versions[i]);
	if (well)
		return output_text(&out, EXIT_WELL);
	text_free(&out);
	return EXIT_ERROR;
}

/* The tunnel asked for, or any; says what is missing. */
static bool frr_find(const struct conf *conf, const char *name, const struct conf_tunnel **only)
{
	*only = name ? conf_find_tunnel(conf, name) : NULL;
	if (name && !*only)
		output_error("there is no tunnel %s in %s", name, conf->path);
	else if (name && !(*only)->ospf.enabled)
		output_error("%s has no ospf block: \"ospf: {area: 0}\" is the shortest", name);
	for (size_t i = 0; !name && i < conf->n_tunnels; i++) {
		if (takes_part(&conf->tunnels[i], NULL))
			return true;
	}
	if (!name)
		output_error("no tunnel in %s has an ospf block: \"ospf: {area: 0}\" is the "
			     "shortest",
			     conf->path);
	return *only && (*only)->ospf.enabled;
}

int verb_frr(const struct verb *verb, const char *arg, const struct options *opt)
{
	struct conf_report report = {0};
	const struct conf_tunnel *only;
	int rc = EXIT_ERROR;
	char err[256];

	(void)verb;
	if (secret_init(err, sizeof(err)))
		return output_error("%s", err);
	struct conf *conf = conf_load(opt->config, &report);
	if (report.text)
		output_note(report.text);
	if (conf && frr_find(conf, arg, &only))
		rc = frr_print(conf, only);
	conf_free(conf);
	conf_report_done(&report);
	return rc;
}
