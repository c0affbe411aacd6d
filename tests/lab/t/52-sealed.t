#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# alone
#
# Changing keys while traffic runs: raw keys and sealed pre-shared keys, in the steps that gwd(8) gives. What is added cuts nothing,
# what is removed is authenticated anew without a gap, or ends. Sealed texts open for their gateway only.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

RATE=50
ALLOWED=2	# packets per new IKE_SA and direction: where all is emulated a process may stand still for longer than the margin

# NODE KEY-OR-LIST: the peer's public keys
peer_keys() {
	sed -i "s|public-key: .*}|public-key: $2}|" "$LAB_DIR/$1/gwd/gwd.yaml"
}

# NODE SECRET-OR-LIST
psks() {
	sed -i "s|^    psk: .*|    psk: $2|" "$LAB_DIR/$1/gwd/gwd.yaml"
}

psk_conf() {
	sed -i "s|peer: {id: \([^,]*\),.*|peer: {id: \1}\n    psk: $2|" "$LAB_DIR/$1/gwd/gwd.yaml"
}

# NODE: reload, and what it said
reload() {
	lab_gwctl "$1" reload 2>&1
}

# numbers of the IKE_SAs, and SPIs of the SA in use
ike_sas() {
	lab_swanctl "$1" --list-sas | sed -n 's/^gwd-[^:]*: #\([0-9]*\), .*/\1/p' | sort -n | tr '\n' ' '
}

sas() {
	ip -n "$1" xfrm state | grep -o 'spi 0x[0-9a-f]*' | sort | tr '\n' ' '
}

# NODE: how often its gwd has done so
anew() {
	grep -c ': authenticated anew' "$LAB_DIR/$1/log/gwd.log"
}

# NODE N: more than N times
authenticated_anew() {
	[ "$(anew "$1")" -gt "$2" ]
}

one_ike_sa() {
	[[ "$(ike_sas "$1")" =~ ^[0-9]+\ $ ]]
}

# NODE SECRET [NODE]: sealed for NODE, made on the other node
seal() {
	printf '%s\n' "$2" | lab_gwctl "${3-$1}" seal --to "$(site_pubkey "$1")"
}

reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason')" =~ $2 ]]
}

# NAME: both flows of it, and what they lost
flows_start() {
	lab_udp_start "$1.out" lanhq lanbranch 10.2.0.2 $RATE
	lab_udp_start "$1.back" lanbranch lanhq 10.1.0.2 $RATE
}

# NAME NEW-IKE_SAS
flows_judge() {
	local f

	for f in "$1.out" "$1.back"; do
		lab_udp_stop "$f"
		diag "$f: sent $(lab_udp_get "$f" sent), lost $(lab_udp_get "$f" lost), longest gap $(lab_udp_get "$f" maxgap_ms) ms"
		cmp_ok "$f: packets went" "$(lab_udp_get "$f" received)" '>' 100
		cmp_ok "$f: lost nothing" "$(lab_udp_get "$f" lost)" '<=' $((ALLOWED * $2))
	done
}

lab_topology
ok "the tunnel is up with raw keys" sites_up

# another key of hq
ok "with one IKE_SA" lab_wait 30 one_ike_sa branch
old=$(site_pubkey hq)
new=$(lab_gwctl hq keygen /etc/gwd/gwd.key.new 2>/dev/null)
flows_start keys
before=$(sas branch) ike=$(ike_sas branch)
peer_keys branch "[$old, $new]"
like "branch takes a second key" "$(reload branch)" 'gwd-hq'
lab_sleep 1
is "which cuts nothing" "$(sas branch)" "$before"
is "and makes no IKE_SA" "$(ike_sas branch)" "$ike"
mv "$LAB_DIR/hq/gwd/gwd.key" "$LAB_DIR/hq/gwd/gwd.key.old"
cp -p "$LAB_DIR/hq/gwd/gwd.key.new" "$LAB_DIR/hq/gwd/gwd.key"
ok "hq takes its new key" reload hq
ok "and authenticates anew" lab_wait 30 authenticated_anew hq 0
peer_keys branch "$new"
ok "branch lets the old key go" reload branch
ok "and authenticates anew" lab_wait 30 authenticated_anew branch 0
ok "the tunnel is up on hq" site_is hq up
ok "with one IKE_SA, another one" lab_wait 10 one_ike_sa branch
isnt "than before" "$(ike_sas branch)" "$ike"
flows_judge keys 2
is "hq holds one private key in charon" \
	"$(lab_run hq env "STRONGSWAN_CONF=$LAB_DIR/hq/strongswan.conf" swanctl --list-certs --type pubkey --uri $LAB_VICI | grep -c 'has private key')" 1

# the old key opens nothing any more, and the tunnel does not suffer from the attempt
before=$(sas hq)
cp -p "$LAB_DIR/hq/gwd/gwd.key.old" "$LAB_DIR/hq/gwd/gwd.key"
ok "hq goes back to its old key" reload hq
ok "which branch does not take" lab_wait 30 grep -q 'does not take our new key yet' "$LAB_DIR/hq/log/gwd.log"
is "what the other one authenticated goes on" "$(sas hq)" "$before"
cp -p "$LAB_DIR/hq/gwd/gwd.key.new" "$LAB_DIR/hq/gwd/gwd.key"
reload hq >/dev/null

# pre-shared keys, sealed
one=() two=()
for n in hq branch; do
	psk_conf $n "$(seal $n rotated-secret-number-one branch)"
done
reload hq >/dev/null
reload branch >/dev/null
ok "the tunnel is up with a sealed psk" lab_wait 45 site_is hq up
lab_wait 20 site_is branch up
for n in hq branch; do
	one+=("$(sed -n 's/^    psk: //p' "$LAB_DIR/$n/gwd/gwd.yaml")")
	two+=("$(seal $n rotated-secret-number-two)")
done
lab_wait 20 one_ike_sa hq
flows_start psks
before=$(sas hq) ike=$(ike_sas hq)
for step in behind before; do
	i=0
	for n in hq branch; do
		if [ $step = behind ]; then psks $n "[${one[i]}, ${two[i]}]"; else psks $n "[${two[i]}, ${one[i]}]"; fi
		reload $n >/dev/null
		i=$((i + 1))
	done
done
lab_sleep 1
is "a second psk, and another order, cut nothing" "$(sas hq)" "$before"
is "and make no IKE_SA" "$(ike_sas hq)" "$ike"
psks hq "${two[0]}"
n=$(anew hq)
ok "hq lets the old psk go" reload hq
ok "and authenticates anew" lab_wait 30 authenticated_anew hq "$n"
n=$(anew branch)
psks branch "${two[1]}"
ok "so does branch" reload branch
ok "and authenticates anew" lab_wait 30 authenticated_anew branch "$n"
isnt "it is another IKE_SA" "$(ike_sas hq)" "$ike"
flows_judge psks 2

# sealed for the other gateway: refused by name, what is in force stays
before=$(sas hq)
psks hq "${two[1]}"
said=$(reload hq)
like "a text sealed for another gateway is refused" "$said" 'gwd.yaml:[0-9]+:[0-9]+: error: psk: sealed for another gateway'
unlike "and not shown" "$said" "${two[1]:20:30}"
is "the tunnel stays" "$(sas hq)" "$before"

# a psk that the peer does not have: no new IKE_SA, and the old one does not outlive the key
psks hq "$(seal hq quite-another-secret-here)"
reload hq >/dev/null
ok "what the removed psk authenticated ends" lab_wait 40 reason_like hq 'pre-shared key'
diag "$(lab_gwctl hq | tail -1)"
psks hq "${two[0]}"
reload hq >/dev/null
ok "up again with the right one" lab_wait 45 site_is hq up
is "no secret in any log" "$(cat "$LAB_DIR"/*/log/*.log | grep -cE 'rotated-secret|another-secret')" 0
unlike "nor in what gwctl says" "$(lab_gwctl hq show branch1 --json; lab_gwctl hq plan)" "rotated-secret"

done_testing
