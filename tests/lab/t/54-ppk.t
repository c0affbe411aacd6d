#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Post-quantum pre-shared keys (RFC 8784) beside raw keys: used and shown; where one is required, a peer without it or with another is
# refused by name; where it is not, the tunnel comes up without. Given, changed and taken away without loss.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

# NODE TEXT: the tunnel's ppk, "" for none
ppk() {
	sed -i "/^    ppk:/d; s|^    addresses:|${2:+    ppk: $2\n}&|" "$LAB_DIR/$1/gwd/gwd.yaml"
}

uses_ppk() {
	[ "$(lab_gwctl "$1" show "$(site_tunnel "$1")" --json | build/tests/pick 'tunnels[0].ike.ppk')" = "$2" ]
}

reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason')" =~ $2 ]]
}

# NODE TEXT: a change that makes a new IKE_SA
changed() {
	local n

	n=$(site_anew "$1")
	ppk "$1" "$2"
	ok "$1: ${2:-none}" lab_gwctl "$1" reload
	ok "authenticates anew" lab_wait 30 site_anew_since "$1" "$n"
	ok "which leaves one IKE_SA" lab_wait 20 site_one_ike_sa "$1"
}

# TEXT: a change on both ends that makes none
allowed() {
	local n before

	before=$(site_ike_sas hq)
	for n in hq branch; do
		ppk $n "$1"
		ok "$n: $1" lab_gwctl $n reload
	done
	lab_sleep 1
	is "makes no new IKE_SA" "$(site_ike_sas hq)" "$before"
}

lab_topology
clear_watch
for n in hq branch; do
	(umask 077; echo quantum-resistant-secret-1 >"$LAB_DIR/$n/gwd/ppk")
	(umask 077; echo quantum-resistant-secret-2 >"$LAB_DIR/$n/gwd/other")
	(umask 077; echo quantum-resistant-secret-3 >"$LAB_DIR/$n/gwd/next")
done
given="{id: ppk1.example.net, secret: /etc/gwd/ppk}"
ok "the tunnel is up with a ppk" sites_up "    ppk: $given"
clear_flows
ok "hq uses it" uses_ppk hq true
ok "so does branch" uses_ppk branch true
like "show says so" "$(lab_gwctl hq show branch1)" ', with ppk'
ok "LAN to LAN" lab_run lanhq ping -c2 -i0.3 -W2 10.2.0.2

# branch has none: nothing of ours goes on without
ppk branch ""
lab_gwctl branch reload >/dev/null
lab_gwctl hq down branch1 >/dev/null
lab_spawn hq up "$LAB_GWCTL" up branch1
ok "a peer without the required ppk is refused" lab_wait 40 reason_like hq 'a ppk is required here'
diag "hq: $(lab_gwctl hq | tail -1)"
nok "nothing passes" lab_run lanhq ping -c1 -W1 10.2.0.2

# where it is not required, the tunnel comes up without
ppk hq "{id: ppk1.example.net, secret: /etc/gwd/ppk, required: no}"
lab_gwctl hq reload >/dev/null
ok "up without it where it is not required" lab_wait 45 site_is hq up
ok "which is shown" uses_ppk hq false

# another secret under the same name
ppk branch "{id: ppk1.example.net, secret: /etc/gwd/other}"
lab_gwctl branch reload >/dev/null
ok "another secret is refused" lab_wait 45 reason_like branch 'peer rejects|not the one configured'
diag "branch: $(lab_gwctl branch | tail -1)"
diag "hq: $(lab_gwctl hq | tail -1)"
ppk branch "$given"
ppk hq "$given"
for n in hq branch; do
	lab_gwctl $n reload >/dev/null
done
ok "the right one brings it up" lab_wait 45 site_is hq up
ok "with the ppk" lab_wait 20 uses_ppk hq true
clear_none "with and without a ppk, and with a wrong one"

# taken away, in steps
ok "there is one IKE_SA" lab_wait 40 site_one_ike_sa hq
sites_flows without
allowed "{id: ppk1.example.net, secret: /etc/gwd/ppk, required: no}"
ok "it is in use still" uses_ppk hq true
changed hq ""
changed branch ""
ok "hq uses none" uses_ppk hq false
ok "nor does branch" uses_ppk branch false
sites_flows_judge without 2

# given, as gwd.yaml(5) says
sites_flows with
for n in hq branch; do
	changed $n "{id: ppk1.example.net, secret: /etc/gwd/ppk, required: no}"
done
ok "hq uses what neither requires" uses_ppk hq true
ok "so does branch" uses_ppk branch true
for n in hq branch; do
	changed $n "$given"
done
ok "hq uses it" uses_ppk hq true
sites_flows_judge with 4

# another one
sites_flows other
allowed "{id: ppk1.example.net, secret: /etc/gwd/ppk, required: no}"
ppk hq "{id: ppk2.example.net, secret: /etc/gwd/next, required: no}"
ok "hq takes another" lab_gwctl hq reload
ok "which branch does not know yet: what is there goes on" lab_wait 20 \
	grep -q 'does not take our new key yet; what the old one authenticated goes on' "$LAB_DIR/hq/log/gwd.log"
is "up" "$(site_is hq up && echo up)" up
changed branch "{id: ppk2.example.net, secret: /etc/gwd/next, required: no}"
ok "hq uses the new one" uses_ppk hq true
for n in hq branch; do
	changed $n "{id: ppk2.example.net, secret: /etc/gwd/next}"
done
ok "hq uses it" uses_ppk hq true
ok "so does branch" uses_ppk branch true
sites_flows_judge other 4
clear_none "while it is taken away, given and changed"
is "no secret in any log" "$(cat "$LAB_DIR"/*/log/*.log | grep -c quantum-resistant)" 0
unlike "nor in what gwctl shows" "$(lab_gwctl hq show branch1 --json)" "quantum-resistant"
unlike "nor in its plan" "$(lab_gwctl hq plan)" "quantum-resistant"
clear_control branch 10.255.0.2

done_testing
