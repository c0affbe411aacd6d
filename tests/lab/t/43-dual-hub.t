#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A branch with two hubs: OSPF moves from the first to the second when the first ends its tunnel (gwd tells by the link's state),
# and when the way to it swallows packets (BFD tells, long before charon's DPD). How long each takes is printed, with packets from
# LAN to LAN. Nothing goes in clear meanwhile.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh

# hub1 and hub2 stand on one LAN, each with an address on the internet; branch has a tunnel to each
dual_topology() {
	lab_node hub1 hub2 branch inet lan lanbranch
	lab_router hub1 hub2 branch inet
	lab_link hub1 wan0 198.51.100.1/24 -- inet hub1 198.51.100.254/24
	lab_link hub2 wan0 192.0.2.1/24 -- inet hub2 192.0.2.254/24
	lab_link branch wan0 203.0.113.7/24 -- inet branch0 203.0.113.254/24
	lab_defaults hub1 198.51.100.254
	lab_defaults hub2 192.0.2.254
	lab_defaults branch 203.0.113.254
	lab_link hub1 lan0 10.1.0.11/24 -- lan port1
	lab_link hub2 lan0 10.1.0.12/24 -- lan port2
	ip -n lan -batch - <<-END
	link add eth0 type bridge
	link set port1 master eth0
	link set port2 master eth0
	addr add 10.1.0.2/24 dev eth0
	link set eth0 up
	END
	lab_link branch lan0 10.2.0.1/24 -- lanbranch eth0 10.2.0.2/24
	lab_defaults lan 10.1.0.11
	lab_defaults lanbranch 10.2.0.1
}

pubkey() {
	lab_gwctl "$1" pubkey
}

# HUB ADDRESS NUMBER COST
dual_conf() {
	cat >"$LAB_DIR/$1/gwd/gwd.yaml" <<-END
	gateway: {id: $1.example.net, local: wan0}
	tunnels:
	  branch1:
	    remote: 203.0.113.7
	    peer: {id: branch1.example.net, public-key: $(pubkey branch)}
	    addresses: [10.255.$3.1/30]
	    ospf: {area: 0, cost: $4, hello-interval: 2s, dead-interval: 40s}
	END
	cat >>"$LAB_DIR/branch/gwd/gwd.yaml" <<-END
	  $1:
	    remote: $2
	    peer: {id: $1.example.net, public-key: $(pubkey "$1")}
	    addresses: [10.255.$3.2/30]
	    ospf: {area: 0, cost: $4, hello-interval: 2s, dead-interval: 40s}
	END
}

start() {
	lab_charon_start "$1" && lab_gwd_start "$1"
}

# NODE: what gwctl says, and the LAN, where the hubs are neighbours
frr() {
	lab_frr_start "$1" "$(lab_gwctl "$1" frr)
interface lan0
 ip ospf network point-to-point
 ip ospf area 0
 ip ospf hello-interval 2"
}

# COMMAND: with each gateway, at once
all() {
	local n pids=()

	for n in hub1 hub2 branch; do
		"$1" "$n" &
		pids+=($!)
	done
	wait "${pids[@]}"
}

bfd_on() {
	sed -i 's/ospf: {/ospf: {bfd: true, /' "$LAB_DIR/$1/gwd/gwd.yaml"
	lab_spawn "$1" bfdd /usr/lib/frr/bfdd -A 127.0.0.1 -P 0 --log stdout
	lab_wait 20 test -S "$(lab_path "$1" /run/frr/bfdd.vty)"
	lab_gwctl "$1" frr >"$LAB_DIR/$1/gwd/bfd.conf"
	lab_run "$1" vtysh -f /etc/gwd/bfd.conf >>"$LAB_DIR/$1/log/vtysh.log" 2>&1
}

is_up() {
	lab_gwctl "$1" status >/dev/null
}

# NODE PREFIX INTERFACE: OSPF's route goes there
goes() {
	[[ "$(ip -n "$1" route show "$2" proto ospf)" == *" dev $3 "* ]]
}

settled() {
	goes branch 10.1.0.0/24 hub1 && goes hub1 10.2.0.0/24 branch1 && goes hub2 10.2.0.0/24 lan0 &&
		[ "$(lab_run branch vtysh -d ospfd -c 'show ip ospf neighbor json' | grep -oE '"converged": ?"Full"' | wc -l)" = 2 ]
}

bfd_up() {
	[ "$(lab_run branch vtysh -d bfdd -c 'show bfd peers json' | grep -oE '"status": ?"[a-z]+"' |
		tr -d '" ' | paste -sd' ')" = "status:up status:up" ]
}

cut() {
	ip netns exec inet nft -f - <<-END
	table inet cut {
		chain forward {
			type filter hook forward priority 0;
			ip saddr 198.51.100.1 drop
			ip daddr 198.51.100.1 drop
		}
	}
	END
}

hub1_down() {
	lab_gwctl hub1 down branch1 >/dev/null
}

hub1_up() {
	lab_gwctl hub1 up branch1 >/dev/null
}

now() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# NAME TEXT BREAK: from the break to the route over hub2, with traffic both ways
failover() {
	local name=$1 text=$2 begin took state

	lab_udp_start "$name.to" lanbranch lan 10.1.0.2 50
	lab_udp_start "$name.from" lan lanbranch 10.2.0.2 50
	lab_sleep 1
	begin=$(now)
	$3
	ok "$text: branch goes over hub2" lab_wait 60 goes branch 10.1.0.0/24 hub2
	took=$(($(now) - begin))
	state=$(lab_gwctl branch status --json | build/tests/pick 'tunnels[name=hub1].state')
	ok "$text: hub1 goes over hub2" lab_wait 60 goes hub1 10.2.0.0/24 lan0
	ok "$text: LAN to LAN" lab_wait 10 lab_run lanbranch ping -c1 -W1 10.1.0.2
	lab_udp_stop "$name.to" "$name.from"
	diag "$text: $took ms to the other hub (gwd says $state); longest silence $(lab_udp_get "$name.to" maxgap_ms) ms to the hubs' LAN," \
		"$(lab_udp_get "$name.from" maxgap_ms) ms from it"
	failover_state=$state
}

dual_topology
for n in hub1 hub2 branch; do
	lab_gwctl $n keygen >/dev/null 2>&1
done
printf 'gateway: {id: branch1.example.net, local: wan0}\ntunnels:\n' >"$LAB_DIR/branch/gwd/gwd.yaml"
dual_conf hub1 198.51.100.1 1 10
dual_conf hub2 192.0.2.1 2 100
lab_capture_start wire inet branch0 200 'ip proto 47 or esp'
all start
for n in hub1 hub2 branch; do
	ok "the tunnels are up: $n" lab_wait 30 is_up $n
done
all frr
ok "OSPF goes over the first hub, the second is ready" lab_wait 90 settled

failover ended "the hub ends the tunnel" hub1_down
is "gwd had the link's state for it" "$failover_state" down
hub1_up
ok "all as before when the hub begins it again" lab_wait 60 settled

all bfd_on
ok "which is nothing to do for gwd" lab_gwctl branch plan
ok "BFD is up to both hubs" lab_wait 30 bfd_up
failover silent "the way swallows packets" cut
is "gwd did not know yet" "$failover_state" up

lab_run branch ip link add clear type gre local 203.0.113.7 remote 203.0.113.254
printf 'addr add 172.16.0.1/30 dev clear\nlink set clear up\n' | ip -n branch -batch -
lab_run branch ping -c1 -W1 172.16.0.2 >/dev/null
lab_capture_stop wire
is "no GRE to or from the hubs in clear" "$(lab_capture_count wire 'ip proto 47 and (host 198.51.100.1 or host 192.0.2.1)')" 0
cmp_ok "but ESP" "$(lab_capture_count wire esp)" '>' 100
cmp_ok "and the capture sees clear GRE when there is some" "$(lab_capture_count wire 'ip proto 47')" '>=' 1

done_testing
