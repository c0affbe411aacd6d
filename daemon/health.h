/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on a tunnel: computed from what was wanted and what was read back, never stored as a state that events move. Pure.
 * The first cause in the order of creation wins; it names the side.
 */
#ifndef GWD_DAEMON_HEALTH_H
#define GWD_DAEMON_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum health_state {
	HEALTH_UP,
	HEALTH_DOWN,
	HEALTH_UNKNOWN, /* charon is out of sight, the SAs in the kernel still carry */
	HEALTH_DISABLED,
	HEALTH_UNPROTECTED, /* protect: none, and as wanted */
	HEALTH_IDLE, /* start: on-traffic, and no packet has asked for it, or the first try is under way */
};

enum health_charon {
	HEALTH_CHARON_CONNECTED,
	HEALTH_CHARON_ABSENT,
	HEALTH_CHARON_STALLED,
	HEALTH_CHARON_CLOSED, /* no permission for its socket */
};

#define HEALTH_CLOSED_REMEDY "gwd(8), SYSTEMD, tells how to give it to the group gwd-vici"

/* Texts are NULL or "" when there is nothing. */
struct health_input {
	bool enabled, held; /* held: `gwctl down` */
	bool protected;
	const char *unresolved; /* why there is no local address: "no route to 203.0.113.7" */
	const char *missing; /* "there is no VRF blue here (`vrf:`)" */
	const char *name_fault; /* "the name hub.example.net does not resolve here …" */
	const char *path_fault; /* why the peer is out of reach: "no interface wan0 here" */
	const char *
		sysctl; /* a setting that defeats the policies: "net.ipv4.conf.all.disable_policy is 1" */
	bool guard_ok, policies_ok, link_ok, addresses_ok;
	const char *
		conflict; /* "link branch1 exists and is not ours: rename it or choose another `interface:`" */
	const char *
		failed; /* the first failed action: "link branch1: create: Operation not supported" */
	enum health_charon charon;
	const char *charon_reason; /* "no socket /run/gwd/charon.vici" */
	bool conn_loaded;
	const char *conn_refused; /* charon's errmsg for load-conn or load-shared */
	bool ike_established;
	bool sa_in, sa_out; /* in the kernel */
	bool encap; /* ESP in UDP, which only charon's socket takes in (UDP_ENCAP) */
	bool tunnel_mode; /* the peer negotiated tunnel mode */
	const char *renewal; /* why the SAs that are there are not renewed */
	uint32_t narrow; /* the link's MTU where it is too small for the IPv6 that should be inside; 0: it is not */
	const char *cause; /* from charon's log, of the last attempts */
	const char *remote; /* address, for "no answer from …" */
	const char *caller; /* `remote: any`: the identity that is to call */
	bool on_traffic, woken; /* start: on-traffic; a packet asked for the tunnel not long ago */
	bool passive; /* start: passive */
	const char *peer; /* its identity */
	bool no_answer; /* an attempt is past its deadline without an IKE_SA */
};

struct health {
	enum health_state state;
	char reason[384]; /* "" when up without remark */
	bool oper_up; /* the link should say UP (RFC 2863), else DORMANT */
};

void health_judge(const struct health_input *in, struct health *out);
const char *health_state_name(enum health_state s); /* "up", … */
/* As wanted for gwctl's exit status: up, unprotected, disabled, idle. */
bool health_as_wanted(enum health_state s);

#endif
