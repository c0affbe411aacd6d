/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which secret files of a configuration the user gwd could not read, though root, who asks, can: after an upgrade from a gwd that ran
 * as root, or where root made them. Entry function handover_note, called by ctl/check.c. Neighbour: lib/owner.c.
 */
#include "ctl/handover.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/output.h"
#include "lib/owner.h"
#include "lib/seal.h"
#include "lib/vec.h"

typedef VEC(const char *) path_list;

static void path_add(path_list *list, const char *path)
{
	const char **at = path && !seal_is_sealed(path) ? vec_push(list) : NULL;

	if (at)
		*at = path;
}

static int path_cmp(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void paths_collect(const struct conf *conf, path_list *list)
{
	path_add(list, conf->key_file);
	path_add(list, conf->cert_key_file);
	for (size_t i = 0; i < conf->n_tunnels; i++) {
		const struct conf_tunnel *t = &conf->tunnels[i];

		for (size_t j = 0; t->psks && t->psks[j]; j++)
			path_add(list, t->psks[j]);
		path_add(list, t->ppk_secret);
		path_add(list, t->ospf.key_file);
	}
	vec_sort(list, path_cmp);
}

void handover_note(const struct conf *conf)
{
	path_list paths = {0};
	struct text line = {0};
	struct stat st;
	uid_t gwd;

	if (geteuid() != 0 || !owner_gwd(&gwd))
		return;
	paths_collect(conf, &paths);
	for (size_t i = 0; i < paths.len; i++) {
		if (i && !strcmp(paths.at[i - 1], paths.at[i]))
			continue;
		if (!stat(paths.at[i], &st) && st.st_uid != gwd)
			text_add(&line, " %s", paths.at[i]);
	}
	if (line.text && !line.failed) {
		struct text note = {0};

		text_add(&note,
			 "gwd.service runs as the user gwd, who cannot read what is root's: chown "
			 "gwd%s",
			 line.text);
		if (note.text)
			output_note(note.text);
		text_free(&note);
	}
	text_free(&line);
	vec_free(&paths);
}
