#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who begins: both ends at the same time, again and again, and one IKE_SA with one CHILD_SA remains, without loss while the
# others are closed; `start: on-traffic`, where the first packet does it, and none leaves in clear; `start: passive`.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

ALLOWED=3	# packets: where all is emulated a process may stand still for longer than a margin

# "IKE_SAs CHILD_SAs kernel's SAs" of a node
sas_of() {
	lab_swanctl "$1" --list-sas >"$LAB_DIR/sas"
	echo "$(grep -c '^gwd-.*ESTABLISHED' "$LAB_DIR/sas")" \
		"$(grep -c ', INSTALLED' "$LAB_DIR/sas")" \
		"$(ip -n "$1" xfrm state | grep -c 'proto esp spi 0x[0-9a-f]*[1-9a-f]')"
}

one_sa() {
	[ "$(sas_of "$1")" = "1 1 2" ]
}

both_up() {
	site_is hq up && site_is branch up
}

# VERB: of both ends at the same moment
at_once() {
	local n pids=() status=0

	for n in hq branch; do
		lab_gwctl $n "$1" ${2+"$(site_tunnel $n)"} >>"$LAB_DIR/$n/log/at-once.log" 2>&1 &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n" || status=$?
	done
	return $status
}

# NODE: the reason that status gives
reason() {
	lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason'
}

reason_like() {
	[[ "$(reason "$1")" =~ $2 ]]
}

link_is() {
	[[ "$(ip -n "$1" -o link show "$(site_tunnel "$1")")" == *"state $2 "* ]]
}

# which IKE_SAs the charon of a node has begun since its start
begun() {
	grep -c 'initiating IKE_SA gwd-' "$LAB_DIR/$1/log/charon.log"
}

flows() {
	lab_udp_start there."$1" lanhq lanbranch 10.2.0.2 100
	lab_udp_start back."$1" lanbranch lanhq 10.1.0.2 100
}

# NAME WHAT
verdict() {
	local d

	lab_udp_stop there."$1" back."$1"
	for d in there back; do
		diag "$2, $d: $(lab_udp_get $d."$1" sent) packets, $(lab_udp_get $d."$1" lost) lost" \
			"(at $(lab_udp_get $d."$1" holes))"
		cmp_ok "$2, $d: there was traffic" "$(lab_udp_get $d."$1" sent)" '>=' 50
		cmp_ok "$2, $d: nothing lost" "$(lab_udp_get $d."$1" lost)" '<=' $ALLOWED
	done
}

# how many surplus IKE_SAs gwd has closed, on either end
closed() {
	cat "$LAB_DIR"/{hq,branch}/log/gwd.log | grep -c "closing surplus IKE_SA"
}

# IKE_SAs that a node has had
established() {
	grep -c 'IKE_SA gwd-.* established between' "$LAB_DIR/$1/log/charon.log"
}

# a second from end to end, or none
distance() {
	lab_run inet tc qdisc "$1" dev hq0 root netem delay 1s
	lab_run inet tc qdisc "$1" dev branch0 root netem delay 1s
}

# both charons begin before they hear of each other
collide() {
	local n pids=()

	distance add
	lab_swanctl hq --terminate --ike gwd-branch1 --force --timeout 1 >/dev/null
	lab_sleep 1
	for n in hq branch; do
		lab_swanctl $n --initiate --child gre --ike "gwd-$(site_tunnel $n)" --timeout 20 >>"$LAB_DIR/$n/log/collide.log" 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	distance del
}

lab_topology
clear_watch
LAB_GWD_ARGS=-v
ok "the tunnel comes up" sites_up
clear_flows

# both at the same time
for round in 1 2 3 4 5; do
	ok "restart $round of both ends" at_once restart tunnel
done
for round in 1 2 3 4 5; do
	at_once down tunnel
	ok "down and up $round of both ends" at_once up tunnel
done
ok "up on both" lab_wait 20 both_up
ok "with one IKE_SA and one CHILD_SA" lab_wait 60 one_sa hq
diag "begun by hq $(begun hq), by branch $(begun branch); surplus ones closed: $(closed)"
before=$(closed) hq=$(begun hq) branch=$(begun branch) had=$(established hq)
collide
cmp_ok "hq has begun" "$(begun hq)" '>' "$hq"
cmp_ok "so has branch" "$(begun branch)" '>' "$branch"
cmp_ok "each got an IKE_SA" "$(established hq)" '>=' $((had + 2))
diag "hq: $(sas_of hq), branch: $(sas_of branch)"
ok "up on both" lab_wait 20 both_up
flows ups
ok "one IKE_SA and one CHILD_SA remain on hq" lab_wait 40 one_sa hq
ok "and on branch" lab_wait 20 one_sa branch
lab_sleep 1
verdict ups "while surplus ones are closed"
cmp_ok "gwd has closed what was surplus" "$(closed)" '>' "$before"
clear_none "while both ends begin"

sites_conf "    esp: {rekey-time: 50m}"
ok "reload of both ends with another lifetime" at_once reload
sites_conf "    esp: {rekey-time: 55m}"
ok "and again, before that is over" at_once reload
ok "up on hq" lab_wait 30 site_is hq up
ok "up on branch" lab_wait 30 site_is branch up
lab_sleep 1
diag "hq: $(sas_of hq), branch: $(sas_of branch)"
flows reloads
ok "one IKE_SA and one CHILD_SA remain on hq" lab_wait 40 one_sa hq
ok "and on branch" lab_wait 20 one_sa branch
lab_sleep 1
verdict reloads "after two reloads"

clear_none "while both reload"
clear_flows_end

# on-traffic: hq begins when it has something to send
for n in hq branch; do
	lab_gwctl $n down "$(site_tunnel $n)" >/dev/null 2>&1
done
sites_conf "    start: on-traffic"
for n in hq branch; do
	ok "$n takes start: on-traffic" lab_gwctl $n reload
done
for n in hq branch; do
	lab_gwctl $n restart "$(site_tunnel $n)" >/dev/null 2>&1 &
done
wait
ok "restart starts it on hq" lab_wait 30 site_is hq up
ok "and on branch" lab_wait 30 site_is branch up
ok "branch's charon ends" lab_charon_stop branch
ok "hq is idle then" lab_wait 30 site_is hq idle
is "told" "$(reason hq)" "starts with the first packet"
is "which is as wanted" "$(lab_gwctl hq status >/dev/null 2>&1; echo $?)" 0
ok "its link is up" link_is hq UP
lab_run lanhq ping -c1 -W1 10.2.0.2 >/dev/null
ok "a packet without a peer: down, and why" lab_wait 20 reason_like hq 'does not answer|no answer'
ok "the link tells it" link_is hq DORMANT
clear_flows
ok "the peer's charon is back" lab_charon_start branch
ok "the next packet starts it" lab_wait 40 lab_run lanhq ping -c1 -W1 10.2.0.2
ok "up on hq" lab_wait 10 site_is hq up
ok "up on branch" lab_wait 10 site_is branch up
clear_none "where traffic begins"

# passive: hq waits
for n in hq branch; do
	lab_gwctl $n down "$(site_tunnel $n)" >/dev/null 2>&1
done
sites_conf
sed -i 's/^  branch1:/&\n    start: passive/' "$LAB_DIR/hq/gwd/gwd.yaml"
sed -i 's/^  hq:/&\n    enabled: no/' "$LAB_DIR/branch/gwd/gwd.yaml"
for n in branch hq; do
	ok "$n takes it" lab_gwctl $n reload
done
before=$(begun hq)
lab_run hq timeout 3 "$LAB_GWCTL" up branch1 >/dev/null 2>&1
ok "a passive end waits" lab_wait 10 site_is hq down
is "and says for whom" "$(reason hq)" "waiting for branch.example.net to call (start: passive)"
lab_sleep 2
is "it has begun nothing" "$(begun hq)" "$before"
sed -i '/enabled: no/d' "$LAB_DIR/branch/gwd/gwd.yaml"
lab_gwctl branch reload >/dev/null
lab_gwctl branch up hq >/dev/null 2>&1
ok "the other end calls, and the tunnel is up" lab_wait 30 site_is hq up
is "which has begun nothing still" "$(begun hq)" "$before"

clear_none "where one end is passive"
clear_control branch 10.255.0.2

done_testing
