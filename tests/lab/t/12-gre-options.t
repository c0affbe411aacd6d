#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Options of the GRE device: the well-known plain tunnel to a box without IPsec, made there by ip(8); then every option, changed on
# a running protected tunnel and on the plain one, as the kernel tells and as packets show. What was changed is never sent in clear.

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

# NODE TUNNEL STATE
tunnel_is() {
	[ "$(lab_gwctl "$1" status --json | build/tests/pick "tunnels[name=$2].state")" = "$3" ]
}

both_up() {
	lab_wait 60 tunnel_is hq branch1 up && lab_wait 60 tunnel_is branch hq up || { diag "$(lab_gwctl hq; lab_gwctl branch)"; return 1; }
}

# NODE LINK: what ip(8) tells of it, in one line
link_of() {
	ip -n "$1" -d link show "$2" | tr '\n' ' '
}

index_of() {
	ip -n hq -j link show branch1 | build/tests/pick '[0].ifindex'
}

# HQ BRANCH [OPNSENSE]: other options for the tunnels (lines of YAML), into force
options() {
	sed "s/^    #options/$1/" "$LAB_DIR/hq.yaml" >"$LAB_DIR/hq/gwd/gwd.yaml"
	sed "s/^    #options/$2/" "$LAB_DIR/branch.yaml" >"$LAB_DIR/branch/gwd/gwd.yaml"
	[ -z "${3-}" ] || sed -i "s/^    #plain/$3/" "$LAB_DIR/hq/gwd/gwd.yaml"
	both lab_gwctl reload
}

lab_topology
lab_node opnsense
lab_link opnsense eth0 192.0.2.80/24 -- inet opn0 192.0.2.1/24
lab_defaults opnsense 192.0.2.1
for n in hq branch; do ip -n $n route add blackhole 10.255.0.0/16; done

# ---- the OPNsense guide: outer addresses, a /30 inside, ttl 255, MTU 1476, plain; there as ip(8) makes it
cp dist/examples/opnsense.yaml "$LAB_DIR/hq/gwd/gwd.yaml"
ip -n opnsense -batch - <<-END
	link add gre1 type gre local 192.0.2.80 remote 198.51.100.1 ttl 255
	addr add 10.254.0.2/30 dev gre1
	link set gre1 up
END
ok "gwd takes the example" lab_gwd_start hq
ok "it works, without charon" lab_wait 10 lab_run hq ping -c1 -W1 10.254.0.2
like "ttl 255, no key" "$(link_of hq opnsense)" "mtu 1476 .*ttl 255 "
unlike "no key" "$(link_of hq opnsense)" "key"
like "UNPROTECTED" "$(lab_gwctl hq)" "opnsense +UNPROTECTED"
ok "full-size packets" lab_run hq ping -c1 -W2 -M 'do' -s 1448 10.254.0.2

# ---- a protected tunnel beside it
sites_keys
sites_conf "    #options"
cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	  opnsense:
	    remote: 192.0.2.80
	    protect: none
	    addresses: [10.254.0.1/30]
	    #plain
END
for n in hq branch; do cp "$LAB_DIR/$n/gwd/gwd.yaml" "$LAB_DIR/$n.yaml"; done
lab_capture_start clear inet any 256 "proto 47 and not host 192.0.2.80"
lab_capture_start plain inet opn0 256 "proto 47"
lab_charon_start hq branch
ok "a protected one beside it" lab_gwctl hq reload
ok "with its peer" lab_gwd_start branch
lab_udp_start there hq branch 10.255.0.2 50
ok "is up" both_up
first=$(index_of)

# ---- every option at once, and at once on the plain one
all='    gre-key: {in: 7, out: 8}\n    checksum: true\n    sequence: true\n    tos: 184\n    ttl: 200\n    pmtudisc: true\n    device: wan0'
other='    gre-key: {in: 8, out: 7}\n    checksum: true\n    sequence: true\n    tos: inherit'
ok "all options" options "$all" "$other" \
	'    gre-key: {in: 5, out: 6}\n    checksum: true\n    sequence: true\n    tos: 32\n    ttl: 33\n    pmtudisc: true\n    device: wan0'
got=$(link_of hq branch1)
like "keys apart" "$got" "ikey 0.0.0.7 okey 0.0.0.8"
like "checksum, sequence" "$got" "iseq oseq icsum ocsum"
like "tos" "$got" "tos (0xb8|EF|ef)"
like "ttl" "$got" "ttl 200"
unlike "pmtudisc" "$got" "nopmtudisc"
like "device" "$got" "dev wan0"
like "the MTU allows for them" "$got" "mtu 1430 "
is "in place: it is the same link" "$(index_of)" "$first"
like "show tells them" "$(lab_gwctl hq show branch1)" "key 7 in, 8 out, over wan0, checksum, sequence, pmtudisc"
like "and the sum" "$(lab_gwctl hq show branch1)" "mtu 1430 = .* 16 GRE"
like "inherit" "$(link_of branch hq)" "tos inherit"
ok "up" both_up
ok "packets pass" lab_wait 10 lab_run hq ping -c1 -W2 10.255.0.2
ok "a plan has nothing left" lab_gwctl hq plan
nok "the box without these options takes nothing" lab_run hq ping -c1 -W1 10.254.0.2
ip -n opnsense link change gre1 type gre local 192.0.2.80 remote 198.51.100.1 ttl 255 ikey 6 okey 5 csum seq
ok "but with them" lab_run hq ping -c2 -i0.2 -W2 10.254.0.2
got=$(link_of hq opnsense)
like "all of them" "$got" "ttl 33 .*tos (0x20|CS1).* ikey 0.0.0.5 okey 0.0.0.6 iseq oseq icsum ocsum"
like "and the device" "$got" "dev wan0"
unlike "and pmtudisc" "$got" "nopmtudisc"

# ---- the plain one with the rest; a path of 1400 behind the next router tells ignore-df by what passes
ip -n opnsense link del gre1
ip -n opnsense -batch - <<-END
	link add gre1 type gre local 192.0.2.80 remote 198.51.100.1 ttl 64 nopmtudisc
	addr add 10.254.0.2/30 dev gre1
	link set gre1 up
END
ip -n inet link set opn0 mtu 1400
ip -n opnsense link set eth0 mtu 1400
ok "inherit" options "$all" "$other" '    tos: inherit\n    ttl: inherit\n    mtu: 1476'
like "tos and ttl" "$(link_of hq opnsense)" "ttl inherit tos inherit"
ok "the passenger's own reach the box" lab_run hq ping -c1 -W2 -t 77 -Q 0x40 10.254.0.2
nok "1476 bytes with DF do not pass" lab_run hq ping -c2 -i0.3 -W1 -M 'do' -s 1448 10.254.0.2
ip -n hq route flush cache
ok "ignore-df" options "$all" "$other" '    ignore-df: true\n    mtu: 1476'
like "as the kernel tells" "$(link_of hq opnsense)" "ignore-df"
ok "1476 bytes with DF pass, in fragments" lab_run hq ping -c2 -i0.3 -W2 -M 'do' -s 1448 10.254.0.2
ip -n inet link set opn0 mtu 1500
ip -n opnsense link set eth0 mtu 1500

# ---- one by one away, and what the kernel cannot do in place
ok "ignore-df instead of pmtudisc, another device" options '    ignore-df: true\n    device: lan0\n    checksum: true' '    checksum: true'
like "ignore-df" "$(link_of hq branch1)" "nopmtudisc .*ignore-df|ignore-df"
like "the other device" "$(link_of hq branch1)" "dev lan0"
is "still the same link" "$(index_of)" "$first"
nok "which leads nowhere" lab_run hq ping -c1 -W1 10.255.0.2
ok "back to pmtudisc" options '    pmtudisc: true' ''
unlike "pmtudisc" "$(link_of hq branch1)" "nopmtudisc|ignore-df|dev lan0|csum"
isnt "which the kernel takes for a new link only" "$(index_of)" "$first"
ok "up" both_up
ok "packets pass" lab_wait 10 lab_run hq ping -c1 -W2 10.255.0.2

# ---- what others change
first=$(index_of)
ip -n hq link change branch1 type gre local 198.51.100.1 remote 203.0.113.7 ttl 3 key 9 seq
pmtu() {
	[[ $(link_of hq branch1) =~ ttl\ 64 ]] && ! [[ $(link_of hq branch1) =~ key|seq ]]
}
ok "is put right" lab_wait 10 pmtu
is "in place" "$(index_of)" "$first"
ok "packets pass" lab_wait 10 lab_run hq ping -c1 -W2 10.255.0.2

# ---- a device that comes and goes
ip -n hq link add wan1 type dummy
options '    device: wan9' '' >/dev/null
ok "without its device the tunnel is down" lab_wait 10 tunnel_is hq branch1 down
like "which is said" "$(lab_gwctl hq)" 'there is no interface wan9 here .`device:`.'
options '' '' >/dev/null
ok "without it, up" both_up

lab_udp_stop there
lab_capture_stop plain
is "the protected one was never in clear" "$(lab_capture_count clear '')" 0
cmp_ok "the plain one had key 6, sums, numbers, tos, ttl and DF" \
	"$(lab_capture_count plain 'src host 198.51.100.1 and ip[20:2] = 0xb000 and ip[28:4] = 6 and ip[1] = 32 and ip[8] >= 32 and ip[8] <= 33 and ip[6] & 0x40 != 0')" '>=' 1
cmp_ok "then what its passengers had" "$(lab_capture_count plain 'src host 198.51.100.1 and ip[20:2] = 0 and ip[1] = 0x40 and ip[8] >= 76 and ip[8] <= 77')" '>=' 1
cmp_ok "TTL 255 as the guide has it" "$(lab_capture_count plain 'src host 192.0.2.80 and ip[8] >= 254')" '>=' 1
both lab_gwd_kill
for n in hq branch; do lab_run $n nft delete table inet gwd; ip -n $n xfrm policy flush; done
lab_run hq ping -c3 -i0.2 -W1 10.255.0.2 >/dev/null
lab_capture_stop clear
cmp_ok "unprotected, the same capture sees it" "$(lab_capture_count clear '')" '>' 0
done_testing
