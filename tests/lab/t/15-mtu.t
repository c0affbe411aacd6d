#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Full-size packets: forwarded and of the gateways themselves, with DF and without, IPv4 and IPv6, TCP in both directions; on a
# path of 1500, on one that shrinks to 1300 (one side sees its own link shrink, the other learns it from the router), and
# that grows again. The MTU follows the SA that leaves least room. TCP is clamped, also over plain GRE, and not where
# mss-clamp is false.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

bulk=build/tests/bulk
[ $bulk -nt tests/lab/bulk.c ] || { mkdir -p build/tests && cc -O2 -o $bulk tests/lab/bulk.c; }

# [HQ-MORE [BRANCH-MORE [SED]]]: the sites, both families inside, with keys more in the tunnels, edited by sed
mtu_conf() {
	local n more=("${1-}" "${2-}")

	if [ ! -e "$LAB_DIR/hq/conf" ]; then
		sites_conf
		sed -i 's|routes: \[10.2.0.0/24|&, "2001:db8:2::/64"|' "$LAB_DIR/hq/gwd/gwd.yaml"
		sed -i 's|routes: \[10.1.0.0/24|&, "2001:db8:1::/64"|' "$LAB_DIR/branch/gwd/gwd.yaml"
		for n in hq branch; do cp "$LAB_DIR/$n/gwd/gwd.yaml" "$LAB_DIR/$n/conf"; done
	fi
	for n in hq branch; do
		{ sed "${3-}" "$LAB_DIR/$n/conf"; echo "${more[0]}"; } >"$LAB_DIR/$n/gwd/gwd.yaml"
		more=("${more[1]-}")
	done
}

both_reload() {
	lab_gwctl hq reload && lab_gwctl branch reload && both_up
}

both_plain() {
	lab_gwctl hq reload && lab_gwctl branch reload
}

both_up() {
	lab_wait 30 site_is hq up && lab_wait 30 site_is branch up
}

# NODE: the MTU of its link
link_mtu() {
	ip -n "$1" -j link show "$(site_tunnel "$1")" | build/tests/pick '[0].mtu'
}

mtu_is() {
	[ "$(link_mtu "$1")" = "$2" ]
}

# NODE ADDRESS SIZE do|dont: an echo in an IP packet of so many bytes
echoed() {
	local header=28

	[[ $2 != *:* ]] || header=48
	lab_run "$1" ping -M "$4" -s $(($3 - header)) -c2 -i0.2 -W2 "$2"
}

# NAME: bulk both ways from lanhq to lanbranch, IPv4 and IPv6
bulk_passes() {
	local addr

	for addr in 10.2.0.2 2001:db8:2::2; do
		is "bulk, there and back: $1, $addr" "$(lab_run lanhq $bulk -s $addr 7777 300000 2>&1)" 300000
	done
}

# NAME SIZE [LEAST]: full-size packets on a path of 1300: of the gateways and of hosts behind them, both ways, with DF and without;
# the larger ones go in fragments where they have no DF, and are told of the limit, or of the link's, where they have
ipv4_sizes() {
	local from to

	while read -r from to; do
		forget
		ok "$1: $2 bytes with DF, $from" echoed $from $to $2 "do"
		like "$1: 1281 with DF are told of the path, $from" "$(echoed $from $to 1281 "do" 2>&1)" "mtu ?= ?($2|${3-$2})"
		ok "$1: 1442 bytes without DF, $from" echoed $from $to 1442 dont
	done <<-END
	hq 10.255.0.2
	branch 10.255.0.1
	lanhq 10.2.0.2
	lanbranch 10.1.0.2
	END
}

ipv6_sizes() {
	local from to

	while read -r from to; do
		forget
		ok "$1: 1280 bytes of IPv6, $from" echoed $from $to 1280 "do"
		ok "$1: 1442 bytes of IPv6 in fragments, $from" lab_wait 5 echoed $from $to 1442 dont
	done <<-END
	hq 2001:db8:ff::2
	branch 2001:db8:ff::1
	lanhq 2001:db8:2::2
	lanbranch 2001:db8:1::2
	END
}

# the hosts forget the path MTUs they learned
forget() {
	local n

	for n in lanhq lanbranch; do
		ip -n $n route flush cache
		ip -n $n -6 route flush cache
	done
}

# NODE ADDRESS: connects
connects() {
	lab_run "$1" $bulk -s "$2" 7777 1000
}

# CAPTURE: the MSS last announced in it
mss_seen() {
	tcpdump -vnr "$LAB_DIR/capture/$1.pcap" 2>/dev/null | sed -n 's/.*mss \([0-9]*\).*/\1/p' | tail -1
}

mss_both() {
	[ "$(mss_seen there), $(mss_seen back)" = "$1" ]
}

# NAME WANT-THERE WANT-BACK ADDRESS: SYN and SYN ACK of a connection between the sites arrive with this MSS
mss_is() {
	forget
	ok "connection: $1" connects lanhq "$4"
	lab_wait 3 mss_both "$2, $3"
	is "MSS there and back: $1" "$(mss_seen there), $(mss_seen back)" "$2, $3"
}

lab_topology
sites_keys
mtu_conf
lab_gateways hq branch
lab_spawn lanbranch bulk $bulk -r 7777
lab_capture_start there lanbranch eth0 128 -Q in 'tcp[13] & 2 != 0 or ip6[53] & 2 != 0'
lab_capture_start back lanhq eth0 128 -Q in 'tcp[13] & 2 != 0 or ip6[53] & 2 != 0'
ok "up" both_up

# ---- a path of 1500
like "show writes the sum out" "$(lab_gwctl hq show branch1)" "mtu 1442 = 1500 - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE"
ok "1442 bytes with DF pass, forwarded" echoed lanhq 10.2.0.2 1442 "do"
like "one more does not, and the gateway says so" "$(echoed lanhq 10.2.0.2 1443 "do" 2>&1)" "mtu = 1442"
ok "without DF it passes" echoed lanhq 10.2.0.2 1443 dont
ok "1442 bytes of the gateway's own" echoed hq 10.255.0.2 1442 "do"
ok "1442 bytes of IPv6, forwarded" echoed lanhq 2001:db8:2::2 1442 "do"
like "one more is too big" "$(echoed lanbranch 2001:db8:1::2 1443 "do" 2>&1)" "mtu=1442"
mss_is "IPv4" 1402 1402 10.2.0.2
mss_is "IPv6" 1382 1382 2001:db8:2::2
bulk_passes "1500"

# ---- only one of the sites clamps
mtu_conf "" "    mss-clamp: false"
ok "branch clamps no more" lab_gwctl branch reload
mss_is "hq alone clamps" 1402 1402 10.2.0.2
mtu_conf "    mss-clamp: false" "    mss-clamp: false"
ok "nor does hq" lab_gwctl hq reload
mss_is "nobody clamps" 1460 1460 10.2.0.2
is "the guard is as it should be" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0
mtu_conf
ok "both clamp again" both_reload

# ---- another SA that leaves less room, beside the one in use
reqid=$(ip -n hq xfrm policy list dir out | sed -n 's/.*reqid \([0-9]*\) .*/\1/p' | head -1)
zeros=$(printf '0%.0s' {1..64})
fat="src 198.51.100.1 dst 203.0.113.7 proto esp spi 0x1001"
# shellcheck disable=SC2086
ip -n hq xfrm state add $fat reqid "$reqid" mode transport auth-trunc 'hmac(sha256)' "0x$zeros" 128 \
	enc 'cbc(aes)' "0x$zeros" sel src 198.51.100.1 dst 203.0.113.7
ok "the link shrinks when a fatter SA comes" lab_wait 10 mtu_is hq 1434
# shellcheck disable=SC2086
ip -n hq xfrm state delete $fat
ok "and grows when it has gone" lab_wait 10 mtu_is hq 1442

# ---- the path shrinks
ip -n inet link set branch0 mtu 1300
ip -n branch link set wan0 mtu 1300
ok "branch follows its own link, down to IPv6's least" lab_wait 15 mtu_is branch 1280
ok "before hq knows, 1442 bytes without DF pass" echoed lanhq 10.2.0.2 1442 dont
# of the path, or of the link that has shrunk already
like "forwarded packets with DF are told of the path" "$(echoed lanhq 10.2.0.2 1442 "do" 2>&1)" "mtu ?= ?12(42|80)"
ok "hq learns it from the router" lab_wait 15 mtu_is hq 1280
like "show tells from where" "$(lab_gwctl hq show branch1)" "mtu 1280 = 1300 \(learned from the path\) - 20 IPv4 .* = 1242, raised to 1280"
ipv4_sizes "1300" 1242 1280
ipv6_sizes "1300"
mss_is "1300, IPv6" 1220 1220 2001:db8:2::2
bulk_passes "1300"

# ---- without IPv6 inside the link has the path's very size
mtu_conf "" "" 's|, 2001:db8:ff::./64||; s|, "2001:db8:.::/64"||'
ok "taken" both_reload
ok "hq 1242" lab_wait 10 mtu_is hq 1242
ok "branch 1242" lab_wait 10 mtu_is branch 1242
mss_is "1300" 1202 1202 10.2.0.2
ok "1242 bytes of the gateway's own" echoed branch 10.255.0.1 1242 "do"
mtu_conf
ok "IPv6 back" both_reload
ok "and the IPv6 way" lab_wait 10 echoed lanhq 2001:db8:2::2 1280 "do"

# ---- and grows again
ip -n inet link set branch0 mtu 1500
ip -n branch link set wan0 mtu 1500
ip -n hq route flush cache
ok "branch grows" lab_wait 15 mtu_is branch 1442
ok "hq grows when what was learned has ended" lab_wait 15 mtu_is hq 1442
forget
ok "1442 bytes pass" echoed lanhq 10.2.0.2 1442 "do"

# ---- a route's own
ip -n hq route add 203.0.113.7 via 198.51.100.254 mtu 1400
ok "hq follows a route's mtu" lab_wait 15 mtu_is hq 1342
like "and says so" "$(lab_gwctl hq show branch1)" "1400 \(the route's\)"
ip -n hq route del 203.0.113.7
ok "and its end" lab_wait 15 mtu_is hq 1442

# ---- plain GRE
mtu_conf "" "" '/peer:/d; s/^    addresses:/    protect: none\n&/'
ok "both go plain" both_plain
ok "1476 bytes" lab_wait 10 mtu_is hq 1476
mss_is "plain GRE" 1436 1436 10.2.0.2

# ---- over IPv6, where nothing on the way fragments
mtu_conf "" "" 's/remote: 203.0.113.7/remote: 2001:db8:f7::7/; s/remote: 198.51.100.1/remote: 2001:db8:f1::1/'
ok "up over IPv6" both_reload
ok "1422 bytes" lab_wait 10 mtu_is hq 1422
forget
ok "pass" echoed lanhq 10.2.0.2 1422 "do"
ip -n inet link set branch0 mtu 1400
ip -n branch link set wan0 mtu 1400
echoed lanhq 10.2.0.2 1422 "do" >/dev/null 2>&1
ok "hq learns the path" lab_wait 15 mtu_is hq 1322
like "and says so" "$(lab_gwctl hq show branch1)" "mtu 1322 = 1400 \(learned from the path\) - 40 IPv6"
ok "1322 bytes pass" echoed lanhq 10.2.0.2 1322 "do"
ok "1422 bytes without DF pass" echoed lanhq 10.2.0.2 1422 dont
bulk_passes "over IPv6, 1400"

# ---- and where what fits is less than IPv6 needs inside: IPv4 has all of it, IPv6 no place, which is said
ip -n inet link set branch0 mtu 1300
ip -n branch link set wan0 mtu 1300
echoed lanhq 10.2.0.2 1322 "do" >/dev/null 2>&1
ok "hq learns the narrower path" lab_wait 15 mtu_is hq 1222
ok "branch has it from its link" lab_wait 15 mtu_is branch 1222
ok "up still" both_up
like "with a remark" "$(lab_gwctl hq)" "without IPv6 inside: the path leaves packets of 1222 bytes, and IPv6 needs 1280"
like "and in the sum" "$(lab_gwctl hq show branch1)" "= 1222, too little for IPv6 inside"
is "nothing is left to change" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0
ipv4_sizes "over IPv6, 1300" 1222
is "bulk over IPv6, 1300" "$(lab_run lanhq $bulk -s 10.2.0.2 7777 300000 2>&1)" 300000
like "IPv6 ends at the gateway, which says so" "$(echoed lanhq 2001:db8:2::2 100 dont 2>&1)" "[Uu]nreachable|[Nn]o route"
ip -n inet link set branch0 mtu 1500
ip -n branch link set wan0 mtu 1500
ip -n hq -6 route flush cache
ok "the path is wide again: IPv6 is back" lab_wait 20 echoed lanhq 2001:db8:2::2 1280 "do"
ok "on both links" eval '[ "$(link_mtu hq) $(link_mtu branch)" = "1422 1422" ]'
unlike "and the remark gone" "$(lab_gwctl hq)" "without IPv6"
done_testing
