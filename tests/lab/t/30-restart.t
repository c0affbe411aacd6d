#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stopping, killing, starting and reloading gwd drops no packet and writes nothing into the kernel; a rekey while it is
# away does not matter.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/watch.sh
. tests/lab/watch.sh

rekeys() {
	grep -c "outbound CHILD_SA gre{[0-9]*} established" "$LAB_DIR/$1/log/charon.log"
}

rekeys_are() {
	(($(rekeys "$1") >= $2))
}

one_pair() {
	[ "$(ip -n "$1" xfrm state | grep -c '^src')" = 2 ]
}

# A rekey by hand, on branch
rekey() {
	local n

	n=$(rekeys branch)
	lab_swanctl branch --rekey --child gre && lab_wait 20 rekeys_are branch $((n + 1)) && lab_sleep 1
}

ms_since() {
	echo $(((${EPOCHREALTIME/[.,]/} - $1) / 1000))
}

lab_topology
ok "the tunnel comes up" sites_up
ok "hosts reach each other" lab_run lanhq ping -c2 -i0.2 -W2 10.2.0.2
ok "one pair of SAs" lab_wait 20 one_pair hq

watch_start
ok "the monitors see links, policies and tables change" watch_control 97
lab_sleep 1
ahead=$(date -d "$(watch_sa_times | tail -1 | sed 's/^add //; s/ use$//')" +%s)
cmp_ok "the SA in use has a time ahead" "$((ahead - $(date +%s)))" '>' 1800

for how in "stop lab_gwd_stop" "kill lab_gwd_kill"; do
	read -r name end <<<"$how"
	flows_start "$name"
	watch_mark
	ok "$name: gwd ends" "$end" hq
	lab_sleep 0.5
	is "$name: nothing was written" "$(watch_seen)" ""
	watch_mark
	ok "$name: gwd starts" lab_gwd_start hq
	ok "$name: the tunnel is up" lab_wait 20 site_is hq up
	lab_sleep 0.5
	is "$name: its start wrote nothing" "$(watch_seen)" ""
	is "$name: nor into the SAs" "$(watch_sa_times)" "$TIMES"
	like "$name: the link says UP" "$(ip -n hq link show branch1)" "state UP"
	flows_none_lost "$name" "$name"
done

flows_start reload
watch_mark
ok "reload without a change" lab_gwctl hq reload
touch "$LAB_DIR/hq/gwd/gwd.yaml"
echo >>"$LAB_DIR/hq/gwd/gwd.yaml"
ok "reload with a change of no effect" lab_gwctl hq reload
is "its plan is empty" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0
lab_sleep 0.5
is "reload: nothing was written" "$(watch_seen)" ""
is "reload: nor into the SAs" "$(watch_sa_times)" "$TIMES"
flows_none_lost reload reload
like "the link never left UP" "$(sed -n 's/.*branch1.* state \([A-Z]*\).*/\1/p' "$LAB_DIR/hq/log/mon.rt.log" | sort -u)" '^(UP)?$'
ok "the monitors still see it" watch_control 98
watch_stop

# A rekey while gwd is away: the first one moves without a gap, any number of them leave the tunnel working.
flows_start away
ok "away: gwd stops" lab_gwd_stop hq
ok "away: a rekey" rekey
flows_none_lost away "a rekey while gwd is stopped"
ok "away: a second rekey" rekey
ok "away: the tunnel carries" lab_run lanhq ping -c2 -i0.2 -W2 10.2.0.2
ok "away: gwd starts" lab_gwd_start hq
ok "away: the tunnel is up" lab_wait 20 site_is hq up

ok "killed: gwd is killed" lab_gwd_kill hq
ok "killed: a rekey" rekey
ok "killed: a second rekey" rekey
t=${EPOCHREALTIME/[.,]/}
ok "killed: the tunnel carries all the same" lab_run lanhq ping -c1 -W2 10.2.0.2
ok "killed: gwd starts" lab_gwd_start hq
ok "killed: the tunnel is up" lab_wait 20 site_is hq up
diag "gwd killed, two rekeys, gwd started: up after $(ms_since "$t") ms, gwctl's time included; it carried all the while"

done_testing
