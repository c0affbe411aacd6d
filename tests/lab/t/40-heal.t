#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# It heals by itself: whatever somebody takes away, from the kernel or from charon, comes back, and packets pass again.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

TABLE=()
BREAK=0		# when it was broken, us

ms_since() {
	echo $(((${EPOCHREALTIME/[.,]/} - $1) / 1000))
}

passes() {
	lab_run lanhq ping -c1 -W1 10.2.0.2
}

table_row() {
	TABLE+=("$(printf '%-42s %6s ms' "$1" "$2")")
}

log_lines() {
	wc -l <"$LAB_DIR/hq/log/gwd.log"
}

# WHAT SEEN LOOK COMMAND...: COMMAND breaks it, which gwd's log shows (a line like SEEN); LOOK succeeds when it is healed.
heal() {
	local what=$1 seen=$2 look=$3 from

	shift 3
	from=$(log_lines)
	BREAK=${EPOCHREALTIME/[.,]/}
	"$@" >"$LAB_DIR/break.log" 2>&1 || diag "$what: $* : $(<"$LAB_DIR/break.log")"
	healed "$what" "$seen" "$look" "$from"
}

healed() {
	local what=$1 seen=$2 look=$3 from=$4 ms

	ok "$what: healed" lab_wait 40 $look
	ms=$(ms_since "$BREAK")
	ok "$what: packets pass" lab_wait 20 passes
	table_row "$what" "$ms"
	like "$what: gwd told" "$(tail -n +$((from + 1)) "$LAB_DIR/hq/log/gwd.log")" "$seen"
	ok "$what: up" lab_wait 20 site_is hq up
}

link_well() {
	[[ $(ip -n hq -o link show branch1) == *,UP,*" mtu 1442 "*" state UP "* ]] && ! ip -n hq link show other
}

address_well() {
	[[ $(ip -n hq -o addr show dev branch1) == *10.255.0.1/30* ]]
}

route_well() {
	[[ $(ip -n hq route show 10.2.0.0/24) == *branch1* ]]
}

policies_well() {
	(($(ip -n hq xfrm policy list proto gre | grep -c "^src") == 2))
}

# An SA pair other than before, which passes packets.
pair_well() {
	[[ $(ip -n hq xfrm state list src 198.51.100.1 dst 203.0.113.7) == *"proto esp spi"* ]] && passes
}

guard_well() {
	[ "$(lab_run hq nft -s list table inet gwd)" = "$GUARD" ]
}

# The pair is the only one left: what a killed charon left behind is cleared away.
one_pair() {
	[ "$(ip -n "$1" xfrm state | grep -c '^src')" = 2 ]
}

# A link that is up cannot be renamed, and gwd would set it up again at once.
rename_link() {
	kill -STOP "$(lab_pid hq gwd)"
	ip -n hq link set branch1 down
	ip -n hq link set branch1 name other
	kill -CONT "$(lab_pid hq gwd)"
}

flush_states() {
	ip -n hq xfrm state flush
}

out_policy_delete() {
	ip -n hq xfrm policy delete dir out src 198.51.100.1/32 dst 203.0.113.7/32 proto gre
}

rule_delete() {
	lab_run hq nft delete rule inet gwd out handle \
		"$(lab_run hq nft -a list chain inet gwd out | sed -n 's/.*ipsec missing.*handle //p' | head -1)"
}

charon_kill_start() {
	lab_charon_kill hq
	lab_charon_start hq
}

charon_term_start() {
	lab_charon_stop hq
	lab_charon_start hq
}

# charon has the connection, and the kernel a pair charon knows
charon_well() {
	[[ $(lab_swanctl hq --list-sas) == *gwd-branch1*INSTALLED* ]] && passes
}

conn_well() {
	[[ $(lab_swanctl hq --list-conns) == *gwd-branch1:* ]]
}

lab_topology
LAB_GWD_ARGS=-v
ok "the tunnel comes up" sites_up
ok "packets pass" lab_wait 10 passes
GUARD=$(lab_run hq nft -s list table inet gwd)
# while our link is away its packets are not to take the default route
ip -n hq route add unreachable 10.2.0.0/16
ip -n branch route add unreachable 10.1.0.0/16
lab_capture_start wire inet hq0
lab_udp_start flow lanhq lanbranch 10.2.0.2 50

heal "link deleted" "create link branch1" link_well ip -n hq link del branch1
heal "link set down" "update link branch1" link_well ip -n hq link set branch1 down
heal "MTU changed" "update link branch1" link_well ip -n hq link set branch1 mtu 1300
heal "link renamed" "link branch1" link_well rename_link
heal "address removed" "create address 10.255.0.1" address_well ip -n hq addr del 10.255.0.1/30 dev branch1
heal "route removed" "create route 10.2.0.0/24" route_well ip -n hq route del 10.2.0.0/24 dev branch1
heal "policy deleted" "create policy out" policies_well out_policy_delete
heal "policies flushed" "create policy in" policies_well ip -n hq xfrm policy flush
heal "guard deleted" "create guard" guard_well lab_run hq nft delete table inet gwd
heal "ruleset flushed" "create guard" guard_well lab_run hq nft flush ruleset
heal "guard's element deleted" "pair 198.51.100.1" guard_well \
	lab_run hq nft delete element inet gwd pair4_out "{ 198.51.100.1 . 203.0.113.7 }"
heal "guard's rule deleted" "guard" guard_well rule_delete
heal "SAs flushed" "initiating|SA out" pair_well flush_states

heal "charon restarted" "charon is not reachable" charon_well charon_term_start
heal "charon killed and started" "charon is not reachable" charon_well charon_kill_start
ok "charon killed: stale SAs go" lab_wait 40 one_pair hq
table_row "charon killed: its stale SAs are gone" "$(ms_since "$BREAK")"
ok "charon killed: no stale SAs on the other side" lab_wait 20 one_pair branch

# Somebody else's swanctl on the same socket.
cat >"$LAB_DIR/hq/swanctl.conf" <<-END
connections {
	foreign {
		version = 2
		remote_addrs = 192.0.2.77
		local { auth = psk
			id = somebody }
		remote { auth = psk
			id = else }
	}
}
END
heal "swanctl --load-all" "create connection gwd-branch1" conn_well lab_swanctl hq --load-all
like "the foreign connection is left alone" "$(lab_swanctl hq --list-conns)" "foreign:"

# charon stands still: gwctl does not.
from=$(log_lines) slowest=0 said=
kill -STOP "$(lab_pid hq charon-systemd)"
BREAK=${EPOCHREALTIME/[.,]/}
while (($(ms_since "$BREAK") < 15000)); do
	for ask in "show branch1" status; do
		t=${EPOCHREALTIME/[.,]/}
		# shellcheck disable=SC2086
		answer=$(lab_gwctl hq $ask --json)
		ms=$(ms_since "$t")
		((ms <= slowest)) || slowest=$ms
		[ -n "$said" ] || [[ $answer != *"does not answer"* ]] || said=$(ms_since "$BREAK")
	done
	lab_sleep 0.5
done
ok "charon stopped: packets pass" passes
diag "$(lab_gwctl hq)"
like "charon stopped: gwctl says so" "$(lab_gwctl hq)" "charon does not answer"
kill -CONT "$(lab_pid hq charon-systemd)"
BREAK=${EPOCHREALTIME/[.,]/}
healed "charon stopped for 15 s, from CONT on" "charon answers again" passes "$from"
cmp_ok "charon stopped: gwctl answers within a second (two under emulation)" "$slowest" '<=' 2000
cmp_ok "charon stopped: gwctl says so before the 15 s are over" "${said:-none}" '<=' 15000
table_row "charon stopped: slowest answer of gwctl" "$slowest"
table_row "charon stopped: first said by gwctl after" "${said:-none}"

# A link of somebody else's with the tunnel's name, put there while gwd cannot be faster.
from=$(log_lines)
kill -STOP "$(lab_pid hq gwd)"
ip -n hq -batch - <<-END
link del branch1
link add name branch1 type dummy
END
kill -CONT "$(lab_pid hq gwd)"
ok "foreign link: down" lab_wait 10 site_is hq down
like "foreign link: gwctl names the conflict" "$(lab_gwctl hq)" "conflict here: link branch1"
like "foreign link: it is left alone" "$(ip -n hq -d link show branch1)" "dummy"
BREAK=${EPOCHREALTIME/[.,]/}
ip -n hq link del branch1
healed "foreign link, gone again" "create link branch1" link_well "$from"

lab_udp_stop flow
cmp_ok "packets passed all the while" "$(lab_udp_get flow received)" '>' 500
lab_sleep 0.3
is "nothing was read on the wire" "$(lab_capture_canary wire)" 0
# positive control of the capture: GRE by hand, to the internet
ip -n hq -batch - <<-END
link add control type gre local 198.51.100.1 remote 198.51.100.254 ttl 64
addr add 10.9.9.1/30 dev control
link set control up
END
lab_run hq ping -c2 -i0.2 -W1 -p 47574443414e415259 10.9.9.2 >/dev/null
lab_capture_stop wire
cmp_ok "the wire carried ESP" "$(lab_capture_count wire esp)" '>' 500
cmp_ok "the capture sees GRE in clear" "$(lab_capture_count wire 'proto 47 and host 198.51.100.254')" '>' 0
is "of the tunnel there was none" "$(lab_capture_count wire 'proto 47 and host 203.0.113.7')" 0
cmp_ok "what is in the one in clear is read" "$(lab_capture_canary wire)" '>=' 2
diag "healed within (each look costs up to 0.5 s under emulation):"
diag "$(printf '%s\n' "${TABLE[@]}")"

done_testing
