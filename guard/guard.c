/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's hands: a libnftables context (guard_open) that runs the commands of guard/ruleset.c
 * as transactions (guard_run) and reads the table as JSON for guard/parse.c (guard_read). The only
 * user of libnftables(3). What changed is told by guard/events.c.
 */
#include "guard/guard.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nl.h"

struct guard {
	struct nft_ctx *nft;
	struct nl *nl;
};

/* nftables' text goes on with the command and carets; its first line says what is wrong. */
static void error_line(const char *text, char *err, size_t size)
{
	size_t n = 0;

	if (!size)
		return;
	while (text && *text == '\n')
		text++;
	if (!text || !*text)
		text = "nftables failed without a reason";
	for (; *text && *text != '\n' && n + 1 < size; text++)
		err[n++] = (unsigned char)*text < ' ' ? ' ' : *text;
	err[n] = '\0';
}

/*
 * libnftables keeps what it read of the ruleset, 1.5 KiB a pair, and reads it through at the next
 * run; a dry run of nothing drops it (1.0.6, nft_run_cmd_from_buffer: cache_release).
 */
static void forget(struct guard *g)
{
	nft_ctx_set_dry_run(g->nft, true);
	nft_run_cmd_from_buffer(g->nft, "");
	nft_ctx_set_dry_run(g->nft, false);
}

static struct nft_ctx *context_new(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (nft && (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))) {
		nft_ctx_free(nft);
		return NULL;
	}
	return nft;
}

/*
 * After a failure: what libnftables 1.0.6 did not read of a dump it takes for the next one's, and asserts. It ends the process
 * when it gets no socket, so whether there is one is asked before.
 */
static void renew(struct guard *g)
{
	struct nl *free_socket;
	struct nft_ctx *fresh;

	if (nl_open(&free_socket, NETLINK_NETFILTER))
		return;
	nl_close(free_socket);
	fresh = context_new();
	if (!fresh)
		return;
	nft_ctx_free(g->nft);
	g->nft = fresh;
}

/* *out is libnftables', until the next run. */
static int query(struct guard *g, const char *command, const char **out, char *err, size_t err_size)
{
	nft_ctx_output_set_flags(g->nft, NFT_CTX_OUTPUT_JSON);
	int failed = nft_run_cmd_from_buffer(g->nft, command);
	const char *error = nft_ctx_get_error_buffer(g->nft);

	*out = nft_ctx_get_output_buffer(g->nft);
	if (!failed && *out)
		return 0;
	error_line(error, err, err_size);
	renew(g);
	return -EIO;
}

static int table_seen(const struct nlmsghdr *nlh, void *user)
{
	bool *present = user;

	if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWTABLE)
		*present = true;
	return MNL_CB_OK;
}

/*
 * Asked of the kernel itself: a failed `list table` says only in words for people that it is
 * absent, and `list tables` as JSON makes libnftables 1.0.6 fetch every rule and element of
 * everybody.
 */
static int presence(struct guard *g, bool *present, char *err, size_t err_size)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
	header->nfgen_family = NFPROTO_INET;
	header->version = NFNETLINK_V0;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, GUARD_TABLE);
	*present = false;
	int rc = nl_query(g->nl, nlh, table_seen, NULL, present);

	if (!rc || rc == -ENOENT)
		return 0;
	error_line(strerrordesc_np(-rc), err, err_size);
	return rc;
}

int guard_open(struct guard **out)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	int rc = nl_open(&g->nl, NETLINK_NETFILTER);

	if (rc) {
		free(g);
		return rc;
	}
	g->nft = context_new();
	if (!g->nft) {
		guard_close(g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void guard_close(struct guard *g)
{
	if (!g)
		return;
	if (g->nft)
		nft_ctx_free(g->nft);
	nl_close(g->nl);
	free(g);
}

int guard_run(struct guard *g, const char *commands, char *err, size_t err_size)
{
	if (!commands) {
		error_line("no commands", err, err_size);
		return -EINVAL;
	}
	/* With the JSON flag set libnftables would first try to read the commands as JSON. */
	nft_ctx_output_set_flags(g->nft, 0);
	int failed = nft_run_cmd_from_buffer(g->nft, commands);
	const char *error = nft_ctx_get_error_buffer(g->nft);

	nft_ctx_get_output_buffer(g->nft);
	if (failed) {
		error_line(error, err, err_size);
		renew(g);
		return -EIO;
	}
	forget(g);
	return 0;
}

int guard_read(struct guard *g, struct guard_state *out, char *err, size_t err_size)
{
	const char *json;
	bool present = false;
	int rc = presence(g, &present, err, err_size);

	*out = (struct guard_state){0};
	if (rc || !present)
		return rc;
	rc = query(g, "list table inet " GUARD_TABLE, &json, err, err_size);
	if (!rc) {
		/* libnftables 1.0.6 ends its JSON in the middle when the table is dormant. */
		if (!guard_parse(json, out)) {
			rc = errno == ENOMEM ? -ENOMEM : 0;
			out->present = !rc;
		}
		if (rc)
			error_line(strerrordesc_np(-rc), err, err_size);
		forget(g);
		return rc;
	}
	/* It may have gone between the two questions. */
	if (!presence(g, &present, NULL, 0) && !present)
		return 0;
	return rc;
}
