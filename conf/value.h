/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalar values out of text, and rules on names. Pure; nothing here knows of files or positions. */
#ifndef GWD_CONF_VALUE_H
#define GWD_CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"

#define VALUE_NAME_MAX 64 /* bytes of a tunnel's name */
#define VALUE_IDENTITY_MAX 253 /* bytes; a DNS name's limit, RFC 1035 section 2.3.4 */

enum value_result {
	VALUE_OK,
	VALUE_MALFORMED,
	VALUE_RANGE,
	VALUE_NO_UNIT, /* a duration */
};

/* A decimal number without sign and leading zeros. */
enum value_result value_number(const char *text, uint32_t min, uint32_t max, uint32_t *out);

/* A decimal number and one of s, m, h, d; a bare 0 too. In seconds. */
enum value_result value_duration(const char *text, uint32_t min, uint32_t max, uint32_t *out);

/* The shortest exact text of a duration: 4h, 90s; 0 is "0". buf has 16 bytes. */
const char *value_duration_format(uint32_t seconds, char *buf);

/*
 * A decimal number and one of K, M, G, T (powers of 1024), in bytes; without one of them
 * VALUE_NO_UNIT. The range is in KiB.
 */
enum value_result value_volume(const char *text, uint32_t min, uint32_t max, uint64_t *out);

/* The shortest exact text of so many KiB: 64K, 1T. buf has 16 bytes. */
const char *value_volume_format(uint32_t kib, char *buf);

/* true, yes, on; false, no, off. */
bool value_bool(const char *text, bool *out);

/*
 * What the kernel takes as a link's name (dev_valid_name, net/core/dev.c); no '%', which is a
 * pattern to it.
 */
bool value_interface(const char *text);

/*
 * A name the kernel's modules take for links of their own, or that sysctl gives a meaning: no new
 * link's.
 */
bool value_interface_reserved(const char *text);

/*
 * True for digits and dots only or anything with a colon: meant as an address, whatever the rest.
 */
bool value_looks_like_address(const char *text);

/*
 * An IKE identity that strongSwan takes for exactly what is written: an FQDN, user@FQDN or an
 * address.
 */
bool value_identity(const char *text);

/* Letters, digits, '_', '-', '.', at most VALUE_NAME_MAX, not beginning with '-' or '.'. */
bool value_tunnel_name(const char *text);

/* An address one gateway can send to: not unspecified, multicast, broadcast or loopback. */
bool value_unicast(const struct addr *a);

/* fe80::/10 */
bool value_link_local(const struct addr *a);

#endif
