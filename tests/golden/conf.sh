#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Golden tests of the configuration's diagnostics: tests/golden/conf/NAME.yaml goes through
# "gwctl check", and what that prints must be NAME.expected. NAME.parts/ holds the tunnels.d of a
# case. The shipped examples must be well. GOLDEN_UPDATE=1 writes what was printed as what is
# expected. Output is TAP.
#
# Key files are made in a folder whose name is as long as the one the cases name, so that carets
# stand where they did.
# long
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
gwctl=$(realpath "${GWCTL:-$root/build/gwctl}")
cases=$here/conf
named=/tmp/gwdconf.000000
folder=$(mktemp -d /tmp/gwdconf.XXXXXX) || exit 99
trap 'rm -rf "$folder"' EXIT
n=0 failed=0

verdict() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

csr_make() { # NAME IDENTITY
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$folder/$1.key" -out "$folder/$1.csr" \
		-subj "/CN=$1" -addext "subjectAltName=DNS:$2"
}

cert_make() { # NAME DAYS IDENTITY
	csr_make "$1" "$3" &&
		openssl x509 -req -in "$folder/$1.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial \
			-days "$2" -copy_extensions copy -out "$folder/$1.pem"
}

cert_make_between() { # NAME IDENTITY FROM UNTIL
	printf '[ca]\ndefault_ca = d\n[d]\ndatabase = %s/index.txt\nnew_certs_dir = %s\n%s\n[p]\ncommonName = supplied\n' "$folder" "$folder" \
		$'default_md = sha256\nrand_serial = yes\npolicy = p\ncopy_extensions = copy' >"$folder/ca.cnf"
	: >"$folder/index.txt"
	csr_make "$1" "$2" &&
		openssl ca -batch -notext -config "$folder/ca.cnf" -keyfile "$folder/ca.key" -cert "$folder/ca.pem" -in "$folder/$1.csr" \
			-startdate "$3" -enddate "$4" -out "$folder/$1.pem"
}

crl_make() { # NAME EXTENSIONS DAYS
	printf '[ca]\ndefault_ca = d\n[d]\ndatabase = %s/index.txt\ndefault_md = sha256\n%s\n[e]\nauthorityKeyIdentifier = keyid\n' \
		"$folder" "$2" >"$folder/ca.cnf"
	: >"$folder/index.txt"
	openssl ca -config "$folder/ca.cnf" -keyfile "$folder/ca.key" -cert "$folder/ca.pem" -gencrl -crlsec 1 -out "$folder/$1"
}

certs_make() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$folder/ca.key" \
		-out "$folder/ca.pem" -subj /CN=CA -days 3650 &&
		cert_make hq 900 hq.example.net && cert_make late -1 hq.example.net && cert_make other 900 x.example.net &&
		cert_make_between early hq.example.net 20490101000000Z 20991231235959Z &&
		cert_make_between soon hq.example.net 20200101000000Z "$(date -u -d '+10 days' +%Y%m%d%H%M%SZ)" &&
		crl_make bare.crl "" && crl_make late.crl "crl_extensions = e" && sleep 1.5
}

# Files that stand where the gateway's key should. Only what gwd looks at is real.
wrong_keys_make() {
	openssl pkey -in "$folder/gwd.key" -aes256 -passout pass:secret -out "$folder/locked.key" &&
		openssl pkey -in "$folder/hq.key" -traditional -out "$folder/ec.key" || exit 99
	printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n' AAAA >"$folder/openssh.key"
	sed '/END/d' "$folder/gwd.key" >"$folder/cut.key"
	sed 's/^MC/!!/' "$folder/gwd.key" >"$folder/damaged.key"
	{ # version 2 of PKCS#8, with the public key (RFC 5958)
		echo "-----BEGIN PRIVATE KEY-----"
		{
			printf '\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20'
			head -c 32 /dev/zero
			printf '\x81\x21\0'
			head -c 32 /dev/zero
		} | base64 -w 64
		echo "-----END PRIVATE KEY-----"
	} >"$folder/second.key"
	head -c 65537 /dev/zero >"$folder/large.key"
	head -c $((1024 * 1024 + 1)) /dev/zero >"$folder/large.pem"
}

keys_make() {
	umask 077
	openssl genpkey -algorithm ed25519 -out "$folder/gwd.key" 2>/dev/null &&
		openssl pkey -in "$folder/gwd.key" -pubout -out "$folder/public.key" &&
		openssl genpkey -algorithm ed448 -out "$folder/ed448.key" 2>/dev/null || exit 99
	openssl rand -base64 24 >"$folder/partner.psk"
	certs_make >/dev/null 2>&1 || exit 99
	wrong_keys_make
	echo guess >"$folder/short.psk"
	echo >"$folder/newline.psk"
	: >"$folder/empty.psk"
	echo "shared key" >"$folder/blank.key"
	echo "16,is-the_most.1" >"$folder/ospf.key"
	cp "$folder/partner.psk" "$folder/open.psk"
	chmod 644 "$folder/open.psk"
}

check() { # FILE, in the folder $folder/run
	(
		cd "$folder/run" || exit 99
		timeout 60 "$gwctl" check "$1" 2>&1
		echo "exit $?"
	) | sed "/^gwd.service runs as the user gwd,/d; s|$folder|$named|g; s/on 20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]/on DATE/"
}

compare() { # NAME OUTPUT
	if [ "${GOLDEN_UPDATE:-0}" = 1 ]; then
		printf '%s\n' "$2" >"$cases/$1.expected"
	fi
	diff -u "$cases/$1.expected" <(printf '%s\n' "$2") | sed 's/^/# /'
	[ "${PIPESTATUS[0]}" -eq 0 ]
	verdict $? "$1"
}

run_new() {
	rm -rf "$folder/run"
	mkdir "$folder/run"
}

case_file() { # NAME
	run_new
	sed "s|$named|$folder|g" "$cases/$1.yaml" >"$folder/run/$1.yaml"
	if [ -d "$cases/$1.parts" ]; then
		cp -r "$cases/$1.parts" "$folder/run/tunnels.d"
		sed -i "s|$named|$folder|g" "$folder"/run/tunnels.d/*
	fi
	compare "$1" "$(check "$1.yaml")"
}

# What no file in the tree can be.
case_special() {
	run_new
	compare file-absent "$(check file-absent.yaml)"
	mkdir "$folder/run/file-folder.yaml"
	compare file-folder "$(check file-folder.yaml)"
	mkfifo "$folder/run/file-fifo.yaml"
	compare file-fifo "$(check file-fifo.yaml)"
	head -c $((16 * 1024 * 1024 + 1)) /dev/zero | tr '\0' '#' >"$folder/run/file-large.yaml"
	compare file-large "$(check file-large.yaml)"
	echo 'tunnels: {}' >"$folder/run/parts-file.yaml"
	: >"$folder/run/tunnels.d"
	compare parts-file "$(check parts-file.yaml)"
	rm "$folder/run/tunnels.d"
	mkdir "$folder/run/tunnels.d"
	(cd "$folder/run/tunnels.d" && seq -f '%g.yaml' 16385 | xargs touch)
	mv "$folder/run/parts-file.yaml" "$folder/run/parts-many.yaml"
	compare parts-many "$(check parts-many.yaml)"
}

case_example() { # FILE
	local name output
	name=$(basename "$1")
	run_new
	sed "s|/etc/gwd|$folder|g" "$1" >"$folder/run/$name"
	# The default key file is the machine's own: name the one made here.
	grep -q 'key: /' "$folder/run/$name" ||
		sed -i "s|^gateway:|&\n  key: $folder/gwd.key|" "$folder/run/$name"
	output=$(check "$name")
	[[ $output == "$name: well, "*"exit 0" && $output != *warning* ]]
	verdict $? "example $name"
	[[ $output == *"exit 0" ]] || printf '%s\n' "$output" | sed 's/^/# /'
}

[ -x "$gwctl" ] || { echo "Bail out! no $gwctl"; exit 99; }
keys_make
for file in "$cases"/*.yaml; do
	case_file "$(basename "$file" .yaml)"
done
case_special
for file in "$root"/dist/examples/*.yaml; do
	case_example "$file"
done
echo "1..$n"
exit $failed
