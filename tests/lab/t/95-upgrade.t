#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An upgrade under traffic: the gwd of the commit before (tests/lab/previous) is replaced by this one, then the other way round, over
# protected tunnels of both families, with keys and without, and a plain one. No packet is lost. A layer of the kernel (links, XFRM, nftables)
# in which something was written is another one after than before, or else that was written without need.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
RATE=100
# shellcheck source=tests/lab/watch.sh
. tests/lab/watch.sh

NEW=$LAB_GWD OLD=build/previous/gwd

if [ ! -x $OLD ]; then
	skip "an upgrade" "there is no gwd of before: $(cat build/previous/why 2>/dev/null || echo "tests/lab/previous makes it")"
	done_testing
fi

# LAYER: all of it that gwd makes, without what counts
layer() {
	case $1 in
	rt)	ip -n hq -d -j link show type gre | jq -S 'map(del(.ifindex))'
		ip -n hq -d -j link show type ip6gre | jq -S 'map(del(.ifindex))'
		ip -n hq -o addr; ip -n hq route show table all; ip -n hq -6 route show table all ;;
	xfrm)	ip -n hq xfrm policy; ip -n hq xfrm state | grep -vE 'anti-replay|seq' ;;
	nft)	lab_run hq nft -s list ruleset ;;
	esac
}

layers_keep() {
	local l

	for l in rt xfrm nft; do
		layer $l >"$LAB_DIR/layer.$l"
	done
}

# LAYER: what was written in it, though it is the same after as before
needless() {
	local seen

	seen=$(watch_seen "$1")
	[ -z "$seen" ] || ! diff <(layer "$1") "$LAB_DIR/layer.$1" >"$LAB_DIR/layer.diff" || echo "$seen"
}

states() {
	lab_gwctl hq status --json | build/tests/pick 'tunnels[*].state' | paste -sd' '
}

all_well() {
	[ "$(states)" = "up unprotected up up" ]
}

# NAME GWD: gwd of hq is replaced by GWD as `systemctl restart` does it
replace() {
	local l

	flows_start "$1"
	lab_udp_start "six.$1" hq branch 10.255.6.2 $RATE
	lab_udp_start "plain.$1" hq branch 10.255.9.2 $RATE
	lab_sleep 1
	layers_keep
	watch_mark
	ok "$1: gwd ends" lab_gwd_stop hq
	LAB_GWD=$2
	ok "$1: the other starts" lab_gwd_start hq
	ok "$1: it is that one" cmp "/proc/$(lab_pid hq gwd)/exe" "$2"
	ok "$1: all tunnels are as before" lab_wait 30 all_well || diag "$(lab_gwctl hq)"
	lab_sleep 1
	for l in rt xfrm nft; do
		: >"$LAB_DIR/layer.diff"
		is "$1: nothing was written without need ($l)" "$(needless $l)" ""
		[ ! -s "$LAB_DIR/layer.diff" ] || diag "$1: $l is another one:"$'\n'"$(head -20 "$LAB_DIR/layer.diff")"
	done
	is "$1: nor into the SAs" "$(watch_sa_times)" "$TIMES"
	lab_udp_stop six."$1" plain."$1"
	for l in six plain; do
		cmp_ok "$1, $l: there was traffic" "$(lab_udp_get $l."$1" sent)" '>' $RATE
		is "$1, $l: no packet lost" "$(lab_udp_get $l."$1" lost)" 0
	done
	flows_none_lost "$1" "$1"
}

lab_topology
sites_keys
sites_conf
# 1|2 REMOTE PEER NODE: more tunnels of NODE
more() {
	cat <<-END
	  six:
	    remote: '$2'
	    gre-key: 6
	    id: $4-six
	    peer: {id: $3-six, public-key: $(site_pubkey $3)}
	    addresses: [10.255.6.$1/30]
	  red:
	    remote: '$2'
	    gre-key: 11
	    id: $4-red
	    peer: {id: $3-red, public-key: $(site_pubkey $3)}
	    addresses: [10.255.11.$1/30]
	  plain:
	    remote: '$2'
	    gre-key: 99
	    protect: none
	    addresses: [10.255.9.$1/30]
	END
}
more 1 2001:db8:f7::7 branch hq >>"$LAB_DIR/hq/gwd/gwd.yaml"
more 2 2001:db8:f1::1 hq branch >>"$LAB_DIR/branch/gwd/gwd.yaml"
lab_charon_start hq branch
ok "gwd of branch" lab_gwd_start branch || done_testing
LAB_GWD=$OLD
ok "the gwd of before on hq" lab_gwd_start hq || done_testing
ok "all tunnels are up" lab_wait 60 all_well || { diag "$(states)" "$(lab_gwctl hq)"; done_testing; }
ok "traffic passes" lab_wait 10 lab_run lanhq ping -q -c1 -W2 10.2.0.2
lab_sleep 6	# surplus SAs of the beginning go
diag "before: $(lab_gwctl hq version | xargs)"

watch_start
layers_keep
watch_mark
ok "the monitors see links, policies and tables change" watch_control 97
lab_sleep 0.5
for l in rt xfrm nft; do
	isnt "control: written without need is seen ($l)" "$(needless $l)" ""
done
lab_sleep 1

replace upgrade "$NEW"
replace downgrade "$OLD"
ok "the monitors still see it" watch_control 98
watch_stop
like "the link never left UP" "$(sed -n 's/.*branch1.* state \([A-Z]*\).*/\1/p' "$LAB_DIR/hq/log/mon.rt.log" | sort -u)" '^(UP)?$'
done_testing
