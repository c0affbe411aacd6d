#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install and make uninstall, into a folder: what must be there is there, an edited configuration stays, and systemd takes
# the units. TAP on stdout.

set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failures=0

ok() { # TEXT COMMAND...
	local text=$1 out
	shift
	count=$((count + 1))
	if out=$("$@" 2>&1); then
		echo "ok $count - $text"
	else
		failures=$((failures + 1))
		echo "not ok $count - $text"
		printf '%s\n' "$out" | head -20 | sed 's/^/# /'
	fi
}

# shellcheck disable=SC2317 # called by ok
fails() {
	! "$@"
}

is() { # TEXT GOT WANT
	ok "$1" test "$2" = "$3" || printf 'got: %s\nwant: %s\n' "$2" "$3" | sed 's/^/# /'
}

# shellcheck disable=SC2317 # called by ok
mk() {
	make --no-print-directory "$@" DESTDIR="$work" PREFIX=/usr
}

files() {
	(cd "$work" && find . ! -type d | sort)
}

mode() {
	stat -c %a "$work/$1"
}

ok "make install" mk install
for f in usr/sbin/gwd usr/bin/gwctl; do
	is "$f is a program" "$(mode $f)" 755
done
for f in usr/share/man/man8/gwd.8 usr/share/man/man8/gwctl.8 usr/share/man/man5/gwd.yaml.5 etc/gwd/strongswan.conf \
	usr/lib/systemd/system/gwd.service usr/lib/systemd/system/gwd-charon.service usr/lib/sysusers.d/gwd.conf \
	usr/lib/tmpfiles.d/gwd.conf \
	usr/share/bash-completion/completions/gwctl usr/share/gwd/gwd.schema.json usr/share/doc/gwd/examples/hq.yaml; do
	ok "$f is there" test -s "$work/$f"
	is "$f is for all to read" "$(mode $f)" 644
done
is "/etc/gwd can be entered by all" "$(mode etc/gwd)" 755
ok "no placeholder is left in a unit" bash -c "! grep @[A-Z] '$work'/usr/lib/systemd/system/*"
ok "gwd.service starts what was installed" grep -qx 'ExecStart=/usr/sbin/gwd' "$work/usr/lib/systemd/system/gwd.service"
ok "gwd-charon.service reads what was installed" grep -qx 'Environment=STRONGSWAN_CONF=/etc/gwd/strongswan.conf' \
	"$work/usr/lib/systemd/system/gwd-charon.service"
ok "what was installed runs" "$work/usr/sbin/gwd" --version
ok "completion is bash" bash -n "$work/usr/share/bash-completion/completions/gwctl"

before=$(files)
ok "make install again" mk install
is "... adds nothing" "$(files)" "$before"

# UNIT: what `systemd-analyze security` thinks of it, in tenths: 0 is locked up, 100 anything goes
exposure() {
	systemd-analyze security --offline=true --no-pager "$work/usr/lib/systemd/system/$1.service" |
		sed -n 's/.*exposure level for .*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

# shellcheck disable=SC2317 # called by ok
exposure_is_at_most() { # UNIT TENTHS
	local got

	got=$(exposure "$1")
	echo "exposure of $1.service: $got tenths"
	[[ $got =~ ^[0-9]+$ ]] && ((10#$got <= $2))
}

# systemd looks for programs and users below the root of the units
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$work/usr/lib/systemd/user" "$work/bin"
	cp -a /lib/systemd/system/{sysinit,basic,shutdown,network,network-pre,multi-user,sockets,timers,paths,slices}.target \
		"$work/usr/lib/systemd/system/" 2>/dev/null
	cp /bin/kill "$work/bin/"
	install -D /bin/true "$work/usr/sbin/charon-systemd"
	ok "enabling gwd-charon makes gwd want it" systemctl --root="$work" -q enable gwd-charon gwd
	ok "... by a link" test -L "$work/etc/systemd/system/gwd.service.wants/gwd-charon.service"
	for u in gwd gwd-charon; do
		ok "systemd takes $u.service" bash -c "out=\$(systemd-analyze verify --man=no --root='$work' $u.service 2>&1); \
			status=\$?; echo \"\$out\"; [ \$status = 0 ] && ! grep -q '$u.service:' <<<\"\$out\""
	done
	systemctl --root="$work" -q disable gwd-charon gwd
	ok "gwd.service is exposed by 1.5 at most" exposure_is_at_most gwd 15
	ok "gwd-charon.service by 1.7 at most" exposure_is_at_most gwd-charon 17
	sed -i '/^ProtectSystem=/d; /^NoNewPriv/d' "$work/usr/lib/systemd/system/gwd.service"
	ok "... which is measured: without two of its lines it is more" fails exposure_is_at_most gwd 15
	mk install >/dev/null 2>&1
	ok "the users of the units are made" systemd-sysusers --root="$work"
	for u in gwd gwd-charon; do
		ok "... $u" grep -q "^$u:" "$work/etc/passwd"
	done
	ok "... gwd alone is in the group of charon's socket" grep -qx 'gwd-vici:x:[0-9]*:gwd' "$work/etc/group"
	rm -f "$work"/etc/{passwd,group,shadow,gshadow,.pwd.lock}*
	rm -rf "${work:?}/bin" "$work/usr/lib/systemd/user" "$work/usr/sbin/charon-systemd" "$work"/usr/lib/systemd/system/*.target
fi
is "nothing else was left by these tests" "$(files)" "$before"

echo "# edited" >>"$work/etc/gwd/strongswan.conf"
ok "make install over an edited strongswan.conf" mk install
ok "... keeps it" grep -q '^# edited' "$work/etc/gwd/strongswan.conf"
ok "... and puts the new one beside it" cmp dist/strongswan.conf "$work/etc/gwd/strongswan.conf.new"
touch "$work/etc/gwd/gwd.yaml"
ok "make uninstall" mk uninstall
is "... leaves what the administrator wrote, and nothing else" "$(files)" \
	"./etc/gwd/gwd.yaml"$'\n'"./etc/gwd/strongswan.conf"
rm -r "${work:?}/etc"
ok "make install, unedited" mk install
ok "make uninstall, unedited" mk uninstall
is "... leaves no file" "$(files)" ""
ok "... and no folder of ours" bash -c "! find '$work' -name 'gwd*' | grep ."

echo "1..$count"
exit $((failures != 0))
