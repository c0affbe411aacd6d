#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# NAT between the gateways. First the branch is behind it and calls (hq: remote: any): the MTU, and a NAT that gets another
# address. Then the one that is called is behind it, by a port forward. 74-same-nat has rekeys, and mappings that change.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/callers.sh
. tests/lab/callers.sh

masquerade() {
	lab_run nat nft -f - <<-END
	table ip nat
	delete table ip nat
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat;
			oifname wan0 meta l4proto udp masquerade ${1-}
			oifname wan0 masquerade
		}
		chain pre {
			type nat hook prerouting priority dstnat;
			${2-}
		}
	}
	END
}

remote_is() {
	[ "$(get hq to-b1 .remote)" = "$1" ]
}

# SPI: hq has one, and another
spi_is_not() {
	local now

	now=$(get hq to-b1 .policy.spi)
	[[ $now =~ ^[0-9a-f]{8}$ ]] && [ "$now" != "$1" ]
}

carries() {
	lab_run "$1" ping -q -c1 -W1 "$2"
}

traces() {
	{ ip -n hq xfrm policy; lab_run hq nft list table inet gwd; ip -n hq -d link show type gre; } | grep -c "203.0.113.$1\b"
}

lab_node hq inet nat b1
lab_router inet nat
lab_link hq wan0 198.51.100.1/24 -- inet hq0 198.51.100.254/24
lab_link nat wan0 203.0.113.1/24 -- inet nat0 203.0.113.254/24
lab_link b1 wan0 192.168.1.7/24 -- nat lan0 192.168.1.1/24
lab_defaults hq 198.51.100.254
lab_defaults nat 203.0.113.254
lab_defaults b1 192.168.1.1
masquerade ""
keys hq b1
hub_begin
hub_tunnel to-b1 b1 1
caller_conf b1 1 198.51.100.1
lab_capture_start wire inet hq0

ok "hq and b1 start" start hq b1
ok "up through the NAT" wait_both b1
is "hq sees the NAT's address" "$(get hq to-b1 .remote)" 203.0.113.1
ok "it carries" lab_run b1 ping -q -c3 -i0.2 -W2 10.255.1.1
is "the MTU has room for UDP" "$(get hq to-b1 .mtu) $(get b1 hq .mtu)" "1434 1434"
ok "a packet of 1434 passes whole" lab_run b1 ping -q -c2 -i0.2 -W2 -M "do" -s 1406 10.255.1.1
nok "one of 1435 does not" lab_run b1 ping -q -c1 -W1 -M "do" -s 1407 10.255.1.1

# another address, as after a provider's reconnect
lab_spawn hq pings ping -i0.1 -W1 10.255.1.2
ip -n nat addr del 203.0.113.1/24 dev wan0
ip -n nat addr add 203.0.113.2/24 dev wan0
ip -n nat route replace default via 203.0.113.254
ok "the NAT has another address: hq follows" lab_wait 40 remote_is 203.0.113.2
ok "it carries" lab_wait 20 carries b1 10.255.1.1
ok "up" wait_both b1
ok "nothing is left of the first" lab_wait 20 eval '[ "$(traces 1)" = 0 ]'
spi=$(get hq to-b1 .policy.spi)
like "hq has an SA" "$spi" '^[0-9a-f]{8}$'
ok "b1 begins a rekey there" lab_swanctl b1 --rekey --child gre
ok "hq goes along" lab_wait 30 spi_is_not "$spi"
ok "and it carries" lab_run b1 ping -q -c3 -i0.2 -W2 10.255.1.1
lab_stop hq pings INT

# the called one behind a port forward
lab_gwctl hq teardown >/dev/null
lab_gwctl b1 teardown >/dev/null
masquerade "" 'iifname wan0 udp dport { 500, 4500 } dnat to 192.168.1.7'
hub_begin
hub_tunnel to-b1 b1 1
sed -i 's/remote: any/remote: 203.0.113.2/' "$LAB_DIR/hq/gwd/gwd.yaml"
caller_conf b1 1 any
ok "b1 waits to be called" lab_gwctl b1 reload
ok "hq calls the NAT's address" lab_gwctl hq reload
ok "up" wait_both b1
is "b1 sees hq's own address" "$(get b1 hq .remote)" 198.51.100.1
ok "it carries" lab_run hq ping -q -c3 -i0.2 -W2 10.255.1.2
is "in UDP, with room for it" "$(get hq to-b1 .mtu) $(get b1 hq .mtu)" "1434 1434"

lab_capture_stop wire
is "no GRE in clear" "$(lab_capture_count wire 'proto 47')" 0
is "no ESP without UDP" "$(lab_capture_count wire 'ip proto 50')" 0
cmp_ok "all in UDP" "$(lab_capture_count wire 'udp port 4500')" '>' 50
lab_capture_start control inet hq0
ip -n hq link add plain type gre local 198.51.100.1 remote 203.0.113.77 ttl 64
ip -n hq addr add 10.77.0.1/30 dev plain
ip -n hq link set plain up
lab_run hq ping -q -c2 -i0.2 -W1 10.77.0.2 >/dev/null
lab_capture_stop control
cmp_ok "control: the capture sees GRE in clear" "$(lab_capture_count control 'proto 47')" '>' 0

done_testing
