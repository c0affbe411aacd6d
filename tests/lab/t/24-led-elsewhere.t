#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Somebody leads the link of a tunnel elsewhere: to another address, from another one, or gives it another key, of which no policy and no pair
# knows. What goes into it does not leave in clear, while gwd stands still and cannot put it back. Plain tunnels' GRE, and that of
# others from the same address, is sent all the while and seen.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

OTHERS='ip proto 47 and (dst 192.0.2.50 or dst 192.0.2.60)'
GRE="(ip proto 47 or ip6 proto 47) and not ($OTHERS)"

# what a tunnel over IPv6 and a plain one need beside the usual one
more() {
	cat <<-END
	  six:
	    local: $1
	    remote: $2
	    gre-key: 6
	    id: $3-6
	    peer: {id: $4-6, public-key: $(site_pubkey "$4")}
	    addresses: [10.255.6.$5/30]
	END
}

is_all_up() {
	[[ $(lab_gwctl hq status --json | build/tests/pick 'tunnels[*].state' | sort | paste -sd,) == unprotected,up,up ]]
}

# packets for each of the links of hq, and for what is not protected
# shellcheck disable=SC2016 # expanded inside
packets() {
	lab_run hq bash -c 'for to in 10.255.0.2 10.2.0.2 2001:db8:ff::2 10.255.6.2 10.255.50.2 10.255.60.2; do
		ping -q -c8 -i0.05 -W0.3 $to & done; wait' >/dev/null 2>&1
}

strays_told() {
	[ "$(lab_gwctl hq status --json | build/tests/pick gateway.strayed)" -ge 40 ]
}

# WHAT LINK TYPE OPTION...: the link is changed by ip(8); what it leaves out becomes zero
led() {
	ip -n hq link set "$2" type "${@:3}"
	diag "$1: $(ip -n hq -d link show "$2" | grep -o 'gre.* remote.*' | head -1)"
	packets
}

# while gwd stands still: each change, then the link as it was
changes() {
	led "to another address" branch1 gre local 198.51.100.1 remote 192.0.2.99 ttl 64
	led "to nowhere in particular" branch1 gre local 198.51.100.1 remote 198.51.100.254 ttl 64
	led "with another key" branch1 gre local 198.51.100.1 remote 203.0.113.7 key 7
	led "from another address" branch1 gre local 198.51.100.77 remote 203.0.113.7 ttl 64
	led "over IPv6 to another address" six ip6gre local 2001:db8:f1::1 remote 2001:db8:f7::99 key 6
	led "over IPv6 with another key" six ip6gre local 2001:db8:f1::1 remote 2001:db8:f7::7 key 8
}

lab_topology
ip -n hq addr add 198.51.100.77/24 dev wan0
sites_keys
sites_conf
more 2001:db8:f1::1 2001:db8:f7::7 hq branch 1 >>"$LAB_DIR/hq/gwd/gwd.yaml"
more 2001:db8:f7::7 2001:db8:f1::1 branch hq 2 >>"$LAB_DIR/branch/gwd/gwd.yaml"
cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	  open:
	    remote: 192.0.2.50
	    protect: none
	    addresses: [10.255.50.1/30]
END
sed -i 's/local: wan0/local: 198.51.100.1/' "$LAB_DIR/hq/gwd/gwd.yaml"
lab_gateways hq branch || exit 1
ok "all tunnels of hq are up" lab_wait 60 is_all_up
ip -n hq link add foreign type gre local 198.51.100.1 remote 192.0.2.60 ttl 64
ip -n hq addr add 10.255.60.1/30 dev foreign
ip -n hq link set foreign up
ip -n hq route add 192.0.2.0/24 via 198.51.100.254

lab_capture_start wire inet hq0 192
packets
kill -STOP "$(lab_pid hq gwd)"
changes
lab_capture_stop wire
is "0 clear GRE packets of protected tunnels" "$(lab_capture_count wire "$GRE")" 0
cmp_ok "ESP crossed before" "$(lab_capture_count wire 'ip proto 50')" '>=' 4
cmp_ok "over IPv6 too" "$(lab_capture_count wire 'ip6 proto 50')" '>=' 4
cmp_ok "the plain tunnel's GRE left all the while" "$(lab_capture_count wire 'ip proto 47 and dst 192.0.2.50')" '>=' 40
cmp_ok "and that of others" "$(lab_capture_count wire 'ip proto 47 and dst 192.0.2.60')" '>=' 40
kill -CONT "$(lab_pid hq gwd)"
ok "gwd puts the links back" lab_wait 60 is_all_up
ok "and they carry" lab_wait 20 lab_run hq ping -q -c1 -W1 10.255.0.2
cmp_ok "what was stopped is counted" "$(lab_run hq nft list chain inet gwd out | sed -n 's/.* packets \([0-9]*\) .* stray"/\1/p')" '>=' 40
ok "and told" lab_wait 60 strays_told

lab_capture_start control inet hq0 192
kill -STOP "$(lab_pid hq gwd)"
lab_run hq nft delete table inet gwd
changes
lab_capture_stop control
for to in 'dst 192.0.2.99' 'dst 198.51.100.254' 'src 198.51.100.77' 'ip6 and dst 2001:db8:f7::99' 'ip6 and dst 2001:db8:f7::7'; do
	cmp_ok "control: without the guard they leave, $to" "$(lab_capture_count control "proto 47 and $to")" '>=' 4
done
kill -CONT "$(lab_pid hq gwd)"

done_testing
