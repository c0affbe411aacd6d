#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A peer that is set up wrong, here a charon driven by swanctl: for each fault, whichever side calls, `gwctl status` names the cause and
# the side, and never says up.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

IKE=aes256gcm16-prfsha384-x25519
ESP=aes256gcm16-x25519

# KEY=VALUE...: the peer's configuration, right but for what is given (psk, id, ike, esp, mode, ts, ours)
peer_is() {
	local psk=the-right-key-of-this-lab id=branch.example.net ours=a.example.net ike=$IKE esp=$ESP mode=transport
	local ts='dynamic[47]' one

	for one; do
		local "${one?}"
	done
	cat >"$LAB_DIR/branch/swanctl.conf" <<-END
	connections {
	  peer {
	    version = 2
	    local_addrs = 203.0.113.7
	    remote_addrs = 198.51.100.1
	    proposals = $ike
	    mobike = no
	    local {
	      auth = psk
	      id = $id
	    }
	    remote {
	      auth = psk
	      id = $ours
	    }
	    children {
	      gre {
	        mode = $mode
	        local_ts = $ts
	        remote_ts = $ts
	        esp_proposals = $esp
	      }
	    }
	  }
	}
	secrets {
	  ike-peer {
	    secret = $psk
	  }
	}
	END
	lab_swanctl branch --terminate --ike peer --timeout 2 >/dev/null 2>&1
	lab_swanctl branch --load-all >"$LAB_DIR/branch/log/swanctl.log" 2>&1
}

reason() {
	lab_gwctl hq status --json | build/tests/pick 'tunnels[0].reason'
}

reason_like() {
	[[ "$(reason)" =~ $1 ]]
}

# START: hq calls (always), or the peer does (passive)
hq_is() {
	sed "s/START/$1/" "$LAB_DIR/hq.yaml" >"$LAB_DIR/hq/gwd/gwd.yaml"
	lab_gwctl hq reload >/dev/null
}

# does not wait for what will not come
restart() {
	lab_gwctl hq restart branch1 >/dev/null 2>&1 &
	disown
	lab_wait 5 reason_like '^(negotiating|waiting for)'
}

# NAME REGEX KEY=VALUE...: hq calls a peer that is set up so
we_call() {
	peer_is "${@:3}"
	restart
	ok "we call; $1" lab_wait 25 reason_like "$2"
	diag "$(reason)"
	nok "we call; $1: not up" site_is hq up
}

# NAME REGEX KEY=VALUE...: the peer calls
peer_calls() {
	peer_is "${@:3}"
	restart
	lab_swanctl branch --initiate --child gre --timeout 3 >/dev/null 2>&1
	ok "the peer calls; $1" lab_wait 15 reason_like "$2"
	diag "$(reason)"
	nok "the peer calls; $1: not up" site_is hq up
}

lab_topology
clear_watch
ip -n branch link add gre-hq type gre local 203.0.113.7 remote 198.51.100.1 ttl 64
ip -n branch link set gre-hq addrgenmode none
ip -n branch addr add 10.255.0.2/30 dev gre-hq
ip -n branch link set gre-hq up
(umask 077; echo the-right-key-of-this-lab >"$LAB_DIR/hq/gwd/psk")
cat >"$LAB_DIR/hq.yaml" <<-END
gateway:
  id: a.example.net
  local: wan0
tunnels:
  branch1:
    start: START
    remote: 203.0.113.7
    peer: {id: branch.example.net}
    psk: /etc/gwd/psk
    addresses: [10.255.0.1/30]
    ike: {proposals: $IKE}
    esp: {proposals: $ESP}
END
sed 's/START/always/' "$LAB_DIR/hq.yaml" >"$LAB_DIR/hq/gwd/gwd.yaml"
lab_charon_start hq
lab_charon_start branch
peer_is
ok "gwd starts" lab_gwd_start hq -v
ok "a peer that is right: up" lab_wait 30 site_is hq up
clear_flows hq branch 10.255.0.2

we_call "tunnel mode" 'the peer negotiated tunnel mode: set its child to transport mode' mode=tunnel
we_call "another IKE proposal" 'the peer accepts none of our algorithms.*NO_PROPOSAL_CHOSEN.*ike.proposals' ike=aes128-sha256-modp2048
we_call "another ESP proposal" 'the peer accepts none of our ESP algorithms .NO_PROPOSAL_CHOSEN.: compare esp.proposals' esp=aes128-sha256
we_call "other traffic selectors" 'the peer refuses GRE between these two addresses .TS_UNACCEPTABLE.' 'ts=dynamic[17]'
we_call "another identity" 'the peer rejects our pre-shared key or our identity .AUTHENTICATION_FAILED.' id=other.example.net
we_call "another identity of ours" 'the peer rejects our pre-shared key or our identity .AUTHENTICATION_FAILED.' ours=other.example.net
we_call "another key" 'the peer rejects our pre-shared key or our identity .AUTHENTICATION_FAILED.' psk=the-wrong-key-of-this-lab
clear_none "we call"

peer_is
ok "hq becomes passive" hq_is passive
peer_calls "tunnel mode" 'the peer negotiated tunnel mode: set its child to transport mode' mode=tunnel
peer_calls "another IKE proposal" 'no IKE algorithm that the peer offers is accepted here: compare ike.proposals' ike=aes128-sha256-modp2048
peer_calls "another ESP proposal" 'no algorithm that the peer offers is accepted here: compare esp.proposals' esp=aes128-sha256
peer_calls "other traffic selectors" 'the peer asks for traffic other than GRE between the two gateways' 'ts=dynamic[17]'
peer_calls "another identity" "the peer's identity or address is that of no tunnel here: compare gateway.id and peer.id" id=other.example.net
peer_calls "another key" "the peer's pre-shared key is not ours" psk=the-wrong-key-of-this-lab
clear_none "the peer calls"

peer_is
restart
lab_swanctl branch --initiate --child gre --timeout 5 >/dev/null 2>&1
ok "a peer that is right calls: up" lab_wait 20 site_is hq up
clear_none "with a peer that is right again"
clear_control branch 10.255.0.2

done_testing
