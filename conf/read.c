/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalars: entry function read_scalar, one small reader per schema type, called by conf/parse.c
 * for what stands behind a key. conf/value.c knows the syntax, this file the words for what is
 * wrong with it.
 */
#include "conf/read.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/host.h"
#include "conf/read_esp.h"
#include "conf/read_gre.h"
#include "conf/value.h"
#include "lib/key.h"
#include "lib/seal.h"
#include "lib/text.h"

#define PUBLIC_KEY_HEAD "MCow"
#define DESCRIPTION_MAX 255 /* bytes */
#define VICI_PATH_MAX 107 /* sockaddr_un */
#define ERROR(v, ...) findings_add((v)->found, FINDING_ERROR, (v)->at, __VA_ARGS__)
#define WARNING(v, ...) findings_add((v)->found, FINDING_WARNING, (v)->at, __VA_ARGS__)

static void text_store(const struct value *v)
{
	char **field = v->field;
	char *copy = strdup(v->text);

	if (!copy) {
		v->found->failed = true;
		return;
	}
	free(*field);
	*field = copy;
}

static void read_text(const struct value *v)
{
	if (strlen(v->text) > DESCRIPTION_MAX)
		ERROR(v, "%s: at most %d bytes", v->key->name, DESCRIPTION_MAX);
	else if (strpbrk(v->text, "\n\t"))
		ERROR(v, "%s: one line without tabs is expected", v->key->name);
	else
		text_store(v);
}

static void read_identity(const struct value *v)
{
	if (value_identity(v->text))
		text_store(v);
	else
		finding_hint(ERROR(v, "%s: \"%s\" is no identity", v->key->name, v->text),
			     "a name like hq.example.net or admin@example.net, or an address");
}

/* Somebody may have written the secret itself, so the value is never repeated. */
static void read_path(const struct value *v)
{
	struct finding *finding = NULL;

	if (v->text[0] != '/' || strpbrk(v->text, "\n\t"))
		finding = ERROR(v, "%s: expected the path of a file, beginning with /",
				v->key->name);
	else if (v->key->slot == SLOT_SOCKET && strlen(v->text) > VICI_PATH_MAX)
		finding = ERROR(v, "%s: a socket's path has at most %d bytes", v->key->name,
				VICI_PATH_MAX);
	else
		text_store(v);
	if (v->key->slot != SLOT_SOCKET)
		finding_hide(finding, FINDING_SHOW_TO_SPOT);
}

/* The value can be the secret itself, written in the wrong place, and is never repeated. */
static void read_secret(const struct value *v)
{
	char err[160];

	if (seal_is_sealed(v->text)) {
		if (seal_check(v->text, err, sizeof(err)))
			text_store(v);
		else
			finding_hide(ERROR(v, "%s: %s", v->key->name, err), FINDING_SHOW_TO_SPOT);
		return;
	}
	if (v->text[0] == '/' && !strpbrk(v->text, "\n\t")) {
		text_store(v);
		return;
	}
	struct finding *finding = ERROR(v,
					"%s: expected the path of a file, beginning with /, or a "
					"sealed text",
					v->key->name);
	finding_hint(finding, "\"gwctl seal\" makes a sealed text of a secret");
	finding_hide(finding, FINDING_SHOW_TO_SPOT);
}

/* What does not begin as a public key does can be a private one, and is not shown. */
static void read_public_key(const struct value *v)
{
	char err[256];

	if (key_public_parse(v->text, NULL, err, sizeof(err))) {
		memcpy(v->field, v->text, KEY_PUBLIC_TEXT_SIZE);
		return;
	}
	struct finding *finding = ERROR(v, "%s: %s", v->key->name, err);
	finding_hint(finding, "\"gwctl pubkey\" on the peer prints it");
	if (strncmp(v->text, PUBLIC_KEY_HEAD, strlen(PUBLIC_KEY_HEAD)) != 0)
		finding_hide(finding, FINDING_SHOW_TO_SPOT);
}

static void read_bool(const struct value *v)
{
	if (!value_bool(v->text, v->field))
		finding_hint(ERROR(v, "%s: \"%s\" is neither true nor false", v->key->name,
				   v->text),
			     "write true or false");
}

bool read_number_report(const struct value *v, enum value_result result)
{
	switch (result) {
	case VALUE_OK:
		return true;
	case VALUE_MALFORMED:
	case VALUE_NO_UNIT:
		ERROR(v, "%s: \"%s\" is no decimal number", v->key->name, v->text);
		return false;
	case VALUE_RANGE:
		ERROR(v, "%s: %s is out of range, which is %u to %u", v->key->name, v->text,
		      v->key->min, v->key->max);
		return false;
	}
	return false;
}

static void read_number(const struct value *v)
{
	uint32_t *field = v->field;

	if (!read_number_report(v, value_number(v->text, v->key->min, v->key->max, field)))
		return;
	if (*field < v->key->warn_below)
		WARNING(v, "%s: below %u the gateways are busy with keys", v->key->name,
			v->key->warn_below);
	if (v->key->slot == SLOT_REPLAY && *field == 0)
		finding_hint(WARNING(v, "replay-window: 0 takes packets that were sent before"),
			     "leave the key out for 1024");
}

static void read_duration(const struct value *v)
{
	uint32_t min = v->key->min, max = v->key->max, *field = v->field;
	char low[16], high[16];

	switch (value_duration(v->text, min, max, field)) {
	case VALUE_OK:
		if (*field < v->key->warn_below)
			WARNING(v, "%s: below %s the gateways are busy with keys", v->key->name,
				value_duration_format(v->key->warn_below, low));
		break;
	case VALUE_MALFORMED:
		finding_hint(ERROR(v, "%s: \"%s\" is no duration", v->key->name, v->text),
			     "a number and s, m, h or d, such as 90s or 4h");
		break;
	case VALUE_NO_UNIT:
		finding_hint(ERROR(v, "%s: %s has no unit", v->key->name, v->text),
			     "did you mean %ss?", v->text);
		break;
	case VALUE_RANGE:
		ERROR(v, "%s: %s is out of range, which is %s to %s", v->key->name, v->text,
		      value_duration_format(min, low), value_duration_format(max, high));
		break;
	}
}

static void read_mtu(const struct value *v)
{
	if (strcmp(v->text, "auto") == 0)
		*(uint32_t *)v->field = 0;
	else
		read_number_report(v, value_number(v->text, v->key->min, v->key->max, v->field));
}

static void read_ttl(const struct value *v)
{
	uint32_t ttl = 0;

	if (strcmp(v->text, "inherit") == 0)
		finding_hint(
			WARNING(v, "ttl: inherit gives OSPF hellos and other packets with TTL 1 a "
				   "carrier that the first router drops"),
			"leave the key out for 64");
	else if (!read_number_report(v, value_number(v->text, v->key->min, v->key->max, &ttl)))
		return;
	*(uint8_t *)v->field = (uint8_t)ttl;
}

static void read_switch(const struct value *v)
{
	read_bool(v);
	if (v->key->slot == SLOT_SEQUENCE && *(bool *)v->field)
		finding_hint(WARNING(v, "sequence: packets are sent one by one (no GSO), several "
					"times slower"),
			     "leave the key out unless the peer insists on it");
}

static void read_local(const struct value *v)
{
	struct conf_local local = {.kind = CONF_LOCAL_AUTO};

	if (addr_parse(v->text, &local.addr)) {
		local.kind = CONF_LOCAL_ADDRESS;
		if (!value_unicast(&local.addr)) {
			ERROR(v, "local: %s is no address to send from", v->text);
			return;
		}
	} else if (value_looks_like_address(v->text) || !value_interface(v->text)) {
		finding_hint(ERROR(v, "local: \"%s\" is neither an interface nor an address",
				   v->text),
			     "an interface such as wan0, an address, or auto");
		return;
	} else if (strcmp(v->text, "auto") != 0) {
		local.kind = CONF_LOCAL_INTERFACE;
		strcpy(local.ifname, v->text);
	}
	*(struct conf_local *)v->field = local;
}

static void remote_name_read(const struct value *v)
{
	struct conf_remote *remote = v->field;
	const char *hint, *fault = host_fault(v->text, &hint);
	char *copy = fault ? NULL : strdup(v->text);

	if (fault) {
		struct finding *finding = ERROR(v, "remote: \"%s\" %s", v->text, fault);
		if (hint)
			finding_hint(finding, "%s", hint);
		return;
	}
	if (!copy) {
		v->found->failed = true;
		return;
	}
	free(remote->name);
	*remote = (struct conf_remote){.kind = CONF_REMOTE_NAME, .name = copy};
}

static void read_remote(const struct value *v)
{
	struct conf_remote *remote = v->field;
	struct addr a;

	if (strcmp(v->text, "any") == 0)
		remote->kind = CONF_REMOTE_ANY;
	else if (!addr_parse(v->text, &a) && value_looks_like_address(v->text))
		ERROR(v, "remote: \"%s\" is no address", v->text);
	else if (!addr_parse(v->text, &a))
		remote_name_read(v);
	else if (!value_unicast(&a))
		ERROR(v, "remote: %s is not the address of one host", v->text);
	else if (value_link_local(&a))
		finding_hint(ERROR(v, "remote: %s is an address of one link only", v->text),
			     "a global address of the peer");
	else
		*remote = (struct conf_remote){.kind = CONF_REMOTE_ADDRESS, .addr = a};
}

static void read_interface(const struct value *v)
{
	if (!value_interface(v->text))
		finding_hint(ERROR(v, "interface: \"%s\" is no interface's name", v->text),
			     "at most %d characters, no blank, none of / : %% * \" \\",
			     IF_NAMESIZE - 1);
	else if (value_interface_reserved(v->text))
		ERROR(v, "interface: %s is a name the kernel keeps for itself", v->text);
	else
		strcpy(v->field, v->text);
}

int read_word(const struct value *v, const char *const *words, const char *remedy)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(v->text, words[i]) == 0)
			return i;
	}
	const char *near = text_nearest(v->text, words);
	struct finding *finding = ERROR(v, "%s: unknown word \"%s\"", v->key->name, v->text);
	if (near)
		finding_hint(finding, "did you mean %s?", near);
	else
		finding_hint(finding, "%s", remedy);
	return -1;
}

static void read_protect(const struct value *v)
{
	static const char *const words[] = {
		[CONF_PROTECT_IPSEC] = "ipsec", [CONF_PROTECT_NONE] = "none", NULL};
	int word = read_word(v, words, "ipsec or none");

	if (word >= 0)
		*(enum conf_protect *)v->field = (enum conf_protect)word;
}

static void read_auth(const struct value *v)
{
	static const char *const words[] = {[CONF_AUTH_PUBLIC_KEY] = "public-key",
					    [CONF_AUTH_PSK] = "psk",
					    [CONF_AUTH_CERTIFICATE] = "certificate",
					    NULL};
	int word = read_word(v, words, "public-key, psk or certificate");

	if (word >= 0)
		*(enum conf_auth *)v->field = (enum conf_auth)word;
}

/* A number, or its four bytes as an address has them (RFC 2328 section C.2). */
static void read_area(const struct value *v)
{
	struct addr a;

	if (addr_parse(v->text, &a) && a.family == AF_INET) {
		memcpy(v->field, a.bytes, sizeof(uint32_t));
		*(uint32_t *)v->field = ntohl(*(uint32_t *)v->field);
	} else if (v->text[strspn(v->text, "0123456789")]) {
		finding_hint(ERROR(v, "area: \"%s\" is no OSPF area", v->text),
			     "a number such as 0, or 0.0.0.0");
	} else {
		read_number_report(v, value_number(v->text, v->key->min, v->key->max, v->field));
	}
}

static void read_remote_family(const struct value *v)
{
	static const char *const words[] = {"auto", "ipv4", "ipv6", NULL};
	static const uint8_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	int word = read_word(v, words, "auto, ipv4 or ipv6");

	if (word >= 0)
		*(uint8_t *)v->field = families[word];
}

static void read_destination_field(const struct value *v)
{
	read_destination(v, v->field);
}

bool read_scalar(const struct value *v)
{
	static void (*const readers[SCHEMA_TYPES])(const struct value *v) = {
		[SCHEMA_TEXT] = read_text,
		[SCHEMA_IDENTITY] = read_identity,
		[SCHEMA_PATH] = read_path,
		[SCHEMA_BOOL] = read_switch,
		[SCHEMA_NUMBER] = read_number,
		[SCHEMA_DURATION] = read_duration,
		[SCHEMA_MTU] = read_mtu,
		[SCHEMA_TTL] = read_ttl,
		[SCHEMA_TOS] = read_tos,
		[SCHEMA_GRE_KEY] = read_gre_key,
		[SCHEMA_LOCAL] = read_local,
		[SCHEMA_REMOTE] = read_remote,
		[SCHEMA_INTERFACE] = read_interface,
		[SCHEMA_DEVICE] = read_device,
		[SCHEMA_PROTECT_WORD] = read_protect,
		[SCHEMA_AUTH_WORD] = read_auth,
		[SCHEMA_DESTINATION] = read_destination_field,
		[SCHEMA_FAMILY_WORD] = read_remote_family,
		[SCHEMA_AREA] = read_area,
		[SCHEMA_PUBLIC_KEY_LIST] = read_public_key, /* an item of it */
		[SCHEMA_SECRET_LIST] = read_secret, /* likewise */
		[SCHEMA_PATH_LIST] = read_path, /* likewise */
		[SCHEMA_SECRET] = read_secret,
		[SCHEMA_VOLUME] = read_volume,
		[SCHEMA_START_WORD] = read_start,
		[SCHEMA_OFFLOAD_WORD] = read_offload,
	};

	if (!readers[v->key->type])
		return false;
	readers[v->key->type](v);
	return true;
}

bool read_destination(const struct value *v, struct prefix *out)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix p;

	if (!prefix_parse(v->text, &p)) {
		struct finding *finding = ERROR(v, "\"%s\" is no prefix", v->text);
		finding_hint(finding, strcmp(v->text, "default") == 0
					      ? "write 0.0.0.0/0 or ::/0"
					      : "ADDRESS/LENGTH, such as 10.8.0.0/24");
		return false;
	}
	struct prefix network = prefix_network(&p);
	if (prefix_cmp(&network, &p)) {
		finding_hint(ERROR(v, "%s has host bits set", v->text), "did you mean %s?",
			     prefix_format(&network, text));
		return false;
	}
	*out = p;
	return true;
}

/* The last address of an IPv4 prefix that is longer than nothing. */
static bool is_broadcast(const struct prefix *p)
{
	uint32_t host;

	if (p->addr.family != AF_INET || p->len == 0 || p->len > 31)
		return false;
	memcpy(&host, p->addr.bytes, sizeof(host));
	return (ntohl(host) | UINT32_MAX << (32 - p->len)) == UINT32_MAX;
}

/* RFC 3021: in a /31 (RFC 6164: /127) both addresses are hosts'. */
static bool address_refuse_edge(const struct value *v, const struct prefix *p)
{
	struct prefix network = prefix_network(p);
	char text[PREFIX_TEXT_SIZE];

	if (p->len + 1u >= addr_size(p->addr.family) * 8)
		return false;
	if (prefix_cmp(&network, p) == 0) {
		network.addr.bytes[addr_size(p->addr.family) - 1] |= 1;
		finding_hint(ERROR(v, "%s is the network's own address", v->text),
			     "did you mean %s?", prefix_format(&network, text));
		return true;
	}
	if (is_broadcast(p)) {
		ERROR(v, "%s is the network's broadcast address", v->text);
		return true;
	}
	return false;
}

bool read_address(const struct value *v, struct prefix *out)
{
	struct prefix p;

	if (!prefix_parse(v->text, &p)) {
		finding_hint(ERROR(v, "\"%s\" is no address with a prefix length", v->text),
			     "ADDRESS/LENGTH, such as 10.255.0.1/30");
		return false;
	}
	if (!strchr(v->text, '/')) {
		finding_hint(ERROR(v, "%s has no prefix length", v->text), "did you mean %s/%d?",
			     v->text, p.addr.family == AF_INET ? 30 : 64);
		return false;
	}
	if (!value_unicast(&p.addr) || p.len == 0) {
		ERROR(v, "%s is no address an interface can have", v->text);
		return false;
	}
	if (address_refuse_edge(v, &p))
		return false;
	*out = p;
	return true;
}
