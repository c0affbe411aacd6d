// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads configurations and takes them into force. Entries: reload_conf, reload_preview. Everything is built beside what is in
 * force (daemon/generation.c), so a bad file loses nothing. What changed is marked for daemon/reconcile.c: single tunnels
 * where the names of their objects stayed, else all.
 */
#include "daemon/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/equal.h"
#include "daemon/charon.h"
#include "daemon/generation.h"
#include "daemon/holds.h"
#include "daemon/names.h"
#include "daemon/peer.h"
#include "daemon/reauth.h"
#include "daemon/reconcile.h"
#include "lib/log.h"
#include "lib/seal.h"

#define HASHED_MAX (17u << 20) /* bytes of a file; one that has more is refused (conf/load.c) */

/* Whether all of it could be read: no file, or one that is none or has no end, is for the reader to complain of (conf/load.c). */
static bool hash_file(crypto_generichash_state *h, const char *path)
{
	unsigned char buf[16384];
	struct stat st;
	ssize_t n = -1;
	size_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	crypto_generichash_update(h, (const unsigned char *)path, strlen(path) + 1);
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		while (got < HASHED_MAX && (n = read(fd, buf, sizeof(buf))) > 0) {
			crypto_generichash_update(h, buf, (size_t)n);
			got += (size_t)n;
		}
	close(fd);
	return n == 0;
}

/* Secrets are told apart by their inode and times, so that their bytes stay in guarded memory. */
static void hash_stat(crypto_generichash_state *h, const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		return;
	crypto_generichash_update(h, (const unsigned char *)&st.st_ino, sizeof(st.st_ino));
	crypto_generichash_update(h, (const unsigned char *)&st.st_mode, sizeof(st.st_mode));
	crypto_generichash_update(h, (const unsigned char *)&st.st_size, sizeof(st.st_size));
	crypto_generichash_update(h, (const unsigned char *)&st.st_mtim, sizeof(st.st_mtim));
}

static void hash_files(crypto_generichash_state *h, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		if (!seal_is_sealed(paths[i]))
			hash_stat(h, paths[i]);
}

static void hash_credentials(crypto_generichash_state *h, const struct conf_tunnel *t)
{
	char *const ppk[] = {t->ppk_secret, NULL};

	hash_files(h, t->psks);
	hash_files(h, t->ca_files);
	hash_files(h, t->crl_files);
	hash_files(h, ppk);
}

static void files_digest(const struct gateway *gw, unsigned char *out)
{
	crypto_generichash_state h;
	char *copy = strdup(gw->conf_path), pattern[4096];
	glob_t g = {0};
	bool known = copy;
	int found;

	crypto_generichash_init(&h, NULL, 0, SECRET_DIGEST_SIZE);
	known &= hash_file(&h, gw->conf_path);
	snprintf(pattern, sizeof(pattern), "%s/tunnels.d/*.yaml", copy ? dirname(copy) : ".");
	found = glob(pattern, 0, NULL, &g);
	if (!found)
		for (size_t i = 0; i < g.gl_pathc; i++)
			known &= hash_file(&h, g.gl_pathv[i]);
	globfree(&g);
	free(copy);
	if (gw->conf) {
		hash_stat(&h, gw->conf->key_file);
		hash_stat(&h, gw->conf->cert_file);
		hash_stat(&h, gw->conf->cert_key_file);
		for (size_t i = 0; i < gw->conf->n_tunnels; i++)
			hash_credentials(&h, &gw->conf->tunnels[i]);
	}
	crypto_generichash_final(&h, out, SECRET_DIGEST_SIZE);
	if (!known || (found && found != GLOB_NOMATCH))
		randombytes_buf(out, SECRET_DIGEST_SIZE); /* equals none: read again */
}

static int load_generation(struct gateway *gw, const char *path, struct generation *g,
			   char **report)
{
	struct conf_report found = {0};
	char err[512] = "";
	struct conf *conf = conf_load(path, &found);
	int r;

	*report = found.text;
	found.text = NULL;
	conf_report_done(&found);
	if (!conf)
		return -EINVAL;
	r = generation_new(gw, conf, g, err, sizeof(err));
	if (r) {
		free(*report);
		if (asprintf(report, "%s: %s\n", path, err) < 0)
			*report = NULL;
	}
	return r;
}

static bool psk_equal(const struct secret *a, const struct secret *b)
{
	if (!a || !b)
		return a == b;
	return a->size == b->size && !sodium_memcmp(a->bytes, b->bytes, a->size);
}

/* Marks what changed; true when single marks do. */
static bool mark_changed(struct gateway *gw, const struct generation *old)
{
	const struct conf *a = old->conf, *b = gw->conf;

	if (!a || a->n_tunnels != b->n_tunnels || !conf_gateway_equal(a, b) ||
	    strcmp(old->public_key, gw->public_key) || !certs_equal(&old->certs, &gw->certs))
		return false;
	for (size_t i = 0; i < b->n_tunnels; i++)
		if (strcmp(a->tunnels[i].name, b->tunnels[i].name) ||
		    !conf_tunnel_same_objects(&a->tunnels[i], &b->tunnels[i]) ||
		    old->reqids[i] != gw->reqids[i])
			return false;
	holds_recount(gw);
	for (size_t i = 0; i < b->n_tunnels; i++)
		if (!conf_tunnel_equal(&a->tunnels[i], &b->tunnels[i]) ||
		    !psk_equal(old->auths[i].psk, gw->auths[i].psk) ||
		    !psk_equal(old->auths[i].other_psk, gw->auths[i].other_psk) ||
		    !psk_equal(old->auths[i].ppk, gw->auths[i].ppk))
			reconcile_mark(&gw->tunnels[i]);
	return true;
}

/*
 * Another charon: all of ours is loaded there, and forgotten here. The session is made before the configuration is taken, which
 * would be of no use without.
 */
static int load_with_session(struct gateway *gw, struct generation *g, struct charon_spare *spare,
			     char **report)
{
	int r = load_generation(gw, gw->conf_path, g, report);

	if (r || !gw->conf || !strcmp(gw->conf->charon_socket, g->conf->charon_socket))
		return r;
	r = charon_prepare(gw, g->conf->charon_socket, spare);
	if (!r)
		return 0;
	free(*report);
	if (asprintf(report, "%s: a session with charon: %s\n", gw->conf_path, strerror(-r)) < 0)
		*report = NULL;
	generation_done(g);
	return r;
}

int reload_conf(struct gateway *gw, char **report)
{
	unsigned char digest[SECRET_DIGEST_SIZE];
	struct charon_spare spare = {0};
	struct generation g;
	int r;

	*report = NULL;
	files_digest(gw, digest);
	if (gw->conf && !gw->torn_down && !gw->conf_error &&
	    !memcmp(digest, gw->conf_digest, sizeof(digest))) {
		names_hint_all(gw, true);
		return 0;
	}
	r = load_with_session(gw, &g, &spare, report);
	if (r) {
		gateway_set_text(&gw->conf_error, *report ? *report : strerror(-r));
		return r;
	}
	if (gw->conf) {
		struct generation now = {.conf = gw->conf, .tunnels = gw->tunnels};

		generation_carry(&g, &now, true);
	}
	generation_swap(gw, &g);
	if (g.conf)
		reauth_note(gw, &g);
	gw->dirty_all |= gw->dirty.len > 0; /* they are numbers of before */
	vec_free(&gw->dirty);
	gateway_set_text(&gw->conf_error, NULL);
	files_digest(gw, gw->conf_digest);
	if (g.conf && (gw->torn_down || !mark_changed(gw, &g))) {
		gw->unresolved_all = true;
		reconcile_mark_all(gw);
	}
	gw->torn_down = false;
	/* their dates came with them, their timers did not */
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		peer_arm(&gw->tunnels[i]);
	names_hint_all(gw, true);
	if (spare.session)
		charon_replace(gw, &spare);
	generation_done(&g);
	return 0;
}

int reload_preview(struct gateway *gw, const char *file, json_t **plan, char **report)
{
	struct generation g, now = {.conf = gw->conf, .tunnels = gw->tunnels};
	__typeof__(gw->dirty) dirty = gw->dirty;
	char err[256] = "";
	bool torn_down = gw->torn_down, dirty_all = gw->dirty_all, unresolved = gw->unresolved_all;
	int r = load_generation(gw, file ? file : gw->conf_path, &g, report);

	if (r)
		return r;
	generation_carry(&g, &now, false);
	generation_swap(gw, &g);
	reauth_note(gw, &g);
	gw->torn_down = false;
	memset(&gw->dirty, 0, sizeof(gw->dirty));
	r = reconcile_preview(gw, plan, err, sizeof(err));
	gw->torn_down = torn_down;
	generation_swap(gw, &g);
	/* marks made meanwhile are numbers of tunnels that are not in force */
	vec_free(&gw->dirty);
	gw->dirty = dirty;
	gw->dirty_all = dirty_all;
	/* what was resolved are tunnels of the other one */
	gw->unresolved_all = unresolved;
	generation_done(&g);
	if (r) {
		free(*report);
		if (asprintf(report, "%s\n", err) < 0)
			*report = NULL;
	}
	return r;
}
