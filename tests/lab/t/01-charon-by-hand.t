#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What gwd does, done by hand with ip, swanctl and vtysh: charon, the kernel's GRE, ESP and policies, and FRR work in
# the lab. A failure here is one of the lab or of the system, not of gwd.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh

REQID=1195704577

# NODE LOCAL REMOTE INSIDE ID PEER-ID: GRE, policies before it, and charon's configuration
gateway() {
	local node=$1 local=$2 remote=$3 inside=$4 id=$5 peer=$6

	ip -n "$node" -batch - <<-END
	xfrm policy add src $local dst $remote proto 47 dir out tmpl proto esp mode transport reqid $REQID
	xfrm policy add src $remote dst $local proto 47 dir in tmpl proto esp mode transport reqid $REQID
	link add gre1 type gre local $local remote $remote ttl 64
	link set gre1 mtu 1442 multicast on
	addr add $inside/30 dev gre1
	link set gre1 up
	END
	cat >"$LAB_DIR/$node/swanctl.conf" <<-END
	connections {
		peer {
			version = 2
			local_addrs = $local
			remote_addrs = $remote
			proposals = aes256gcm16-prfsha384-x25519
			mobike = no
			local { auth = psk
				id = $id }
			remote { auth = psk
				id = $peer }
			children {
				gre {
					mode = transport
					policies = no
					reqid = $REQID
					local_ts = dynamic[47]
					remote_ts = dynamic[47]
					esp_proposals = aes256gcm16-x25519
				}
			}
		}
	}
	secrets {
		ike-peer {
			id-1 = $id
			id-2 = $peer
			secret = "not a secret at all"
		}
	}
	END
	lab_charon_start "$node" || return
	lab_swanctl "$node" --load-all
}

# an OSPF neighbour of NODE is Full
ospf_full() {
	lab_vtysh "$1" "show ip ospf neighbor json" | grep -qE '"(nbrState|state)": ?"Full'
}

lab_topology
lab_capture_start wire inet hq0
ok "gateway hq" gateway hq 198.51.100.1 203.0.113.7 10.255.0.1 hq.example.net branch.example.net
ok "gateway branch" gateway branch 203.0.113.7 198.51.100.1 10.255.0.2 branch.example.net hq.example.net
nok "without an SA nothing passes" lab_run hq ping -c2 -i0.2 -W1 10.255.0.2
ok "initiate" lab_swanctl hq --initiate --child gre --timeout 20
ok "ping through GRE over ESP" lab_run hq ping -c3 -i0.2 -W2 10.255.0.2
like "the SA is there, in transport mode" "$(lab_swanctl branch --list-sas)" "gre: .*INSTALLED, TRANSPORT"

for n in "hq 10.1.0.0/24" "branch 10.2.0.0/24"; do
	read -r node lan <<<"$n"
	ok "FRR on $node" lab_frr_start "$node" "interface gre1
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 timers throttle lsa all 100
 timers lsa min-arrival 50
 network 10.255.0.0/30 area 0
 network $lan area 0"
done
ok "OSPF is Full" lab_wait 20 ospf_full hq
ok "OSPF carries the route" lab_wait 20 lab_run lanhq ping -c1 -W1 10.2.0.2

lab_udp_start there lanhq lanbranch 10.2.0.2 300
lab_udp_start back lanbranch lanhq 10.1.0.2 300
lab_sleep 3
lab_udp_stop there back
is "no packet lost" "$(lab_udp_get there lost) $(lab_udp_get back lost)" "0 0"

lab_capture_stop wire
cmp_ok "the wire carries ESP" "$(lab_capture_count wire 'ip proto 50')" ">=" 1700
is "and no GRE" "$(lab_capture_count wire 'ip proto 47')" 0
is "and nothing to read" "$(lab_capture_canary wire)" 0

done_testing
