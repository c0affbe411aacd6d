#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Never in clear, inwards: somebody on the internet sends GRE in clear to both gateways, with the peer's address as its
# source. None of it comes out of a tunnel, whether both layers stand or one of them alone. When both are taken away the
# same packets get through to the LAN.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

# the liars' traffic has these addresses inside: nobody else has
LIAR4=10.66.0.66
LIAR6=2001:db8:66::66

both() {
	local n

	for n in hq branch; do
		"$1" $n "${@:2}" || return
	done
}

both_up() {
	local n

	for n in hq branch; do
		lab_wait 30 site_is $n up || { diag "$(lab_gwctl $n)"; return 1; }
	done
}

# NODE NAME TYPE LOCAL REMOTE LAN4 LAN6 [OPTION...]: GRE in clear to REMOTE, as if from LOCAL, which leads to the LAN there
liar_tunnel() {
	ip -n "$1" -batch - <<-END
	link add $2 type $3 local $4 remote $5 ttl 64 ${@:8}
	addr add $LIAR4/32 dev $2
	addr add $LIAR6/128 dev $2 nodad
	link set $2 up
	route replace $6 dev $2 src $LIAR4
	route replace $7 dev $2 src $LIAR6
	END
}

# NODE LINK: the liar has another tunnel next
liar_stop() {
	ip -n "$1" link del "$2"
}

# both liars send to the LANs for a while, IPv4 and IPv6
lie() {
	lab_udp_start "hq$1" liarhq lanhq 10.1.0.2 100
	lab_udp_start "branch$1" liarbranch lanbranch 2001:db8:2::2 100
	lab_sleep 2
	lab_udp_stop "hq$1" "branch$1"
}

# NODE: what its guard stopped on its way in
guard_stopped() {
	lab_guard_stopped "$1" in
}

# NODE: what its policies did not take in
policies_stopped() {
	lab_run "$1" awk '$1 == "XfrmInTmplMismatch" { print $2 }' /proc/net/xfrm_stat
}

# NODE: packets that came out of its tunnel
received() {
	ip -n "$1" -s -j link show "$(site_tunnel "$1")" | build/tests/pick '[0].stats64.rx.packets'
}

# NAME STOPPER: both lie, nothing is taken in, and STOPPER counts it
refused() {
	local name=$1 stopper=$2 n

	declare -A stopped=() rx=()
	for n in hq branch; do
		stopped[$n]=$($stopper $n)
		rx[$n]=$(received $n)
	done
	lie "$name"
	for n in hq branch; do
		cmp_ok "$name: the liar sent to $n" "$(lab_udp_get "$n$name" sent)" '>=' 100
		is "$name: nothing reached the LAN of $n" "$(lab_udp_get "$n$name" received)" 0
		# the peer's own IPv6 link may say a word
		cmp_ok "$name: the tunnel of $n received nothing" $(($(received $n) - ${rx[$n]})) '<' 10
		cmp_ok "$name: $n counted it" $(($($stopper $n) - ${stopped[$n]})) '>=' 100
	done
}

# with both layers, and with each alone
refused_by_each() {
	refused both guard_stopped
	both lab_gwd_kill
	for n in hq branch; do ip -n $n xfrm policy flush; done
	refused guard guard_stopped
	ok "gwd starts" both lab_gwd_start
	ok "and heals" both_up
	both lab_gwd_kill
	for n in hq branch; do lab_run $n nft delete table inet gwd; done
	refused policies policies_stopped
	ok "gwd starts once more" both lab_gwd_start
	ok "and heals once more" both_up
}

# with nothing that protects
taken() {
	lie "$1"
	for n in hq branch; do
		cmp_ok "$1: the same packets reach the LAN of $n when nothing protects it" \
			"$(lab_udp_get "$n$1" received)" '>=' 100
	done
}

unprotect() {
	both lab_gwd_kill
	for n in hq branch; do
		lab_run $n nft delete table inet gwd
		ip -n $n xfrm policy flush
	done
}

lab_topology
lab_node liarhq liarbranch
lab_link liarhq eth0 192.0.2.66/25 -- inet liar0 192.0.2.1/25
lab_link liarbranch eth0 192.0.2.166/25 -- inet liar1 192.0.2.129/25
lab_defaults liarhq 192.0.2.1
lab_defaults liarbranch 192.0.2.129
ip -n liarhq addr add 203.0.113.7/32 dev lo
ip -n liarbranch addr add 198.51.100.1/32 dev lo
ok "the tunnel is up" sites_up

# ---- as if from the peer
to_hq=(10.1.0.0/24 2001:db8:1::/64) to_branch=(10.2.0.0/24 2001:db8:2::/64)
liar_tunnel liarhq lie gre 203.0.113.7 198.51.100.1 "${to_hq[@]}"
liar_tunnel liarbranch lie gre 198.51.100.1 203.0.113.7 "${to_branch[@]}"
lab_capture_start liars inet any 128 "proto 47 and host 203.0.113.7"
refused_by_each
unprotect
taken control

# ---- from an address nobody has a tunnel with
liar_stop liarhq lie
liar_stop liarbranch lie
liar_tunnel liarhq lie gre 192.0.2.66 198.51.100.1 "${to_hq[@]}"
liar_tunnel liarbranch lie gre 192.0.2.166 203.0.113.7 "${to_branch[@]}"
ok "gwd starts" both lab_gwd_start
ok "and heals" both_up
declare -A rx=()
for n in hq branch; do rx[$n]=$(received $n); done
lie strange
for n in hq branch; do
	cmp_ok "a stranger sent to $n" "$(lab_udp_get ${n}strange sent)" '>=' 100
	is "nothing of it reached the LAN of $n" "$(lab_udp_get ${n}strange received)" 0
	cmp_ok "the tunnel of $n received nothing of it" $(($(received $n) - ${rx[$n]})) '<' 10
done
for n in "hq 198.51.100.1 192.0.2.66" "branch 203.0.113.7 192.0.2.166"; do
	read -r node local remote <<<"$n"
	ip -n "$node" link add strange type gre local "$local" remote "$remote" ttl 64
	ip -n "$node" link set strange up
done
taken strange-control

# ---- a key
for n in hq branch; do
	liar_stop liar$n lie
	ip -n $n link del strange
	sed -i 's/^    remote: .*/&\n    gre-key: 42/' "$LAB_DIR/$n/gwd/gwd.yaml"
	ok "a key for $n" lab_gwctl $n reload
done
ok "up with it" both_up
liar_tunnel liarhq lie gre 203.0.113.7 198.51.100.1 "${to_hq[@]}" key 42
liar_tunnel liarbranch lie gre 198.51.100.1 203.0.113.7 "${to_branch[@]}" key 42
refused key guard_stopped
unprotect
taken key-control

lab_capture_stop liars
cmp_ok "the lies crossed the internet" "$(lab_capture_count liars 'ip proto 47')" '>=' 1000
done_testing
