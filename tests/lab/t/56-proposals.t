#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Algorithms and lifetimes: each proposal is what both ends then use, with the MTU that goes with it; SAs are rekeyed by bytes and
# by packets without loss, with forward secrecy; the replay window is the kernel's; a dead peer is noticed when it is asked; what this charon cannot, and a card that cannot encrypt, is told.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

ALLOWED=3	# packets per rekey and direction: where all is emulated a process may stand still for longer than the margin

both_up() {
	site_is hq up && site_is branch up
}

# of hq's tunnel: a path into what show tells
shown() {
	lab_gwctl hq show branch1 --json | build/tests/pick "tunnels[0]$1"
}

child_is() {
	[ "$(shown .child.proposal)" = "$1" ]
}

ike_is() {
	[ "$(shown .ike.proposal)" = "$1" ]
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
	lab_udp_stop there."$1" back."$1"
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

# END: what its CHILD_SA was negotiated with
child_of() {
	lab_swanctl "$1" --list-sas | grep -o 'INSTALLED, TRANSPORT, .*ESP:[^ ]*'
}

# NODE: the replay window of what comes in
window_of() {
	ip -n "$1" -s xfrm state list dst "$2" | grep -o 'replay_window [0-9]*' | tail -1 | tr -dc 0-9
}

# the internet carries nothing, or all
internet() {
	case $1 in
	cut)	lab_run inet nft 'add table inet cut; add chain inet cut c { type filter hook forward priority 0; policy drop; }' ;;
	whole)	lab_run inet nft delete table inet cut ;;
	esac
}

sites_allow=""
lab_topology
clear_watch
LAB_GWD_ARGS=-v
ok "the tunnel comes up" sites_up
clear_flows
is "by default AES-GCM" "$(shown .child.proposal)" aes256gcm16

is "by default a replay window of 1024" "$(window_of hq 198.51.100.1)" 1024
like "the first CHILD_SA has the group of the IKE_SA" "$(child_of hq)" 'ESP:AES_GCM_16-256$'
ok "another replay window" both_take "esp: {replay-window: 2048}"
ok "is that of the kernel" lab_wait 40 eval '[ "$(window_of hq 198.51.100.1)" = 2048 ]'
is "on branch too" "$(window_of branch 203.0.113.7)" 2048
ok "another IKE proposal" both_take "ike: {proposals: aes128-sha512-modp3072}"
ok "is negotiated" lab_wait 40 ike_is aes128-sha512-prfsha512-modp3072
diag "$(shown .ike.proposal)"
ok "up with it" lab_wait 20 both_up

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
unlike "its first CHILD_SA had no exchange of its own" "$(child_of hq)" CURVE_25519
rekeyed bytes bytes 900 1
like "forward secrecy: the renewed one had" "$(child_of hq)" 'ESP:AES_GCM_16-256/CURVE_25519'
like "on branch too" "$(child_of branch)" 'ESP:AES_GCM_16-256/CURVE_25519'
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
clear_none "whatever is negotiated"
clear_flows_end

# a dead peer
for delay in 2s 1h; do
	ok "dpd-delay: $delay" both_take "ike: {dpd-delay: $delay}"
	ok "up" lab_wait 40 both_up
	ok "with one IKE_SA" lab_wait 40 site_one_ike_sa hq
	internet cut
	begin=$SECONDS
	if [ $delay = 2s ]; then
		ok "a peer that is dead is noticed" lab_wait 60 eval '! site_is hq up'
		took=$((SECONDS - begin))
		diag "after $took s: $(lab_gwctl hq | tail -1)"
		ok "and named" lab_wait 30 eval '[[ "$(lab_gwctl hq | tail -1)" =~ not\ answer|no\ answer ]]'
	else
		lab_sleep $((took + 2))
		ok "in that time it is not, where it is not asked" site_is hq up
	fi
	internet whole
	lab_wait 60 both_up
done
ok "the tunnel is up" both_up
clear_none "with a dead peer"
clear_control branch 10.255.0.2

done_testing
