#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installation as README.md has it, on hq, under a real systemd: make install, keygen, systemctl enable --now. The two units with
# all their sandboxing carry a tunnel; reload, restart, stop and kill of gwd lose no packet; systemd brings back what was
# killed; after a reboot the tunnel comes up by itself; and what was installed can be removed. branch is as in other tests.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/systemd.sh
. tests/lab/systemd.sh
trap 'lab_end; systemd_clean' EXIT

sys() {
	systemd_run hq "$@"
}

show() {
	sys systemctl show -P "$1" "$2"
}

restarted() {
	[ "$(sys systemctl show -P NRestarts -P ActiveState "$1" | sort | xargs)" = "$2 active" ]
}

# UNIT: a field of its main process
process() {
	sys awk -v f="$2:" '$1 == f { print $2 }' "/proc/$(show MainPID "$1")/status"
}

journal_has() {
	sys journalctl -q -o cat --no-pager -u gwd | grep -q "$1"
}

mtu_is() {
	ip -n hq link show branch1 | grep -q "mtu $1 "
}

# the SA that hq receives by
spi_in() {
	lab_gwctl hq show branch1 --json | build/tests/pick 'tunnels[0].child.spi_in'
}

# SPI: there is another, and the tunnel is up by it
up_by_another() {
	local spi

	spi=$(spi_in)
	[ "$spi" != "$1" ] && [ "$spi" != null ] && site_is hq up && site_is branch up
}

lab_topology
systemd_prepare hq
lab_run hq sed -i /^gwd/d /etc/passwd /etc/group
lab_run hq rm -r /run/gwd
ok "systemd runs in hq" systemd_boot hq

# ---- README, "Install it"
out=$(sys make install 2>&1)
is "make install" $? 0
unlike "compiles nothing again" "$out" '  (CC|LD|MAN) '
ok "the users" sys systemd-sysusers gwd.conf
ok "the folder of the sockets" sys systemd-tmpfiles --create gwd.conf
ok "systemd finds the units" sys systemctl daemon-reload
like "the key" "$(sys gwctl keygen 2>&1)" 'MCowBQYDK2VwAyEA'
sites_keys
sites_conf
ok "gwctl check" sys gwctl check
ok "charon of branch starts" lab_charon_start branch
ok "gwd of branch starts" lab_gwd_start branch
ok "systemctl enable --now" sys systemctl enable --now gwd-charon gwd
is "gwd-charon is active" "$(sys systemctl is-active gwd-charon)" active
is "gwd is active" "$(sys systemctl is-active gwd)" active
ok "the tunnel comes up" lab_wait 40 site_is hq up
ok "on branch too" lab_wait 10 site_is branch up
ok "it carries" lab_run lanhq ping -q -c2 -i0.2 -W2 10.2.0.2
ok "gwctl as root" sys gwctl
diag "$(sys systemctl status --no-pager gwd gwd-charon)"
like "the journal has its first line" "$(sys journalctl -q -o cat --no-pager -u gwd)" 'gwd [0-9.]+: 1 tunnel'
like "and charon's" "$(sys journalctl -q -o cat --no-pager -u gwd-charon)" 'IKE_SA gwd'

# ---- the sandbox is in force, or else this test says nothing of it
is "gwd's capability: NET_ADMIN" "$(process gwd CapEff)" 0000000000001000
is "and no other ever" "$(process gwd CapBnd)" 0000000000001000
is "charon's at most: NET_ADMIN, NET_BIND_SERVICE" "$(process gwd-charon CapBnd)" 0000000000001400
is "gwd is the user gwd" "$(process gwd Uid)" "$(sys id -u gwd)"
is "charon is a user of its own" "$(process gwd-charon Uid)" "$(sys id -u gwd-charon)"
is "charon under seccomp" "$(process gwd-charon Seccomp)" 2
is "gwd under the same filters, and its own two" "$(process gwd Seccomp_filters)" $(($(process gwd-charon Seccomp_filters) + 2))
diag "$(sys ls -la /run/gwd /etc/gwd)"

# ---- who may what
as_nobody() {
	sys setpriv --reuid=nobody --regid=nogroup "$@"
}
as_member() {
	as_nobody --groups="$(sys getent group gwd | cut -d: -f3)" "$@"
}
as_gwd() {
	sys setpriv --reuid=gwd --regid=gwd --init-groups "$@"
}
asks_charon() {
	"$1" swanctl --stats --uri unix:///run/gwd/charon.vici
}
ok "a member of the group gwd reads the status" as_member gwctl status
nok "and changes nothing" as_member gwctl down branch1
nok "others do not read it" as_nobody --clear-groups gwctl status
ok "the user gwd reads the key" as_gwd cat /etc/gwd/gwd.key
nok "a member of its group does not" as_member cat /etc/gwd/gwd.key
ok "the user gwd speaks with charon" asks_charon as_gwd
ok "root too" asks_charon sys
nok "a member of its group does not" asks_charon as_member
ok "the tunnel is as it was" site_is hq up

# ---- files that gwd cannot see
ok "a plan of a file" sys cp /etc/gwd/gwd.yaml /etc/gwd/new.yaml
like "changes nothing" "$(sys gwctl plan /etc/gwd/new.yaml 2>&1)" 'nothing to do|no changes|0 changes'
sys rm /etc/gwd/new.yaml
sys cp /etc/gwd/gwd.yaml /tmp/new.yaml
like "a file in /tmp: told" "$(sys gwctl plan /tmp/new.yaml 2>&1)" 'gwd.service has a /tmp of its own.*put it into /etc/gwd'
sys rm /tmp/new.yaml
sys install -D -m 644 /etc/gwd/gwd.yaml /var/closed/new.yaml
sys chmod 700 /var/closed
like "a file in a folder of root's: told" "$(sys gwctl plan /var/closed/new.yaml 2>&1)" \
	'the user gwd may not enter /var/closed: put it into /etc/gwd'

# ---- while it carries
lab_udp_start there lanhq lanbranch 10.2.0.2 100
lab_udp_start back lanbranch lanhq 10.1.0.2 100

sed -i 's/^    addresses:/    mtu: 1300\n&/' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "systemctl reload" sys systemctl reload gwd
ok "takes the change" lab_wait 10 mtu_is 1300
ok "and says so" lab_wait 5 journal_has "configuration read again"
sed -i 's/mtu: 1300/mtu: 1300x/' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "systemctl reload of what is wrong" sys systemctl reload gwd
ok "shows where" lab_wait 10 journal_has 'gwd.yaml:[0-9]*:[0-9]*: '
is "and does not end it" "$(sys systemctl is-active gwd)" active
sed -i '/mtu: 1300x/d' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "systemctl reload of what is right again" sys systemctl reload gwd
ok "takes it" lab_wait 10 mtu_is 1442

# shellcheck disable=SC2016 # expanded inside
killed=$(sys bash -c 'read -r up _ </proc/uptime; kill -KILL $0; echo "${up/./}0000"' "$(show MainPID gwd)")
ok "killed, gwd is started again" lab_wait 20 restarted gwd 1
started=$(show ExecMainStartTimestampMonotonic gwd)
cmp_ok "after that" $((started - killed)) '>=' 0
cmp_ok "within a second (µs)" $((started - killed)) '<' 1000000
ok "and calls the tunnel up" lab_wait 10 site_is hq up

ok "systemctl restart" sys systemctl restart gwd
is "it is active" "$(sys systemctl is-active gwd)" active
ok "and calls the tunnel up at once" lab_wait 10 site_is hq up

ok "systemctl stop" sys systemctl stop gwd
is "it is inactive" "$(sys systemctl is-active gwd)" inactive
is "charon stays" "$(sys systemctl is-active gwd-charon)" active
ok "the tunnel still carries" lab_run lanhq ping -q -c3 -i0.2 -W2 10.2.0.2
ok "charon's socket is still there" sys test -S /run/gwd/charon.vici
ok "systemctl start" sys systemctl start gwd
ok "the tunnel is up" lab_wait 10 site_is hq up

# ---- installed over a gwd that ran as root: key, folder and a socket left over are root's
sys systemctl stop gwd
sys chown root:root /etc/gwd/gwd.key /run/gwd
sys chmod 755 /run/gwd
like "gwctl check tells it" "$(sys gwctl check 2>&1)" 'chown gwd /etc/gwd/gwd.key'
sys systemctl start --no-block gwd
ok "gwd tells whose the key must be" lab_wait 20 journal_has 'the user gwd may not read it: chown gwd /etc/gwd/gwd.key'
sys chown gwd /etc/gwd/gwd.key
sys systemctl reset-failed gwd
sys systemctl start --no-block gwd
ok "and how the folder is made right" lab_wait 20 journal_has 'gwd.sock: Permission denied: .systemd-tmpfiles --create gwd.conf'
sys perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' /run/gwd/gwd.sock
sys systemd-tmpfiles --create gwd.conf
sys systemctl reset-failed gwd
ok "then it starts" sys systemctl start gwd
ok "and the tunnel is up" lab_wait 20 site_is hq up
sys systemctl stop gwd
sys chgrp root /run/gwd/charon.vici
ok "where charon's socket is not for gwd" sys systemctl start gwd
ok "it says so" lab_wait 10 journal_has 'no permission for /run/gwd/charon.vici; gwd(8), SYSTEMD, tells'
sys chgrp gwd-vici /run/gwd/charon.vici
ok "and sees charon when it is" lab_wait 20 site_is hq up

lab_udp_stop there back
is "0 packets lost all the while" "$(lab_udp_get there lost)" 0
is "and on the way back" "$(lab_udp_get back lost)" 0
cmp_ok "of many" "$(lab_udp_get there received)" '>' 500
cmp_ok "and many" "$(lab_udp_get back received)" '>' 500

# ---- charon dies
spi=$(spi_in)
ok "kill -9 of charon" sys systemctl kill -s KILL gwd-charon
ok "charon is started again" lab_wait 20 restarted gwd-charon 1
ok "and the tunnel is up with another SA" lab_wait 60 up_by_another "$spi"
ok "it carries once more" lab_run lanhq ping -q -c2 -i0.2 -W2 10.2.0.2

# ---- power off and on
spi=$(spi_in)
systemd_kill hq
ip -n hq link del branch1
ip -n hq xfrm state flush
ip -n hq xfrm policy flush
lab_run hq nft flush ruleset
nok "nothing is left" lab_run lanhq ping -q -c1 -W1 10.2.0.2
ok "hq starts again" systemd_boot hq
ok "and the tunnel comes up by itself" lab_wait 60 up_by_another "$spi"
# branch, whose own SAs still stand, answers by the old one until it sees the new one used
ok "it carries after all" lab_wait 5 lab_run lanhq ping -q -c1 -W1 10.2.0.2

# ---- and away
ok "teardown" sys gwctl teardown
nok "leaves no link" ip -n hq link show branch1
ok "disabled" sys systemctl disable --now gwd gwd-charon
ok "make uninstall" sys make uninstall
is "leaves nothing in /usr/local" "$(find "$LAB_DIR/hq/over/local" -type f)" ""
is "and what is the user's in /etc/gwd" "$(cd "$LAB_DIR/hq/gwd" && echo *)" "gwd.key gwd.yaml"

done_testing
