# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Faults of the world around: uplinks, paths, NAT, disks, strangers (rows 7, 12-14, 19). See chaos.sh.
# shellcheck disable=SC2034,SC2317 # variables and functions are used by name

# NODE FAMILY: the tunnels that it carries
carried() {
	case $1$2 in
	hq4)		REPLY="v4 nat" ;;
	branch4)	REPLY=v4 ;;
	b14)		REPLY=nat ;;
	b16)		REPLY= ;;
	*)		REPLY="six red plain" ;;
	esac
}

fault 7 3 60 default_route "a default route goes, and comes back"
fault_default_route() {
	local family

	draw_node
	draw 4 6
	family=$REPLY
	carried "$N" "$family"
	TOLD="$N IPv$family" CUTS=$REPLY
	ip -n "$N" -"$family" route del default 2>/dev/null
	draw_pause 60
	lab_sleep "$PAUSE"
	scene_defaults "$N"
}

fault 7 2 60 uplink_down "an uplink goes down, and up"
fault_uplink_down() {
	draw_node
	draw_pause 60
	TOLD="$N for $PAUSE s" CUTS=${TUNNELS[$N]}
	ip -n "$N" link set wan0 down
	lab_sleep "$PAUSE"
	ip -n "$N" link set wan0 up
	scene_addresses "$N"
	scene_defaults "$N"
}

fault 7 2 90 addr_change "an uplink has another address for a while"
fault_addr_change() {
	local old=198.51.100.1 new=198.51.100.9

	draw_node
	carried "$N" 4
	TOLD=$N CUTS=$REPLY
	case $N in
	branch)	old=203.0.113.7 new=203.0.113.9 ;;
	b1)	old=192.168.1.7 new=192.168.1.9 ;;
	esac
	addr_becomes $old $new
	draw_pause 200
	lab_sleep "$PAUSE"
	addr_becomes $new $old
}

addr_becomes() {
	ip -n "$N" addr del "$1/24" dev wan0
	ip -n "$N" addr add "$2/24" dev wan0
	scene_defaults "$N"
}

fault 7 2 20 addr_more "an uplink gets one more address, and loses it"
fault_addr_more() {
	draw_node
	TOLD=$N
	ip -n "$N" addr add 198.18.7.7/32 dev wan0
	lab_sleep 0.2
	ip -n "$N" addr del 198.18.7.7/32 dev wan0
}

fault 7 2 30 path_mtu "the default route has an MTU for a while"
fault_path_mtu() {
	draw_node
	TOLD=$N
	case $N in
	hq)	path_mtu 198.51.100.254 ;;
	branch)	path_mtu 203.0.113.254 ;;
	b1)	path_mtu 192.168.1.1 ;;
	esac
}

path_mtu() {
	ip -n "$N" route replace default via "$1" mtu 1350
	draw_pause 100
	lab_sleep "$PAUSE"
	ip -n "$N" route replace default via "$1"
}

fault 7 2 40 sysctl "a sysctl switches policies off for a while"
fault_sysctl() {
	draw_node
	draw all/disable_xfrm all/disable_policy wan0/disable_xfrm
	local what=$REPLY
	carried "$N" 4
	TOLD="$N $what" CUTS=$REPLY
	lab_run "$N" bash -c "echo 1 >/proc/sys/net/ipv4/conf/$what"
	lab_sleep 0.5
	lab_run "$N" bash -c "echo 0 >/proc/sys/net/ipv4/conf/$what"
}

# SECONDS-IN-HUNDREDTHS NETEM...: on the path to a gateway, for a while
netem() {
	local dev

	draw_node
	case $N in
	b1)	dev=nat0 ;;
	*)	dev=${N}0 ;;
	esac
	TOLD="towards $N: ${*:2}"
	tc -n inet qdisc change dev $dev root netem "${@:2}"
	lab_sleep "$1"
	tc -n inet qdisc change dev $dev root netem delay 0ms
}

fault 12 2 60 netem_loss "packets get lost on the way"
fault_netem_loss() {
	draw_pause 100
	netem "$PAUSE" loss $((5 + RANDOM % 50))%
	CUTS=${TUNNELS[$N]}
}

fault 12 2 60 netem_delay "packets are late"
fault_netem_delay() {
	netem 0.7 delay $((20 + RANDOM % 150))ms
}

fault 12 2 60 netem_twice "packets come twice"
fault_netem_twice() {
	netem 0.7 duplicate $((10 + RANDOM % 80))%
}

fault 12 2 60 netem_order "packets come in another order"
fault_netem_order() {
	netem 0.7 delay 60ms reorder $((10 + RANDOM % 50))%
}

fault 12 1 60 wire_cut "nothing passes for 2 s"
fault_wire_cut() {
	netem 2 loss 100%
	CUTS=${TUNNELS[$N]}
}

fault 12 2 30 wire_mtu "the path's MTU shrinks for a while"
fault_wire_mtu() {
	local dev

	draw hq0 branch0 nat0
	dev=$REPLY
	TOLD=$dev
	ip -n inet link set $dev mtu 1400
	lab_sleep 0.5
	ip -n inet link set $dev mtu 1500
}

# charon puts the SAs in the kernel anew. Where the clock was set before, they end a second later: their age is by the clock.
nat_moves() {
	CUTS=nat
	[ "$CLOCK" = 0 ] || AFTER=nat
}

fault 13 2 60 nat_address "the NAT has another address"
fault_nat_address() {
	local old=192.0.2.1 new=192.0.2.2

	nat_moves
	[[ $(ip -n nat addr show dev wan0) == *192.0.2.1/* ]] || { old=192.0.2.2 new=192.0.2.1; }
	TOLD=$new
	ip -n nat addr del $old/24 dev wan0
	ip -n nat addr add $new/24 dev wan0
	lab_defaults nat 192.0.2.254
}

fault 13 2 60 nat_ports "the NAT gives other ports"
fault_nat_ports() {
	nat_moves
	draw_pause 90
	TOLD="2${PAUSE#*.}00"
	nat_rules "$TOLD-2${PAUSE#*.}99"
	# its end ends what it had
	ip -n nat link set wan0 down
	ip -n nat link set wan0 up
	lab_defaults nat 192.0.2.254
}

# NODE: packets that conntrack there could not enter, and so dropped, in REPLY
unentered() {
	local header words i

	REPLY=0
	{
		read -ra header
		while read -ra words; do
			for i in "${!header[@]}"; do
				[ "${header[i]}" != insert_failed ] || REPLY=$((REPLY + 16#${words[i]}))
			done
		done
	} < <(lab_run "$1" cat /proc/net/stat/nf_conntrack)
}

fault 13 2 30 nat_here "a masquerade on a gateway's uplink"
fault_nat_here() {
	draw_node
	unentered "$N"
	MAY=$REPLY
	lab_run "$N" nft 'table ip office { chain post { type nat hook postrouting priority srcnat; oifname wan0 masquerade; }; }'
	lab_sleep 0.5
	lab_run "$N" nft delete table ip office
	# of two packets that begin a connection from both ends at once, one is dropped (kernel __nf_conntrack_confirm)
	unentered "$N"
	MAY=$((REPLY - MAY))
	TOLD="$N, $MAY not entered"
}

fault 14 2 30 disk_full "/run is full while gwd starts"
fault_disk_full() {
	draw_node
	TOLD=$N
	# shellcheck disable=SC2016 # expanded inside
	lab_run "$N" bash -c 'mount -o remount,size=256k /run; head -c 400000 /dev/zero >/run/filler' 2>/dev/null
	gwd_kill "$N"
	gwd_start "$N"
	lab_sleep 0.7
	lab_run "$N" bash -c 'rm -f /run/filler; mount -o remount,size=64m /run'
	gwd_again
}

gwd_decided() {
	lab_gone "$PID" || lab_gwd_answers "$N"
}

# it may have refused: then once more, as systemd does
gwd_again() {
	daemon_pid "$N" gwd
	lab_wait 20 gwd_decided
	lab_gone "$PID" || return 0
	TOLD+=" (refused: $(tail -1 "$LAB_DIR/$N/log/gwd.log"))"
	gwd_start "$N"
}

fault 14 2 30 disk_ro "/run cannot be written while gwd starts"
fault_disk_ro() {
	draw_node
	TOLD=$N
	lab_run "$N" mount -o remount,ro /run
	gwd_kill "$N"
	gwd_start "$N"
	lab_sleep 0.7
	lab_run "$N" mount -o remount,rw /run
	gwd_again
}

fault 19 2 60 flood "40 IKE_SA_INIT from spoofed addresses"
fault_flood() {
	local to=198.51.100.1

	draw hq branch
	[ "$REPLY" = hq ] || to=203.0.113.7
	TOLD=$REPLY
	lab_run inet perl tests/chaos/flood $to 40
}
