#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# remote: any. A peer that calls is known by its identity: guard, policies and link come with its address and follow it, nothing
# of GRE in clear in any phase; gwd's restart loses nothing; and who authenticates as one peer gets nothing of another.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/callers.sh
. tests/lab/callers.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

reason_like() {
	[[ "$(get hq "$1" .reason)" =~ $2 ]]
}

remote_is() {
	[ "$(get hq "$1" .remote)" = "$2" ]
}

# of 203.0.113.X: is anything of gwd on it?
traces() {
	{ ip -n hq xfrm policy; lab_run hq nft list table inet gwd; ip -n hq -d link show type gre; } | grep -c "203.0.113.$1\b"
}

# ADDRESS: how many links, policies and pairs hq has with it
stands_at() {
	echo "$(ip -n hq -d link show to-b1 | grep -c "remote $1 ")" "$(ip -n hq xfrm policy | grep -c "$1/32")" \
		"$(lab_run hq nft list table inet gwd | grep -oE "198.51.100.1 \. $1 |$1 \. 198.51.100.1 " | wc -l)"
}

log_count() {
	grep -c "$2" "$LAB_DIR/$1/log/charon.log"
}

log_has() {
	[ "$(log_count "$1" "$2")" != 0 ]
}

log_more() {
	[ "$(log_count "$1" "$2")" -gt "$3" ]
}

signal() {
	kill -"$2" "$(lab_pid "$1" gwd)"
}

pem() {
	printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' "$(lab_gwctl "$1" pubkey)"
}

lab_node hq inet b1 b2
lab_router inet
lab_link hq wan0 198.51.100.1/24 -- inet hq0 198.51.100.254/24
lab_link b1 wan0 203.0.113.7/24 203.0.113.8/24 -- inet b10 203.0.113.254/24
lab_link b2 wan0 192.0.2.9/24 -- inet b20 192.0.2.254/24
lab_defaults hq 198.51.100.254
lab_defaults b1 203.0.113.254
lab_defaults b2 192.0.2.254
keys hq b1 b2
hub_begin
hub_tunnel to-b1 b1 1
hub_tunnel to-b2 b2 2
caller_conf b1 1 198.51.100.1
caller_conf b2 2 198.51.100.1 'ike: {encap: true}'
lab_capture_start wire inet hq0

ok "hq starts" start hq
ok "it waits for the peer" lab_wait 15 reason_like to-b1 '^waiting for b1.example.net to call \(remote: any\)$'
like "status says any" "$(lab_gwctl hq)" 'to-b1 +down +b1.example.net +any '
is "there is no link" "$(ip -n hq -o link show type gre | grep -c to-b)" 0
ok "the guard is there" lab_run hq nft list table inet gwd

# the window between charon's SAs and gwd's policies, held open
signal hq STOP
ok "b1 starts" start b1
ok "its SAs are on hq" lab_wait 20 grep -q 'CHILD_SA.*established' "$LAB_DIR/hq/log/charon.log"
ok "b1 takes itself for up" lab_wait 20 state b1 hq up
lab_run b1 ping -q -c3 -i0.2 -W1 10.255.1.1 >/dev/null
lab_capture_start control inet hq0
lab_run hq nft delete table inet gwd
lab_run b1 ping -q -c3 -i0.4 -W1 10.255.1.1 >/dev/null
lab_capture_stop control
cmp_ok "control: without the guard ICMP errors quote the decrypted packet" \
	"$(lab_capture_count control 'icmp[0] == 3 and icmp[17] == 47')" '>' 0
lab_capture_stop wire
cmp_ok "the packets of before came in ESP" "$(lab_capture_count wire 'ip proto 50')" '>' 0
clear_watch
signal hq CONT

ok "hq learns where b1 is: up" wait_both b1
is "its address" "$(get hq to-b1 .remote) $(get hq to-b1 .remote_kind)" "203.0.113.7 any"
like "and in the table" "$(lab_gwctl hq)" 'to-b1 +up +b1.example.net +any \(203.0.113.7\)'
ok "it carries" lab_run b1 ping -q -c3 -i0.2 -W2 10.255.1.1
ok "a second peer calls, with its ESP in UDP" start b2
ok "up" wait_both b2
ok "it carries" lab_run hq ping -q -c3 -i0.2 -W2 10.255.2.2
is "8 bytes less for UDP" "$(get b2 hq .mtu) $(get hq to-b2 .mtu) $(get hq to-b1 .mtu)" "1434 1434 1442"
is "and so it goes over the wire" "$(tcpdump -n --count -r "$LAB_DIR/capture/clear.pcap" 'host 192.0.2.9 and ip proto 50' 2>/dev/null)" "0 packets"

# a restart
lab_udp_start keep hq b1 10.255.1.2 50
lab_sleep 1
lab_gwd_kill hq
lab_sleep 1
ok "gwd of hq restarts after SIGKILL" lab_gwd_start hq
ok "both peers are up" lab_wait 20 eval 'both_up b1 && both_up b2'
ok "b1 is where it was" remote_is to-b1 203.0.113.7
lab_sleep 1
lab_udp_stop keep
is "no packet was lost" "$(lab_udp_get keep lost)" 0

# another address
lab_spawn hq pings ping -i0.1 -W1 10.255.1.2
sed -i 's/local: wan0/local: 203.0.113.8/' "$LAB_DIR/b1/gwd/gwd.yaml"
ok "b1 calls from another address" lab_gwctl b1 reload
ok "hq follows" lab_wait 40 remote_is to-b1 203.0.113.8
ok "up" wait_both b1
ok "it carries" lab_run b1 ping -q -c3 -i0.2 -W2 10.255.1.1
ok "nothing of gwd stays at the first address" lab_wait 20 eval '[ "$(traces 7)" = 0 ]'
is "link, two policies and a pair each way are at the second" "$(stands_at 203.0.113.8)" "1 2 2"
lab_stop hq pings INT

# b2 is not b1
lab_stop b2 gwd
lab_swanctl b2 --terminate --ike gwd-hq >/dev/null
pem b2 >"$LAB_DIR/b2/me.pem"
pem hq >"$LAB_DIR/b2/hq.pem"
rogue() {
	cat >"$LAB_DIR/b2/swanctl.conf" <<-END
	connections { $1 { remote_addrs = 198.51.100.1
	version = 2
	proposals = aes256gcm16-prfsha384-x25519
	local { auth = pubkey
	id = $2
	pubkeys = $LAB_DIR/b2/me.pem }
	remote { auth = pubkey
	id = hq.example.net
	pubkeys = $LAB_DIR/b2/hq.pem }
	children { gre { mode = transport
	policies = no
	local_ts = $3
	remote_ts = dynamic[47]
	esp_proposals = aes256gcm16-x25519 } } } }
	END
	lab_swanctl b2 --load-conns --file "$LAB_DIR/b2/swanctl.conf" >/dev/null
	lab_swanctl b2 --initiate --child gre --ike "$1" --timeout 10
}
spi=$(get hq to-b1 .policy.spi)
clear_flows hq b1 10.255.1.2
lab_udp_start there hq b1 10.255.1.2 50
lab_udp_start back b1 hq 10.255.1.1 50
nok "b2's key does not open b1's tunnel while b1 is up" rogue liar b1.example.net 'dynamic[47]'
ok "b2 is told so" log_has b2 'AUTHENTICATION_FAILED'
nok "as itself b2 cannot have the address where b1 is" rogue greedy b2.example.net '203.0.113.8/32[47]'
ok "its traffic selectors are refused" log_has b2 'TS_UNACCEPTABLE'
lab_sleep 1
ok "b1 is up all the while" both_up b1
is "at its address, with its SA" "$(get hq to-b1 .remote) $(get hq to-b1 .policy.spi)" "203.0.113.8 $spi"
is "b2 has nothing" "$(get hq to-b2 .state)" down
lab_udp_stop there back
for flow in there back; do
	cmp_ok "b1's packets $flow were sent" "$(lab_udp_get $flow sent)" '>' 50
	is "and none was lost" "$(lab_udp_get $flow lost)" 0
done

# gone
lab_gwd_kill b1
lab_charon_kill b1
ok "b1 is gone: hq waits" lab_wait 60 reason_like to-b1 '^waiting for b1.example.net to call \(remote: any\), last from 203.0.113.8'
is "the link is dormant" "$(get hq to-b1 .link.operstate)" dormant
is "the policies stay" "$(ip -n hq xfrm policy | grep -c 203.0.113.8/32)" 2
lab_run hq ping -q -c2 -i0.2 -W1 10.255.1.2 >/dev/null

failed=$(log_count b2 AUTHENTICATION_FAILED) refused=$(log_count b2 TS_UNACCEPTABLE)
nok "b2's key does not open b1's tunnel when b1 is gone" rogue liar b1.example.net 'dynamic[47]'
ok "b2 is told so" log_more b2 'AUTHENTICATION_FAILED' "$failed"
ok "b1's address is where it was" remote_is to-b1 203.0.113.8
ok "and b1 is still waited for" reason_like to-b1 '^waiting for b1'
nok "as itself b2 cannot have b1's address" rogue greedy b2.example.net '203.0.113.8/32[47]'
ok "its traffic selectors are refused" log_more b2 'TS_UNACCEPTABLE' "$refused"
is "no SA of hq is with b1's address" \
	"$(ip -n hq xfrm state | grep -A1 '^src.*203.0.113.8' | grep spi | grep -vc 'spi 0x00000000')" 0
ok "control: with its own it can" rogue fair b2.example.net 'dynamic[47]'
ok "and gets b2's tunnel" lab_wait 15 state hq to-b2 up
ok "which leaves b1's alone" remote_is to-b1 203.0.113.8

is "no GRE in clear before" "$(lab_capture_count wire 'proto 47')" 0
clear_none "from when hq knew where b1 is"
clear_control b1 10.255.1.2

done_testing
