#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# alone
#
# Rekeying under traffic loses nothing: CHILD_SAs by the end whose turn it is, the IKE_SA, CHILD_SAs by the other end.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

RATE=300
ALLOWED=3	# packets per rekey and direction: where all is emulated a process may stand still for longer than the margin

# rekeyings of CHILD_SAs so far
rekeys() {
	grep -c "outbound CHILD_SA gre{[0-9]*} established" "$LAB_DIR/$1/log/charon.log"
}

ike_rekeys() {
	grep -c "IKE_SA .* rekeyed between" "$LAB_DIR/$1/log/charon.log"
}

rekeys_are() {
	(($(rekeys "$1") >= $2))
}

ike_rekeyed() {
	(($(ike_rekeys branch) >= $1))
}

one_pair() {
	[ "$(ip -n "$1" xfrm state | grep -c '^src')" = 2 ]
}

# The rekey is over: both have deleted the SA they sent with before.
one_outbound() {
	[ "$(ip -n hq xfrm state list src 198.51.100.1 | grep -c '^src')" = 1 ] &&
		[ "$(ip -n branch xfrm state list src 203.0.113.7 | grep -c '^src')" = 1 ]
}

drops() {
	lab_run "$1" awk '$2 { printf "%s=%s ", $1, $2 }' /proc/net/xfrm_stat
}

# NAME N WHAT SECONDS: how the flows there.NAME and back.NAME came through N rekeys
verdict() {
	local d

	lab_udp_stop there."$1" back."$1"
	for d in there back; do
		diag "$1, $d: $2 rekeys, $(lab_udp_get $d."$1" sent) packets, $(lab_udp_get $d."$1" lost) lost" \
			"(at $(lab_udp_get $d."$1" holes)), longest silence $(lab_udp_get $d."$1" maxgap_ms) ms"
		cmp_ok "$3, $d: there was traffic all the while" "$(lab_udp_get $d."$1" sent)" '>=' $(($4 * RATE / 4))
		cmp_ok "$3, $d: nothing lost" "$(lab_udp_get $d."$1" lost)" '<=' $(($2 * ALLOWED))
		is "$3, $d: nothing twice" "$(lab_udp_get $d."$1" dup)" 0
	done
}

flows() {
	lab_udp_start there."$1" lanhq lanbranch 10.2.0.2 $RATE
	lab_udp_start back."$1" lanbranch lanhq 10.1.0.2 $RATE
}

lab_topology
LAB_GWD_ARGS=-v
ok "the tunnel comes up" sites_up

# Lifetimes are long: only these rekeys happen.
before=$(rekeys hq) start=$SECONDS n=0
flows hand
for end in hq branch hq branch; do
	n=$((n + 1))
	ok "a rekey begun by $end" lab_swanctl $end --rekey --child gre
	ok "is done" lab_wait 15 rekeys_are hq $((before + n))
	ok "and over" lab_wait 15 one_outbound
	lab_sleep 0.5
done
verdict hand $n "rekeyed by hand" $((SECONDS - start))
diag "hq:     $(drops hq)"
diag "branch: $(drops branch)"

# Now by the kernel's expiry, at the end whose turn it is. Both begin anew, so that there is one pair.
for end in hq branch; do
	lab_gwd_stop $end
	lab_charon_stop $end
done
sites_conf "    esp: {rekey-time: 8s}
    ike: {rekey-time: 40s}"
for end in hq branch; do
	ok "charon of $end starts anew" lab_charon_start $end
	ok "gwd of $end takes shorter lifetimes" lab_gwd_start $end -v
done
ok "the tunnel is up again on hq" lab_wait 40 site_is hq up
ok "and on branch" lab_wait 20 site_is branch up
ok "with one pair of SAs" lab_wait 30 one_outbound
before=$(rekeys branch) start=$SECONDS
flows time
ok "six rekeys of the CHILD_SA" lab_wait 120 rekeys_are branch $((before + 6))
ok "the IKE_SA is rekeyed" lab_wait 30 ike_rekeyed 1
verdict time $(($(rekeys branch) - before)) "rekeyed by time" $((SECONDS - start))
diag "hq:     $(drops hq)"
diag "branch: $(drops branch)"

ok "the tunnel is up on hq" lab_wait 10 site_is hq up
ok "the tunnel is up on branch" lab_wait 10 site_is branch up
ok "one SA each way remains" lab_wait 60 one_pair hq

done_testing
