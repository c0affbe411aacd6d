#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# VRFs: on hq the transport is in the VRF front, the tunnels are in blue and red and have the same addresses there, which no table but
# theirs knows. A VRF that goes takes its tunnel along, and brings it back. And MPLS: a labelled packet through a tunnel.

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

# TUNNEL...: up on both sides
are_up() {
	local t

	for t; do
		lab_wait 60 tunnel_is hq "$t" up && lab_wait 60 tunnel_is branch "$t" up || { diag "$(lab_gwctl hq; lab_gwctl branch)"; return 1; }
	done
}

master_of() {
	ip -n hq -j link show "$1" | build/tests/pick '[0].master'
}

no_link() {
	! ip -n hq link show "$1"
}

still_none() {
	is "0 clear GRE packets: $1" "$(lab_capture_count clear '')" 0
}

guard_stopped() {
	lab_guard_stopped hq out
}

lab_topology
# hq: wan0 is in front (table 10), lan0 in blue (table 100); the main table knows of neither
ip -n hq -batch - <<-END
	link add front type vrf table 10
	link add blue type vrf table 100
	link add red type vrf table 200
	link set front up
	link set blue up
	link set red up
	link set wan0 master front
	link set lan0 master blue
	addr replace 2001:db8:f1::1/64 dev wan0 nodad
	route add default via 198.51.100.254 table 10
	route add default via 2001:db8:f1::fe table 10
	rule add from 198.51.100.1 table 10
END
ip -n hq -6 rule add from 2001:db8:f1::1 table 10
ip -n branch -batch - <<-END
	link add red type vrf table 200
	link set red up
	addr add 10.99.0.2/32 dev lo
END
# an IPv6 address of a VRF is foreign to a socket that is not bound to it (__ipv6_chk_addr_and_flags)
lab_run hq sysctl -qw net.ipv4.udp_l3mdev_accept=1 net.ipv6.ip_nonlocal_bind=1
for n in hq branch; do
	lab_run $n modprobe -a mpls_router mpls_iptunnel
	lab_run $n sysctl -qw net.mpls.platform_labels=1000
done
sites_keys
hq_key=$(site_pubkey hq) branch_key=$(site_pubkey branch)
cat >"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	gateway: {id: hq.example.net}
	defaults: {device: front}
	tunnels:
	  site:
	    remote: 203.0.113.7
	    gre-key: 1
	    vrf: blue
	    peer: {id: branch.example.net, public-key: $branch_key}
	    addresses: [10.255.0.1/30, "2001:db8:ff::1/64"]
	    routes: [10.2.0.0/24, {to: 192.0.2.0/24, table: 254}]
	  guest:
	    remote: 2001:db8:f7::7
	    vrf: red
	    id: hq-guest
	    peer: {id: branch.example.net, public-key: $branch_key}
	    addresses: [10.255.0.1/30]
	    routes: [10.2.0.0/24]
	  labels:
	    remote: 203.0.113.7
	    gre-key: 3
	    mpls: true
	    id: hq-labels
	    peer: {id: branch.example.net, public-key: $branch_key}
	    addresses: [10.255.3.1/30]
END
cat >"$LAB_DIR/branch/gwd/gwd.yaml" <<-END
	gateway: {id: branch.example.net, local: wan0}
	tunnels:
	  site:
	    remote: 198.51.100.1
	    gre-key: 1
	    peer: {id: hq.example.net, public-key: $hq_key}
	    addresses: [10.255.0.2/30, "2001:db8:ff::2/64"]
	    routes: [10.1.0.0/24]
	  guest:
	    remote: 2001:db8:f1::1
	    vrf: red
	    peer: {id: hq-guest, public-key: $hq_key}
	    addresses: [10.255.0.2/30]
	  labels:
	    remote: 198.51.100.1
	    gre-key: 3
	    mpls: true
	    peer: {id: hq-labels, public-key: $hq_key}
	    addresses: [10.255.3.2/30]
END
lab_capture_start clear inet any 256 "proto 47 or ip6 proto 47"
lab_charon_start hq branch
ok "gwd starts" both lab_gwd_start
ok "all come up through the front-door VRF, IPv4 and IPv6" are_up site guest labels
like "local: auto looks in its table" "$(lab_gwctl hq show site)" "gre 198.51.100.1 -> 203.0.113.7, key 1, over front"
is "the tunnel is in its VRF" "$(master_of site) $(master_of guest) $(master_of labels)" "blue red null"
like "as gwctl says" "$(lab_gwctl hq show site)" "site in vrf blue up"
is "its route is in the VRF's table" "$(ip -n hq route show table 100 10.2.0.0/24 dev site | cut -d' ' -f1)" 10.2.0.0/24
is "or in the one it names" "$(ip -n hq route show 192.0.2.0/24 dev site | cut -d' ' -f1)" 192.0.2.0/24
ok "IPv4 in blue" lab_run hq ping -c1 -W5 -I blue 10.255.0.2
ok "IPv6 in blue" lab_run hq ping -c1 -W5 -I blue 2001:db8:ff::2
ok "the same address in red, over IPv6" lab_run hq ping -c1 -W5 -I red 10.255.0.2
ok "LAN to LAN in blue" lab_run lanhq ping -c1 -W5 10.2.0.2
nok "outside the VRFs there is no such address" lab_run hq ping -c1 -W1 10.255.0.2
still_none "in VRFs"

# ---- a label
ip -n hq route add 10.99.0.2/32 encap mpls 100 via inet 10.255.3.2 dev labels
ip -n branch -f mpls route add 100 dev lo
lab_capture_start labels branch labels 128 "ether proto 0x8847"
ok "a labelled ping" lab_run hq ping -c2 -i0.2 -W5 -I 10.255.3.1 10.99.0.2
lab_capture_stop labels
cmp_ok "came labelled" "$(lab_capture_count labels '')" '>=' 2
lab_run branch sysctl -qw net.mpls.conf.labels.input=0
branch_input() {
	[ "$(lab_run branch sysctl -n net.mpls.conf.labels.input)" = 1 ]
}
ok "gwd switches it on again" lab_wait 10 branch_input
sed -i '/mpls/d' "$LAB_DIR/branch/gwd/gwd.yaml"
ok "without mpls" lab_gwctl branch reload
is "it is off" "$(lab_run branch sysctl -n net.mpls.conf.labels.input)" 0
nok "and a label is not taken" lab_run hq ping -c1 -W1 -I 10.255.3.1 10.99.0.2

# ---- somebody takes it out of its VRF
ip -n hq link set site nomaster
in_blue() {
	[ "$(master_of site)" = blue ]
}
ok "it is put back" lab_wait 10 in_blue
ok "and works" lab_wait 20 lab_run hq ping -c1 -W1 -I blue 10.255.0.2
ok "LAN to LAN" lab_wait 10 lab_run lanhq ping -c1 -W1 10.2.0.2
lab_gwd_stop hq
lab_gwd_start hq
is "a new gwd finds it so" "$(lab_gwctl hq plan >/dev/null; echo $?)" 0

# ---- a VRF goes, and comes again
ip -n hq link del blue
ok "without its VRF there is no link" lab_wait 10 no_link site
ok "the tunnel is down" lab_wait 10 tunnel_is hq site down
like "which is said" "$(lab_gwctl hq)" 'there is no VRF blue here .`vrf:`.'
is "its policies stay" "$(ip -n hq xfrm policy list | grep -c 'key 1 ')" 2
ok "the other VRF's works" lab_run hq ping -c1 -W5 -I red 10.255.0.2
ip -n hq link add blue type bridge
said() {
	[[ $(lab_gwctl hq) == *"$1"* ]]
}
ok "a bridge of this name is none" lab_wait 10 said "blue is an interface, but no VRF here"
ip -n hq link del blue
ip -n hq link add blue type vrf table 101
ip -n hq link set blue up
ip -n hq link set lan0 master blue
ok "it comes again, with another table" lab_wait 10 in_blue
ok "up" are_up site
ok "LAN to LAN" lab_wait 20 lab_run lanhq ping -c1 -W1 10.2.0.2
is "by that table" "$(ip -n hq route show table 101 10.2.0.0/24 dev site | cut -d' ' -f1)" 10.2.0.0/24
still_none "VRFs gone and come"

# ---- a front-door VRF with a qdisc of its own
before=$(guard_stopped)
lab_run hq tc qdisc add dev front root pfifo
nok "a qdisc on the front-door VRF takes tunnels with a key out of IPsec" lab_run hq ping -c3 -i0.2 -W1 -I blue 10.255.0.2
cmp_ok "which the guard stops" "$(guard_stopped)" '>' "$before"
still_none "a qdisc on the VRF"
lab_run hq tc qdisc del dev front root

# ---- nothing protects
both lab_gwd_kill
for n in hq branch; do lab_run $n nft delete table inet gwd; ip -n $n xfrm policy flush; done
lab_run hq ping -c2 -i0.2 -W1 -I blue 10.255.0.2 >/dev/null 2>&1
lab_run hq ping -c2 -i0.2 -W1 -I red 10.255.0.2 >/dev/null 2>&1
lab_capture_stop clear
cmp_ok "unprotected, the same capture sees blue" "$(lab_capture_count clear 'ip proto 47')" '>' 0
cmp_ok "and red" "$(lab_capture_count clear 'ip6 proto 47')" '>' 0
done_testing
