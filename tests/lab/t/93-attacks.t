#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# by name
#
# What comes out of the tunnels of hq, when somebody sends GRE that is not theirs. In clear: over IPv4 and IPv6, with keys and without,
# as from a peer, from its other addresses and from nobody; towards `remote: any`, before its peer called and after. In ESP: a peer with
# valid keys of its own sends GRE of another tunnel by them, with that one's key or from that one's address. Nothing comes out; when
# what holds is taken away, the same packets do.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/callers.sh
. tests/lab/callers.sh

# the passengers of who lies have this address: nobody else has
LIAR=10.66.0.66
HQ=198.51.100.1 HQ6=2001:db8:f1::1
PINGS=10

# IFACE: packets with the liar's address that came out of it so far (or of any)
came_out() {
	lab_run hq tcpdump -nr "$LAB_DIR/capture/inner.pcap" 2>/dev/null | grep -c "${1+ $1 }"
}

# NODE NAME TYPE LOCAL REMOTE [OPTION...]: pings through a GRE device of one's own with the liar's address
send() {
	local node=$1 type=$3

	ip -n "$node" -batch - <<-END
	link add lie type $type local $4 remote $5 ttl 64 ${@:6}
	addr add $LIAR/32 dev lie
	link set lie up
	route replace 10.255.0.0/16 dev lie src $LIAR
	END
	lab_run "$node" ping -q -c $PINGS -i 0.02 -W 0.3 10.255.1.1 >/dev/null 2>&1
	ip -n "$node" link del lie
}

# NAME TYPE LOCAL REMOTE [OPTION...]: it crosses in clear, and does not come out of anything
lie() {
	local before crossed

	before=$(came_out)
	crossed=$(lab_capture_count clear "src $3")
	send liar "$@"
	cmp_ok "$1: it was sent in clear" $(($(lab_capture_count clear "src $3") - crossed)) '>=' $PINGS
	is "$1: nothing came out" $(($(came_out) - before)) 0
}

# NAME TYPE LOCAL REMOTE [OPTION...]: it comes out, for nothing protects
control() {
	local before

	before=$(came_out)
	send liar "$@"
	cmp_ok "control, $1: it comes out" $(($(came_out) - before)) '>=' $PINGS
}

# COUNTER of hq
xfrm_stat() {
	lab_run hq awk -v c="$1" '$1 == c { print $2 }' /proc/net/xfrm_stat
}

# SRC DST TUNNEL: what b knows of its own SA for TUNNEL towards hq: SPI ALGORITHM KEY ICV
own_sa() {
	local spi

	spi=0x$(lab_gwctl b show "$3" --json | jq -r '.tunnels[0].policy.spi')
	ip -n b xfrm state list src "$1" dst "$2" spi "$spi" |
		awk -v spi="$spi" '$1 == "aead" { aead = $2 " " $3 " " $4 } / flag.* esn/ { esn = "esn" } END { print spi, aead, esn }'
}

# NAME SRC DST TYPE [OPTION...]: by the SA of b in SA, in ESP as from SRC
OSEQ=100000
forge() {
	local spi algorithm key icv esn

	read -r spi algorithm key icv esn <<<"$SA"
	OSEQ=$((OSEQ + 1000))
	ip -n mallory xfrm state add src "$2" dst "$3" proto esp spi "$spi" reqid 1 mode transport replay-window 0 \
		replay-oseq $OSEQ aead "$algorithm" "$key" "$icv" ${esn:+flag esn} || diag "no SA: $SA"
	ip -n mallory xfrm policy add src "$2" dst "$3" proto 47 dir out tmpl proto esp reqid 1 mode transport
	send mallory "$1" "$4" "$2" "$3" "${@:5}"
	ip -n mallory xfrm policy flush
	ip -n mallory xfrm state flush
}

# NAME SRC DST TYPE [OPTION...]: it crosses as ESP, is decrypted, and does not come out; COUNTER (or none, "") counts it
forged() {
	local before crossed counted

	before=$(came_out)
	crossed=$(lab_capture_count esp "src $2")
	counted=$(xfrm_stat "${COUNTER:-XfrmInError}")
	forge "$@"
	cmp_ok "$1: it was sent in ESP" $(($(lab_capture_count esp "src $2") - crossed)) '>=' $PINGS
	is "$1: nothing came out" $(($(came_out) - before)) 0
	[ -z "${COUNTER-}" ] ||
		cmp_ok "$1: $COUNTER counts it" $(($(xfrm_stat "$COUNTER") - counted)) '>=' $PINGS
	[ "$(xfrm_stat XfrmInStateProtoError)" = 0 ] || diag "$1: $(xfrm_stat XfrmInStateProtoError) were no valid ESP"
}

# NAME IFACE SRC DST TYPE [OPTION...]: it comes out of IFACE
forged_out() {
	local before

	before=$(came_out "$2")
	forge "$1" "${@:3}"
	cmp_ok "control, $1: it comes out of $2" $(($(came_out "$2") - before)) '>=' $PINGS
}

b_up() {
	local t

	for t in red blue red6 blue6; do
		state hq $t up && state b $t up || return
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
lab_capture_start inner hq any 256 "host $LIAR"
# Linux adds destination options to GRE over IPv6 unless it is told not to
lab_capture_start clear inet hq0 256 "ip proto 47 or (ip6 and (ip6[6] = 47 or (ip6[6] = 60 and ip6[40] = 47)))"
lab_capture_start esp inet hq0 128 "proto 50 or ip6 proto 50"
ok "hq and b start" start hq b
ok "four tunnels are up" wait_b

# ---- in clear
is "hq waits for a" "$(get hq to-a .state)" down
lie "as a, before it called" gre 203.0.113.7 $HQ
lie "as nobody, before a called" gre 192.0.2.130 $HQ
ok "a calls" start a
ok "up" wait_both a
lie "as a, after it called" gre 203.0.113.7 $HQ
lie "with a key as a" gre 203.0.113.7 $HQ key 1
lie "from a's neighbour" gre 203.0.113.8 $HQ
lie "as b with the key of red" gre 192.0.2.9 $HQ key 1
lie "as b without a key" gre 192.0.2.9 $HQ
lie "as nobody with the key of red" gre 192.0.2.130 $HQ key 1
lie "over IPv6 as b with the key of red6" ip6gre 2001:db8:b::9 $HQ6 key 3 encaplimit none
lie "over IPv6 with the destination options that Linux adds" ip6gre 2001:db8:b::9 $HQ6 key 3
lie "over IPv6 from b's neighbour" ip6gre 2001:db8:b::10 $HQ6 key 3 encaplimit none
lie "over IPv6 as nobody without a key" ip6gre 2001:db8:e::66 $HQ6 encaplimit none
control "plain GRE as its peer" gre 192.0.2.80 $HQ

# ---- in ESP of another tunnel: mallory has b's keys, as root of b has
SA=$(own_sa 192.0.2.9 $HQ blue)
like "b's own SA" "$SA" '^0x[0-9a-f]+ rfc4106\(gcm\(aes\)\) 0x[0-9a-f]+ 128'
forged_out "blue by blue's SA" blue 192.0.2.9 $HQ gre key 2
COUNTER=XfrmInTmplMismatch forged "red by blue's SA" 192.0.2.9 $HQ gre key 1
COUNTER='' forged "without a key by blue's SA" 192.0.2.9 $HQ gre
COUNTER=XfrmInStateMismatch forged "from a's address by blue's SA" 203.0.113.7 $HQ gre
COUNTER=XfrmInStateMismatch forged "from the plain peer's address by blue's SA" 192.0.2.80 $HQ gre
SA=$(own_sa 2001:db8:b::9 $HQ6 blue6)
forged_out "blue6 by blue6's SA" blue6 2001:db8:b::9 $HQ6 ip6gre key 4 encaplimit none
COUNTER=XfrmInTmplMismatch forged "red6 by blue6's SA" 2001:db8:b::9 $HQ6 ip6gre key 3 encaplimit none
COUNTER=XfrmInStateMismatch forged "from another address by blue6's SA" 2001:db8:b::10 $HQ6 ip6gre key 4 encaplimit none
ok "all tunnels are up as before" wait_b
ok "a's too" both_up a
SA4=$(own_sa 192.0.2.9 $HQ blue) SA6=$(own_sa 2001:db8:b::9 $HQ6 blue6)

# ---- what holds is taken away
lab_gwd_kill hq
ip -n hq xfrm policy flush
SA=$SA4
forged_out "red by blue's SA, without policies" red 192.0.2.9 $HQ gre key 1
COUNTER=XfrmInStateMismatch forged "from a's address by blue's SA, without policies" 203.0.113.7 $HQ gre
SA=$SA6
forged_out "red6 by blue6's SA, without policies" red6 2001:db8:b::9 $HQ6 ip6gre key 3 encaplimit none
lie "as a, the guard alone" gre 203.0.113.7 $HQ
lie "over IPv6 as b, the guard alone" ip6gre 2001:db8:b::9 $HQ6 key 3 encaplimit none
lab_run hq nft delete table inet gwd
control "as a" gre 203.0.113.7 $HQ
control "as b with the key of red" gre 192.0.2.9 $HQ key 1
control "over IPv6 as b with the key of red6" ip6gre 2001:db8:b::9 $HQ6 key 3 encaplimit none
control "over IPv6 with destination options" ip6gre 2001:db8:b::9 $HQ6 key 3
ok "gwd starts again" lab_gwd_start hq
ok "and closes it" wait_b
lie "as a, once more" gre 203.0.113.7 $HQ
lie "over IPv6 as b, once more" ip6gre 2001:db8:b::9 $HQ6 key 3 encaplimit none
SA=$(own_sa 192.0.2.9 $HQ blue)
COUNTER=XfrmInTmplMismatch forged "red by blue's SA, once more" 192.0.2.9 $HQ gre key 1
for c in inner clear esp; do lab_capture_stop $c; done
is "the captures are whole" "$(find "$LAB_DIR/capture" -name '*.void')" ""
done_testing
