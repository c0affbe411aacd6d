#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets for the far site while the link or its route is away: they end at the gateway, at an unreachable route of gwd's, rather
# than follow the default route in clear. Shared destinations, reload, teardown, restoration, and what zebra makes of it.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

# [ROUTES]: hq's routes, in place of its one
hold_conf() {
	sites_conf
	[ $# = 0 ] || sed -i "s|routes: .*|routes: [$1]|" "$LAB_DIR/hq/gwd/gwd.yaml"
}

# the prefixes that hq holds
held() {
	{ ip -n hq -4 route show table all proto 103 type unreachable; ip -n hq -6 route show table all proto 103 type unreachable; } |
		sed -n 's/^unreachable \([^ ]*\) .*/\1/p' | paste -sd' '
}

held_is() {
	[ "$(held)" = "$1" ]
}

# ADDRESS: where hq would send it
way() {
	lab_run hq ip route get "$1" 2>&1
}

goes_into() {
	[[ $(way "$1") == *"dev $2"* ]]
}

both='10.2.0.0/24, "2001:db8:2::/64"'
lab_topology
sites_keys
hold_conf "$both"
lab_gateways hq branch
ok "up" lab_wait 30 site_is hq up
is "both destinations are held" "$(held)" "10.2.0.0/24 2001:db8:2::/64"
like "behind every other route" "$(ip -n hq route)" "unreachable 10.2.0.0/24 proto 103 metric 4294967040"
ok "the route into the tunnel is taken" goes_into 10.2.0.2 branch1
is "nothing is left to do" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0

# ---- the link goes and gwd is not there to make it again
lab_capture_start wire inet hq0 256
lab_udp_start four lanhq lanbranch 10.2.0.2 50
lab_udp_start six lanhq lanbranch 2001:db8:2::2 50
lab_sleep 1
lab_gwd_kill hq
ip -n hq link del branch1
like "IPv4 is unreachable" "$(way 10.2.0.2)" "No route to host"
like "IPv6 is unreachable" "$(way 2001:db8:2::2)" "No route to host|unreachable"
lab_sleep 1
lab_capture_stop wire
is "no payload left" "$(lab_capture_canary wire)" 0
is "nor a packet for the far LAN" "$(lab_capture_count wire 'dst net 10.2.0.0/24 or dst net 2001:db8:2::/64')" 0

# ---- without the hold it would have
lab_capture_start open inet hq0 256
ip -n hq route del unreachable 10.2.0.0/24 metric 4294967040
ip -n hq -6 route del unreachable 2001:db8:2::/64 metric 4294967040
lab_sleep 1
lab_capture_stop open
cmp_ok "without it the payload goes out" "$(lab_capture_canary open)" '>=' 20
cmp_ok "of both families" "$(lab_capture_count open 'ip6 and udp')" '>=' 10
ok "gwd starts and makes all again" lab_gwd_start hq
ok "up again" lab_wait 30 site_is hq up
is "held again" "$(held)" "10.2.0.0/24 2001:db8:2::/64"
ok "and gone into the tunnel" goes_into 10.2.0.2 branch1
lab_udp_stop four six

# ---- somebody removes one
ip -n hq route del unreachable 10.2.0.0/24 metric 4294967040
ok "a hold that somebody removed comes back" lab_wait 10 held_is "10.2.0.0/24 2001:db8:2::/64"
ok "gwctl down keeps them" lab_gwctl hq down branch1
is "so" "$(held)" "10.2.0.0/24 2001:db8:2::/64"
ok "up" lab_gwctl hq up branch1

# ---- zebra
lab_frr_start hq "ip route 10.66.0.0/16 Null0"
like "zebra does not select it" "$(lab_vtysh hq 'show ip route 10.2.0.0/24 json' |
	jq -c '[.[][] | [.distance, .selected // false, .nexthops[0].interfaceName // "unreachable"]] | sort')" \
	'\[0,true,"branch1"\].*\[255,false'

# ---- reload
hold_conf '{to: 10.2.0.0/24, hold: false}, "2001:db8:2::/64", 10.3.0.0/24'
ok "reload" lab_gwctl hq reload
is "hold: false, and a new one" "$(held)" "10.3.0.0/24 2001:db8:2::/64"
hold_conf "$both"
lab_gwctl hq reload >/dev/null
is "and back" "$(held)" "10.2.0.0/24 2001:db8:2::/64"
cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	  spare:
	    remote: 192.0.2.77
	    local: nowhere0
	    protect: none
	    routes: [{to: 10.2.0.0/24, metric: 200}, 10.4.0.0/24]
END
lab_gwctl hq reload >/dev/null
is "a shared destination is held once, and that of a tunnel without a local address too" "$(held)" \
	"10.2.0.0/24 10.4.0.0/24 2001:db8:2::/64"
like "senders are told" "$(lab_run lanhq ping -c1 -W2 10.4.0.9 2>&1)" "Destination Host Unreachable"
sed -i 's/^    remote: 203.0.113.7/    enabled: false\n&/' "$LAB_DIR/hq/gwd/gwd.yaml"
lab_gwctl hq reload >/dev/null
is "a disabled tunnel's go, but what another wants" "$(held)" "10.2.0.0/24 10.4.0.0/24"
is "nothing is left to do" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0
ok "teardown" lab_gwctl hq teardown
is "removes all" "$(held)" ""
done_testing
