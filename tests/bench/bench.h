/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of the benchmarks share. Each of them is one .c file. */
#ifndef GWD_TESTS_BENCH_BENCH_H
#define GWD_TESTS_BENCH_BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/desire.h"

#define BENCH_LOCAL "198.51.100.1" /* the gateway, on wan0 */

/* What a configuration wants, as gwd computes it. */
struct bench_wanted {
	struct conf *conf;
	struct secret *key;
	char public_key[KEY_PUBLIC_TEXT_SIZE];
	uint32_t *reqids;
	struct objects objects;
};

static inline double bench_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

__attribute__((noreturn)) static inline void bench_die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static inline void bench_want(const char *path, struct bench_wanted *w)
{
	struct conf_report report = {0};
	char err[256] = "";
	int r = secret_init(err, sizeof(err));

	w->conf = conf_load(path, &report);
	if (r || !w->conf) {
		fputs(report.text ? report.text : "no memory\n", stderr);
		exit(1);
	}
	r = secret_read_file(w->conf->key_file, &w->key, err, sizeof(err));
	if (!r)
		r = key_public_from_pem(w->key, w->public_key, err, sizeof(err));
	if (r) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
	struct desire_tunnel *d = calloc(w->conf->n_tunnels + 1, sizeof(*d));

	w->reqids = calloc(w->conf->n_tunnels + 1, sizeof(*w->reqids));
	for (size_t i = 0; d && i < w->conf->n_tunnels; i++)
		addr_parse(BENCH_LOCAL, &d[i].local);
	struct desire_input in = {
		.conf = w->conf, .tunnels = d, .key = w->key, .public_key = w->public_key};

	r = d && w->reqids ? desire_reqids(w->conf, w->reqids) : -ENOMEM;
	if (!r)
		r = desire(&in, w->reqids, NULL, 0, &w->objects);
	if (r)
		bench_die("desire", r);
	free(d);
}

#endif
