// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The floor of the benchmarks: sends what gwd would send for a configuration, in the same batches, and nothing else: it reads
 * nothing back, compares nothing, watches nothing. The configuration is read before the clock starts.
 *
 *	replay CONF [VICI-SOCKET]	bring all up; prints the milliseconds to the kernel's last answer and to charon's
 *	replay -d CONF			take all away; prints milliseconds
 *
 * charon is asked in a thread of its own, so that it works while the kernel does.
 */
#include <pthread.h>

#include "guard/guard.h"
#include "ike/vici_conn.h"
#include "tests/bench/bench.h"

struct charon_load {
	const char *socket;
	const struct bench_wanted *wanted;
	double end;
};

static void ignore_event(void *user, const char *name, bool streamed, struct ike_msg *event)
{
	(void)user, (void)name, (void)streamed;
	ike_msg_free(event);
}

static void result(void *user, size_t index, int err, const char *text)
{
	(void)index;
	if (err)
		fprintf(stderr, "%s: %s\n", (const char *)user, text);
}

static void send_all(struct nl *nl, struct nl_batch *b, char *what)
{
	int r = nl_batch_send(nl, b, result, what);

	if (r)
		bench_die(what, r);
	nl_batch_free(b);
}

static void guard_send(struct guard *g, struct text *commands)
{
	char err[256] = "";

	if (guard_run(g, commands->text, err, sizeof(err))) {
		fprintf(stderr, "guard: %s\n", err);
		exit(1);
	}
	text_free(commands);
}

static void vici_ask(struct ike_vici *v, struct ike_msg *m)
{
	bool broken = false;
	char text[256] = "";
	int err = 0;
	struct ike_msg *answer = ike_vici_submit(v, m, &err, &broken);

	if (!answer)
		bench_die("charon", err);
	if (!ike_answer_ok(answer, text, sizeof(text)))
		fprintf(stderr, "charon: %s\n", text);
	ike_msg_free(answer);
}

static void *load_conns(void *user)
{
	struct charon_load *l = user;
	const struct objects *o = &l->wanted->objects;
	struct ike_vici *v;
	int r = ike_vici_open(&v, l->socket, ignore_event, NULL);

	if (r)
		bench_die(l->socket, r);
	vici_ask(v, ike_req_load_key(l->wanted->key));
	for (size_t i = 0; i < o->conns.len;) {
		struct ike_msg *m = ike_msg_new("load-conn");

		while (i < o->conns.len && ike_msg_size(m) < IKE_LOAD_BYTES_MAX)
			ike_conn_put(m, &o->conns.at[i++].conn);
		vici_ask(v, m);
	}
	l->end = bench_ms();
	ike_vici_close(v);
	return NULL;
}

static void put_policies(struct nl *xfrm, const struct objects *o, bool add)
{
	struct nl_batch *b = nl_batch_new();

	for (size_t i = 0; i < o->policies.len; i++)
		if (add)
			xfrm_policy_put(b, &o->policies.at[i], true);
		else
			xfrm_policy_put_delete(b, &o->policies.at[i]);
	send_all(xfrm, b, "policy");
}

static int note_index(void *user, const struct gre_link *link)
{
	struct objects *o = user;
	struct gre_link *hit = o->links.len
				       ? bsearch(link, o->links.at, o->links.len, sizeof(*link),
						 (int (*)(const void *, const void *))gre_link_cmp)
				       : NULL;

	if (hit)
		hit->ifindex = link->ifindex;
	return 0;
}

static void put_links(struct nl *rtnl, struct objects *o)
{
	struct nl_batch *b = nl_batch_new();

	for (size_t i = 0; i < o->links.len; i++)
		gre_link_put(b, &o->links.at[i], 0, true);
	send_all(rtnl, b, "link");
	gre_link_dump(rtnl, GRE_GROUP, note_index, NULL, o);
	b = nl_batch_new();
	for (size_t i = 0, k = 0; i < o->addrs.len; i++) {
		while (k < o->links.len && strcmp(o->links.at[k].name, o->addrs.at[i].link) != 0)
			k++;
		if (k < o->links.len)
			gre_addr_put(b, &o->addrs.at[i], o->links.at[k].ifindex);
	}
	send_all(rtnl, b, "address");
}

static void sockets_open(struct nl **rtnl, struct nl **xfrm, struct guard **g)
{
	int r = nl_open(rtnl, NETLINK_ROUTE);

	if (!r)
		r = nl_open(xfrm, NETLINK_XFRM);
	if (!r)
		r = guard_open(g);
	if (r)
		bench_die("netlink", r);
}

static int replay_up(const char *conf, const char *socket)
{
	struct bench_wanted w = {0};
	struct charon_load load = {.socket = socket, .wanted = &w};
	struct nl *rtnl, *xfrm;
	struct guard *g;
	struct text commands = {0};
	pthread_t thread;
	double start, kernel;

	bench_want(conf, &w);
	if (socket)
		ike_vici_start();
	start = bench_ms();
	sockets_open(&rtnl, &xfrm, &g);
	if (socket && pthread_create(&thread, NULL, load_conns, &load))
		bench_die("thread", EAGAIN);
	guard_build_table(&commands, w.objects.pairs.at, w.objects.pairs.len, w.objects.exempts.at,
			  w.objects.exempts.len);
	guard_send(g, &commands);
	put_policies(xfrm, &w.objects, true);
	put_links(rtnl, &w.objects);
	kernel = load.end = bench_ms();
	if (socket)
		pthread_join(thread, NULL);
	if (load.end < kernel)
		load.end = kernel;
	printf("%.3f %.3f\n", kernel - start, load.end - start);
	return 0;
}

static int replay_down(const char *conf)
{
	struct bench_wanted w = {0};
	struct nl *rtnl, *xfrm;
	struct guard *g;
	struct text commands = {0};
	struct nl_batch *b = nl_batch_new();
	double start;

	bench_want(conf, &w);
	start = bench_ms();
	sockets_open(&rtnl, &xfrm, &g);
	gre_link_put_delete_group(b, GRE_GROUP);
	send_all(rtnl, b, "links");
	put_policies(xfrm, &w.objects, false);
	guard_build_remove(&commands);
	guard_send(g, &commands);
	printf("%.3f\n", bench_ms() - start);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-d"))
		return replay_down(argv[2]);
	if (argc == 2 || argc == 3)
		return replay_up(argv[1], argv[2]);
	fprintf(stderr, "usage: replay CONF [VICI-SOCKET] | replay -d CONF\n");
	return 1;
}
