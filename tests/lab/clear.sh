# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Nothing in clear: canaries are sent all the while, the wire between the gateways is captured, and at the end, with all protection
# taken away, the same capture sees what it did not see before.
#
#	clear_watch			captures all that crosses between hq and inet, from now on
#	clear_flows [FROM TO ADDR]	canaries both ways LAN to LAN, or one way from node to node, from now on
#	clear_flows_end			no more of them: there were some
#	clear_none WHAT			so far no GRE in clear, of either family or in fragments, and no canary to be read
#	clear_control NODE ADDR		ends gwd and charon of hq and takes its policies, SAs and nftables tables away: canaries to ADDR,
#					which NODE has, are seen and read then, and so are fragments of GRE, over IPv6 too, by the
#					capture of before

CLEAR_RATE=20	# packets a second
CLEAR_GRE='ip proto 47 or ip6 protochain 47'
CLEAR_FLOWS=()

clear_watch() {
	lab_capture_start clear inet hq0 192
}

clear_flows() {
	if [ $# = 3 ]; then
		CLEAR_FLOWS+=("canary.$2")
		lab_udp_start "canary.$2" "$@" $CLEAR_RATE
		return
	fi
	clear_flows lanhq lanbranch 10.2.0.2 && clear_flows lanbranch lanhq 10.1.0.2
}

clear_flows_end() {
	local flow

	lab_udp_stop "${CLEAR_FLOWS[@]}"
	for flow in "${CLEAR_FLOWS[@]}"; do
		diag "$flow: sent $(lab_udp_get "$flow" sent), lost $(lab_udp_get "$flow" lost)"
		cmp_ok "$flow was sent all the while" "$(lab_udp_get "$flow" sent)" '>=' $((CLEAR_RATE * 2))
	done
	CLEAR_FLOWS=()
}

clear_none() {
	is "0 clear GRE packets: $1" "$(lab_capture_count clear "$CLEAR_GRE")" 0
	is "0 canaries to read: $1" "$(lab_capture_canary clear)" 0
}

# NODE FAMILY ADDR: GRE of nobody's, with a canary, too long for one packet
# shellcheck disable=SC2016 # of perl
clear_raw() {
	lab_run "$1" perl -MSocket=:all -e '
		my ($family, $to) = ($ARGV[0] eq "inet6" ? AF_INET6 : AF_INET, inet_pton($ARGV[0] eq "inet6" ? AF_INET6 : AF_INET, $ARGV[1]));
		socket(my $s, $family, SOCK_RAW, 47) or die "socket: $!\n";
		send($s, "\0\0\x88\xb5" . "GWDCANARY" x 250, 0,
			$family == AF_INET6 ? pack_sockaddr_in6(0, $to) : pack_sockaddr_in(0, $to)) or die "send: $!\n";' "$2" "$3"
}

# NODE ADDR
clear_control() {
	clear_flows_end
	lab_gwd_stop hq
	lab_charon_stop hq
	lab_run hq nft flush ruleset
	ip -n hq xfrm policy flush
	ip -n hq xfrm state flush
	lab_udp_start control hq "$1" "$2" 100
	lab_sleep 1
	lab_udp_stop control
	ok "GRE of nobody's is sent" clear_raw hq inet 192.0.2.9
	[ -z "$(ip -n hq -6 route show default)" ] || ok "and over IPv6" clear_raw hq inet6 2001:db8:f7::7
	lab_capture_stop clear
	cmp_ok "ESP crossed before" "$(lab_capture_count clear 'ip proto 50 or udp port 4500')" '>' 10
	cmp_ok "unprotected, the same capture sees GRE" "$(lab_capture_count clear 'ip proto 47')" '>=' 20
	cmp_ok "and reads it" "$(lab_capture_canary clear)" '>=' 20
	is "and sees fragments" "$(lab_capture_count clear 'ip proto 47 and dst 192.0.2.9')" 2
	[ -z "$(ip -n hq -6 route show default)" ] ||
		is "over IPv6 too" "$(lab_capture_count clear 'ip6[6] == 44 and ip6 protochain 47')" 2
}
