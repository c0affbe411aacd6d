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
	for n in hq branch; do
		lab_charon_start $n && lab_gwd_start $n ${LAB_GWD_ARGS-} || return
	done
	for n in hq branch; do
		lab_wait 30 site_is $n up || { diag "$(lab_gwctl $n)"; return 1; }
	done
}
