#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Three branches behind one NAT call one hub: each has its own identity and GRE key, and all work at once, over rekeys and after
# the NAT gave them other ports. Without keys the one that comes second is told why it gets nothing, and the first goes on.

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
			oifname wan0 meta l4proto udp masquerade $1
		}
	}
	END
}

# 2 BRANCHES...
configure() {
	local key=$1 n
	shift
	hub_begin
	for n; do
		hub_tunnel "to-b$n" "b$n" "$n" ${key:+"gre-key: $n"}
		caller_conf "b$n" "$n" 198.51.100.1 ${key:+"gre-key: $n"}
	done
}

carries() {
	lab_run "$1" ping -q -c1 -W1 "$2"
}

spis() {
	lab_gwctl hq status --json | build/tests/pick 'tunnels[*].policy.spi' | sort
}

THREE_SPIS=$'^([0-9a-f]{8}\n){2}[0-9a-f]{8}$'

# SPIS: there are three, and none of these
all_rekeyed() {
	local now

	now=$(spis)
	[[ $now =~ $THREE_SPIS ]] && [ -z "$(comm -12 <(echo "$1") <(echo "$now"))" ]
}

ports() {
	lab_swanctl hq --list-sas --raw | grep -o 'remote-port=[0-9]*' | cut -d= -f2 | sort -u
}

# are there three, all of those that the NAT gives now?
new_ports() {
	[ "$(ports | awk '$1 >= 40000 && $1 <= 40999 { n++ } END { print NR, n + 0 }')" = "3 3" ]
}

reason_like() {
	[[ "$(get hq "$1" .reason)" =~ $2 ]]
}

lab_node hq inet nat b1 b2 b3
lab_router inet nat
lab_link hq wan0 198.51.100.1/24 -- inet hq0 198.51.100.254/24
lab_link nat wan0 203.0.113.1/24 -- inet nat0 203.0.113.254/24
lab_defaults hq 198.51.100.254
lab_defaults nat 203.0.113.254
for n in 1 2 3; do
	lab_link b$n wan0 192.168.$n.7/24 -- nat lan$n 192.168.$n.1/24
	lab_defaults b$n 192.168.$n.1
done
masquerade ""
keys hq b1 b2 b3
configure key 1 2 3
lab_capture_start wire inet hq0
ok "hq and three branches start" start hq b1 b2 b3
for n in 1 2 3; do
	ok "b$n is up" wait_both b$n
	ok "b$n carries" lab_run b$n ping -q -c2 -i0.2 -W2 10.255.$n.1
done
is "all come from one address" "$(lab_gwctl hq status --json | build/tests/pick 'tunnels[*].remote' | sort -u)" 203.0.113.1
is "by three ports" "$(ports | wc -l)" 3
nok "none of which is what the NAT gives later" new_ports

first=$(spis)
like "three SAs" "$first" "$THREE_SPIS"
for n in 1 2 3; do
	lab_udp_start "there$n" hq b$n 10.255.$n.2 25
	lab_udp_start "back$n" b$n hq 10.255.$n.1 25
done
lab_sleep 1
for n in 1 2 3; do
	ok "b$n begins a rekey" lab_swanctl b$n --rekey --child gre
done
ok "all have rekeyed" lab_wait 40 all_rekeyed "$first"
lab_sleep 1
lab_udp_stop {there,back}{1..3}
for n in 1 2 3; do
	is "b$n lost nothing, and nothing of it went to another" \
		"$(lab_udp_get "there$n" lost) $(lab_udp_get "back$n" lost)" "0 0"
done

masquerade "to :40000-40999"
ip -n nat link set wan0 down
ip -n nat link set wan0 up
ip -n nat route add default via 203.0.113.254
for n in 1 2 3; do
	ok "the NAT forgot: b$n carries again" lab_wait 20 carries b$n 10.255.$n.1
	ok "both ways" lab_wait 20 carries hq 10.255.$n.2
done
ok "by three other ports" lab_wait 10 new_ports

# rekeys over the new mappings, begun by either side, of CHILD_SA and IKE_SA
first=$(spis)
like "three SAs over the new mappings" "$first" "$THREE_SPIS"
for n in 1 2 3; do
	lab_udp_start "again$n" hq b$n 10.255.$n.2 25
done
lab_sleep 1
ok "hq begins a rekey" lab_swanctl hq --rekey --child gre --ike gwd-to-b1
ok "b2 begins one" lab_swanctl b2 --rekey --child gre
ok "b3 renews its IKE_SA" lab_swanctl b3 --rekey --ike gwd-hq
ok "and then its CHILD_SA" lab_wait 10 lab_swanctl b3 --rekey --child gre
ok "all have rekeyed" lab_wait 40 all_rekeyed "$first"
lab_sleep 1
lab_udp_stop again{1..3}
for n in 1 2 3; do
	is "b$n lost nothing over the new mapping" "$(lab_udp_get "again$n" lost)" 0
done
ok "still by the new ports" new_ports

# without keys
configure "" 1 2
lab_gwctl b3 teardown >/dev/null
lab_gwctl b2 teardown >/dev/null
ok "hq without keys" lab_gwctl hq reload
ok "b1 without a key" lab_gwctl b1 reload
ok "b1 is up" wait_both b1
ok "b2 without a key" lab_gwctl b2 reload
ok "hq names what is missing" lab_wait 30 reason_like to-b2 'to-b2 comes from the same address as to-b1 \(one NAT\): give each a gre-key'
lab_run b2 ping -q -c3 -i0.2 -W1 10.255.2.1 >/dev/null
lab_run b2 ping -q -c3 -i0.2 -W1 10.255.1.1 >/dev/null
ok "b1 works as before" lab_run b1 ping -q -c3 -i0.2 -W2 10.255.1.1
ok "up" both_up b1
is "b2 has no link" "$(ip -n hq -o link show to-b2 2>/dev/null | wc -l)" 0
lab_gwd_stop b1
lab_charon_stop b1
ok "b1 goes: b2 gets the address" wait_both b2 60
ok "and carries" lab_run b2 ping -q -c3 -i0.2 -W2 10.255.2.1
ok "b1 is waited for" reason_like to-b1 '^waiting for b1.example.net to call \(remote: any\)$'

lab_capture_stop wire
is "no GRE in clear" "$(lab_capture_count wire 'proto 47')" 0
lab_capture_start control inet hq0
ip -n hq link add plain type gre local 198.51.100.1 remote 203.0.113.77 ttl 64
ip -n hq addr add 10.77.0.1/30 dev plain
ip -n hq link set plain up
lab_run hq ping -q -c2 -i0.2 -W1 10.77.0.2 >/dev/null
lab_capture_stop control
cmp_ok "control: the capture sees GRE in clear" "$(lab_capture_count control 'proto 47')" '>' 0

done_testing
