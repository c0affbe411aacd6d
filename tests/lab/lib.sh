# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/lab/lib.sh: what the lab's tests (tests/lab/t/*.t) are made of; each begins with
#
#	#!/bin/bash
#	. tests/lab/lib.sh
#
# It works only inside the lab (tests/lab/boot), with the repository as current folder. A node is a network namespace
# with its own /etc, /var and /run; everything of it is below $LAB_DIR/NODE: gwd/ is its /etc/gwd, log/ has the logs.
# At the end of a test all nodes and processes are removed; of a failed one $LAB_DIR is kept in build/lab/out/TEST/.
#
# nodes		lab_node NODE...			make nodes (lo up, no DAD, no rp_filter)
#		lab_router NODE...			switch forwarding on
#		lab_link A IFA ADDR... -- B IFB ADDR...	a veth pair with addresses
#		lab_topology				hq -- inet -- branch, lanhq, lanbranch behind them (see there)
#		lab_run NODE CMD...			run CMD in NODE
#		lab_spawn NODE TAG CMD...		... in the background, output in NODE/log/TAG.log
#		lab_stop NODE TAG [SIGNAL]		end it (SIGKILL after 10 s); lab_pid NODE TAG prints its number
#		lab_stop_all NODE TAG [NODE TAG...]	end them at once
# time		lab_wait SECONDS CMD...			repeat CMD until it succeeds; fails at the deadline, LAB_PATIENCE (1) times SECONDS
# charon	lab_charon_start NODE..., lab_charon_stop NODE, lab_charon_kill NODE	(kill: SIGKILL)
#		lab_swanctl NODE ARG...			swanctl on its socket; --load-all reads $LAB_DIR/NODE/swanctl.conf
#		LAB_CHARON_EXTRA			text added to strongswan.conf
# gwd		lab_gwd_start NODE [ARG...], lab_gwd_stop NODE, lab_gwd_kill NODE	as the user gwd, with the
#						rights it has in gwd.service; before it, and before
#						lab_gwctl NODE reload or plan, the node's keys are given to that user
#		lab_gwd_spawn NODE [ARG...]		the same, and nothing is waited for; lab_gwd_await NODE... does
#		lab_gateways NODE...			charon and gwd (with $LAB_GWD_ARGS) on each, at once
#		lab_gwctl NODE ARG...
#		lab_guard_stopped NODE SETS		packets that its guard stopped, by sets with names that end so: out, in, 6_out
# FRR		lab_frr_start NODE CONFIG		zebra and the daemons CONFIG has lines for; lab_frr_stop NODE
#		lab_vtysh NODE COMMAND
# captures	lab_capture_start NAME NODE IFACE [SNAPLEN [FILTER]], lab_capture_stop NAME
#		lab_capture_count NAME FILTER		packets matching; "void" if the kernel dropped any
#		lab_capture_canary NAME			how often udpflow's payload can be read in it
# flows		lab_udp_start NAME FROM TO ADDR RATE [LENGTH], lab_udp_stop NAME...	udpflow from node to node
#		LAB_UDP_JOIN				"GROUP IFACE" of the receiver, for multicast
#		lab_udp_get NAME FIELD			sent refused received lost dup reorder maxgap_ms first last holes;
#						lost is no number where the flow's end did not arrive
# results	(status 0: passed) ok NAME CMD...; nok NAME CMD...; is NAME GOT WANT; isnt NAME GOT OTHER; like NAME GOT REGEX;
#		unlike NAME GOT REGEX (not empty); cmp_ok NAME GOT OP WANT (numbers); skip NAME WHY; diag TEXT...; done_testing

set -u

LAB_DIR=/tmp/lab
LAB_TEST=${LAB_TEST:-$(basename "$0" .t)}	# the demo has a name of its own
LAB_VICI=unix:///run/gwd/charon.vici
LAB_CHARON_EXTRA=${LAB_CHARON_EXTRA-}
LAB_GWD=${LAB_GWD:-build/gwd}
LAB_UID=64990 LAB_VICI_GID=64991
LAB_GWCTL=${LAB_GWCTL:-build/gwctl}
PATH=$PATH:/usr/sbin:/sbin

declare -A LAB_HOLDER=()	# node -> process that holds its namespaces
LAB_COUNT=0 LAB_FAILED=0 LAB_DONE='' LAB_FLOWS=0

# ---- results (TAP)

diag() {
	printf '%s\n' "$*" | sed 's/^/# /' >&2
}

lab_result() {
	local status=$1 name=$2

	LAB_COUNT=$((LAB_COUNT + 1))
	if [ "$status" = 0 ]; then
		echo "ok $LAB_COUNT - $name"
	else
		LAB_FAILED=$((LAB_FAILED + 1))
		echo "not ok $LAB_COUNT - $name"
		diag "failed: $name (line ${BASH_LINENO[1]})"
	fi
	return "$status"
}

ok() {
	local name=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	lab_result $((status != 0)) "$name" || { diag "$* (status $status): $out"; return 1; }
}

nok() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		lab_result 1 "$name" || { diag "succeeded: $*: $out"; return 1; }
	else
		lab_result 0 "$name"
	fi
}

is() {
	[ "$2" = "$3" ]
	lab_result $? "$1" || { diag "     got: $2"$'\n'"expected: $3"; return 1; }
}

isnt() {
	[ "$2" != "$3" ]
	lab_result $? "$1" || { diag "got just that: $2"; return 1; }
}

like() {
	[[ $2 =~ $3 ]]
	lab_result $? "$1" || { diag "     got: $2"$'\n'"expected: something like $3"; return 1; }
}

# an empty text is like nothing at all, and mostly not what was to be looked at
unlike() {
	[[ -n $2 && ! $2 =~ $3 ]]
	lab_result $? "$1" || { diag "     got: $2"$'\n'"expected: nothing like $3"; return 1; }
}

# awk for what is no whole number, and for 010, which is no octal here
cmp_ok() {
	local whole='^-?(0|[1-9][0-9]{0,17})$'

	if [[ $2 =~ $whole && $4 =~ $whole ]]; then
		let "$2 $3 $4"
	else
		[[ $2 =~ ^-?[0-9]+$ && $4 =~ ^-?[0-9]+(\.[0-9]+)?$ ]] && awk "BEGIN { exit !($2 $3 $4) }"
	fi
	lab_result $? "$1" || { diag "     got: $2"$'\n'"expected: $3 $4"; return 1; }
}

skip() {
	LAB_COUNT=$((LAB_COUNT + 1))
	echo "ok $LAB_COUNT # SKIP $1: $2"
}

done_testing() {
	echo "1..$LAB_COUNT"
	LAB_DONE=1
	exit $((LAB_FAILED != 0))
}

# ---- time

exec {lab_never}<> <(:)

# a pause without a process
lab_sleep() {
	read -rt "$1" -u "$lab_never"
	return 0
}

# What comes soon is seen soon; the pause grows with what was waited, the looks counted, to 0.2 s, so that dear looks are not more.
lab_wait() {
	local began=${EPOCHREALTIME/[.,]/} end now pause
	end=$((began + $1 * 1000000 * ${LAB_PATIENCE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		now=${EPOCHREALTIME/[.,]/}
		((now < end)) || return 1
		pause=$(((now - began) / 2))
		((pause > 20000)) || pause=20000
		((pause < 200000)) || pause=200000
		printf -v pause 0.%06d $pause
		lab_sleep $pause
	done
}

# ---- nodes

# those of dist/gwd.sysusers, whatever the machine has
lab_users() {
	grep -v ^gwd /etc/passwd
	echo gwd:x:$LAB_UID:$LAB_UID::/:/usr/sbin/nologin
	echo gwd-charon:x:$LAB_VICI_GID:$LAB_VICI_GID::/:/usr/sbin/nologin
} >"$LAB_DIR/passwd"
lab_groups() {
	grep -v ^gwd /etc/group
	printf '%s\n' gwd:x:$LAB_UID: gwd-vici:x:$LAB_VICI_GID:gwd
} >"$LAB_DIR/group"

lab_node() {
	local node dir

	for node; do
		dir=$LAB_DIR/$node
		mkdir -p "$dir"/{log,gwd,pid,over/{etc,var,work.etc,work.var}}
		chmod 777 "$dir/log"
		cp "$LAB_DIR"/{passwd,group} "$dir/over/etc/"
		ip netns add "$node"
		# shellcheck disable=SC2016 # expanded inside
		ip netns exec "$node" bash -ec '
			mount --make-rprivate /
			for d in etc var; do
				mount -t overlay -o "lowerdir=/$d,upperdir=$1/over/$d,workdir=$1/over/work.$d" lab /$d
			done
			mkdir -p /etc/gwd
			mount --bind "$1/gwd" /etc/gwd
			mount -t tmpfs -o mode=755 tmpfs /run
			mkdir -p /run/lock /run/lab
			install -d -m 775 -g "$2" /run/gwd
			cd /proc/sys/net
			for f in ipv6/conf/{all,default}/accept_{dad,ra} ipv4/conf/{all,default}/rp_filter; do
				echo 0 >$f
			done
			ip link set lo up
			cd /
			touch "$1/pid/ready"
			exec sleep infinity
		' - "$dir" $LAB_VICI_GID </dev/null >"$dir/log/node.log" 2>&1 &
		LAB_HOLDER[$node]=$!
		disown
	done
	for node; do
		lab_wait 60 test -e "$LAB_DIR/$node/pid/ready" ||
			{ diag "node $node: $(<"$LAB_DIR/$node/log/node.log")"; exit 1; }
	done
}

lab_run() {
	nsenter -t "${LAB_HOLDER[$1]}" -m -n --wdns="$PWD" -- "${@:2}"
}

# a path in a node, as seen from outside
lab_path() {
	echo "/proc/${LAB_HOLDER[$1]}/root$2"
}

lab_router() {
	local node

	for node; do
		# shellcheck disable=SC2016
		lab_run "$node" bash -c 'for f in ipv4 ipv6; do echo 1 >/proc/sys/net/$f/conf/all/forwarding; done'
	done
}

# commands for `ip -batch`: addresses of one link, and up
lab_link_batch() {
	local dev=$1 addr
	shift
	for addr; do
		case $addr in
		*:*)	echo "addr add $addr dev $dev nodad" ;;
		*)	echo "addr add $addr dev $dev" ;;
		esac
	done
	echo "link set $dev up"
}

lab_link() {
	local a=$1 ifa=$2 addrs=()
	shift 2
	while [ "$1" != -- ]; do
		addrs+=("$1")
		shift
	done
	ip link add "$ifa" netns "$a" type veth peer name "$3" netns "$2"
	lab_link_batch "$ifa" "${addrs[@]}" | ip -n "$a" -batch -
	lab_link_batch "$3" "${@:4}" | ip -n "$2" -batch -
}

# lanhq --- hq --- inet --- branch --- lanbranch
#
#	hq	wan0 198.51.100.1/24, 2001:db8:f1::1/64	lan0 10.1.0.1/24, 2001:db8:1::1/64
#	branch	wan0 203.0.113.7/24, 2001:db8:f7::7/64	lan0 10.2.0.1/24, 2001:db8:2::1/64
#	inet	hq0 198.51.100.254, 2001:db8:f1::fe, branch0 203.0.113.254, 2001:db8:f7::fe: only ESP and IKE shall pass
#	lanhq	eth0 10.1.0.2, 2001:db8:1::2; lanbranch eth0 10.2.0.2, 2001:db8:2::2
lab_topology() {
	lab_node hq branch inet lanhq lanbranch
	lab_router hq branch inet
	lab_link hq wan0 198.51.100.1/24 2001:db8:f1::1/64 -- inet hq0 198.51.100.254/24 2001:db8:f1::fe/64
	lab_link branch wan0 203.0.113.7/24 2001:db8:f7::7/64 -- inet branch0 203.0.113.254/24 2001:db8:f7::fe/64
	lab_link hq lan0 10.1.0.1/24 2001:db8:1::1/64 -- lanhq eth0 10.1.0.2/24 2001:db8:1::2/64
	lab_link branch lan0 10.2.0.1/24 2001:db8:2::1/64 -- lanbranch eth0 10.2.0.2/24 2001:db8:2::2/64
	lab_defaults hq 198.51.100.254 2001:db8:f1::fe
	lab_defaults branch 203.0.113.254 2001:db8:f7::fe
	lab_defaults lanhq 10.1.0.1 2001:db8:1::1
	lab_defaults lanbranch 10.2.0.1 2001:db8:2::1
}

# NODE GATEWAY...: default routes
lab_defaults() {
	printf 'route add default via %s\n' "${@:2}" | ip -n "$1" -batch -
}

# ---- processes

lab_spawn() {
	local node=$1 tag=$2
	shift 2
	nsenter -t "${LAB_HOLDER[$node]}" -m -n --wdns="$PWD" -- "$@" \
		</dev/null >>"$LAB_DIR/$node/log/$tag.log" 2>&1 {lab_never}>&- &
	echo $! >"$LAB_DIR/$node/pid/$tag"
	disown
}

lab_pid() {
	cat "$LAB_DIR/$1/pid/$2"
}

lab_gone() {
	! kill -0 "$1" 2>/dev/null
}

lab_stop() {
	local pid

	[ -e "$LAB_DIR/$1/pid/$2" ] || return 0
	pid=$(<"$LAB_DIR/$1/pid/$2")
	rm -f "$LAB_DIR/$1/pid/$2"
	kill -"${3-TERM}" "$pid" 2>/dev/null || return 0
	lab_wait 10 lab_gone "$pid" && return
	diag "$1: $2 does not end, killed"
	kill -KILL "$pid"
	lab_wait 5 lab_gone "$pid"
	return 1
}

# NODE TAG [NODE TAG...]: SIGTERM to all, then wait for each
lab_stop_all() {
	local pid pids=()

	while [ $# -gt 0 ]; do
		pid=$(<"$LAB_DIR/$1/pid/$2")
		rm -f "$LAB_DIR/$1/pid/$2"
		kill -TERM "$pid" 2>/dev/null && pids+=("$pid")
		shift 2
	done
	for pid in "${pids[@]}"; do
		lab_wait 10 lab_gone "$pid" || { diag "process $pid does not end, killed"; kill -KILL "$pid"; }
	done
}

# ---- as in dist/*.service

# USER GROUP CAPABILITIES OPTION...: the words before a command that run it with no other rights
lab_as() {
	echo "setpriv --reuid $1 --regid $2 --inh-caps -all,$3 --ambient-caps -all,$3 --bounding-set -all,$3 --no-new-privs ${*:4}"
}

# what of a node's keys is root's becomes gwd's, as gwctl check tells an administrator
lab_hand_over() {
	find "$LAB_DIR/$1/gwd" -type f -user root ! -perm /077 -exec chown $LAB_UID {} +
}

# ---- charon

# NODE: the words that run its charon
lab_charon_as() {
	echo "env STRONGSWAN_CONF=$LAB_DIR/$1/strongswan.conf" \
		"$(lab_as gwd-charon gwd-vici +net_admin,+net_bind_service --clear-groups) /usr/sbin/charon-systemd"
}

lab_charon_spawn() {
	local node=$1 dir=$LAB_DIR/$1

	if [ -e dist/strongswan.conf ]; then
		cat dist/strongswan.conf
	else
		cat <<-END
		charon {
			load = random nonce aes sha1 sha2 hmac kdf gcm openssl pem pkcs1 pkcs8 pubkey x509 \
				revocation constraints kernel-netlink socket-default vici updown counters
			install_routes = no
			process_route = no
			plugins {
				kernel-netlink {
					roam_events = no
					set_proto_port_transport_sa = yes
				}
			}
		}
		END
	fi >"$dir/strongswan.conf"
	cat >>"$dir/strongswan.conf" <<-END
	charon {
		retransmit_timeout = 1.0
		retransmit_base = 1.5
		retransmit_tries = 4
		plugins {
			vici {
				socket = $LAB_VICI
			}
		}
		filelog {
			lab {
				path = $dir/log/charon.log
				time_format = %T
				flush_line = yes
				default = 1
				ike = 2
				cfg = 2
				knl = 1
			}
		}
	}
	swanctl {
		load = random openssl pem pkcs1 pkcs8 pubkey x509
	}
	$LAB_CHARON_EXTRA
	END
	rm -f "$(lab_path "$node" /run/gwd/charon.vici)"
	# shellcheck disable=SC2046
	lab_spawn "$node" charon-systemd $(lab_charon_as "$node")
}

lab_charon_start() {
	local node

	for node; do
		lab_charon_spawn "$node"
	done
	for node; do
		lab_wait 20 test -S "$(lab_path "$node" /run/gwd/charon.vici)" || { diag "charon of $node does not start"; return 1; }
	done
}

lab_charon_stop() {
	lab_stop "$1" charon-systemd
}

lab_charon_kill() {
	lab_stop "$1" charon-systemd KILL
}

# only what reads keys or certificates needs plugins for them, most of the time that swanctl takes
lab_swanctl() {
	local load=() conf=$LAB_DIR/swanctl.quick

	[[ $2 != --@(load-*|list-certs) ]] || conf=$LAB_DIR/$1/strongswan.conf
	[ -e "$conf" ] || echo 'swanctl { load = random }' >"$conf"
	[ "$2" != --load-all ] || load=(--file "$LAB_DIR/$1/swanctl.conf")
	lab_run "$1" env "STRONGSWAN_CONF=$conf" swanctl "${@:2}" "${load[@]}" --uri $LAB_VICI
}

# ---- gwd

lab_gwd_answers() {
	lab_run "$1" "$LAB_GWCTL" status
	case $? in
	0|2)	return 0 ;;
	*)	return 1 ;;
	esac
}

# the words before gwd's program
lab_gwd_as() {
	echo "prlimit --memlock=134217728 $(lab_as gwd gwd +net_admin --groups gwd-vici)"
}

# The program is copied, for the repository's folder may be closed to others. A sanitizer needs more rights than gwd.
lab_gwd_spawn() {
	local as=() program

	program=$(lab_path "$1" /run/lab/gwd)
	cmp -s "$LAB_GWD" "$program" || install -m 755 "$LAB_GWD" "$program" || return
	if [[ $LAB_GWD != */san/* ]]; then
		lab_hand_over "$1"
		read -ra as <<<"$(lab_gwd_as)"
	fi
	lab_spawn "$1" gwd "${as[@]}" /run/lab/gwd -c /etc/gwd/gwd.yaml "${@:2}"
}

lab_gwd_await() {
	local node

	for node; do
		lab_wait 20 lab_gwd_answers "$node" || { diag "gwd of $node: $(tail -5 "$LAB_DIR/$node/log/gwd.log")"; return 1; }
	done
}

lab_gwd_start() {
	lab_gwd_spawn "$@" && lab_gwd_await "$1"
}

lab_gateways() {
	local node

	lab_charon_start "$@" || return
	for node; do
		# shellcheck disable=SC2086 # words
		lab_gwd_spawn "$node" ${LAB_GWD_ARGS-} || return
	done
	lab_gwd_await "$@"
}

lab_gwd_stop() {
	lab_stop "$1" gwd
}

lab_gwd_kill() {
	lab_stop "$1" gwd KILL
}

# NODE SETS: packets that the guard's sets counted whose names end so
lab_guard_stopped() {
	lab_run "$1" nft list table inet gwd | awk -v sets="$2$" '
		/^\t[a-z]/ { ours = $1 == "set" && $2 ~ sets }
		ours {
			while (match($0, /counter packets [0-9]+/)) {
				n += substr($0, RSTART + 16, RLENGTH - 16)
				$0 = substr($0, RSTART + RLENGTH)
			}
		}
		END { print n + 0 }'
}

lab_gwctl() {
	[[ ${2-} != @(reload|plan) ]] || lab_hand_over "$1"
	lab_run "$1" "$LAB_GWCTL" "${@:2}"
}

# ---- FRR

lab_frr_start() {
	local node=$1 config=$2 root daemons=zebra d

	root=$(lab_path "$node" /)
	[[ $config == *"router ospf"* ]] && daemons+=" ospfd"
	[[ $config == *"router ospf6"* ]] && daemons+=" ospf6d"
	[[ $config == *"router bgp"* ]] && daemons+=" bgpd"
	[[ $config == *"router rip"$'\n'* ]] && daemons+=" ripd"
	[[ $config == *"router ripng"* ]] && daemons+=" ripngd"
	[[ $config == *"router eigrp"* ]] && daemons+=" eigrpd"
	[[ $config =~ (^|$'\n')ip(v6)?\ route ]] && daemons+=" staticd"
	[[ $config == *bfd* ]] && daemons+=" bfdd"
	[[ $config =~ ip\ (pim|igmp) ]] && daemons+=" pimd"
	mkdir -p "$root/run/frr" "$root/etc/frr"
	echo "$config" >"$root/etc/frr/frr.conf"
	echo "service integrated-vtysh-config" >"$root/etc/frr/vtysh.conf"
	lab_run "$node" chown -R frr:frr /run/frr /etc/frr
	for d in $daemons; do
		lab_spawn "$node" "$d" /usr/lib/frr/"$d" -A 127.0.0.1 -P 0 --log stdout
	done
	for d in $daemons; do
		lab_wait 60 test -S "$root/run/frr/$d.vty" || { diag "$d of $node does not start"; return 1; }
	done
	lab_run "$node" vtysh -b >>"$LAB_DIR/$node/log/vtysh.log" 2>&1
}

lab_frr_stop() {
	local d

	for d in pimd bfdd staticd eigrpd ripngd ripd bgpd ospf6d ospfd zebra; do
		lab_stop "$1" $d
	done
}

lab_vtysh() {
	lab_run "$1" vtysh -c "$2"
}

# ---- captures

lab_capture_start() {
	mkdir -p "$LAB_DIR/capture"
	rm -f "$LAB_DIR/$2/log/capture.$1.log"
	echo "$2" >"$LAB_DIR/capture/$1.node"
	lab_spawn "$2" "capture.$1" tcpdump --immediate-mode -n -U -Z root -B 32768 -s "${4:-256}" -i "$3" \
		-w "$LAB_DIR/capture/$1.pcap" "${@:5}"
	lab_wait 20 grep -q 'listening on' "$LAB_DIR/$2/log/capture.$1.log" ||
		{ diag "capture $1 does not start"; return 1; }
}

lab_capture_stop() {
	local node

	node=$(<"$LAB_DIR/capture/$1.node")
	lab_sleep 0.3
	lab_stop "$node" "capture.$1" INT
	grep -q '^0 packets dropped by kernel' "$LAB_DIR/$node/log/capture.$1.log" ||
		{ diag "capture $1 is void: $(tail -3 "$LAB_DIR/$node/log/capture.$1.log")"; touch "$LAB_DIR/capture/$1.void"; }
}

lab_capture_count() {
	[ ! -e "$LAB_DIR/capture/$1.void" ] || { echo void; return; }
	tcpdump -n --count -r "$LAB_DIR/capture/$1.pcap" "$2" 2>/dev/null | sed -n 's/ packets\{0,1\}$//p'
}

lab_capture_canary() {
	[ ! -e "$LAB_DIR/capture/$1.void" ] || { echo void; return; }
	grep -ao GWDCANARY "$LAB_DIR/capture/$1.pcap" | wc -l
}

# ---- flows

lab_udp_start() {
	local name=$1 from=$2 to=$3 addr=$4 rate=$5 port flow=build/tests/udpflow

	[ "$flow" -nt tests/lab/udpflow.c ] || { mkdir -p build/tests && cc -O2 -o $flow tests/lab/udpflow.c; } || return
	mkdir -p "$LAB_DIR/flow"
	port=$((7000 + LAB_FLOWS))
	LAB_FLOWS=$((LAB_FLOWS + 1))
	echo "$from $to" >"$LAB_DIR/flow/$name"
	rm -f "$LAB_DIR/$to/log/flow.$name.in.log" "$LAB_DIR/$from/log/flow.$name.out.log" # of one before, which was ready
	# shellcheck disable=SC2086 # two words
	lab_spawn "$to" "flow.$name.in" $flow -r $port ${LAB_UDP_JOIN-}
	lab_wait 10 lab_udp_ready "$LAB_DIR/$to/log/flow.$name.in.log" || { diag "flow $name does not start"; return 1; }
	lab_spawn "$from" "flow.$name.out" $flow -s "$addr" $port "$rate" "${@:6}"
}

lab_udp_ready() {
	[[ $(<"$1") == *ready* ]]
}

# what is under way has 0.3 s to arrive
lab_udp_stop() {
	local name from to senders=() receivers=()

	for name; do
		read -r from to <"$LAB_DIR/flow/$name"
		senders+=("$from" "flow.$name.out")
		receivers+=("$to" "flow.$name.in")
	done
	lab_stop_all "${senders[@]}"
	lab_sleep 0.3
	lab_stop_all "${receivers[@]}"
}

# without a process: a flow is asked for many things
lab_udp_get() {
	local from to words

	read -r from to <"$LAB_DIR/flow/$1"
	mapfile -t words <"$LAB_DIR/$from/log/flow.$1.out.log"
	mapfile -t -O ${#words[@]} words <"$LAB_DIR/$to/log/flow.$1.in.log"
	[[ " ${words[*]} " =~ .*\ $2=([^ ]*) ]] && echo "${BASH_REMATCH[1]}"
}

# ---- beginning and end

lab_clean() {
	local node pids

	for node in $(ip netns list | cut -d' ' -f1); do
		pids=$(ip netns pids "$node")
		# shellcheck disable=SC2086
		[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
		ip netns del "$node"
	done
}

# shellcheck disable=SC2317 # called by the trap
lab_end() {
	trap - EXIT
	lab_clean
	if [ $LAB_FAILED != 0 ] || [ -z "$LAB_DONE" ]; then
		rm -rf "build/lab/out/${LAB_TEST:?}"
		mkdir -p "build/lab/out/$LAB_TEST"
		rm -rf "$LAB_DIR"/*/over "$LAB_DIR"/*/pid
		cp -r "$LAB_DIR"/. "build/lab/out/$LAB_TEST/"
		diag "kept: build/lab/out/$LAB_TEST"
	fi
	rm -rf "${LAB_DIR:?}"/*
}

[ "$(uname -n)" = lab ] || { echo "Bail out! Tests of the lab run in the lab: tests/lab/boot $0"; exit 1; }
lab_clean
rm -rf "${LAB_DIR:?}"/*
mkdir -p "$LAB_DIR"
lab_users
lab_groups
trap lab_end EXIT
trap 'exit 1' INT TERM HUP
