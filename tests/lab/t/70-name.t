#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The peer's remote is a DNS name: without name servers there is no link, and the state says why; what the name is moved to is followed
# in one step and never in clear; a name that does not resolve any more leaves everything as it is, also over a restart of gwd; of
# several addresses the one that answers is found; name servers and /etc/hosts are read anew.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

# ADDRESS [TTL]: a name server there; it answers with what is in $LAB_DIR/names
names_start() {
	lab_stop inet dnsmasq
	: >"$LAB_DIR/inet/log/dnsmasq.log"
	lab_spawn inet dnsmasq dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
		--bind-interfaces --except-interface=lo --listen-address="$1" --local=/example.net/ --addn-hosts="$LAB_DIR/names" --local-ttl="${2-30}" \
		--log-queries
	lab_wait 10 grep -q 'started' "$LAB_DIR/inet/log/dnsmasq.log"
}

# ADDRESS...: those of branch.example.net
names_set() {
	printf '%s branch.example.net\n' "$@" >"$LAB_DIR/names"
	kill -HUP "$(lab_pid inet dnsmasq)" 2>/dev/null
	return 0
}

hq_state() {
	lab_gwctl hq status --json | build/tests/pick "tunnels[0].$1"
}

remote_is() {
	[ "$(hq_state remote)" = "$1" ] && ip -n hq -d link show branch1 | grep -q "remote $1 "
}

remote6_is() {
	[ "$(hq_state remote)" = "$1" ] && ip -n hq -d link show branch1 | grep -q "ip6gre remote $1 "
}

asked() {
	[ "$(hq_state remote_name.error)" = "$1" ]
}

asks_late() {
	[ "$(hq_state remote_name.ask_s)" -gt 1000 ]
}

asks_soon() {
	[ "$(hq_state remote_name.ask_s)" -le 45 ]
}

both_up() {
	lab_wait "$1" site_is hq up && lab_wait "$1" site_is branch up && return
	diag "$(lab_gwctl hq)" "$(lab_gwctl branch)"
	return 1
}

# NODE ADDRESS: of the address nothing is left
nothing_of() {
	[[ $(ip -n "$1" xfrm policy; ip -n "$1" xfrm state; lab_run "$1" nft list table inet gwd) != *"$2"* ]]
}

# FROM TO: branch gets another address on its interface
branch_moves() {
	printf '%s\n' "addr del $1/24 dev wan0" "addr add $2/24 dev wan0" "route replace default via 203.0.113.254" |
		ip -n branch -batch -
}

received() {
	local now

	now=$(lab_run lanbranch awk '$1 == "Udp:" { n = $2 } END { print n }' /proc/net/snmp)
	[ "$now" -gt $(($1 + 5)) ]
}

passes() {
	local now

	now=$(lab_run lanbranch awk '$1 == "Udp:" { n = $2 } END { print n }' /proc/net/snmp)
	lab_wait 15 received "$now"
}

lab_topology
sites_keys
sites_conf "    ike: {dpd-delay: 2s}"
sed -i 's/203.0.113.7/branch.example.net/' "$LAB_DIR/hq/gwd/gwd.yaml"
echo nameserver 198.51.100.254 >"$(lab_path hq /etc/resolv.conf)"
ip -n hq route add unreachable 10.2.0.0/16
ip -n branch route add unreachable 10.1.0.0/16
lab_capture_start clear inet any 256 "proto 47 or ip6 proto 47"
lab_capture_start wire inet hq0 128
ok "charon and gwd start" lab_gateways hq branch

# ---- no name server
like "the name is being asked for" "$(hq_state reason)" "the name branch.example.net (is being resolved|does not resolve)"
ok "no name server answers" lab_wait 20 asked "no name server gives an answer"
like "the state says why and since when" "$(lab_gwctl hq)" \
	"no address of the peer: the name branch.example.net does not resolve here since 20[0-9-]+ [0-9:]+: no name server"
is "and it is down" "$(hq_state state)" down
nok "there is no link" ip -n hq link show branch1
names_set 203.0.113.7
ok "a name server starts" names_start 198.51.100.254
lab_gwctl hq reload >/dev/null
ok "then the tunnel comes up" both_up 40
is "the address is that of the name" "$(hq_state remote_name.addresses)" '["203.0.113.7"]'
lab_udp_start there lanhq lanbranch 10.2.0.2 50
ok "packets pass" passes

# ---- the peer moves
index=$(ip -n hq -j link show branch1 | build/tests/pick '[0].ifindex')
names_set 203.0.113.8
branch_moves 203.0.113.7 203.0.113.8
lab_sleep 1
lab_gwctl hq reload >/dev/null
ok "reload asks again: hq follows" lab_wait 20 remote_is 203.0.113.8
ok "up again" both_up 30
ok "packets pass again" passes
is "the link is the same one" "$(ip -n hq -j link show branch1 | build/tests/pick '[0].ifindex')" "$index"
ok "nothing is left of the old address on hq" lab_wait 10 nothing_of hq 203.0.113.7
ok "nor on branch" lab_wait 10 nothing_of branch 203.0.113.7

# ---- it moves again, and nobody says so: the peer is lost, long before the name's time to live is over
names_start 198.51.100.254 3600
lab_gwctl hq reload >/dev/null
ok "the name is good for an hour" lab_wait 10 asks_late
names_set 203.0.113.7
branch_moves 203.0.113.8 203.0.113.7
ok "a lost peer is asked for again: hq follows" lab_wait 60 remote_is 203.0.113.7
ok "up once more" both_up 30
ok "and packets pass" passes

# ---- and again, while the peer lives at the old address too: by the time to live
ip -n branch addr add 203.0.113.8/24 dev wan0
names_start 198.51.100.254 30
lab_gwctl hq reload >/dev/null
ok "the name is good for half a minute" lab_wait 10 asks_soon
names_set 203.0.113.8
ok "up as long as nobody asks" site_is hq up
ok "the time to live is over: hq follows" lab_wait 60 remote_is 203.0.113.8
names_set 203.0.113.7
ip -n branch addr del 203.0.113.8/24 dev wan0
lab_gwctl hq reload >/dev/null
ok "and back" lab_wait 20 remote_is 203.0.113.7
ok "up" both_up 40

# ---- no name server any more
lab_stop inet dnsmasq
lab_gwd_stop hq
spi=$(ip -n hq xfrm state | grep -o 'spi 0x[0-9a-f]*' | sort)
ok "gwd restarts without name servers" lab_gwd_start hq
ok "it takes over the address that stands" remote_is 203.0.113.7
ok "the tunnel is up" lab_wait 20 site_is hq up
is "with no other SAs than before" "$(ip -n hq xfrm state | grep -o 'spi 0x[0-9a-f]*' | sort | comm -23 - <(echo "$spi"))" ""
is "and the same link" "$(ip -n hq -j link show branch1 | build/tests/pick '[0].ifindex')" "$index"
ok "packets pass" passes
ok "no name server answers" lab_wait 20 asked "no name server gives an answer"
is "the tunnel stays up" "$(hq_state state)" up
like "with a remark" "$(hq_state reason)" "up at the peer's last address: the name branch.example.net does not resolve here since"

# ---- another name server
echo nameserver 203.0.113.254 >"$(lab_path hq /etc/resolv.conf)"
names_set 203.0.113.66 203.0.113.7
ok "a name server elsewhere" names_start 203.0.113.254
ok "is found in resolv.conf" lab_wait 40 asked null
like "it told two addresses" "$(hq_state 'remote_name.addresses[1]')" '^203\.0\.113\.'
is "the address in use is kept, as it is among the answers" "$(hq_state remote)" 203.0.113.7
is "the tunnel is up" "$(hq_state state)" up

# ---- the name has an address of the other family, alone, then both
for n in hq branch; do cp "$LAB_DIR/$n/gwd/gwd.yaml" "$LAB_DIR/$n/ipv4"; done
sed -i 's/198.51.100.1/2001:db8:f1::1/' "$LAB_DIR/branch/gwd/gwd.yaml"
names_set 2001:db8:f7::7
lab_gwctl branch reload >/dev/null
lab_gwctl hq reload >/dev/null
ok "an address of IPv6: hq follows" lab_wait 20 remote6_is 2001:db8:f7::7
ok "up over IPv6" both_up 40
ok "packets pass" passes
ok "nothing is left of IPv4" lab_wait 10 nothing_of hq 203.0.113.7
names_set 203.0.113.7 2001:db8:f7::7
lab_gwctl hq reload >/dev/null
ok "both families are told" lab_wait 10 eval '[[ $(hq_state remote_name.addresses) == *:*203.0.113.7* ]]'
ok "the one in use stays" remote6_is 2001:db8:f7::7
is "it is up" "$(hq_state state)" up
cp "$LAB_DIR/branch/ipv4" "$LAB_DIR/branch/gwd/gwd.yaml"
sed -i 's/^    remote: branch.example.net/&\n    remote-family: ipv4/' "$LAB_DIR/hq/gwd/gwd.yaml"
lab_gwctl branch reload >/dev/null
lab_gwctl hq reload >/dev/null
ok "remote-family: ipv4 takes the other" lab_wait 20 remote_is 203.0.113.7
ok "up over IPv4" both_up 40

# ---- several addresses, the first of which is dead; and /etc/hosts before DNS
printf '%s\n' "203.0.113.66 gw branch.example.net" "203.0.113.7 branch.example.net # alive" >>"$(lab_path hq /etc/hosts)"
lab_gwctl hq teardown >/dev/null
nok "torn down" ip -n hq link show branch1
lab_gwd_stop hq
ok "gwd begins anew" lab_gwd_start hq
ok "the first address of hosts is tried" lab_wait 20 remote_is 203.0.113.66
ok "then the next, which answers" lab_wait 60 remote_is 203.0.113.7
ok "and it comes up" both_up 30

lab_udp_stop there
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
cmp_ok "ESP crossed" "$(lab_capture_count wire 'ip proto 50')" '>' 200
cmp_ok "the capture sees GRE in clear" "$(lab_capture_count clear 'host 198.51.100.254')" '>' 0
is "of the tunnel there was none" "$(lab_capture_count clear 'not host 198.51.100.254')" 0
cmp_ok "GRE in clear is read on the wire" "$(lab_capture_canary wire)" '>=' 2

done_testing
