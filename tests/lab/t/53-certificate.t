#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# X.509 certificates: two gateways of one CA are up; a certificate of another CA, for another identity, expired or revoked is refused, and
# named on the side that refuses. A
# renewed certificate is used without loss, a revocation ends a tunnel that is up.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

pki=$LAB_DIR/pki

# NAME SUBJECT: a CA
ca_make() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/$1.key" -out "$pki/$1.pem" \
		-subj "/O=Example/CN=$2" -days 100
}

# NAME CA IDENTITY DAYS ALGORITHM...: a certificate of the CA
cert_make() {
	openssl req -newkey "${@:5}" -nodes -keyout "$pki/$1.key" -out "$pki/$1.csr" -subj "/O=Example/CN=$1" \
		-addext "subjectAltName=DNS:$3" &&
	openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2.key" -CAcreateserial -days "$4" \
		-copy_extensions copy -out "$pki/$1.pem"
}

crl_make() {
	(cd "$pki" && openssl ca -config ca.cnf -keyfile ca.key -cert ca.pem -gencrl -out "$1") 2>/dev/null
}

# NODE ID CERTIFICATE TUNNEL REMOTE PEER-ID ADDRESS ROUTE [MORE]
cert_conf() {
	cp "$pki/$3.pem" "$LAB_DIR/$1/gwd/cert.pem"
	(umask 077; cat "$pki/$3.key" >"$LAB_DIR/$1/gwd/cert.key")
	cp "$pki/ca.pem" "$LAB_DIR/$1/gwd/ca.pem"
	cat >"$LAB_DIR/$1/gwd/gwd.yaml" <<-END
	gateway:
	  id: $2
	  local: wan0
	  certificate: /etc/gwd/cert.pem
	  certificate-key: /etc/gwd/cert.key
	  ca: /etc/gwd/ca.pem
	  ${9-}
	defaults: {auth: certificate}
	tunnels:
	  $4:
	    remote: $5
	    peer: {id: "$6"}
	    addresses: [$7]
	    routes: [$8]
	END
}

hq_conf() {
	cert_conf hq hq.example.net hq branch1 203.0.113.7 "${2-branch.example.net}" 10.255.0.1/30 10.2.0.0/24 "$1"
}

# CERTIFICATE [ID]: branch starts anew with it
branch_as() {
	lab_gwd_stop branch
	lab_charon_stop branch
	cert_conf branch "${2-branch.example.net}" "$1" hq 198.51.100.1 hq.example.net 10.255.0.2/30 10.1.0.0/24
	lab_charon_start branch && lab_gwd_start branch
}

reason() {
	lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason'
}

reason_like() {
	[[ "$(reason "$1")" =~ $2 ]]
}

# NAME NODE REGEX
refuses() {
	ok "$1" lab_wait 40 reason_like "$2" "$3"
	diag "$2: $(reason "$2")"
}

# NODE KIND: the other one's signature was of that kind, the last time
proven() {
	[[ "$(grep "authentication of '.*' with .* successful" "$LAB_DIR/$1/log/charon.log" | grep -v myself | tail -1)" == *" with $2"* ]]
}

# how often hq's tunnel went down
downs() {
	grep -c '^branch1: down' "$LAB_DIR/hq/log/gwd.log"
}

# NODE CERTIFICATE KEY: put in the place of its own
renew() {
	local n

	n=$(site_anew "$1")
	cp "$pki/$2.pem" "$LAB_DIR/$1/gwd/cert.pem"
	(umask 077; cat "$pki/$3.key" >"$LAB_DIR/$1/gwd/cert.key")
	ok "$1 takes $4" lab_gwctl "$1" reload
	ok "and authenticates anew" lab_wait 30 site_anew_since "$1" "$n"
	ok "which leaves one IKE_SA" lab_wait 20 site_one_ike_sa "$1"
}

lab_topology
clear_watch
mkdir -p "$pki"
printf '[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\ncrlnumber = crlnumber\ndefault_md = sha256\ndefault_crl_days = 30\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid\n' >"$pki/ca.cnf"
: >"$pki/index.txt"
echo 01 >"$pki/crlnumber"
{
	ca_make ca "Example CA"
	ca_make otherca "Other CA"
	cert_make hq ca hq.example.net 90 ec -pkeyopt ec_paramgen_curve:P-256
	cert_make branch ca branch.example.net 90 ed25519
	cert_make stranger ca stranger.example.net 90 ed25519
	cert_make impostor otherca branch.example.net 90 ed25519
	cert_make late ca branch.example.net -1 ed25519
	cert_make renewed ca branch.example.net 90 ec -pkeyopt ec_paramgen_curve:P-256
	openssl x509 -req -in "$pki/hq.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -days 95 -copy_extensions copy -out "$pki/hq2.pem"
	cert_make next ca branch.example.net 90 rsa:2048
} >"$LAB_DIR/openssl.log" 2>&1 || diag "$(tail -5 "$LAB_DIR/openssl.log")"
hq_conf ""
lab_charon_start hq
ok "gwd of hq starts with a certificate" lab_gwd_start hq
ok "gwd of branch starts with one of another kind" branch_as branch
ok "the tunnel comes up on hq" lab_wait 40 site_is hq up
ok "and on branch" lab_wait 20 site_is branch up
is "by certificate, says the status" "$(lab_gwctl hq status --json | build/tests/pick 'tunnels[0].auth')" certificate
ok "LAN to LAN" lab_run lanhq ping -c2 -i0.3 -W2 10.2.0.2
clear_flows

# renewing
lab_wait 30 site_one_ike_sa hq
ok "branch has shown an Ed25519 key" proven hq ED25519
sites_flows renew
renew branch renewed renewed "a new certificate with another key"
ok "and has shown that" proven hq ECDSA
renew hq hq2 hq "a new certificate for the key it has"
ok "the tunnel is up on hq" site_is hq up
ok "and on branch" site_is branch up
sites_flows_judge renew 2
clear_none "while certificates are renewed"

# who is refused, and why
branch_as impostor
refuses "a certificate of another CA is refused" hq 'not issued by a CA that is known here'
refuses "its owner is told" branch 'the peer rejects our certificate'
branch_as stranger stranger.example.net
refuses "a certificate of our CA for another identity is refused" branch 'the peer rejects our certificate or our identity'
nok "the tunnel is not up" site_is hq up
nok "nothing passes" lab_run lanhq ping -c1 -W1 10.2.0.2
branch_as late
like "an expired certificate is told at the load" "$(lab_gwctl branch check 2>&1)" 'warning: certificate: /etc/gwd/cert.pem expired on 20'
refuses "an expired certificate is refused" hq 'certificate has expired or is not valid yet'
refuses "its owner is told since when" branch 'our certificate /etc/gwd/cert.pem expired on 20'
clear_none "with certificates that are refused"
branch_as next
ok "a good one, RSA, brings the tunnel up" lab_wait 40 site_is hq up

# revocation
crl_make "$LAB_DIR/hq/gwd/ca.crl"
hq_conf "crl: /etc/gwd/ca.crl"
before=$(downs)
cmp_ok "gwd tells when the tunnel goes down" "$before" '>' 0
ok "hq takes a crl" lab_gwctl hq reload
lab_sleep 6
ok "who is not in it is up" site_is hq up
is "and was all the while" "$(downs)" "$before"
ok "and carries" lab_run lanhq ping -c2 -i0.3 -W2 10.2.0.2
(cd "$pki" && openssl ca -config ca.cnf -keyfile ca.key -cert ca.pem -revoke next.pem -crl_reason keyCompromise) 2>/dev/null
crl_make "$LAB_DIR/hq/gwd/ca.crl"
ok "hq takes a crl in which the peer is revoked" lab_gwctl hq reload
refuses "which ends the tunnel" hq 'certificate was revoked on .*: key compromise'
nok "nothing passes" lab_run lanhq ping -c1 -W1 10.2.0.2
branch_as branch
ok "a certificate that is not revoked brings it up" lab_wait 40 site_is hq up
key_files=("$pki"/*.key)
grep -hE '^[A-Za-z0-9+/=]{40,}$' "${key_files[@]}" >"$LAB_DIR/keys"
is "what is looked for is found in the keys' own files" "$(grep -lFf "$LAB_DIR/keys" "${key_files[@]}" | wc -l)" ${#key_files[@]}
is "no private key in any log" "$(grep -lF -f "$LAB_DIR/keys" -e 'PRIVATE KEY' "$LAB_DIR"/*/log/*.log | wc -l)" 0
clear_none "with a revoked certificate"
clear_control branch 10.255.0.2

done_testing
