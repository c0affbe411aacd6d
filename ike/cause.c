/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon's log lines mean for a tunnel, as a sentence naming cause and side; entry function
 * ike_cause_from_log. Neighbour: ike/event.c, whose IKE_EVENT_LOG brings the lines. Pure. The
 * patterns are the texts of strongSwan 5.9.8 and 6.0.1 (libcharon/sa/ikev2, ike_sa.c,
 * trap_manager.c, auth_cfg.c); notify names are those of RFC 7296 section 3.10.1.
 */
#include "ike/sa.h"

#include <string.h>

#define N(table) (sizeof(table) / sizeof(*(table)))
#define PARTS_MAX 4
#define PART_SIZE 96

#define THEIR_KEY                                                                               \
	"the peer's key is not the one configured here: compare `gwctl pubkey` there with our " \
	"peer.public-key"

/* The first that matches counts. '*' stands for any text, which $1 to $4 of the sentence repeat. */
struct cause {
	const char *pattern;
	const char *sentence;
	const char *psk_sentence; /* where the remedy differs; NULL: the same */
};

static const struct cause causes[] = {
	/* The peer says no. */
	{"received AUTHENTICATION_FAILED notify error*",
	 "the peer rejects our key (AUTHENTICATION_FAILED): compare `gwctl pubkey` here with its "
	 "peer.public-key",
	 "the peer rejects our pre-shared key or our identity (AUTHENTICATION_FAILED): compare "
	 "psk, "
	 "gateway.id and peer.id on both sides"},
	{"received NO_PROPOSAL_CHOSEN notify error*",
	 "the peer accepts none of our algorithms, or has no tunnel to our address "
	 "(NO_PROPOSAL_CHOSEN): compare ike.proposals and the peer's remote",
	 NULL},
	{"received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
	 "the peer accepts none of our ESP algorithms (NO_PROPOSAL_CHOSEN): compare esp.proposals",
	 NULL},
	{"received TS_UNACCEPTABLE notify*",
	 "the peer refuses GRE between these two addresses (TS_UNACCEPTABLE): it must offer "
	 "protocol 47 in transport mode between them",
	 NULL},
	{"received INTERNAL_ADDRESS_FAILURE notify*",
	 "the peer wants to assign us an address, and cannot (INTERNAL_ADDRESS_FAILURE): its "
	 "connection is one for roaming clients",
	 NULL},
	{"received FAILED_CP_REQUIRED notify*",
	 "the peer wants us to ask for an address (FAILED_CP_REQUIRED): its connection is one for "
	 "roaming clients",
	 NULL},
	{"received TEMPORARY_FAILURE notify*",
	 "the peer is busy with this connection (TEMPORARY_FAILURE): it is tried again", NULL},
	{"received NO_ADDITIONAL_SAS notify*",
	 "the peer takes no more SAs (NO_ADDITIONAL_SAS): see its log", NULL},
	{"received * notify error*", "the peer refuses ($1): see its log", NULL},
	{"received * notify, no CHILD_SA built", "the peer refuses the ESP SA ($1): see its log",
	 NULL},
	{"* mode requested by responder is unacceptable",
	 "the peer answers with $1 mode: it must be set to transport mode", NULL},

	/* The peer says nothing. */
	{"retransmit * of request with message ID 0",
	 "the peer does not answer (try $1): is it up, and does UDP port 500 get through both "
	 "ways?",
	 NULL},
	{"retransmit * of request with message ID *",
	 "the peer stopped answering (try $1): is it up, and does UDP port 4500 get through both "
	 "ways?",
	 NULL},
	{"giving up after * retransmits",
	 "the peer does not answer ($1 tries): is it up, and do UDP ports 500 and 4500 get "
	 "through?",
	 NULL},
	{"establishing IKE_SA failed, peer not responding",
	 "the peer does not answer: is it up, and do UDP ports 500 and 4500 get through?", NULL},
	{"peer not responding, trying again*",
	 "the peer does not answer: is it up, and do UDP ports 500 and 4500 get through?", NULL},
	{"rekeying IKE_SA failed, peer not responding", "the peer does not answer a rekey", NULL},

	/* We do not accept the peer. */
	{"no trusted * public key found for '*'",
	 "the peer's key is not the one configured here for $2: compare `gwctl pubkey` there with "
	 "our peer.public-key",
	 NULL},
	{"signature validation failed*", THEIR_KEY, NULL},
	{"tried * shared key* for '*' - '*', but MAC mismatched",
	 "the peer's pre-shared key is not ours for $4: compare psk on both sides", NULL},
	{"no shared key found for '*' - '*'",
	 "there is no pre-shared key here for the peer $2: set psk, or compare our peer.id with "
	 "its gateway.id",
	 NULL},
	{"no private key found for '*'",
	 "charon here has no private key for our identity $1: see gateway.key", NULL},
	{"no matching peer config found",
	 "the peer's identity or address is that of no tunnel here: compare gateway.id and "
	 "peer.id on both sides",
	 NULL},
	{"received IDr *, but require *",
	 "the peer calls itself $1, and peer.id here is $2: one of them is wrong", NULL},
	{"constraint check failed: identity '*' required*",
	 "the peer's identity is not $1, which is our peer.id", NULL},
	{"constraint requires * authentication, but * was used",
	 "the peer authenticates with $2, and here $1 is required: compare auth on both sides",
	 NULL},
	{"constraint check failed: peer not authenticated with peer cert '*'", THEIR_KEY, NULL},
	{"selected peer config '*' unacceptable: non-matching authentication done", THEIR_KEY,
	 "the peer does not authenticate as it is configured here: compare auth, gateway.id and "
	 "peer.id on "
	 "both sides"},
	{"PPK required but no PPK found for '*'",
	 "ppk.secret of $1, which is required here, is not in charon", NULL},
	{"PPK required but peer does not support PPK",
	 "a ppk is required here, and the peer knows nothing of it (RFC 8784)", NULL},
	{"PPK required but no PPK_IDENTITY received",
	 "a ppk is required here, and the peer uses none: give the tunnel its ppk there", NULL},
	{"received PPK_ID '*', but require '*'",
	 "the peer uses the ppk $1, and ppk.id here is $2: one of them is wrong", NULL},
	{"constraint check failed: *", "the peer does not meet what is required here: $1", NULL},
	{"selected peer config '*' unacceptable: *",
	 "the peer does not meet what is required here: $2", NULL},
	{"no IKE config found for *...*, sending NO_PROPOSAL_CHOSEN",
	 "a peer at $2 calls $1, and no tunnel here has these addresses (NO_PROPOSAL_CHOSEN): see "
	 "local and remote",
	 NULL},
	{"received proposals unacceptable",
	 "no IKE algorithm that the peer offers is accepted here: compare ike.proposals", NULL},
	{"no acceptable proposal found",
	 "no algorithm that the peer offers is accepted here: compare esp.proposals and "
	 "ike.proposals",
	 NULL},
	{"DH group * unacceptable, requesting *",
	 "the peer proposes $1 for the key exchange, here it is $2: compare the proposals", NULL},
	{"key exchange method * unacceptable, requesting *",
	 "the peer proposes $1 for the key exchange, here it is $2: compare the proposals", NULL},
	{"traffic selectors * === * unacceptable",
	 "the peer asks for traffic other than GRE between the two gateways: $1 === $2", NULL},
	{"no acceptable traffic selectors found",
	 "the peer asks for traffic other than GRE between the two gateways", NULL},
	{"not using transport mode, not host-to-host",
	 "the peer's traffic selectors are not two single addresses, so transport mode is refused "
	 "here",
	 NULL},

	/* We cannot. */
	{"unable to resolve *, *", "the name $1 does not resolve here: see remote", NULL},
	{"unable to install *IPsec SA (SAD) in kernel",
	 "the kernel here refuses the ESP SA: are the esp4 and esp6 modules and the algorithms "
	 "there, and can the network card what esp.hw-offload asks for?",
	 NULL},
	{"unable to install IPsec policies (SPD) in kernel", "the kernel here refuses the policy",
	 NULL},
	{"unable to allocate SPIs from kernel",
	 "the kernel here gives no SPI: is the esp4 module there?", NULL},
	{"allocating SPI failed*", "the kernel here gives no SPI: is the esp4 module there?", NULL},
	{"installing trap failed, remote address unknown*",
	 "start: on-traffic needs a remote address here, and it is any", NULL},
	{"installing trap failed*", "charon here cannot install the trap for start: on-traffic",
	 NULL},
	{"error writing to socket: *", "charon here cannot send: $1", NULL},
	{"unable to bind socket: *", "charon here cannot bind UDP port 500 or 4500: $1", NULL},
};

/* Where peers authenticate by certificate these come before the others. */
static const struct cause certificate_causes[] = {
	{"received AUTHENTICATION_FAILED notify error*",
	 "the peer rejects our certificate or our identity (AUTHENTICATION_FAILED): compare its ca "
	 "and peer.id with gateway.certificate and gateway.id here",
	 NULL},
	{"no issuer certificate found for \"*\"",
	 "the peer's certificate \"$1\" was not issued by a CA that is known here: compare ca",
	 NULL},
	{"  self-signed certificate \"*\" is not trusted",
	 "the peer's certificate comes from \"$1\", which is no CA known here: compare ca", NULL},
	{"subject certificate invalid (valid from * to *)",
	 "the peer's certificate has expired or is not valid yet: it is valid from $1 to $2", NULL},
	{"issuer certificate invalid (valid from * to *)",
	 "the certificate of the peer's CA has expired or is not valid yet: it is valid from $1 to "
	 "$2",
	 NULL},
	{"certificate was revoked on *, reason: *", "the peer's certificate was revoked on $1: $2",
	 NULL},
	{"certificate status is unknown, crl is stale",
	 "the crl here has expired, so the peer's certificate cannot be checked: a new one is needed",
	 NULL},
	{"constraint check failed: RULE_CRL_VALIDATION is *",
	 "the peer's certificate cannot be checked: no current crl of its CA is here", NULL},
	{"rejecting certificate without digitalSignature or nonRepudiation keyUsage flags",
	 "the peer's certificate is not for signing: its keyUsage lacks digitalSignature", NULL},
	{"constraint check failed: peer not authenticated by CA '*'",
	 "the peer's certificate was not issued by the CA of this tunnel, $1", NULL},
	{"no trusted * public key found for '*'",
	 "the peer showed no certificate for $2 that counts here: compare its subjectAltName with "
	 "peer.id",
	 NULL},
	{"signature validation failed*",
	 "the peer does not have the key of its certificate: compare its certificate-key", NULL},
	{"no private key found for '*'",
	 "charon here has no private key for our identity $1: see gateway.certificate-key", NULL},
};

static const char *const vague[] = {
	"no trusted * public key found for '*'",
	"constraint check failed: *",
	"selected peer config '*' unacceptable: *",
	"no alternative config found",
	"signature validation failed*", /* another certificate may follow */
};

/* What the stars of a pattern stood for, made fit for a person's eyes. */
struct parts {
	char at[PARTS_MAX][PART_SIZE];
	size_t n;
};

static void parts_add(struct parts *p, const char *text, size_t len)
{
	char part[PART_SIZE];

	if (p->n == PARTS_MAX)
		return;
	if (len >= sizeof(part))
		len = sizeof(part) - 1;
	memcpy(part, text, len);
	part[len] = '\0';
	ike_msg_copy_text(p->at[p->n++], PART_SIZE, part);
}

/* Where the len bytes of piece begin in text; at its end when the pattern ends with them. */
static const char *piece_find(const char *text, const char *piece, size_t len, bool last)
{
	size_t rest = strlen(text);

	if (rest < len)
		return NULL;
	if (last)
		return memcmp(text + rest - len, piece, len) == 0 ? text + rest - len : NULL;
	return memmem(text, rest, piece, len);
}

static bool match(const char *pattern, const char *line, struct parts *p)
{
	size_t len = strcspn(pattern, "*");

	p->n = 0;
	if (strncmp(line, pattern, len) != 0)
		return false;
	line += len;
	pattern += len;
	while (*pattern == '*') {
		len = strcspn(++pattern, "*");
		const char *found = piece_find(line, pattern, len, pattern[len] == '\0');
		if (!found)
			return false;
		parts_add(p, line, (size_t)(found - line));
		line = found + len;
		pattern += len;
	}
	return *line == '\0';
}

static void fill(const char *sentence, const struct parts *p, char *out, size_t size)
{
	size_t n = 0;

	for (; *sentence && n + 1 < size; sentence++) {
		size_t i = *sentence == '$' ? (size_t)(sentence[1] - '1') : PARTS_MAX;

		if (i >= p->n) {
			out[n++] = *sentence;
			continue;
		}
		ike_msg_copy_text(out + n, size - n, p->at[i]);
		n += strlen(out + n);
		sentence++;
	}
	out[n] = '\0';
}

static bool find(const struct cause *table, size_t n, const char *line, bool psk, char *out,
		 size_t size)
{
	struct parts parts;

	for (size_t i = 0; size && i < n; i++) {
		const struct cause *c = &table[i];

		if (!match(c->pattern, line, &parts))
			continue;
		fill(psk && c->psk_sentence ? c->psk_sentence : c->sentence, &parts, out, size);
		return true;
	}
	return false;
}

/* child_rekey.c and ike_rekey.c where we begin, child_create.c where the peer does; 5.9.8. */
bool ike_cause_renewal_failed(const char *line)
{
	static const char *const patterns[] = {
		"CHILD_SA rekeying failed, trying again in * seconds",
		"IKE_SA rekeying failed, trying again in * seconds",
		"failed to establish CHILD_SA, keeping IKE_SA",
	};
	struct parts parts;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		if (match(patterns[i], line, &parts))
			return true;
	}
	return false;
}

bool ike_cause_from_log(const char *line, enum ike_auth auth, char *out, size_t size)
{
	if (auth == IKE_AUTH_CERTIFICATE &&
	    find(certificate_causes, N(certificate_causes), line, false, out, size))
		return true;
	return find(causes, N(causes), line, auth == IKE_AUTH_PSK, out, size);
}

bool ike_cause_is_vague(const char *line)
{
	struct parts parts;

	for (size_t i = 0; i < N(vague); i++)
		if (match(vague[i], line, &parts))
			return true;
	return false;
}
