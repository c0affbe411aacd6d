#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What "gwctl frr" prints: frr/NAME.yaml goes through it, and stdout must be frr/NAME.conf, which vtysh must take (a dry run of
# FRR's own parser). Its first line may name a tunnel: "# frr TUNNEL". Then what gwctl tells of OSPF's neighbours: fakegwd and
# fakefrr answer it, with frr/ospfd.json and frr/ospf6d.json, and stdout must be frr/NAME.txt. UPDATE=1 writes .conf and .txt
# anew. TAP on stdout.

set -u
cd "$(dirname "$0")/../.." || exit 1
cases=tests/golden/frr
gwctl=$(realpath "${GWCTL:-build/gwctl}")
[ -x "$gwctl" ] || { echo "Bail out! no $gwctl: make it first"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
secret='k!y#$%&(1)[;]<>~' # what FRR's parser could take for something else
count=0 failures=0

verdict() { # STATUS TEXT
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failures=$((failures + 1))
	fi
}

frr() { # FILE [TUNNEL]: stdout and stderr in $work/out and $work/err
	"$gwctl" -c "$1" frr ${2+"$2"} >"$work/out" 2>"$work/err" </dev/null
}

vtysh_takes() { # FILE
	timeout 60 vtysh -C -f "$1" >"$work/vtysh" 2>&1
}

# Without the right to read FRR's own configuration vtysh complains, and parses nothing.
if echo 'interface x' >"$work/probe" && vtysh_takes "$work/probe"; then
	has_vtysh=1
	echo ' ip ospf elephant' >>"$work/probe"
	! vtysh_takes "$work/probe" && grep -q elephant "$work/vtysh"
	verdict $? "vtysh tells what it does not know"
else
	has_vtysh=
fi

well() { # NAME
	local words
	sed "s,/etc/gwd/,$work/," "$cases/$1.yaml" >"$work/$1.yaml"
	read -r -a words < <(sed -n '1s/^# frr//p' "$cases/$1.yaml")
	frr "$work/$1.yaml" ${words[@]+"${words[@]}"}
	verdict $? "$1: well"
	[ ! -s "$work/err" ]
	verdict $? "$1: nothing on stderr" || sed 's/^/# /' "$work/err"
	[ "${UPDATE:-}" = 1 ] && cp "$work/out" "$cases/$1.conf"
	diff -u "$cases/$1.conf" "$work/out" | sed 's/^/# /'
	verdict "${PIPESTATUS[0]}" "$1: as expected"
	if [ -n "$has_vtysh" ]; then
		vtysh_takes "$work/out"
		verdict $? "$1: vtysh takes it"
		sed 's/^/# /' "$work/vtysh"
	else
		verdict 0 "$1: vtysh takes it # SKIP no vtysh that reads a file"
	fi
}

example() { # FILE
	sed "s,^gateway:,&\n  key: $work/gwd.key," "$1" >"$work/example.yaml"
	frr "$work/example.yaml" && grep -q '^interface ' "$work/out" && { [ -z "$has_vtysh" ] || vtysh_takes "$work/out"; }
	verdict $? "$(basename "$1"): vtysh takes what is printed"
}

bad() { # TEXT FILE [TUNNEL]
	local text=$1 status
	shift
	frr "$@"
	status=$?
	[ $status = 1 ] && [ ! -s "$work/out" ] && grep -qF -- "$text" "$work/err"
	verdict $? "refused: $text" || sed 's/^/# /' "$work/err"
}

"$gwctl" keygen "$work/gwd.key" >/dev/null 2>&1
(umask 077 && echo "$secret" >"$work/ospf.key")
for file in "$cases"/*.yaml; do
	well "$(basename "$file" .yaml)"
done
for file in dist/examples/ospf-*.yaml; do
	example "$file"
done

bad "there is no tunnel nowhere in $work/all.yaml" "$work/all.yaml" nowhere
bad 'lab has no ospf block' "$work/all.yaml" lab
sed '/ospf/,$d' "$work/one.yaml" >"$work/none.yaml"
bad 'has an ospf block: "ospf: {area: 0}"' "$work/none.yaml"
bad 'cannot be opened' "$work/absent.yaml"
sed 's/area: 0/area: x/' "$work/one.yaml" >"$work/wrong.yaml"
bad 'no OSPF area' "$work/wrong.yaml"

# the key is in the output of this verb alone
for verb in frr check; do
	"$gwctl" -c "$work/all.yaml" $verb >"$work/$verb.out" 2>"$work/$verb.err"
done
grep -qF "$secret" "$work/frr.out"
verdict $? "frr prints the key"
! cat "$work/frr.err" "$work/check.out" "$work/check.err" | grep -qF "$secret"
verdict $? "check does not"
(umask 077 && echo "$secret too long" >"$work/ospf.key")
bad 'more than 16 characters' "$work/all.yaml"
! grep -qF "$secret" "$work/err"
verdict $? "a bad key is not shown"
echo "$secret" >"$work/ospf.key"

"$gwctl" -c "$work/all.yaml" frr >/dev/full 2>"$work/err"
[ $? = 1 ] && grep -q 'No space left' "$work/err"
verdict $? "a full disk is an error"
! grep -qF "$secret" "$work/err"
verdict $? "which does not tell the key"

# what gwctl tells of neighbours, from a gwd and an FRR that are not there
start() { # PROGRAM ARGUMENTS...: its number in $started
	local i
	: >"$work/ready"
	"$@" >>"$work/ready" 2>&1 &
	started=$!
	for ((i = 0; i < 100; i++)); do
		grep -q ready "$work/ready" && break
		sleep 0.1
	done
}
asked() { # MODE ANSWER-OF-GWD GWCTL-ARGUMENTS...: gwctl's output in $work/out
	local mode=$1 answer=$2 frr_pid
	shift 2
	start tests/golden/fakefrr "$work/frr" "$mode" $cases/ospfd.json $cases/ospf6d.json
	frr_pid=$started
	rm -f "$work/gwd.sock"
	start tests/golden/fakegwd "$work" answer "tests/golden/ctl/$answer.json"
	"$gwctl" --run-dir "$work" --frr-dir "$work/frr" "$@" >"$work/out" 2>"$work/err" </dev/null
	kill "$started" "$frr_pid" 2>/dev/null
	wait "$started" "$frr_pid" 2>/dev/null
}
neighbours() { # NAME, then as asked
	local name=$1
	shift
	asked answer "$@"
	[ "${UPDATE:-}" = 1 ] && cp "$work/out" "$cases/$name.txt"
	diff -u "$cases/$name.txt" "$work/out" | sed 's/^/# /'
	verdict "${PIPESTATUS[0]}" "$name: ${*:2}"
	[ ! -s "$work/err" ]
	verdict $? "$name: nothing on stderr"
}
neighbours neighbours-status status status
neighbours neighbours-show show-up show branch1
neighbours neighbours-json show-up --json show branch1
for mode in mute endless close half garbage list types; do
	asked $mode show-up show branch1
	[ ! -s "$work/err" ] && grep -q '^  child ' "$work/out" && ! grep -q ospf "$work/out"
	verdict $? "an FRR of the kind \"$mode\" is as none"
done

echo "1..$count"
exit $((failures != 0))
