# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is written into the kernel of hq, and what traffic notices of it, while something is done to gwd.
#
#	watch_start, watch_stop		monitors of rtnetlink, XFRM and nftables in hq
#	watch_control N			a positive control: each of them sees a change (N: 1 to 254, another each time)
#	watch_mark			from here on
#	watch_seen [MONITOR...]		what they saw since (rt, xfrm, nft): nothing, if nothing was written
#	watch_sa_times			when the SAs came, as the kernel has it: gwd sets that ahead of the one in use, and no monitor
#					tells without changing what it sees; $TIMES has those of watch_mark
#	flows_start NAME		LAN to LAN traffic both ways, $RATE packets a second
#	flows_none_lost NAME WHAT	its end: there was traffic, and none of it lost

declare -A MARK
RATE=${RATE:-200}

# The link's every state is seen.
watch_start() {
	lab_spawn hq mon.rt ip monitor link address route rule
	lab_spawn hq mon.xfrm ip xfrm monitor acquire expire SA policy
	lab_spawn hq mon.nft stdbuf -oL nft monitor
	lab_sleep 1
}

watch_stop() {
	local m

	lab_sleep 0.3
	for m in rt xfrm nft; do
		lab_stop hq mon.$m
	done
}

# Neighbours come and go by themselves and are not asked for.
watch_seen() {
	local m

	[ $# -gt 0 ] || set -- rt xfrm nft
	for m; do
		tail -n +"$((${MARK[$m]} + 1))" "$LAB_DIR/hq/log/mon.$m.log" | sed "s/^/$m: /"
	done
}

watch_sa_times() {
	ip -n hq -s xfrm state | grep -o "add .* use" | sort
}

watch_mark() {
	local m

	# shellcheck disable=SC2034 # for who marked
	TIMES=$(watch_sa_times)
	for m in rt xfrm nft; do
		MARK[$m]=$(wc -l <"$LAB_DIR/hq/log/mon.$m.log")
	done
}

watch_control() {
	ip -n hq addr add "192.0.2.$1/32" dev lan0
	ip -n hq addr del "192.0.2.$1/32" dev lan0
	ip -n hq xfrm policy add src "192.0.2.$1" dst 192.0.2.1 proto 47 dir out priority 7
	ip -n hq xfrm policy delete src "192.0.2.$1" dst 192.0.2.1 proto 47 dir out
	lab_run hq nft "add table ip control$1; delete table ip control$1"
	lab_wait 5 watch_control_seen "$1"
}

watch_control_seen() {
	grep -q "192.0.2.$1" "$LAB_DIR/hq/log/mon.rt.log" && grep -q "192.0.2.$1" "$LAB_DIR/hq/log/mon.xfrm.log" &&
		grep -q "control$1" "$LAB_DIR/hq/log/mon.nft.log"
}

flows_start() {
	lab_udp_start there."$1" lanhq lanbranch 10.2.0.2 $RATE
	lab_udp_start back."$1" lanbranch lanhq 10.1.0.2 $RATE
}

flows_none_lost() {
	local d

	lab_udp_stop there."$1" back."$1"
	for d in there back; do
		diag "$2, $d: $(lab_udp_get $d."$1" sent) packets, $(lab_udp_get $d."$1" lost) lost," \
			"longest silence $(lab_udp_get $d."$1" maxgap_ms) ms"
		cmp_ok "$2, $d: there was traffic" "$(lab_udp_get $d."$1" sent)" '>' $RATE
		is "$2, $d: no packet lost" "$(lab_udp_get $d."$1" lost)" 0
	done
}
