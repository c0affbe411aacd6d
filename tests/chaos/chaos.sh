# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The chaos run: faults drawn at random while traffic runs through all tunnels of the scene (scene.sh), and after each one:
#
#	- nothing of a protected tunnel was in clear on any wire, no canary was to be read
#	- nothing that belongs to somebody else was touched
#	- everything is as configured again within the fault's deadline: every tunnel up, nothing planned, packets pass
#	- tunnels that the fault did not cut lost no packet
#
# chaos_begin, then chaos_run or chaos_short, then chaos_end; results in TAP. The draw depends on the seed and the fault's number alone, so
# one fault is repeated by these two. Faults register themselves (faults-*.sh):
#
#	fault ROW WEIGHT SECONDS NAME WHAT	function fault_NAME; SECONDS until all is well again
#
# A fault function sets CUTS, the tunnels which may lose packets, MAY, how many packets a flow of any other may lose, and TOLD, its particulars; and calls finding TEXT for what it finds
# by itself; and missed TEXT where what it was to do did not happen, which is judged all the same, and told and counted apart. ROW is that
# of the list of faults which README.md here has.

SEED=1
PATIENCE=${LAB_CHAOS_PATIENCE:-3}	# emulation, and whoever else works on the machine
declare -A ALIENS=() COUNT=() MISSES=() WORST=() ROW_OF=() LIMIT=() WHAT_OF=() CUT_WORST=()
FAULTS=()	# names, as often as they weigh
NAMES=()	# names, in order
FINDINGS=0
NUMBER=0
AFTER=	# tunnels that what the last fault began may cut after all is well

fault() {
	local i

	for ((i = 0; i < $2; i++)); do FAULTS+=("$4"); done
	NAMES+=("$4")
	ROW_OF[$4]=$1 LIMIT[$4]=$3 WHAT_OF[$4]=$5
}

# shellcheck source=tests/chaos/scene.sh
. tests/chaos/scene.sh
# shellcheck source=tests/chaos/faults-daemons.sh
. tests/chaos/faults-daemons.sh
# shellcheck source=tests/chaos/faults-kernel.sh
. tests/chaos/faults-kernel.sh
# shellcheck source=tests/chaos/faults-outside.sh
. tests/chaos/faults-outside.sh

# time since the start of the machine, in s or in 1/100 s: the clock jumps here
uptime_s() {
	read -r REPLY _ </proc/uptime
	REPLY=${REPLY%.*}
}

uptime_cs() {
	read -r REPLY _ </proc/uptime
	REPLY=${REPLY/./}
}

chaos_begin() {
	local n

	OUT=build/lab/out/$LAB_TEST.findings
	rm -rf "$OUT"
	mkdir -p "$OUT"
	scene_nodes
	scene_aliens
	scene_conf
	for n in $GATEWAYS; do
		lab_charon_start "$n" || exit 1
		gwd_start "$n"
	done
	# before gwd's first start nothing holds back what is for the other side
	for n in $GATEWAYS; do
		lab_wait 30 lab_gwd_answers "$n" || { diag "gwd of $n: $(tail -5 "$LAB_DIR/$n/log/gwd.log")"; exit 1; }
	done
	scene_watch
	watch mark
	watch settle 180000
	like "all tunnels come up, and carry" "$REPLY" "^settled"
	[[ $REPLY == settled* ]] || { evidence; exit 1; }
	aliens_note
	watch loss
	like "nothing was in clear on the way" "$REPLY" "clear=0 canary=0 dropped=0"
	uptime_s
	BEGAN=$REPLY
}

finding() {
	FINDINGS=$((FINDINGS + 1))
	echo "# FINDING: seed $SEED, fault $NUMBER, ${NAME-} ${TOLD-}: $*"
	echo "#   again: make chaos SEED=$SEED ONLY=$NUMBER:${NAME-}"
	echo "seed $SEED fault $NUMBER ${NAME-} ${TOLD-}: $*" >>"$OUT/findings"
	[ $FINDINGS -gt 40 ] || evidence
}

missed() {
	MISSED=$*
}

# everything one wants to see, into the folder of this fault
evidence() {
	local n d=$OUT/$NUMBER

	[ ! -d "$d" ] || return
	mkdir -p "$d"
	for n in $GATEWAYS; do
		tail -n 300 "$LAB_DIR/$n/log/gwd.log" >"$d/$n.gwd.log"
		tail -n 400 "$LAB_DIR/$n/log/charon.log" >"$d/$n.charon.log"
		{
			lab_gwctl "$n"
			lab_gwctl "$n" plan
			ip -n "$n" -s xfrm state
			ip -n "$n" xfrm policy
			ip -n "$n" -d addr
			ip -n "$n" route show table all
			lab_run "$n" nft list ruleset
			lab_run "$n" cat /proc/net/xfrm_stat
		} 2>&1 | sed 's/0x[0-9a-f]\{32,\}/KEY/' >"$d/$n.state"
	done
	cp "$LAB_DIR/watch.log" "$d/"
}

# after a fault that does not end: everything anew
chaos_reset() {
	local n

	diag "starting all daemons anew"
	for n in $GATEWAYS; do
		gwd_signal "$n" CONT 2>/dev/null
		charon_signal "$n" CONT 2>/dev/null
		gwd_kill "$n" 2>/dev/null
		lab_charon_kill "$n" 2>/dev/null
		ip -n "$n" xfrm state flush
		cp "$LAB_DIR/$n/base.yaml" "$LAB_DIR/$n/gwd/gwd.yaml"
	done
	alien_sa hq
	alien_sa branch
	for n in $GATEWAYS; do
		lab_charon_start "$n"
		gwd_start "$n"
	done
	watch settle 180000
	[[ $REPLY == settled* ]] || { finding "not even all daemons anew help: $REPLY"; return 1; }
	aliens_note
	watch loss
}

# what the watch says of the window that ends
chaos_judge_loss() {
	local word flow tunnel lost cut=0

	for word in ${1#loss }; do
		flow=${word%%=*} lost=${word#*=} tunnel=${flow%%[<>]*}
		case $flow in
		clear|canary)
			[ "$lost" = 0 ] || finding "$lost packets on the wire: $flow" ;;
		dropped)
			[ "$lost" = 0 ] || finding "$lost packets were not looked at" ;;
		*)	if [[ " $CUTS " == *" $tunnel "* ]]; then
				((lost <= cut)) || cut=$lost
			elif ((lost > MAY)); then
				finding "$lost packets of $flow were lost"
			fi ;;
		esac
	done
	((cut <= ${CUT_WORST[$NAME]-0})) || CUT_WORST[$NAME]=$cut
}

chaos_judge_aliens() {
	local n

	for n in hq branch; do
		watch alien $n
		[ "$REPLY" = "${ALIENS[$n]}" ] || watch alien $n
		[ "$REPLY" = "${ALIENS[$n]}" ] && continue
		finding "somebody else's things on $n were touched"
		ALIENS[$n]=$REPLY
	done
}

# NUMBER [NAME]: one fault, and the invariants
chaos_fault() {
	NUMBER=$1
	RANDOM=$((SEED * 7919 + NUMBER * 31))
	draw "${FAULTS[@]}"
	NAME=${2:-$REPLY} CUTS='' TOLD='' MAY=0 MISSED=''
	watch mark
	uptime_cs
	local began=$REPLY ended
	local after=$AFTER
	AFTER=
	"fault_$NAME"
	CUTS+=" $after"
	uptime_cs
	ended=$REPLY
	watch settle $((LIMIT[$NAME] * PATIENCE * 1000))
	if [ -z "$MISSED" ]; then
		COUNT[$NAME]=$((${COUNT[$NAME]-0} + 1))
	else
		MISSES[$NAME]=$((${MISSES[$NAME]-0} + 1))
		TOLD+=", NO FAULT: $MISSED"
	fi
	if [[ $REPLY != settled* ]]; then
		finding "not well after $((LIMIT[$NAME] * PATIENCE)) s: $REPLY"
		chaos_reset || return
		return 0
	fi
	local ms=${REPLY#settled } lost
	((ms <= ${WORST[$NAME]-0})) || WORST[$NAME]=$ms
	watch loss "$CUTS"
	lost=${REPLY#loss}
	echo "# $NUMBER row ${ROW_OF[$NAME]} $NAME $TOLD: $ms ms, $(((ended - began) * 10)) of them for the fault${lost# clear=0 canary=0 dropped=0}"
	chaos_judge_loss "$REPLY"
	chaos_judge_aliens
	logs_trim
}

# the logs are in memory
logs_trim() {
	local n f

	((NUMBER % 50 == 0)) || return 0
	for n in $GATEWAYS; do
		for f in gwd charon charon-systemd; do
			[ "$(stat -c %s "$LAB_DIR/$n/log/$f.log" 2>/dev/null || echo 0)" -lt 20000000 ] || : >"$LAB_DIR/$n/log/$f.log"
		done
	done
}

# SECONDS FAULTS ONLY: until one of the limits; ONLY: faults as NUMBER or NUMBER:NAME, once, or names, or rows as rowN, or "each" for each
# one once
chaos_run() {
	local end most=$2 only=${3-} n=0 word

	uptime_s
	end=$((REPLY + $1))
	echo "# seed $SEED"
	[ "$only" != each ] || only=$(chaos_each)
	for word in $only; do
		[[ $word =~ ^([0-9]+)(:(.+))?$ ]] || continue
		chaos_fault "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}" || return
		n=1
	done
	((n == 0)) || return 0
	[ -z "$only" ] || chaos_only "$only"
	while ((n++ < most)); do
		chaos_fault $n || return
		uptime_s
		((REPLY < end)) || break
	done
}

chaos_each() {
	local i

	for ((i = 0; i < ${#NAMES[@]}; i++)); do echo $((i + 1)):"${NAMES[i]}"; done
}

# SECONDS: one fault of each row, then the second ones, and so on, until the time is over; those that take long are left out
chaos_short() {
	local name row n=0 end round=0 before=-1
	declare -A nth=()

	uptime_s
	end=$((REPLY + $1))
	while ((n > before)); do
		before=$n nth=()
		for name in "${NAMES[@]}"; do
			[[ " charon_hang charon_late charon_loop reboot psk_rotate addr_change wire_cut conf_huge " != *" $name "* ]] || continue
			row=${ROW_OF[$name]}
			nth[$row]=$((${nth[$row]--1} + 1))
			((nth[$row] == round)) || continue
			uptime_s
			((round == 0 || REPLY < end)) || return 0
			chaos_fault $((++n)) "$name" || return
		done
		round=$((round + 1))
	done
}

# names, and rows as rowN, instead of all
chaos_only() {
	local word name chosen=()

	for word in $1; do
		for name in "${NAMES[@]}"; do
			[ "$word" = "$name" ] || [ "$word" = "row${ROW_OF[$name]}" ] && chosen+=("$name")
		done
	done
	[ ${#chosen[@]} -gt 0 ] || { diag "no such fault: $1"; exit 1; }
	FAULTS=("${chosen[@]}")
}

# Both layers away, and gwd too: the same eyes must see it.
chaos_control() {
	local n clear canary

	for n in hq branch; do
		gwd_kill $n
		lab_run $n nft delete table inet gwd
		ip -n $n xfrm policy flush
		ip -n $n xfrm state flush
	done
	lab_sleep 1
	watch loss
	diag "control: $REPLY"
	[[ $REPLY =~ clear=([0-9]+)\ canary=([0-9]+) ]]
	clear=${BASH_REMATCH[1]} canary=${BASH_REMATCH[2]}
	cmp_ok "control: with nothing that protects, GRE in clear is seen" "$clear" '>' 50
	cmp_ok "control: and read" "$canary" '>' 50
	ip -n hq link set alien0 mtu 1400
	watch alien hq
	isnt "control: a change of somebody else's things is seen" "$REPLY" "${ALIENS[hq]}"
}

chaos_table() {
	local name total=0 missed=0 took

	uptime_s
	took=$((REPLY - BEGAN + 1))
	echo "#"
	printf '# %-4s %-22s %6s %6s %9s %9s  %s\n' row fault times missed worst,ms max-lost what
	for name in "${NAMES[@]}"; do
		[ -n "${COUNT[$name]-}${MISSES[$name]-}" ] || continue
		total=$((total + ${COUNT[$name]-0})) missed=$((missed + ${MISSES[$name]-0}))
		printf '# %-4s %-22s %6s %6s %9s %9s  %s\n' "${ROW_OF[$name]}" "$name" "${COUNT[$name]-0}" "${MISSES[$name]--}" \
			"${WORST[$name]--}" "${CUT_WORST[$name]-0}" "${WHAT_OF[$name]}"
	done
	echo "# $total faults in $took s, $((total * 60 / took)) a minute, $FINDINGS findings, seed $SEED; max-lost: of one flow of a tunnel that the fault cut, 10 packets a second"
	((missed == 0)) || echo "# $missed more did not happen, and are not counted"
	sed 's/^/# not injected: row /' tests/chaos/not-injected
}

chaos_end() {
	date -s "@$(($(date +%s) - CLOCK))" >/dev/null
	chaos_table
	is "0 findings" "$FINDINGS" 0
	chaos_control
	[ $FINDINGS != 0 ] || rm -rf "$OUT"
	done_testing
}
