#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# by name
#
# The control socket under those who may open it and mean no good: thousands of connections that say nothing, never end what they
# say, or never read. root is answered all the while, gwd's memory and descriptors stay within bounds, and who is late is
# gone. A member of the group gwd reads and changes nothing, sees no secret; others do not even connect.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

CANARY='a-secret-that-nobody-shall-see'
MANY=2000

gwd_pid() {
	lab_pid hq gwd
}

# kB of memory that gwd has
memory() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$(gwd_pid)/status"
}

descriptors() {
	find "/proc/$(gwd_pid)/fd" -mindepth 1 | wc -l
}

# processor time that gwd has used, in hundredths of a second
cpu() {
	awk '{ print $14 + $15 }' "/proc/$(gwd_pid)/stat"
}

as_user() {
	lab_run hq setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}

as_member() {
	lab_run hq setpriv --reuid=nobody --regid=nogroup --groups=991 "$@"
}

# WHO COUNT MODE SECONDS
crowd_start() {
	local who=(setpriv --reuid=nobody --regid=nogroup --groups=991)

	[ "$1" = member ] || who=()
	rm -f "$LAB_DIR/hq/log/crowd.log"
	lab_spawn hq crowd "${who[@]}" tests/lab/crowd /run/gwd/gwd.sock "${@:2}"
	lab_wait 60 grep -q "all here" "$LAB_DIR/hq/log/crowd.log" || { diag "$(cat "$LAB_DIR/hq/log/crowd.log")"; return 1; }
}

crowd_is_over() {
	grep -q ^open= "$LAB_DIR/hq/log/crowd.log"
}

crowd_stop() {
	lab_stop hq crowd
	diag "crowd: $(grep ^open= "$LAB_DIR/hq/log/crowd.log")"
}

crowd_open() {
	sed -n 's/^open=\([0-9]*\).*/\1/p' "$LAB_DIR/hq/log/crowd.log"
}

# root asks several times; the longest in ms
answers() {
	local i t longest=0

	for i in 1 2 3 4 5; do
		t=${EPOCHREALTIME/[.,]/}
		lab_gwctl hq --timeout 20 version >/dev/null || { echo "no answer"; return; }
		t=$(((${EPOCHREALTIME/[.,]/} - t) / 1000))
		((t <= longest)) || longest=$t
	done
	echo $longest
}

# NAME: what must hold while there is a crowd
holds() {
	local ms

	ms=$(answers)
	diag "$1: root is answered within $ms ms, gwd has $(memory) kB, $(descriptors) descriptors"
	like "$1: root is answered" "$ms" '^[0-9]+$'
	cmp_ok "$1: descriptors" "$(descriptors)" '<' $((FDS + 70))
	cmp_ok "$1: memory (kB)" "$(memory)" '<' $((MEMORY + 65536))
}

# tunnels that need nothing of the kernel, with much to tell: a status of more than a megabyte
conf() {
	local i text

	text=$(printf 'x%.0s' {1..250})
	cat <<-END
	gateway: {id: hq.example.net, local: wan0}
	tunnels:
	  partner:
	    remote: 203.0.113.7
	    peer: {id: partner.example.net}
	    psk: ${1-/etc/gwd/psk}
	    addresses: [10.255.0.1/30]
	END
	for i in {1..1000}; do
		echo "  t$i: {remote: 10.9.$((i / 250)).$((i % 250 + 1)), protect: none, enabled: false," \
			"addresses: [10.$((64 + i / 250)).$((i % 250)).1/30], description: $text}"
	done
}

lab_node hq inet
lab_link hq wan0 198.51.100.1/24 -- inet hq0 198.51.100.254/24
lab_defaults hq 198.51.100.254
echo "gwd:x:991:" >>"$(lab_path hq /etc/group)"
(umask 077; echo $CANARY >"$LAB_DIR/hq/gwd/psk"; conf >"$LAB_DIR/hq/gwd/gwd.yaml")
lab_gwctl hq keygen >/dev/null 2>&1
lab_charon_start hq
ok "gwd starts" lab_gwd_start hq || done_testing
ok "root reads" test "$(lab_gwctl hq status --json | jq '.tunnels | length')" = 1001
FDS=$(descriptors) MEMORY=$(memory)
diag "the status takes $(lab_gwctl hq status --json | wc -c) bytes; gwd has $MEMORY kB, $FDS descriptors; alone it answers within $(answers) ms"

# ---- who may what
like "who is in no group cannot connect" "$(as_user $LAB_GWCTL status 2>&1)" "not allowed to open /run/gwd/gwd.sock: reading is for root and the group gwd"
is "and is told so by an exit status" "$(as_user $LAB_GWCTL status >/dev/null 2>&1; echo $?)" 1
is "a member reads" "$(as_member $LAB_GWCTL status --json | jq '.tunnels | length')" 1001
for verb in reload "up partner" "down partner" "restart partner" teardown "plan /etc/gwd/gwd.yaml"; do
	# shellcheck disable=SC2086 # words
	out=$(as_member $LAB_GWCTL $verb 2>&1)
	is "a member's $verb fails" $? 1
	like "a member's $verb: why" "$out" "\"${verb%% *}\" is for root"
done
is "nothing was changed" "$(lab_gwctl hq plan --json | build/tests/pick changes)" 0
for verb in status "show partner" plan version; do
	# shellcheck disable=SC2086
	unlike "no secret in $verb" "$(as_member $LAB_GWCTL --json $verb 2>&1)" $CANARY
done
like "control: the same look finds what is told" "$(as_member $LAB_GWCTL --json show partner 2>&1)" partner.example.net
conf "\"$CANARY\"" >"$LAB_DIR/hq/gwd/gwd.yaml"
nok "root writes a secret into the wrong place" lab_gwctl hq reload
out=$(as_member $LAB_GWCTL --json status 2>&1; as_member $LAB_GWCTL plan 2>&1)
unlike "and a member does not see it" "$out" $CANARY
like "but where the fault is" "$out" 'gwd.yaml:6:'
conf >"$LAB_DIR/hq/gwd/gwd.yaml"
ok "root takes it away" lab_gwctl hq reload

# ---- who says nothing
ok "$MANY connections of a member that say nothing" crowd_start member $MANY idle 60
holds "a silent crowd"
is "the member is answered too" "$(as_member $LAB_GWCTL --json status | jq '.tunnels | length')" 1001
ok "reload goes on" lab_gwctl hq reload
lab_sleep 10
holds "10 s later"
crowd_stop
is "all were closed" "$(crowd_open)" 0

ok "$MANY connections of root that say nothing" crowd_start root $MANY idle 60
is "a member is kept out" "$(as_member $LAB_GWCTL status 2>&1 | grep -c "too many connections at once")" 1
holds "a silent crowd of root"
crowd_stop

ok "a crowd that comes again and again" crowd_start member 40 again 60
holds "a stubborn crowd"
crowd_stop

# ---- who does not come to an end
ok "connections that send a byte now and then" crowd_start member 16 drip 60
holds "a slow crowd"
lab_sleep 12
crowd_stop
is "each had its 10 s" "$(crowd_open)" 0
ok "connections that send a line without end" crowd_start member 200 huge 60
holds "a loud crowd"
lab_sleep 1
crowd_stop
is "all were closed" "$(crowd_open)" 0

# ---- who does not read
ok "$MANY connections that ask and never read" crowd_start member $MANY mute 60
holds "a deaf crowd"
is "a member is told" "$(as_member $LAB_GWCTL status 2>&1 | grep -cE "too many connections at once|waits for others to read")" 1
ok "the gateway is still reloaded" lab_gwctl hq reload
lab_sleep 30
crowd_stop
is "each had its 30 s" "$(crowd_open)" 0
is "the member is answered again" "$(as_member $LAB_GWCTL --json status | jq '.tunnels | length')" 1001

# ---- without descriptors
ok "gwd may open four more descriptors" lab_run hq prlimit --pid "$(gwd_pid)" --nofile=$(($(descriptors) + 4))
before=$(cpu)
ok "connections, and no descriptors for them" crowd_start member 16 idle 60
lab_sleep 4
cmp_ok "gwd does not turn in circles (hundredths of a second)" $(($(cpu) - before)) '<' 200
ok "then as many as usual" lab_run hq prlimit --pid "$(gwd_pid)" --nofile=1024
ok "with some again root is answered" lab_gwctl hq version
crowd_stop

diag "at the end gwd has $(memory) kB, $(descriptors) descriptors"
is "every descriptor was given back" "$(descriptors)" "$FDS"
done_testing
