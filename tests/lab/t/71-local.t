#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The gateway's own address changes: on its interface, with the interface gone and back, by the route that moves to another
# interface (`local: auto`). The tunnel comes up again by itself, never in clear, and nothing of the address before is left. The other
# side follows by the name in its /etc/hosts, or as the hub that is called (`remote: any`), and nobody tells it to; or its
# configuration is changed.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

branch_json() {
	lab_gwctl branch status --json | build/tests/pick "tunnels[0].$1"
}

local_is() {
	[ "$(branch_json local)" = "$1" ] && ip -n branch -d link show hq | grep -q "local $1 "
}

# ADDRESS: the name that hq knows branch by is moved
name_is_at() {
	echo "$1 branch.example.net" >"$(lab_path hq /etc/hosts)"
}

both_up() {
	lab_wait 60 site_is hq up && lab_wait 60 site_is branch up && return
	diag "$(lab_gwctl hq)" "$(lab_gwctl branch)"
	return 1
}

passes() {
	lab_run lanhq ping -c1 -W1 10.2.0.2
}

hub_is() {
	ip -n hq -d link show branch1 | grep -q "remote $1 "
}

# ADDRESS: nothing of it is left on branch
nothing_of() {
	[[ $(ip -n branch xfrm policy; ip -n branch xfrm state; lab_run branch nft list table inet gwd) != *"$1"* ]]
}

# one SA each way, between the addresses in force
one_pair() {
	[ "$(ip -n "$1" xfrm state | grep -c "spi 0x[^0]")" = 2 ]
}

# TEXT ADDRESS: after a change all is well, with this address of branch
well() {
	ok "$1: branch has the address" lab_wait 20 local_is "$2"
	name_is_at "$2"
	ok "$1: up again" both_up
	ok "$1: packets pass" lab_wait 20 passes
}

lab_topology
lab_link branch wan1 192.0.2.7/24 -- inet branch1 192.0.2.254/24
sites_keys
sites_conf "    ike: {dpd-delay: 2s}"
sed -i 's/203.0.113.7/branch.example.net/' "$LAB_DIR/hq/gwd/gwd.yaml"
ip -n hq route add unreachable 10.2.0.0/16
ip -n branch route add unreachable 10.1.0.0/16
echo "203.0.113.7 branch.example.net" >"$(lab_path hq /etc/hosts)"
lab_capture_start clear inet any 256 "proto 47"
lab_capture_start wire inet hq0 128
lab_gateways hq branch
ok "the tunnel comes up" both_up
lab_udp_start back lanbranch lanhq 10.1.0.2 50
index=$(ip -n branch -j link show hq | build/tests/pick '[0].ifindex')

# ---- another address on the interface, as DHCP gives it
ip -n branch -batch - <<-END
	addr del 203.0.113.7/24 dev wan0
	addr add 203.0.113.8/24 dev wan0
	route replace default via 203.0.113.254
END
well "address changed" 203.0.113.8
is "the link is the same one" "$(ip -n branch -j link show hq | build/tests/pick '[0].ifindex')" "$index"
ok "nothing is left of the old address" lab_wait 10 nothing_of 203.0.113.7

# ---- the interface goes, and comes back, as PPP does it
ip -n branch link del wan0
ok "without the interface the state says so" lab_wait 60 eval '[[ $(branch_json reason) == "no interface wan0 here"* ]]'
is "and it is down" "$(branch_json state)" down
ok "the link and its policies stay" eval '
	ip -n branch link show hq && [ "$(ip -n branch xfrm policy list | grep -cE "proto (gre|47)")" -ge 2 ]'
lab_link branch wan0 203.0.113.7/24 -- inet branch0 203.0.113.254/24
ip -n branch route replace default via 203.0.113.254
well "interface made anew" 203.0.113.7
ok "nothing is left of the address before" lab_wait 10 nothing_of 203.0.113.8

# ---- the route moves
sed -i 's/local: wan0/local: auto/' "$LAB_DIR/branch/gwd/gwd.yaml"
lab_gwctl branch reload >/dev/null
is "local: auto is the address of the route" "$(branch_json local)" 203.0.113.7
ip -n branch route replace default via 192.0.2.254
well "route moved" 192.0.2.7
ok "nothing is left of the way before" lab_wait 10 nothing_of 203.0.113.7
ok "one pair of SAs there" lab_wait 40 one_pair branch
ok "and here" lab_wait 40 one_pair hq

# ---- the peer is written anew, and is silent at its address before: nobody waits for the end of what was there
sed -i 's/remote: branch.example.net/remote: 203.0.113.7/' "$LAB_DIR/hq/gwd/gwd.yaml"
sed -i 's/^    remote: .*/&\n    start: passive/' "$LAB_DIR/branch/gwd/gwd.yaml"
ip -n inet rule add pref 5 from 192.0.2.7 blackhole
ip -n inet link set branch1 down
ip -n branch route replace default via 203.0.113.254
lab_gwctl branch reload >/dev/null
given_up=$(grep -c "giving up after" "$LAB_DIR/hq/log/charon.log")
lab_gwctl hq reload >/dev/null
ok "the peer at another address: up again" both_up
is "before charon gives up the old one" "$(grep -c "giving up after" "$LAB_DIR/hq/log/charon.log")" "$given_up"
ok "and packets pass" lab_wait 20 passes
ip -n inet link set branch1 up
ip -n inet rule del pref 5
sed -i '/start: passive/d' "$LAB_DIR/branch/gwd/gwd.yaml"

# ---- the hub is called, and follows its peer
sed -i 's/remote: 203.0.113.7/remote: any/' "$LAB_DIR/hq/gwd/gwd.yaml"
ip -n branch route replace default via 203.0.113.254
sed -i 's/local: auto/local: wan0/' "$LAB_DIR/branch/gwd/gwd.yaml"
lab_gwctl hq reload >/dev/null
lab_gwctl branch reload >/dev/null
ok "the hub that is called is up" both_up
ip -n branch -batch - <<-END
	addr del 203.0.113.7/24 dev wan0
	addr add 203.0.113.9/24 dev wan0
	route replace default via 203.0.113.254
END
well "address changed, hub called" 203.0.113.9
ok "the hub is at it" hub_is 203.0.113.9
ip -n branch link del wan0
lab_wait 60 eval '[[ $(branch_json reason) == "no interface wan0 here"* ]]'
lab_link branch wan0 203.0.113.7/24 -- inet branch0 203.0.113.254/24
ip -n branch route replace default via 203.0.113.254
well "interface made anew, hub called" 203.0.113.7
ok "the hub is there again" hub_is 203.0.113.7
ok "one pair of SAs with the hub" lab_wait 40 one_pair hq

lab_udp_stop back
lab_sleep 0.3
is "nothing was read on the wire" "$(lab_capture_canary wire)" 0
ip -n hq -batch - <<-END
	link add control type gre local 198.51.100.1 remote 198.51.100.254 ttl 64
	addr add 10.9.9.1/30 dev control
	link set control up
END
lab_run hq ping -c2 -i0.2 -W1 -p 47574443414e415259 10.9.9.2 >/dev/null
lab_capture_stop clear
lab_capture_stop wire
cmp_ok "packets passed" "$(lab_udp_get back received)" '>' 50
cmp_ok "ESP crossed" "$(lab_capture_count wire 'ip proto 50')" '>' 50
cmp_ok "the capture sees GRE in clear" "$(lab_capture_count clear 'host 198.51.100.254')" '>' 0
is "of the tunnel there was none" "$(lab_capture_count clear 'not host 198.51.100.254')" 0
cmp_ok "GRE in clear is read on the wire" "$(lab_capture_canary wire)" '>=' 2

done_testing
