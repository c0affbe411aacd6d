# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Faults of the kernel's objects, of what gwd is told, and of time (rows 4-6, 8, 15, 18). See chaos.sh.
# shellcheck disable=SC2034,SC2317 # variables and functions are used by name

fault 4 5 20 policy_flush "XFRM policies flushed"
fault_policy_flush() {
	draw_node
	TOLD=$N CUTS=${PROTECTED[$N]}
	ip -n "$N" xfrm policy flush
	[ "$N" = b1 ] || { alien_policy "$N"; aliens_note "$N"; }
}

fault 4 4 20 policy_delete "a policy deleted"
fault_policy_delete() {
	local dir src=198.51.100.1 dst=203.0.113.7

	draw_node "hq branch"
	draw_tunnel "v4 six red"
	draw "in" out
	dir=$REPLY
	TOLD="$N $T $dir" CUTS=$T
	[ "$T" = v4 ] || src=2001:db8:f1::1 dst=2001:db8:f7::7
	[ "$N.$dir" = hq.out ] || [ "$N.$dir" = branch.in ] || { local x=$src; src=$dst dst=$x; }
	case $T.$src in
	six.*)			T="key 6" ;;
	red.2001:db8:f1::1)	T="key 12" ;;
	red.*)			T="key 11" ;;
	v4.*)			T= ;;
	esac
	# shellcheck disable=SC2086 # two words or none
	ip -n "$N" xfrm policy delete dir $dir src "$src" dst "$dst" proto gre $T || finding "no such policy"
}

fault 4 3 60 state_flush "SAs flushed"
fault_state_flush() {
	draw_node
	TOLD=$N CUTS=${PROTECTED[$N]}
	ip -n "$N" xfrm state flush
	[ "$N" = b1 ] || { alien_sa "$N"; aliens_note "$N"; }
}

fault 4 4 60 state_delete "the SAs of one direction between two gateways deleted"
fault_state_delete() {
	local src=198.51.100.1 dst=203.0.113.7

	draw_node "hq branch"
	draw v4 six
	TOLD="$N $REPLY" CUTS=v4
	[ "$REPLY" = v4 ] || src=2001:db8:f1::1 dst=2001:db8:f7::7 CUTS="six red"
	draw there back
	[ "$REPLY" = there ] || { local x=$src; src=$dst dst=$x; }
	TOLD+=" from $src"
	ip -n "$N" xfrm state deleteall src "$src" dst "$dst" proto esp
}

fault 5 6 20 link_delete "a link deleted"
fault_link_delete() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	ip -n "$N" link del "$T"
}

fault 5 4 20 link_down "a link set down"
fault_link_down() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	ip -n "$N" link set "$T" down
}

fault 5 3 20 link_mtu "a link's MTU changed"
fault_link_mtu() {
	draw_node
	draw_tunnel
	TOLD="$N $T"
	ip -n "$N" link set "$T" mtu $((1280 + RANDOM % 100))
}

fault 5 3 20 link_ttl "a link's GRE options changed"
fault_link_ttl() {
	draw_node
	draw_tunnel "v4 six red nat plain"
	[[ " ${TUNNELS[$N]} " == *" $T "* ]] || T=nat
	[[ " ${TUNNELS[$N]} " == *" $T "* ]] || T=v4
	TOLD="$N $T"
	case $T in
	v4|nat)	ip -n "$N" link set "$T" type gre ttl 7 2>/dev/null ;;
	*)	ip -n "$N" link set "$T" type ip6gre hoplimit 7 2>/dev/null ;;
	esac
	CUTS=$T	# a change by ip(8) leaves out what it does not know: keys
}

# What goes into it meanwhile meets no policy and no pair of the guard, for these are of other addresses, or of another key.
fault 5 3 20 link_remote "a link led to another address, from another one, or given another key by somebody"
fault_link_remote() {
	local type=gre local=198.51.100.77 remote=192.0.2.99

	draw_node "hq branch"
	draw_tunnel "v4 six red"
	[ "$T" = v4 ] || type=ip6gre local=2001:db8:f1::77 remote=2001:db8:f1::99
	draw "remote $remote" "local $local" "key 7"
	TOLD="$N $T $REPLY" CUTS=$T
	# shellcheck disable=SC2086 # two words
	ip -n "$N" link set "$T" type $type $REPLY || finding "ip refused"
}

fault 5 2 20 link_mode "a link's mode is no longer DORMANT"
fault_link_mode() {
	draw_node
	draw_tunnel "${PROTECTED[$N]}"
	TOLD="$N $T"
	ip -n "$N" link set "$T" mode default
}

fault 5 3 20 link_rename "a link renamed"
fault_link_rename() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	gwd_signal "$N" STOP
	ip -n "$N" link set "$T" down
	ip -n "$N" link set "$T" name other0
	gwd_signal "$N" CONT
}

fault 5 2 20 link_moved "a link moved to another namespace, deleted there later"
fault_link_moved() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	ip -n "$N" link set "$T" netns hole
	lab_sleep 0.7
	ip -n hole link del "$T"
}

# NODE LINK: is it still the foreign one?
still_dummy() {
	[[ $(ip -n "$1" -d link show "$2" 2>&1) == *dummy* ]] || finding "the foreign link $2 is gone"
	ip -n "$1" link del "$2"
}

fault 5 3 20 link_index "a link's index taken by somebody else's link"
fault_link_index() {
	local index

	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	gwd_signal "$N" STOP
	index=$(lab_run "$N" cat "/sys/class/net/$T/ifindex" 2>/dev/null) || index=$(ip -n "$N" -o link show "$T" | cut -d: -f1)
	ip -n "$N" link del "$T"
	ip -n "$N" link add stray0 index "$index" type dummy
	gwd_signal "$N" CONT
	lab_sleep 0.5
	still_dummy "$N" stray0
}

fault 5 3 20 link_twin "somebody else's link has a tunnel's name for a while"
fault_link_twin() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	gwd_signal "$N" STOP
	ip -n "$N" link del "$T"
	ip -n "$N" link add "$T" type dummy
	gwd_signal "$N" CONT
	lab_sleep 0.7
	still_dummy "$N" "$T"
}

fault 5 3 20 addr_delete "a link's addresses deleted"
fault_addr_delete() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	ip -n "$N" addr flush dev "$T"
}

fault 5 3 20 route_delete "a link's routes deleted"
fault_route_delete() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	ip -n "$N" route flush dev "$T" proto 103
}

fault 5 2 20 hold_delete "the unreachable routes deleted"
fault_hold_delete() {
	draw_node
	TOLD=$N
	ip -n "$N" route flush type unreachable proto 103
}

fault 6 5 20 guard_delete "the guard's table deleted"
fault_guard_delete() {
	draw_node
	TOLD=$N
	lab_run "$N" nft delete table inet gwd
}

fault 6 3 20 ruleset_flush "nft flush ruleset"
fault_ruleset_flush() {
	draw_node
	TOLD=$N
	lab_run "$N" nft flush ruleset
	[ "$N" = b1 ] || { alien_table "$N"; aliens_note "$N"; }
}

fault 6 3 20 guard_change "the guard's table changed: rules or elements gone, or something added"
fault_guard_change() {
	draw_node
	draw "flush table inet gwd" "flush set inet gwd pair4_out" "flush set inet gwd pair4_in" "add chain inet gwd more" \
		"add rule inet gwd out counter" "flush chain inet gwd out" "flush chain inet gwd late" "flush set inet gwd plain"
	TOLD="$N: $REPLY"
	[[ $REPLY != *plain ]] || CUTS=plain
	# shellcheck disable=SC2086 # words
	lab_run "$N" nft $REPLY || finding "nft refused"
}

fault 8 1 40 overrun "more events than gwd's sockets hold, and a link deleted among them"
fault_overrun() {
	local i before

	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	before=$(grep -c "events were lost" "$LAB_DIR/$N/log/gwd.log")
	for ((i = 0; i < 60; i++)); do echo "link add storm$i group 77 type dummy"; done | ip -n "$N" -batch -
	gwd_signal "$N" STOP
	# each time so many events, of 2.3 KB in the socket's account, which has 16 MiB
	for ((i = 0; i < 180; i++)); do echo "link set group 77 mtu $((1400 + i % 100))"; done | ip -n "$N" -batch -
	ip -n "$N" link del "$T"
	ip -n "$N" link del group 77
	gwd_signal "$N" CONT
	lab_sleep 0.5
	(($(grep -c "events were lost" "$LAB_DIR/$N/log/gwd.log") > before)) || missed "no overrun"
}

fault 15 2 40 clock "the clock jumps, then a rekey"
fault_clock() {
	draw_node
	local n=$N

	draw 3600 -3600 90000 -90000 34560000 -34560000
	TOLD="by $REPLY s, $n"
	((CLOCK + REPLY < 70000000 && CLOCK + REPLY > -70000000)) || REPLY=$((-REPLY))
	CLOCK=$((CLOCK + REPLY))
	date -s "@$(($(date +%s) + REPLY))" >/dev/null
	swanctl_quick "$n" --rekey --child gre
}
CLOCK=0

fault 15 2 40 stand_still "gwd and charon of a gateway stand still for a while"
fault_stand_still() {
	draw_node
	draw_pause 400
	TOLD="$N for $PAUSE s"
	gwd_signal "$N" STOP
	charon_signal "$N" STOP
	lab_sleep "$PAUSE"
	charon_signal "$N" CONT
	gwd_signal "$N" CONT
}

# NODE: the reload is refused, and says so
reload_refused() {
	local said

	if said=$(lab_gwctl "$1" reload 2>&1); then
		finding "the configuration was taken: $said"
	fi
	cp "$LAB_DIR/$1/base.yaml" "$LAB_DIR/$1/gwd/gwd.yaml"
	gwd_signal "$1" HUP
}

fault 18 3 20 conf_half "the configuration is half written"
fault_conf_half() {
	local size

	draw_node
	size=$(stat -c %s "$LAB_DIR/$N/base.yaml")
	size=$((RANDOM % size))
	TOLD="$N, $size bytes"
	# what ends well after so many bytes would be a configuration
	{ head -c $size "$LAB_DIR/$N/base.yaml"; printf "\n   x: ["; } >"$LAB_DIR/$N/gwd/gwd.yaml"
	reload_refused "$N"
}

fault 18 3 20 conf_wrong "the configuration is wrong"
fault_conf_wrong() {
	draw_node
	draw "s/routes:/ruotes:/" "s/gateway:/gatewya:/" "s/remote: .*/remote: 300.1.1.1/" "s/addresses: .*/addresses: [10.0.0.300\/30]/" \
		"s/public-key: /public-key: X/" "s/^tunnels:/tunnels: 7/"
	TOLD="$N $REPLY"
	conf_write "$N" "$REPLY"
	reload_refused "$N"
}

fault 18 3 20 conf_mtu "another MTU for a tunnel, and back"
fault_conf_mtu() {
	draw_node
	draw_tunnel
	TOLD="$N $T"
	conf_write "$N" "s/#$T\$/mtu: 1300/"
	gwd_signal "$N" HUP
	draw_pause 30
	lab_sleep "$PAUSE"
	conf_back "$N"
}

# NODE add|del: a disabled tunnel has no unreachable routes beside its own ones, by intent; so these stand in for them. Of another metric:
# an IPv6 route of the same is not added beside the tunnel's
stand_in() {
	printf "route $2 unreachable %s metric 5000\n" 10.0.0.0/8 2001:db8:1:4::/64 2001:db8:2:4::/64 | ip -n "$1" -force -batch -
}

held() {
	local far=2

	[ "$N" = hq ] || far=1
	far=$(inner "$T" $far)
	[[ $(ip -n "$N" route show type unreachable proto 103) == *"${far%.1}.0/24"* ]]
}

fault 18 3 60 conf_without "a tunnel disabled, and back"
fault_conf_without() {
	draw_node
	draw_tunnel
	TOLD="$N $T" CUTS=$T
	stand_in "$N" add
	conf_write "$N" "s/#$T\$/enabled: false/"
	gwd_signal "$N" HUP
	lab_wait 30 eval '! held' || finding "still in force: $T"
	conf_back "$N"
	lab_wait 30 held || finding "no unreachable route beside that of $T"
	stand_in "$N" del
}

fault 18 2 20 conf_storm "the configuration changes all the while"
fault_conf_storm() {
	local i

	draw_node
	draw_tunnel
	TOLD="$N $T"
	for i in 1 2 3 4 5 6; do
		conf_write "$N" "s/#$T\$/mtu: 13${i}0/"
		gwd_signal "$N" HUP
	done
	conf_back "$N"
}

fault 18 1 40 conf_huge "300 disabled tunnels more, and back"
fault_conf_huge() {
	local i

	draw_node
	TOLD=$N
	{
		cat "$LAB_DIR/$N/base.yaml"
		for ((i = 0; i < 300; i++)); do
			echo "  x$i: {remote: 198.18.$((i / 200)).$((i % 200 + 1)), enabled: false, peer: {id: x$i, public-key: ${KEY[hq]}}}"
		done
	} >"$LAB_DIR/$N/gwd/new.yaml"
	mv "$LAB_DIR/$N/gwd/new.yaml" "$LAB_DIR/$N/gwd/gwd.yaml"
	lab_gwctl "$N" reload >/dev/null 2>"$LAB_DIR/huge.log"
	(($? != 1)) || finding "refused: $(head -3 "$LAB_DIR/huge.log")"
	conf_back "$N"
}
