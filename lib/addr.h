/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 and IPv6 addresses and prefixes as values: parse, format, compare.
 * Pure. Text forms are those of RFC 4291 and RFC 5952 (inet_ntop).
 */
#ifndef GWD_LIB_ADDR_H
#define GWD_LIB_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_TEXT_SIZE 46 /* longest IPv6 text and its NUL */
#define PREFIX_TEXT_SIZE 50 /* the same, a slash and three digits */

/* family is AF_INET, AF_INET6, or AF_UNSPEC for "no address"; unused bytes are zero. */
struct addr {
	uint8_t family;
	uint8_t bytes[16];
};

struct prefix {
	struct addr addr;
	uint8_t len; /* bits */
};

/* Size in bytes of an address of this family: 4, 16, or 0. */
size_t addr_size(uint8_t family);

/* False, and *out untouched, when text is not exactly one numeric address. */
bool addr_parse(const char *text, struct addr *out);

/* Builds an address from network-order bytes, as netlink attributes carry them. */
struct addr addr_from_bytes(uint8_t family, const void *bytes);

/* Writes to buf (ADDR_TEXT_SIZE) and returns it; "none" for AF_UNSPEC. */
const char *addr_format(const struct addr *a, char *buf);

/* Total order: family, then bytes. */
int addr_cmp(const struct addr *a, const struct addr *b);
bool addr_equal(const struct addr *a, const struct addr *b);

/*
 * ADDRESS/LEN; without a slash a host prefix. Host bits are kept (interface addresses have them).
 */
bool prefix_parse(const char *text, struct prefix *out);
const char *prefix_format(const struct prefix *p, char *buf);
int prefix_cmp(const struct prefix *a, const struct prefix *b);

/* The prefix with its host bits cleared. */
struct prefix prefix_network(const struct prefix *p);

/* True when one of the two contains the other. Never across families. */
bool prefix_overlap(const struct prefix *a, const struct prefix *b);
bool prefix_contains(const struct prefix *p, const struct addr *a);

#endif
