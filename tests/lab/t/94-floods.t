#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Somebody on the path between hq and branch sends again what he saw (ESP, IKE), sends broken IKE as branch and as himself, and
# floods hq with IKE_SA_INIT from thousands of addresses. All the while LAN to LAN traffic loses nothing and gets nothing twice, charon
# stays the same process with the same SAs, and a new branch and a rekey get through.
# long

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

RATE=50
HQ=198.51.100.1

# ARG...: an attack from the middle, to its end; prints how many packets it sent
attack() {
	lab_run inet build/tests/attack "$@" | sed -n 's/^sent=//p'
}

# COUNTER of hq
xfrm_stat() {
	lab_run hq awk -v c="$1" '$1 == c { print $2 }' /proc/net/xfrm_stat
}

# all that the kernel of hq did not take as ESP
xfrm_refused() {
	lab_run hq awk '/^XfrmIn/ { n += $2 } END { print n }' /proc/net/xfrm_stat
}

# charon's version, the tunnel's state, and the SA that it receives by, in one answer of hq
standing() {
	lab_gwctl hq --timeout 20 show branch1 --json |
		jq -r '.gateway.charon.version + " " + (.tunnels[0] | .state + " " + .child.spi_in)'
}

half_open() {
	lab_swanctl hq --stats | sed -n 's/.*IKE_SAs: .* \([0-9]*\) half-open.*/\1/p'
}

rekeys() {
	grep -c "outbound CHILD_SA gre{[0-9]*} established" "$LAB_DIR/branch/log/charon.log"
}

rekeys_are() {
	(($(rekeys) >= $1))
}

# NAME TUNNEL STATE, on hq
tunnel_is() {
	[ "$(lab_gwctl hq status --json | build/tests/pick "tunnels[name=$1].state")" = "$2" ]
}

# NAME: what holds after each attack
stands() {
	is "$1: charon is the same process" "$(lab_pid hq charon-systemd) $(kill -0 "$CHARON" && echo alive)" "$CHARON alive"
	is "$1: it answers, and the tunnel is up by the same SA" "$(standing)" "$STANDING"
}

# where packets end that are lost, by the kernel's word, a line for each counter that is not 0
counters() {
	local n

	for n in hq inet branch lanhq lanbranch; do
		lab_run $n awk -v n=$n '
			FILENAME ~ /xfrm_stat/ { if ($2) print n, $1, $2; next }
			FILENAME ~ /snmp/ && /^(Ip|Udp|Icmp):/ {
				if (!($1 in names)) { names[$1] = $0; next }
				split(names[$1], name)
				for (i = 2; i <= NF; i++)
					if ($i && name[i] ~ /Discards|Errors|NoRoutes|Fails|NoPorts|AddrErrors/) print n, $1, name[i], $i
				next
			}
			FILENAME ~ /dev$/ && $4 + $5 + $12 + $13 { print n, $1, "rx", $4, $5, "tx", $12, $13 }
			' /proc/net/{xfrm_stat,snmp,dev}
	done
	awk '$2 !~ /^0+$/ { print "softnet", NR, "drops", "0x" $2 } $3 !~ /^0+$/ { print "softnet", NR, "squeezed", "0x" $3 }' /proc/net/softnet_stat
}

# NAME
flows_start() {
	counters >"$LAB_DIR/before"
	lab_udp_start "there$1" lanhq lanbranch 10.2.0.2 $RATE
	lab_udp_start "back$1" lanbranch lanhq 10.1.0.2 $RATE
}

# NAME [LOST]: how many may be lost in each direction
flows_stop() {
	local d

	lab_udp_stop there"$1" back"$1"
	for d in there back; do
		diag "$SECONDS s: $1, $d: $(lab_udp_get $d"$1" sent) packets ($(lab_udp_get $d"$1" refused) refused), $(lab_udp_get $d"$1" lost) lost" \
			"(at $(lab_udp_get $d"$1" holes)), longest silence $(lab_udp_get $d"$1" maxgap_ms) ms"
		cmp_ok "$1, $d: there was traffic" "$(lab_udp_get $d"$1" sent)" '>' $RATE
		cmp_ok "$1, $d: lost" "$(lab_udp_get $d"$1" lost)" '<=' "${2-0}"
		is "$1, $d: none twice" "$(lab_udp_get $d"$1" dup)" 0
	done
	diag "counters since then: $(counters | diff "$LAB_DIR/before" - | sed -n 's/^> //p' | paste -sd,)"
}

lab_topology
lab_node late
lab_link late wan0 192.0.2.9/25 -- inet late0 192.0.2.1/25
lab_defaults late 192.0.2.1
sites_keys
lab_gwctl late keygen >/dev/null 2>&1
sites_conf
cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
  late:
    start: passive
    remote: 192.0.2.9
    peer: {id: late.example.net, public-key: $(site_pubkey late)}
    addresses: [10.255.9.1/30]
END
cat >"$LAB_DIR/late/gwd/gwd.yaml" <<-END
gateway: {id: late.example.net, local: wan0}
tunnels:
  hq:
    remote: $HQ
    peer: {id: hq.example.net, public-key: $(site_pubkey hq)}
    addresses: [10.255.9.2/30]
END
lab_capture_start ike inet hq0 2000 "udp port 500 or udp port 4500"
ok "charon and gwd start" lab_gateways hq branch
ok "up" lab_wait 40 site_is hq up
ok "there too" lab_wait 20 site_is branch up
lab_sleep 5	# surplus SAs of the beginning go
# the SPI comes with charon's list, after the tunnel
stands_whole() {
	[[ $(standing) =~ ^.+\ up\ [0-9a-f]+$ ]]
}
ok "its SA is known" lab_wait 20 stands_whole
CHARON=$(lab_pid hq charon-systemd)
STANDING=$(standing)

# ---- again
lab_capture_start esp inet hq0 2000 "ip proto 50 and src 203.0.113.7"
flows_start broken
lab_sleep 3
lab_capture_stop esp
lab_capture_stop ike
cmp_ok "ESP of branch was seen" "$(lab_capture_count esp "ip proto 50")" '>' 100
before=$(xfrm_stat XfrmInStateSeqError)
is "ESP is sent again" "$(attack replay "$LAB_DIR/capture/esp.pcap" 300 200)" 300
lab_sleep 1
cmp_ok "the replay window refuses it" $(($(xfrm_stat XfrmInStateSeqError) - before)) '>=' 300
before=$(xfrm_refused)
is "ESP with bits turned" "$(attack flip "$LAB_DIR/capture/esp.pcap" 300 200 7)" 300
lab_sleep 1
cmp_ok "is refused too" $(($(xfrm_refused) - before)) '>=' 300
cmp_ok "IKE was seen" "$(lab_capture_count ike "udp port 500")" '>=' 4
is "IKE is sent again, three times" "$(attack replay "$LAB_DIR/capture/ike.pcap" 60 60)" 60
is "and with bits turned" "$(attack flip "$LAB_DIR/capture/ike.pcap" 300 150 8)" 300
stands "ESP and IKE again"

# ---- broken
charon_read() {
	grep -cE 'parsing|could not|invalid|unsupported|no private key|ignoring' "$LAB_DIR/hq/log/charon.log"
}
before=$(charon_read)
is "broken IKE, as branch" "$(attack rubbish 203.0.113.7 $HQ 640 200 "${LAB_SEED:-1}")" 640
is "as himself" "$(attack rubbish 192.0.2.66 $HQ 320 200 "${LAB_SEED:-2}")" 320
is "and to branch, as hq" "$(attack rubbish $HQ 203.0.113.7 320 200 "${LAB_SEED:-3}")" 320
stands "broken IKE"
cmp_ok "charon read it" $(($(charon_read) - before)) '>' 100
flows_stop broken

# ---- flood
lab_capture_start flood inet hq0 96 -c 3000 "udp port 500"
flows_start flood
lab_spawn inet flood build/tests/attack flood $HQ 1000000 250
cookies() {
	lab_capture_count flood "src $HQ and udp[24] = 41 and udp[42:2] = 0x4006"
}
# how many addresses have sent
flooders() {
	tcpdump -nqr "$LAB_DIR/capture/flood.pcap" "dst $HQ and src net 100.64.0.0/10" 2>/dev/null | awk '{ print $3 }' | sort -u | wc -l
}
ok "3000 packets of it" lab_wait 60 lab_gone "$(lab_pid inet capture.flood)"
lab_capture_stop flood
cmp_ok "from many" "$(flooders)" '>' 1000
cmp_ok "hq asks for cookies" "$(cookies)" '>=' 20
diag "$SECONDS s: $(cookies) cookies, half-open: $(half_open)"
ok "a new branch starts in the flood" lab_charon_start late
ok "and its gwd" lab_gwd_start late
ok "it comes up" lab_wait 60 tunnel_is late up
ok "and carries" lab_wait 10 lab_run late ping -q -c1 -W2 10.255.9.1
is "and the first goes on by its SA" "$(standing)" "$STANDING"
flows_stop flood
# the flood must not take what a rekey is allowed elsewhere
flows_start rekey
n=$(rekeys)
lab_swanctl branch --rekey --child gre >/dev/null
ok "a rekey in the flood" lab_wait 30 rekeys_are $((n + 1))
lab_sleep 3
ok "the flood has not ended" kill -0 "$(lab_pid inet flood)"
lab_stop inet flood
flows_stop rekey $SITES_ALLOWED
# so does that of the new one
renewed() {
	local now

	now=$(standing)
	[[ $now =~ ^.+\ up\ [0-9a-f]+$ ]] && [ "$now" != "$STANDING" ]
}
ok "it is up by another SA" lab_wait 20 renewed
STANDING=$(standing)
stands flood
diag "$SECONDS s: half-open: $(half_open)"
done_testing
