#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every routing protocol over one protected tunnel, at once: OSPFv2 and OSPFv3 as `gwctl frr` configures them (with authentication
# and BFD), BGP over IPv4 and IPv6, RIP and EIGRP. Each learns the other site's network, and none of it crosses in clear. The ends
# of the tunnel have different MTUs, since branch's path is smaller, which hq has not noticed.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

key='0sPf!k$y#1;' # of OSPF

# NODE INTERFACE ROUTER-ID AS PEER-AS PEER4 PEER6 LAN4 LAN6: what gwctl says, and what is not the tunnel's
routing_frr() {
	lab_gwctl "$1" frr
	cat <<-END
	interface lan0
	 ip ospf area 0.0.0.1
	 ip ospf passive
	 ipv6 ospf6 area 0.0.0.1
	 ipv6 ospf6 passive
	router ospf
	 ospf router-id $3
	router ospf6
	 ospf6 router-id $3
	router bgp $4
	 bgp router-id $3
	 no bgp ebgp-requires-policy
	 neighbor $6 remote-as $5
	 neighbor $7 remote-as $5
	 address-family ipv4 unicast
	  network $8
	 exit-address-family
	 address-family ipv6 unicast
	  neighbor $7 activate
	  network $9
	 exit-address-family
	router rip
	 network $2
	 network lan0
	 timers basic 5 60 60
	router eigrp 100
	 network 10.255.0.0/30
	 network $8
	END
}

# NODE DAEMON COMMAND: quicker than to ask all
ask() {
	lab_run "$1" vtysh -d "$2" -c "$3"
}

# FIELD: what it is in the JSON on stdin, each time, sorted, in one line
values() {
	grep -oE "\"$1\": ?\"[^\"]*\"" | cut -d'"' -f4 | sort | paste -sd' '
}

# NODE PREFIX PROTOCOL...: zebra has the prefix from each of them
learned() {
	local node=$1 family=ip
	[[ $2 != *:* ]] || family=ipv6
	[ "$(ask "$node" zebra "show $family route $2 json" | values protocol)" = "${*:3}" ]
}

start() {
	lab_charon_start "$1" && lab_gwd_start "$1"
}

both() {
	local other status

	"$1" hq &
	other=$!
	"$1" branch
	status=$?
	wait $other && return $status
}

frr() {
	if [ "$1" = hq ]; then
		lab_frr_start hq "$(routing_frr hq branch1 10.77.1.1 65001 65002 10.255.0.2 2001:db8:ff::2 10.1.0.0/24 2001:db8:1::/64)"
	else
		lab_frr_start branch "$(routing_frr branch hq 10.77.2.1 65002 65001 10.255.0.1 2001:db8:ff::1 10.2.0.0/24 2001:db8:2::/64)"
	fi
}

full() {
	[ "$(ask "$1" ospfd 'show ip ospf neighbor json' | values converged)" = Full ]
}

full6() {
	[ "$(ask "$1" ospf6d 'show ipv6 ospf6 neighbor json' | values state)" = Full ]
}

bfd_up() {
	[ "$(ask "$1" bfdd 'show bfd peers json' | values status)" = "up up" ]
}

mtu_is() {
	[[ "$(ip -n "$1" link show "$(site_tunnel "$1")")" == *" mtu $2 "* ]]
}

lab_topology
sites_keys
sites_conf "    ospf:
      area: 0.0.0.1
      hello-interval: 2s
      dead-interval: 10s
      bfd: true
      authentication: {key-id: 5, key-file: /etc/gwd/ospf.key}"
sed -i '/routes:/d' "$LAB_DIR"/{hq,branch}/gwd/gwd.yaml
for n in hq branch; do
	(umask 077 && echo "$key" >"$LAB_DIR/$n/gwd/ospf.key")
done
ip -n branch route change default via 203.0.113.254 mtu 1400
lab_capture_start wire inet hq0 200 'ip proto 47 or ip6 proto 47 or esp'
ok "charon and gwd start" both start
for n in hq branch; do
	ok "the tunnel is up on $n" lab_wait 30 site_is $n up
done
ok "the MTU of hq is 1442" mtu_is hq 1442
ok "that of branch is smaller" lab_wait 10 mtu_is branch 1342
ok "FRR starts" both frr
is "and takes what gwctl frr prints" "$(cat "$LAB_DIR"/{hq,branch}/log/vtysh.log 2>&1)" ""

ok "OSPFv2 is Full, with authentication, in spite of the MTUs" lab_wait 60 full hq
ok "OSPFv3 is Full too" lab_wait 30 full6 hq
for n in "hq 10.2.0.0/24 2001:db8:2::/64" "branch 10.1.0.0/24 2001:db8:1::/64"; do
	read -r node net4 net6 <<<"$n"
	ok "$node learns the IPv4 network by BGP, EIGRP, OSPFv2 and RIP" lab_wait 60 learned "$node" "$net4" bgp eigrp ospf rip
	ok "$node learns the IPv6 network by BGP and OSPFv3" lab_wait 60 learned "$node" "$net6" bgp ospf6
done
like "OSPFv2 has the area, intervals and key of the configuration" \
	"$(ask hq ospfd 'show ip ospf interface branch1')" \
	"Area 0.0.0.1.*Network Type POINTOPOINT.*Hello 2s, Dead 10s.*Cryptographic authentication enabled"
like "gwctl tells the neighbours" "$(lab_gwctl hq show branch1)" $'\n'"  ospf     10.255.0.2 Full, OSPFv3 10.77.2.1 Full \(from FRR\)"
ok "BFD is up for OSPFv2 and OSPFv3" lab_wait 20 bfd_up hq
is "BGP has two sessions" \
	"$(ask hq bgpd 'show bgp summary json' | jq -r '[.[].peers[]?.state] | join(" ")')" "Established Established Established"
like "EIGRP's adjacency is full" "$(<"$LAB_DIR/hq/log/eigrpd.log")" "10.255.0.2\) adjacency became full"

for to in 10.2.0.2 2001:db8:2::2; do
	ok "LAN to LAN over what they learned: $to" lab_run lanhq ping -c2 -i0.3 -W5 $to
done

# secrets, and what crossed
for file in "$LAB_DIR"/{hq,branch}/log/{gwd,charon}.log; do
	ok "there is ${file#"$LAB_DIR/"}" test -s "$file"
	is "OSPF's key is not in it" "$(grep -cF "$key" "$file")" 0
done
for verb in "show branch1" "status --json" "plan"; do
	# shellcheck disable=SC2086
	unlike "nor does gwctl $verb tell it" "$(lab_gwctl hq $verb 2>&1)" 'k.y#1'
done
lab_run hq ip link add clear type gre local 198.51.100.1 remote 203.0.113.254
printf 'addr add 192.0.2.1/30 dev clear\nlink set clear up\n' | ip -n hq -batch -
lab_run hq ping -c1 -W1 192.0.2.2 >/dev/null
lab_capture_stop wire
is "no GRE between the sites in clear" "$(lab_capture_count wire '(ip proto 47 and host 203.0.113.7) or ip6 proto 47')" 0
cmp_ok "but ESP" "$(lab_capture_count wire 'esp')" '>' 100
cmp_ok "and the capture sees clear GRE when there is some" "$(lab_capture_count wire 'ip proto 47')" '>=' 1

done_testing
