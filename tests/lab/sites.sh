# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The two sites most lab tests use, hq and branch of lab_topology: keys, configurations, and what is asked of them.
#
#	sites_keys			a key for each
#	sites_conf [TEXT]		the configurations; TEXT goes into the tunnel of both sides
#	sites_up [TEXT]			keys, configurations, charon and gwd (with $LAB_GWD_ARGS) on both, and the tunnel up
#	site_is NODE STATE		the state of the tunnel towards the other
#	site_tunnel NODE		the tunnel's name: branch1 on hq, hq on branch
#	site_ike_sas NODE		numbers of the IKE_SAs; site_one_ike_sa NODE: there is one
#	site_anew NODE			how often its gwd has authenticated anew; site_anew_since NODE N: more than N times
#	sites_flows NAME		packets both ways LAN to LAN
#	sites_flows_judge NAME N	ends them: through N new IKE_SAs they lost nothing

SITES_RATE=50	# packets a second: enough to see a gap of 0.1 s
SITES_ALLOWED=2	# packets per new IKE_SA and direction: where all is emulated a process may stand still for longer than the margin

site_tunnel() {
	if [ "$1" = hq ]; then echo branch1; else echo hq; fi
}

sites_keys() {
	local n

	for n in hq branch; do
		[ -e "$LAB_DIR/$n/gwd/gwd.key" ] || lab_gwctl $n keygen >/dev/null 2>&1
	done
}

site_pubkey() {
	lab_gwctl "$1" pubkey
}

sites_conf() {
	local more=${1-}

	cat >"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	gateway:
	  id: hq.example.net
	  local: wan0
	tunnels:
	  branch1:
	    remote: 203.0.113.7
	    peer: {id: branch.example.net, public-key: $(site_pubkey branch)}
	    addresses: [10.255.0.1/30, 2001:db8:ff::1/64]
	    routes: [10.2.0.0/24]
	$more
	END
	cat >"$LAB_DIR/branch/gwd/gwd.yaml" <<-END
	gateway:
	  id: branch.example.net
	  local: wan0
	tunnels:
	  hq:
	    remote: 198.51.100.1
	    peer: {id: hq.example.net, public-key: $(site_pubkey hq)}
	    addresses: [10.255.0.2/30, 2001:db8:ff::2/64]
	    routes: [10.1.0.0/24]
	$more
	END
}

site_is() {
	[ "$(lab_gwctl "$1" status --json | build/tests/pick "tunnels[name=$(site_tunnel "$1")].state")" = "$2" ]
}

sites_up() {
	local n

	sites_keys
	sites_conf "${1-}"
	lab_gateways hq branch || return
	for n in hq branch; do
		lab_wait 30 site_is $n up || { diag "$(lab_gwctl $n)"; return 1; }
	done
}

site_ike_sas() {
	lab_swanctl "$1" --list-sas | sed -n 's/^gwd-[^:]*: #\([0-9]*\), .*/\1/p' | sort -n | tr '\n' ' '
}

site_one_ike_sa() {
	[[ "$(site_ike_sas "$1")" =~ ^[0-9]+\ $ ]]
}

site_anew() {
	grep -c ': authenticated anew' "$LAB_DIR/$1/log/gwd.log"
}

site_anew_since() {
	[ "$(site_anew "$1")" -gt "$2" ]
}

sites_flows() {
	lab_udp_start "$1.out" lanhq lanbranch 10.2.0.2 $SITES_RATE
	lab_udp_start "$1.back" lanbranch lanhq 10.1.0.2 $SITES_RATE
}

sites_flows_judge() {
	local f

	lab_udp_stop "$1.out" "$1.back"
	for f in "$1.out" "$1.back"; do
		diag "$f: sent $(lab_udp_get "$f" sent), lost $(lab_udp_get "$f" lost) (at $(lab_udp_get "$f" holes))," \
			"longest gap $(lab_udp_get "$f" maxgap_ms) ms"
		cmp_ok "$f: packets went" "$(lab_udp_get "$f" received)" '>' 100
		cmp_ok "$f: lost nothing" "$(lab_udp_get "$f" lost)" '<=' $((SITES_ALLOWED * $2))
	done
}
