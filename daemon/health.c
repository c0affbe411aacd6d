/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on a tunnel, and the sentence that goes with it: cause, side, remedy. Entry function:
 * health_judge. Neighbours: the daemon's status code gathers the input, gwctl prints the result,
 * the link's operstate (RFC 2863) follows oper_up. Pure.
 */
#include "daemon/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool told(const char *text)
{
	return text && text[0];
}

/* A cut text may end within a character, which JSON cannot carry: its last one goes (RFC 3629). */
static void cut_character(char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len && (text[len - 1] & 0xc0) == 0xc0)
		len--;
	text[len] = '\0';
}

static bool __attribute__((format(printf, 3, 4)))
verdict(struct health *out, enum health_state state, const char *fmt, ...)
{
	va_list ap;

	out->state = state;
	va_start(ap, fmt);
	int n = vsnprintf(out->reason, sizeof(out->reason), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(out->reason))
		cut_character(out->reason);
	return true;
}

#define NARROW                                                                                      \
	"without IPv6 inside: the path leaves packets of %u bytes, and IPv6 needs 1280 (over IPv6 " \
	"nobody fragments them)"
#define DOWN(out, ...) verdict(out, HEALTH_DOWN, __VA_ARGS__)

/* Each judge_ function is true when it has given the verdict. */

static bool judge_intent(const struct health_input *in, struct health *out)
{
	if (!in->enabled)
		return verdict(out, HEALTH_DISABLED, "disabled by `enabled: false` here");
	if (in->held)
		return DOWN(out, "taken down here with `gwctl down`: `gwctl up` starts it again");
	if (told(in->missing))
		return DOWN(out, "%s", in->missing);
	if (!told(in->remote) && told(in->name_fault))
		return DOWN(out, "no address of the peer: %s", in->name_fault);
	if (told(in->unresolved))
		return DOWN(out, "no local address here: %s", in->unresolved);
	if (told(in->conflict))
		return DOWN(out, "conflict here: %s", in->conflict);
	if (told(in->failed))
		return DOWN(out, "failed here, and is tried again: %s", in->failed);
	return false;
}

static bool judge_protection(const struct health_input *in, struct health *out)
{
	if (!in->protected)
		return false;
	if (told(in->sysctl))
		return DOWN(out, "%s here, which switches IPsec policies off: set it to 0",
			    in->sysctl);
	if (!in->guard_ok)
		return DOWN(
			out,
			"the guard (nftables table inet gwd) is not in place here: being restored");
	if (!in->policies_ok)
		return DOWN(out, "the IPsec policies are not in place here: being restored");
	return false;
}

static bool judge_link(const struct health_input *in, struct health *out)
{
	if (!in->link_ok)
		return DOWN(out, "the GRE link is not as wanted here: being restored");
	if (!in->addresses_ok)
		return DOWN(out, "an address or route of the link is missing here: being restored");
	if (told(in->path_fault))
		return DOWN(out, "%s", in->path_fault);
	if (!in->protected && told(in->name_fault))
		return verdict(out, HEALTH_UNPROTECTED, "at the peer's last address: %s",
			       in->name_fault);
	if (!in->protected && in->narrow)
		return verdict(out, HEALTH_UNPROTECTED, NARROW, in->narrow);
	if (!in->protected)
		return verdict(out, HEALTH_UNPROTECTED, "%s", "");
	return false;
}

/* False while charon can be talked to. */
static bool charon_lost(const struct health_input *in, char *buf, size_t size)
{
	const char *gap = told(in->charon_reason) ? ": " : "";
	const char *reason = told(in->charon_reason) ? in->charon_reason : "";

	switch (in->charon) {
	case HEALTH_CHARON_CONNECTED:
		return false;
	case HEALTH_CHARON_ABSENT:
		snprintf(buf, size, "charon is not running here%s%s", gap, reason);
		return true;
	case HEALTH_CHARON_STALLED:
		snprintf(buf, size, "charon does not answer here%s%s", gap, reason);
		return true;
	case HEALTH_CHARON_CLOSED:
		snprintf(buf, size, "charon is closed to gwd here%s%s", gap, reason);
		return true;
	}
	return false;
}

#define REMOTE(in) (told((in)->remote) ? (in)->remote : "the peer")
#define PEER(in) (told((in)->peer) ? (in)->peer : "the peer")

/* An idle tunnel's link is up, for only what is sent into it starts it. */
static bool judge_idle(const struct health_input *in, struct health *out)
{
	const char *gap = "", *cause = "";

	if (!in->on_traffic || !in->conn_loaded || in->ike_established)
		return false;
	if (!in->woken && (told(in->cause) || in->no_answer)) {
		gap = "; the last time it did not: ";
		cause = told(in->cause) ? in->cause : "no answer";
	}
	if (!in->woken)
		return verdict(out, HEALTH_IDLE, "starts with the first packet%s%s", gap, cause);
	if (told(in->cause) || in->no_answer)
		return false;
	return verdict(out, HEALTH_IDLE, "starting: negotiating with %s", REMOTE(in));
}

static bool judge_missing_sa(const struct health_input *in, struct health *out)
{
	char lost[256];

	if (in->sa_in && in->sa_out)
		return false;
	if (charon_lost(in, lost, sizeof(lost)))
		return DOWN(out, "%s; %s", lost,
			    in->charon == HEALTH_CHARON_CLOSED
				    ? HEALTH_CLOSED_REMEDY
				    : "`systemctl restart gwd-charon` starts it anew");
	if (told(in->conn_refused))
		return DOWN(out, "charon here refuses the connection: %s", in->conn_refused);
	if (judge_idle(in, out))
		return true;
	if (told(in->caller) && !in->ike_established && in->conn_loaded)
		return DOWN(out, "waiting for %s to call (remote: any)%s%s%s%s", in->caller,
			    told(in->remote) ? ", last from " : "",
			    told(in->remote) ? in->remote : "",
			    told(in->cause) ? "; the last time: " : "",
			    told(in->cause) ? in->cause : "");
	if (told(in->name_fault) && told(in->remote) && (told(in->cause) || in->no_answer))
		return DOWN(out, "no tunnel to %s, and %s", in->remote, in->name_fault);
	if (told(in->cause))
		return DOWN(out, "%s", in->cause);
	if (in->no_answer)
		return DOWN(out,
			    "no answer from %s: see that the peer runs and that UDP 500 and 4500 "
			    "reach it",
			    told(in->remote) ? in->remote : "the peer");
	if (!in->conn_loaded)
		return DOWN(out, "the connection is being loaded into charon here");
	if (in->passive && !in->ike_established)
		return DOWN(out, "waiting for %s to call (start: passive)", PEER(in));
	if (in->ike_established)
		return DOWN(out, "the IKE_SA with %s is there, its CHILD_SA is being negotiated",
			    told(in->remote) ? in->remote : "the peer");
	return DOWN(out, "negotiating with %s", told(in->remote) ? in->remote : "the peer");
}

static void judge_sa(const struct health_input *in, struct health *out)
{
	char lost[256];

	if (charon_lost(in, lost, sizeof(lost)))
		verdict(out, HEALTH_UNKNOWN, "%s; %s", lost,
			in->encap && in->charon == HEALTH_CHARON_ABSENT
				? "there is a NAT on the way: packets still leave, but none "
				  "comes in until it runs"
				: "the SAs in the kernel still carry traffic");
	else if (!in->ike_established && told(in->caller))
		verdict(out, HEALTH_UNKNOWN,
			"charon here has no IKE_SA for the SAs in the kernel: waiting for %s to "
			"call (remote: any)",
			in->caller);
	else if (!in->ike_established)
		verdict(out, HEALTH_UNKNOWN,
			"charon here has no IKE_SA for the SAs in the kernel: %s",
			in->passive ? "the peer must call" : "negotiating anew");
	else if (told(in->conn_refused))
		verdict(out, HEALTH_UP,
			"up until its SAs end: charon here refuses the connection: %s",
			in->conn_refused);
	else if (told(in->renewal))
		verdict(out, HEALTH_UP, "up until its SAs end, renewing them fails: %s",
			in->renewal);
	else if (told(in->name_fault))
		verdict(out, HEALTH_UP, "up at the peer's last address: %s", in->name_fault);
	else if (in->narrow)
		verdict(out, HEALTH_UP, NARROW, in->narrow);
	else
		verdict(out, HEALTH_UP, "%s", "");
}

static void judge(const struct health_input *in, struct health *out)
{
	if (judge_intent(in, out) || judge_protection(in, out) || judge_link(in, out))
		return;
	if (in->tunnel_mode) {
		DOWN(out, "the peer negotiated tunnel mode: set its child to transport mode");
		return;
	}
	if (!judge_missing_sa(in, out))
		judge_sa(in, out);
}

void health_judge(const struct health_input *in, struct health *out)
{
	*out = (struct health){0};
	judge(in, out);
	switch (out->state) {
	case HEALTH_UP:
	case HEALTH_UNKNOWN:
	case HEALTH_UNPROTECTED:
	case HEALTH_IDLE:
		out->oper_up = true;
		break;
	case HEALTH_DOWN:
	case HEALTH_DISABLED:
		break;
	}
}

const char *health_state_name(enum health_state s)
{
	switch (s) {
	case HEALTH_UP:
		return "up";
	case HEALTH_DOWN:
		return "down";
	case HEALTH_UNKNOWN:
		return "unknown";
	case HEALTH_DISABLED:
		return "disabled";
	case HEALTH_UNPROTECTED:
		return "unprotected";
	case HEALTH_IDLE:
		return "idle";
	}
	return "?";
}

bool health_as_wanted(enum health_state s)
{
	switch (s) {
	case HEALTH_UP:
	case HEALTH_DISABLED:
	case HEALTH_UNPROTECTED:
	case HEALTH_IDLE:
		return true;
	case HEALTH_DOWN:
	case HEALTH_UNKNOWN:
		break;
	}
	return false;
}
