/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to struct conf: entry functions conf_load and conf_load_text. The way is the same
 * for both: source -> YAML (conf/yaml.c) -> drafts (conf/parse.c) -> rules (conf/check.c,
 * conf/across.c, conf/files.c) -> report (conf/report.c), and the configuration only when no
 * error was found.
 */
#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/check.h"
#include "conf/parse.h"
#include "conf/yaml.h"
#include "lib/owner.h"
#include "lib/text.h"

#define KEY_DEFAULT "/etc/gwd/gwd.key"
#define SOCKET_DEFAULT "/run/gwd/charon.vici"
#define PARTS_FOLDER "tunnels.d"
#define FILE_SIZE_MAX (16u << 20) /* bytes */
#define PARTS_MAX 16384

struct load {
	struct findings found;
	struct drafts drafts;
	struct parse parse;
	struct yaml *main_document; /* its nodes hold the defaults */
};

static void file_refuse(struct load *l, const char *path, const char *why)
{
	uint32_t file;

	if (findings_source_add(&l->found, path, strdup(""), 0, &file))
		findings_add(&l->found, FINDING_ERROR, (struct spot){.file = file}, "%s", why);
}

/* At most FILE_SIZE_MAX + 1 bytes, which is too many; -1 with errno. The text gets a NUL. */
static ssize_t file_fill(int fd, char **text)
{
	size_t size = 0, room = 0;
	ssize_t got = 1;

	while (got > 0 && size <= FILE_SIZE_MAX) {
		if (size + 1 >= room) {
			room = room ? room * 2 : 8192;
			char *grown = realloc(*text, room);
			if (!grown)
				return -1;
			*text = grown;
		}
		got = TEMP_FAILURE_RETRY(read(fd, *text + size, room - size - 1));
		size += got > 0 ? (size_t)got : 0;
	}
	(*text)[size] = '\0';
	return got < 0 ? -1 : (ssize_t)size;
}

/* With errno of the failure. */
static void why_not(const char *path, const char *what, char *why, size_t size)
{
	char reason[480];

	owner_explain(path, errno, false, reason, sizeof(reason));
	snprintf(why, size, "cannot be %s: %s", what, reason);
}

static char *file_read(struct load *l, const char *path, size_t *size)
{
	char *text = NULL, why[512];
	struct stat st;
	ssize_t got = -1;
	/* Not blocking, so that opening a FIFO returns. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*why = '\0';
	if (fd < 0 || fstat(fd, &st))
		why_not(path, "opened", why, sizeof(why));
	else if (!S_ISREG(st.st_mode))
		snprintf(why, sizeof(why), "not a regular file");
	else if ((got = file_fill(fd, &text)) < 0)
		snprintf(why, sizeof(why), "cannot be read: %s", strerror(errno));
	else if ((size_t)got > FILE_SIZE_MAX)
		snprintf(why, sizeof(why), "is larger than %u MiB: not a configuration",
			 FILE_SIZE_MAX >> 20);
	if (fd >= 0)
		close(fd);
	if (!*why) {
		*size = (size_t)got;
		return text;
	}
	free(text);
	file_refuse(l, path, why);
	return NULL;
}

static void file_empty(struct load *l, uint32_t file, enum schema_place place)
{
	struct spot whole = {.file = file};

	if (place == SCHEMA_TOP)
		findings_add(&l->found, FINDING_ERROR, whole, "the file is empty");
	else
		findings_add(&l->found, FINDING_WARNING, whole, "the file is empty: no tunnels");
}

/* Takes text over. YAML's byte order mark (section 5.2) is no part of it. */
static void source_parse(struct load *l, const char *name, char *text, size_t size,
			 enum schema_place place)
{
	uint32_t file;

	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		size -= 3;
		memmove(text, text + 3, size + 1);
	}
	if (!findings_source_add(&l->found, name, text, size, &file))
		return;
	if (strspn(text, " \r\n") == size) {
		file_empty(l, file, place);
		return;
	}
	struct yaml *yaml = yaml_open(&l->found, file);
	if (!yaml)
		return;
	struct fy_node *root = yaml_root(yaml);
	l->parse.file = file;
	if (yaml_is_null(root)) {
		file_empty(l, file, place);
	} else if (!fy_node_is_mapping(root)) {
		struct spot at = yaml_spot(file, root, (struct spot){.file = file});
		finding_hint(findings_add(&l->found, FINDING_ERROR, at, "expected a map, found %s",
					  yaml_kind(root)),
			     "KEY: VALUE lines, such as tunnels:");
	} else {
		parse_document(&l->parse, root, place);
	}
	if (place == SCHEMA_TOP)
		l->main_document = yaml;
	else
		yaml_close(yaml);
}

static int part_is(const struct dirent *entry)
{
	return fnmatch("*.yaml", entry->d_name, FNM_PERIOD) == 0;
}

static int part_cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void part_parse(struct load *l, const char *folder, const char *name)
{
	struct text path = {0};
	size_t size = 0;

	text_add(&path, "%s/%s", folder, name);
	if (path.failed) {
		l->found.failed = true;
	} else {
		char *text = file_read(l, path.text, &size);
		if (text)
			source_parse(l, path.text, text, size, SCHEMA_PART);
	}
	text_free(&path);
}

static void parts_parse(struct load *l, const char *folder)
{
	struct dirent **parts = NULL;
	char why[512];

	errno = 0;
	int n = scandir(folder, &parts, part_is, part_cmp);
	if (n < 0 && errno != ENOENT) {
		why_not(folder, "read", why, sizeof(why));
		file_refuse(l, folder, why);
	}
	if (n > PARTS_MAX)
		file_refuse(l, folder, "holds too many files");
	for (int i = 0; i < n; i++) {
		if (n <= PARTS_MAX)
			part_parse(l, folder, parts[i]->d_name);
		free(parts[i]);
	}
	free(parts);
}

/* The folder's name as the file's was given, so that findings are in the user's words. */
static void parts_parse_beside(struct load *l, const char *path)
{
	char *copy = strdup(path);
	struct text folder = {0};

	if (copy && !strchr(path, '/'))
		text_add(&folder, PARTS_FOLDER);
	else if (copy)
		text_add(&folder, "%s/" PARTS_FOLDER, dirname(copy));
	if (!copy || folder.failed)
		l->found.failed = true;
	else
		parts_parse(l, folder.text);
	text_free(&folder);
	free(copy);
}

static void load_init(struct load *l, const char *name)
{
	l->drafts.found = &l->found;
	l->drafts.conf = calloc(1, sizeof(*l->drafts.conf));
	l->parse.drafts = &l->drafts;
	if (l->drafts.conf)
		l->drafts.conf->path = strdup(name);
	if (!l->drafts.conf || !l->drafts.conf->path)
		l->found.failed = true;
}

static void paths_settle(struct load *l)
{
	struct conf *conf = l->drafts.conf;
	bool protected = false;

	for (size_t i = 0; i < l->drafts.list.len; i++)
	protected |= l->drafts.list.at[i].tunnel.protect == CONF_PROTECT_IPSEC;
	if (!protected) {
		free(conf->key_file);
		conf->key_file = NULL;
	} else if (!conf->key_file) {
		conf->key_file = strdup(KEY_DEFAULT);
		l->found.failed |= !conf->key_file;
	}
	if (!conf->charon_socket) {
		conf->charon_socket = strdup(SOCKET_DEFAULT);
		l->found.failed |= !conf->charon_socket;
	}
}

static void load_check(struct load *l, bool on_disk)
{
	bool broken = false;

	for (size_t i = 0; i < l->found.list.len; i++)
		broken |= l->found.list.at[i].level == FINDING_ERROR;
	if (!l->drafts.list.len && !broken)
		findings_add(&l->found, FINDING_WARNING, (struct spot){0}, "no tunnels");
	check_tunnels(&l->drafts);
	check_across(&l->drafts);
	paths_settle(l);
	if (on_disk)
		check_files(&l->drafts);
}

static bool tunnels_move(struct load *l)
{
	struct conf *conf = l->drafts.conf;
	size_t n = l->drafts.list.len;

	conf->tunnels = calloc(n ? n : 1, sizeof(*conf->tunnels));
	if (!conf->tunnels)
		return false;
	for (size_t i = 0; i < n; i++) {
		conf->tunnels[i] = l->drafts.list.at[i].tunnel;
		l->drafts.list.at[i].tunnel = (struct conf_tunnel){0};
	}
	conf->n_tunnels = n;
	return true;
}

static struct conf *load_done(struct load *l, struct conf_report *report)
{
	struct conf *conf = l->drafts.conf;

	if (conf && !l->found.failed && !tunnels_move(l))
		l->found.failed = true;
	findings_render(&l->found, report);
	if (report->errors) {
		conf_free(conf);
		conf = NULL;
	}
	for (size_t i = 0; i < l->drafts.list.len; i++)
		draft_done(&l->drafts.list.at[i]);
	vec_free(&l->drafts.list);
	yaml_close(l->main_document);
	findings_done(&l->found);
	return conf;
}

struct conf *conf_load(const char *path, struct conf_report *report)
{
	struct load l = {0};
	size_t size = 0;

	*report = (struct conf_report){0};
	load_init(&l, path);
	char *text = l.found.failed ? NULL : file_read(&l, path, &size);
	if (text) {
		source_parse(&l, path, text, size, SCHEMA_TOP);
		parts_parse_beside(&l, path);
		load_check(&l, true);
	}
	return load_done(&l, report);
}

struct conf *conf_load_text(const char *name, const char *text, size_t size,
			    struct conf_report *report)
{
	struct load l = {0};

	*report = (struct conf_report){0};
	load_init(&l, name);
	char *copy = l.found.failed ? NULL : malloc(size + 1);
	if (size > FILE_SIZE_MAX) {
		free(copy);
		file_refuse(&l, name, "is too large");
	} else if (copy) {
		memcpy(copy, text, size);
		copy[size] = '\0';
		source_parse(&l, name, copy, size, SCHEMA_TOP);
		load_check(&l, false);
	} else {
		l.found.failed = true;
	}
	return load_done(&l, report);
}
