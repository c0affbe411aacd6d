#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The link's operational state (RFC 2863) is true, and OSPF with its default timers (hello 10 s, dead 40 s) follows it: routes go
# when the tunnel goes and come back with it; what does not touch the tunnel does not touch the state.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

# NODE INTERFACE: OSPFv2 with default timers; 10.77.N.1 on lo is what it announces
state_frr() {
	lab_frr_start "$1" "interface $2
 ip ospf area 0
interface lo
 ip ospf area 0
router ospf
 ospf router-id $3"
}

learned() {
	ip -n "$1" route show proto ospf "$2" | grep -q .
}

not_learned() {
	! learned "$@"
}

oper_is() {
	[[ "$(ip -n "$1" link show "$(site_tunnel "$1")")" == *" state $2 "* ]]
}

# number of log lines of gwd that tell a state
said() {
	grep -c "^$2: $3" "$LAB_DIR/$1/log/gwd.log"
}

# FILE PATTERN: ms of the day at which the first such line of `ip -ts monitor` came; nothing without one
when() {
	sed -n "/$2/s/^\[[^T]*T\(..\):\(..\):\(..\)\.\(...\).*/\1 \2 \3 \4/p" "$1" |
		awk '{ print (($1 * 60 + $2) * 60 + $3) * 1000 + $4; exit }'
}

# CAPTURE FROM TO: OSPF packets sent between these times, in ms of the day
ospf_between() {
	tcpdump -nr "$LAB_DIR/capture/$1.pcap" 'src host 10.255.0.1 and proto 89' 2>/dev/null | tr ':.' '  ' |
		awk -v from="$2" -v to="$3" '{ t = (($1 * 60 + $2) * 60 + $3) * 1000 + substr($4, 1, 3) }
			t > from && t < to { n++ } END { print n + 0 }'
}

# A monitor in NODE of links, routes and SAs, all with times, one line each.
watch_start() {
	local what

	for what in link route; do
		lab_spawn "$1" "watch.$what" stdbuf -oL ip -ts -o monitor $what
	done
	lab_spawn "$1" watch.xfrm stdbuf -oL ip -ts -o xfrm monitor nokeys SA
	lab_sleep 1
}

watch_stop() {
	local what

	for what in link route xfrm; do
		lab_stop "$1" watch.$what
		mv "$LAB_DIR/$1/log/watch.$what.log" "$LAB_DIR/$1/log/$2.$what"
	done
}

# no SA but those the kernel asks for in vain
no_sas() {
	! ip -n "$1" xfrm state | grep 'proto esp' | grep -qv 'spi 0x00000000'
}

up_time() {
	lab_vtysh "$1" 'show ip ospf neighbor json' | jq -r '[.neighbors[][]][0] | "\(.nbrState // .state) \(.upTimeInMsec // 0)"'
}

lab_topology
ip -n hq addr add 10.77.1.1/32 dev lo
ip -n branch addr add 10.77.2.1/32 dev lo
sites_keys
sites_conf
lab_charon_start hq
lab_gwd_start hq
ok "a tunnel that does not work: the link is there" lab_wait 10 ip -n hq link show branch1
ok "and DORMANT" lab_wait 5 oper_is hq DORMANT
like "though administratively up, with carrier" "$(ip -n hq link show branch1)" "<[^>]*,UP,LOWER_UP"

lab_charon_start branch
lab_gwd_start branch
ok "the tunnel comes up on hq" lab_wait 30 site_is hq up
ok "the tunnel comes up on branch" lab_wait 10 site_is branch up
ok "now the link is UP on hq" lab_wait 5 oper_is hq UP
ok "and on branch" lab_wait 5 oper_is branch UP

state_frr hq branch1 10.77.1.1 &
other=$!
state_frr branch hq 10.77.2.1
wait $other
ok "OSPF with default timers learns the route on hq" lab_wait 60 learned hq 10.77.2.1
ok "and on branch" lab_wait 60 learned branch 10.77.1.1
like "hellos are 10 s, dead is 40 s" "$(lab_vtysh hq 'show ip ospf interface branch1')" "Hello 10s, Dead 40s"

# gwd restarts
watch_start hq
read -r _ before < <(up_time hq)
lab_gwd_stop hq
lab_gwd_start hq
ok "after a restart of gwd the tunnel is up" lab_wait 10 site_is hq up
lab_gwd_kill hq
lab_gwd_start hq
ok "after a kill -9 of gwd as well" lab_wait 10 site_is hq up
ip -n hq link add probe type dummy
ip -n hq route add blackhole 192.0.2.128/25
ip -n hq route del blackhole 192.0.2.128/25
read -r state after < <(up_time hq)
lab_sleep 0.5
watch_stop hq restart
like "the link watch sees what changes" "$(<"$LAB_DIR/hq/log/restart.link")" "probe"
unlike "restart and kill change nothing of the link" "$(<"$LAB_DIR/hq/log/restart.link")" "branch1"
like "the route watch does so" "$(<"$LAB_DIR/hq/log/restart.route")" "192.0.2.128/25"
is "no route moved" "$(grep -c 10.77.2.1 "$LAB_DIR/hq/log/restart.route")" 0
like "the neighbour is Full" "$state" "Full"
cmp_ok "and was all the time" "$after" '>' "$before"

# the peer takes the tunnel down
lab_capture_start ospf hq branch1
watch_start hq
before=$(said hq branch1 down)
is "gwctl down on branch is well" "$(lab_gwctl branch down hq >/dev/null; echo $?)" 0
ok "hq's route goes" lab_wait 5 not_learned hq 10.77.2.1
ok "the link is DORMANT on hq" lab_wait 3 oper_is hq DORMANT
ok "and on branch" lab_wait 3 oper_is branch DORMANT
cmp_ok "hq says down" "$(said hq branch1 down)" '>' "$before"
lab_sleep 11
ok "down stays down: hq" site_is hq down
ok "down stays down: branch" site_is branch down
ok "no SA on branch" no_sas branch
is "gwctl up on branch is well" "$(lab_gwctl branch up hq >/dev/null; echo $?)" 0
ok "the link is UP again on hq" lab_wait 10 oper_is hq UP
ok "the route comes back" lab_wait 40 learned hq 10.77.2.1
ok "on branch too" lab_wait 30 learned branch 10.77.1.1
watch_stop hq down
lab_capture_stop ospf
gone=$(when "$LAB_DIR/hq/log/down.xfrm" Deleted)
dormant=$(when "$LAB_DIR/hq/log/down.link" 'branch1.*state DORMANT')
withdrawn=$(when "$LAB_DIR/hq/log/down.route" 'Deleted 10.77.2.1')
up=$(when "$LAB_DIR/hq/log/down.link" 'branch1.*state UP')
learned=$(when "$LAB_DIR/hq/log/down.route" '\] 10.77.2.1')
cmp_ok "from the SA's deletion to DORMANT, ms" "$((${dormant:-999999999} - ${gone:-0}))" '<' 1000
cmp_ok "from there to the route's withdrawal, ms" "$((${withdrawn:-999999999} - ${dormant:-0}))" '<' 1000
cmp_ok "from UP to the route, before a dead interval is over, ms" "$((${learned:-999999999} - ${up:-0}))" '<' 35000
# the monitor's times are those at which it reads
is "no hello is sent into the dead tunnel" "$(ospf_between ospf $((dormant + 50)) $((up - 50)))" 0
cmp_ok "hellos are, into the living" "$(ospf_between ospf "$up" 86400000)" '>' 0
diag "DORMANT $((dormant - gone)) ms after the SA went, route withdrawn after $((withdrawn - dormant)) ms more," \
	"$((up - dormant)) ms dormant, then $((learned - up)) ms from UP to the route"

# charon dies: the SAs in the kernel carry on
lab_charon_kill hq
ok "charon gone: the state is unknown" lab_wait 10 site_is hq unknown
ok "the link stays UP" oper_is hq UP
ok "the tunnel carries" lab_run hq ping -c2 -i0.3 -W2 10.255.0.2
ok "the route stays" learned hq 10.77.2.1
lab_charon_start hq
ok "charon back: up" lab_wait 30 site_is hq up
ok "the link is UP" oper_is hq UP
ok "and branch is up too" lab_wait 30 site_is branch up

done_testing
