#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What gwctl prints, and how it takes a gwd that misbehaves. TAP on stdout.
#
# A recorded answer ctl/NAME.json is served by fakegwd to the real gwctl; ctl/NAME.txt holds the command, the
# request that must reach gwd, what gwctl prints, and its exit status:
#
#	$ gwctl show branch1		"$ tty gwctl ..." runs it on a terminal
#	> {"verb":"show","tunnel":"branch1"}
#	... stdout, then stderr behind "2> "
#	exit 0
#
# GWCTL names another binary, UPDATE=1 writes the .txt files anew (read the difference before believing it).

set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/golden
gwctl=${GWCTL:-build/gwctl}
if [ ! -x "$gwctl" ]; then
	echo "Bail out! no $gwctl: make it first"
	exit 1
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
export LC_ALL=C.UTF-8 TERM=xterm
unset NO_COLOR
count=0
failures=0

ok() { # TEXT RESULT
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		failures=$((failures + 1))
		return 1
	fi
}

serve() { # MODE [ANSWER]
	rm -f "$work/gwd.sock" "$work/request"
	coproc FAKE { exec $here/fakegwd "$work" "$@" 2>&1; }
	# shellcheck disable=SC2153
	fake_pid=$FAKE_PID
	read -r -t 10 _ <&"${FAKE[0]}"
}

# gwctl has ended: whatever its gwd still waits for does not come.
served() {
	kill "$fake_pid" 2>/dev/null
	wait "$fake_pid" 2>/dev/null
}

run_command() { # [tty] gwctl ARGUMENTS...
	if [ "$1" = tty ]; then
		shift 2
		script -qec "$gwctl --run-dir $work $*" /dev/null >"$work/out" 2>"$work/err" </dev/null
	else
		shift
		"$gwctl" --run-dir "$work" "$@" >"$work/out" 2>"$work/err" </dev/null
	fi
}

golden() { # NAME
	local expected=$here/ctl/$1.txt command words status
	command=$(sed -n '1s/^\$ //p' "$expected")
	read -r -a words <<<"$command"
	serve answer "$here/ctl/$1.json"
	run_command "${words[@]}"
	status=$?
	served
	{
		echo "\$ $command"
		sed 's/^/> /' "$work/request"
		tr -d '\r' <"$work/out" | sed 's/\x1b/^[/g'
		sed 's/^/2> /' "$work/err"
		echo "exit $status"
	} >"$work/got"
	[ "${UPDATE:-}" = 1 ] && cp "$work/got" "$expected"
	diff -u "$expected" "$work/got" | sed 's/^/# /'
	ok "$command ($1)" "${PIPESTATUS[0]}"
}

# gwctl exits with 1 within the deadline (DEADLINE, 1 s) and says TEXT on stderr, or takes the answer without a word.
fault() { # MODE [TEXT]
	local status
	serve "$1"
	timeout 20 "$gwctl" --run-dir "$work" --timeout "${DEADLINE:-1}" status >"$work/out" 2>"$work/err" </dev/null
	status=$?
	served
	if [ $# = 2 ]; then
		[ "$status" = 1 ] && [ ! -s "$work/out" ] && grep -qF -- "$2" "$work/err"
	else
		[ "$status" = 0 ] && [ ! -s "$work/err" ] && grep -q 'no tunnels' "$work/out"
	fi
	ok "gwd's way: $1" $? || sed "s/^/# exit $status: /" "$work/err"
}

# Without gwd: gwctl's exit status and a text in its stdout or stderr.
alone() { # STATUS TEXT ARGUMENTS...
	local want=$1 text=$2 status
	shift 2
	"$gwctl" --run-dir "$work" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ "$status" = "$want" ] && cat "$work/out" "$work/err" | grep -qF -- "$text"
	ok "gwctl $*" $?
}

for answer in "$here"/ctl/*.json; do
	golden "$(basename "$answer" .json)"
done

fault mute "does not answer on $work/gwd.sock within 1 s"
fault mute-later 'does not answer'
fault half-then-mute 'does not answer'
fault greeting-garbage 'no JSON object'
fault greeting-other 'its greeting names no gwd'
fault greeting-array 'no JSON object'
fault greeting-endless 'a line without end'
fault protocol-2 'gwd 9.0.0 speaks protocol 2'
fault close-at-once 'before it answered'
fault close-early 'before it answered'
fault half-answer 'before it answered'
fault answer-garbage 'no JSON object'
# that it is 64 MB decides, not whether they come within a second
DEADLINE=10 fault answer-endless 'a line without end'
fault no-exit 'without an exit status'
fault exit-7 'without an exit status'
fault exit-text 'without an exit status'
fault refuse 'gave no reason'
fault slowly
fault progress
fault together

serve progress
run_command tty gwctl --timeout 1 status
served
grep -qF 'step 4 \x1b[2J' "$work/out"
ok 'progress is shown on a terminal, escaped' $?

rm -f "$work/gwd.sock"
alone 1 "gwd does not run (no $work/gwd.sock): start it with \"systemctl start gwd\" or \"gwd -c /etc/gwd/gwd.yaml\""
alone 1 'or "gwd -c /tmp/x.yaml"' -c /tmp/x.yaml status
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' "$work/gwd.sock"
alone 1 "gwd does not run (nobody listens on $work/gwd.sock)" status
chmod 600 "$work/gwd.sock"
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --clear-groups "$gwctl" --version >"$work/out" 2>&1; then
	setpriv --reuid 65534 --clear-groups "$gwctl" --run-dir "$work" status 2>&1 | grep -q 'group gwd'
	ok 'without the permission' $?
else
	ok 'without the permission # SKIP needs root and a gwctl that everyone may run' 0
fi

alone 1 'did you mean "restart"' restrat branch1
alone 1 'there is no verb elephant' elephant
alone 1 'which TUNNEL?' up
alone 1 'one word too many: b' show a b
alone 1 'one word too many: x' reload x
alone 1 '"gwctl --help" lists' --elephant
alone 1 '--timeout takes' --timeout 0 status
alone 1 '--timeout takes' --timeout 1x status
alone 1 'No such file' plan "$work/absent.yaml"
alone 1 "$work/absent.yaml" check "$work/absent.yaml"
alone 1 'not for zsh' completion zsh
alone 0 'Usage: gwctl' --help
alone 0 'Usage: gwctl [OPTION]... up TUNNEL' up --help
alone 0 'Usage: gwctl [OPTION]... plan [FILE]' help plan
alone 1 'did you mean "plan"' help plam
alone 0 'gwctl ' --version

"$gwctl" completion bash >"$work/completion" && bash -n "$work/completion"
ok 'the completion is bash' $?
# shellcheck disable=SC2016
completed=$(bash -c '. "$1"; COMP_WORDS=(gwctl re); COMP_CWORD=1; _gwctl; echo "${COMPREPLY[@]}"' - "$work/completion")
[ "$completed" = 'restart reload' ]
ok 'the completion knows the verbs' $?

key=$work/gwd.key
public=$("$gwctl" keygen "$key" 2>"$work/err")
ok 'keygen' $?
[[ $public =~ ^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$ ]] && grep -qF "$key" "$work/err"
ok 'keygen prints the public key and where the private one is' $?
[ "$(stat -c '%a %s' "$key")" = '600 119' ]
ok 'the key file is for its owner alone' $?
cp -p "$key" "$key.before"
alone 1 'is not overwritten' keygen "$key"
cmp -s "$key" "$key.before"
ok 'keygen overwrites nothing' $?
alone 0 "$public" pubkey "$key"
alone 0 "\"public_key\": \"$public\"" --json pubkey "$key"
if command -v openssl >/dev/null; then
	[ "$(openssl pkey -in "$key" -pubout | sed -n 2p)" = "$public" ]
	ok 'openssl reads the key and agrees' $?
	(umask 077 && openssl genpkey -algorithm ed25519 -out "$key.openssl")
	alone 0 "$(openssl pkey -in "$key.openssl" -pubout | sed -n 2p)" pubkey "$key.openssl"
else
	ok 'openssl reads the key and agrees # SKIP no openssl' 0
	ok 'gwctl reads a key of openssl # SKIP no openssl' 0
fi
chmod 644 "$key"
alone 1 'chmod 600' pubkey "$key"
alone 1 'does not exist' pubkey "$work/absent.key"

# seal: text for one gateway, secret from a file, standard input or a silent terminal
seal_in() { # STDIN ARGUMENT...
	local text=$1
	shift
	printf '%s' "$text" | "$gwctl" "$@" 2>"$work/err"
}
sealed=$(seal_in correct-horse seal --to "$public")
[[ $sealed =~ ^sealed:[A-Za-z0-9+/]{80,}=*$ ]] && [ ! -s "$work/err" ]
ok 'seal reads standard input' $?
[ "$(seal_in correct-horse seal --to "$public" -)" != "$sealed" ]
ok 'no two sealed texts are equal' $?
(umask 077 && echo correct-horse >"$work/secret")
[ "$("$gwctl" seal --to "$public" "$work/secret" | wc -c)" = $((${#sealed} + 1)) ]
ok "the line's end of a file is not sealed" $?
[ "$(seal_in correct-horse seal --to "$public" --json | tr -d ' \n' | sed 's/sealed:[^"]*/TEXT/')" = "{\"sealed\":\"TEXT\",\"public_key\":\"$public\"}" ]
ok 'seal --json' $?
alone 1 'does not belong on the command line' seal --to "$public" correct-horse
! grep -q correct-horse "$work/err"
ok 'which is not repeated' $?
alone 1 'a public key has 60 characters' seal --to abc
alone 1 '1 to 2048 bytes can be sealed, this has 0' seal --to "$public"
seal_in "$(head -c 3000 /dev/zero | tr '\0' x)" seal --to "$public" >"$work/out"
[ $? = 1 ] && grep -q '1 to 2048 bytes' "$work/err"
ok 'seal takes no more than 2048 bytes' $?
chmod 644 "$work/secret"
alone 1 'chmod 600' seal --to "$public" "$work/secret"
type_secret() { # when it is asked for
	for ((i = 0; i < 100; i++)); do
		! grep -q 'not shown' "$work/out" || break
		sleep 0.1
	done
	echo typed-secret
	sleep 0.5
}
: >"$work/out"
type_secret | script -qefc "$gwctl seal --to $public" /dev/null >>"$work/out" 2>/dev/null
grep -q '^sealed:' "$work/out" && ! grep -q typed-secret "$work/out"
ok 'a terminal does not show the secret' $?

"$gwctl" help >/dev/full 2>"$work/err"
[ $? = 1 ] && grep -q 'No space left' "$work/err"
ok 'a full disk is an error' $?
(sleep 0.5 && exec "$gwctl" help 2>"$work/err") | true
[ "${PIPESTATUS[0]}" = 1 ] && [ ! -s "$work/err" ]
ok 'a closed pipe is an error without words' $?

echo "1..$count"
[ "$failures" = 0 ]
