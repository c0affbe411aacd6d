#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Algorithms and lifetimes: each proposal is what both ends then use, with the MTU that goes with it; SAs are rekeyed by bytes and
# by packets without loss; what this charon cannot, and a card that cannot encrypt, is told.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

ALLOWED=3	# packets per rekey and direction: where all is emulated a process may stand still for longer than the margin

both_up() {
	site_is hq up && site_is branch up
}

# of hq's tunnel: a path into what show tells
shown() {
	lab_gwctl hq show branch1 --json | jq -r ".tunnels[0]$1"
}

child_is() {
	[ "$(shown .child.proposal)" = "$1" ]
}

mtu_is() {
	[[ "$(ip -n hq -o link show branch1)" == *" mtu $1 "* && "$(ip -n branch -o link show hq)" == *" mtu $1 "* ]]
}

reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason')" =~ $2 ]]
}

# TEXT: a tunnel with it, and with $sites_allow, on both ends
both_take() {
	sites_conf "    $1${sites_allow:+
    $sites_allow}"
	lab_gwctl hq reload >"$LAB_DIR/said" 2>&1 && lab_gwctl branch reload >/dev/null 2>&1
}

# PROPOSAL WHAT-IS-SHOWN MTU
works() {
	ok "$1 is taken" both_take "esp: {proposals: $1}"
	ok "$1: negotiated as $2" lab_wait 40 child_is "$2"
	ok "$1: up" lab_wait 20 both_up
	ok "$1: MTU $3" lab_wait 10 mtu_is "$3"
	ok "$1: the largest packet passes whole" lab_run hq ping -c1 -W3 -M "do" -s $(($3 - 28)) 10.255.0.2
}

rekeys() {
	grep -c "outbound CHILD_SA gre{[0-9]*} established" "$LAB_DIR/hq/log/charon.log"
}

rekeys_are() {
	(($(rekeys) >= $1))
}

# NAME WHAT LENGTH N: N or more rekeys under traffic both ways
rekeyed() {
	local d before n begun

	before=$(rekeys)
	begun=$(begun)
	lab_udp_start there."$1" lanhq lanbranch 10.2.0.2 200 "$3"
	lab_udp_start back."$1" lanbranch lanhq 10.1.0.2 200 "$3"
	ok "$4 rekey by $2" lab_wait 60 rekeys_are $((before + $4))
	lab_sleep 1
	n=$(($(rekeys) - before))
	for d in there back; do
		lab_udp_stop $d."$1"
	done
	for d in there back; do
		diag "$1, $d: $n rekeys, $(lab_udp_get $d."$1" sent) packets, $(lab_udp_get $d."$1" lost) lost" \
			"(at $(lab_udp_get $d."$1" holes))"
		cmp_ok "rekeyed by $2, $d: nothing lost" "$(lab_udp_get $d."$1" lost)" '<=' $((n * ALLOWED))
		is "rekeyed by $2, $d: nothing twice" "$(lab_udp_get $d."$1" dup)" 0
	done
	is "the end whose turn it is, branch, began them all" "$(begun)" "$begun"
}

# rekeys of CHILD_SAs that hq has begun
begun() {
	grep -c 'establishing CHILD_SA gre{[0-9]*} reqid' "$LAB_DIR/hq/log/charon.log"
}

sites_allow=""
lab_topology
LAB_GWD_ARGS=-v
ok "the tunnel comes up" sites_up
is "by default AES-GCM" "$(shown .child.proposal)" aes256gcm16

works aes128gcm16 aes128gcm16 1442
works chacha20poly1305-x25519 chacha20poly1305 1442
works aes256-sha256-modp2048 aes256-sha256 1434
works aes256-sha512 aes256-sha512 1418

# weak ones
ok "a weak one is refused" lab_wait 1 eval '! both_take "esp: {proposals: 3des-sha1}"'
like "with the place, and the way out" "$(<"$LAB_DIR/said")" 'gwd.yaml:[0-9:]+ error: proposals: 3des is too weak.*allow-weak: true'
ok "what was before stays" child_is aes256-sha512
sites_allow="allow-weak: true"
works 3des-sha1 3des-sha1 1442
sites_allow=""
like "status tells it" "$(lab_gwctl hq)" 'up, WEAK'
like "show tells which" "$(lab_gwctl hq show branch1)" 'WEAK: 3des'

# lifetimes
ok "a lifetime in bytes" both_take "esp: {rekey-bytes: 2M}"
ok "the tunnel is up" lab_wait 30 both_up
lab_sleep 1
rekeyed bytes bytes 900 1
ok "a lifetime in packets" both_take "esp: {rekey-packets: 3000}"
ok "the tunnel is up" lab_wait 30 both_up
lab_sleep 1
rekeyed packets packets 100 1

# what is not there
ok "an algorithm that this charon lacks is taken" both_take "ike: {proposals: aes256gcm16-prfsha384-x25519-ke1_mlkem768}"
ok "and named" lab_wait 20 reason_like hq 'charon here refuses the connection: it does not know ke1_mlkem768, of ike.proposals'
ok "the SAs stay" site_is hq up
# on hq alone: of two ends that cannot, the one that asks is only told NO_PROPOSAL_CHOSEN by the other
hq_takes() {
	both_take "esp: {proposals: aes128gcm16}" &&
		sed -i 's/proposals: aes128gcm16/hw-offload: crypto, &/' "$LAB_DIR/hq/gwd/gwd.yaml" &&
		lab_gwctl hq reload
}
ok "a card that cannot encrypt" hq_takes
ok "is named" lab_wait 30 reason_like hq 'hw-offload'
diag "$(lab_gwctl hq | tail -1)"
nok "and is not up" site_is hq up
ok "with auto it goes without" both_take "esp: {hw-offload: auto, proposals: aes128gcm16}"
ok "the tunnel is up" lab_wait 40 both_up

done_testing
