#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Carriers: tunnels over IPv4 and over IPv6 on the same two gateways, each with IPv4 and IPv6 inside; and several tunnels between the
# same two addresses, told apart by GRE key and identity, protected and plain. Nothing but ESP and IKE of the protected ones crosses
# the internet, and the same capture sees GRE that is sent in clear.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

both() {
	local n

	for n in hq branch; do
		"$1" $n "${@:2}" || return
	done
}

# NODE TUNNEL STATE
tunnel_is() {
	[ "$(lab_gwctl "$1" status --json | build/tests/pick "tunnels[name=$2].state")" = "$3" ]
}

# NODE TUNNEL FIELD
field() {
	lab_gwctl "$1" status --json | build/tests/pick "tunnels[name=$2].$3"
}

# NODE TEXT...: tunnels of gateway NODE
conf() {
	local node=$1

	printf '%s\n' "gateway: {id: $node.example.net, local: wan0}" tunnels: "${@:2}" >"$LAB_DIR/$node/gwd/gwd.yaml"
}

lab_topology
for n in hq branch; do
	ip -n $n route add blackhole 10.255.0.0/16
	ip -n $n route add blackhole 2001:db8:ff::/48
done
sites_keys
hq_key=$(site_pubkey hq) branch_key=$(site_pubkey branch)
lab_capture_start clear inet any 256 "proto 47 or ip6 proto 47"

# v4 and v6: one tunnel over each; red and blue: two more over IPv6 with keys, to the same peer; plain: in clear beside them
conf hq "
  v4: {remote: 203.0.113.7, peer: {id: branch.example.net, public-key: $branch_key}, addresses: [10.255.4.1/30, '2001:db8:ff:4::1/64']}
  v6: {remote: '2001:db8:f7::7', gre-key: 6, id: hq-6, peer: {id: branch.example.net, public-key: $branch_key},
    addresses: [10.255.6.1/30, '2001:db8:ff:6::1/64'], routes: [10.2.0.0/24]}
  red: {remote: '2001:db8:f7::7', gre-key: {in: 11, out: 12}, id: hq-red, peer: {id: branch-red, public-key: $branch_key},
    addresses: [10.255.11.1/30]}
  plain: {remote: '2001:db8:f7::7', gre-key: 99, protect: none, addresses: [10.255.99.1/30]}"
conf branch "
  v4: {remote: 198.51.100.1, peer: {id: hq.example.net, public-key: $hq_key}, addresses: [10.255.4.2/30, '2001:db8:ff:4::2/64']}
  v6: {remote: '2001:db8:f1::1', gre-key: 6, peer: {id: hq-6, public-key: $hq_key},
    addresses: [10.255.6.2/30, '2001:db8:ff:6::2/64'], routes: [10.1.0.0/24]}
  red: {remote: '2001:db8:f1::1', gre-key: {in: 12, out: 11}, id: branch-red, peer: {id: hq-red, public-key: $hq_key},
    addresses: [10.255.11.2/30]}
  plain: {remote: '2001:db8:f1::1', gre-key: 99, protect: none, addresses: [10.255.99.2/30]}"

# NODE: packets that the guard stopped on their way out
guard_stopped() {
	lab_guard_stopped "$1" 6_out
}

# NODE: packets without an SA that the policies stopped
policies_stopped() {
	lab_run "$1" awk '$1 == "XfrmOutNoStates" { print $2 }' /proc/net/xfrm_stat
}

more_than() {
	[ "$("$2" "$1")" -gt $(($3 + 20)) ]
}

# the plain tunnel has the key 99
clear_protected() {
	lab_capture_count clear 'ip proto 47 or (ip6 proto 47 and ip6[44:4] != 99)'
}

still_none() {
	is "0 clear GRE packets of the protected: $1" "$(clear_protected)" 0
}

pairs_up() {
	local t

	for t in v4 v6 red; do
		lab_wait 60 tunnel_is hq $t up && lab_wait 60 tunnel_is branch $t up || { diag "$(lab_gwctl hq; lab_gwctl branch)"; return 1; }
	done
}


# ---- coming up under traffic
lab_udp_start six hq branch 10.255.6.2 50
lab_udp_start red branch hq 10.255.11.1 50
ok "gwd starts" both lab_gwd_start
ok "the policies stop what is sent over IPv6" lab_wait 10 more_than hq policies_stopped 0
ok "charon too" lab_charon_start hq branch
ok "all come up: IPv4, IPv6, and two to one peer" pairs_up
still_none "coming up"
is "the plain one is unprotected" "$(field hq plain state)" unprotected
ok "IPv4 over IPv4" lab_run hq ping -c1 -W5 10.255.4.2
ok "IPv6 over IPv4" lab_run hq ping -c1 -W5 2001:db8:ff:4::2
ok "IPv4 over IPv6" lab_run hq ping -c1 -W5 10.255.6.2
ok "IPv6 over IPv6" lab_run hq ping -c1 -W5 2001:db8:ff:6::2
ok "LAN to LAN over IPv6" lab_run lanhq ping -c1 -W5 10.2.0.2
ok "with a key for each direction" lab_run hq ping -c1 -W5 10.255.11.2
ok "the plain one between them" lab_run hq ping -c1 -W5 10.255.99.2

# ---- what was made
like "ip6gre without an encapsulation limit" "$(ip -n hq -d link show v6)" "ip6gre.*encaplimit none"
is "MTU over IPv6, with a key" "$(ip -n hq -j link show v6 | build/tests/pick '[0].mtu')" 1418
is "as gwctl says" "$(field hq v6 mtu)" 1418
like "and why" "$(field hq v6 mtu_sum)" "1500 - 40 IPv6 - 8 ESP"
ok "as much goes through" lab_run hq ping -c1 -W5 -M 'do' -s $((1418 - 28)) 10.255.6.2
like "the keys apart" "$(ip -n hq -d link show red)" "ikey 0.0.0.11 okey 0.0.0.12"
like "in the policies" "$(ip -n hq xfrm policy list dir out)" "proto gre key 12"
like "of each direction" "$(ip -n hq xfrm policy list dir 'in')" "proto gre key 11"
is "and in status" "$(field hq red gre_key)" '{"in":11,"out":12}'
like "for people too" "$(lab_gwctl hq show red)" "key 11 in, 12 out, as hq-red, peer branch-red"
is "each has SAs of its own" "$(ip -n hq xfrm state list dst 2001:db8:f7::7 | grep -o 'reqid [0-9]*' | sort -u | wc -l)" 2
lab_run hq nft list table inet gwd >"$LAB_DIR/guard"
like "the guard has both keys, both ways" "$(tr -d '\n\t ' <"$LAB_DIR/guard")" "key6_out.*0xb.*0xc.*key6_in.*0xb.*0xc"

# ---- a setting that switches the policies of IPv6 off
lab_run branch sysctl -qw net.ipv6.conf.all.disable_policy=1
ip -n branch link set lan0 mtu 1499
ok "disable_policy of IPv6 takes tunnels over IPv6 down" lab_wait 10 tunnel_is branch v6 down
like "which is said" "$(field branch v6 reason)" "net.ipv6.conf.all.disable_policy is 1"
is "those over IPv4 stay" "$(field branch v4 state)" up
lab_run branch sysctl -qw net.ipv6.conf.all.disable_policy=0
ip -n branch link set lan0 mtu 1500
ok "and up again" pairs_up

# ---- each layer alone
both lab_gwd_kill
both lab_charon_kill
for n in hq branch; do ip -n $n xfrm policy flush; done
before=$(guard_stopped hq)
ok "the guard alone stops GRE over IPv6" lab_wait 10 more_than hq guard_stopped "$before"
ok "the plain one works" lab_run hq ping -c1 -W5 10.255.99.2
still_none "the guard alone"
for n in hq branch; do ip -n $n xfrm state flush; done
both lab_gwd_start
both lab_gwd_kill
for n in hq branch; do lab_run $n nft delete table inet gwd; done
before=$(policies_stopped hq)
ok "the policies alone stop GRE over IPv6" lab_wait 10 more_than hq policies_stopped "$before"
ok "the plain one works" lab_run hq ping -c1 -W5 10.255.99.2
still_none "the policies alone"

# ---- nothing protects
for n in hq branch; do ip -n $n xfrm policy flush; done
lab_sleep 1
lab_udp_stop six red
lab_capture_stop clear
cmp_ok "the capture sees both in clear when nothing protects them: v6" "$(lab_capture_count clear 'ip6 proto 47 and ip6[44:4] = 6')" '>' 10
cmp_ok "and red" "$(lab_capture_count clear 'ip6 proto 47 and ip6[44:4] = 11')" '>' 10
cmp_ok "and saw the plain one" "$(lab_capture_count clear 'ip6 proto 47 and ip6[44:4] = 99')" '>=' 6
done_testing
