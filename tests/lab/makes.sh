# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hq of lab_topology by gwd, branch by another make, which is set up by what `gwctl export` prints, with the words in capitals
# replaced and nothing else changed.
#
#	makes_conf [TEXT]		gwd.yaml of hq, tunnel "partner" towards partner.example.net; TEXT goes into the tunnel
#	makes_export MAKE [SED]		what hq exports, with what stands in capitals put in and changed by SED, into $LAB_DIR/branch/export
#	makes_certificates HQ PARTNER SUBJECT	one CA, and certificates for both with keys of these kinds (words for `openssl req`);
#					from now on makes_conf names them
#	makes_proven REGEX		the peer's signature was of that kind
#	makes_ospf			FRR on both, 1 s hellos; LANs and passengers are theirs
#	makes_flows NAME, makes_verdict NAME N ALLOWED WHAT	flows both ways; how they came through N rekeys; with
#					"there" as fifth word what comes back is told and not judged
#	partner_is STATE, makes_reason REGEX	what gwd says of it
#	makes_spi			the SPI that leaves hq; makes_up_anew SPI: up, with another

MAKES_PSK=correct-horse-battery-staple
MAKES_RATE=50	# packets a second: enough to see a gap of 0.1 s

partner_is() {
	[ "$(lab_gwctl hq status --json | build/tests/pick 'tunnels[name=partner].state')" = "$1" ]
}

makes_reason() {
	[[ "$(lab_gwctl hq status --json | build/tests/pick 'tunnels[name=partner].reason')" =~ $1 ]]
}

makes_spi() {
	lab_gwctl hq status --json | build/tests/pick 'tunnels[name=partner].policy.spi' | grep -vx null
}

makes_up_anew() {
	local spi

	partner_is up || return
	spi=$(makes_spi)
	[ -n "$spi" ] && [ "$spi" != "$1" ]
}

makes_conf() {
	local certificates=

	[ ! -e "$LAB_DIR/hq/gwd/hq.key" ] ||
		certificates=$'certificate: /etc/gwd/hq.pem\n  certificate-key: /etc/gwd/hq.key\n  ca: /etc/gwd/ca.pem'
	(umask 077; echo $MAKES_PSK >"$LAB_DIR/hq/gwd/psk")
	cat >"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	gateway:
	  id: ${MAKES_ID:-hq.example.net}
	  local: wan0
	  $certificates
	tunnels:
	  partner:
	    remote: 203.0.113.7
	    addresses: [10.255.0.1/30]
	${1:-    peer: {id: partner.example.net\}
	    psk: /etc/gwd/psk}
	END
}

makes_export() {
	lab_gwctl hq export partner --for "$1" >"$LAB_DIR/branch/export.raw" 2>"$LAB_DIR/branch/export.err" || {
		diag "$(<"$LAB_DIR/branch/export.err")"
		return 1
	}
	sed "s/PRE-SHARED-KEY/$MAKES_PSK/; s,CA-FILE,$LAB_DIR/pki/ca.pem,; s,CERTIFICATE-FILE,$LAB_DIR/pki/partner.pem,
		s,KEY-FILE,$LAB_DIR/pki/partner.key,; ${2-}" "$LAB_DIR/branch/export.raw" >"$LAB_DIR/branch/export"
}

# NAME KIND SUBJECT: a certificate of the CA
makes_certificate() {
	local ec='ec -pkeyopt ec_paramgen_curve:P-256'

	# shellcheck disable=SC2086
	openssl req -newkey ${2/#ec/$ec} -nodes -keyout "$LAB_DIR/pki/$1.key" -out "$LAB_DIR/pki/$1.csr" -subj "$3" \
		-addext "subjectAltName=DNS:$1.example.net" &&
		openssl x509 -req -in "$LAB_DIR/pki/$1.csr" -CA "$LAB_DIR/pki/ca.pem" -CAkey "$LAB_DIR/pki/ca.key" \
			-CAcreateserial -days 90 -copy_extensions copy -out "$LAB_DIR/pki/$1.pem"
}

makes_certificates() {
	local pki=$LAB_DIR/pki gwd=$LAB_DIR/hq/gwd

	mkdir -p "$pki"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/ca.key" -out "$pki/ca.pem" \
		-subj "/O=Example/CN=Example CA" -days 100 &&
		makes_certificate hq "$1" /O=Example/CN=hq && makes_certificate partner "$2" "$3" || return
	cp "$pki/ca.pem" "$pki/hq.pem" "$gwd" && (umask 077; cat "$pki/hq.key" >"$gwd/hq.key")
}

makes_proven() {
	[[ "$(grep "authentication of '.*' with .* successful" "$LAB_DIR/hq/log/charon.log" | tail -1)" =~ $1 ]]
}

makes_ospf() {
	local n

	for n in "hq partner 10.1.0.0/24" "branch gre-hq 10.2.0.0/24"; do
		# shellcheck disable=SC2086
		set -- $n
		lab_frr_start "$1" "interface $2
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 timers throttle lsa all 100
 timers lsa min-arrival 50
 network 10.255.0.0/30 area 0
 network $3 area 0" || return
	done
}

makes_ospf_full() {
	lab_vtysh hq "show ip ospf neighbor json" | grep -qE '"(nbrState|state)": ?"Full'
}

makes_flows() {
	lab_udp_start there."$1" lanhq lanbranch 10.2.0.2 $MAKES_RATE
	lab_udp_start back."$1" lanbranch lanhq 10.1.0.2 $MAKES_RATE
}

makes_verdict() {
	local d

	lab_udp_stop there."$1" back."$1"
	for d in there back; do
		diag "$1, $d: $2 rekeys, $(lab_udp_get $d."$1" sent) packets, $(lab_udp_get $d."$1" lost) lost" \
			"(at $(lab_udp_get $d."$1" holes)), longest silence $(lab_udp_get $d."$1" maxgap_ms) ms"
		[ "${5-$d}" = $d ] || continue
		cmp_ok "$4, $d: lost" "$(lab_udp_get $d."$1" lost)" '<=' "$3"
	done
}
