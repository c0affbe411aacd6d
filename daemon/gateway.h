/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running gateway: the configuration in force, what is known of each tunnel, and the sockets. One struct, passed to
 * every impure file of daemon/; the pure ones (desire, plan, health, pin) never see it.
 */
#ifndef GWD_DAEMON_GATEWAY_H
#define GWD_DAEMON_GATEWAY_H

#include <event2/event.h>

#include "conf/conf.h"
#include "daemon/certs.h"
#include "daemon/desire.h"
#include "daemon/health.h"
#include "daemon/objects.h"
#include "daemon/pin.h"
#include "daemon/plan.h"
#include "daemon/unnamed.h"
#include "ike/known.h"
#include "ike/sa.h"
#include "ike/session.h"
#include "lib/nl.h"
#include "lib/vec.h"
#include "xfrm/state.h"

#define GATEWAY_RCVBUF (8u << 20) /* event sockets, bytes */
#define GATEWAY_DEBOUNCE_MS 3 /* from the first hint to the look */
#define GATEWAY_PATHS_MS 1000 /* asking some tunnels for the MTU of their paths */
#define GATEWAY_RESYNC_MS 30000 /* full look without any hint */

/* An SA of a tunnel as the kernel told; the deletion of stale ones needs two looks. */
struct tunnel_sa {
	uint32_t spi;
	struct addr src, dst;
	bool outbound, transport, encap;
	bool elsewhere; /* not between the tunnel's ends as they are now: nothing of it goes that way */
	uint8_t iv, icv, block; /* bytes */
	uint8_t strikes; /* looks in a row in which charon did not know it */
	bool listed; /* in the dump that is being read */
	uint64_t came_at; /* monotonic ms; tells new from old */
	uint64_t hard_s; /* it ends so long after; 0: never */
	uint64_t told; /* its add_time in the kernel, seconds of the wall clock: of several the greatest is taken (daemon/prefer.h) */
};

struct name;
struct names;

struct tunnel {
	struct gateway *gw;
	int index; /* in gw->conf->tunnels */
	const struct conf_tunnel *conf;
	uint32_t reqid;
	bool leads; /* our identity is the lower one */
	bool held; /* gwctl down */
	bool dirty;

	/* transport */
	struct addr local;
	struct addr
		remote; /* in force; AF_UNSPEC: the name is not resolved, or nobody has called yet */
	uint32_t path_mtu;
	struct addr left_local,
		left_remote; /* the ends before these, until what stood there is away */
	uint32_t caller_id; /* `remote: any`: the IKE_SA that remote is of; 0: none is */
	uint16_t caller_port;
	char *call_refused; /* why the tunnel cannot have its addresses: others have them */
	struct addr stood_back; /* the remote address that another tunnel has (daemon/twins.h) */
	enum gre_mtu_from path_from;
	unsigned underlay; /* the interface towards the peer, by index; 0: not known */
	unsigned device, vrf; /* of `device:` and `vrf:`, by index (daemon/domain.h); 0: none */
	uint32_t vrf_table;
	char *missing; /* which of them is not there */
	char *unresolved; /* why there is no local address */
	char *path_fault; /* why the peer cannot be reached from here, the addresses being known */
	bool moved; /* one of the addresses is another: what charon has is of the one before */
	struct name *name; /* NULL unless remote is a name */

	/* kernel */
	struct pin pin;
	VEC(struct tunnel_sa) sas;
	bool overhead_known, encap;
	uint8_t iv, icv, block;
	bool guard_ok, policies_ok, link_ok, addresses_ok; /* of the last look */
	unsigned ifindex;
	uint8_t operstate;
	uint32_t mtu;
	char *conflict, *failed; /* texts of the last plan */
	unsigned failures; /* in a row, for the back-off */
	uint64_t retry_at; /* monotonic ms; 0: nothing to retry */
	unsigned repairs; /* since repairs_since: somebody else keeps changing what is ours */
	uint64_t repairs_since;
	uint64_t repairs_round; /* gateway.rounds when it was counted last */

	/* charon */
	bool conn_loaded, ike_established, child_installed, tunnel_mode;
	bool asking; /* a list-sas is under way */
	uint8_t unseen; /* lists in a row without its IKE_SA: charon leaves out those at work (noblock) */
	/* charon has a child whose SAs the kernel does not: acted upon when seen again */
	enum { LOST_NONE, LOST_SEEN, LOST_TOLD } lost;
	uint32_t ike_id;
	char *refused, *cause;
	uint64_t cause_at; /* monotonic ms */
	unsigned tries; /* attempts to get the SA pair since it was last there */
	uint64_t attempt_at; /* the next one, or the look at how it goes; 0: none */
	uint64_t tidy_at; /* look for surplus IKE_SAs, CHILD_SAs and stale SAs; 0: none */
	uint32_t surplus; /* the IKE_SA or CHILD_SA seen in the last of these looks to be too much; 0: none */
	unsigned surplus_looks; /* in a row with it */
	uint64_t woken_until; /* start: on-traffic: a packet asked for the SA pair; 0: none did */
	bool no_answer;
	char *renewal_heard,
		*renewal; /* daemon/renewal.h: the last cause heard while up; why SAs are not renewed */

	struct {
		bool wanted, hard; /* noted at a reload */
		uint8_t turn; /* counts them, so that each gives another connection; 0: none yet */
		uint32_t last; /* IKE_SAs up to this number are of before; 0: nothing under way */
		uint64_t at; /* the end of the wait for the new one; 0: none */
	} reauth; /* daemon/reauth.h */

	/* verdict */
	enum health_state state;
	char *reason;
	uint64_t since; /* monotonic ms */
	struct event *tick; /* for the earliest of the dates that peer_arm looks at */
};

/* What was loaded into this charon session, by name: what get-conns lists, with a digest when it was us. */
struct loaded {
	char name[IKE_NAME_SIZE];
	unsigned char digest[SECRET_DIGEST_SIZE]; /* all zero: not loaded by this session */
	bool kept_back; /* not sent, for charon cannot do what it asks for; sending it again would not help */
};

struct loaded_key {
	char name[IKE_NAME_SIZE]; /* as in secrets */
	char id[64]; /* charon's name of it: a hash */
};

/* Sorted by name; vec.h's macros serve it. */
struct loaded_set {
	struct loaded *at;
	size_t len, room;
};

/* What a tunnel authenticates with beside public keys; NULL where there is none. */
struct tunnel_secrets {
	struct secret *psk, *other_psk; /* the one we use; one that is accepted too */
	struct secret *ppk;
	struct tunnel_certs certs;
};

struct reqid_index {
	uint32_t reqid;
	int tunnel;
};

struct name_index {
	const char *name;
	int tunnel;
};

struct gateway {
	struct event_base *base;
	const char *conf_path, *run_dir;
	char *conf_error; /* the report of the load that failed since */
	unsigned char conf_digest[SECRET_DIGEST_SIZE];
	uint64_t started; /* monotonic ms */
	bool torn_down; /* gwctl teardown: nothing is wanted until reload */

	/* The configuration in force and what hangs on it; replaced as a whole by daemon/generation.h. */
	struct conf *conf;
	struct secret *key;
	struct tunnel_secrets *auths; /* conf->n_tunnels */
	struct certs certs;
	char public_key[KEY_PUBLIC_TEXT_SIZE];
	struct tunnel *tunnels; /* conf->n_tunnels */
	uint32_t *reqids;
	struct reqid_index *by_reqid; /* sorted */
	struct name_index *by_ifname; /* sorted */

	struct nl *rtnl, *xfrm; /* requests */
	struct nl *rtnl_events, *xfrm_events, *guard_events;
	struct guard *guard;
	struct guard_state guard_seen; /* of the last reading */
	bool guard_dirty;
	char *unread; /* why the last look could not read the kernel; NULL: it could */
	unsigned unread_looks; /* such looks in a row */

	/* reconcile */
	bool dirty_all, unresolved_all; /* read everything; resolve transport addresses again */
	VEC(int) dirty; /* tunnel indices, unique by tunnel.dirty */
	struct event *debounce, *resync, *resolve, *paths, *trim;
	int clock_fd; /* readable when the wall clock was set */
	struct event *clock;
	struct event *retry; /* of failed actions that are no tunnel's */
	unsigned failures; /* of these in a row, for the back-off */
	size_t resolve_next; /* of resolve_some */
	char *sysctl, *sysctl6; /* what defeats the policies, of IPv4 and of IPv6 transport */
	VEC(struct gre_route)
	holds; /* unreachable routes of ours that stand, sorted; daemon/holds.h */
	bool holds_recount;
	uint64_t writes; /* actions applied since start */
	uint64_t rounds; /* in which something was, since start */
	bool ready; /* the first reconcile is over */
	bool stopping; /* SIGTERM or SIGINT came */

	/* charon */
	struct ike_session *session;
	bool foreign_load; /* somebody else loads; to be asked soon what is left */
	struct event *session_event, *watch_event, *session_timer;
	bool charon_asked; /* what it has, on this connection */
	bool charon_answered; /* anything since it was connected to: until then it is not said to be there */
	bool charon_stalled; /* was told: a request is past its deadline */
	bool charon_known; /* what it has loaded has been read since it connected */
	unsigned charon_queries;
	bool charon_closed; /* its socket is there, and not for our user */
	char *charon_reason, *charon_version;
	uint64_t charon_since;
	unsigned connect_tries;
	struct loaded_set conns, secrets;
	/* By connection: all but what authenticates, as charon took it last. Outlives a session, as IKE_SAs do. */
	struct loaded_set terms;
	VEC(struct loaded_key) keys; /* private keys this session loaded */
	struct ike_known known; /* what this charon can */
	struct unnamed unnamed;

	struct names *names;
	struct control *control;
	int lock; /* the abstract socket that keeps a second gwd out of this network namespace */
};

uint64_t gateway_now(void); /* monotonic ms */

/* Replaces *slot by a copy of text (NULL for ""); a failed copy leaves NULL. */
void gateway_set_text(char **slot, const char *text);

struct tunnel *gateway_tunnel_by_reqid(struct gateway *gw, uint32_t reqid);
struct tunnel *gateway_tunnel_by_ifname(struct gateway *gw, const char *name);
struct tunnel *gateway_tunnel_by_name(struct gateway *gw, const char *name);
/* By the connection's name, with our prefix. */
struct tunnel *gateway_tunnel_by_conn(struct gateway *gw, const char *name);

/* The guard's pair of these addresses with this key of the tunnel (any number where it has none), as last read, or NULL. */
const struct guard_pair *gateway_pair(const struct tunnel *t, const struct addr *local,
				      const struct addr *remote, uint32_t key);

/* Both transport addresses are known: there can be policies and a link. */
bool gateway_tunnel_ends_known(const struct tunnel *t);

/* A tunnel takes part in protection: enabled, protect: ipsec, not torn down. */
bool gateway_tunnel_protected(const struct tunnel *t);

/* By what it authenticates, where it is protected. */
enum ike_auth gateway_tunnel_auth(const struct tunnel *t);

/* desire_mtu with what is known of the tunnel now (sum may be NULL), and desire_ip6_fits. */
uint32_t gateway_tunnel_mtu(const struct tunnel *t, struct text *sum, bool *ip6_fits);

/* What is known of each tunnel, for desire; d has gw->conf->n_tunnels places. */
void gateway_fill_desire(const struct gateway *gw, struct desire_tunnel *d);

#endif
