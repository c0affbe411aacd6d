#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gwctl export: what export/NAME.yaml gives for each make is export/NAME.MAKE (the command, stdout behind "| ", stderr behind "2> ", and
# the exit status). And it is what its readers take: sh reads the scripts, nft the guard, Libreswan's parser the proposals, gwctl check
# the configuration for the other gwd, of which the export leads back. TAP on stdout. UPDATE=1 writes the files anew.

set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/golden/export
gwctl=${GWCTL:-build/gwctl}
[ -x "$gwctl" ] || { echo "Bail out! no $gwctl: make it first"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin
count=0 failures=0

ok() { # TEXT RESULT
	count=$((count + 1))
	[ "$2" = 0 ] || failures=$((failures + 1))
	[ "$2" = 0 ] || printf 'not '
	echo "ok $count - $1"
}

# a test of RESULT that needs PROGRAM
ok_with() { # PROGRAM TEXT COMMAND...
	local program=$1 text=$2
	shift 2
	if command -v "$program" >/dev/null; then
		"$@" >"$work/said" 2>&1
		ok "$text" $? || sed 's/^/# /' "$work/said"
	else
		ok "$text # SKIP no $program" 0
	fi
}

(umask 077; echo correct-horse-battery-staple >"$work/psk")
# a key that is the same each time: RFC 8410, 10.3
(umask 077; cat >"$work/gwd.key" <<-END
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
END
)

# NAME ALGORITHM [OPTION]: a certificate, of its own issue
certificate() {
	(umask 077; openssl genpkey -algorithm "$2" ${3+-pkeyopt "$3"} -out "$work/$1.key") &&
	openssl req -x509 -new -key "$work/$1.key" -subj "/O=Example/CN=hq" -days 900 -addext "subjectAltName=DNS:hq.example.net,DNS:partner.example.net" \
		-out "$work/$1.pem"
}
if ! certificate ec EC ec_paramgen_curve:P-256 || ! certificate ed25519 ed25519; then
	echo "Bail out! openssl makes no certificate"
	exit 1
fi
cp "$work/ec.pem" "$work/ca.pem"

# words in capitals, as a person would replace them
filled() { # FILE
	sed "s,ADDRESS-OF-THIS-GATEWAY,198.51.100.1,; s,ADDRESS-OF-THE-OTHER-SIDE,203.0.113.90,; s,ADDRESS-IN-THE-TUNNEL/24,10.255.90.2/24,
		s,ADDRESS-IN-THE-TUNNEL/64,2001:db8:fe::2/64,; s,/etc/gwd/[a-z]*\.p[ps]k,$work/psk,; s,^gateway:,&\n  key: $work/gwd.key,
		s,CERTIFICATE-FILE,$work/ec.pem,; s,KEY-FILE,$work/ec.key,; s,CA-FILE,$work/ca.pem," "$1"
}

guard() { # FILE
	sed -n "/^nft -f/,/^END/p" "$1" | sed '1d;$d' | sed "s/ADDRESS-OF-THIS-GATEWAY/198.51.100.1/"
}

# Without the right to nftables, or without them in the kernel, the rules are still parsed first: that is what is asked.
guard_parses() {
	guard "$1" >"$work/guard"
	[ -s "$work/guard" ] && ! nft -c -f "$work/guard" 2>&1 | grep -i 'syntax error'
}

algorithms() { # FILE KEY
	build/lab/libreswan/usr/libexec/ipsec/algparse -v2 -pfs "$(sed -n "s/^\t\($2=.*\)/\1/p" "$1")"
}

# NAME MAKE FILE: is it what that make reads?
reads() {
	case $2 in
	strongswan|libreswan)
		ok_with nft "$1 for $2: nft parses the guard" guard_parses "$3"
		;;&
	strongswan|libreswan|linux)
		ok_with sh "$1 for $2: sh parses it" sh -n "$3"
		;;
	gwd)
		filled "$3" >"$work/other.yaml"
		ok_with "$gwctl" "$1 for $2: gwctl check takes it" "$gwctl" check "$work/other.yaml"
		;;
	esac
	if [ "$2" = libreswan ] && [ -x build/lab/libreswan/usr/libexec/ipsec/algparse ]; then
		ok_with sh "$1: Libreswan knows the ike proposals" algorithms "$3" ike
		ok_with sh "$1: Libreswan knows the esp proposals" algorithms "$3" esp
	fi
}

for yaml in "$here"/*.yaml; do
	name=$(basename "$yaml" .yaml)
	sed "s,WORK,$work," "$yaml" >"$work/gwd.yaml"
	for make in strongswan libreswan linux gwd; do
		"$gwctl" -c "$work/gwd.yaml" export partner --for $make >"$work/out" 2>"$work/err"
		status=$?
		{
			echo "\$ gwctl export partner --for $make"
			sed 's/^/| /' "$work/out"
			sed 's/^/2> /' "$work/err"
			echo "exit $status"
		} | sed "s,$work,WORK,g" >"$work/got"
		[ "${UPDATE:-}" = 1 ] && cp "$work/got" "$here/$name.$make"
		diff -u "$here/$name.$make" "$work/got" | sed 's/^/# /'
		ok "$name for $make" "${PIPESTATUS[0]}"
		[ $status != 0 ] || reads "$name" $make "$work/out"
	done
done

# there and back: the other side's export is ours again
sed "s,WORK,$work," $here/psk.yaml >"$work/gwd.yaml"
"$gwctl" -c "$work/gwd.yaml" export partner --for gwd 2>/dev/null >"$work/there"
filled "$work/there" >"$work/there.yaml"
"$gwctl" -c "$work/there.yaml" export hq --for gwd 2>/dev/null >"$work/back"
filled "$work/back" >"$work/back.yaml"
"$gwctl" -c "$work/back.yaml" export partner --for gwd 2>/dev/null >"$work/there.again"
cmp -s "$work/there" "$work/there.again"
ok "the export of the export's export is the export" $?
! grep -q battery "$here"/*.*[!l]
ok "no secret is in any" $?

refused() { # TEXT ARGUMENTS...
	local text=$1
	shift
	"$gwctl" "$@" >"$work/out" 2>"$work/err"
	[ $? = 1 ] && [ ! -s "$work/out" ] && grep -qF -- "$text" "$work/err"
	ok "gwctl ${*//$work/WORK}" $?
}
refused '--for takes strongswan, libreswan, linux or gwd' -c "$work/gwd.yaml" export partner
refused 'did you mean "--for strongswan"' -c "$work/gwd.yaml" export partner --for strongswam
refused "there is no tunnel partnr in $work/gwd.yaml" -c "$work/gwd.yaml" export partnr --for gwd
refused 'which TUNNEL?' export --for gwd
refused 'absent.yaml' -c "$work/absent.yaml" export partner --for gwd

echo "1..$count"
[ "$failures" = 0 ]
