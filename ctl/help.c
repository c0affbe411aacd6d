/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl help and gwctl completion, both out of the table of verbs. Entry functions verb_help,
 * verb_completion, help_overview. Neighbour: ctl/main.c (the table and the options).
 */
#include "ctl/help.h"

#include <stdio.h>
#include <string.h>

#include "ctl/output.h"

static const struct {
	const char *option, *help;
} options[] = {
	{"--json", "print results as JSON"},
	{"-c, --config FILE", "the configuration, /etc/gwd/gwd.yaml unless given"},
	{"--for MAKE", "export: strongswan, libreswan, linux or gwd"},
	{"--run-dir DIR", "where gwd's socket is, /run/gwd unless given"},
	{"--frr-dir DIR", "where FRR's sockets are, /run/frr unless given"},
	{"--timeout SECONDS", "how long gwd may be silent"},
	{"--to PUBLIC-KEY", "seal: the gateway that may read it, this one unless given"},
	{"--no-color", "no colour on a terminal; NO_COLOR in the environment does the same"},
	{"--version", "print gwctl's version"},
	{"-h, --help", "print this, or what the verb does"},
};

void help_overview(struct text *out)
{
	char words[64];

	text_add(out, "Usage: gwctl [OPTION]... [VERB [ARGUMENT]]\n\n");
	for (const struct verb *v = verbs; v->name; v++) {
		snprintf(words, sizeof(words), "%s %s", v->name, v->args);
		text_add(out, "  %-18s  %s%s\n", words, v->help, v->needs_root ? " (root)" : "");
	}
	text_add(out, "\n");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		text_add(out, "  %-18s  %s\n", options[i].option, options[i].help);
	text_add(out, "\nExit status: 0 well, 1 error, 2 not as wanted (a tunnel down, a plan with "
		      "changes).\n");
}

void help_verb(struct text *out, const struct verb *verb)
{
	text_add(out, "Usage: gwctl [OPTION]... %s%s%s\n\n  %s\n", verb->name,
		 *verb->args ? " " : "", verb->args, verb->help);
	if (verb->needs_root)
		text_add(out, "  For root.\n");
}

int verb_help(const struct verb *verb, const char *arg, const struct options *opt)
{
	const struct verb *asked = arg ? verb_find(arg) : NULL;
	struct text out = {0};

	(void)verb;
	(void)opt;
	if (arg && !asked)
		return verb_unknown(arg);
	if (asked)
		help_verb(&out, asked);
	else
		help_overview(&out);
	return output_text(&out, EXIT_WELL);
}

/* The verbs whose argument is the word, as a bash pattern: "show|up|down". */
static void add_verbs_taking(struct text *out, const char *word)
{
	bool first = true;

	for (const struct verb *v = verbs; v->name; v++) {
		if (!strstr(v->args, word))
			continue;
		text_add(out, "%s%s", first ? "" : "|", v->name);
		first = false;
	}
}

static void add_case(struct text *out, const char *word, const char *words)
{
	text_add(out, "\t");
	add_verbs_taking(out, word);
	text_add(out, ")\n\t\t%s\n\t\t;;\n", words);
}

/* Tunnel names are the first words of the table's rows; reasons are indented. */
static void completion_bash(struct text *out)
{
	text_add(out, "# bash completion for gwctl, made by \"gwctl completion bash\"\n\n"
		      "_gwctl_tunnels()\n{\n"
		      "\tgwctl --no-color --timeout 2 status 2>/dev/null |\n"
		      "\t\tawk 'seen && /^[^ ]/ { print $1 } /^TUNNEL / { seen = 1 }'\n}\n\n"
		      "_gwctl()\n{\n"
		      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		      "\tlocal verbs=\"");
	for (const struct verb *v = verbs; v->name; v++)
		text_add(out, "%s%s", v == verbs ? "" : " ", v->name);
	text_add(
		out,
		"\"\n\tlocal options=\"--json --config --for --run-dir --frr-dir --timeout --to --no-color --version "
		"--help\"\n\n"
		"\tCOMPREPLY=()\n"
		"\tif [[ $word == -* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
		"\t\treturn\n\tfi\n"
		"\tcase $before in\n"
		"\t-c|--config)\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n\t\t;;\n"
		"\t--run-dir|--frr-dir)\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$word\")\n\t\t;;\n"
		"\t--for)\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"strongswan libreswan linux gwd\" -- \"$word\")\n"
		"\t\t;;\n"
		"\t--timeout|--to)\n\t\t;;\n");
	add_case(out, "TUNNEL",
		 "mapfile -t COMPREPLY < <(compgen -W \"$(_gwctl_tunnels)\" -- \"$word\")");
	add_case(out, "FILE", "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")");
	add_case(out, "VERB", "mapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$word\")");
	add_case(out, "SHELL", "mapfile -t COMPREPLY < <(compgen -W bash -- \"$word\")");
	text_add(out, "\t*)\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$word\")\n"
		      "\t\t;;\n\tesac\n}\ncomplete -F _gwctl gwctl\n");
}

int verb_completion(const struct verb *verb, const char *arg, const struct options *opt)
{
	struct text out = {0};

	(void)verb;
	(void)opt;
	if (strcmp(arg, "bash"))
		return output_error("there is completion for bash only, not for %s", arg);
	completion_bash(&out);
	return output_text(&out, EXIT_WELL);
}
