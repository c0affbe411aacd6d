#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where secrets are: known ones are put into each place a configuration takes them from, everything is done with them, and then they
# are looked for in what gwd logs and says, in its memory outside of the arena, and in a core. The same search finds them in
# the arena and in charon. Keys of SAs are nowhere in gwd. Without memory that can be locked nothing goes on.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

PSK=GWDCANARY-psk-4f1c9a77e2b05d63
OTHER=GWDCANARY-other-96d0b1e83c5a42
LATER=GWDCANARY-later-70ae3316d2c9f8
PPK=GWDCANARY-ppk-c3b85520f94e1ad7
SEALED=GWDCANARY-sealed-a1725cb60e9d
OSPF=GWDCANARYospf01
SEED=GWDCANARY-seed-0123456789abcdefg	# a private key is any 32 bytes
TYPED=GWDCANARY-typed-5b20ee91c477
INLINE=GWDCANARY-inline-0c19d83f76
memfind=build/tests/memfind
said=$LAB_DIR/said.log

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

# the PKCS#8 DER of the key (RFC 8410)
der() {
	printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20%s' $SEED
}

BASE64=$(der | base64 -w0)

patterns() {
	echo "psk $(printf %s $PSK | hex)"
	echo "other $(printf %s $OTHER | hex)"
	echo "later $(printf %s $LATER | hex)"
	echo "ppk $(printf %s $PPK | hex)"
	echo "sealed $(printf %s $SEALED | hex)"
	echo "ospf $(printf %s $OSPF | hex)"
	echo "seed $(printf %s $SEED | hex)"
	echo "base64 $(printf %s "${BASE64:24}" | hex)"
	# what is computed from the seed (RFC 8032, 5.1.5), Ed25519's and X25519's
	echo "scalar $(printf %s $SEED | perl -MDigest::SHA=sha512 -0777 -ne \
		'@b = unpack "C*", substr(sha512($_), 0, 32); $b[0] &= 248; $b[31] &= 127; $b[31] |= 64; print pack "C*", @b' | hex)"
	echo "typed $(printf %s $TYPED | hex)"
}

# NODE TAG: what memfind says of this process
search() {
	patterns | "$memfind" "$(lab_pid "$1" "$2")" 2>>"$LAB_DIR/$1/log/memfind.log"
}

# what a search found, on stdin; a process that has ended has no memory, in which nothing is
found() {
	local text

	text=$(</dev/stdin)
	[[ $text =~ (^|$'\n')searched\ locked=[1-9][0-9]*\ elsewhere=[1-9] ]] || { echo "not searched"; return; }
	grep -v ^searched <<<"$text"
}

# NODE TAG: of what was found, what is not in locked memory
strays() {
	search "$1" "$2" | found | grep -E 'elsewhere=[1-9]|^not '
}

# NODE TAG: names of those that are in locked memory
held() {
	search "$1" "$2" | sed -n 's/ locked=[1-9].*//p' | grep -v ^searched | sort | tr '\n' ' '
}

holds() {
	[[ " $(held "$1" "$2")" == *" $3 "* ]]
}

# hex keys of the SAs of a node
sa_keys() {
	ip -n "$1" xfrm state | sed -n 's/.*aead rfc4106(gcm(aes)) 0x\([0-9a-f]*\) .*/\1/p' | sort -u
}

# NODE TAG KEYS: where these keys are
sa_search() {
	local k n=0

	for k in $3; do
		n=$((n + 1))
		echo "sa$n $k"
	done | "$memfind" "$(lab_pid "$1" "$2")" 2>>"$LAB_DIR/$1/log/memfind.log"
}

sa_strays() {
	sa_search "$@" | found | grep -v 'locked=0 elsewhere=0$'
}

# all that gwctl can say, good and bad
say() {
	local verb

	for verb in status "status --json" "show branch1" "show branch1 --json" "show lost --json" plan "plan --json" reload version \
		"check /etc/gwd/gwd.yaml" "check --json /etc/gwd/gwd.yaml" pubkey help "up nobody" "pubkey /etc/gwd/psk" \
		"export branch1 --for strongswan" "export branch1 --for libreswan" "export lost --for strongswan" "export lost --for gwd"; do
		echo "\$ gwctl $verb"
		# shellcheck disable=SC2086
		lab_gwctl hq $verb
	done >>"$said" 2>&1
}

# NAME SECRET
secret_file() {
	(umask 077; printf '%s\n' "$2" >"$LAB_DIR/hq/gwd/$1")
}

# AUTHENTICATION OF branch1, AND OF lost
hq_conf() {
	cat >"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	gateway:
	  id: hq.example.net
	  local: wan0
	tunnels:
	  branch1:
	    remote: 203.0.113.7
	    $1
	    addresses: [10.255.0.1/30]
	  lost:
	    remote: 192.0.2.9
	    peer: {id: lost.example.net}
	    psk: $2
	    addresses: [10.255.1.1/30]
	    ospf: {area: 0, authentication: {key-id: 1, key-file: /etc/gwd/ospf}}
	END
}

branch_conf() {
	cat >"$LAB_DIR/branch/gwd/gwd.yaml" <<-END
	gateway:
	  id: branch.example.net
	  local: wan0
	tunnels:
	  hq:
	    remote: 198.51.100.1
	    $1
	    addresses: [10.255.0.2/30]
	END
}

# WHEN: neither in memory nor in any word
nowhere() {
	is "$1: no secret outside of the arena" "$(strays hq gwd)" ""
	is "$1: no key of an SA in gwd" "$(sa_strays hq gwd "$(sa_keys hq)")" ""
	is "$1: none in a log or an answer" \
		"$(cat "$said" "$LAB_DIR"/hq/log/{gwd,memfind,core}*.log 2>/dev/null | grep -cE "GWDCANARY|${BASE64:24}")" 0
}

lab_topology
ulimit -c unlimited
before=$(</proc/sys/kernel/core_pattern)
mkdir -m 1777 "$LAB_DIR/cores"	# a core is written as the user that the process has
echo "$LAB_DIR/cores/%p" >/proc/sys/kernel/core_pattern
(umask 077; { echo "-----BEGIN PRIVATE KEY-----"; echo "$BASE64"; echo "-----END PRIVATE KEY-----"; } >"$LAB_DIR/hq/gwd/gwd.key")
secret_file psk $PSK
secret_file ppk $PPK
secret_file ospf $OSPF
cp -p "$LAB_DIR/hq/gwd/psk" "$LAB_DIR/hq/gwd/ppk" "$LAB_DIR/branch/gwd/"
sites_keys
like "the key is taken" "$(site_pubkey hq)" '^MCowBQYDK2VwAyEA'
sealed=$(printf '%s\n' $SEALED | lab_gwctl branch seal --to "$(site_pubkey hq)")
ppk="ppk: {id: ppk1.example.net, secret: /etc/gwd/ppk}"
hq_conf "peer: {id: branch.example.net, public-key: $(site_pubkey branch)}"$'\n'"    $ppk" "[$sealed, /etc/gwd/psk]"
branch_conf "peer: {id: hq.example.net, public-key: $(site_pubkey hq)}"$'\n'"    $ppk"
for n in hq branch; do
	lab_charon_start $n
	ok "gwd of $n starts" lab_gwd_start $n -v
done
ok "the tunnel comes up" lab_wait 45 site_is hq up
lab_wait 10 site_is branch up
diag "$(search hq gwd)"
is "the arena holds what is configured" "$(held hq gwd)" "base64 ppk psk sealed "
like "charon's memory has them: the search finds them" "$(search hq charon-systemd | tr '\n' ' ')" 'psk locked=0 elsewhere=[1-9].*sealed locked=0 elsewhere=[1-9]'
say
nowhere "up"

# keys of SAs: those of before and after a rekey, in a process that has them and in gwd
keys=$(sa_keys hq)
like "the kernel tells the keys" "$keys" '^[0-9a-f]{40,}'
# shellcheck disable=SC2016,SC2046 # perl's; words
lab_spawn hq holder $(lab_gwd_as) perl -e '$held = pack("H*", shift); $0 = "holder"; sleep 600' "$(head -1 <<<"$keys")"
found_there() {
	sa_search hq holder "$keys" | grep -q 'sa1 locked=0 elsewhere=[1-9]'
}
ok "the search finds one where it is" lab_wait 10 found_there
lab_swanctl hq --rekey --child gre --ike gwd-branch1 >/dev/null
new_keys() {
	[ "$(sa_keys hq | grep -cvF "$keys")" -ge 2 ]
}
ok "other SAs" lab_wait 30 new_keys
keys+=" $(sa_keys hq)"
lab_gwctl hq restart branch1 >>"$said" 2>&1
lab_wait 30 site_is hq up
keys+=" $(sa_keys hq)"
is "none of these keys is in gwd" "$(sa_strays hq gwd "$keys")" ""
nowhere "rekeyed"

# another key: the old ones are not only unused, but gone
hq_conf "peer: {id: branch.example.net}"$'\n'"    psk: /etc/gwd/psk" /etc/gwd/other
branch_conf "peer: {id: hq.example.net}"$'\n'"    psk: /etc/gwd/psk"
secret_file psk $LATER
secret_file other $OTHER
lab_gwctl hq plan >>"$said" 2>&1
lab_gwctl hq reload >>"$said" 2>&1
lab_gwctl branch reload >>"$said" 2>&1
reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[name=branch1].reason')" =~ $2 ]]
}
ok "a wrong psk is named" lab_wait 60 reason_like hq 'pre-shared key'
lab_wait 10 holds hq gwd other
is "what is not configured any more is in no memory of gwd" "$(search hq gwd | found | grep -E '^(psk|ppk|sealed|base64|seed|scalar|ospf|not) ' | grep -v 'locked=0 elsewhere=0')" ""
is "but what is now" "$(held hq gwd)" "later other "
say
nowhere "wrong psk"
cp -p "$LAB_DIR/hq/gwd/psk" "$LAB_DIR/branch/gwd/psk"
lab_gwctl branch reload >>"$said" 2>&1
ok "up with the right one" lab_wait 45 site_is hq up

# files that cannot be used
chmod 644 "$LAB_DIR/hq/gwd/psk"
say
like "an open file is refused" "$(<"$said")" 'chmod 600 /etc/gwd/psk'
chmod 600 "$LAB_DIR/hq/gwd/psk"
cp -p "$LAB_DIR/hq/gwd/gwd.yaml" "$LAB_DIR/hq/gwd/good.yaml"
(umask 077; head -c 2000 /dev/zero | tr '\0' x >"$LAB_DIR/hq/gwd/long")
hq_conf "peer: {id: branch.example.net}"$'\n'"    psk: $INLINE" "sealed:${sealed:20}"
say
like "the secret in the place of a path is refused" "$(<"$said")" 'error: psk: '
for broken in psk "${BASE64:0:50}" "-----BEGIN PRIVATE KEY-----$BASE64"; do
	secret_file broken "$broken"
	hq_conf "peer: {id: branch.example.net, public-key: $(site_pubkey branch)}" "[$sealed, /etc/gwd/ospf]"
	sed -i 's|^gateway:|&\n  key: /etc/gwd/broken|' "$LAB_DIR/hq/gwd/gwd.yaml"
	for verb in check reload plan status "pubkey /etc/gwd/broken"; do
		# shellcheck disable=SC2086
		lab_gwctl hq $verb
	done >>"$said" 2>&1
done
mv "$LAB_DIR/hq/gwd/good.yaml" "$LAB_DIR/hq/gwd/gwd.yaml"
say
nowhere "bad files"

# gwctl with a secret half read
mkfifo "$LAB_DIR/typing"
exec {typing}<>"$LAB_DIR/typing"
# shellcheck disable=SC2016
lab_spawn hq seal bash -c 'exec "$0" seal --to "$1" <"$2"' "$LAB_GWCTL" "$(site_pubkey hq)" "$LAB_DIR/typing"
printf %s $TYPED >&"$typing"
ok "gwctl seal holds what was typed in its arena" lab_wait 20 holds hq seal typed
is "and nowhere else" "$(strays hq seal)" ""

# a core: root's idle and gwctl, gwd's holder and gwd
# TAG of hq: aborted; false if it was not there any more
abort() {
	CORE=$LAB_DIR/cores/$(lab_pid hq "$1")
	kill -ABRT "${CORE##*/}" && lab_wait 10 lab_gone "${CORE##*/}"
}
lab_spawn hq idle sleep 600
lab_sleep 0.2
for tag in idle holder; do
	abort $tag
	ok "a process without secrets leaves a core: $tag" test -s "$CORE"
done
for tag in seal gwd; do
	abort $tag
	is "$tag was there to be aborted" $? 0
	nok "it leaves no core" test -e "$CORE"
done
rm -r "$LAB_DIR/cores"
echo "$before" >/proc/sys/kernel/core_pattern

low_decided() {
	lab_gone "$(lab_pid hq low)" || lab_gwd_answers hq
}

# KIB: gwd starts with no more than that to be locked
gwd_limited() {
	lab_stop hq low
	: >"$LAB_DIR/hq/log/low.log"
	lab_spawn hq low setpriv --bounding-set=-ipc_lock prlimit --memlock=$(($1 << 10)) "$LAB_GWD" -c /etc/gwd/gwd.yaml
	lab_wait 20 low_decided && lab_gwd_answers hq
}
nok "without memory that can be locked gwd does not start" gwd_limited 64
like "and says which limit to raise" "$(<"$LAB_DIR/hq/log/low.log")" \
	'secrets need 260 KiB of locked memory, and 64 KiB are allowed: raise LimitMEMLOCK= of gwd.service'
ok "with enough of it, it does" gwd_limited 300
ok "and the tunnel is up" lab_wait 45 site_is hq up
many() {
	local i

	cat "$LAB_DIR/hq/gwd/good.yaml"
	for ((i = 0; i < 150; i++)); do
		printf '  t%d: {remote: 10.9.9.%d, peer: {id: t%d.example.net}, psk: /etc/gwd/long, start: on-traffic}\n' $i $((i + 1)) $i
	done
}
cp -p "$LAB_DIR/hq/gwd/gwd.yaml" "$LAB_DIR/hq/gwd/good.yaml"
(umask 077; head -c 2000 /dev/zero | tr '\0' x >"$LAB_DIR/hq/gwd/long")
many >"$LAB_DIR/hq/gwd/gwd.yaml"
limited=$(lab_gwctl hq reload 2>&1)
is "more secrets than fit are not taken" "$?" 1
like "with the limit that is in the way" "$limited" 'secrets need 520 KiB of locked memory, and 300 KiB are allowed'
ok "what was in force goes on" site_is hq up

done_testing
