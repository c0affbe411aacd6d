#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pre-shared keys: they authenticate, a wrong one is named on both sides, a new one is used after a reload. And gwctl's changing
# verbs with their exit statuses, up to teardown, which removes all of ours and nothing of others.

# shellcheck source=tests/lab/lib.sh disable=SC2317
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh
# shellcheck source=tests/lab/clear.sh
. tests/lab/clear.sh

psk_write() {
	(umask 077; echo "$2" >"$LAB_DIR/$1/gwd/psk")
}

# NODE OWN-ID TUNNEL REMOTE PEER-ID ADDRESS ROUTE
psk_conf() {
	cat >"$LAB_DIR/$1/gwd/gwd.yaml" <<-END
	gateway:
	  id: $2
	  local: wan0
	tunnels:
	  $3:
	    remote: $4
	    peer: {id: $5}
	    psk: /etc/gwd/psk
	    addresses: [$6]
	    routes: [$7]
	END
}

# NODE ARG...: gwctl's exit status; what it said is in $LAB_DIR/said
status_of() {
	lab_gwctl "$@" >"$LAB_DIR/said" 2>&1
	echo $?
}

# NODE REGEX
reason_like() {
	[[ "$(lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].reason')" =~ $2 ]]
}

no_sas() {
	! ip -n "$1" xfrm state | grep -q 'spi 0x[^0]' # one without SPI is a packet's wish
}

spi_of() {
	lab_gwctl "$1" status --json | build/tests/pick 'tunnels[0].policy.spi'
}

# NODE SPI
another_spi() {
	local now

	now=$(spi_of "$1")
	[[ $now =~ ^[0-9a-f]{8}$ ]] && [ "$now" != "$2" ]
}

# everything of others on hq
others() {
	ip -n hq -d link show foreign
	ip -n hq route show table all proto static
	ip -n hq xfrm policy get src 192.0.2.1 dst 192.0.2.2 proto gre dir out
	lab_run hq nft list table inet foreign
	lab_swanctl hq --list-conns | grep foreign
}

lab_topology
clear_watch
psk_write hq correct-horse-battery-staple-1
psk_write branch correct-horse-battery-staple-1
psk_conf hq hq.example.net branch1 203.0.113.7 branch.example.net 10.255.0.1/30 10.2.0.0/24
psk_conf branch branch.example.net hq 198.51.100.1 hq.example.net 10.255.0.2/30 10.1.0.0/24
ok "charon and gwd start with a psk" lab_gateways hq branch
ok "the tunnel comes up on hq" lab_wait 30 site_is hq up
ok "the tunnel comes up on branch" lab_wait 10 site_is branch up
ok "LAN to LAN" lab_run lanhq ping -c2 -i0.3 -W2 10.2.0.2
clear_flows

# another psk on one side, then on both
is "without a change a reload does nothing" "$(status_of hq reload)" 0
lab_sleep 1
ok "and the tunnel stays" site_is hq up
psk_write hq correct-horse-battery-staple-2
is "reload with another psk" "$(status_of hq reload)" 0
ok "authenticates anew: hq is down, and names the psk" lab_wait 40 reason_like hq 'pre-shared key'
ok "so does branch" lab_wait 40 reason_like branch 'pre-shared key'
diag "$(lab_gwctl hq | tail -1)"
diag "$(lab_gwctl branch | tail -1)"
is "status says 2 while a tunnel is down" "$(status_of hq status)" 2
clear_none "with the wrong psk"
psk_write branch correct-horse-battery-staple-2
is "the same psk on the other side" "$(status_of branch reload)" 0
ok "up again on hq" lab_wait 45 site_is hq up
ok "and on branch" lab_wait 10 site_is branch up
is "no psk in any log" "$(cat "$LAB_DIR"/*/log/*.log | grep -c battery-staple)" 0
unlike "nor in what gwctl shows" "$(lab_gwctl hq show branch1 --json)" "battery-staple"
unlike "nor in its plan" "$(lab_gwctl hq plan)" "battery-staple"

# plan and reload
is "plan without changes" "$(status_of hq plan)" 0
sed -i 's/routes: .*/routes: [10.2.0.0\/24, 10.22.0.0\/24]/' "$LAB_DIR/hq/gwd/gwd.yaml"
is "plan with changes" "$(status_of hq plan)" 2
like "names the route" "$(<"$LAB_DIR/said")" "10.22.0.0/24"
is "and makes none" "$(ip -n hq route show 10.22.0.0/24)" ""
is "reload makes it" "$(status_of hq reload)" 0
like "reload tells it" "$(<"$LAB_DIR/said")" "10.22.0.0/24"
like "the route is there" "$(ip -n hq route show 10.22.0.0/24)" "dev branch1"
is "and plan is empty again" "$(status_of hq plan)" 0

# up, down, restart
is "up of what is up" "$(status_of hq up branch1)" 0
is "up of what is not configured" "$(status_of hq up branch2)" 1
like "hints at the name" "$(<"$LAB_DIR/said")" 'did you mean "branch1"'
is "down" "$(status_of hq down branch1)" 0
is "status says 2" "$(status_of hq status)" 2
like "and who did it" "$(<"$LAB_DIR/said")" 'taken down here with `gwctl down`'
is "plan is empty while it is down" "$(status_of hq plan)" 0
ok "no SA is left" lab_wait 5 no_sas hq
ok "the guard stays" lab_run hq nft list table inet gwd
nok "nothing passes" lab_run hq ping -c1 -W1 10.255.0.2
is "up" "$(status_of hq up branch1)" 0
ok "it carries" lab_run hq ping -c3 -i0.3 -W2 10.255.0.2
lab_wait 10 site_is branch up
spi=$(spi_of hq)
like "there is an SA" "$spi" '^[0-9a-f]{8}$'
is "restart" "$(status_of hq restart branch1)" 0
ok "then another" lab_wait 10 another_spi hq "$spi"

clear_none "through reload, down, up and restart"
clear_flows_end

# teardown
ip -n hq -batch - <<-END
link add foreign type gre local 198.51.100.1 remote 192.0.2.9
xfrm policy add src 192.0.2.1 dst 192.0.2.2 proto gre dir out tmpl proto esp mode transport reqid 7
END
ip -n hq link set foreign up
ip -n hq route add 192.0.2.128/25 dev foreign proto static
lab_run hq nft -f - <<-END
table inet foreign { chain c { type filter hook input priority 0; meta l4proto gre accept; }; }
END
cat >"$LAB_DIR/hq/swanctl.conf" <<-END
connections { foreign { remote_addrs = 192.0.2.9
local { auth = psk }
remote { auth = psk }
children { c { } } } }
END
lab_swanctl hq --load-conns --file "$LAB_DIR/hq/swanctl.conf" >/dev/null
others >"$LAB_DIR/others.before" 2>&1
is "there are five things of others" "$(grep -cE '^[0-9]+: foreign|192.0.2.128/25|dst 192.0.2.2/32|table inet foreign|^foreign' "$LAB_DIR/others.before")" 5
lab_wait 10 site_is hq up
is "teardown" "$(status_of hq teardown)" 0
nok "the link is gone" ip -n hq link show branch1
is "the policies are gone" "$(ip -n hq xfrm policy | grep -c 203.0.113.7)" 0
nok "the guard is gone" lab_run hq nft list table inet gwd
is "the routes are gone" "$(ip -n hq route show 10.2.0.0/24)" ""
unlike "the connection is gone from charon" "$(lab_swanctl hq --list-conns)" "gwd-"
ok "the SAs go" lab_wait 5 no_sas hq
like "the psk is gone from charon" "$(<"$LAB_DIR/hq/log/charon.log")" "unload-shared"
others >"$LAB_DIR/others.after" 2>&1
is "what is of others is untouched" "$(diff "$LAB_DIR/others.before" "$LAB_DIR/others.after")" ""
is "up is refused" "$(status_of hq up branch1)" 1
like "with a hint" "$(<"$LAB_DIR/said")" "reload"
lab_sleep 1
nok "nothing comes back by itself" ip -n hq link show branch1
is "plan tells what reload would make" "$(status_of hq plan)" 2
is "reload" "$(status_of hq reload)" 0
ok "brings the tunnel back" lab_wait 45 site_is hq up
ok "and it carries" lab_run lanhq ping -c3 -i0.3 -W2 10.2.0.2
others >"$LAB_DIR/others.after" 2>&1
is "what is of others is untouched still" "$(diff "$LAB_DIR/others.before" "$LAB_DIR/others.after")" ""
clear_none "through teardown and reload"
clear_control branch 10.255.0.2

done_testing
