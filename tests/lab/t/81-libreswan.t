#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Libreswan at the other end (pluto 4.10 as Debian 12 has it, unpacked below build/lab by tests/lab/libreswan), set up by nothing but
# what `gwctl export` prints: OSPF; rekeying begun by either end; what it does to its SAs by itself; its default algorithms; certificates.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/makes.sh
. tests/lab/makes.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

ALLOWED=3	# packets per rekey and direction, as in 31-rekey.t
OTHER=$PWD/build/lab/libreswan/usr

# with its `ipsec` in the path, which pluto calls too
other() {
	lab_run branch env PATH="$OTHER/sbin:$PATH" "$@"
}

pluto_start() {
	rm -f "$(lab_path branch /run/pluto/pluto.ctl)"
	lab_spawn branch pluto env PATH="$OTHER/sbin:$PATH" /usr/libexec/ipsec/pluto --config /etc/ipsec.conf --nofork \
		--stderrlog --log-no-audit
	lab_wait 20 test -S "$(lab_path branch /run/pluto/pluto.ctl)"
}

# its programs where they belong, in the node's own view, and what a fresh installation has
other_start() {
	local root

	root=$(lab_path branch /)
	lab_run branch mount -t overlay -o "lowerdir=$OTHER/libexec:/usr/libexec" lab /usr/libexec || return
	mkdir -p "$root"/{run/pluto,etc/ipsec.d,var/lib/ipsec/nss}
	printf 'config setup\ninclude /etc/ipsec.d/*.conf\n' >"$root/etc/ipsec.conf"
	echo 'include /etc/ipsec.d/*.secrets' >"$root/etc/ipsec.secrets"
	other certutil -N -d sql:/var/lib/ipsec/nss --empty-password || return
	pluto_start
}

run_export() {
	other sh "$LAB_DIR/branch/export"
}

settled() {
	local spi

	[ "$(ip -n hq xfrm state list dst 203.0.113.7 | grep -c '^src')" = 1 ] || return
	[ "$(ip -n branch xfrm state list dst 198.51.100.1 | grep -c '^src')" = 1 ] || return
	spi=$(makes_spi)
	[ -n "$spi" ] && [ "$spi" != "$1" ]
}

ike_rekeyed() {
	[ "$(grep -c "IKE_SA .* rekeyed between" "$LAB_DIR/hq/log/charon.log")" -ge "$1" ]
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
		ok "CHILD_SA: a rekey begun by branch" other ipsec whack --rekey-ipsec --name hq --asynchronous
	fi
	ok "is over" lab_wait 20 settled "$spi"
}

comes_back() {
	ok "$1: up again" lab_wait 60 makes_up_anew "$spi"
	ok "$1: and carries" lab_wait 20 lab_run hq ping -c1 -W1 10.255.0.2
}

ok "pluto is below build/lab, where tests/lab/libreswan puts it" test -x "$OTHER/libexec/ipsec/pluto" || done_testing

lab_topology
makes_conf
ok "charon of hq" lab_charon_start hq
ok "gwd of hq" lab_gwd_start hq
clear_watch
lab_run hq ping -c2 -i0.2 -W1 10.255.0.2 >/dev/null
ok "pluto" other_start
ok "hq exports for it" makes_export libreswan
ok "what it printed is run there" run_export
ok "the tunnel is up" lab_wait 30 partner_is up
ok "it carries" lab_wait 10 lab_run hq ping -c1 -W1 10.255.0.2
like "in transport mode, for GRE alone" "$(other ipsec whack --status)" \
	"203.0.113.7/32:GRE[^=]*===203.0.113.7\[@partner.example.net\]...198.51.100.1\[@hq.example.net\]===198.51.100.1/32:GRE.*erouted"
unlike "which the kernel there has too" "$(ip -n branch xfrm state)" "mode tunnel"
is "the link there has the MTU that gwd's has" "$(<"$(lab_path branch /sys/class/net/gre-hq/mtu)")" \
	"$(<"$(lab_path hq /sys/class/net/partner/mtu)")"
ok "FRR on both" makes_ospf
ok "OSPF is Full" lab_wait 30 makes_ospf_full
ok "and its routes carry" lab_wait 20 carries
lab_wait 20 settled none

# It begins, as it does by the times that were exported.
makes_flows begins
rekeys branch
ok "IKE_SA: a rekey begun by branch" other ipsec whack --rekey-ike --name hq --asynchronous
ok "is done" lab_wait 20 ike_rekeyed 1
ok "IKE_SA: a rekey begun by hq" lab_swanctl hq --rekey --ike gwd-partner
ok "is done" lab_wait 20 ike_rekeyed 2
makes_verdict begins 3 $((3 * ALLOWED)) "rekeys"

# hq begins: pluto sends on the new SA before hq has it
makes_flows asked
rekeys hq
lab_sleep 1
makes_verdict asked 1 $ALLOWED "a rekey that pluto is asked for" there
ok "up all the while" partner_is up
clear_none "after rekeys"

# what the peer does by itself
spi=$(makes_spi)
ok "the peer ends its SAs" other ipsec auto --down hq
comes_back "SAs ended"
clear_none "after what the peer did"

# its own algorithms, as without ike= and esp= in its configuration
sed -i '/^\t\(ike\|esp\|pfs\)=/d' "$(lab_path branch /etc/ipsec.d/hq.conf)"
other ipsec auto --ondemand hq >/dev/null
makes_conf "    peer: {id: partner.example.net}
    psk: /etc/gwd/psk
    ike: {proposals: aes256gcm16-prfsha512-x25519}"
spi=$(makes_spi)
ok "hq reloads with what its defaults accept" lab_gwctl hq reload
comes_back "default algorithms"
ok "with one pair of SAs" lab_wait 90 settled none
rekeys hq

# certificates, of two kinds of key, the peer's by its subject
ok "a CA and certificates" makes_certificates rsa:2048 ec /C=DE/O=Example/CN=partner
makes_conf '    peer: {id: "C=DE, O=Example, CN=partner"}
    auth: certificate'
ok "hq exports with certificates" makes_export libreswan
spi=$(makes_spi)
ok "it is run there" run_export
ok "hq reloads" lab_gwctl hq reload
comes_back "certificates"
ok "the peer's was ECDSA" makes_proven "CN=partner' with ECDSA"
ok "with one pair of SAs" lab_wait 90 settled none
ok "OSPF is Full over them" lab_wait 40 makes_ospf_full
ok "and its routes carry" lab_wait 20 carries
makes_flows certificates
rekeys branch
makes_verdict certificates 1 $ALLOWED "a rekey with certificates"
makes_flows certificates-asked
rekeys hq
lab_sleep 1
makes_verdict certificates-asked 1 $ALLOWED "a rekey with certificates that pluto is asked for" there
ok "OSPF is Full still" makes_ospf_full
clear_none "with certificates"

# it is killed; a new one begins with an empty kernel
spi=$(makes_spi)
lab_stop branch pluto KILL
ok "pluto is killed and started anew" pluto_start
comes_back "pluto killed"

clear_none "at the end"
clear_control branch 10.255.0.2
done_testing
