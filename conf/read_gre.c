/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs to the GRE device itself, and to where it stands: its type of service, its keys, the interfaces it is bound
 * to or put into. Called by conf/read.c by type. conf/value.c has the syntax. Headers: RFC 2784 and RFC 2890.
 */
#include "conf/read_gre.h"

#include <arpa/inet.h>
#include <string.h>

#include "conf/value.h"
#include "lib/addr.h"

#define TOS_INHERIT 1u
#define TOS_ECN 3u /* RFC 3168 */
#define ERROR(v, ...) findings_add((v)->found, FINDING_ERROR, (v)->at, __VA_ARGS__)

/*
 * ip_tunnel_xmit takes a set lowest bit as "inherit", and the next one is the passenger's to set too: RFC 6040 has both
 * carried over from it.
 */
void read_tos(const struct value *v)
{
	uint32_t tos = TOS_INHERIT;

	if (strcmp(v->text, "inherit") != 0 &&
	    !read_number_report(v, value_number(v->text, v->key->min, v->key->max, &tos)))
		return;
	if (tos & TOS_ECN && strcmp(v->text, "inherit") != 0) {
		finding_hint(ERROR(v, "tos: %s sets bits of ECN, which are the passenger's",
				   v->text),
			     "a multiple of 4, such as %u, or inherit", tos & ~TOS_ECN);
		return;
	}
	*(uint8_t *)v->field = (uint8_t)tos;
}

/* A map leaves it to each of its keys to be read; a number is for both ways. */
void read_gre_key(const struct value *v)
{
	struct addr a;

	if (addr_parse(v->text, &a) && a.family == AF_INET) {
		uint32_t number;
		memcpy(&number, a.bytes, sizeof(number));
		finding_hint(ERROR(v, "%s: a number is expected", v->key->name), "%s is %u",
			     v->text, ntohl(number));
		return;
	}
	read_number_report(v, value_number(v->text, v->key->min, v->key->max, v->field));
}

void read_device(const struct value *v)
{
	if (value_interface(v->text) && !value_interface_reserved(v->text))
		strcpy(v->field, v->text);
	else
		finding_hint(ERROR(v, "%s: \"%s\" is no interface's name", v->key->name, v->text),
			     v->key->slot == SLOT_VRF ? "the name of a VRF"
						      : "an interface such as wan0, or a VRF");
}
