# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Faults of the daemons: gwd, charon, what they say to each other, and keys (rows 1-3, 9-11, 16, 17, 20, 21). See chaos.sh.
# shellcheck disable=SC2034,SC2317 # variables and functions are used by name

# up to so many hundredths of a second
draw_pause() {
	local n=$((RANDOM % $1))

	PAUSE=$((n / 100)).$(printf %02d $((n % 100)))
}

fault 1 6 20 gwd_kill "gwd killed, started"
fault_gwd_kill() {
	draw_node
	TOLD=$N
	gwd_kill "$N"
	gwd_start "$N"
}

fault 1 3 20 gwd_stop "gwd stopped, started"
fault_gwd_stop() {
	draw_node
	TOLD=$N
	gwd_signal "$N" TERM
	until lab_gone "$PID"; do lab_sleep 0.01; done
	gwd_start "$N"
}

fault 1 4 20 gwd_kill_start "gwd killed while it starts"
fault_gwd_kill_start() {
	draw_node
	draw_pause 60
	TOLD="$N after $PAUSE s"
	gwd_kill "$N"
	gwd_start "$N"
	lab_sleep "$PAUSE"
	gwd_kill "$N"
	gwd_start "$N"
}

fault 1 4 20 gwd_kill_healing "a link deleted, gwd killed while it heals"
fault_gwd_kill_healing() {
	draw_node
	draw_tunnel
	draw_pause 8
	TOLD="$N $T after $PAUSE s" CUTS=$T
	ip -n "$N" link del "$T"
	lab_sleep "$PAUSE"
	gwd_kill "$N"
	gwd_start "$N"
}

fault 1 3 20 gwd_kill_reload "gwd killed while it reloads"
fault_gwd_kill_reload() {
	draw_node
	draw_tunnel
	draw_pause 8
	TOLD="$N mtu of $T after $PAUSE s"
	conf_write "$N" "s/#$T/mtu: 1300/"
	gwd_signal "$N" HUP
	lab_sleep "$PAUSE"
	gwd_kill "$N"
	cp "$LAB_DIR/$N/base.yaml" "$LAB_DIR/$N/gwd/gwd.yaml"
	gwd_start "$N"
}

fault 1 3 20 gwd_away "a link deleted while gwd is away"
fault_gwd_away() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	gwd_kill "$N"
	ip -n "$N" link del "$T"
	lab_sleep 0.3
	gwd_start "$N"
}

fault 2 4 30 syscall "system calls of gwd fail while it heals a link"
fault_syscall() {
	local call error every

	draw_node
	draw_tunnel
	draw sendto:ENOBUFS sendto:ENOMEM sendto:EINTR sendto:EAGAIN sendmsg:ENOBUFS sendmsg:EINTR sendmsg:ENOMEM \
		recvmsg:ENOBUFS recvmsg:ENOMEM recvmsg:EINTR recvfrom:EINTR read:EINTR epoll_wait:EINTR socket:EMFILE openat:EMFILE
	call=${REPLY%:*} error=${REPLY#*:}
	every=$((2 + RANDOM % 5))
	TOLD="$N $T: each ${every}th $call $error" CUTS=$T
	daemon_pid "$N" gwd
	rm -f "$LAB_DIR/strace"
	strace -qq -s 0 -o "$LAB_DIR/strace" -e "trace=$call" -e "inject=$call:error=$error:when=1+$every" -p "$PID" 2>"$LAB_DIR/strace.log" &
	local strace=$!
	lab_sleep 0.4
	ip -n "$N" link set "$T" down
	lab_sleep 0.4
	kill -INT $strace
	wait $strace 2>/dev/null
	grep -qs '(INJECTED)' "$LAB_DIR/strace" || missed "no call failed ($(tail -1 "$LAB_DIR/strace.log"))"
	kill -0 "$PID" 2>/dev/null || { finding "gwd has ended: $(tail -1 "$LAB_DIR/$N/log/gwd.log")"; gwd_start "$N"; }
}

# NODE TUNNEL
tunnel_restart() {
	timeout 30 nsenter -t "${LAB_HOLDER[$1]}" -m -n --wdns="$PWD" -- "$LAB_GWCTL" restart "$2" >/dev/null 2>&1
}

# ESP in UDP is received by charon's socket only, so without charon nat is cut. hq cannot call b1, and b1 does not notice that hq's new charon
# knows nothing of it, for ESP goes on coming: b1 is made to call.
charon_back() {
	[ "$N" = branch ] || CUTS+=" nat"
	lab_charon_start "$N"
	[ "$N" != hq ] || tunnel_restart b1 nat
}

fault 3 3 60 charon_kill "charon killed, started"
fault_charon_kill() {
	draw_node
	TOLD=$N
	charon_signal "$N" KILL
	charon_back
}

fault 3 1 60 charon_term "charon ended, started"
fault_charon_term() {
	draw_node
	TOLD=$N CUTS=${PROTECTED[$N]}
	lab_charon_stop "$N"
	lab_charon_start "$N"
}

fault 3 3 40 charon_still "charon stands still for a while"
fault_charon_still() {
	draw_node
	draw_pause 250
	TOLD="$N for $PAUSE s"
	charon_signal "$N" STOP
	lab_sleep "$PAUSE"
	charon_signal "$N" CONT
}

fault 3 1 60 charon_hang "charon stands still for 12 s"
fault_charon_hang() {
	draw_node
	TOLD=$N CUTS=${PROTECTED[$N]}	# its peers' DPD ends after 10 s
	charon_signal "$N" STOP
	lab_sleep 12
	charon_signal "$N" CONT
}

fault 3 1 60 charon_late "charon killed, started after 3 s"
fault_charon_late() {
	draw_node
	TOLD=$N CUTS=${PROTECTED[$N]}	# so may DPD here, where charon takes seconds to start
	charon_signal "$N" KILL
	lab_sleep 3
	charon_back
}

fault 3 1 60 charon_loop "charon killed again as soon as it is there, three times"
fault_charon_loop() {
	local i

	draw_node
	TOLD=$N CUTS=${PROTECTED[$N]}
	for i in 1 2; do
		charon_signal "$N" KILL
		lab_charon_start "$N"
		draw_pause 60
		lab_sleep "$PAUSE"
	done
	charon_signal "$N" KILL
	charon_back
}

fault 3 2 60 swanctl_load "swanctl --load-all of somebody else, which unloads ours"
fault_swanctl_load() {
	draw_node
	TOLD=$N
	cat >"$LAB_DIR/$N/swanctl.conf" <<-END
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
	lab_swanctl "$N" --load-all >/dev/null 2>&1
	lab_sleep 0.5
	[[ $(lab_swanctl "$N" --list-conns) == *foreign:* ]] || finding "the foreign connection is gone"
}

fault 9 2 60 vici_fake "charon killed, and something else on its socket for a while"
fault_vici_fake() {
	local how pid socket

	draw_node
	draw close silent half oversize wrong
	how=$REPLY
	TOLD="$N $how"
	socket=$(lab_path "$N" /run/gwd/charon.vici)
	charon_signal "$N" KILL
	rm -f "$socket"
	# shellcheck disable=SC2016 # perl's
	perl -MIO::Socket::UNIX -e '
		my ($path, $how) = @ARGV;
		my %says = (close => "", silent => "", half => "\0\0\0\x10\x01", oversize => "\xff\xff\xff\xff\x01", wrong => "\0\0\0\x02\x63\x63");
		my $s = IO::Socket::UNIX->new(Local => $path, Listen => 9) or die;
		my @all;
		while (my $c = $s->accept) { push @all, $c if $how ne "close"; syswrite $c, $says{$how}; }' "$socket" "$how" &
	pid=$!
	lab_sleep 1.5
	kill $pid
	wait $pid 2>/dev/null
	charon_back
}

# NODE ARG...: swanctl, which waits for nothing, and loads nothing that reads keys
swanctl_quick() {
	[ -e "$LAB_DIR/quick.conf" ] || echo 'swanctl { load = random }' >"$LAB_DIR/quick.conf"
	timeout 15 nsenter -t "${LAB_HOLDER[$1]}" -m -n --wdns="$PWD" -- env "STRONGSWAN_CONF=$LAB_DIR/quick.conf" \
		swanctl "${@:2}" --uri $LAB_VICI >>"$LAB_DIR/$1/log/swanctl.log" 2>&1
}

other_end() {
	if [ "$T" = nat ]; then
		[ "$N" = hq ] && O=b1 || O=hq
	else
		[ "$N" = hq ] && O=branch || O=hq
	fi
}

fault 10 2 40 both_initiate "both ends begin an IKE_SA at once, beside the one there is"
fault_both_initiate() {
	draw_node
	draw_tunnel "${PROTECTED[$N]}"
	other_end
	TOLD="$T"
	swanctl_quick "$N" --initiate --child gre --ike "gwd-$T" --timeout 5 &
	local pid=$!
	swanctl_quick "$O" --initiate --child gre --ike "gwd-$T" --timeout 5
	wait $pid
}

fault 10 3 30 rekey_child "rekeys of all CHILD_SAs by one end"
fault_rekey_child() {
	draw_node
	TOLD=$N
	swanctl_quick "$N" --rekey --child gre
}

fault 10 2 30 rekey_ike "rekey of an IKE_SA"
fault_rekey_ike() {
	draw_node
	draw_tunnel "${PROTECTED[$N]}"
	TOLD="$N $T"
	swanctl_quick "$N" --rekey --ike "gwd-$T"
}

fault 10 2 40 rekey_collision "rekeys by both ends at once, of CHILD_SAs or an IKE_SA"
fault_rekey_collision() {
	local what

	draw_node
	draw_tunnel "${PROTECTED[$N]}"
	draw "--child gre" "--ike gwd-$T"
	what=$REPLY
	other_end
	TOLD="$T $what"
	# shellcheck disable=SC2086 # two words
	swanctl_quick "$N" --rekey $what &
	local pid=$!
	# shellcheck disable=SC2086
	swanctl_quick "$O" --rekey $what
	wait $pid
}

fault 10 3 40 terminate "an IKE_SA terminated by somebody"
fault_terminate() {
	draw_node
	draw_tunnel "${PROTECTED[$N]}"
	TOLD="$N $T" CUTS=$T
	swanctl_quick "$N" --terminate --ike "gwd-$T" --timeout 5
}

fault 10 2 40 gwctl_restart "gwctl restart of a tunnel"
fault_gwctl_restart() {
	draw_node
	draw_tunnel "${PROTECTED[$N]}"
	TOLD="$N $T" CUTS=$T
	tunnel_restart "$N" "$T"
}

fault 11 1 90 reboot "a gateway loses all at once and starts again"
fault_reboot() {
	local t

	draw_node
	TOLD=$N
	CUTS=${TUNNELS[$N]}
	charon_signal "$N" KILL
	gwd_kill "$N"
	for t in ${TUNNELS[$N]}; do ip -n "$N" link del "$t" 2>/dev/null; done
	ip -n "$N" xfrm state flush
	ip -n "$N" xfrm policy flush
	lab_run "$N" nft flush ruleset
	if [ "$N" != b1 ]; then
		alien_table "$N"
		alien_policy "$N"
		alien_sa "$N"
		aliens_note "$N"
	fi
	lab_charon_start "$N"
	gwd_start "$N"
}

fault 16 2 20 oom "gwd starts with less memory than it needs, the kernel kills it"
fault_oom() {
	local group=/sys/fs/cgroup/chaos kills

	draw_node
	draw 3M 4M 5M 6M 8M
	TOLD="$N, $REPLY"
	gwd_kill "$N"
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
	mkdir -p $group
	echo "$REPLY" >$group/memory.max
	{ (echo "$BASHPID" >$group/cgroup.procs; gwd_start "$N"); } 2>/dev/null	# it may be the shell that is killed
	daemon_pid "$N" gwd
	lab_wait 6 lab_gone "$PID" || gwd_kill "$N"
	kills=$(sed -n 's/^oom_kill //p' $group/memory.events)
	TOLD+=", killed $kills"
	[ "$kills" -gt 0 ] || missed "that is enough"
	lab_wait 5 rmdir $group
	gwd_start "$N"
}

fault 16 2 30 nofile "no more descriptors for gwd while it heals a link"
fault_nofile() {
	local fds

	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	daemon_pid "$N" gwd
	fds=(/proc/"$PID"/fd/*)
	prlimit --pid "$PID" --nofile="${#fds[@]}:"
	ip -n "$N" link del "$T"
	lab_sleep 1
	prlimit --pid "$PID" --nofile=1024:
}

fault 17 2 20 second "a second gwd is started"
fault_second() {
	local status

	draw_node
	TOLD=$N
	timeout 10 nsenter -t "${LAB_HOLDER[$N]}" -m -n --wdns="$PWD" -- "$LAB_GWD" -c /etc/gwd/gwd.yaml --run-dir /run/gwd2 \
		>"$LAB_DIR/second.log" 2>&1
	status=$?
	[ $status = 1 ] || finding "a second gwd did not refuse: status $status"
}

fault 20 1 60 psk_wrong "red has a wrong PSK at one end for 2 s"
fault_psk_wrong() {
	draw_node "hq branch"
	TOLD=$N CUTS=red
	conf_write "$N" "s/red.psk/red2.psk/"
	gwd_signal "$N" HUP
	lab_sleep 2
	conf_back "$N"
}

# NODE PSK: that of red
psk_is() {
	conf_write "$1" "s|psk: .*|psk: $2|"
	lab_gwctl "$1" reload >/dev/null 2>&1
	lab_sleep "${3-0.3}"
}

fault 20 1 60 psk_rotate "red gets another PSK live, and its old one again"
fault_psk_rotate() {
	local a=/etc/gwd/red.psk b=/etc/gwd/red2.psk keys n

	MAY=4	# both ends authenticate anew at once, four times; where all is emulated one may stand still for longer than the margin
	for keys in "[$a, $b]" "[$b, $a]" $b "[$b, $a]" "[$a, $b]"; do
		for n in hq branch; do psk_is $n "$keys"; done
		lab_sleep 1
	done
	conf_back hq branch
}

fault 21 1 60 claim "b1 says that it is branch"
fault_claim() {
	CUTS=nat
	conf_write b1 "s/id: b1.example/id: branch.example/"
	gwd_signal b1 HUP
	lab_sleep 2
	conf_back b1
}
