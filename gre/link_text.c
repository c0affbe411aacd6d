/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRE links as text for plans, logs and status: gre_link_format and gre_link_format_change. Pure.
 *
 * The words are those of ip-link(8), so that a line can be compared with what `ip -d link` prints.
 * Neighbour: gre/link.c.
 */
#include <stdarg.h>
#include <stdio.h>

#include "gre/link.h"

#define TOS_INHERIT 1

struct line {
	char *buf;
	size_t size, len;
	const char *gap; /* between items */
};

static void __attribute__((format(printf, 2, 3))) line_add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->len)
		l->len += (size_t)snprintf(l->buf + l->len, l->size - l->len, "%s", l->gap);
	if (l->len >= l->size)
		l->len = l->size - 1;
	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->len, l->size - l->len, fmt, ap);
	va_end(ap);
	l->len += n > 0 ? (size_t)n : 0;
	if (l->len >= l->size)
		l->len = l->size - 1;
}

static void addr_change(struct line *l, const char *what, const struct addr *want,
			const struct addr *have)
{
	char a[ADDR_TEXT_SIZE], b[ADDR_TEXT_SIZE];

	if (!addr_equal(want, have))
		line_add(l, "%s %s -> %s", what, addr_format(have, a), addr_format(want, b));
}

static void number_change(struct line *l, const char *what, unsigned want, unsigned have)
{
	if (want != have)
		line_add(l, "%s %u -> %u", what, have, want);
}

static void switch_change(struct line *l, const char *what, bool want, bool have)
{
	if (want != have)
		line_add(l, "%s %s -> %s", what, have ? "on" : "off", want ? "on" : "off");
}

/* "7", "7/8" for in and out, or "none". */
static const char *key_format(const struct gre_link *link, char buf[24])
{
	if (!link->has_key)
		return "none";
	if (link->key_in == link->key_out)
		snprintf(buf, 24, "%u", link->key_in);
	else
		snprintf(buf, 24, "%u/%u", link->key_in, link->key_out);
	return buf;
}

static const char *device_format(unsigned ifindex, const char *name, char buf[IFNAMSIZ])
{
	if (*name)
		return name;
	snprintf(buf, IFNAMSIZ, "#%u", ifindex);
	return buf;
}

static void device_add(struct line *l, const char *what, unsigned ifindex, const char *name)
{
	char buf[IFNAMSIZ];

	if (ifindex)
		line_add(l, "%s %s", what, device_format(ifindex, name, buf));
}

static void device_change(struct line *l, const char *what, unsigned want, const char *name,
			  unsigned have)
{
	char was[IFNAMSIZ], is[IFNAMSIZ];

	if (want != have)
		line_add(l, "%s %s -> %s", what, have ? device_format(have, "", was) : "none",
			 want ? device_format(want, name, is) : "none");
}

static void key_change(struct line *l, const struct gre_link *want, const struct gre_link *have)
{
	char a[24], b[24];

	if (want->has_key != have->has_key || want->key_in != have->key_in ||
	    want->key_out != have->key_out)
		line_add(l, "key %s -> %s", key_format(have, a), key_format(want, b));
}

static const char *tos_format(uint8_t tos, char buf[8])
{
	snprintf(buf, 8, tos == TOS_INHERIT ? "inherit" : "0x%02x", tos);
	return buf;
}

static void ttl_tos_change(struct line *l, const struct gre_link *want, const struct gre_link *have)
{
	char a[8], b[8];

	if (want->ttl != have->ttl && want->ttl && have->ttl)
		line_add(l, "ttl %u -> %u", have->ttl, want->ttl);
	else if (want->ttl != have->ttl)
		line_add(l, want->ttl ? "ttl inherit -> %u" : "ttl %u -> inherit",
			 want->ttl ? want->ttl : have->ttl);
	if (want->tos != have->tos)
		line_add(l, "tos %s -> %s", tos_format(have->tos, a), tos_format(want->tos, b));
}

static void gre_change(struct line *l, const struct gre_link *want, const struct gre_link *have)
{
	addr_change(l, "local", &want->local, &have->local);
	addr_change(l, "remote", &want->remote, &have->remote);
	key_change(l, want, have);
	switch_change(l, "checksum", want->checksum, have->checksum);
	switch_change(l, "sequence", want->sequence, have->sequence);
	ttl_tos_change(l, want, have);
	if (want->local.family != AF_INET6 && want->remote.family != AF_INET6) {
		switch_change(l, "pmtudisc", want->pmtudisc, have->pmtudisc);
		switch_change(l, "ignore-df", want->ignore_df, have->ignore_df);
	}
	device_change(l, "device", want->device, want->device_name, have->device);
	switch_change(l, "foreign options", want->extra, have->extra);
}

const char *gre_link_format(const struct gre_link *link, char *buf, size_t size)
{
	struct line l = {.buf = buf, .size = size, .gap = " "};
	char a[ADDR_TEXT_SIZE], t[8], k[24];

	if (!link->is_gre) {
		snprintf(buf, size, "not a GRE link");
		return buf;
	}
	line_add(&l, "local %s remote %s",
		 link->local.family ? addr_format(&link->local, a) : "any",
		 link->remote.family ? addr_format(&link->remote, (char[ADDR_TEXT_SIZE]){0})
				     : "any");
	if (link->has_key)
		line_add(&l, "key %s", key_format(link, k));
	if (link->checksum)
		line_add(&l, "checksum");
	if (link->sequence)
		line_add(&l, "sequence");
	line_add(&l, link->ttl ? "ttl %u" : "ttl inherit", link->ttl);
	if (link->tos)
		line_add(&l, "tos %s", tos_format(link->tos, t));
	if (link->pmtudisc)
		line_add(&l, "pmtudisc");
	if (link->ignore_df)
		line_add(&l, "ignore-df");
	device_add(&l, "device", link->device, link->device_name);
	device_add(&l, "vrf", link->master, link->master_name);
	if (link->mpls)
		line_add(&l, "mpls");
	line_add(&l, "mtu %u", link->mtu);
	return buf;
}

const char *gre_link_format_change(const struct gre_link *want, const struct gre_link *have,
				   char *buf, size_t size)
{
	struct line l = {.buf = buf, .size = size, .gap = ", "};

	buf[0] = '\0';
	if (!have->is_gre) {
		line_add(&l, "not a GRE link");
		return buf;
	}
	gre_change(&l, want, have);
	device_change(&l, "vrf", want->master, want->master_name, have->master);
	switch_change(&l, "mpls", want->mpls, have->mpls);
	number_change(&l, "mtu", want->mtu, have->mtu);
	if (want->group != have->group)
		line_add(&l, "group 0x%x -> 0x%x", have->group, want->group);
	switch_change(&l, "up", want->up, have->up);
	switch_change(&l, "multicast", want->multicast, have->multicast);
	switch_change(&l, "dormant mode", want->dormant_mode, have->dormant_mode);
	return buf;
}
