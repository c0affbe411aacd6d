#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A strongSwan at the other end, with swanctl.conf, ip and policies of its own, set up by nothing but what `gwctl export` prints: by
# pre-shared key, raw keys, certificates, and identities that are addresses; OSPF; rekeying begun by either end; what it does to its SAs by itself.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/makes.sh
. tests/lab/makes.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

ALLOWED=3	# packets per rekey and direction, as in 31-rekey.t

# a charon as Debian's, on its own socket
other_start() {
	cat >"$LAB_DIR/branch/strongswan.conf" <<-END
	charon {
		load = random nonce aes sha1 sha2 hmac kdf gcm openssl pem pkcs1 pkcs8 pubkey x509 \
			revocation constraints kernel-netlink socket-default vici updown
		filelog {
			lab {
				path = $LAB_DIR/branch/log/charon.log
				time_format = %T
				flush_line = yes
				default = 1
				ike = 2
				cfg = 2
			}
		}
	}
	swanctl {
		load = random openssl pem pkcs1 pkcs8 pubkey x509
	}
	END
	lab_spawn branch charon-systemd env "STRONGSWAN_CONF=$LAB_DIR/branch/strongswan.conf" /usr/sbin/charon-systemd
	lab_wait 20 test -S "$(lab_path branch /run/charon.vici)"
}

other() {
	lab_run branch env "STRONGSWAN_CONF=$LAB_DIR/branch/strongswan.conf" "$@"
}

run_export() {
	other sh "$LAB_DIR/branch/export"
}

# the one SA each way, of which the SPI that leaves hq is not $1
settled() {
	local spi

	[ "$(ip -n hq xfrm state list dst 203.0.113.7 | grep -c '^src')" = 1 ] || return
	[ "$(ip -n branch xfrm state list dst 198.51.100.1 | grep -c '^src')" = 1 ] || return
	spi=$(makes_spi)
	[ -n "$spi" ] && [ "$spi" != "$1" ]
}

ike_rekeys() {
	grep -c "IKE_SA .* rekeyed between" "$LAB_DIR/branch/log/charon.log"
}

ike_rekeyed() {
	(($(ike_rekeys) >= $1))
}

carries() {
	lab_run lanhq ping -c1 -W1 10.2.0.2
}

# END: a rekey begun by it
rekeys() {
	spi=$(makes_spi)
	if [ "$1" = hq ]; then
		ok "CHILD_SA: a rekey begun by hq" lab_swanctl hq --rekey --child gre
	else
		ok "CHILD_SA: a rekey begun by branch" other swanctl --rekey --child gre
	fi
	ok "is over" lab_wait 20 settled "$spi"
}

# WHAT: up again with other SAs than $spi, and carrying
comes_back() {
	ok "$1: up again" lab_wait 45 makes_up_anew "$spi"
	ok "$1: and carries" lab_wait 20 lab_run hq ping -c1 -W1 10.255.0.2
}

lab_topology
makes_conf
ok "charon of hq" lab_charon_start hq
ok "gwd of hq" lab_gwd_start hq
clear_watch
lab_run hq ping -c2 -i0.2 -W1 10.255.0.2 >/dev/null
ok "the other charon" other_start
ok "hq exports for it" makes_export strongswan
ok "what it printed is run there" run_export
ok "the tunnel is up" lab_wait 30 partner_is up
ok "it carries" lab_wait 10 lab_run hq ping -c1 -W1 10.255.0.2
like "in transport mode, for GRE alone" "$(other swanctl --list-sas)" \
	"INSTALLED, TRANSPORT, ESP:AES_GCM_16-256.*local +203.0.113.7/32\[gre\].*remote +198.51.100.1/32\[gre\]"
is "the link there has the MTU that gwd's has" "$(<"$(lab_path branch /sys/class/net/gre-hq/mtu)")" \
	"$(<"$(lab_path hq /sys/class/net/partner/mtu)")"
ok "FRR on both" makes_ospf
ok "OSPF is Full" lab_wait 30 makes_ospf_full
ok "and its routes carry" lab_wait 20 carries
lab_wait 20 settled none

# hq has the lower identity and leads; either may begin
makes_flows rekey
n=0
for end in hq branch; do
	rekeys $end
	n=$((n + 1))
done
before=$(ike_rekeys)
ok "IKE_SA: a rekey begun by hq" lab_swanctl hq --rekey --ike gwd-partner
ok "is done" lab_wait 20 ike_rekeyed $((before + 1))
ok "IKE_SA: a rekey begun by branch" other swanctl --rekey --ike hq
ok "is done" lab_wait 20 ike_rekeyed $((before + 2))
n=$((n + 2))
makes_verdict rekey $n $((n * ALLOWED)) "rekeys by both ends"
ok "up all the while" partner_is up
clear_none "after rekeys"

# what the peer does by itself
spi=$(makes_spi)
ok "the peer deletes the CHILD_SA" other swanctl --terminate --child gre
comes_back "CHILD_SA deleted"
spi=$(makes_spi)
ok "the peer deletes the IKE_SA" other swanctl --terminate --ike hq
comes_back "IKE_SA deleted"
spi=$(makes_spi)
ok "the peer authenticates anew, break before make" other swanctl --rekey --ike hq --reauth
comes_back "authenticated anew"

# no forward secrecy there: the first SA needs none, renewing it does
sed -i 's/esp_proposals = .*/esp_proposals = aes256gcm16/' "$(lab_path branch /etc/swanctl/conf.d/hq.conf)"
other swanctl --load-all >/dev/null
spi=$(makes_spi)
other swanctl --terminate --ike hq >/dev/null
comes_back "without forward secrecy there"
ok "with one pair of SAs" lab_wait 30 settled none
spi=$(makes_spi)
lab_swanctl hq --rekey --child gre >/dev/null
ok "the refused rekey is told" lab_wait 20 makes_reason 'NO_PROPOSAL_CHOSEN.*esp.proposals'
ok "while the tunnel is up" partner_is up
is "on the same SAs" "$(makes_spi)" "$spi"
clear_none "after what the peer did"

# raw keys
lab_gwctl hq keygen >/dev/null 2>&1
key=/etc/swanctl/pkcs8/gwd.pem
lab_run branch openssl genpkey -algorithm ed25519 -out $key
makes_conf "    peer: {id: partner.example.net, public-key: $(lab_run branch openssl pkey -in $key -pubout | sed -n 2p)}"
ok "hq exports with raw keys" makes_export strongswan
unlike "and needs nothing put in" "$(<"$LAB_DIR/branch/export.raw")" "PRE-SHARED-KEY|PUBLIC-KEY-OF"
spi=$(makes_spi)
ok "it is run there" run_export
ok "hq reloads" lab_gwctl hq reload
comes_back "raw keys"

# certificates, of two kinds of key
ok "a CA and certificates" makes_certificates ec rsa:2048 /O=Example/CN=partner
makes_conf "    peer: {id: partner.example.net}
    auth: certificate"
ok "hq exports with certificates" makes_export strongswan
spi=$(makes_spi)
ok "it is run there" run_export
ok "hq reloads" lab_gwctl hq reload
comes_back "certificates"
ok "the peer's was RSA" makes_proven "partner.example.net' with RSA"
ok "with one pair of SAs" lab_wait 90 settled none
ok "OSPF is Full over them" lab_wait 40 makes_ospf_full
ok "and its routes carry" lab_wait 20 carries
makes_flows certificates
rekeys hq
rekeys branch
makes_verdict certificates 2 $((2 * ALLOWED)) "rekeys with certificates"
ok "OSPF is Full still" makes_ospf_full
clear_none "with certificates"

# identities that are addresses, and no name to call the gateway by
MAKES_ID=198.51.100.1 makes_conf "    peer: {id: 203.0.113.7}
    psk: /etc/gwd/psk"
ok "hq exports with addresses as identities" makes_export strongswan 's/gre-gwd/gre-hq/'
lab_run branch rm /etc/swanctl/conf.d/hq.conf
spi=$(makes_spi)
ok "it is run there" run_export
ok "hq reloads" lab_gwctl hq reload
comes_back "address identities"

clear_none "at the end"
clear_control branch 10.255.0.2
done_testing
