/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freeing what passes between the session and its thread; entry functions ike_job_free and
 * ike_output_free. Neighbours: ike/session.c, ike/vici_thread.c.
 */
#include "ike/vici_job.h"

#include <stdlib.h>

void ike_job_free(struct ike_job *job)
{
	if (!job)
		return;
	ike_msg_free(job->request);
	free(job);
}

void ike_output_free(struct ike_output *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n_items; i++)
		ike_msg_free(o->items[i]);
	free(o->items);
	ike_msg_free(o->answer);
	free(o);
}

void ike_jobs_free(struct ike_job *job)
{
	while (job) {
		struct ike_job *next = job->next;

		ike_job_free(job);
		job = next;
	}
}

void ike_outputs_free(struct ike_output *o)
{
	while (o) {
		struct ike_output *next = o->next;

		ike_output_free(o);
		o = next;
	}
}
