// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gwd's start and end: options, what must be there (daemon/probe.c), the configuration (daemon/reload.c), the sockets, the
 * first reconcile, then the loop. The main path is daemon/reconcile.c; read that next.
 *
 * On SIGTERM everything stays in place; it writes nothing.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/charon.h"
#include "daemon/control.h"
#include "daemon/events.h"
#include "daemon/names.h"
#include "daemon/prefer.h"
#include "daemon/probe.h"
#include "daemon/reconcile.h"
#include "daemon/reload.h"
#include "daemon/sandbox.h"
#include "daemon/generation.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/protocol.h"

#define LOOP_PAUSE_NS 100000000
#define CHARON_WAIT_MS 500 /* for what it has, before the first reconcile */

struct options {
	const char *conf_path, *run_dir;
	bool check_only;
};

static const char usage[] =
	"usage: gwd [-c FILE] [-n] [-v] [--run-dir DIR]\n"
	"  -c, --config FILE   the configuration (default " CONF_PATH_DEFAULT ")\n"
	"  -n, --check         check the configuration and exit\n"
	"  -v, --verbose       log every action\n"
	"      --run-dir DIR   folder of the control socket (default " PROTOCOL_RUN_DIR ")\n"
	"      --version       print the version and exit\n"
	"  -h, --help          print this\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 'n'},
	{"verbose", no_argument, NULL, 'v'},
	{"run-dir", required_argument, NULL, 'r'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* -1 to go on, else the exit status. */
static int options_parse(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){.conf_path = CONF_PATH_DEFAULT, .run_dir = PROTOCOL_RUN_DIR};
	while ((c = getopt_long(argc, argv, "c:nvh", long_options, NULL)) != -1) {
		if (c == 'c') {
			o->conf_path = optarg;
		} else if (c == 'n') {
			o->check_only = true;
		} else if (c == 'v') {
			log_set_level(LOG_LEVEL_DEBUG);
		} else if (c == 'r') {
			o->run_dir = optarg;
		} else if (c == 'V') {
			printf("gwd %s\n", GWD_VERSION);
			return 0;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else {
			fputs(usage, stderr);
			return 1;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "gwd: unexpected argument \"%s\"\n%s", argv[optind], usage);
	return 1;
}

static int check_only(const char *path)
{
	struct conf_report report = {0};
	struct conf *conf = conf_load(path, &report);
	int status = conf ? 0 : 1;

	if (report.text)
		fputs(report.text, stderr);
	if (conf)
		printf("%s: well, %zu tunnel%s\n", path, conf->n_tunnels,
		       conf->n_tunnels == 1 ? "" : "s");
	conf_report_done(&report);
	conf_free(conf);
	return status;
}

static void on_stop(evutil_socket_t sig, short what, void *user)
{
	struct gateway *gw = user;

	(void)sig, (void)what;
	sd_notify(0, "STOPPING=1");
	log_info(NULL, "stopping; all tunnels stay in place");
	gw->stopping = true;
	event_base_loopbreak(gw->base);
}

static void on_reload(evutil_socket_t sig, short what, void *user)
{
	struct gateway *gw = user;
	char *report = NULL;

	(void)sig, (void)what;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)gateway_now() * 1000);
	if (reload_conf(gw, &report))
		log_error(NULL,
			  "the configuration was not taken, the one before stays in force:\n%s",
			  report ? report : "");
	else
		log_info(NULL, "configuration read again");
	free(report);
	sd_notify(0, "READY=1");
}

static void on_watchdog(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what, (void)user;
	sd_notify(0, "WATCHDOG=1");
}

static int add_event(struct event *ev, const struct timeval *tv)
{
	return ev && !event_add(ev, tv) ? 0 : -ENOMEM;
}

static int signals_init(struct gateway *gw)
{
	uint64_t usec = 0;
	int r = add_event(evsignal_new(gw->base, SIGTERM, on_stop, gw), NULL);

	signal(SIGPIPE, SIG_IGN);
	if (!r)
		r = add_event(evsignal_new(gw->base, SIGINT, on_stop, gw), NULL);
	if (!r)
		r = add_event(evsignal_new(gw->base, SIGHUP, on_reload, gw), NULL);
	if (!r && sd_watchdog_enabled(0, &usec) > 0) {
		struct timeval tv = {.tv_sec = (time_t)(usec / 2000000),
				     .tv_usec = (suseconds_t)(usec / 2 % 1000000)};

		r = add_event(event_new(gw->base, -1, EV_PERSIST, on_watchdog, gw), &tv);
	}
	return r;
}

static int drivers_open(struct gateway *gw, char *err, size_t err_size)
{
	int r = nl_open(&gw->rtnl, NETLINK_ROUTE);

	if (!r)
		r = nl_open(&gw->xfrm, NETLINK_XFRM);
	if (!r)
		r = guard_open(&gw->guard);
	if (r)
		snprintf(err, err_size, "netlink: %s", strerror(-r));
	return r;
}

static int load_first(struct gateway *gw, char *err, size_t err_size)
{
	char *report = NULL;
	int r = reload_conf(gw, &report);

	if (report)
		fputs(report, stderr);
	free(report);
	if (r)
		snprintf(err, err_size, "the configuration %s cannot be used; nothing was changed",
			 gw->conf_path);
	return r;
}

/* In this order, so that whatever is missing is told before anything is changed. */
static int gateway_start(struct gateway *gw, char *err, size_t err_size)
{
	int r = drivers_open(gw, err, err_size);

	if (!r)
		r = probe_alone(gw, err, err_size);
	if (!r)
		r = reconcile_init(gw);
	if (!r)
		r = prefer_init(gw);
	if (!r)
		r = names_init(gw);
	if (!r)
		r = load_first(gw, err, err_size);
	if (!r)
		r = probe_kernel(gw, err, err_size);
	if (!r)
		r = events_open(gw, err, err_size);
	if (!r)
		r = events_watch(gw);
	if (!r)
		r = control_init(gw, err, err_size);
	if (!r)
		r = signals_init(gw);
	if (!r)
		r = sandbox_enter(err, err_size);
	if (!r)
		r = charon_init(gw);
	if (!r)
		charon_await(gw, CHARON_WAIT_MS);
	if (!r)
		r = reconcile_run(gw, NULL);
	if (r && !*err)
		snprintf(err, err_size, "%s", strerror(-r));
	return r;
}

static void gateway_stop(struct gateway *gw)
{
	control_done(gw);
	charon_done(gw);
	names_done(gw);
	prefer_done(gw);
	generation_end(gw);
	guard_close(gw->guard);
	nl_close(gw->rtnl_events);
	nl_close(gw->xfrm_events);
	nl_close(gw->guard_events);
	nl_close(gw->rtnl);
	nl_close(gw->xfrm);
}

/* Until gwd shall stop. libevent gives up when epoll_wait(2) fails by anything but EINTR; what waited waits still. */
static void loop_turn(struct gateway *gw)
{
	const struct timespec pause = {.tv_nsec = LOOP_PAUSE_NS};

	if (event_base_dispatch(gw->base) >= 0 || gw->stopping)
		return;
	log_warn(NULL, "the main loop failed: %s; it goes on", strerror(errno));
	nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
	static struct gateway gw;
	struct options o;
	char err[512] = "";
	int status = options_parse(argc, argv, &o), r;

	if (status >= 0)
		return status;
	/* One heap for all threads: libvici's would keep four more, with what messages left in them. */
	mallopt(M_ARENA_MAX, 1);
	if (secret_init(err, sizeof(err))) {
		log_error(NULL, "%s", err);
		return 1;
	}
	owner_init();
	if (o.check_only)
		return check_only(o.conf_path);
	gw.conf_path = o.conf_path;
	gw.run_dir = o.run_dir;
	gw.started = gateway_now();
	gw.base = event_base_new();
	r = gw.base ? gateway_start(&gw, err, sizeof(err)) : -ENOMEM;
	if (r) {
		log_error(NULL, "%s", *err ? err : strerror(-r));
		return 1;
	}
	gw.ready = true;
	log_info(NULL, "gwd %s: %zu tunnels from %s", GWD_VERSION, gw.conf->n_tunnels,
		 gw.conf_path);
	sd_notify(0, "READY=1");
	while (!gw.stopping)
		loop_turn(&gw);
	gateway_stop(&gw);
	return 0;
}
