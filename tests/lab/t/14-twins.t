#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two tunnels that are written differently and come to the same two addresses: an interface and its address, an address and a name. One
# works on as if the other were not there; the other says why it has nothing, and gets the addresses when they are free. What
# happens to one that is disabled takes nothing from the one at work, not even for a moment. Nothing leaves in clear meanwhile, though
# one of them is plain.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

# [LINE...]: hq's configuration with these lines more
twin() {
	cp "$LAB_DIR/hq/conf" "$LAB_DIR/hq/gwd/gwd.yaml"
	printf '%s\n' "$@" >>"$LAB_DIR/hq/gwd/gwd.yaml"
}

state_of() {
	lab_gwctl hq status --json | build/tests/pick "tunnels[name=$1].state"
}

reason_of() {
	lab_gwctl hq status --json | build/tests/pick "tunnels[name=$1].reason"
}

is_state() {
	[ "$(state_of "$1")" = "$2" ]
}

# what stands on hq: policies with their reqids, the guard's pairs, links and their indexes
stands() {
	ip -n hq xfrm policy list | grep -E '^src|dir|reqid' | sort
	lab_run hq nft list table inet gwd | sed 's/ counter packets [0-9]* bytes [0-9]*//' | grep -c 203.0.113
	ip -n hq -o link show type gre | cut -d: -f1,2
}

# NAME: nothing of branch1 was touched, and it carries
undisturbed() {
	is "$1: nothing of the first was touched" "$(stands)" "$before"
	ok "$1: it is up" site_is hq up
	is "$1: nothing is left to change" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0
	nok "$1: the other has no link" ip -n hq link show twin
}

lab_topology
ok "up" sites_up
cp "$LAB_DIR/hq/gwd/gwd.yaml" "$LAB_DIR/hq/conf"
lab_capture_start clear inet hq0 128 "proto 47 or udp"
lab_udp_start there hq branch 10.255.0.2 50
lab_udp_start back branch hq 10.255.0.1 50
lab_sleep 1
before=$(stands)

# ---- by interface and by address, plain
twin "  twin: {local: 198.51.100.1, remote: 203.0.113.7, protect: none, addresses: [10.255.9.1/30]}"
ok "hq takes a plain twin" lab_gwctl hq reload
undisturbed "plain"
is "plain: the other is down" "$(state_of twin)" down
like "plain: and says why" "$(reason_of twin)" \
	"^conflict here: twin would run between the same addresses as branch1, 198.51.100.1 and 203.0.113.7: give each a gre-key, on both sides$"

# ---- disabled, protected, of another peer: its events, while somebody watches for what goes
other='peer: {id: other.example.net, public-key: MCowBQYDK2VwAyEA4NOT4eXW2MG2Z1Pk17wlr/jmkSmMSxeW/HHk00CQ31k=}'
idle="local: 198.51.100.1, remote: 203.0.113.7, enabled: no, $other, addresses: [10.255.9.1/30]"
twin "  twin: {local: 198.51.100.1, remote: 203.0.113.77, $other, addresses: [10.255.9.1/30]}"
ok "a twin elsewhere" lab_gwctl hq reload
reqid=$(ip -n hq xfrm policy list dst 203.0.113.77 | sed -n 's/.* reqid \([0-9]*\) .*/\1/p')
like "has policies" "$reqid" '^[0-9]+$'
lab_spawn hq watch.xfrm stdbuf -oL ip xfrm monitor policy
lab_spawn hq watch.nft stdbuf -oL nft monitor
# something of somebody else's, until both tell of it
watching() {
	ip -n hq xfrm policy update src 192.0.2.250 dst 192.0.2.251 dir fwd
	lab_run hq nft "add table ip watched; delete table ip watched"
	grep -q 192.0.2.250 "$LAB_DIR/hq/log/watch.xfrm.log" && grep -q watched "$LAB_DIR/hq/log/watch.nft.log"
}
ok "somebody watches" lab_wait 30 watching
ip -n hq xfrm policy delete src 192.0.2.250 dst 192.0.2.251 dir fwd
# what was deleted of ours between the two, by the kernel's word
taken() {
	grep -A1 -h '^Deleted' "$LAB_DIR/hq/log/watch.xfrm.log" | grep -c '203\.0\.113\.7/'
	grep -c '^delete .*203\.0\.113\.7 ' "$LAB_DIR/hq/log/watch.nft.log"
}
twin "  twin: {$idle}"
ok "it moves here, disabled" lab_gwctl hq reload
for i in 1 2; do
	ip -n hq link add twin type dummy
	ip -n hq addr add 10.255.9.1/30 dev twin
	ip -n hq link set twin up
	lab_sleep 0.3
	ip -n hq link del twin
	lab_sleep 0.3
	ip -n hq xfrm state add src 203.0.113.7 dst 198.51.100.1 proto esp spi 0x77$i reqid "$reqid" mode transport \
		aead 'rfc4106(gcm(aes))' 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff01020304 128
	lab_sleep 0.3
	ip -n hq xfrm state delete src 203.0.113.7 dst 198.51.100.1 proto esp spi 0x77$i
	twin "  twin: {$idle, description: change $i}"
	lab_gwctl hq reload >/dev/null
done
lab_sleep 0.5
is "disabled: nothing was taken from the first" "$(taken | paste -sd' ')" "0 0"
undisturbed "disabled"
like "control: the watch saw the policies go elsewhere" "$(<"$LAB_DIR/hq/log/watch.xfrm.log")" '203\.0\.113\.77/32'
like "control: and the pair" "$(<"$LAB_DIR/hq/log/watch.nft.log")" 'delete .*203\.0\.113\.77 '

# ---- by a name, protected, of another peer
echo "203.0.113.7 other.example.net" >>"$(lab_path hq /etc/hosts)"
twin "  a-twin: {remote: other.example.net, $other, interface: twin, addresses: [10.255.9.1/30]}"
ok "hq takes a twin by name" lab_gwctl hq reload
ok "name: it says why" lab_wait 10 grep -q 'a-twin would run between the same addresses as branch1' "$LAB_DIR/hq/log/gwd.log"
undisturbed "name"
like "name: the state says so too" "$(reason_of a-twin)" "same addresses as branch1, 198.51.100.1 and 203.0.113.7"
ok "gwd starts anew with both" eval 'lab_gwd_stop hq && lab_gwd_start hq'
ok "who works keeps the addresses, though it is not the first by name" lab_wait 20 site_is hq up
undisturbed "restart"

# ---- the name moves away: it has addresses of its own
sed -i 's/^203.0.113.7 other/203.0.113.77 other/' "$(lab_path hq /etc/hosts)"
lab_gwctl hq reload >/dev/null
ok "the name moved: it has a link" lab_wait 20 ip -n hq link show twin
is "to the new address" "$(ip -n hq -d link show twin | grep -o 'remote [0-9.]*')" "remote 203.0.113.77"
ok "the first is up" site_is hq up

# ---- the first goes, the plain one gets the addresses; and gives them back
twin "  twin: {local: 198.51.100.1, remote: 203.0.113.7, protect: none, addresses: [10.255.9.1/30]}"
lab_gwctl hq reload >/dev/null
lab_udp_stop there back
is "no packet of the first was lost" "$(lab_udp_get there lost) $(lab_udp_get back lost)" "0 0"
is "nothing was in clear" "$(lab_capture_count clear 'proto 47')" 0
is "nor readable" "$(lab_capture_canary clear)" 0
twin "  twin: {$idle}"
lab_gwctl hq reload >/dev/null
lab_udp_start flushed hq branch 10.255.0.2 50
lab_sleep 0.5
ip -n hq xfrm policy flush
same() {
	[ "$(stands)" = "$before" ]
}
ok "policies flushed, with a disabled twin: all of the first comes back" lab_wait 10 same
lab_run hq nft delete table inet gwd
ok "and with the table deleted" lab_wait 10 same
ok "and it is up" lab_wait 10 site_is hq up
lab_udp_stop flushed
cmp_ok "packets went" "$(lab_udp_get flushed received)" '>' 50
is "nothing was in clear then" "$(lab_capture_count clear 'proto 47')" 0
twin "  twin: {local: 198.51.100.1, remote: 203.0.113.7, protect: none, addresses: [10.255.9.1/30]}"
lab_gwctl hq reload >/dev/null
sed -i 's/^  branch1:/&\n    enabled: no/' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "the first is disabled" lab_gwctl hq reload
ok "the plain one has the addresses" lab_wait 10 is_state twin unprotected
lab_run hq ping -c3 -i0.2 -W1 10.255.9.2 >/dev/null
lab_capture_stop clear
cmp_ok "control: the capture sees what it sends" "$(lab_capture_count clear 'proto 47 and src 198.51.100.1')" '>=' 3
sed -i '/enabled: no/d' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "the first is enabled" lab_gwctl hq reload
ok "and comes first again" lab_wait 30 site_is hq up
is "the plain one stands back" "$(state_of twin)" down
done_testing
