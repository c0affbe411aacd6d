#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gwctl, whose memory runs out at each of its allocations in turn (build/tests/memory.so), alone and for good: it prints all that it prints
# otherwise, or fails with a word about it, never half of it with status 0, never by a signal, and no key file is left half written. TAP on
# stdout. (libfyaml 0.8 does not outlive a failed allocation of its own; those are not counted.)
# long

set -u
cd "$(dirname "$0")/../.." || exit 1
gwctl=${GWCTL:-build/gwctl}
preload=build/tests/memory.so
make --no-print-directory -s $preload >&2 && [ -x "$gwctl" ] || { echo "Bail out! no $gwctl or $preload: make them first"; exit 1; }
work=$(mktemp -d) || exit 1
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
unset NO_COLOR NOTIFY_SOCKET
count=0 failures=0
MOST=3000	# allocations of one run; more is a loop

result() { # NAME WHY: "" is well
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		failures=$((failures + 1))
		echo "not ok $count - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# what one run does that it must not: N CHECK COMMAND...
wrong() {
	local n=$1 check=$2 r
	shift 2
	rm -f "$work/hit"
	LD_PRELOAD=$PWD/$preload GWD_MEMORY=$n GWD_MEMORY_HIT=$work/hit "$@" >"$work/out" 2>"$work/err" <"$work/in"
	r=$?
	if [ $r -gt 2 ]; then
		echo "allocation $n: status $r: $(tail -1 "$work/err")"
	elif [ $r = "$whole" ] && ! cmp -s "$work/out" "$work/whole" && [ "$check" = true ]; then
		echo "allocation $n: status $r, but other output: $(diff "$work/whole" "$work/out" | head -5)"
	elif [ $r != "$whole" ] && [ ! -s "$work/err" ]; then
		echo "allocation $n: status $r, and no word"
	fi
	[ ! -e "$work/hit" ] || $check "$r" "$n"
}

anew() {
	:
}

# a key that is there is whole
key_is_whole() {
	if [ -e "$work/key" ]; then
		"$gwctl" pubkey "$work/key" >/dev/null 2>&1 || echo "allocation $2: half a key"
	elif [ "$1" = 0 ]; then
		echo "allocation $2: status 0 and no key"
	fi
	rm -f "$work/key"
	[ "$(find "$work" -name '*key*')" = "" ] || { echo "allocation $2: left behind: $(ls "$work")"; rm -f "$work"/*key*; }
}

# NAME CHECK COMMAND...
each() {
	local name=$1 check=$2 n found more out
	shift 2
	for more in "" 1; do
		found=
		LD_PRELOAD='' "$@" >"$work/whole" 2>/dev/null <"$work/in"
		whole=$?
		rm -f "$work/key"
		for ((n = 1; n < MOST; n++)); do
			out=$([ -z "$more" ] || export GWD_MEMORY_ALL=1; wrong $n "$check" "$@")
			[ -z "$out" ] || found+=${found:+$'\n'}$out
			[ -e "$work/hit" ] || break
		done
		rm -f "$work/key"
		[ $n -gt 1 ] && [ $n -lt $MOST ] || found+="$n allocations"
		result "$name${more:+, and all behind it}: $((n - 1)) allocations" "$(head -5 <<<"$found")"
	done
}

# answers each that asks alike
serve() {
	rm -f "$work/gwd.sock"
	perl -MIO::Socket::UNIX -e '
		my ($at, $file) = @ARGV;
		open(my $in, "<", $file) or die; my $answer = join("", <$in>); $answer =~ s/\n\s*//g;
		my $s = IO::Socket::UNIX->new(Local => $at, Listen => 8) or die;
		$SIG{PIPE} = "IGNORE";
		while (my $c = $s->accept) {
			$c->autoflush;
			print $c qq({"gwd": "0.1.0", "protocol": 1}\n);
			my $line = <$c>;
			print $c "$answer\n" if defined $line;
		}' "$work/gwd.sock" "$1" &
	server=$!
	for _ in {1..100}; do
		[ ! -S "$work/gwd.sock" ] || return
		sleep 0.05
	done
}

: >"$work/in"
each "help" true "$gwctl" help
each "completion" true "$gwctl" completion bash
each "status, and no gwd" true "$gwctl" --run-dir "$work/none" status
each "keygen" key_is_whole "$gwctl" keygen "$work/key"
"$gwctl" keygen "$work/that" >/dev/null 2>&1
each "pubkey" true "$gwctl" pubkey "$work/that"
each "pubkey of no key" true "$gwctl" pubkey /dev/null
echo "a secret of some length" >"$work/in"
each "seal" anew "$gwctl" seal --to "$("$gwctl" pubkey "$work/that")"
each "check" true "$gwctl" check dist/examples/plain-gre.yaml
for verb in "status branch1" "show branch1" plan; do
	case $verb in
	status*)	serve tests/golden/ctl/status-one.json ;;
	show*)	serve tests/golden/ctl/show-up.json ;;
	plan)	serve tests/golden/ctl/plan.json ;;
	esac
	# shellcheck disable=SC2086 # words
	each "$verb" true "$gwctl" --run-dir "$work" $verb
	kill $server
	wait $server 2>/dev/null
	server=
done
echo "1..$count"
exit $((failures != 0))
