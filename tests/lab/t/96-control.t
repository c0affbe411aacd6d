#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The control socket under those who may open it and mean no good: thousands of connections that say nothing, never end what they
# say, or never read. root is answered all the while, gwd's memory and descriptors stay within bounds, and who is late is
# gone. A member of the group gwd reads and changes nothing, sees no secret; others do not even connect.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

CANARY='a-secret-that-nobody-shall-see'
MANY=2000 TUNNELS=400

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

# USER COMMAND...: of the group gwd
as() {
	lab_run hq setpriv --reuid="$1" --regid=nogroup "--groups=$LAB_UID" "${@:2}"
}

as_member() {
	as nobody "$@"
}

# TAG USER COUNT MODE
crowd_start() {
	local who=(setpriv --reuid="$2" --regid=nogroup "--groups=$LAB_UID")

	[ "$2" != root ] || who=()
	rm -f "$LAB_DIR/hq/log/$1.log"
	lab_spawn hq "$1" prlimit --nofile=$((MANY + 64)) "${who[@]}" tests/lab/crowd /run/gwd/gwd.sock "$3" "$4" 120
	lab_wait 60 grep -q "all here" "$LAB_DIR/hq/log/$1.log" || { diag "$(cat "$LAB_DIR/hq/log/$1.log")"; return 1; }
}

# TAG
crowd_stop() {
	lab_stop hq "$1"
	diag "$SECONDS s: crowd $1: $(grep ^open= "$LAB_DIR/hq/log/$1.log")"
}

# TAG open|peak|lasted
crowd_get() {
	tr ' ' '\n' <"$LAB_DIR/hq/log/$1.log" | sed -n "s/^$2=//p"
}

# TAG SECONDS: gwd closes all, the last not before that time is over
crowd_gone() {
	lab_wait 60 grep -q ^open= "$LAB_DIR/hq/log/$1.log"
	crowd_stop "$1"
	is "$1: all are closed" "$(crowd_get "$1" open)" 0
	cmp_ok "$1: not before $2 s" "$(crowd_get "$1" lasted)" '>=' $(($2 - 1))
}

# root asks several times; the longest in ms
answers() {
	local i t longest=0

	for i in 1 2 3; do
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
	diag "$SECONDS s: $1: root is answered within $ms ms, gwd has $(memory) kB, $(descriptors) descriptors"
	like "$1: root is answered" "$ms" '^[0-9]+$'
	cmp_ok "$1: descriptors" "$(descriptors)" '<' $((FDS + 70))
	cmp_ok "$1: memory (kB)" "$(memory)" '<' $((MEMORY + 65536))
}

# tunnels that need nothing of the kernel, with much to tell: a status that fills a socket's buffer
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
	for ((i = 1; i <= TUNNELS; i++)); do
		echo "  t$i: {remote: 10.9.$((i / 250)).$((i % 250 + 1)), protect: none, enabled: false," \
			"addresses: [10.$((64 + i / 250)).$((i % 250)).1/30], description: $text}"
	done
}

lab_node hq inet
lab_link hq wan0 198.51.100.1/24 -- inet hq0 198.51.100.254/24
lab_defaults hq 198.51.100.254
(umask 077; echo $CANARY >"$LAB_DIR/hq/gwd/psk"; conf >"$LAB_DIR/hq/gwd/gwd.yaml")
lab_gwctl hq keygen >/dev/null 2>&1
lab_charon_start hq
ok "gwd starts" lab_gwd_start hq || done_testing
ok "root reads" test "$(lab_gwctl hq status --json | jq '.tunnels | length')" = $((TUNNELS + 1))
FDS=$(descriptors) MEMORY=$(memory)
t=${EPOCHREALTIME/[.,]/}
diag "$SECONDS s: the status takes $(lab_gwctl hq status --json | wc -c) bytes and $(((${EPOCHREALTIME/[.,]/} - t) / 1000)) ms; gwd has $MEMORY kB, $FDS descriptors; alone it answers within $(answers) ms"

# ---- who may what
like "who is in no group cannot connect" "$(as_user $LAB_GWCTL status 2>&1)" "not allowed to open /run/gwd/gwd.sock: reading is for root and the group gwd"
is "and is told so by an exit status" "$(as_user $LAB_GWCTL status >/dev/null 2>&1; echo $?)" 1
is "a member reads" "$(as_member $LAB_GWCTL status --json | jq '.tunnels | length')" $((TUNNELS + 1))
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

# ---- who says nothing, or does not come to an end
ok "connections that send a byte now and then" crowd_start slow 65001 16 drip
ok "$MANY connections of a member that say nothing" crowd_start silent nobody $MANY idle
holds "a silent crowd and a slow one"
like "the member is answered too" "$(as_member $LAB_GWCTL show partner 2>&1)" partner.example.net
ok "reload goes on" lab_gwctl hq reload
crowd_gone slow 10
crowd_gone silent 5	# those that came early gave way to the late
# USER: there is no room
is_told() {
	WORDS=$(as "$1" $LAB_GWCTL version 2>&1)
	[[ $WORDS =~ "too many connections at once" ]]
}
ok "connections of root that say nothing, and come again" crowd_start root root 80 again
ok "a member is kept out" lab_wait 20 is_told nobody
holds "a silent crowd of root"
crowd_stop root

# ---- who does not read, while others come
# few: those that ask first are gone 30 s later
ok "connections that ask and never read" crowd_start deaf 65001 20 mute
ok "its user is told" lab_wait 20 is_told 65001 || diag "last: $WORDS"
holds "a deaf crowd"
ok "the gateway is still reloaded" lab_gwctl hq reload
ok "a crowd that comes again and again" crowd_start stubborn nobody 40 again
holds "a stubborn crowd"
crowd_stop stubborn
ok "connections that send a line without end" crowd_start loud nobody 100 huge
holds "a loud crowd"
crowd_gone loud 0
crowd_gone deaf 30
is "the member is answered again" "$(as_member $LAB_GWCTL --json status | jq '.tunnels | length')" $((TUNNELS + 1))

# ---- without descriptors
ok "gwd may open four more descriptors" lab_run hq prlimit --pid "$(gwd_pid)" --nofile=$(($(descriptors) + 4))
before=$(cpu)
ok "connections, and no descriptors for them" crowd_start many nobody 16 idle
lab_sleep 3
cmp_ok "gwd does not turn in circles (hundredths of a second)" $(($(cpu) - before)) '<' 150
ok "then as many as usual" lab_run hq prlimit --pid "$(gwd_pid)" --nofile=1024
ok "with some again root is answered" lab_gwctl hq version
crowd_stop many

lab_sleep 0.5
diag "$SECONDS s: at the end gwd has $(memory) kB, $(descriptors) descriptors"
is "every descriptor was given back" "$(descriptors)" "$FDS"
done_testing
