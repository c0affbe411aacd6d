#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The documents against the code: gwd.yaml(5) has each key of conf/schema.c with its range, gwctl(8) each verb and option of gwctl
# help, gwd(8) each option of gwd --help, doc/ARCHITECTURE.md each source file, and none has more; the pages build without a
# warning; the examples called complete are well. In a page the line "; complete example" stands before such an example, in
# README.md "<!-- complete example -->". TAP on stdout.

set -u
cd "$(dirname "$0")/../.." || exit 1
gwctl=${GWCTL:-build/gwctl} gwd=${GWD:-build/gwd}
for program in "$gwctl" "$gwd"; do
	[ -x "$program" ] || { echo "Bail out! no $program: make it first"; exit 1; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
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

# shellcheck disable=SC2016 # expanded inside
none() { # TEXT FINDINGS
	ok "$1" bash -c '[ -z "$1" ] || { echo "$1"; false; }' - "$2"
}

# the schema as "page name" of each key, and its range as the page writes it
schema_keys() {
	perl -0777 -ne '
		my %prefix = (TOP => "", PART => "", TUNNEL => "", DEFAULTS => "", GATEWAY => "gateway.", CHARON => "charon.",
			PEER => "peer.", PPK => "ppk.", IKE => "ike.", ESP => "esp.", ROUTE => "routes.", OSPF => "ospf.",
			OSPF_AUTHENTICATION => "ospf.authentication.",
			GRE_KEYS => "gre-key.");
		sub seconds {
			my $n = shift;
			return "0" unless $n;
			for (["d", 86400], ["h", 3600], ["m", 60]) { return $n / $_->[1] . $_->[0] unless $n % $_->[1] }
			return $n . "s";
		}
		sub volume { # of KiB
			my ($n, $unit) = (shift, "K");
			for ("M", "G", "T") { ($n, $unit) = ($n / 1024, $_) if $n % 1024 == 0 }
			return $n . $unit;
		}
		s/UINT32_MAX/4294967295/g; s/DAY/86400/g;
		while (/\{"([a-z-]+)", (AT\((\w+)\)|BOTH)[^{}]*?, SCHEMA_(\w+)([^{}]*)\}/g) {
			my ($name, $place, $type, $rest) = ($1, $3 // "TUNNEL", $4, $5);
			my ($min, $max) = $rest =~ /\.min = (\d+), \.max = ([\d* ]+)/;
			$max = eval $max if defined $max;
			($min, $max) = (seconds($min), seconds($max)) if defined $max && $type eq "DURATION";
			($min, $max) = (volume($min), volume($max)) if defined $max && $type eq "VOLUME";
			print $prefix{$place} . $name, defined $max ? "\t$min to $max" : "", "\n";
		}' conf/schema.c | sort -u
}

# the entry of a key: its line and what is indented below it
entry() { # KEY
	awk -v head="*$1*" '/^[^\t]/ { on = $1 == head } on' doc/gwd.yaml.5.scd
}

# the first words in bold at the beginning of lines, of the sections that describe keys, verbs, or options
heads() { # PAGE SECTION...
	local page=$1 section
	shift
	for section; do
		awk -v want="# $section" '/^# / { on = $0 == want } on' "$page"
	done | grep -oE '^\*[^*]+\*(, \*[^*]+\*)*' | grep -oE '[^*, ]+'
}

schema_keys >"$work/keys"
ok "the schema was understood" test "$(wc -l <"$work/keys")" -ge 35
while IFS=$'\t' read -r key range; do
	ok "gwd.yaml(5) has $key${range:+, $range}" grep -qF "${range:-$key}" <(entry "$key")
done <"$work/keys"
none "gwd.yaml(5) has no key that the schema has not" \
	"$(heads doc/gwd.yaml.5.scd "THE TOP LEVEL" GATEWAY CHARON TUNNELS | sort -u | comm -23 - <(cut -f1 "$work/keys" | sort -u))"

$gwctl help | sed -n '/^$/,/^$/s/^  \([a-z]\+\) .*/\1/p' | sort -u >"$work/verbs"
ok "gwctl help was understood" test "$(wc -l <"$work/verbs")" -ge 10
none "gwctl(8) has the verbs of gwctl help, and no other" \
	"$(heads doc/gwctl.8.scd VERBS | sort -u | diff - "$work/verbs")"
options() {
	sed -n 's/^ *\(-[^ ,]\+\)\(, \(--[a-z-]\+\)\)\?.*/\1\n\3/p' | sed '/^$/d' | sort -u
}
$gwctl help | options >"$work/options"
ok "gwctl's options were understood" grep -qx -e --json "$work/options"
none "gwctl(8) has the options of gwctl help, and no other" \
	"$(heads doc/gwctl.8.scd OPTIONS | sort -u | diff - "$work/options")"
$gwd --help | options >"$work/options"
ok "gwd's options were understood" grep -qx -e --run-dir "$work/options"
none "gwd(8) has the options of gwd --help, and no other" \
	"$(heads doc/gwd.8.scd OPTIONS | sort -u | diff - "$work/options")"

for page in doc/*.scd; do
	name=$(basename "$page" .scd)
	scdoc <"$page" >"$work/$name" 2>"$work/warnings"
	none "$name builds without a warning" "$(cat "$work/warnings")"
	ok "$name is not empty" test -s "$work/$name"
	if command -v groff >/dev/null; then
		none "groff takes $name" "$(groff -man -t -Tutf8 -ww "$work/$name" 2>&1 >/dev/null)"
	fi
done

# each source file has its place in the picture, and each place its file
while read -r folder; do
	none "doc/ARCHITECTURE.md has the files of $folder/, and no other" "$(diff <(
		awk -v folder="$folder/" '/^### / { on = index($0, folder) } on && /^\| .*\.c/ { sub(/^\| /, ""); sub(/ \|.*/, ""); print }' \
			doc/ARCHITECTURE.md | tr -d ' ' | tr , '\n' | sed "/\//{/^$folder\//!d}; s,.*/,," | sort) <(
		cd "$folder" && printf '%s\n' *.c | sort))"
done < <(printf '%s\n' daemon conf gre xfrm guard ike ctl lib)

# the examples of a file, each into a file of its own; keys and pre-shared keys are made here
$gwctl keygen "$work/gwd.key" >/dev/null 2>&1
(umask 077; for f in partner.psk hq-branch.ppk; do head -c 32 /dev/urandom | base64 >"$work/$f"; done)
sealed=$(head -c 24 /dev/urandom | base64 | $gwctl seal --to "$($gwctl pubkey "$work/gwd.key")")
{ # a company's CA, its CRL, and a certificate of hq
	cd "$work" || exit 1
	printf '%s\n' "[ca]" "default_ca=c" "[c]" "database=index" "crlnumber=number" "default_md=sha256" "default_crl_days=30" \
		"crl_extensions=e" "[e]" "authorityKeyIdentifier=keyid" "[v]" "subjectAltName=DNS:hq.example.net" >ca.cnf
	: >index
	echo 01 >number
	openssl req -x509 -newkey ed25519 -noenc -keyout ca.key -out company-ca.pem -days 3650 -subj "/CN=Example CA"
	openssl req -newkey ed25519 -noenc -keyout hq-tls.key -out hq.csr -subj "/CN=hq.example.net"
	openssl x509 -req -in hq.csr -CA company-ca.pem -CAkey ca.key -days 365 -extfile ca.cnf -extensions v -out hq.pem
	openssl ca -gencrl -config ca.cnf -keyfile ca.key -cert company-ca.pem -out company-ca.crl
	chmod 600 hq-tls.key
	cd "$OLDPWD" || exit 1
} >"$work/openssl.log" 2>&1
examples() { # FILE MARK
	awk -v mark="$2" -v to="$work/example." '
		$0 == mark { waits = 1; next }
		/^```/ && on { on = 0; next }
		/^```/ && waits { on = 1; waits = 0; n++; next }
		on { print >(to n) }' "$1"
}
check_examples() { # FILE MARK LEAST
	local n=0 f

	rm -f "$work"/example.*
	examples "$1" "$2"
	for f in "$work"/example.*; do
		[ -e "$f" ] || continue
		n=$((n + 1))
		sed -i "s,/etc/gwd/,$work/,; /^  key: /d; s,^gateway:,&\n  key: $work/gwd.key,; s,sealed:.*,$sealed," "$f"
		ok "$1: complete example $n is well" "$gwctl" check "$f"
		none "$1: complete example $n has no warning" "$("$gwctl" check "$f" 2>&1 | grep -i warning)"
	done
	ok "$1 has complete examples" test $n -ge "$3"
}
check_examples doc/gwd.yaml.5.scd "; complete example" 15
check_examples README.md "<!-- complete example -->" 2

echo "1..$count"
exit $((failures != 0))
