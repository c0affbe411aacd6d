/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that are questions to gwd: build the request, ask, and print the result, rendered or as
 * JSON. Entry functions verb_status and its siblings, called from the table in ctl/main.c.
 * Neighbours: ctl/client.c (the wire), ctl/render.c and ctl/render_plan.c (the looks).
 */
#include "ctl/verb.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ospf.h"
#include "ctl/output.h"
#include "ctl/render.h"
#include "lib/protocol.h"

typedef void (*render_fn)(struct text *out, const json_t *result, bool color);

static int answer_print(const struct client_answer *answer, const struct options *opt,
			render_fn render)
{
	struct text out = {0};
	int rc = answer->exit;

	if (answer->result && (render == render_status || render == render_show))
		ospf_fill(answer->result, opt->frr_dir);
	if (answer->result && opt->json) {
		rc = output_json(answer->result, rc);
	} else if (answer->result) {
		render(&out, answer->result, opt->color);
		rc = output_text(&out, rc);
	}
	if (answer->error)
		output_error("%s", answer->error);
	else if (!answer->result && rc)
		output_error("gwd refused, and gave no reason: see journalctl -u gwd");
	return rc;
}

/* key names arg in the request; arg may be NULL. */
static int ask(const struct verb *verb, const char *key, const char *arg, const struct options *opt,
	       render_fn render)
{
	json_t *request = json_pack("{s:s, s:s*}", "verb", verb->name, key, arg);
	struct client_answer answer;

	if (!request)
		return output_error("%s is not UTF-8", arg ? arg : verb->name);
	int rc = client_ask(opt, opt->timeout ? opt->timeout : verb->timeout, request, &answer);
	if (!rc)
		rc = answer_print(&answer, opt, render);
	client_answer_done(&answer);
	json_decref(request);
	return rc;
}

int verb_status(const struct verb *verb, const char *arg, const struct options *opt)
{
	return ask(verb, "tunnel", arg, opt, render_status);
}

int verb_show(const struct verb *verb, const char *arg, const struct options *opt)
{
	return ask(verb, "tunnel", arg, opt, render_show);
}

int verb_change(const struct verb *verb, const char *arg, const struct options *opt)
{
	return ask(verb, "tunnel", arg, opt, render_status);
}

int verb_plan(const struct verb *verb, const char *arg, const struct options *opt)
{
	char whole[PATH_MAX];

	/* gwd has another working directory than the user. */
	if (arg && !realpath(arg, whole))
		return output_error("%s: %s", arg, strerror(errno));
	return ask(verb, "file", arg ? whole : NULL, opt, render_plan);
}

int verb_done(const struct verb *verb, const char *arg, const struct options *opt)
{
	return ask(verb, "file", arg, opt, render_done);
}

int verb_version(const struct verb *verb, const char *arg, const struct options *opt)
{
	struct text own = {0};

	text_add(&own, "gwctl %s\n", GWD_VERSION);
	if (!opt->json && output_text(&own, EXIT_WELL))
		return EXIT_ERROR;
	text_free(&own);
	return ask(verb, "file", arg, opt, render_version);
}
