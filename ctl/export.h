/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl export: a tunnel as its other side has to be set up. ctl/export.c turns the view round, the other files write it for one
 * make each. What is written is a shell script (gwd: YAML) that holds no secret; where something is not known here, a word in
 * capitals stands, and is told in notes.
 */
#ifndef GWD_CTL_EXPORT_H
#define GWD_CTL_EXPORT_H

#include <net/if.h>

#include "conf/conf.h"
#include "lib/cert.h"
#include "lib/text.h"

#define EXPORT_WORD_SIZE 64
/* The words in capitals. */
#define EXPORT_PSK "PRE-SHARED-KEY"
#define EXPORT_ADDRESS "ADDRESS-IN-THE-TUNNEL"
#define EXPORT_PUBLIC_KEY "PUBLIC-KEY-OF-THIS-GATEWAY"
#define EXPORT_CA "CA-FILE"
#define EXPORT_CERTIFICATE "CERTIFICATE-FILE"
#define EXPORT_CERTIFICATE_KEY "KEY-FILE"

/* Local and remote as the other side sees them. */
struct export
{
	const struct conf *conf;
	const struct conf_tunnel *tunnel;
	char name[EXPORT_WORD_SIZE]; /* what the other side may call us, from our identity: letters, digits, dashes */
	char interface[IF_NAMESIZE];
	uint8_t family; /* of the transport */
	char local[EXPORT_WORD_SIZE],
		remote[EXPORT_WORD_SIZE]; /* addresses, or words in capitals */
	char public_key[KEY_PUBLIC_TEXT_SIZE]; /* ours; "" when it cannot be read */
	enum cert_key certificate; /* the kind of key in ours */
	uint32_t mtu;
	bool leads; /* the other side renews keys */
	struct text notes; /* lines for the person: what has to be put in, what was left out */
};

/* Seconds, bytes or packets, for a side that renews after [from, to] and ends what was not renewed at end. */
struct export_renewal {
	uint64_t from, to, end;
};

/*
 * Of a rekey-time, rekey-bytes or rekey-packets of ours what the other side should have: 90 to 100 % where it leads, else 120 to
 * 125 %; the end at 150 %, as ike/conn.c has it for our side.
 */
struct export_renewal export_renewal(const struct export *e, uint64_t limit);

/* Remembers a word in capitals that has to be replaced. */
void export_missing(struct export *e, const char *word, const char *what);
/* The three files of certificates; kinds: of the other side's key, for the person. */
void export_missing_certificates(struct export *e, const char *kinds);

/*
 * The parts of the script: guard (nftables) and GRE link by ip(8), the same for every Linux; the head tells what it is and for
 * whom.
 */
void export_head(struct text *out, const struct export *e, const char *make);
void export_guard(struct text *out, const struct export *e);
void export_link(struct text *out, struct export *e);
/*
 * The other host of a network that has two (/30, /31, and RFC 6164 /126, /127). False, and *out one of them, where there may be
 * more.
 */
bool export_other_host(const struct prefix *p, struct addr *out);

/* Each appends its whole text to out. False: it cannot be done, and *why (static) says why. */
bool export_strongswan(struct text *out, struct export *e, const char **why);
bool export_libreswan(struct text *out, struct export *e, const char **why);
bool export_linux(struct text *out, struct export *e, const char **why);
bool export_gwd(struct text *out, struct export *e, const char **why);

#endif
