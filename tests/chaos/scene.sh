# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scene of the chaos run, and what its faults are made of.
#
#	hq ---- inet ---- branch	v4 over IPv4; six and red (keys, red by PSK) and plain (protect: none) over IPv6
#	          |
#	         nat ---- b1		nat: b1 calls hq (remote: any) from behind a NAT
#
# Each tunnel I leads to 10.A.I.0/24, A 1 at hq and 2 elsewhere, v4 to 2001:db8:A:4::/64 too; flows run both ways in each.
# hq and branch also have what is somebody else's (alien: link, addresses, routes, policy, SA, table), and nobody may touch it.

# shellcheck disable=SC2034 # used by the other files
declare -A TUNNELS=([hq]="v4 six red plain nat" [branch]="v4 six red plain" [b1]="nat")
declare -A PROTECTED=([hq]="v4 six red nat" [branch]="v4 six red" [b1]="nat")
GATEWAYS="hq branch b1"
ALL="v4 six red plain nat"
LAB_CHARON_EXTRA='charon { filelog { lab { cfg = 1
ike = 1 } } }'

# WORD...: an answer of the watch, in REPLY
watch() {
	echo "$*" >&"$WATCH_IN"
	read -ru "$WATCH_OUT" REPLY || { diag "the watch is gone: $(tail -3 "$LAB_DIR/watch.log")"; exit 1; }
	[ "$REPLY" != "what?" ] || { diag "the watch does not know: $*"; exit 1; }
}

# TUNNEL A: inner addresses of the end A (1 or 2)
inner() {
	declare -A i=([v4]=4 [six]=6 [red]=11 [plain]=99 [nat]=7)

	echo "10.$2.${i[$1]}.1"
}

scene_nodes() {
	lab_node hq branch inet nat b1 hole
	lab_router hq branch inet nat
	lab_link hq wan0 198.51.100.1/24 2001:db8:f1::1/64 -- inet hq0 198.51.100.254/24 2001:db8:f1::fe/64
	lab_link branch wan0 203.0.113.7/24 2001:db8:f7::7/64 -- inet branch0 203.0.113.254/24 2001:db8:f7::fe/64
	lab_link nat wan0 192.0.2.1/24 -- inet nat0 192.0.2.254/24
	lab_link b1 wan0 192.168.1.7/24 -- nat lan0 192.168.1.1/24
	scene_defaults hq
	scene_defaults branch
	lab_defaults nat 192.0.2.254
	lab_defaults b1 192.168.1.1
	nat_rules ""
	local t dev
	# for good: what is sent while a qdisc comes or goes is lost (kernel qdisc_graft, dev_deactivate)
	for dev in hq0 branch0 nat0; do
		tc -n inet qdisc add dev $dev root netem delay 0ms
	done
	for t in $ALL; do
		ip -n hq addr add "$(inner "$t" 1)/32" dev lo
		ip -n "$([ "$t" = nat ] && echo b1 || echo branch)" addr add "$(inner "$t" 2)/32" dev lo
	done
	ip -n hq addr add 2001:db8:1:4::1/128 dev lo nodad
	ip -n branch addr add 2001:db8:2:4::1/128 dev lo nodad
}

# those that are missing
scene_defaults() {
	local gateways

	case $1 in
	hq)	gateways="198.51.100.254 2001:db8:f1::fe" ;;
	branch)	gateways="203.0.113.254 2001:db8:f7::fe" ;;
	b1)	gateways=192.168.1.1 ;;
	esac
	# shellcheck disable=SC2086 # words
	printf 'route add default via %s\n' $gateways | ip -n "$1" -force -batch - 2>/dev/null
}

# what wan0 of NODE loses when it goes down
scene_addresses() {
	case $1 in
	hq)	ip -n hq addr replace 2001:db8:f1::1/64 dev wan0 nodad ;;
	branch)	ip -n branch addr replace 2001:db8:f7::7/64 dev wan0 nodad ;;
	esac
}

# [PORTS]: masquerade behind nat
nat_rules() {
	lab_run nat nft -f - <<-END
	table ip nat
	delete table ip nat
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat;
			oifname wan0 meta l4proto udp masquerade ${1:+to :$1}
			oifname wan0 masquerade
		}
	}
	END
}

scene_aliens() {
	local n

	for n in hq branch; do
		ip -n $n -batch - <<-END
		link add alien0 type gre local 198.18.0.1 remote 198.18.0.2 ttl 9
		link add alien1 type dummy
		addr add 198.18.0.1/24 dev alien1
		addr add 198.18.1.1/30 dev alien0
		link set alien1 up
		link set alien0 up
		route add 198.18.2.0/24 dev alien1 proto 77
		route add 198.18.3.0/24 dev alien0 proto 77 metric 5
		route add unreachable 198.18.4.0/24 proto 77 metric 4294967040
		route add 2001:db8:99::/64 dev alien1 proto 77
		xfrm policy add src 198.18.0.1 dst 198.18.0.3 proto gre dir out priority 777 tmpl src 198.18.0.1 dst 198.18.0.3 proto esp reqid 777 mode transport
		xfrm state add src 198.18.0.1 dst 198.18.0.3 proto esp spi 0x777 reqid 777 mode transport aead rfc4106(gcm(aes)) 0x00112233445566778899aabbccddeeff01020304 128
		END
		alien_table $n
	done
}

alien_table() {
	lab_run "$1" nft 'table inet alien { set s { type ipv4_addr; elements = { 198.18.0.9 }; };
		chain out { type filter hook output priority 5; ip daddr @s drop; }; }'
}

# the aliens' policy and SA are gone with a flush, which was not gwd's: made anew
alien_policy() {
	ip -n "$1" xfrm policy add src 198.18.0.1 dst 198.18.0.3 proto gre dir out priority 777 tmpl src 198.18.0.1 \
		dst 198.18.0.3 proto esp reqid 777 mode transport
}

alien_sa() {
	ip -n "$1" xfrm state add src 198.18.0.1 dst 198.18.0.3 proto esp spi 0x777 reqid 777 mode transport \
		aead "rfc4106(gcm(aes))" 0x00112233445566778899aabbccddeeff01020304 128
}

# what is as it should be, taken anew where a fault has changed it itself
aliens_note() {
	local n

	for n in ${1:-hq branch}; do
		watch alien "$n"
		ALIENS[$n]=$REPLY
	done
}

# NODE PEER LOCAL-A REMOTE-4 REMOTE-6 PSK-NAMES [EXTRA]: one end of the tunnels between hq and branch
scene_conf_pair() {
	local a=$3 b=$((3 - $3)) me=$1 peer=$2 in=11 out=12

	[ "$a" = 1 ] || { in=12 out=11; }
	cat <<-END
	gateway: {id: $me.example.net, local: wan0}
	defaults: {ike: {dpd-delay: 2s}}
	tunnels:
	  v4:
	    remote: $4
	    peer: {id: $peer.example.net, public-key: ${KEY[$peer]}}
	    addresses: [10.255.4.$a/30]
	    routes: [10.$b.4.0/24, '2001:db8:$b:4::/64']
	    #v4
	  six:
	    remote: '$5'
	    gre-key: 6
	    id: $me-6
	    peer: {id: $peer-6, public-key: ${KEY[$peer]}}
	    addresses: [10.255.6.$a/30]
	    routes: [10.$b.6.0/24]
	    #six
	  red:
	    remote: '$5'
	    gre-key: {in: $in, out: $out}
	    id: $me-red
	    peer: {id: $peer-red}
	    psk: /etc/gwd/red.psk
	    addresses: [10.255.11.$a/30]
	    routes: [10.$b.11.0/24]
	    #red
	  plain:
	    remote: '$5'
	    gre-key: 99
	    protect: none
	    addresses: [10.255.99.$a/30]
	    routes: [10.$b.99.0/24]
	    #plain
	END
}

scene_conf() {
	local n

	declare -gA KEY=()
	for n in $GATEWAYS; do
		lab_gwctl $n keygen >/dev/null 2>&1
		KEY[$n]=$(lab_gwctl $n pubkey)
		echo "a secret of the red tunnel, first" >"$LAB_DIR/$n/gwd/red.psk"
		echo "a secret of the red tunnel, second" >"$LAB_DIR/$n/gwd/red2.psk"
		chmod 600 "$LAB_DIR/$n/gwd/"*.psk
	done
	scene_conf_pair branch hq 2 198.51.100.1 2001:db8:f1::1 >"$LAB_DIR/branch/gwd/gwd.yaml"
	{
		scene_conf_pair hq branch 1 203.0.113.7 2001:db8:f7::7
		cat <<-END
		  nat:
		    remote: any
		    peer: {id: b1.example.net, public-key: ${KEY[b1]}}
		    addresses: [10.255.7.1/30]
		    routes: [10.2.7.0/24]
		    #nat
		END
	} >"$LAB_DIR/hq/gwd/gwd.yaml"
	cat >"$LAB_DIR/b1/gwd/gwd.yaml" <<-END
	gateway: {id: b1.example.net, local: wan0}
	defaults: {ike: {dpd-delay: 2s}}
	tunnels:
	  nat:
	    remote: 198.51.100.1
	    peer: {id: hq.example.net, public-key: ${KEY[hq]}}
	    addresses: [10.255.7.2/30]
	    routes: [10.1.7.0/24]
	    #nat
	END
	for n in $GATEWAYS; do cp "$LAB_DIR/$n/gwd/gwd.yaml" "$LAB_DIR/$n/base.yaml"; done
}

scene_watch() {
	local n t end

	mkfifo "$LAB_DIR/watch.in" "$LAB_DIR/watch.out"
	# shellcheck disable=SC2154 # of lib.sh
	build/tests/chaoswatch <"$LAB_DIR/watch.in" >"$LAB_DIR/watch.out" 2>"$LAB_DIR/watch.log" {lab_never}>&- &
	disown
	exec {WATCH_IN}>"$LAB_DIR/watch.in" {WATCH_OUT}<"$LAB_DIR/watch.out"
	for n in $GATEWAYS inet nat; do watch node $n "${LAB_HOLDER[$n]}"; done
	watch wire inet
	watch wire nat
	watch allow 99
	watch keep "$OUT/in-clear.pcap"
	for t in $ALL; do
		end=$([ "$t" = nat ] && echo b1 || echo branch)
		what=$([ "$t" = plain ] && echo clear || echo canary)
		watch flow "$t>" hq "$(inner "$t" 1)" "$end" "$(inner "$t" 2)" "$what"
		watch flow "$t<" "$end" "$(inner "$t" 2)" hq "$(inner "$t" 1)" "$what"
	done
	watch flow "v4>6" hq 2001:db8:1:4::1 branch 2001:db8:2:4::1 canary
	watch start
	expect_all
}

expect_all() {
	local n t

	for n in $GATEWAYS; do
		for t in ${TUNNELS[$n]}; do
			watch expect "$n" "$t" "$([ "$t" = plain ] && echo unprotected || echo up)"
		done
	done
}

# ---- small hands

daemon_pid() {
	PID=$(<"$LAB_DIR/$1/pid/$2")
}

gwd_signal() {
	daemon_pid "$1" gwd
	kill -"$2" "$PID"
}

charon_signal() {
	daemon_pid "$1" charon-systemd
	kill -"$2" "$PID"
}

# it is gone, at once
gwd_kill() {
	gwd_signal "$1" KILL
	until lab_gone "$PID"; do lab_sleep 0.01; done
}

gwd_start() {
	lab_gwd_spawn "$1" -v
}

# NODE SED-SCRIPT: the base configuration, changed, in a moment
conf_write() {
	sed "$2" "$LAB_DIR/$1/base.yaml" >"$LAB_DIR/$1/gwd/new.yaml"
	mv "$LAB_DIR/$1/gwd/new.yaml" "$LAB_DIR/$1/gwd/gwd.yaml"
}

conf_back() {
	local n

	for n; do
		cp "$LAB_DIR/$n/base.yaml" "$LAB_DIR/$n/gwd/gwd.yaml"
		gwd_signal "$n" HUP
	done
}

# WORD...: one of them, in REPLY, by the run's numbers
draw() {
	local -a words=("$@")

	REPLY=${words[RANDOM % ${#words[@]}]}
}

# a gateway, in N; one of its tunnels in T
draw_node() {
	# shellcheck disable=SC2086
	draw ${1:-$GATEWAYS}
	N=$REPLY
}

draw_tunnel() {
	# shellcheck disable=SC2086
	draw ${1:-${TUNNELS[$N]}}
	T=$REPLY
}
