/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message that charon could send, well formed or not, through everything that reads one: ike/, and of daemon/ what reduces
 * its lists (daemon/view.c) and finds out who calls (daemon/unnamed.c). The input is a message in vici's own form: the first
 * byte chooses the event's name, then elements (kind, length of name and name, length of value and value).
 *
 * Each is read twice: put together as it is, so that readers see also what is not well formed; and as it leaves libvici, whose
 * vici_parse is replaced here (ike.wrap), through ike/vici_codec.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/unnamed.h"
#include "daemon/view.h"
#include "ike/known.h"
#include "ike/sa.h"
#include "ike/vici_codec.h"

static const char *const events[] = {
	"",	      "list-sa", "ike-updown", "child-updown", "ike-rekey", "child-rekey",
	"ike-update", "log",	 "alert",
};

struct input {
	const uint8_t *at, *end;
};

static size_t take_size(struct input *in, unsigned bytes)
{
	size_t n = 0;

	for (; bytes && in->at < in->end; bytes--)
		n = n << 8 | *in->at++;
	return n < (size_t)(in->end - in->at) ? n : (size_t)(in->end - in->at);
}

static const char *take_name(struct input *in, char name[256])
{
	size_t n = take_size(in, 1);

	memcpy(name, in->at, n);
	name[n] = '\0';
	in->at += n;
	return name;
}

static void take_item(struct input *in, struct ike_msg *m)
{
	char name[256];
	size_t n;

	switch (*in->at++) {
	case 1:
		ike_msg_section(m, take_name(in, name));
		break;
	case 2:
		ike_msg_section_end(m);
		break;
	case 3:
		take_name(in, name);
		n = take_size(in, 2);
		ike_msg_bytes(m, name, in->at, n);
		in->at += n;
		break;
	case 4:
		ike_msg_list(m, take_name(in, name));
		break;
	case 5:
		n = take_size(in, 2);
		ike_msg_list_bytes(m, in->at, n);
		in->at += n;
		break;
	case 6:
		ike_msg_list_end(m);
		break;
	default: /* a message without a name */
		ike_msg_section(m, NULL);
		break;
	}
}

/* libvici, as far as the codec uses it */

static struct {
	struct input in;
	char name[256];
	const void *value;
	size_t size;
} vici;

int __wrap_vici_parse(vici_res_t *res);
char *__wrap_vici_parse_name(vici_res_t *res);
void *__wrap_vici_parse_value(vici_res_t *res, int *len);

static int vici_value(int found)
{
	vici.size = take_size(&vici.in, 2);
	vici.value = vici.in.at;
	vici.in.at += vici.size;
	return found;
}

int __wrap_vici_parse(vici_res_t *res)
{
	(void)res;
	if (vici.in.at == vici.in.end)
		return IKE_VICI_END;
	switch (*vici.in.at++) {
	case 1:
		take_name(&vici.in, vici.name);
		return IKE_VICI_BEGIN_SECTION;
	case 2:
		return IKE_VICI_END_SECTION;
	case 3:
		take_name(&vici.in, vici.name);
		return vici_value(IKE_VICI_KEY_VALUE);
	case 4:
		take_name(&vici.in, vici.name);
		return IKE_VICI_BEGIN_LIST;
	case 5:
		return vici_value(IKE_VICI_LIST_ITEM);
	case 6:
		return IKE_VICI_END_LIST;
	default:
		return IKE_VICI_ERROR;
	}
}

char *__wrap_vici_parse_name(vici_res_t *res)
{
	(void)res;
	return vici.name;
}

void *__wrap_vici_parse_value(vici_res_t *res, int *len)
{
	(void)res;
	*len = (int)vici.size;
	return (void *)vici.value;
}

static void count(void *user, const char *name)
{
	*(size_t *)user += strlen(name);
}

/* Texts must be terminated and fit for a terminal. */
static void check_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	if (n == size)
		abort();
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			abort();
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_view(const struct ike_sa *sa)
{
	struct view v = {.in_use = 1};

	for (unsigned i = 0; i < 40; i++) {
		v.leads = i % 2;
		view_add(&v, sa, i % 3);
	}
	require(v.n_spis <= VIEW_SPIS_MAX && v.n_established <= VIEW_IKES_MAX);
	view_surplus_ike(&v);
}

static void check_known(const struct ike_msg *m)
{
	static const char *const proposals[] = {"aes256gcm16-prfsha384-x25519-ke1_mlkem768",
						"aes-sha2_256-modp2048", "x25519", "--", ""};
	struct ike_known known = {0};
	char word[IKE_WORD_SIZE];
	const char *near;

	require(!ike_known_take(&known, m));
	for (size_t i = 0; i < sizeof(proposals) / sizeof(*proposals); i++)
		for (int esp = 0; esp < 2; esp++)
			if (ike_known_lacks(&known, esp, proposals[i], word, sizeof(word), &near))
				check_text(word, sizeof(word));
	for (size_t i = 0; i < known.words.len; i++) {
		check_text(known.words.at[i].name, sizeof(known.words.at[i].name));
		require(!i || strcmp(known.words.at[i - 1].name, known.words.at[i].name) <= 0);
	}
	ike_known_free(&known);
}

static void check_cause(const char *line)
{
	char cause[200];

	for (int auth = IKE_AUTH_PUBLIC_KEY; auth <= IKE_AUTH_CERTIFICATE; auth++)
		if (ike_cause_from_log(line, auth, cause, sizeof(cause)))
			check_text(cause, sizeof(cause));
	ike_cause_is_vague(line);
	ike_cause_renewal_failed(line);
}

static void check_caller(const struct ike_event *ev)
{
	struct unnamed seen = {0};
	struct ike_event after = *ev;
	struct addr from;

	/* the line that tells, then another one of the same IKE_SA */
	bool told = !unnamed_take(&seen, ev, &from) && seen.next;
	memset(after.text, 0, sizeof(after.text));
	if (unnamed_take(&seen, &after, &from))
		require(told && addr_size(from.family));
}

static void check_event(const struct ike_event *ev)
{
	check_text(ev->sa.name, sizeof(ev->sa.name));
	check_text(ev->sa.remote_id, sizeof(ev->sa.remote_id));
	check_text(ev->text, sizeof(ev->text));
	require(ev->sa.n_children <= IKE_CHILDREN_MAX);
	check_cause(ev->text);
	check_caller(ev);
	check_view(&ev->sa);
}

/* A line as it is, not through the event's cleaning. */
static void check_line(const uint8_t *data, size_t size)
{
	char *line = strndup((const char *)data, size);

	if (line)
		check_cause(line);
	free(line);
}

static void check_message(const struct ike_msg *m)
{
	struct ike_event ev;
	struct ike_sa sa;
	char err[64];
	size_t total = 0;

	if (ike_sa_parse(m, &sa)) {
		check_text(sa.proposal, sizeof(sa.proposal));
		check_view(&sa);
	}
	if (ike_event_parse(m, &ev))
		check_event(&ev);
	if (!ike_answer_ok(m, err, sizeof(err)))
		check_text(err, sizeof(err));
	ike_answer_list(m, "conns", count, &total);
	ike_answer_list(m, "keys", count, &total);
	check_known(m);
}

/* What the codec lets through is well formed, and the same. */
static void check_codec(const struct input *in, const struct ike_msg *m)
{
	unsigned char one[SECRET_DIGEST_SIZE], other[SECRET_DIGEST_SIZE];

	vici.in = *in;
	struct ike_msg *decoded = ike_codec_decode(NULL, ike_msg_name(m));
	require((decoded != NULL) == (ike_msg_valid(m) && !ike_msg_failed(m)));
	ike_msg_digest(m, one);
	if (decoded) {
		ike_msg_digest(decoded, other);
		require(!memcmp(one, other, sizeof(one)));
	}
	ike_msg_free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size}, whole;

	if (size == 0)
		return 0;
	check_line(data, size);
	struct ike_msg *m = ike_msg_new(events[*in.at++ % (sizeof(events) / sizeof(*events))]);
	whole = in;
	while (in.at < in.end)
		take_item(&in, m);
	check_message(m);
	check_codec(&whole, m);
	ike_msg_free(m);
	return 0;
}
