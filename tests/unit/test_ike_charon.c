/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike/ against two real charons, joined by a veth pair: what we load is accepted, two ends with raw
 * keys and with a PSK agree, what goes wrong is named, and charon's death and return are survived.
 * Skipped where there is no charon or no root.
 */
#include "ike/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/key.h"
#include "tests/unit/ike_charon.h"
#include "tests/unit/ike_drive.h"

static char *const proposals[] = {"aes256gcm16-prfsha384-x25519", NULL};
static char *const esp_proposals[] = {"aes256gcm16-x25519", NULL};

static bool there;
static struct drive end[2];
static struct secret *key[2];
static char public_key[2][KEY_PUBLIC_TEXT_SIZE];

static void need_charon(void)
{
	if (!there)
		skip();
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_charon.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	there = charon_there() && charon_namespaces();
	if (!there)
		return 0;
	if (!start_both())
		return -1;
	for (int i = 0; i < 2; i++) {
		end[i].now = drive_clock();
		key[i] = key_generate(public_key[i]);
		if (!key[i] ||
		    ike_session_new(&end[i].s, charon[i].socket, drive_state, drive_event, &end[i]))
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; there && i < 2; i++) {
		ike_session_free(end[i].s);
		secret_free(key[i]);
		charon_remove(&charon[i]);
	}
	return rmdir(folder);
}

static struct ike_conn conn_of(int i, const char *name)
{
	static const char *const ids[2] = {"hq.example.net", "branch.example.net"};
	struct ike_conn c = {
		.local_id = ids[i],
		.remote_id = ids[!i],
		.auth = IKE_AUTH_PUBLIC_KEY,
		.local_public_key = public_key[i],
		.remote_public_key = public_key[!i],
		.ike_proposals = proposals,
		.esp_proposals = esp_proposals,
		.reqid = 0x47000001,
		.replay_window = 1024,
		.dpd_delay = 10,
	};

	snprintf(c.name, sizeof(c.name), "%s%s", IKE_PREFIX, name);
	addr_parse(i ? "192.0.2.2" : "192.0.2.1", &c.local);
	addr_parse(i ? "192.0.2.1" : "192.0.2.2", &c.remote);
	ike_conn_set_times(&c, ike_conn_leads(c.local_id, c.remote_id), 14400, 3600);
	return c;
}

static void load(int i, const struct ike_conn *c)
{
	struct ike_msg *m = ike_msg_new("load-conn");

	ike_conn_put(m, c);
	assert_true(drive_ask(&end[i], m, NULL));
	if (!end[i].ok)
		fail_msg("load-conn: %s", end[i].errmsg);
}

static bool ask_ok(int i, struct ike_msg *m)
{
	return drive_ask(&end[i], m, NULL) && end[i].ok;
}

static void forget(int i)
{
	memset(end[i].kinds, 0, sizeof(end[i].kinds));
	end[i].cause[0] = '\0';
}

/* Pumps both ends. */
#define both_until(condition)                                   \
	({                                                      \
		uint64_t until = drive_clock() + 10000;         \
		while (!(condition) && drive_clock() < until) { \
			drive_turn(&end[0], 10);                \
			drive_turn(&end[1], 10);                \
		}                                               \
		(condition);                                    \
	})

static void unload_all(const char *name)
{
	for (int i = 0; i < 2; i++) {
		drive_ask(&end[i], ike_req_terminate(name, 0, true), NULL);
		assert_true(ask_ok(i, ike_req_unload_conn(name)));
		end[i].n_items = 1;
		for (int j = 0; j < 100 && end[i].n_items; j++)
			assert_true(drive_ask(&end[i], ike_req_list_sas(name), "list-sa"));
		forget(i);
	}
}

static void test_connect(void **state)
{
	(void)state;
	need_charon();
	for (int i = 0; i < 2; i++) {
		assert_true(drive_connect(&end[i]));
		assert_true(drive_ask(&end[i], ike_req_simple("version"), NULL));
	}
}

static void on_conn(void *user, const char *name)
{
	unsigned *n = user;

	*n += strcmp(name, "gwd-keys") == 0;
}

static void on_conns(void *user, int err, const struct ike_msg *answer,
		     struct ike_msg *const *items, size_t n_items)
{
	(void)items;
	(void)n_items;
	if (!err)
		ike_answer_list(answer, "conns", on_conn, user);
}

static void test_load(void **state)
{
	unsigned n = 0;

	(void)state;
	need_charon();
	for (int i = 0; i < 2; i++) {
		struct ike_conn c = conn_of(i, "keys");

		assert_true(ask_ok(i, ike_req_load_key(key[i])));
		load(i, &c);
	}
	assert_int_equal(ike_session_submit(end[0].s, ike_req_simple("get-conns"), NULL, on_conns,
					    &n, end[0].now),
			 0);
	assert_true(drive_until(&end[0], n == 1));
}

static void test_refusal_is_an_answer(void **state)
{
	struct ike_msg *m;

	(void)state;
	need_charon();
	m = ike_msg_new("load-conn");
	ike_msg_section(m, "gwd-bad");
	ike_msg_value(m, "no_such_option", "1");
	ike_msg_section_end(m);
	assert_true(drive_ask(&end[0], m, NULL));
	assert_false(end[0].ok);
	assert_non_null(strstr(end[0].errmsg, "no_such_option"));
	assert_false(ask_ok(0, ike_req_unload_conn("gwd-none")));
	assert_false(drive_ask(&end[0], ike_req_simple("no-such-command"), NULL));
	assert_int_equal(end[0].err, -ENOENT);
	assert_int_equal(end[0].state, IKE_SESSION_CONNECTED);
}

/* IKE comes up everywhere; the child only where the kernel has ESP, and where it has not, the
 * log says so. */
static void assert_up(const char *name)
{
	assert_true(ask_ok(0, ike_req_initiate(name)));
	assert_true(both_until(end[0].kinds[IKE_EVENT_IKE_UP] && end[1].kinds[IKE_EVENT_IKE_UP]));
	assert_true(both_until(end[0].kinds[IKE_EVENT_CHILD_UP] || *end[0].cause));
	assert_true(drive_ask(&end[0], ike_req_list_sas(name), "list-sa"));
	assert_int_equal(end[0].n_items, 1);
	assert_string_equal(end[0].sa.name, name);
	assert_true(end[0].sa.established && end[0].sa.initiator);
	assert_string_equal(end[0].sa.remote_id, "branch.example.net");
	assert_string_equal(end[0].sa.proposal, "aes256gcm16-prfsha384-x25519");
	assert_int_equal(end[0].sa.remote_port, 4500 * (end[0].sa.remote_port == 4500) +
							500 * (end[0].sa.remote_port == 500));
	if (end[0].kinds[IKE_EVENT_CHILD_UP]) {
		assert_int_equal(end[0].sa.n_children, 1);
		assert_true(end[0].sa.children[0].installed && end[0].sa.children[0].transport);
		assert_int_equal(end[0].sa.children[0].reqid, 0x47000001);
		assert_true(end[0].sa.children[0].spi_in && end[0].sa.children[0].spi_out);
	}
}

static void test_public_keys_agree(void **state)
{
	(void)state;
	need_charon();
	assert_up("gwd-keys");
	assert_true(drive_ask(&end[0], ike_req_list_sas("gwd-none"), "list-sa"));
	assert_int_equal(end[0].n_items, 0);
	forget(0);
	assert_true(ask_ok(0, ike_req_terminate("gwd-keys", end[0].sa.uniqueid, false)));
	assert_true(
		both_until(end[0].kinds[IKE_EVENT_IKE_DOWN] && end[1].kinds[IKE_EVENT_IKE_DOWN]));
	unload_all("gwd-keys");
}

static void test_one_local_key_serves_all(void **state)
{
	(void)state;
	need_charon();
	for (int i = 0; i < 2; i++) {
		struct ike_conn c = conn_of(i, "other");

		c.local_public_key = NULL;
		load(i, &c);
	}
	assert_up("gwd-other");
	unload_all("gwd-other");
}

static void test_wrong_key_is_named(void **state)
{
	(void)state;
	need_charon();
	for (int i = 0; i < 2; i++) {
		struct ike_conn c = conn_of(i, "wrong");

		if (i == 1)
			c.remote_public_key = public_key[1];
		load(i, &c);
	}
	assert_true(ask_ok(0, ike_req_initiate("gwd-wrong")));
	assert_true(both_until(strstr(end[0].cause, "AUTHENTICATION_FAILED") && *end[1].cause));
	assert_string_equal(
		end[0].cause,
		"the peer rejects our key (AUTHENTICATION_FAILED): compare `gwctl pubkey` here "
		"with its peer.public-key");
	assert_non_null(strstr(end[1].cause, "the peer"));
	assert_non_null(strstr(end[1].cause, "our peer.public-key"));
	assert_int_equal(end[0].kinds[IKE_EVENT_IKE_UP], 0);
	unload_all("gwd-wrong");
}

static void load_psk(int i, const char *name, const char *psk, const char *remote_id)
{
	struct secret *s = secret_new(strlen(psk));

	memcpy(s->bytes, psk, s->size);
	assert_true(ask_ok(i, ike_req_load_psk(name, s, remote_id)));
	secret_free(s);
}

static void load_psk_conns(const char *name)
{
	for (int i = 0; i < 2; i++) {
		struct ike_conn c = conn_of(i, name);

		c.auth = IKE_AUTH_PSK;
		c.local_public_key = c.remote_public_key = NULL;
		load(i, &c);
	}
}

static void test_psk_agrees(void **state)
{
	(void)state;
	need_charon();
	load_psk_conns("psk");
	load_psk(0, "gwd-psk", "one and the same", "branch.example.net");
	load_psk(1, "gwd-psk", "one and the same", "hq.example.net");
	assert_up("gwd-psk");
	unload_all("gwd-psk");
	for (int i = 0; i < 2; i++)
		assert_true(ask_ok(i, ike_req_unload_psk("gwd-psk")));
}

/* The key of another branch of the same gateway must not open this tunnel. */
static void test_psk_of_another_does_not_open(void **state)
{
	(void)state;
	need_charon();
	load_psk_conns("psk");
	load_psk(0, "gwd-psk", "this branch's", "branch.example.net");
	load_psk(1, "gwd-psk", "this branch's", "hq.example.net");
	load_psk(1, "gwd-other", "that branch's", "that.example.net");
	load_psk(0, "gwd-psk", "that branch's", "branch.example.net"); /* replaces: an impostor */
	assert_true(ask_ok(0, ike_req_initiate("gwd-psk")));
	assert_true(both_until(strstr(end[0].cause, "AUTHENTICATION_FAILED") && *end[1].cause));
	assert_string_equal(
		end[1].cause,
		"the peer's pre-shared key is not ours for hq.example.net: compare psk on both "
		"sides");
	assert_int_equal(end[1].kinds[IKE_EVENT_IKE_UP], 0);
	unload_all("gwd-psk");
	assert_true(ask_ok(0, ike_req_unload_psk("gwd-psk")));
	assert_true(ask_ok(1, ike_req_unload_psk("gwd-psk")));
	assert_true(ask_ok(1, ike_req_unload_psk("gwd-other")));
}

static void test_silent_peer_is_named(void **state)
{
	struct ike_conn c = conn_of(0, "silent");

	(void)state;
	need_charon();
	addr_parse("192.0.2.3", &c.remote);
	load(0, &c);
	assert_true(ask_ok(0, ike_req_initiate("gwd-silent")));
	assert_true(
		drive_until_ms(&end[0], 20000, strstr(end[0].cause, "the peer does not answer")));
	drive_ask(&end[0], ike_req_terminate("gwd-silent", 0, true), NULL);
	assert_true(ask_ok(0, ike_req_unload_conn("gwd-silent")));
}

static unsigned loaded_replies;

static void on_loaded(void *user, int err, const struct ike_msg *answer,
		      struct ike_msg *const *items, size_t n_items)
{
	char why[256];

	(void)user;
	(void)items;
	(void)n_items;
	assert_int_equal(err, 0);
	if (!ike_answer_ok(answer, why, sizeof(why)))
		fail_msg("load-conn: %s", why);
	loaded_replies++;
}

static unsigned conns_listed;

static void on_any_conn(void *user, const char *name)
{
	(void)user;
	conns_listed += strncmp(name, "gwd-many", 8) == 0;
}

static void on_many(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		    size_t n_items)
{
	bool *done = user;

	(void)items;
	(void)n_items;
	if (!err)
		ike_answer_list(answer, "conns", on_any_conn, NULL);
	*done = true;
}

/* A thousand connections in messages of up to 400 KiB. */
static void test_many_connections(void **state)
{
	char(*keys)[KEY_PUBLIC_TEXT_SIZE];
	struct ike_msg *m;
	unsigned messages = 0;
	bool done = false;

	(void)state;
	need_charon();
	keys = calloc(1000, sizeof(*keys));
	for (unsigned i = 0; i < 1000; i++)
		secret_free(key_generate(keys[i]));
	m = ike_msg_new("load-conn");
	loaded_replies = 0;
	for (unsigned i = 0; i < 1000; i++) {
		char name[32], id[32];
		struct ike_conn c;

		snprintf(name, sizeof(name), "many%u", i);
		snprintf(id, sizeof(id), "b%u.example.net", i);
		c = conn_of(0, name);
		c.remote_id = id;
		c.remote_public_key = keys[i];
		c.reqid += i;
		ike_conn_put(m, &c);
		if (ike_msg_size(m) < 400 * 1024 && i < 999)
			continue;
		assert_int_equal(ike_session_submit(end[0].s, m, NULL, on_loaded, NULL, end[0].now),
				 0);
		m = i < 999 ? ike_msg_new("load-conn") : NULL;
		messages++;
	}
	assert_true(drive_until_ms(&end[0], 30000, loaded_replies == messages));
	assert_int_equal(ike_session_submit(end[0].s, ike_req_simple("get-conns"), NULL, on_many,
					    &done, end[0].now),
			 0);
	assert_true(drive_until(&end[0], done));
	assert_int_equal(conns_listed, 1000);
	free(keys);
}

static void stop(const struct charon *c)
{
	int status = 0;

	kill(c->pid, SIGSTOP);
	assert_int_equal(waitpid(c->pid, &status, WUNTRACED), c->pid);
	assert_true(WIFSTOPPED(status));
}

static void test_stopped_then_killed(void **state)
{
	unsigned before;

	(void)state;
	need_charon();
	before = end[0].replies;
	stop(&charon[0]);
	assert_int_equal(drive_submit(&end[0], ike_req_simple("version"), NULL), 0);
	usleep(50000);
	end[0].now += IKE_DEADLINE_MS;
	ike_session_dispatch(end[0].s, end[0].now);
	assert_int_equal(end[0].err, -ETIMEDOUT);
	assert_int_equal(end[0].state, IKE_SESSION_STALLED);
	kill(charon[0].pid, SIGCONT);
	assert_true(drive_until(&end[0], end[0].state == IKE_SESSION_CONNECTED));
	assert_int_equal(end[0].replies, before + 1);

	stop(&charon[0]);
	assert_int_equal(drive_submit(&end[0], ike_req_simple("version"), NULL), 0);
	usleep(50000);
	charon_kill(&charon[0], SIGKILL);
	assert_true(drive_until(&end[0], end[0].state == IKE_SESSION_ABSENT));
	assert_int_equal(end[0].replies, before + 2);
	assert_int_equal(end[0].err, -ECONNRESET);
	ike_session_connect(end[0].s);
	assert_true(drive_until(&end[0], end[0].state_err == -ECONNREFUSED));
}

static void test_comes_back(void **state)
{
	(void)state;
	need_charon();
	charon_kill(&charon[0], SIGKILL);
	unlink(charon[0].socket);
	assert_true(start(0, -1, -1) && charon_wait(&charon[0]));
	/* The socket is bound a moment before it listens. */
	for (int i = 0; i < 100 && end[0].state != IKE_SESSION_CONNECTED; i++) {
		ike_session_connect(end[0].s);
		drive_until_ms(&end[0], 50, end[0].state == IKE_SESSION_CONNECTED);
	}
	assert_true(drive_ask(&end[0], ike_req_simple("version"), NULL));
	assert_true(ask_ok(0, ike_req_load_key(key[0])));
	charon_kill(&charon[0], SIGTERM);
	assert_true(drive_until(&end[0], end[0].state == IKE_SESSION_ABSENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_refusal_is_an_answer),
		cmocka_unit_test(test_public_keys_agree),
		cmocka_unit_test(test_one_local_key_serves_all),
		cmocka_unit_test(test_wrong_key_is_named),
		cmocka_unit_test(test_psk_agrees),
		cmocka_unit_test(test_psk_of_another_does_not_open),
		cmocka_unit_test(test_silent_peer_is_named),
		cmocka_unit_test(test_many_connections),
		cmocka_unit_test(test_stopped_then_killed),
		cmocka_unit_test(test_comes_back),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
