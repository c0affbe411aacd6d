#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What comes out of the tunnels of hq, when somebody sends GRE that is not theirs. In clear: over IPv4 and IPv6, with keys and without,
# as from a peer, from its other addresses and from nobody; towards `remote: any`, before its peer called and after. In ESP: a peer with
# valid keys of its own sends GRE of another tunnel by them, with that one's key or from that one's address. Nothing comes out; when
# what holds is taken away, the same packets do.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/callers.sh
. tests/lab/callers.sh

# the passengers of who lies have an address of 10.66.0.0/24: nobody else has, and each lie has another
HQ=198.51.100.1 HQ6=2001:db8:f1::1
PINGS=5
LIES=0
READY=() TARGETS=()	# what `send` will send: commands of `ip -batch`, addresses to ping
ASKED=()	# what is to be looked for in the captures: clear|esp LIE IFACE|any|none NAME

# HOW IFACE NAME TYPE LOCAL REMOTE [OPTION...]: a GRE device of one's own, for the next `send`, crosses as HOW and comes out of IFACE
lie_by() {
	local n=$((++LIES))

	ASKED+=("$1 $n $2 $3")
	TARGETS+=("10.255.100.$n")
	READY+=("link add lie$n group 66 type $4 local $5 remote $6 ttl 64 ${*:7}" "addr add 10.66.0.$n/32 dev lie$n"
		"link set lie$n up" "route add 10.255.100.$n/32 dev lie$n src 10.66.0.$n")
}

# NAME TYPE LOCAL REMOTE [OPTION...]: it crosses in clear, and does not come out of anything
lie() {
	lie_by clear none "$@"
}

# the same; and it comes out, for nothing protects
control() {
	lie_by clear any "$@"
}

# SRC DST: what is ready between these leaves in ESP by the SA of b in $SA; each `send` has sequence numbers of its own
forge() {
	local spi algorithm key icv esn

	read -r spi algorithm key icv esn <<<"$SA"
	READY+=("xfrm state add src $1 dst $2 proto esp spi $spi reqid 1 mode transport replay-window 32 replay-oseq $((LIES * 1000)) ${esn:+flag esn} aead $algorithm $key $icv"
		"xfrm policy add src $1 dst $2 proto 47 dir out tmpl proto esp reqid 1 mode transport")
}

# NODE [COUNTER N]: all that is ready, at once; XfrmIn... of hq counts N packets of it
send() {
	local before

	[ $# = 1 ] || before=$(xfrm_stat "$2")
	printf '%s\n' "${READY[@]}" | ip -n "$1" -batch -
	# shellcheck disable=SC2016
	lab_run "$1" bash -c 'for a; do ping -q -c '$PINGS' -i 0.02 -W 0.2 "$a" >/dev/null & done; wait' - "${TARGETS[@]}"
	printf '%s\n' "link del group 66" "xfrm policy flush" "xfrm state flush" | ip -n "$1" -batch -
	READY=() TARGETS=()
	[ $# = 1 ] || ok "$2 counts $3" lab_wait 2 xfrm_stat_is "$2" $((before + $3))
}

# how many packets of each lie are in which capture, and where they came out: "clear LIE N", "IFACE LIE N", "esp SRC N"
found() {
	local c

	for c in clear inner esp; do
		lab_run hq tcpdump -nr "$LAB_DIR/capture/$c.pcap" 2>/dev/null | awk -v c=$c '
			c == "esp" { n[c " " $3]++; next }
			match($0, /10\.66\.0\.[0-9]+ > 10\.255/) {
				split(substr($0, RSTART), a, /[. ]/)
				n[(c == "inner" ? $2 : c) " " a[4]]++
			}
			END { for (i in n) print i, n[i] }'
	done
}

# WHERE LIE
found_in() {
	awk -v w="$1" -v l="$2" '($1 == w || (w == "any" && $1 != "clear" && $1 != "esp")) && $2 == l { n += $3 } END { print n + 0 }' "$LAB_DIR/found"
}

judge() {
	local asked how lie iface name

	found >"$LAB_DIR/found"
	for asked in "${ASKED[@]}"; do
		read -r how lie iface name <<<"$asked"
		[ "$how" = esp ] || cmp_ok "$name: it crossed in clear" "$(found_in clear "$lie")" '>=' $PINGS
		if [ "$iface" = none ]; then
			is "$name: nothing came out" "$(found_in any "$lie")" 0
		else
			cmp_ok "control, $name: it came out of $iface" "$(found_in "$iface" "$lie")" '>=' $PINGS
		fi
	done
	diag "$(sort "$LAB_DIR/found" | paste -sd,)"
}

# COUNTER of hq
xfrm_stat() {
	lab_run hq awk -v c="$1" '$1 == c { print $2 }' /proc/net/xfrm_stat
}

# SRC DST TUNNEL: what b knows of its own SA for TUNNEL towards hq: SPI ALGORITHM KEY ICV
own_sa() {
	local spi

	spi=0x$(lab_gwctl b show "$3" --json | build/tests/pick 'tunnels[0].policy.spi')
	ip -n b xfrm state list src "$1" dst "$2" spi "$spi" |
		awk -v spi="$spi" '$1 == "aead" { aead = $2 " " $3 " " $4 } / flag.* esn/ { esn = "esn" } END { print spi, aead, esn }'
}

# COUNTER N: it has reached N
xfrm_stat_is() {
	(($(xfrm_stat "$1") >= $2))
}

b_up() {
	local n t text

	for n in hq b; do
		text=$(lab_gwctl $n status --json)
		for t in red blue red6 blue6; do
			[ "$(build/tests/pick "tunnels[name=$t].state" <<<"$text")" = up ] || return
		done
	done
}

wait_b() {
	lab_wait 60 b_up || { diag "$(lab_gwctl hq; lab_gwctl b)"; return 1; }
}

lab_node hq inet a b liar mallory
lab_router inet
lab_link hq wan0 $HQ/24 $HQ6/64 -- inet hq0 198.51.100.254/24 2001:db8:f1::fe/64
lab_link a wan0 203.0.113.7/24 -- inet a0 203.0.113.254/24
lab_link b wan0 192.0.2.9/25 2001:db8:b::9/64 -- inet b0 192.0.2.1/25 2001:db8:b::fe/64
lab_link liar eth0 192.0.2.130/26 2001:db8:e::66/64 -- inet liar0 192.0.2.129/26 2001:db8:e::fe/64
lab_link mallory eth0 192.0.2.194/26 2001:db8:c::66/64 -- inet mal0 192.0.2.193/26 2001:db8:c::fe/64
lab_defaults hq 198.51.100.254 2001:db8:f1::fe
lab_defaults a 203.0.113.254
lab_defaults b 192.0.2.1 2001:db8:b::fe
lab_defaults liar 192.0.2.129 2001:db8:e::fe
lab_defaults mallory 192.0.2.193 2001:db8:c::fe
for n in liar mallory; do
	lab_link_batch lo {203.0.113.7,203.0.113.8,192.0.2.9,192.0.2.80}/32 {2001:db8:b::9,2001:db8:b::10}/128 | ip -n $n -batch -
done
keys hq a b
hub_begin
hub_tunnel to-a a 1
# hq: to b two tunnels over IPv4 and two over IPv6, told apart by key; and plain GRE to somebody
for node in hq b; do
	[ $node = hq ] || printf '%s\n' "gateway: {id: b.example.net, local: wan0}" tunnels: >"$LAB_DIR/b/gwd/gwd.yaml"
	side=$([ $node = hq ] && echo 1 || echo 2) i=2
	for t in "red 1 192.0.2.9 $HQ" "blue 2 192.0.2.9 $HQ" "red6 3 2001:db8:b::9 $HQ6" "blue6 4 2001:db8:b::9 $HQ6"; do
		read -r name key of_b of_hq <<<"$t"
		[ $node = hq ] && peer=b remote=$of_b || peer=hq remote=$of_hq
		cat >>"$LAB_DIR/$node/gwd/gwd.yaml" <<-END
		  $name:
		    remote: $remote
		    gre-key: $key
		    id: $node-$name
		    peer: {id: $peer-$name, public-key: $(lab_gwctl $peer pubkey)}
		    addresses: [10.255.$i.$side/30]
		END
		i=$((i + 1))
	done
done
cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
  plain: {remote: 192.0.2.80, protect: none, addresses: [10.255.8.1/30]}
END
caller_conf a 1 $HQ
lab_capture_start inner hq any 256 "net 10.66.0.0/24"
# Linux adds destination options to GRE over IPv6 unless it is told not to
lab_capture_start clear inet hq0 256 "ip proto 47 or (ip6 and (ip6[6] = 47 or (ip6[6] = 60 and ip6[40] = 47)))"
lab_capture_start esp inet hq0 128 "proto 50 or ip6 proto 50"
ok "hq and b start" start hq b
ok "four tunnels are up" wait_b

# ---- in clear
is "hq waits for a" "$(get hq to-a .state)" down
lie "as a, before it called" gre 203.0.113.7 $HQ
lie "as nobody, before a called" gre 192.0.2.130 $HQ
send liar
ok "a calls" start a
ok "up" wait_both a
lie "as a, after it called" gre 203.0.113.7 $HQ
lie "with a key as a" gre 203.0.113.7 $HQ key 1
lie "from a's neighbour" gre 203.0.113.8 $HQ
lie "as b with the key of red" gre 192.0.2.9 $HQ key 1
lie "as b without a key" gre 192.0.2.9 $HQ
lie "as nobody with the key of red" gre 192.0.2.130 $HQ key 1
lie "over IPv6 as b with the key of red6" ip6gre 2001:db8:b::9 $HQ6 key 3 encaplimit none
lie "over IPv6 from b's neighbour" ip6gre 2001:db8:b::10 $HQ6 key 3 encaplimit none
lie "over IPv6 as nobody without a key" ip6gre 2001:db8:e::66 $HQ6 encaplimit none
control "plain GRE as its peer" gre 192.0.2.80 $HQ
send liar
lie "over IPv6 with the destination options that Linux adds" ip6gre 2001:db8:b::9 $HQ6 key 3
send liar

# ---- in ESP of another tunnel: mallory has b's keys, as root of b has
B=192.0.2.9 B6=2001:db8:b::9
SA4=$(own_sa $B $HQ blue) SA6=$(own_sa $B6 $HQ6 blue6)
like "b's own SA" "$SA4" '^0x[0-9a-f]+ rfc4106\(gcm\(aes\)\) 0x[0-9a-f]+ 128'
lie_by esp blue "blue by blue's SA" gre $B $HQ key 2
lie_by esp none "red by blue's SA" gre $B $HQ key 1
lie_by esp none "without a key by blue's SA" gre $B $HQ
lie_by esp blue6 "blue6 by blue6's SA" ip6gre $B6 $HQ6 key 4 encaplimit none
lie_by esp none "red6 by blue6's SA" ip6gre $B6 $HQ6 key 3 encaplimit none
SA=$SA4 forge $B $HQ
SA=$SA6 forge $B6 $HQ6
send mallory XfrmInTmplMismatch $((2 * PINGS))
lie_by esp none "from a's address by blue's SA" gre 203.0.113.7 $HQ
lie_by esp none "from another address by blue6's SA" ip6gre 2001:db8:b::10 $HQ6 key 4 encaplimit none
SA=$SA4 forge 203.0.113.7 $HQ
SA=$SA6 forge 2001:db8:b::10 $HQ6
send mallory XfrmInStateMismatch $((2 * PINGS))
lie_by esp none "from the plain peer's address by blue's SA" gre 192.0.2.80 $HQ
SA=$SA4 forge 192.0.2.80 $HQ
send mallory XfrmInStateMismatch $PINGS
ok "all tunnels are up as before" wait_b
ok "a's too" both_up a

# ---- what holds is taken away
lab_gwd_kill hq
ip -n hq xfrm policy flush
lie_by esp red "red by blue's SA, without policies" gre $B $HQ key 1
lie_by esp red6 "red6 by blue6's SA, without policies" ip6gre $B6 $HQ6 key 3 encaplimit none
SA=$SA4 forge $B $HQ
SA=$SA6 forge $B6 $HQ6
send mallory
lie_by esp none "from a's address by blue's SA, without policies" gre 203.0.113.7 $HQ
SA=$SA4 forge 203.0.113.7 $HQ
send mallory XfrmInStateMismatch $PINGS
lie "as a, the guard alone" gre 203.0.113.7 $HQ
lie "over IPv6 as b, the guard alone" ip6gre $B6 $HQ6 key 3 encaplimit none
send liar
lab_run hq nft delete table inet gwd
control "as a" gre 203.0.113.7 $HQ
control "as b with the key of red" gre $B $HQ key 1
control "over IPv6 as b with the key of red6" ip6gre $B6 $HQ6 key 3 encaplimit none
send liar
control "over IPv6 with destination options" ip6gre $B6 $HQ6 key 3
send liar
ok "gwd starts again" lab_gwd_start hq
ok "and closes it" wait_b
lie "as a, once more" gre 203.0.113.7 $HQ
lie "over IPv6 as b, once more" ip6gre $B6 $HQ6 key 3 encaplimit none
send liar
SA=$(own_sa $B $HQ blue)
lie_by esp none "red by blue's SA, once more" gre $B $HQ key 1
forge $B $HQ
send mallory XfrmInTmplMismatch $PINGS
is "no ESP was invalid" "$(xfrm_stat XfrmInStateProtoError)" 0
for c in inner clear esp; do lab_capture_stop $c; done
is "the captures are whole" "$(find "$LAB_DIR/capture" -name '*.void')" ""
judge
cmp_ok "ESP as from a crossed" "$(found_in esp 203.0.113.7)" '>=' $((2 * PINGS))
cmp_ok "and as from the plain peer" "$(found_in esp 192.0.2.80)" '>=' $PINGS
diag "$SECONDS s"
done_testing
