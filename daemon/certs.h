/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificates, CAs and CRLs of a configuration, each file once however many tunnels name it. */
#ifndef GWD_DAEMON_CERTS_H
#define GWD_DAEMON_CERTS_H

#include "conf/conf.h"
#include "lib/cert.h"
#include "lib/secret.h"
#include "lib/vec.h"

struct cert_file {
	const char *path; /* borrowed from the configuration */
	struct cert_list list;
	unsigned char digest[SECRET_DIGEST_SIZE]; /* of its DER */
};

struct certs {
	struct cert_file *own; /* of this gateway; NULL when no tunnel needs it */
	struct secret *key; /* PEM */
	VEC(struct cert_file *) files; /* own, CAs and CRLs */
};

/* What one tunnel takes of them; NULL-terminated. */
struct tunnel_certs {
	const struct cert_file *cas[CONF_FILES_MAX + 1], *crls[CONF_FILES_MAX + 1];
};

/* The gateway's certificate and key. -errno and a sentence. */
int certs_read_own(struct certs *c, const struct conf *conf, char *err, size_t err_size);

/* A tunnel's CAs and CRLs. -errno and a sentence. */
int certs_read_tunnel(struct certs *c, const struct conf_tunnel *t, struct tunnel_certs *out,
		      char *err, size_t err_size);

/* NULL is equal to NULL only. */
bool cert_file_equal(const struct cert_file *a, const struct cert_file *b);

/* Whether all CAs of a are among those of b, and the CRLs are the same. */
bool tunnel_certs_kept(const struct tunnel_certs *a, const struct tunnel_certs *b);

bool certs_equal(const struct certs *a, const struct certs *b);
void certs_done(struct certs *c);

#endif
