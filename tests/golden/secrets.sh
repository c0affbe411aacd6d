#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gwctl and gwd where memory cannot be locked or a file cannot be written: a sentence that says what to do, nothing half done and
# nothing left behind. TAP on stdout. GWCTL and GWD name other binaries.

set -u
cd "$(dirname "$0")/../.." || exit 1
gwctl=$PWD/${GWCTL:-build/gwctl} gwd=$PWD/${GWD:-build/gwd}
for program in "$gwctl" "$gwd"; do
	[ -x "$program" ] || { echo "Bail out! no $program: make it first"; exit 1; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
unset NOTIFY_SOCKET
count=0 failures=0

# TEXT, GOT, WANTED; or TEXT, "skip", why
is() {
	count=$((count + 1))
	if [ "$2" = skip ]; then
		echo "ok $count - $1 # SKIP $3"
	elif [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		failures=$((failures + 1))
		echo "not ok $count - $1"
		printf 'got:      %s\nexpected: %s\n' "$2" "$3" | sed 's/^/# /'
	fi
}

# without CAP_IPC_LOCK, which lifts the limit: KIB COMMAND...
limited() {
	local drop=()

	[ "$(id -u)" != 0 ] || drop=(setpriv --bounding-set=-ipc_lock)
	"${drop[@]}" prlimit --memlock=$(($1 << 10)):$(($1 << 10)) -- "${@:2}" 2>&1
	echo "exit $?"
}

# COMMAND... with $work/disk as a small file system of its own that nobody else sees
apart() {
	local new=(unshare -m)

	[ "$(id -u)" = 0 ] || new=(unshare -rm)
	mkdir -p "$work/disk"
	# shellcheck disable=SC2016 # expanded inside
	"${new[@]}" bash -c 'mount -t tmpfs -o size=8k,mode=755 tmpfs "$0" && cd "$0" && . "$1"' "$work/disk" "$work/inside" 2>&1
}

advice='raise LimitMEMLOCK= of gwd.service, or "ulimit -l" of the shell'
is "keygen needs locked memory" "$(limited 64 "$gwctl" keygen "$work/key")" \
	"gwctl: secrets need 260 KiB of locked memory, and 64 KiB are allowed: $advice
exit 1"
is "and writes nothing without" "$(ls "$work")" ""
is "so does gwd" "$(limited 0 "$gwd" -n -c dist/examples/hq.yaml)" \
	"error: secrets need 260 KiB of locked memory, and 0 KiB are allowed: $advice
exit 1"
is "so does check" "$(limited 64 "$gwctl" check dist/examples/plain-gre.yaml | tail -3)" \
	"dist/examples/plain-gre.yaml: error: no key file was checked: secrets need 260 KiB of locked memory, and 64 KiB are allowed: $advice
exit 1"
is "pubkey" "$(limited 64 "$gwctl" pubkey "$work/key" | tail -1)" "exit 1"
is "seal" "$(limited 64 "$gwctl" seal --to MCowBQYDK2VwAyEA4NOT4eXW2MG2Z1Pk17wlr/jmkSmMSxeW/HHk00CQ31k= /dev/null | tail -1)" "exit 1"
is "what needs no secret goes on" "$(limited 0 "$gwctl" --version)" "$("$gwctl" --version)
exit 0"

echo : >"$work/inside"
if [ "$(apart)" = "" ]; then
	cat >"$work/inside" <<-END
	head -c 8192 /dev/zero >full
	"$gwctl" keygen "$work/disk/key"
	echo "exit \$?"
	ls
	END
	is "a full disk: a sentence, and nothing written" "$(apart)" \
		"gwctl: cannot write $work/disk/key: No space left on device
exit 1
full"
	cat >"$work/inside" <<-END
	mount -o remount,bind,ro "$work/disk"
	"$gwctl" keygen "$work/disk/key"
	echo "exit \$?"
	"$gwctl" keygen "$work/disk/absent/key"
	echo "exit \$?"
	ls
	END
	is "a folder that is read only, and one that is not there" "$(apart)" \
		"gwctl: cannot write $work/disk/key: Read-only file system
exit 1
gwctl: cannot write $work/disk/absent/key: No such file or directory
exit 1"
	cat >"$work/inside" <<-END
	exec 2>/dev/null
	(ulimit -f 0; exec "$gwctl" keygen "$work/disk/key")
	echo "exit \$?"
	ls
	END
	is "killed while writing: nothing is left" "$(apart)" "exit 153"
	cat >"$work/inside" <<-END
	"$gwctl" keygen "$work/disk/key" >/dev/full 2>err
	echo "exit \$?"
	tail -1 err
	rm err
	stat -c '%n %a %s' *
	"$gwctl" keygen "$work/disk/key" | cut -c 1-60
	stat -c '%n %a %s' *
	END
	is "stdout full: the key is whole, and told" "$(apart | sed "s/, give .*//")" \
		"exit 1
gwctl: cannot write the output: No space left on device
key 600 119
gwctl: $work/disk/key exists already and is not overwritten. \"gwctl pubkey $work/disk/key\" prints its public key. To rotate it: \"gwctl keygen $work/disk/key.new\"
key 600 119"
else
	is "full disk, read-only folder, kill" skip "no file system may be mounted here"
fi

echo "1..$count"
[ $failures = 0 ]
