#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab itself: the topology works, and a capture sees GRE in clear and reads what is in it where nothing protects
# it. Without this positive control "0 packets in clear" would prove nothing.

# shellcheck source=tests/lab/lib.sh
. tests/lab/lib.sh

lab_topology
ok "hq reaches branch over IPv4" lab_run hq ping -c1 -W2 203.0.113.7
ok "hq reaches branch over IPv6" lab_run hq ping -c1 -W2 2001:db8:f7::7
ok "a host reaches its gateway" lab_run lanhq ping -c1 -W2 10.1.0.1
ok "a host reaches its gateway over IPv6" lab_run lanbranch ping -c1 -W2 2001:db8:2::1
nok "the LANs do not reach each other yet" lab_run lanhq ping -c1 -W1 10.2.0.2

# plain GRE, and routes through it
tunnel() {
	ip -n "$1" -batch - <<-END
	link add gre1 type gre local $2 remote $3 ttl 64
	addr add $4/30 dev gre1
	addr add $5/64 dev gre1 nodad
	link set gre1 up
	route add $6 dev gre1
	route add $7 dev gre1
	END
}
tunnel hq 198.51.100.1 203.0.113.7 10.255.0.1 2001:db8:ff::1 10.2.0.0/24 2001:db8:2::/64
tunnel branch 203.0.113.7 198.51.100.1 10.255.0.2 2001:db8:ff::2 10.1.0.0/24 2001:db8:1::/64

lab_capture_start clear inet hq0
ok "ping through plain GRE" lab_run lanhq ping -c3 -i0.2 -W2 10.2.0.2
lab_udp_start v4 lanhq lanbranch 10.2.0.2 300
lab_udp_start v6 lanbranch lanhq 2001:db8:1::2 300
lab_sleep 3
lab_udp_stop v4 v6
lab_capture_stop clear
cmp_ok "the sender keeps some pace" "$(lab_udp_get v4 sent)" ">=" 450
sent=$(($(lab_udp_get v4 sent) + $(lab_udp_get v6 sent)))
is "no packet lost, IPv4" "$(lab_udp_get v4 lost)" 0
is "no packet lost, IPv6" "$(lab_udp_get v6 lost)" 0
cmp_ok "the capture sees GRE" "$(lab_capture_count clear 'ip proto 47')" ">=" "$sent"
is "and no ESP" "$(lab_capture_count clear 'ip proto 50')" 0
cmp_ok "and reads the payload" "$(lab_capture_canary clear)" ">=" "$sent"

lab_run inet tc qdisc add dev branch0 root netem loss 10%
lab_udp_start lossy lanhq lanbranch 10.2.0.2 1000
lab_sleep 3
lab_udp_stop lossy
sent=$(lab_udp_get lossy sent) lost=$(lab_udp_get lossy lost)
cmp_ok "many packets a second" "$sent" ">=" 1500
is "sent = received + lost" "$sent" $(($(lab_udp_get lossy received) + lost))
cmp_ok "10 % loss is counted: at least 5 %" "$lost" ">=" $((sent / 20))
cmp_ok "and at most 15 %" "$lost" "<=" $((sent * 15 / 100))

done_testing
