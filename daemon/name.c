// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decisions on a tunnel's `remote: NAME`: entry functions name_take (an answer came), name_choose (which address next) and
 * name_again_ms (when to ask again). Neighbour: daemon/names.c, which asks, and moves the tunnel. Pure.
 */
#include "daemon/name.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"

#define HINT_SPREAD_MS 1000
#define HOSTS_LINE_MAX 1023 /* bytes; longer ones are passed over */

static void family_take(struct name_addrs *of, enum name_result result,
			const struct name_addrs *found)
{
	switch (result) {
	case NAME_FOUND:
		*of = *found;
		break;
	case NAME_NONE:
	case NAME_NOT_ASKED:
		of->n = 0;
		break;
	case NAME_FAILED:
		break;
	}
}

bool name_take(struct name *n, const struct name_answer *answer, time_t wall)
{
	if (answer->ipv6 != NAME_FOUND && answer->ipv4 != NAME_FOUND) {
		n->failed_since = n->failures++ ? n->failed_since : wall;
		snprintf(n->error, sizeof(n->error), "%s", answer->error);
		return false;
	}
	family_take(&n->of6, answer->ipv6, &answer->of6);
	family_take(&n->of4, answer->ipv4, &answer->of4);
	n->failures = 0;
	n->error[0] = '\0';
	return true;
}

static size_t place_of(const struct name_candidate *list, size_t n, const struct addr *addr)
{
	size_t i = 0;

	while (i < n && !addr_equal(&list[i].addr, addr))
		i++;
	return i;
}

const struct addr *name_choose(const struct name_candidate *list, size_t n,
			       const struct addr *current, bool next)
{
	size_t at = place_of(list, n, current);

	if (at < n && !next)
		return &list[at].addr;
	/* From after the one in use; when that is none of them, from the first. */
	for (size_t i = 1; i <= n; i++) {
		size_t k = at < n ? (at + i) % n : i - 1;

		if (k != at && list[k].reachable)
			return &list[k].addr;
	}
	return at == n && n ? &list[0].addr : NULL;
}

uint64_t name_again_ms(const struct name *n, uint32_t ttl_s, uint32_t random)
{
	uint64_t ms = NAME_RETRY_MIN_MS;

	if (n->failures) {
		for (unsigned i = 1; i < n->failures && ms < NAME_RETRY_MAX_MS; i++)
			ms *= 2;
		ms = ms < NAME_RETRY_MAX_MS ? ms : NAME_RETRY_MAX_MS;
	} else {
		ttl_s = ttl_s < NAME_TTL_MIN_S ? NAME_TTL_MIN_S : ttl_s;
		ms = 1000u * (uint64_t)(ttl_s < NAME_TTL_MAX_S ? ttl_s : NAME_TTL_MAX_S);
	}
	return ms + random % (ms / 8 + 1);
}

uint64_t name_hinted_at(const struct name *n, uint64_t now, uint32_t random)
{
	uint64_t at = now + random % HINT_SPREAD_MS;
	uint64_t earliest = n->asked_at ? n->asked_at + NAME_HINT_MS : 0;

	at = at < earliest ? earliest : at;
	return n->ask_at && n->ask_at < at ? n->ask_at : at;
}

static bool same_host(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	la -= la && a[la - 1] == '.';
	lb -= lb && b[lb - 1] == '.';
	return la == lb && !strncasecmp(a, b, la);
}

void name_addrs_add(struct name_addrs *of, const struct addr *addr)
{
	if (of->n == NAME_ADDRS_MAX || !value_unicast(addr) || value_link_local(addr))
		return;
	for (size_t i = 0; i < of->n; i++)
		if (addr_equal(&of->at[i], addr))
			return;
	of->at[of->n++] = *addr;
}

/* One line of hosts(5), cut up: an address, then its names. */
static bool hosts_line(char *line, const char *host, struct addr *out)
{
	static const char blanks[] = " \t\r";
	char *save, *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blanks, &save);
	if (!word || !addr_parse(word, out))
		return false;
	while ((word = strtok_r(NULL, blanks, &save)))
		if (same_host(word, host))
			return true;
	return false;
}

bool name_hosts_find(const char *hosts, const char *host, struct name_answer *answer)
{
	char line[HOSTS_LINE_MAX + 1];
	struct addr addr;
	size_t len;

	for (; *hosts; hosts += len + (hosts[len] == '\n')) {
		len = strcspn(hosts, "\n");
		if (len > HOSTS_LINE_MAX)
			continue;
		memcpy(line, hosts, len);
		line[len] = '\0';
		if (hosts_line(line, host, &addr))
			name_addrs_add(addr.family == AF_INET6 ? &answer->of6 : &answer->of4,
				       &addr);
	}
	if (!answer->of6.n && !answer->of4.n)
		return false;
	answer->ipv6 = answer->of6.n ? NAME_FOUND : NAME_NONE;
	answer->ipv4 = answer->of4.n ? NAME_FOUND : NAME_NONE;
	answer->ttl_s = NAME_TTL_MIN_S;
	return true;
}
