#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Never in clear: traffic is sent through the tunnel both ways all the time, and whatever happens to gwd, charon, the
# SAs, the policies, the guard or the configuration, no GRE packet crosses the internet unencrypted. Each of the two
# layers holds alone. At the end both are taken away, and the same captures see the GRE and read what is in it.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

both() {
	local n

	for n in hq branch; do
		"$1" $n "${@:2}" || return
	done
}

both_up() {
	local n

	for n in hq branch; do
		lab_wait 30 site_is $n up || { diag "$(lab_gwctl $n)"; return 1; }
	done
}

# nothing in clear so far; the capture has nothing but clear GRE
still_none() {
	is "0 clear GRE packets: $1" "$(lab_capture_count clear '')" 0
}

# NODE SED-SCRIPT: another configuration, into force
change() {
	sed -i "$2" "$LAB_DIR/$1/gwd/gwd.yaml"
	lab_gwctl "$1" reload
}

# NODE: packets that the guard stopped on their way out
guard_stopped() {
	lab_guard_stopped "$1" out
}

# NODE: packets without an SA that the policies stopped
policies_stopped() {
	lab_run "$1" awk '$1 == "XfrmOutNoStates" { print $2 }' /proc/net/xfrm_stat
}

# NODE FUNCTION BEFORE: it counted more since
more_than() {
	[ "$("$2" "$1")" -gt $(($3 + 20)) ]
}

# NODE: where there is a link of ours there are two policies and a guard with a pair
covered() {
	ip -n "$1" link show "$(site_tunnel "$1")" >/dev/null 2>&1 || return 0
	[ "$(ip -n "$1" xfrm policy list | grep -cE 'proto (gre|47)')" -ge 2 ] || return
	[ "$(lab_run "$1" nft list table inet gwd | grep -c counter.packets)" -ge 2 ]
}

# NODE: as if gwd had never run; the link first. There must be no SA: what came in on it would be quoted in clear, by an
# ICMP error of a kernel that has neither link nor guard.
wipe() {
	ip -n "$1" link del "$(site_tunnel "$1")" 2>/dev/null
	ip -n "$1" xfrm policy flush
	lab_run "$1" nft delete table inet gwd 2>/dev/null
	return 0
}

policies_away() {
	ip -n "$1" xfrm policy flush
}

guard_away() {
	lab_run "$1" nft delete table inet gwd
}

sas_away() {
	ip -n "$1" xfrm state flush
}

# charon may be in the middle of a rekey, whose SAs come after: then once more
policies_stop() {
	local before

	both sas_away
	before=$(policies_stopped hq)
	lab_sleep 1
	more_than hq policies_stopped "$before"
}

# the SPI that leaves hq
spi_of() {
	ip -n hq xfrm state list dst "$1" | awk '$1 == "proto" { print $4 }'
}

rekeyed() {
	local spi

	spi=$(spi_of "$1")
	[ -n "$spi" ] && [[ $spi != *"$2"* ]]
}

# NODE SYSCALL N: start gwd, which is killed as it makes its Nth SYSCALL; false if it came up before that
start_killed() {
	local pid

	lab_spawn "$1" gwd strace -D -qq -o "$LAB_DIR/strace" -s 0 -e trace="$2" -e "inject=$2:signal=KILL:when=$3" \
		"$LAB_GWD" -c /etc/gwd/gwd.yaml
	pid=$(lab_pid "$1" gwd)
	lab_wait 15 gone_or_answers "$1" "$pid"
	lab_gone "$pid" && return
	lab_gwd_kill "$1"
	return 1
}

gone_or_answers() {
	lab_gone "$2" || lab_gwd_answers "$1"
}

# NODE N: kill gwd as it makes the Nth send from now on, while it takes another configuration
reload_killed() {
	local pid

	pid=$(lab_pid "$1" gwd)
	rm -f "$LAB_DIR/strace"
	lab_spawn "$1" strace strace -o "$LAB_DIR/strace" -s 0 -e trace=sendto,sendmsg \
		-e "inject=sendto,sendmsg:signal=KILL:when=$2" -p "$pid"
	lab_wait 10 grep -q attached "$LAB_DIR/$1/log/strace.log" || return
	: >"$LAB_DIR/$1/log/strace.log"
	kill -HUP "$pid" 2>/dev/null
	lab_wait 5 lab_gone "$pid" || { kill -KILL "$pid"; return 1; }
}

lab_topology
# what has no tunnel to go through shall not take the default route
ip -n hq route add blackhole 10.255.0.0/16
ip -n hq route add blackhole 2001:db8:ff::/48
ip -n branch route add blackhole 10.255.0.0/16
ip -n branch route add blackhole 2001:db8:ff::/48
lab_capture_start clear inet any 256 "proto 47"
lab_capture_start wire inet hq0 128
sites_keys
sites_conf "    esp: {rekey-time: 5s}"
lab_udp_start there hq branch 10.255.0.2 150
lab_udp_start back branch hq 2001:db8:ff::1 150

# ---- coming up
ok "gwd starts without charon" both lab_gwd_start
ok "the policies stop what is sent" lab_wait 10 more_than hq policies_stopped 0
ok "on branch too" lab_wait 10 more_than branch policies_stopped 0
ok "and hq calls it down" site_is hq down
still_none "before charon"
ok "charon starts late" lab_charon_start hq branch
ok "the tunnel comes up" both_up
still_none "the first SA"
spi=$(spi_of 203.0.113.7)
ok "rekeyed" lab_wait 15 rekeyed 203.0.113.7 "$spi"
spi=$(spi_of 203.0.113.7)
ok "and again" lab_wait 15 rekeyed 203.0.113.7 "$spi"
still_none "rekeying"

# ---- while gwd lives
sas_away hq
ok "up again without the SAs" both_up
sas_away branch
ok "and without those of branch" both_up
still_none "SAs flushed"
policies_away hq
policies_away branch
ok "hq has its policies back" lab_wait 5 covered hq
ok "up again without the policies" both_up
guard_away hq
guard_away branch
ok "up again without the guard" both_up
ok "hq has its guard back" lab_wait 5 lab_run hq nft list table inet gwd
still_none "policies flushed, guard deleted"

# ---- gwd killed as it starts, from nothing, at each of its first steps
lab_gwd_kill hq
lab_charon_kill hq
sas_away hq
killed=0 linked=0 uncovered=''
# the guard is one sendmsg; before the 14th sendto gwd only looks
for step in "sendmsg 1" "sendto "{16..24..2}; do
	wipe hq
	# shellcheck disable=SC2086 # two words
	start_killed hq $step && killed=$((killed + 1))
	ip -n hq link show branch1 >/dev/null 2>&1 && linked=$((linked + 1))
	covered hq || uncovered+="$step "
done
cmp_ok "gwd was killed while it started" "$killed" '>=' 5
cmp_ok "before there was a link" "$linked" '<' 5
cmp_ok "and after" "$linked" '>=' 1
is "never a link without policies and guard" "$uncovered" ""
still_none "gwd killed while it starts"
lab_charon_start hq
ok "gwd starts on what it had left" lab_gwd_start hq
ok "and heals it" both_up

# ---- gwd killed as it takes another configuration
reloads=0 uncovered=''
for n in 1 4 7 10 13; do
	if grep -q gre-key "$LAB_DIR/hq/gwd/gwd.yaml"; then
		sed -i '/gre-key/d; s/203.0.113.99/203.0.113.7/' "$LAB_DIR/hq/gwd/gwd.yaml"
	else
		sed -i 's/^    remote: .*/    remote: 203.0.113.99\n    gre-key: 7/' "$LAB_DIR/hq/gwd/gwd.yaml"
	fi
	reload_killed hq $n && reloads=$((reloads + 1))
	covered hq || uncovered+="$n "
	rm -f "$LAB_DIR/hq/pid/gwd"
	lab_gwd_start hq
done
cmp_ok "gwd was killed while it reloaded" $reloads '>=' 4
is "never a link without policies and guard, reloading" "$uncovered" ""
still_none "gwd killed while it reloads"
sed -i '/gre-key/d; s/203.0.113.99/203.0.113.7/' "$LAB_DIR/hq/gwd/gwd.yaml"
lab_gwctl hq reload >/dev/null
ok "up after all this" both_up

# ---- charon killed
both lab_charon_kill
both sas_away
before=$(policies_stopped hq)
ok "the policies stop what is sent" lab_wait 10 more_than hq policies_stopped "$before"
still_none "charon killed, its SAs ended"
ok "charon starts again" lab_charon_start hq branch
ok "the tunnel comes up again" both_up

# ---- each layer alone, with nobody to heal
both lab_gwd_kill
both policies_away
before=$(guard_stopped hq)
ok "the guard alone stops it" lab_wait 10 more_than hq guard_stopped "$before"
ok "on branch too" lab_wait 10 more_than branch guard_stopped 0
still_none "the guard alone"
ok "gwd starts" both lab_gwd_start
ok "and heals" both_up
both lab_gwd_kill
both guard_away
ok "the policies alone stop it" lab_wait 20 policies_stop
still_none "the policies alone"
ok "gwd starts once more" both lab_gwd_start
ok "and heals once more" both_up

# ---- changes
ok "another MTU" both change 's/^    addresses:/    mtu: 1300\n&/'
ok "up with it" both_up
like "the link has it" "$(ip -n hq link show branch1)" "mtu 1300"
ok "a GRE key" both change 's/^    addresses:/    gre-key: 42\n&/'
ok "up with the key" both_up
ok "without them again" both change '/gre-key\|mtu:/d'
ok "up without" both_up
still_none "MTU and key changed"
ok "a remote that does not answer" change hq 's/203.0.113.7$/203.0.113.99/'
ok "is down" lab_wait 10 site_is hq down
still_none "remote changed"
ok "the right one again" change hq 's/203.0.113.99$/203.0.113.7/'
ok "is up" both_up
ok "disabled" change hq 's/^    addresses:/    enabled: false\n&/'
nok "has no link" ip -n hq link show branch1
ok "enabled" change hq '/enabled/d'
ok "is up again" both_up
cp "$LAB_DIR/hq/gwd/gwd.yaml" "$LAB_DIR/whole.yaml"
ok "removed" change hq '/^tunnels/,$d'
nok "has no link either" ip -n hq link show branch1
cp "$LAB_DIR/whole.yaml" "$LAB_DIR/hq/gwd/gwd.yaml"
ok "added" lab_gwctl hq reload
ok "is up once more" both_up
still_none "disabled, removed, added"

# ---- and if nothing protects?
is "0 canaries read, not in an ICMP error either" "$(lab_capture_canary wire)" 0
both lab_gwd_kill
both guard_away
both policies_away
lab_sleep 1
lab_udp_stop there back
lab_capture_stop clear
lab_capture_stop wire
cmp_ok "the capture sees GRE when nothing protects it" "$(lab_capture_count clear 'ip proto 47')" '>' 50
cmp_ok "and reads it" "$(lab_capture_canary wire)" '>' 100
cmp_ok "ESP crossed all the while" "$(lab_capture_count wire 'ip proto 50')" '>' 2000
cmp_ok "the flow never paused" "$(lab_udp_get there sent)" '>' 5000

done_testing
