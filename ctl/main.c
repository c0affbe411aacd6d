/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl: the table of verbs, the options, and the dispatch. Entry function main. Neighbours:
 * ctl/remote.c (verbs that ask gwd), ctl/check.c and ctl/keys.c (verbs done here), ctl/help.c.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "ctl/help.h"
#include "ctl/output.h"
#include "ctl/verb.h"
#include "lib/protocol.h"

#define SILENT_READ 10 /* seconds: gwd answers from memory */
#define SILENT_CHANGE 120 /* IKE retransmits for long before it gives up */
#define TIMEOUT_MAX 86400
#define FRR_DIR "/run/frr"

const struct verb verbs[] = {
	{"status", "[TUNNEL]", "all tunnels, or one, in a table; without a verb the same", false,
	 SILENT_READ, verb_status},
	{"show", "TUNNEL", "one tunnel, layer by layer", false, SILENT_READ, verb_show},
	{"up", "TUNNEL", "bring a tunnel up and wait for it", true, SILENT_CHANGE, verb_change},
	{"down", "TUNNEL", "take a tunnel down until \"up\" or a restart of gwd", true,
	 SILENT_CHANGE, verb_change},
	{"restart", "TUNNEL", "take a tunnel down and bring it up again", true, SILENT_CHANGE,
	 verb_change},
	{"check", "[FILE]", "find mistakes in a configuration, without gwd", false, 0, verb_check},
	{"plan", "[FILE]", "what gwd would change for this configuration", false, SILENT_CHANGE,
	 verb_plan},
	{"frr", "[TUNNEL]", "print what FRR needs to run OSPF over the tunnels", false, 0,
	 verb_frr},
	{"export", "TUNNEL", "the other side's configuration, for another make (--for)", false, 0,
	 verb_export},
	{"reload", "", "read the configuration again and put it in force", true, SILENT_CHANGE,
	 verb_done},
	{"teardown", "", "remove everything gwd has made; the tunnels end", true, SILENT_CHANGE,
	 verb_done},
	{"keygen", "[FILE]", "make the gateway's key, /etc/gwd/gwd.key unless given", true, 0,
	 verb_keygen},
	{"pubkey", "[FILE]", "print the public key, for the peers' configuration", true, 0,
	 verb_pubkey},
	{"seal", "[FILE]", "print a secret as a text that only one gateway can read", false, 0,
	 verb_seal},
	{"version", "", "versions of gwctl, gwd, charon and kernel", false, SILENT_READ,
	 verb_version},
	{"completion", "SHELL", "print a completion script for bash", false, 0, verb_completion},
	{"help", "[VERB]", "what the verbs do", false, 0, verb_help},
	{0},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

int verb_unknown(const char *name)
{
	const char *names[sizeof(verbs) / sizeof(verbs[0])];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		names[i] = verbs[i].name;
	const char *nearest = text_nearest(name, names);
	if (nearest)
		return output_error("there is no verb %s: did you mean \"%s\"?", name, nearest);
	return output_error("there is no verb %s: \"gwctl help\" lists them", name);
}

enum {
	OPTION_JSON = 256,
	OPTION_RUN_DIR,
	OPTION_FRR_DIR,
	OPTION_TIMEOUT,
	OPTION_TO,
	OPTION_NO_COLOR,
	OPTION_VERSION,
	OPTION_FOR,
};

static const struct option long_options[] = {
	{"json", no_argument, NULL, OPTION_JSON},
	{"run-dir", required_argument, NULL, OPTION_RUN_DIR},
	{"frr-dir", required_argument, NULL, OPTION_FRR_DIR},
	{"config", required_argument, NULL, 'c'},
	{"for", required_argument, NULL, OPTION_FOR},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"to", required_argument, NULL, OPTION_TO},
	{"no-color", no_argument, NULL, OPTION_NO_COLOR},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int timeout_parse(const char *text, unsigned *out)
{
	char *end;

	errno = 0;
	unsigned long seconds = strtoul(text, &end, 10);
	if (text[strspn(text, "0123456789")] || end == text || errno || seconds == 0 ||
	    seconds > TIMEOUT_MAX)
		return output_error("--timeout takes 1 to %d seconds, not %s", TIMEOUT_MAX, text);
	*out = (unsigned)seconds;
	return EXIT_WELL;
}

static int own_version(void)
{
	struct text out = {0};

	text_add(&out, "gwctl %s\n", GWD_VERSION);
	return output_text(&out, EXIT_WELL);
}

/* True when gwctl has to end at once, with *status. */
static bool options_parse(int argc, char **argv, struct options *opt, int *status)
{
	int c;

	*status = EXIT_ERROR;
	while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
		switch (c) {
		case OPTION_JSON:
			opt->json = true;
			break;
		case OPTION_RUN_DIR:
			opt->run_dir = optarg;
			break;
		case OPTION_FRR_DIR:
			opt->frr_dir = optarg;
			break;
		case 'c':
			opt->config = optarg;
			break;
		case OPTION_TIMEOUT:
			if (timeout_parse(optarg, &opt->timeout))
				return true;
			break;
		case OPTION_FOR:
			opt->make = optarg;
			break;
		case OPTION_TO:
			opt->to = optarg;
			break;
		case OPTION_NO_COLOR:
			opt->color = false;
			break;
		case OPTION_VERSION:
			*status = own_version();
			return true;
		case 'h':
			opt->help = true;
			break;
		default:
			output_note("\"gwctl --help\" lists the options");
			return true;
		}
	}
	return false;
}

static int dispatch(const struct verb *verb, int n, char **args, const struct options *opt)
{
	bool needed = *verb->args && *verb->args != '[';
	int most = *verb->args ? 1 : 0;

	if (opt->help) {
		struct text out = {0};
		help_verb(&out, verb);
		return output_text(&out, EXIT_WELL);
	}
	if (n > most)
		return output_error("%s: one word too many: %s", verb->name, args[most]);
	if (needed && n == 0)
		return output_error("%s: which %s?", verb->name, verb->args);
	return verb->run(verb, n ? args[0] : NULL, opt);
}

/* libjansson does not look at each of its own failures: a part of what it reads would be missing. */
static void *json_memory(size_t size)
{
	void *at = malloc(size);

	if (!at) {
		output_error("out of memory");
		exit(EXIT_ERROR);
	}
	return at;
}

int main(int argc, char **argv)
{
	struct options opt = {.run_dir = PROTOCOL_RUN_DIR,
			      .frr_dir = FRR_DIR,
			      .config = CONF_PATH_DEFAULT};
	int status;

	/* Only characters: numbers are for scripts too. */
	setlocale(LC_CTYPE, "");
	json_set_alloc_funcs(json_memory, free);
	signal(SIGPIPE, SIG_IGN);
	opt.color = output_color_wanted();
	if (options_parse(argc, argv, &opt, &status))
		return status;
	argv += optind;
	argc -= optind;
	if (argc == 0 && opt.help)
		return verb_help(verbs, NULL, &opt);
	const struct verb *verb = argc ? verb_find(argv[0]) : verb_find("status");
	if (!verb)
		return verb_unknown(argv[0]);
	return dispatch(verb, argc ? argc - 1 : 0, argv + 1, &opt);
}
