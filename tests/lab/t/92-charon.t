#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# charon of hq misbehaves while the tunnel carries: absent when gwd starts, killed, killed in a loop, standing still for longer than a
# request's deadline, and in its place something that never answers, ends in the middle, or says what nobody knows. gwd says
# what it knows and since when, the SAs in the kernel go on carrying, afterwards all comes back by itself, and the control
# socket answers all the while. How fast is told, not judged: the kernel is emulated; `make stall` measures it.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

SINCE=0		# ms, of charon, as gwd says
WELL=0		# ms: the longest answer while charon is well
EMULATED=3000	# ms more than that: far above what emulation adds, far below the deadline of a request to charon

# STATE REASON, expressions; $SINCE is since how many ms
charon_says() {
	local said state reason

	said=$(lab_gwctl hq status --json | build/tests/pick gateway.charon)
	[[ $said =~ \"state\":\ ?\"([^\"]*)\" ]] && state=${BASH_REMATCH[1]}
	[[ $said =~ \"since_s\":\ ?([0-9]+) ]] && SINCE=$((BASH_REMATCH[1] * 1000))
	[[ $said =~ \"reason\":\ ?\"([^\"]*)\" ]] && reason=${BASH_REMATCH[1]}
	[[ ${state-} =~ ^($1)$ && ${reason-null} =~ $2 ]]
}

ms_now() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# WHAT STATE REASON: said soon, with the moment it began
says() {
	ok "$1: gwd says $2" lab_wait 20 charon_says "$2" "$3" || diag "$(lab_gwctl hq | tail -3)"
	charon_says . .
	SAID=$(ms_now)
}

# WHAT: still said, and since when has gone on with the clock
still_says() {
	local before=$SINCE more

	lab_sleep 3
	charon_says . .
	more=$((SINCE - before - ($(ms_now) - SAID)))
	cmp_ok "$1: and since when" $more '>=' -2500
	cmp_ok "$1: not for longer" $more '<=' 2500
}

# the line of a person's status that is about charon
charon_line() {
	lab_gwctl hq | grep '^charon: '
}

asker_lines() {
	wc -l <"$LAB_DIR/hq/log/asker.log"
}

asker_has() {
	[ "$(asker_lines)" -gt "$1" ]
}

# the asker's line since the last time, in $LINE
asker_take() {
	local n

	n=$(asker_lines)
	kill -USR1 "$(lab_pid hq asker)"
	lab_wait 30 asker_has "$n"
	LINE=$(tail -1 "$LAB_DIR/hq/log/asker.log")
}

# gwd of hq and who asks go before all others of the guest, which has two processors: what is late is gwd's
prefer() {
	chrt -a -f -p 1 "$(lab_pid hq "$1")"
}

asker_start() {
	lab_spawn hq asker build/tests/asker /run/gwd/gwd.sock version 50
	lab_sleep 0.2
	prefer asker
	prefer gwd
	asker_take
}

# WHAT: since the last time gwd answered, each time
answers() {
	local worst

	asker_take
	worst=${LINE#*worst_ms=} worst=${worst%%.*}
	diag "$1, at $SECONDS s: $LINE"
	like "$1: the control socket answers" "$LINE" "^asked=[1-9][0-9]* failed=0 "
	[ "$WELL" != 0 ] || WELL=$worst
	cmp_ok "$1: and does not stall (ms)" "$worst" '<=' $((WELL + EMULATED))
}

# WHAT: packets come through, now
carries() {
	ok "$1: the tunnel carries" lab_run lanhq ping -c2 -i0.2 -W2 10.2.0.2
}

charon_fake_start() {
	rm -f "$LAB_DIR/hq/log/vicifake.log"
	# shellcheck disable=SC2016,SC2046 # expanded inside; words
	lab_spawn hq vicifake $(lab_as gwd-charon gwd-vici -all --clear-groups) \
		sh -c 'umask 007; exec "$@"' - build/tests/vicifake /run/gwd/charon.vici "$1"
	lab_wait 20 grep -q ready "$LAB_DIR/hq/log/vicifake.log" || { diag "$(cat "$LAB_DIR/hq/log/vicifake.log")"; return 1; }
}

# WHAT
charon_fake_stop() {
	lab_stop hq vicifake
	like "$1: it was asked" "$(tail -1 "$LAB_DIR/hq/log/vicifake.log")" '^[1-9][0-9]* commands$'
}

plan_is_empty() {
	[ "$(lab_gwctl "$1" plan --json | build/tests/pick changes)" = 0 ]
}

sa_pair() {
	[ "$(ip -n "$1" xfrm state | grep -c '^src')" = 2 ]
}

# What is not yet as it shall be; nothing when all is. The pair of before stays for a while, longer on branch, whose charon asks in
# vain for the end of an IKE_SA that hq's new one does not know.
lacks() {
	charon_says connected null || { echo "gwd's word on charon"; return; }
	site_is hq up && site_is branch up || { echo "the tunnel up"; return; }
	plan_is_empty hq || { echo "an empty plan"; return; }
	[ "${1-}" != pair ] || sa_pair hq || echo "one pair of SAs"
}

# $LACKED is what was not yet, before
well() {
	local now

	now=$(lacks "$@")
	[ -n "$now" ] || return 0
	LACKED=$now
	return 1
}

# WHAT [pair]: everything is as configured again, and one pair of SAs only
converges() {
	local t status

	t=$(ms_now) LACKED=nothing
	lab_wait 60 well "${2-}"
	status=$?
	ok "$1: all comes back" test $status = 0 || diag "$(lab_gwctl hq; lab_gwctl branch; ip -n hq xfrm state | grep -A1 ^src)"
	diag "$1: well after $(($(ms_now) - t)) ms, the last to come: $LACKED"
	carries "$1"
}

# WHAT: of the canaries sent since clear_flows none was lost
none_lost() {
	local flow

	clear_flows_end
	for flow in canary.lanbranch canary.lanhq; do
		is "$1: $flow lost nothing" "$(lab_udp_get $flow lost)" 0
	done
}

lab_topology
clear_watch
ok "the tunnel comes up" sites_up
clear_flows
asker_start
lab_sleep 3
answers "charon is well"

# ---- gone, and absent at a start of gwd
lab_charon_kill hq
says "killed" "not reachable" "nobody listens on /run/gwd/charon.vici"
ok "killed: the tunnel's state is not known" lab_wait 10 site_is hq unknown
like "killed: a person is told" "$(charon_line)" '^charon: not reachable since [0-9]+ s: nobody listens'
still_says "killed"
answers "killed"
lab_gwd_stop hq
lab_gwd_start hq
prefer gwd
asker_take
says "absent at the start" "not reachable" "nobody listens on /run/gwd/charon.vici"
ok "absent at the start: the tunnel's state is not known" lab_wait 10 site_is hq unknown
still_says "absent at the start"
answers "absent at the start"
lab_charon_start hq
converges "started late"
answers "started late"
none_lost "gone, absent, late"

# ---- killed in a loop: what was half negotiated may take packets with it
clear_flows
for i in 1 2 3 4 5; do
	lab_charon_kill hq
	lab_charon_start hq
	lab_sleep "0.$((i * 2 - 1))"
done
converges "killed in a loop"
answers "killed in a loop"
clear_flows_end

# ---- stands still
clear_flows
kill -STOP "$(lab_pid hq charon-systemd)"
lab_gwctl hq show branch1 >/dev/null &
says "stopped" "does not answer" "a request is past its deadline"
ok "stopped: the tunnel's state is not known" lab_wait 10 site_is hq unknown
like "stopped: a person is told" "$(charon_line)" '^charon: does not answer since [0-9]+ s: a request is past its deadline'
still_says "stopped"
answers "stopped"
kill -CONT "$(lab_pid hq charon-systemd)"
converges "continued"
answers "continued"

# ---- something else in its place
# MODE STATE REASON
in_its_place() {
	charon_fake_start "$1"
	says "$1" "$2" "$3"
	[[ $2 == connected ]] || still_says "$1"
	answers "$1"
	charon_fake_stop "$1"
}

lab_charon_kill hq
in_its_place half "not reachable" "the connection to /run/gwd/charon.vici was lost"
in_its_place garbage "not reachable" "what listens on /run/gwd/charon.vici does not speak vici"
in_its_place older connected null
in_its_place newer connected null
in_its_place silent "does not answer" "a request is past its deadline"
lab_charon_start hq
converges "charon again" pair
answers "charon again"
none_lost "stopped, replaced"

clear_none "whatever charon does"
clear_control hq 10.255.0.2
done_testing
