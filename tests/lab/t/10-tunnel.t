#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The main path, end to end: eight lines of YAML on each side, a tunnel that is up, OSPF over it, and nothing in clear.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

# NODE LINK ADDR
goes_into() {
	[[ "$(ip -n "$1" route get "$3")" == *" dev $2 "* ]]
}

lab_topology
clear_watch
sites_keys
sites_conf
ok "charon and gwd start on both" lab_gateways hq branch
lab_wait 10 goes_into hq branch1 10.2.0.2 && lab_wait 10 goes_into branch hq 10.1.0.2
clear_flows
ok "the tunnel comes up on hq" lab_wait 30 site_is hq up
ok "the tunnel comes up on branch" lab_wait 10 site_is branch up
is "gwctl exits with 0 when all is up" "$(lab_gwctl hq status >/dev/null; echo $?)" "0"
diag "$(lab_gwctl hq)"
diag "$(lab_gwctl hq show branch1)"
ok "IPv4 through the tunnel" lab_run hq ping -c3 -i0.2 -W2 10.255.0.2
ok "IPv6 through the tunnel" lab_run hq ping -c3 -i0.2 -W2 2001:db8:ff::2
ok "LAN to LAN by the configured route" lab_run lanhq ping -c3 -i0.2 -W2 10.2.0.2
like "the link says UP" "$(ip -n hq link show branch1)" "state UP"
like "MTU by the formula" "$(ip -n hq link show branch1)" "mtu 1442"
is "in charon: transport mode" "$(lab_gwctl hq show branch1 --json | build/tests/pick 'tunnels[0].child.mode')" transport

ok "a full-size packet passes whole" lab_run hq ping -q -c2 -s 1414 -M "do" 10.255.0.2
nok "one byte more does not" lab_run hq ping -q -c1 -W1 -s 1415 -M "do" 10.255.0.2

cmp_ok "IKE crossed the internet" "$(lab_capture_count clear 'udp port 500 or udp port 4500')" '>=' 4
clear_none "from the start"
clear_control branch 10.255.0.2

done_testing
