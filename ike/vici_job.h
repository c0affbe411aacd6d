/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What passes between ike/session.c and ike/vici_thread.c: requests one way, answers and events
 * the other. Private to these two. */
#ifndef GWD_IKE_VICI_JOB_H
#define GWD_IKE_VICI_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "ike/vici_conn.h"

struct ike_job {
	struct ike_job *next;
	uint64_t id;
	struct ike_msg *request;
	char stream[IKE_STREAM_NAME_SIZE]; /* "" for none */
};

enum ike_output_type {
	IKE_OUTPUT_CONNECTED, /* err: 0, or why not */
	IKE_OUTPUT_REPLY, /* id, err, answer, items */
	IKE_OUTPUT_EVENT, /* answer: the event; NULL: events were lost */
	IKE_OUTPUT_BROKEN, /* err: the connection is of no use any more */
};

struct ike_output {
	struct ike_output *next;
	enum ike_output_type type;
	uint64_t generation, id;
	int err;
	struct ike_msg *answer;
	struct ike_msg **items;
	size_t n_items;
};

/* Each frees one; NULL is fine. */
void ike_job_free(struct ike_job *job);
void ike_output_free(struct ike_output *o);

/* Each frees a whole list. */
void ike_jobs_free(struct ike_job *job);
void ike_outputs_free(struct ike_output *o);

#endif
