// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verbs of the control socket. Entry: verbs_run, from daemon/control.c. Each is one function in the table at the end;
 * the texts it answers with are what gwctl prints.
 */
#include "daemon/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "daemon/charon.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "daemon/reload.h"
#include "daemon/resolve.h"
#include "daemon/status.h"
#include "lib/protocol.h"
#include "lib/text.h"

#define UP_WAIT_MS 20000
#define DOWN_WAIT_MS 5000

struct verb {
	const char *name;
	bool root; /* changes something */
	bool tunnel; /* needs a tunnel's name */
	void (*run)(struct control_client *c, const json_t *request, struct tunnel *t);
};

static void verb_status(struct control_client *c, const json_t *request, struct tunnel *t)
{
	struct gateway *gw = control_gateway(c);

	(void)request;
	if (t) {
		resolve_again(t);
		status_ask(c, t);
		return;
	}
	control_answer(c, status_exit(gw, NULL), status_json(gw, NULL, NULL, 0), NULL);
}

static void verb_show(struct control_client *c, const json_t *request, struct tunnel *t)
{
	(void)request;
	resolve_again(t);
	status_ask(c, t);
}

static void answer_plan(struct control_client *c, int code, json_t *plan, char *report, bool dry)
{
	json_t *errors = NULL, *a;
	size_t i;
	int status = code ? 1 : 0;

	json_array_foreach(json_object_get(plan, "actions"), i,
			   a) if (json_is_string(json_object_get(a, "error"))) errors = a;
	if (!code && dry &&
	    (json_integer_value(json_object_get(plan, "changes")) ||
	     json_integer_value(json_object_get(plan, "conflicts"))))
		status = 2;
	if (errors)
		status = 1;
	if (plan)
		json_object_set_new(plan, "diagnostics",
				    report ? json_string(report) : json_null());
	control_answer(c, status, plan, code ? report ? report : strerror(-code) : NULL);
	free(report);
}

static void verb_plan(struct control_client *c, const json_t *request, struct tunnel *t)
{
	json_t *plan = NULL;
	char *report = NULL;
	int r;

	(void)t;
	r = reload_preview(control_gateway(c), json_string_value(json_object_get(request, "file")),
			   &plan, &report);
	answer_plan(c, r, plan, report, true);
}

static void verb_reload(struct control_client *c, const json_t *request, struct tunnel *t)
{
	struct gateway *gw = control_gateway(c);
	json_t *plan = NULL;
	char *report = NULL;
	int r = reload_conf(gw, &report);

	(void)request, (void)t;
	if (!r)
		r = reconcile_run(gw, &plan);
	answer_plan(c, r, plan, report, false);
}

static void verb_teardown(struct control_client *c, const json_t *request, struct tunnel *t)
{
	struct gateway *gw = control_gateway(c);
	json_t *plan = NULL;
	int r;

	(void)request, (void)t;
	gw->torn_down = true;
	gw->dirty_all = true;
	r = reconcile_run(gw, &plan);
	answer_plan(c, r, plan, NULL, false);
}

static bool can_change(struct control_client *c, const struct tunnel *t)
{
	char text[256];

	if (gateway_tunnel_protected(t))
		return true;
	snprintf(text, sizeof(text), "%s %s", t->conf->name,
		 t->gw->torn_down ? "was torn down: `gwctl reload` brings it back"
		 : !t->conf->enabled
			 ? "is disabled in the configuration"
			 : "is plain GRE (protect: none): there is nothing to negotiate");
	control_answer(c, 1, NULL, text);
	return false;
}

static void verb_up(struct control_client *c, const json_t *request, struct tunnel *t)
{
	(void)request;
	if (!can_change(c, t))
		return;
	t->held = false;
	reconcile_mark(t);
	peer_want(t, true);
	if (verbs_wait_is_over(t, true))
		verbs_answer_tunnel(c, t->conf->name, true);
	else
		control_wait(c, t->conf->name, true, UP_WAIT_MS);
}

static void verb_down(struct control_client *c, const json_t *request, struct tunnel *t)
{
	(void)request;
	if (!can_change(c, t))
		return;
	t->held = true;
	peer_terminate(t);
	reconcile_mark(t);
	control_wait(c, t->conf->name, false, DOWN_WAIT_MS);
}

static void verb_restart(struct control_client *c, const json_t *request, struct tunnel *t)
{
	(void)request;
	if (!can_change(c, t))
		return;
	t->held = false;
	peer_wake(t);
	peer_terminate(t);
	t->state = HEALTH_DOWN;
	t->ike_established = t->child_installed = false;
	reconcile_mark(t);
	control_wait(c, t->conf->name, true, UP_WAIT_MS);
}

static void verb_version(struct control_client *c, const json_t *request, struct tunnel *t)
{
	struct gateway *gw = control_gateway(c);
	struct utsname u = {0};
	char charon[64];

	(void)request, (void)t;
	uname(&u);
	snprintf(charon, sizeof(charon), "strongSwan %s",
		 gw->charon_version ? gw->charon_version : "");
	control_answer(c, 0,
		       json_pack("{s:s,s:s?,s:s}", "version", GWD_VERSION, "charon",
				 gw->charon_version ? charon : NULL, "kernel", u.release),
		       NULL);
}

static const struct verb verbs[] = {
	{"status", false, false, verb_status},
	{"show", false, true, verb_show},
	{"plan", false, false, verb_plan},
	{"reload", true, false, verb_reload},
	{"up", true, true, verb_up},
	{"down", true, true, verb_down},
	{"restart", true, true, verb_restart},
	{"teardown", true, false, verb_teardown},
	{"version", false, false, verb_version},
};

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void unknown_tunnel(struct control_client *c, const char *name)
{
	struct gateway *gw = control_gateway(c);
	const char **names = calloc(gw->conf->n_tunnels + 1, sizeof(*names));
	const char *near = NULL;
	char text[512];

	for (size_t i = 0; names && i < gw->conf->n_tunnels; i++)
		names[i] = gw->conf->tunnels[i].name;
	if (names)
		near = text_nearest(name, names);
	snprintf(text, sizeof(text), "no tunnel \"%.200s\" in %s%s%s%s", name, gw->conf_path,
		 near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
	free(names);
	control_answer(c, 1, NULL, text);
}

void verbs_run(struct control_client *c, const json_t *request, bool root)
{
	const char *name = json_string_value(json_object_get(request, "verb"));
	const char *tunnel = json_string_value(json_object_get(request, "tunnel"));
	const struct verb *v = verb_find(name);
	struct tunnel *t = tunnel ? gateway_tunnel_by_name(control_gateway(c), tunnel) : NULL;
	bool needs_root = v && (v->root || json_object_get(request, "file"));
	char text[160];

	if (!v) {
		snprintf(text, sizeof(text), "gwd does not know the verb \"%.60s\"",
			 name ? name : "");
		control_answer(c, 1, NULL, text);
	} else if (needs_root && !root) {
		snprintf(text, sizeof(text), "\"%s\" is for root", v->name);
		control_answer(c, 1, NULL, text);
	} else if (tunnel && !t) {
		unknown_tunnel(c, tunnel);
	} else if (v->tunnel && !t) {
		control_answer(c, 1, NULL, "the request names no tunnel");
	} else {
		v->run(c, request, t);
	}
}

bool verbs_wait_is_over(const struct tunnel *t, bool for_up)
{
	if (!for_up)
		return t->state == HEALTH_DOWN && !t->ike_established;
	return t->state == HEALTH_UP && t->ike_established;
}

void verbs_answer_tunnel(struct control_client *c, const char *name, bool for_up)
{
	struct gateway *gw = control_gateway(c);
	struct tunnel *t = gateway_tunnel_by_name(gw, name);
	char text[640];
	bool well = t && verbs_wait_is_over(t, for_up);

	if (!t)
		snprintf(text, sizeof(text), "%s is not configured any more", name);
	else
		snprintf(text, sizeof(text), "%s is %s%s%s", name, health_state_name(t->state),
			 t->reason ? ": " : "", t->reason ? t->reason : "");
	control_answer(c,
		       well ? 0
		       : t  ? 2
			    : 1,
		       t ? status_json(gw, t, NULL, 0) : NULL, well ? NULL : text);
}
