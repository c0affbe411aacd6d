// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes what the benchmarks bring up.
 *
 *	content yaml N			a gwd.yaml with N tunnels to gateways that do not exist
 *	content peer CONF FOLDER	the same content for ip -batch (ip.up, ip.down, ip.link-down), nft -f (guard.nft)
 *					and swanctl --load-all (swanctl.conf, pubkey/)
 */
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "guard/guard.h"
#include "tests/bench/bench.h"

#define TUNNELS_MAX 60000

static void public_key(unsigned i, char text[KEY_PUBLIC_TEXT_SIZE])
{
	static const unsigned char head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
					     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	unsigned char seed[crypto_sign_SEEDBYTES] = {1}, secret[crypto_sign_SECRETKEYBYTES];
	unsigned char der[KEY_PUBLIC_DER_SIZE];

	memcpy(seed + 1, &i, sizeof(i));
	memcpy(der, head, sizeof(head));
	crypto_sign_seed_keypair(der + sizeof(head), secret, seed);
	sodium_bin2base64(text, KEY_PUBLIC_TEXT_SIZE, der, sizeof(der),
			  sodium_base64_VARIANT_ORIGINAL);
}

/* The gateway's identity sorts behind those of the peers, so it leaves the first attempt to them and is quiet for a while. */
static int content_yaml(unsigned n)
{
	char key[KEY_PUBLIC_TEXT_SIZE];

	printf("gateway:\n  id: zz.example.net\n  local: wan0\ntunnels:\n");
	for (unsigned i = 1; i <= n; i++) {
		public_key(i, key);
		printf("  t%05u:\n    remote: 10.%u.%u.%u\n", i, 100 + i / 62500, i / 250 % 250,
		       i % 250 + 1);
		printf("    peer: {id: b%05u.example.net, public-key: %s}\n", i, key);
		printf("    addresses: [10.%u.%u.%u/30]\n", 200 + (i >> 14), i >> 6 & 255,
		       (i & 63) * 4 + 1);
	}
	return 0;
}

static FILE *file_open(const char *folder, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	if (!f)
		bench_die(path, errno);
	return f;
}

static void write_ip(const struct objects *o, const char *folder)
{
	FILE *up = file_open(folder, "ip.up"), *down = file_open(folder, "ip.down");
	FILE *links = file_open(folder, "ip.link-down");
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], prefix[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < o->policies.len; i++) {
		const struct xfrm_policy *p = &o->policies.at[i];
		const char *dir = p->dir == XFRM_DIR_OUT ? "out" : "in";

		addr_format(&p->src, src);
		addr_format(&p->dst, dst);
		fprintf(up, "xfrm policy add src %s dst %s proto gre dir %s priority %u ", src, dst,
			dir, p->priority);
		fprintf(up, "tmpl src %s dst %s proto esp reqid %u mode transport\n", src, dst,
			p->reqid);
		fprintf(down, "xfrm policy delete src %s dst %s proto gre dir %s\n", src, dst, dir);
	}
	for (size_t i = 0; i < o->links.len; i++) {
		const struct gre_link *l = &o->links.at[i];

		fprintf(up, "link add name %s mtu %u group %u mode dormant multicast on up ",
			l->name, l->mtu, l->group);
		fprintf(up, "type gre local %s remote %s ttl %u nopmtudisc\n",
			addr_format(&l->local, src), addr_format(&l->remote, dst), l->ttl);
		fprintf(links, "link del %s\n", l->name);
	}
	for (size_t i = 0; i < o->addrs.len; i++)
		fprintf(up, "addr add %s dev %s\n", prefix_format(&o->addrs.at[i].prefix, prefix),
			o->addrs.at[i].link);
	fclose(up);
	fclose(down);
	fclose(links);
}

static void write_guard(const struct objects *o, const char *folder)
{
	struct text commands = {0};
	FILE *f = file_open(folder, "guard.nft");

	guard_build_table(&commands, o->pairs.at, o->pairs.len, o->exempts.at, o->exempts.len);
	if (commands.failed)
		bench_die("guard", ENOMEM);
	fputs(commands.text, f);
	fclose(f);
	text_free(&commands);
}

static void write_texts(FILE *f, const char *name, char *const *texts)
{
	fprintf(f, "%s = ", name);
	for (size_t i = 0; texts[i]; i++)
		fprintf(f, "%s%s", i ? "," : "", texts[i]);
	fputc('\n', f);
}

static void write_key(const char *folder, const char *name, const char *text)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "pubkey/%s.pem", name);
	f = file_open(folder, file);
	fprintf(f, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", text);
	fclose(f);
}

/* The keys and values of ike/conn.c. */
static void write_conn(FILE *f, const struct ike_conn *c, const char *folder)
{
	char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE];

	write_key(folder, c->name, c->remote_public_key);
	fprintf(f, "%s {\nversion = 2\nlocal_addrs = %s\nremote_addrs = %s\n", c->name,
		addr_format(&c->local, local), addr_format(&c->remote, remote));
	write_texts(f, "proposals", c->ike_proposals);
	fprintf(f, "mobike = no\nunique = no\nkeyingtries = 1\nchildless = allow\n");
	fprintf(f, "send_cert = never\nsend_certreq = no\ndpd_delay = %us\nreauth_time = 0s\n",
		c->dpd_delay);
	fprintf(f, "rekey_time = %us\nover_time = %us\nrand_time = %us\n", c->ike_rekey_time,
		c->ike_over_time, c->ike_rand_time);
	fprintf(f, "local {\nauth = pubkey\nid = %s\npubkeys = %s/pubkey/own.pem\n}\n", c->local_id,
		folder);
	fprintf(f, "remote {\nauth = pubkey\nid = %s\npubkeys = %s/pubkey/%s.pem\n}\n",
		c->remote_id, folder, c->name);
	fprintf(f, "children {\n" IKE_CHILD " {\nmode = transport\npolicies = no\nreqid = %u\n",
		c->reqid);
	fprintf(f, "local_ts = dynamic[47]\nremote_ts = dynamic[47]\n");
	write_texts(f, "esp_proposals", c->esp_proposals);
	fprintf(f, "rekey_time = %us\nlife_time = %us\nrand_time = %us\nreplay_window = %u\n",
		c->esp_rekey_time, c->esp_life_time, c->esp_rand_time, c->replay_window);
	fprintf(f, "dpd_action = clear\n}\n}\n}\n");
}

static int content_peer(const char *conf, const char *folder)
{
	struct bench_wanted w = {0};
	char path[512];
	FILE *f;

	bench_want(conf, &w);
	snprintf(path, sizeof(path), "%s/pubkey", folder);
	if (mkdir(path, 0755) && errno != EEXIST)
		bench_die(path, errno);
	write_ip(&w.objects, folder);
	write_guard(&w.objects, folder);
	write_key(folder, "own", w.public_key);
	f = file_open(folder, "swanctl.conf");
	fprintf(f, "connections {\n");
	for (size_t i = 0; i < w.objects.conns.len; i++)
		write_conn(f, &w.objects.conns.at[i].conn, folder);
	fprintf(f, "}\n");
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[2]) : 0;

	if (argc == 3 && !strcmp(argv[1], "yaml") && n > 0 && n <= TUNNELS_MAX)
		return content_yaml((unsigned)n);
	if (argc == 4 && !strcmp(argv[1], "peer"))
		return content_peer(argv[2], argv[3]);
	fprintf(stderr, "usage: content yaml N | content peer CONF FOLDER\n");
	return 1;
}
