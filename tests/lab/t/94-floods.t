#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# by name
#
# Somebody on the path between hq and branch sends again what he saw (ESP, IKE), sends broken IKE as branch and as himself, and
# floods hq with IKE_SA_INIT from thousands of addresses. All the while LAN to LAN traffic loses nothing and gets nothing twice, charon
# stays the same process with the same SAs, and a new branch and a rekey get through.

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

sa_in() {
	lab_gwctl hq show branch1 --json | build/tests/pick 'tunnels[0].child.spi_in'
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
	is "$1: and answers" "$(lab_gwctl hq version --json | build/tests/pick charon)" "$VERSION"
	is "$1: the tunnel is up" "$(lab_gwctl hq status --json | build/tests/pick 'tunnels[name=branch1].state')" up
	is "$1: by the same SA" "$(sa_in)" "$SPI"
}

# where packets end that are lost: by the kernel's word, of each node
drops() {
	local n

	for n in hq inet branch lanhq lanbranch; do
		echo "$n: $(lab_run $n awk '$2 { printf "%s %s ", $1, $2 }' /proc/net/xfrm_stat)" \
			"$(lab_run $n awk '/^Udp: [0-9]/ { print "udp errors", $4, $6 } /^Ip: [0-9]/ { print "ip", $5, $9, $10, $12 }' /proc/net/snmp | xargs)" \
			"$(ip -n $n -s -j link | jq -r '.[] | select(.stats64.rx.dropped + .stats64.tx.dropped > 0) | .ifname + " drops \(.stats64.rx.dropped) \(.stats64.tx.dropped)"' | xargs)"
	done
	echo "softnet drops: $(awk '{ print $2 }' /proc/net/softnet_stat | xargs)"
}

# NAME
flows_start() {
	lab_udp_start "there$1" lanhq lanbranch 10.2.0.2 $RATE
	lab_udp_start "back$1" lanbranch lanhq 10.1.0.2 $RATE
}

flows_stop() {
	local d

	for d in there back; do
		lab_udp_stop $d"$1"
		diag "$1, $d: $(lab_udp_get $d"$1" sent) packets, $(lab_udp_get $d"$1" lost) lost" \
			"(at $(lab_udp_get $d"$1" holes)), longest silence $(lab_udp_get $d"$1" maxgap_ms) ms"
		cmp_ok "$1, $d: there was traffic" "$(lab_udp_get $d"$1" sent)" '>' $RATE
		is "$1, $d: 0 lost, 0 twice" "$(lab_udp_get $d"$1" lost) $(lab_udp_get $d"$1" dup)" "0 0" || diag "$(drops)"
	done
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
for n in hq branch; do
	ok "charon of $n" lab_charon_start $n
	ok "gwd of $n" lab_gwd_start $n
done
ok "up" lab_wait 40 site_is hq up
ok "there too" lab_wait 20 site_is branch up
lab_sleep 5	# surplus SAs of the beginning go
CHARON=$(lab_pid hq charon-systemd)
VERSION=$(lab_gwctl hq version --json | build/tests/pick charon)
SPI=$(sa_in)

# ---- again
lab_capture_start esp inet hq0 2000 "ip proto 50 and src 203.0.113.7"
flows_start again
lab_sleep 3
lab_capture_stop esp
lab_capture_stop ike
cmp_ok "ESP of branch was seen" "$(lab_capture_count esp "ip proto 50")" '>' 100
before=$(xfrm_stat XfrmInStateSeqError)
is "ESP is sent again" "$(attack replay "$LAB_DIR/capture/esp.pcap" 600 200)" 600
lab_sleep 1
cmp_ok "the replay window refuses it" $(($(xfrm_stat XfrmInStateSeqError) - before)) '>=' 600
before=$(xfrm_refused)
is "ESP with bits turned" "$(attack flip "$LAB_DIR/capture/esp.pcap" 600 200 7)" 600
lab_sleep 1
cmp_ok "is refused too" $(($(xfrm_refused) - before)) '>=' 600
stands "ESP again"
cmp_ok "IKE was seen" "$(lab_capture_count ike "udp port 500")" '>=' 4
is "IKE is sent again, three times" "$(attack replay "$LAB_DIR/capture/ike.pcap" 60 20)" 60
is "and with bits turned" "$(attack flip "$LAB_DIR/capture/ike.pcap" 300 60 8)" 300
stands "IKE again"
flows_stop again

# ---- broken
flows_start broken
is "broken IKE, as branch" "$(attack rubbish 203.0.113.7 $HQ 1200 150 "${LAB_SEED:-1}")" 1200
is "as himself" "$(attack rubbish 192.0.2.66 $HQ 600 150 "${LAB_SEED:-2}")" 600
is "and to branch, as hq" "$(attack rubbish $HQ 203.0.113.7 600 150 "${LAB_SEED:-3}")" 600
stands "broken IKE"
cmp_ok "charon read it" "$(grep -cE 'parsing|could not|invalid|unsupported|no private key|ignoring' "$LAB_DIR/hq/log/charon.log")" '>' 100
flows_stop broken

# ---- flood
lab_capture_start flood inet hq0 256 "udp port 500"
flows_start flood
lab_spawn inet flood build/tests/attack flood $HQ 1000000 250
cookies() {
	lab_capture_count flood "src $HQ and udp[24] = 41 and udp[42:2] = 0x4006"
}
asks_for_cookies() {
	(($(cookies) >= 20))
}
ok "hq asks for cookies" lab_wait 20 asks_for_cookies
diag "half-open: $(half_open)"
ok "a new branch starts in the flood" lab_charon_start late
ok "and its gwd" lab_gwd_start late
ok "it comes up" lab_wait 60 tunnel_is late up
ok "and carries" lab_wait 10 lab_run late ping -q -c1 -W2 10.255.9.1
lab_sleep 3
is "gwctl answers" "$(lab_gwctl hq --timeout 5 status --json | build/tests/pick 'tunnels[name=branch1].state')" up
flows_stop flood
flows_start rekey
n=$(rekeys)
lab_swanctl branch --rekey --child gre >/dev/null
ok "a rekey in the flood" lab_wait 30 rekeys_are $((n + 1))
lab_sleep 3
lab_stop inet flood
flows_stop rekey
SPI=$(sa_in)
stands flood
lab_capture_stop flood
cmp_ok "control: the flood crossed, from many" \
	"$(tcpdump -nr "$LAB_DIR/capture/flood.pcap" "dst $HQ and src net 100.64.0.0/10" 2>/dev/null | awk '{ print $3 }' | sort -u | wc -l)" '>' 1000
diag "$(lab_capture_count flood "dst $HQ and src net 100.64.0.0/10") packets of the flood, $(cookies) cookies, half-open: $(half_open)"
done_testing
