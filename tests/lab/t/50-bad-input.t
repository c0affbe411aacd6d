#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# alone
#
# What is wrong is told, with cause, side and remedy, and changes nothing: bad configurations and keys, a kernel or a
# user that lacks something, a second gwd, no charon, and peers that do not agree with us or do not answer.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

yaml=$LAB_DIR/hq/gwd/gwd.yaml
key=$LAB_DIR/hq/gwd/gwd.key
modprobe=$(</proc/sys/kernel/modprobe)

# what of the kernel gwd might change
kernel_of() {
	ip -n "$1" -br addr | grep -vE '^(gre|gretap|erspan)0@'
	ip -n "$1" route show table all
	ip -n "$1" xfrm policy
	lab_run "$1" nft list ruleset
}

# NAME REGEX [PREFIX...]: gwd on hq does not start, and says why
refuses() {
	local name=$1 regex=$2 out status
	shift 2

	out=$(lab_run hq timeout 10 "$@" "$LAB_GWD" -c /etc/gwd/gwd.yaml 2>&1)
	status=$?
	is "$name: exit status" $status 1
	like "$name: told" "$out" "$regex"
	diag "$(tail -2 <<<"$out")"
}

good_conf() {
	cp "$LAB_DIR/good.yaml" "$yaml"
}

# NODE ARG...: gwctl's exit status; what it said is in $LAB_DIR/said
status_of() {
	lab_gwctl "$@" >"$LAB_DIR/said" 2>&1
	echo $?
}

# GROUPS ARG...: the same as a user who is not root
status_of_user() {
	lab_run hq setpriv --reuid 65534 --regid 65534 "$1" "$LAB_GWCTL" "${@:2}" >"$LAB_DIR/said" 2>&1
	echo $?
}

# NODE REGEX
reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason')" =~ $2 ]]
}

# NAME NODE REGEX
names() {
	ok "$1" lab_wait 25 reason_like "$2" "$3"
	diag "$2: $(lab_gwctl "$2" status --json | build/tests/pick 'tunnels[0].reason')"
}

both_up() {
	lab_wait 45 site_is hq up && lab_wait 15 site_is branch up
}

lab_topology
sites_keys
sites_conf
cp "$yaml" "$LAB_DIR/good.yaml"
kernel_of hq >"$LAB_DIR/kernel.before"

# gwd does not start
is "gwctl without gwd" "$(status_of hq status)" 1
like "tells how to start it" "$(<"$LAB_DIR/said")" "gwd does not run .*systemctl start gwd"
printf 'gateway:\n  id: hq.example.net\n local: wan0\n' >"$yaml"
refuses "broken YAML" '/etc/gwd/gwd.yaml:3:[0-9]+: error'
sed 's/remote:/remotes:/' "$LAB_DIR/good.yaml" >"$yaml"
refuses "an unknown key" '/etc/gwd/gwd.yaml:6:5: error.*did you mean "?remote'
text=$(<"$LAB_DIR/good.yaml")
printf %s "${text%%public-key*}" >"$yaml"
refuses "a truncated file" '/etc/gwd/gwd.yaml:7:[0-9]+: error'
: >"$yaml"
refuses "an empty file" '/etc/gwd/gwd.yaml.*empty'
rm "$yaml"
refuses "no file" '/etc/gwd/gwd.yaml: .*No such file'
good_conf
chmod 644 "$key"
refuses "a key for all to read" 'gwd.key may be read or changed by others.*chmod 600 /etc/gwd/gwd.key'
chmod 600 "$key"
mv "$key" "$key.kept"
refuses "no key" 'gwctl keygen'
echo rubbish >"$key"
chmod 600 "$key"
refuses "a key that is none" 'gwd.key'
mv "$key.kept" "$key"
refuses "no CAP_NET_ADMIN" 'CAP_NET_ADMIN' setpriv --bounding-set=-net_admin
if [ -e /dev/vport1p1 ]; then
	echo /bin/false >/proc/sys/kernel/modprobe
	rmmod ip_gre
	refuses "a kernel without GRE" 'no GRE.*modprobe ip_gre'
	modprobe ip_gre
	wait
	lab_wait 20 rmmod esp4
	refuses "a kernel without ESP" 'no ESP.*modprobe esp4'
	modprobe esp4
	echo "$modprobe" >/proc/sys/kernel/modprobe
else
	skip "a kernel without GRE or ESP" "it is this machine's own"
fi
kernel_of hq >"$LAB_DIR/kernel.after"
is "nothing of this changed anything" "$(diff "$LAB_DIR/kernel.before" "$LAB_DIR/kernel.after")" ""

# without charon
ok "gwd starts without charon" lab_gwd_start hq
kernel_of hq >"$LAB_DIR/kernel.after"
nok "a gwd that starts changes what is compared" cmp -s "$LAB_DIR/kernel.before" "$LAB_DIR/kernel.after"
is "status without charon" "$(status_of hq status)" 2
like "tells that and why" "$(<"$LAB_DIR/said")" "charon is not running here: no socket"
refuses "a second gwd" "another gwd runs in this network namespace .process $(lab_pid hq gwd)"

# who may ask
is "a user may not ask" "$(status_of_user --clear-groups status)" 1
like "and is told who may" "$(<"$LAB_DIR/said")" "group gwd"
is "the group gwd may" "$(status_of_user --groups=$LAB_UID status)" 2
for verb in "down branch1" "up branch1" "restart branch1" reload teardown "plan /etc/gwd/gwd.yaml"; do
	# shellcheck disable=SC2086
	is "but may not change: $verb" "$(status_of_user --groups=$LAB_UID $verb)" 1
	like "and is told so: $verb" "$(<"$LAB_DIR/said")" "is for root"
done
ok "the link is still there" ip -n hq link show branch1

# the peer does not answer
lab_charon_start hq
names "a peer that does not answer" hq 'the peer does not answer|no answer from 203.0.113.7'

# the tunnel is up: a bad reload
lab_charon_start branch
lab_gwd_start branch
ok "the tunnel comes up" both_up
sed 's/addresses:.*/addresses: [10.255.0.1\/33]/' "$LAB_DIR/good.yaml" >"$yaml"
is "reload of a bad configuration" "$(status_of hq reload)" 1
like "tells where" "$(<"$LAB_DIR/said")" '/etc/gwd/gwd.yaml:8:[0-9]+: error'
is "the one before is in force: all is up" "$(status_of hq status)" 0
like "status tells the error" "$(<"$LAB_DIR/said")" 'has errors, the one before stays in force.*gwd.yaml:8:'
like "the address is still there" "$(ip -n hq addr show branch1)" "10.255.0.1/30"
good_conf
rm "$yaml"
mkfifo "$yaml"
is "reload of a pipe that nobody writes to" "$(status_of hq reload)" 1
like "says what is wrong" "$(<"$LAB_DIR/said")" "gwd.yaml: error: not a regular file"
ok "and stays up" site_is hq up
rm "$yaml"
good_conf
is "reload of the good one" "$(status_of hq reload)" 0
lab_gwctl hq status >"$LAB_DIR/said" 2>&1
unlike "the error is gone" "$(<"$LAB_DIR/said")" "has errors"

# the two sides do not agree; hq's side is the wrong one
lab_run hq "$LAB_GWCTL" keygen /etc/gwd/other.key >/dev/null 2>&1
other=$(lab_gwctl hq pubkey /etc/gwd/other.key)
sed "s,public-key: [^}]*,public-key: $other," "$LAB_DIR/good.yaml" >"$yaml"
is "another public key for branch" "$(status_of hq reload)" 0
names "hq names the key it has of the peer" hq "the peer's key is not the one configured here"
names "branch is told by the peer" branch "the peer rejects our key .AUTHENTICATION_FAILED.*gwctl pubkey"

sed 's/^  branch1:/&\n    ike: {proposals: aes128-sha256-modp2048}/' "$LAB_DIR/good.yaml" >"$yaml"
is "other IKE proposals" "$(status_of hq reload)" 0
names "hq names them" hq "NO_PROPOSAL_CHOSEN|no IKE algorithm that the peer offers"
names "branch as well" branch "NO_PROPOSAL_CHOSEN.*ike.proposals"

sed 's/^  branch1:/&\n    esp: {proposals: aes128-sha256}/' "$LAB_DIR/good.yaml" >"$yaml"
is "other ESP proposals" "$(status_of hq reload)" 0
names "hq names them" hq "NO_PROPOSAL_CHOSEN|no algorithm that the peer offers"
names "branch as well" branch "NO_PROPOSAL_CHOSEN.*esp.proposals"

good_conf
is "all right again" "$(status_of hq reload)" 0
lab_gwctl branch restart hq >/dev/null
ok "the tunnel comes up again" both_up

done_testing
