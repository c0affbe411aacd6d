/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl check: reads a configuration as gwd would, without gwd, and says what is wrong with it.
 * Entry function verb_check. Neighbour: conf/, which finds and words everything.
 */
#include "ctl/verb.h"

#include <jansson.h>

#include "conf/conf.h"
#include "ctl/handover.h"
#include "ctl/output.h"

static int check_print_json(const char *file, const struct conf *conf,
			    const struct conf_report *report, int exit_status)
{
	json_t *found = json_pack("{s:s, s:b, s:i, s:i, s:i, s:s?}", "file", file, "valid",
				  conf != NULL, "tunnels", conf ? (int)conf->n_tunnels : 0,
				  "errors", (int)report->errors, "warnings", (int)report->warnings,
				  "diagnostics", report->text);

	if (!found)
		return output_error("%s is not UTF-8", file);
	int rc = output_json(found, exit_status);
	json_decref(found);
	return rc;
}

static int check_print(const char *file, const struct conf *conf, const struct conf_report *report,
		       int exit_status)
{
	struct text out = {0};

	if (report->text)
		output_note(report->text);
	if (!conf)
		return report->text ? exit_status : output_error("out of memory");
	output_add_safe(&out, file, false);
	text_add(&out, ": well, %zu tunnel%s", conf->n_tunnels, conf->n_tunnels == 1 ? "" : "s");
	if (report->warnings)
		text_add(&out, ", %u warning%s", report->warnings,
			 report->warnings == 1 ? "" : "s");
	text_add(&out, "\n");
	return output_text(&out, exit_status);
}

int verb_check(const struct verb *verb, const char *arg, const struct options *opt)
{
	const char *file = arg ? arg : opt->config;
	struct conf_report report = {0};

	(void)verb;
	struct conf *conf = conf_load(file, &report);
	int rc = conf ? EXIT_WELL : EXIT_ERROR;
	rc = opt->json ? check_print_json(file, conf, &report, rc)
		       : check_print(file, conf, &report, rc);
	if (conf)
		handover_note(conf);
	conf_free(conf);
	conf_report_done(&report);
	return rc;
}
