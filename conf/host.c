// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DNS names of hosts: entry function host_fault, called by conf/read.c for `remote:`. Pure. Follows RFC 1123 section 2.1
 * (letters, digits, hyphen; the last label is not all digits) and the limits of RFC 1035 section 2.3.4.
 */
#include "conf/host.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LABEL_MAX 63

static bool all_ascii(const char *text)
{
	while (*text && !((unsigned char)*text & 0x80))
		text++;
	return !*text;
}

static bool characters_well(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

static const char *label_fault(const char *label, size_t len, const char **hint)
{
	if (len == 0) {
		*hint = "a dot at the beginning, or two in a row";
		return "has an empty part";
	}
	if (!characters_well(label, len)) {
		*hint = "the peer's address, its DNS name, or any";
		return "is neither an address nor a name";
	}
	if (len > LABEL_MAX)
		return "has a part of more than 63 characters";
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a part that begins or ends with -";
	return NULL;
}

const char *host_fault(const char *text, const char **hint)
{
	size_t len = strlen(text), label = 0;
	const char *fault = NULL, *last = text;

	*hint = NULL;
	if (!all_ascii(text)) {
		*hint = "write it as DNS has it: each such part becomes one that begins with xn--";
		return "is an internationalized name";
	}
	len -= len && text[len - 1] == '.';
	if (len == 0) {
		*hint = "the peer's address, its DNS name, or any";
		return "is neither an address nor a name";
	}
	for (const char *p = text; !fault && p <= text + len; p += label + 1) {
		label = strcspn(p, ".");
		last = p;
		fault = label_fault(p, label, hint);
	}
	if (!fault && len > HOST_NAME_BYTES_MAX)
		return "is longer than 253 characters";
	if (!fault && strspn(last, "0123456789") >= label) {
		*hint = "no domain ends in a number; an IPv4 address has four of them";
		return "is neither an address nor a name";
	}
	return fault;
}
