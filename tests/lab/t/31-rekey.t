#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rekeying under traffic loses nothing: CHILD_SAs by the end whose turn it is, the IKE_SA, CHILD_SAs by the other end.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

RATE=300
ALLOWED=3	# packets per rekey and direction: where all is emulated a process may stand still for longer than the margin

# CHILD_SAs that branch (the lower identity: it rekeys) has established so far
children() {
	grep -c "CHILD_SA gre{[0-9]*} established" "$LAB_DIR/$1/log/charon.log"
}

ike_rekeys() {
	grep -c "IKE_SA .* rekeyed between" "$LAB_DIR/$1/log/charon.log"
}

children_are() {
	(($(children "$1") >= $2))
}

ike_rekeyed() {
	(($(ike_rekeys branch) >= $1))
}

one_pair() {
	[ "$(ip -n "$1" xfrm state | grep -c '^src')" = 2 ]
}

drops() {
	lab_run "$1" awk '$2 { printf "%s=%s ", $1, $2 }' /proc/net/xfrm_stat
}

# NAME N WHAT: how the flows there.NAME and back.NAME came through N rekeys
verdict() {
	local d

	for d in there back; do
		lab_udp_stop $d."$1"
	done
	for d in there back; do
		diag "$1, $d: $2 rekeys, $(lab_udp_get $d."$1" sent) packets, $(lab_udp_get $d."$1" lost) lost" \
			"(at $(lab_udp_get $d."$1" holes)), longest silence $(lab_udp_get $d."$1" maxgap_ms) ms"
		cmp_ok "$3, $d: at least two thirds of the pace" "$(lab_udp_get $d."$1" sent)" '>=' $((($4) * RATE * 2 / 3))
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
ok "the tunnel comes up" sites_up "    esp: {rekey-time: 8s}
    ike: {rekey-time: 40s}"

before=$(children branch) start=$SECONDS
flows leader
ok "six rekeys of the CHILD_SA" lab_wait 70 children_are branch $((before + 6))
ok "the IKE_SA is rekeyed" lab_wait 30 ike_rekeyed 1
verdict leader $(($(children branch) - before)) "rekeyed by the leader" $((SECONDS - start))
diag "hq:     $(drops hq)"
diag "branch: $(drops branch)"

before=$(children hq) start=$SECONDS
flows other
for i in 1 2 3; do
	ok "a rekey begun by the other end ($i)" lab_swanctl hq --rekey --child gre
	ok "is done" lab_wait 15 children_are hq $((before + i))
	lab_sleep 1
done
verdict other $(($(children hq) - before)) "rekeyed by the other end" $((SECONDS - start))
diag "hq:     $(drops hq)"
diag "branch: $(drops branch)"

ok "the tunnel is up on hq" lab_wait 10 site_is hq up
ok "the tunnel is up on branch" lab_wait 10 site_is branch up
ok "one SA each way remains" lab_wait 20 one_pair hq

done_testing
