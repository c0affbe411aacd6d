/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text to value: numbers, durations, names, identities; conf/read.c turns what is refused here into
 * findings. Pure. Follows net/core/dev.c for link names, RFC 7296 section 3.5 and strongSwan's
 * identification_create_from_string for identities.
 */
#include "conf/value.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define DIGITS_MAX 10 /* of a uint32_t */

static const struct {
	char letter;
	uint32_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

static const char volume_units[] = "KMGT"; /* powers of 1024, from the first on */

/* The number that n digits make; at most UINT32_MAX + 1 counts as "too much". */
static bool digits_read(const char *text, size_t n, uint64_t *out)
{
	if (n == 0 || (n > 1 && text[0] == '0'))
		return false;
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		*out = *out * 10 + (uint64_t)(text[i] - '0');
		if (i >= DIGITS_MAX || *out > UINT32_MAX)
			*out = (uint64_t)UINT32_MAX + 1;
	}
	return true;
}

enum value_result value_number(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	size_t n = strspn(text, DIGITS);
	uint64_t value;

	if (text[n] || !digits_read(text, n, &value))
		return VALUE_MALFORMED;
	if (value < min || value > max)
		return VALUE_RANGE;
	*out = (uint32_t)value;
	return VALUE_OK;
}

enum value_result value_duration(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	size_t n = strspn(text, DIGITS), unit = 0;
	uint64_t value;

	if (!digits_read(text, n, &value))
		return VALUE_MALFORMED;
	if (!text[n] && value)
		return VALUE_NO_UNIT;
	while (unit < sizeof(units) / sizeof(units[0]) && units[unit].letter != text[n])
		unit++;
	if (text[n]) {
		if (unit == sizeof(units) / sizeof(units[0]) || text[n + 1])
			return VALUE_MALFORMED;
		value *= units[unit].seconds;
	}
	if (value < min || value > max)
		return VALUE_RANGE;
	*out = (uint32_t)value;
	return VALUE_OK;
}

const char *value_duration_format(uint32_t seconds, char *buf)
{
	size_t unit = 0;

	while (seconds % units[unit].seconds)
		unit++;
	if (seconds)
		snprintf(buf, 16, "%u%c", seconds / units[unit].seconds, units[unit].letter);
	else
		strcpy(buf, "0");
	return buf;
}

enum value_result value_volume(const char *text, uint32_t min, uint32_t max, uint64_t *out)
{
	size_t n = strspn(text, DIGITS);
	const char *unit = strchr(volume_units, text[n]);
	uint64_t value;

	if (!digits_read(text, n, &value))
		return VALUE_MALFORMED;
	if (!text[n])
		return VALUE_NO_UNIT;
	if (!unit || text[n + 1])
		return VALUE_MALFORMED;
	/* At most 2^32 times 2^30. */
	value <<= 10 * (unit - volume_units);
	if (value < min || value > max)
		return VALUE_RANGE;
	*out = value << 10;
	return VALUE_OK;
}

const char *value_volume_format(uint32_t kib, char *buf)
{
	size_t unit = 0;

	for (; kib && kib % 1024 == 0 && volume_units[unit + 1]; unit++)
		kib /= 1024;
	snprintf(buf, 16, "%u%c", kib, volume_units[unit]);
	return buf;
}

bool value_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"true", "yes", "on"};
	static const char *const no[] = {"false", "no", "off"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*out = text[0] == yes[i][0] && strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

bool value_interface(const char *text)
{
	if (!*text || strlen(text) >= IF_NAMESIZE || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (const char *p = text; *p; p++) {
		if (!isgraph((unsigned char)*p) || strchr("/:%\"\\*", *p))
			return false;
	}
	return true;
}

bool value_interface_reserved(const char *text)
{
	static const char *const reserved[] = {"gre0", "gretap0", "erspan0", "ip6gre0",
					       "lo",   "all",	  "default"};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(text, reserved[i]) == 0)
			return true;
	}
	return false;
}

bool value_looks_like_address(const char *text)
{
	size_t n = strspn(text, DIGITS ".");

	return strchr(text, ':') || (!text[n] && strchr(text, '.'));
}

/* A distinguished name of RFC 4514's kind, CN=hq or C=DE, O=Example, CN=hq. charon compares part by part. */
static bool value_dn(const char *text)
{
	size_t n = strspn(text, LOWER UPPER);
	const char *sign = strchr(text, '=');

	return n && text[n] == '=' && sign[1] && sign[1] != ' ' &&
	       !text[strspn(text, LOWER UPPER DIGITS " .,=-_+@/:()'&")];
}

bool value_identity(const char *text)
{
	size_t len = strlen(text);
	struct addr a;

	if (strchr(text, '='))
		return len <= VALUE_IDENTITY_MAX && value_dn(text);

	if (addr_parse(text, &a))
		return value_unicast(&a);
	if (value_looks_like_address(text) || len == 0 || len > VALUE_IDENTITY_MAX)
		return false;
	const char *at = strchr(text, '@');
	if (at == text || (at && (!at[1] || strchr(at + 1, '@'))))
		return false;
	return isalnum((unsigned char)text[0]) && !text[strspn(text, LOWER UPPER DIGITS "._-+@")];
}

bool value_tunnel_name(const char *text)
{
	size_t n = strspn(text, LOWER UPPER DIGITS "_-.");

	return n && !text[n] && n <= VALUE_NAME_MAX && text[0] != '-' && text[0] != '.';
}

bool value_unicast(const struct addr *a)
{
	static const uint8_t none[16], loopback6[16] = {[15] = 1};
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */

	if (memcmp(a->bytes, none, sizeof(none)) == 0)
		return false;
	if (a->family == AF_INET)
		return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
	return a->bytes[0] != 0xff && memcmp(a->bytes, mapped, sizeof(mapped)) != 0 &&
	       memcmp(a->bytes, loopback6, sizeof(loopback6)) != 0;
}

bool value_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}
