/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message that charon could send, well formed or not, through everything in ike/ that reads
 * one. The input is a message in vici's own form: the first byte chooses the event's name, then
 * elements (kind, length of name and name, length of value and value).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/sa.h"

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

static void check_event(const struct ike_event *ev)
{
	char cause[200];

	check_text(ev->sa.name, sizeof(ev->sa.name));
	check_text(ev->sa.remote_id, sizeof(ev->sa.remote_id));
	check_text(ev->text, sizeof(ev->text));
	if (ev->sa.n_children > IKE_CHILDREN_MAX)
		abort();
	if (ike_cause_from_log(ev->text, false, cause, sizeof(cause)))
		check_text(cause, sizeof(cause));
}

/* A line as it is, not through the event's cleaning. */
static void check_line(const uint8_t *data, size_t size)
{
	char *line = strndup((const char *)data, size), cause[64];

	if (line && ike_cause_from_log(line, true, cause, sizeof(cause)))
		check_text(cause, sizeof(cause));
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	unsigned char digest[SECRET_DIGEST_SIZE];
	struct ike_event ev;
	struct ike_sa sa;
	char err[64];
	size_t total = 0;

	if (size == 0)
		return 0;
	check_line(data, size);
	struct ike_msg *m = ike_msg_new(events[*in.at++ % (sizeof(events) / sizeof(*events))]);
	while (in.at < in.end)
		take_item(&in, m);
	if (ike_sa_parse(m, &sa))
		check_text(sa.proposal, sizeof(sa.proposal));
	if (ike_event_parse(m, &ev))
		check_event(&ev);
	if (!ike_answer_ok(m, err, sizeof(err)))
		check_text(err, sizeof(err));
	ike_answer_list(m, "conns", count, &total);
	ike_msg_digest(m, digest);
	ike_msg_free(m);
	return 0;
}
