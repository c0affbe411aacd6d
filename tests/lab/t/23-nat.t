#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A source NAT on the gateway itself must not take GRE out of IPsec: neither a masquerade that leaves the source as it is,
# nor one that changes it (the tunnel starts from a second address, the NAT takes the first).

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

masquerade() {
	lab_run hq nft -f - <<-END
	table ip office {
		chain post {
			type nat hook postrouting priority srcnat; policy accept;
			oifname wan0 masquerade
		}
	}
	END
}

lab_topology
lab_capture_start wire inet hq0
ok "a masquerade on the uplink" masquerade
ok "the tunnel comes up beside it" sites_up
ok "and carries" lab_run hq ping -q -c3 -i0.2 -W2 10.255.0.2

ip -n hq addr add 198.51.100.9/24 dev wan0
sed -i 's/local: wan0/local: 198.51.100.9/' "$LAB_DIR/hq/gwd/gwd.yaml"
sed -i 's/remote: 198.51.100.1/remote: 198.51.100.9/' "$LAB_DIR/branch/gwd/gwd.yaml"
ok "hq moves to its second address" lab_gwctl hq reload
ok "branch follows" lab_gwctl branch reload
lab_wait 30 site_is hq up
lab_run hq ping -q -c5 -i0.2 -W1 10.255.0.2 >/dev/null
lab_capture_stop wire
is "nothing in clear, whatever the NAT did" "$(lab_capture_count wire 'proto 47')" 0

stopped=$(lab_gwctl hq status --json | build/tests/pick gateway.nat_dropped)
cmp_ok "what the NAT took out of IPsec was stopped and counted" "$stopped" '>' 0

ok "without that NAT" lab_run hq nft delete table ip office
ok "the tunnel is up" lab_wait 30 site_is hq up
lab_wait 15 lab_run hq ping -q -c1 -W1 10.255.0.2
ok "and carries again" lab_run hq ping -q -c3 -i0.2 -W2 10.255.0.2

lab_capture_start control inet hq0
lab_gwctl hq teardown >/dev/null
lab_gwctl branch teardown >/dev/null
ip -n hq link add plain type gre local 198.51.100.9 remote 203.0.113.7 ttl 64
ip -n hq addr add 10.77.0.1/30 dev plain
ip -n hq link set plain up
lab_run hq ping -q -c2 -i0.2 -W1 10.77.0.2 >/dev/null
lab_capture_stop control
cmp_ok "control: the capture sees GRE in clear" "$(lab_capture_count control 'proto 47')" '>' 0

done_testing
