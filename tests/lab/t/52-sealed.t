#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Changing keys while traffic runs: raw keys and sealed pre-shared keys, in the steps that gwd(8) gives. What is added cuts nothing,
# what is removed is authenticated anew without a gap, or ends. Sealed texts open for their gateway only.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

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

sas() {
	ip -n "$1" xfrm state | grep -o 'spi 0x[0-9a-f]*' | sort | tr '\n' ' '
}

# NODE SECRET [NODE]: sealed for NODE, made on the other node
seal() {
	printf '%s\n' "$2" | lab_gwctl "${3-$1}" seal --to "$(site_pubkey "$1")"
}

reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason')" =~ $2 ]]
}

lab_topology
clear_watch
ok "the tunnel is up with raw keys" sites_up
clear_flows

# another key of hq
ok "with one IKE_SA" lab_wait 30 site_one_ike_sa branch
old=$(site_pubkey hq)
new=$(lab_gwctl hq keygen /etc/gwd/gwd.key.new 2>/dev/null)
sites_flows keys
before=$(sas branch) ike=$(site_ike_sas branch)
peer_keys branch "[$old, $new]"
like "branch takes a second key" "$(reload branch)" 'gwd-hq'
lab_sleep 1
is "which cuts nothing" "$(sas branch)" "$before"
is "and makes no IKE_SA" "$(site_ike_sas branch)" "$ike"
mv "$LAB_DIR/hq/gwd/gwd.key" "$LAB_DIR/hq/gwd/gwd.key.old"
cp -p "$LAB_DIR/hq/gwd/gwd.key.new" "$LAB_DIR/hq/gwd/gwd.key"
ok "hq takes its new key" reload hq
ok "and authenticates anew" lab_wait 30 site_anew_since hq 0
peer_keys branch "$new"
ok "branch lets the old key go" reload branch
ok "and authenticates anew" lab_wait 30 site_anew_since branch 0
ok "the tunnel is up on hq" site_is hq up
ok "with one IKE_SA, another one" lab_wait 10 site_one_ike_sa branch
isnt "than before" "$(site_ike_sas branch)" "$ike"
sites_flows_judge keys 2
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
lab_wait 20 site_one_ike_sa hq
sites_flows psks
before=$(sas hq) ike=$(site_ike_sas hq)
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
is "and make no IKE_SA" "$(site_ike_sas hq)" "$ike"
psks hq "${two[0]}"
n=$(site_anew hq)
ok "hq lets the old psk go" reload hq
ok "and authenticates anew" lab_wait 30 site_anew_since hq "$n"
n=$(site_anew branch)
psks branch "${two[1]}"
ok "so does branch" reload branch
ok "and authenticates anew" lab_wait 30 site_anew_since branch "$n"
isnt "it is another IKE_SA" "$(site_ike_sas hq)" "$ike"
sites_flows_judge psks 2

# sealed for the other gateway: refused by name, what is in force stays
before=$(sas hq)
psks hq "${two[1]}"
said=$(reload hq)
like "a text sealed for another gateway is refused" "$said" 'gwd.yaml:[0-9]+:[0-9]+: error: psk: sealed for another gateway'
unlike "and not shown" "$said" "${two[1]:20:30}"
is "the tunnel stays" "$(sas hq)" "$before"

clear_none "while keys change"

# a psk that the peer does not have: no new IKE_SA, and the old one does not outlive the key
psks hq "$(seal hq quite-another-secret-here)"
reload hq >/dev/null
ok "what the removed psk authenticated ends" lab_wait 40 reason_like hq 'pre-shared key'
diag "$(lab_gwctl hq | tail -1)"
psks hq "${two[0]}"
reload hq >/dev/null
ok "up again with the right one" lab_wait 45 site_is hq up
is "no secret in any log" "$(cat "$LAB_DIR"/*/log/*.log | grep -cE 'rotated-secret|another-secret')" 0
unlike "nor in what gwctl shows" "$(lab_gwctl hq show branch1 --json)" "rotated-secret"
unlike "nor in its plan" "$(lab_gwctl hq plan)" "rotated-secret"
clear_none "with keys that the peer does not take"
clear_control branch 10.255.0.2

done_testing
