#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is said of files where gwd runs as the user gwd (dist/gwd.service): of whom a key may be, what that user cannot read, and the
# remedy. With users of its own in a mount namespace, so it needs root. TAP on stdout.

set -u
cd "$(dirname "$0")/../.." || exit 1
gwctl=$PWD/${GWCTL:-build/gwctl}
gwd=$PWD/${GWD:-build/gwd}

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit
fi
if [ "${1-}" != inside ]; then
	exec unshare --mount bash "$0" inside
fi

work=$(mktemp -d) || exit 1
count=0 failures=0
trap 'rm -rf "$work" "/tmp/gwdowner.$$"' EXIT
uid=64990
{ grep -v ^gwd: /etc/passwd; echo gwd:x:$uid:$uid::/:/usr/sbin/nologin; } >"$work/passwd"
mount --bind "$work/passwd" /etc/passwd || exit 1
# the programs and the files, in a place that is everybody's
mount -t tmpfs -o mode=755 tmpfs /mnt || exit 1
cp "$gwctl" "$gwd" /mnt/
conf=/mnt/etc/gwd.yaml key=/mnt/etc/gwd.key
mkdir /mnt/etc

ok() { # TEXT RESULT
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - $1"
	else
		failures=$((failures + 1))
		echo "not ok $count - $1"
		sed 's/^/# /' "$work/out"
	fi
}

says() { # NAME TEXT COMMAND...
	local name=$1 text=$2
	shift 2
	"$@" >"$work/out" 2>&1
	grep -qF -- "$text" "$work/out"
	ok "$name" $?
}

silent() { # NAME TEXT COMMAND...
	local name=$1 text=$2
	shift 2
	"$@" >"$work/out" 2>&1 && ! grep -qF -- "$text" "$work/out"
	ok "$name" $?
}

as_gwd() {
	setpriv --reuid $uid --regid $uid --clear-groups --inh-caps -all --bounding-set -all "$@"
}

says "keygen" MCowBQYDK2VwAyEA /mnt/gwctl keygen $key
says "... gives the key to gwd" "$uid 600" stat -c '%u %a' $key
says "... who can read it" MCowBQYDK2VwAyEA as_gwd /mnt/gwctl pubkey $key
says "... and so can root" MCowBQYDK2VwAyEA /mnt/gwctl pubkey $key

cat >$conf <<-END
	gateway: {id: hq.example.net, key: $key}
	tunnels:
	  branch1:
	    remote: 203.0.113.7
	    peer: {id: branch1.example.net, public-key: $(/mnt/gwctl pubkey $key)}
	    addresses: [10.255.0.1/30]
	  branch2:
	    remote: 203.0.113.8
	    peer: {id: branch2.example.net}
	    auth: psk
	    psk: /mnt/etc/branch2.psk
	    addresses: [10.255.0.5/30]
END
(umask 077; echo correct-horse-battery-staple-9 >/mnt/etc/branch2.psk)
says "a file of root's: check tells" "who cannot read what is root's: chown gwd /mnt/etc/branch2.psk" /mnt/gwctl check $conf
says "... that it is well all the same" "gwd.yaml: well, 2 tunnels" /mnt/gwctl check $conf
says "... and gwd, that it cannot" \
	"psk: cannot open /mnt/etc/branch2.psk: the user gwd may not read it: chown gwd /mnt/etc/branch2.psk" as_gwd /mnt/gwd -n -c $conf
chown 0 $key
says "two of them: check tells of both" "chown gwd /mnt/etc/branch2.psk $key" /mnt/gwctl check $conf
chown 12345 $key
says "a key of a third" "$key belongs to another user: chown gwd $key" /mnt/gwctl pubkey $key
# as the messages have it
chown gwd /mnt/etc/branch2.psk $key
silent "handed over: nothing to tell" chown /mnt/gwctl check $conf
says "... and gwd is content" "gwd.yaml: well, 2 tunnels" as_gwd /mnt/gwd -n -c $conf

chmod 600 $conf
says "a configuration that is closed to gwd" "cannot be opened: the user gwd may not read it: chmod a+r $conf" as_gwd /mnt/gwd -n -c $conf
chmod 644 $conf
mkdir -m 700 /mnt/closed
cp $conf /mnt/closed/
says "a folder that is closed to gwd" \
	"/mnt/closed/gwd.yaml: error: cannot be opened: the user gwd may not enter /mnt/closed: put it into /etc/gwd" \
	as_gwd /mnt/gwd -n -c /mnt/closed/gwd.yaml
says "a file that gwd does not find in /tmp" "gwd.service has a /tmp of its own, without it: put it into /etc/gwd" \
	as_gwd /mnt/gwd -n -c "/tmp/gwdowner.$$"
says "... as others do not either" "No such file or directory" /mnt/gwd -n -c "/tmp/gwdowner.$$"
chmod 700 /mnt/etc
says "... a key behind one" "the user gwd may not enter /mnt/etc" as_gwd /mnt/gwctl pubkey $key

echo "1..$count"
exit $((failures != 0))
