# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A hub, hq, that peers call (`remote: any`), and what is asked of them.
#
#	hub_begin			the configuration of hq, anew
#	hub_tunnel NAME NODE N [LINE...]	a tunnel towards NODE, N its number in the addresses; lines of YAML added to it
#	caller_conf NODE N REMOTE [LINE...]	NODE's configuration: tunnel hq, towards REMOTE
#	keys NODE...			a key for each
#	start NODE...			charon and gwd; that of the first answers before the others start and call it
#	get NODE TUNNEL PATH		of the tunnel's status (tests/lab/pick.c); PATH begins with a dot
#	state NODE TUNNEL STATE		is that its state?
#	both_up NODE [SECONDS]		hq and NODE say up
#	wait_both NODE			the same, waiting for it

hub_begin() {
	cat >"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	gateway:
	  id: hq.example.net
	  local: wan0
	defaults:
	  ike: {dpd-delay: 2s}
	tunnels:
	END
}

hub_tunnel() {
	cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	  $1:
	    remote: any
	    peer: {id: $2.example.net, public-key: $(lab_gwctl "$2" pubkey)}
	    addresses: [10.255.$3.1/30]
	END
	[ $# = 3 ] || printf '    %s\n' "${@:4}" >>"$LAB_DIR/hq/gwd/gwd.yaml"
}

caller_conf() {
	cat >"$LAB_DIR/$1/gwd/gwd.yaml" <<-END
	gateway:
	  id: $1.example.net
	  local: wan0
	defaults:
	  ike: {dpd-delay: 2s}
	tunnels:
	  hq:
	    remote: $3
	    peer: {id: hq.example.net, public-key: $(lab_gwctl hq pubkey)}
	    addresses: [10.255.$2.2/30]
	END
	[ $# = 3 ] || printf '    %s\n' "${@:4}" >>"$LAB_DIR/$1/gwd/gwd.yaml"
}

keys() {
	local n

	for n; do
		lab_gwctl "$n" keygen >/dev/null 2>&1
	done
}

start() {
	local n

	lab_charon_start "$@" && lab_gwd_start "$1" || return
	for n in "${@:2}"; do
		lab_gwd_spawn "$n" || return
	done
	lab_gwd_await "${@:2}"
}

get() {
	lab_gwctl "$1" status --json | build/tests/pick "tunnels[name=$2]$3"
}

state() {
	[ "$(get "$1" "$2" .state)" = "$3" ]
}

both_up() {
	state hq "to-$1" up && state "$1" hq up
}

wait_both() {
	lab_wait "${2-40}" both_up "$1" || { diag "$(lab_gwctl hq; lab_gwctl "$1")"; return 1; }
}
