/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 and IPv6 addresses and prefixes as values. Pure; entry functions addr_parse and
 * prefix_parse. Text forms follow RFC 4291 section 2.2 and RFC 5952, as inet_pton(3) and
 * inet_ntop(3) do.
 */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_DIGITS_MAX 3

size_t addr_size(uint8_t family)
{
	if (family == AF_INET)
		return 4;
	return family == AF_INET6 ? 16 : 0;
}

bool addr_parse(const char *text, struct addr *out)
{
	struct addr a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(a.family, text, a.bytes) != 1)
		return false;
	*out = a;
	return true;
}

struct addr addr_from_bytes(uint8_t family, const void *bytes)
{
	struct addr a = {0};

	if (addr_size(family)) {
		a.family = family;
		memcpy(a.bytes, bytes, addr_size(family));
	}
	return a;
}

const char *addr_format(const struct addr *a, char *buf)
{
	if (!addr_size(a->family) || !inet_ntop(a->family, a->bytes, buf, ADDR_TEXT_SIZE))
		strcpy(buf, "none");
	return buf;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

static bool prefix_len_parse(const char *digits, unsigned max, uint8_t *out)
{
	size_t n = strspn(digits, "0123456789");
	unsigned value = 0;

	if (n == 0 || n > PREFIX_DIGITS_MAX || digits[n] || (n > 1 && digits[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (unsigned)(digits[i] - '0');
	if (value > max)
		return false;
	*out = (uint8_t)value;
	return true;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT_SIZE];
	struct prefix p;

	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (!addr_parse(host, &p.addr))
		return false;
	p.len = (uint8_t)(addr_size(p.addr.family) * 8);
	if (slash && !prefix_len_parse(slash + 1, p.len, &p.len))
		return false;
	*out = p;
	return true;
}

const char *prefix_format(const struct prefix *p, char *buf)
{
	char host[ADDR_TEXT_SIZE];

	addr_format(&p->addr, host);
	if (addr_size(p->addr.family))
		snprintf(buf, PREFIX_TEXT_SIZE, "%s/%u", host, p->len);
	else
		strcpy(buf, host);
	return buf;
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int order = addr_cmp(&a->addr, &b->addr);

	if (order)
		return order;
	return (a->len > b->len) - (a->len < b->len);
}

struct prefix prefix_network(const struct prefix *p)
{
	struct prefix net = *p;

	for (size_t i = 0; i < sizeof(net.addr.bytes); i++) {
		unsigned below = (unsigned)i * 8;
		if (p->len <= below)
			net.addr.bytes[i] = 0;
		else if (p->len < below + 8)
			net.addr.bytes[i] &= (uint8_t)(0xff << (below + 8 - p->len));
	}
	return net;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct prefix mine = prefix_network(p);
	struct prefix theirs = {.addr = *a, .len = p->len};

	theirs = prefix_network(&theirs);
	return addr_size(a->family) && addr_equal(&mine.addr, &theirs.addr);
}

bool prefix_overlap(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}
