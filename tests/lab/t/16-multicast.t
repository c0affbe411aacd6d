#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Multicast and broadcast over a protected tunnel: a stream from one LAN to the other, joined there by IGMP and routed by FRR's
# PIM; IPv6 multicast and IPv4 broadcast on the link itself. Nothing of it is read between the gateways.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

GROUP=239.192.7.1

frr_conf() {
	cat <<-END
	ip pim rp 10.255.0.1 224.0.0.0/4
	interface lan0
	 ip igmp
	 ip pim
	interface $1
	 ip pim
	 ip pim hello 1
	END
}

neighbors() {
	[ "$(lab_vtysh "$1" 'show ip pim neighbor json' | grep -oE "\"interface\": ?\"$(site_tunnel "$1")\"" | wc -l)" = 1 ]
}

# branch forwards the group into its LAN
routed() {
	ip -n branch -s mroute show | grep -A1 "$GROUP.*Oifs:.*lan0" | grep -q "state: resolved\|State: resolved"
}

# FLOW COUNT: the sender has sent so many, as its clock goes
flow() {
	lab_udp_start "$@" 50
	lab_sleep 3
	lab_udp_stop "$1"
}

lab_topology
ok "the tunnel is up" sites_up
lab_capture_start wire inet hq0 256
for n in hq branch; do
	lab_frr_start $n "$(frr_conf "$(site_tunnel $n)")"
done
ok "hq has its PIM neighbor on the link" lab_wait 30 neighbors hq
ok "branch too" lab_wait 30 neighbors branch

# ---- a stream, LAN to LAN
LAB_UDP_JOIN="$GROUP eth0" lab_udp_start stream lanhq lanbranch $GROUP 50 1200
ok "the stream is routed to where it was joined" lab_wait 30 routed
lab_sleep 4
lab_udp_stop stream
cmp_ok "it arrives" "$(lab_udp_get stream received)" '>=' 100
sent=$(lab_udp_get stream sent) last=$(lab_udp_get stream last)
cmp_ok "up to its end" "$last" '>=' $((sent - 2))
is "once each" "$(lab_udp_get stream dup)" 0

# ---- on the link
LAB_UDP_JOIN="ff02::4242 hq" flow six hq branch ff02::4242%branch1
cmp_ok "IPv6 multicast on the link arrives" "$(lab_udp_get six received)" '>=' 50
is "all of it" "$(lab_udp_get six lost)" 0
flow broad hq branch 10.255.0.3
cmp_ok "broadcast on the link arrives" "$(lab_udp_get broad received)" '>=' 50
is "all of that" "$(lab_udp_get broad lost)" 0

# ---- what the wire saw, and that it would have seen it
lab_sleep 0.3
is "nothing was read" "$(lab_capture_canary wire)" 0
ip -n hq link add clear type gre local 198.51.100.1 remote 192.0.2.99 ttl 64
ip -n hq addr add 10.99.0.1/30 dev clear
ip -n hq link set clear up
lab_run hq ping -q -c3 -i0.2 -W1 -p 47574443414e415259 10.99.0.2 >/dev/null
lab_capture_stop wire
cmp_ok "clear GRE is seen" "$(lab_capture_count wire 'ip proto 47 and host 192.0.2.99')" '>=' 3
is "of the tunnel none" "$(lab_capture_count wire 'ip proto 47 and host 203.0.113.7')" 0
cmp_ok "and its payload read" "$(lab_capture_canary wire)" '>=' 3
cmp_ok "ESP carried all" "$(lab_capture_count wire esp)" '>=' 300
done_testing
