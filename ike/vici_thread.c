/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that owns the connection to charon and blocks in it, and its two queues; entry
 * functions ike_thread_new and thread_main. Neighbours: ike/session.c, its only caller, and
 * ike/vici_conn.c, where the thread blocks.
 *
 * Three kinds of threads meet here: the session's (it queues and takes), ours, and libvici's pool
 * (it brings events). They share struct ike_thread under its lock, which is never held across a
 * call of ike/vici_conn.h: an event comes with libvici's own lock held and takes ours, so the other
 * order would deadlock.
 *
 * The struct is counted: when the session gives up a thread that libvici does not let go, the
 * thread frees it.
 */
#include "ike/vici_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/vec.h"

#define EVENTS_MAX 65536 /* not yet taken */
#define EVENTS_SIZE_MAX (16 << 20) /* the same, bytes on the wire */
#define ITEMS_MAX (1 << 18) /* of one streamed answer */
#define ITEMS_SIZE_MAX (128 << 20)

struct ike_thread {
	pthread_mutex_t lock;
	pthread_cond_t work;
	unsigned refs;
	pthread_t thread;
	int wake_fd;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	bool stop, busy, want_connection;
	uint64_t generation; /* wanted; what callbacks and answers are stamped with is current */
	uint64_t current;
	struct ike_job *jobs, **jobs_end;

	struct ike_output *outputs, **outputs_end;
	size_t n_events, events_size; /* in outputs */
	struct ike_output *lost; /* made beforehand: the mark of an overflow needs no memory */

	/* The streamed answer that is being collected. */
	const char *collect;
	VEC(struct ike_msg *) items;
	size_t items_size;
	int items_err;

	struct ike_vici *vici; /* of the thread alone, but for ike_vici_interrupt, under the lock */
};

static void items_drop(struct ike_thread *t)
{
	for (size_t i = 0; i < t->items.len; i++)
		ike_msg_free(t->items.at[i]);
	vec_free(&t->items);
	t->items_size = 0;
	t->items_err = 0;
}

static void thread_free(struct ike_thread *t)
{
	ike_jobs_free(t->jobs);
	ike_outputs_free(t->outputs);
	items_drop(t);
	free(t->lost);
	if (t->wake_fd >= 0)
		close(t->wake_fd);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void thread_unref(struct ike_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool last = --t->refs == 0;
	pthread_mutex_unlock(&t->lock);
	if (last)
		thread_free(t);
}

/* With the lock held. */
static void output_push(struct ike_thread *t, struct ike_output *o)
{
	bool wake = !t->outputs && !t->stop;

	o->next = NULL;
	o->generation = t->current;
	*t->outputs_end = o;
	t->outputs_end = &o->next;
	if (wake)
		eventfd_write(t->wake_fd, 1);
}

/* An event that cannot be kept: told once, at its place in the order. With the lock held. */
static void events_lost(struct ike_thread *t)
{
	struct ike_output *o = t->lost;

	if (!o)
		return;
	t->lost = NULL;
	o->type = IKE_OUTPUT_EVENT;
	output_push(t, o);
}

/* With the lock held. False: the message stays the caller's. */
static bool event_keep(struct ike_thread *t, struct ike_msg *m)
{
	struct ike_output *o = NULL;

	if (m && t->n_events < EVENTS_MAX && t->events_size < EVENTS_SIZE_MAX)
		o = calloc(1, sizeof(*o));
	if (!o) {
		events_lost(t);
		return false;
	}
	o->type = IKE_OUTPUT_EVENT;
	o->answer = m;
	t->n_events++;
	t->events_size += ike_msg_size(m);
	output_push(t, o);
	return true;
}

/* With the lock held. False: the message stays the caller's. */
static bool item_keep(struct ike_thread *t, const char *name, struct ike_msg *m)
{
	struct ike_msg **slot = NULL;

	if (!t->collect || strcmp(t->collect, name) != 0 || t->items_err)
		return false;
	if (!m)
		t->items_err = -EBADMSG;
	else if (t->items.len >= ITEMS_MAX || t->items_size >= ITEMS_SIZE_MAX)
		t->items_err = -E2BIG;
	else if (!(slot = vec_push(&t->items)))
		t->items_err = -ENOMEM;
	if (!slot)
		return false;
	*slot = m;
	t->items_size += ike_msg_size(m);
	return true;
}

/* In a thread of libvici's pool. The events of a streamed answer come before its end. */
static void on_event(void *user, const char *name, bool streamed, struct ike_msg *m)
{
	struct ike_thread *t = user;

	pthread_mutex_lock(&t->lock);
	bool kept = streamed ? item_keep(t, name, m) : event_keep(t, m);
	pthread_mutex_unlock(&t->lock);
	if (!kept)
		ike_msg_free(m);
}

static void vici_close(struct ike_thread *t)
{
	pthread_mutex_lock(&t->lock);
	struct ike_vici *v = t->vici;
	t->vici = NULL;
	pthread_mutex_unlock(&t->lock);
	ike_vici_close(v);
}

static int vici_open(struct ike_thread *t)
{
	struct ike_vici *v;
	int rc = ike_vici_open(&v, t->path, on_event, t);

	if (rc)
		return rc;
	pthread_mutex_lock(&t->lock);
	bool wanted = t->current == t->generation && !t->stop;
	t->vici = v;
	pthread_mutex_unlock(&t->lock);
	rc = wanted ? ike_vici_listen(v) : -ECANCELED;
	if (rc)
		vici_close(t);
	return rc;
}

/* Blocks in libvici. */
static void job_run(struct ike_thread *t, struct ike_job *job, struct ike_output *o)
{
	bool broken = false;

	o->type = IKE_OUTPUT_REPLY;
	o->id = job->id;
	if (!t->vici)
		o->err = -ENOTCONN;
	else if (*job->stream)
		o->err = ike_vici_stream(t->vici, job->stream);
	if (o->err) {
		broken = o->err != -ENOSPC;
	} else {
		pthread_mutex_lock(&t->lock);
		t->collect = job->stream;
		pthread_mutex_unlock(&t->lock);
		o->answer = ike_vici_submit(t->vici, job->request, &o->err, &broken);
		job->request = NULL;
	}
	if (broken) {
		vici_close(t);
		o->type = IKE_OUTPUT_BROKEN;
	}
}

/* Takes over what was streamed. With the lock held. */
static void job_collect(struct ike_thread *t, struct ike_output *o)
{
	t->collect = NULL;
	if (!o->err && t->items_err) {
		o->err = t->items_err;
		ike_msg_free(o->answer);
		o->answer = NULL;
	}
	if (!o->err) {
		o->items = t->items.at;
		o->n_items = t->items.len;
		t->items.at = NULL;
		t->items.len = t->items.room = 0;
	}
	items_drop(t);
}

/* With the lock held; gives it up while in libvici. */
static void thread_reconnect(struct ike_thread *t, struct ike_output *o)
{
	uint64_t generation = t->generation;
	bool connect = t->want_connection;

	pthread_mutex_unlock(&t->lock);
	vici_close(t);
	pthread_mutex_lock(&t->lock);
	/* Only now: the old connection's last events were of the old generation. */
	t->current = generation;
	if (!connect) {
		free(o);
		return;
	}
	pthread_mutex_unlock(&t->lock);
	o->err = vici_open(t);
	pthread_mutex_lock(&t->lock);
	o->type = IKE_OUTPUT_CONNECTED;
	output_push(t, o);
}

/* With the lock held; gives it up while in libvici. */
static void thread_run_job(struct ike_thread *t, struct ike_output *o)
{
	struct ike_job *job = t->jobs;

	t->jobs = job->next;
	if (!t->jobs)
		t->jobs_end = &t->jobs;
	pthread_mutex_unlock(&t->lock);
	job_run(t, job, o);
	pthread_mutex_lock(&t->lock);
	job_collect(t, o);
	output_push(t, o);
	ike_job_free(job);
}

static void *thread_main(void *user)
{
	struct ike_thread *t = user;
	const struct timespec no_memory = {.tv_nsec = 100000000};

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		bool reconnect = t->current != t->generation;
		if (!reconnect && !t->jobs) {
			pthread_cond_wait(&t->work, &t->lock);
			continue;
		}
		/* Before anything is sent: an answer must never be lost. */
		struct ike_output *o = calloc(1, sizeof(*o));
		t->busy = o != NULL;
		if (!o) {
			pthread_mutex_unlock(&t->lock);
			nanosleep(&no_memory, NULL);
			pthread_mutex_lock(&t->lock);
		} else if (reconnect) {
			thread_reconnect(t, o);
		} else {
			thread_run_job(t, o);
		}
		t->busy = false;
	}
	pthread_mutex_unlock(&t->lock);
	vici_close(t);
	thread_unref(t);
	return NULL;
}

/* Signals are for the session's thread: ours and libvici's start with all of them blocked. */
static int thread_start(struct ike_thread *t)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ike_vici_start();
	int rc = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int ike_thread_new(struct ike_thread **out, const char *socket_path, int wake_fd)
{
	struct ike_thread *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	t->jobs_end = &t->jobs;
	t->outputs_end = &t->outputs;
	t->refs = 2;
	snprintf(t->path, sizeof(t->path), "%s", socket_path);
	t->lost = calloc(1, sizeof(*t->lost));
	t->wake_fd = dup(wake_fd);
	int rc = t->lost ? 0 : -ENOMEM;
	if (!rc && t->wake_fd < 0)
		rc = -errno;
	if (!rc)
		rc = thread_start(t);
	if (rc)
		thread_free(t);
	else
		*out = t;
	return rc;
}

/* Whatever it does now is of the old connection. With the lock held. */
static void thread_interrupt(struct ike_thread *t)
{
	if (t->busy && t->vici)
		ike_vici_interrupt(t->vici);
}

void ike_thread_end(struct ike_thread *t, unsigned wait_ms)
{
	struct timespec until;

	pthread_mutex_lock(&t->lock);
	t->stop = true;
	thread_interrupt(t);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (pthread_clockjoin_np(t->thread, NULL, CLOCK_MONOTONIC, &until))
		pthread_detach(t->thread);
	thread_unref(t);
}

bool ike_thread_busy(struct ike_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool busy = t->busy;
	pthread_mutex_unlock(&t->lock);
	return busy;
}

static void thread_reset(struct ike_thread *t, uint64_t generation, bool connect)
{
	pthread_mutex_lock(&t->lock);
	struct ike_job *dropped = t->jobs;
	t->jobs = NULL;
	t->jobs_end = &t->jobs;
	t->generation = generation;
	t->want_connection = connect;
	thread_interrupt(t);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	ike_jobs_free(dropped);
}

void ike_thread_connect(struct ike_thread *t, uint64_t generation)
{
	thread_reset(t, generation, true);
}

void ike_thread_disconnect(struct ike_thread *t, uint64_t generation)
{
	thread_reset(t, generation, false);
}

bool ike_thread_submit(struct ike_thread *t, uint64_t id, struct ike_msg *request,
		       const char *stream)
{
	struct ike_job *job = calloc(1, sizeof(*job));

	if (!job)
		return false;
	job->id = id;
	job->request = request;
	if (stream)
		snprintf(job->stream, sizeof(job->stream), "%s", stream);
	pthread_mutex_lock(&t->lock);
	*t->jobs_end = job;
	t->jobs_end = &job->next;
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	return true;
}

void ike_thread_cancel(struct ike_thread *t, uint64_t id)
{
	struct ike_job *job;

	/* Deadlines pass in the order of the queue: it can only be the first. */
	pthread_mutex_lock(&t->lock);
	job = t->jobs && t->jobs->id == id ? t->jobs : NULL;
	if (job) {
		t->jobs = job->next;
		if (!t->jobs)
			t->jobs_end = &t->jobs;
	}
	pthread_mutex_unlock(&t->lock);
	ike_job_free(job);
}

struct ike_output *ike_thread_take(struct ike_thread *t)
{
	pthread_mutex_lock(&t->lock);
	struct ike_output *all = t->outputs;
	t->outputs = NULL;
	t->outputs_end = &t->outputs;
	t->n_events = 0;
	t->events_size = 0;
	if (!t->lost)
		t->lost = calloc(1, sizeof(*t->lost));
	pthread_mutex_unlock(&t->lock);
	return all;
}
