#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plain GRE (protect: none) beside protected tunnels: to a box that knows no IPsec, and between the very addresses of a
# protected tunnel with another key. It loses nothing while the protected one is killed, changed and restored, is called
# UNPROTECTED, and the protected one stays closed.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh
# shellcheck source=tests/lab/sites.sh
. tests/lab/sites.sh

both() {
	local n

	for n in hq branch; do
		"$1" $n "${@:2}" || return
	done
}

both_up() {
	local n

	for n in hq branch; do
		lab_wait 30 site_is $n up || { diag "$(lab_gwctl $n)"; return 1; }
	done
}

# NODE TUNNEL: its state
state_of() {
	lab_gwctl "$1" status --json | build/tests/pick "tunnels[name=$2].state"
}

# clear GRE between the gateways with the key of the protected tunnel
clear_protected() {
	lab_capture_count between 'ip proto 47 and ip[20:2] & 0x2000 != 0 and ip[24:4] = 1'
}

clear_plain() {
	lab_capture_count between 'ip proto 47 and ip[20:2] & 0x2000 != 0 and ip[24:4] = 2'
}

# NODE SUFFIX: packets that the guard stopped
guard_stopped() {
	lab_guard_stopped "$1" out
}

policies_stopped() {
	lab_run "$1" awk '$1 == "XfrmOutNoStates" { print $2 }' /proc/net/xfrm_stat
}

more_than() {
	[ "$("$2" "$1")" -gt $(($3 + 20)) ]
}

lab_topology
lab_node opnsense
lab_link opnsense eth0 192.0.2.80/24 -- inet opn0 192.0.2.1/24
lab_defaults opnsense 192.0.2.1
ip -n opnsense -batch - <<-END
	link add gre1 type gre local 192.0.2.80 remote 198.51.100.1 ttl 64
	addr add 10.254.0.2/30 dev gre1
	link set gre1 up
END
for n in hq branch; do
	ip -n $n route add blackhole 10.255.0.0/16
done

# ---- the plain one first, all by itself, without charon
cat >"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	gateway: {id: hq.example.net, local: wan0}
	tunnels:
	  opnsense:
	    remote: 192.0.2.80
	    protect: none
	    addresses: [10.254.0.1/30]
END
ok "gwd starts with a plain tunnel alone" lab_gwd_start hq
ok "which works without charon" lab_wait 10 lab_run hq ping -c1 -W1 10.254.0.2
is "gwctl is content" "$(lab_gwctl hq status >/dev/null; echo $?)" 0
is "the guard holds nothing of it, but clamps" "$(lab_run hq nft list table inet gwd | grep -cE "198\.51\.100\.1|maxseg")" 1
is "nor policies" "$(ip -n hq xfrm policy list | grep -c 'proto gre')" 0

# ---- a protected one beside it
lab_udp_start to hq opnsense 10.254.0.2 100
lab_udp_start from opnsense hq 10.254.0.1 100
lab_capture_start between inet branch0 256
sites_keys
sites_conf "    esp: {rekey-time: 5s}
    gre-key: 1"
plain=$'  opnsense:\n    remote: 192.0.2.80\n    protect: none\n    addresses: [10.254.0.1/30]'
echo "$plain" >>"$LAB_DIR/hq/gwd/gwd.yaml"
lab_charon_start hq branch
ok "hq takes a protected one beside it" lab_gwctl hq reload
ok "branch has its gwd" lab_gwd_start branch
ok "the protected one comes up" both_up
is "the plain one is unprotected" "$(state_of hq opnsense)" unprotected
like "gwctl says so to people" "$(lab_gwctl hq)" "opnsense +UNPROTECTED"
like "show too" "$(lab_gwctl hq show opnsense)" "UNPROTECTED"
is "which is as wanted" "$(lab_gwctl hq status >/dev/null; echo $?)" 0

# ---- a plain one between the addresses of the protected one
cat >>"$LAB_DIR/hq/gwd/gwd.yaml" <<-END
	  plain:
	    remote: 203.0.113.7
	    protect: none
	    gre-key: 2
	    addresses: [10.253.0.1/30]
END
cat >>"$LAB_DIR/branch/gwd/gwd.yaml" <<-END
	  plain:
	    remote: 198.51.100.1
	    protect: none
	    gre-key: 2
	    addresses: [10.253.0.2/30]
END
ok "both take a plain one with another key" both lab_gwctl reload
lab_udp_start there hq branch 10.255.0.2 100
lab_udp_start back branch hq 10.255.0.1 100
ok "it works" lab_wait 10 lab_run hq ping -c1 -W1 10.253.0.2
ok "beside the protected one" lab_run hq ping -c2 -i0.2 -W2 10.255.0.2
is "unprotected here" "$(state_of hq plain)" unprotected
is "and there" "$(state_of branch plain)" unprotected
# charon's list leaves out an IKE_SA that is at a rekey; gwd asks again
ok "the protected one is up" both_up

# a ping that must go through, whatever happens to the protected one
plain_works() {
	ok "plain GRE between the same addresses works: $1" lab_run hq ping -c2 -i0.2 -W1 10.253.0.2
}

both lab_gwd_kill
both lab_charon_kill
plain_works "gwd and charon killed"
for n in hq branch; do ip -n $n xfrm policy flush; done
before=$(guard_stopped hq)
ok "the guard alone stops the protected one" lab_wait 10 more_than hq guard_stopped "$before"
plain_works "the guard alone"
is "nothing of the protected one in clear: the guard alone" "$(clear_protected)" 0
lab_charon_start hq branch
both lab_gwd_start
ok "up again" both_up
both lab_gwd_kill
for n in hq branch; do
	lab_run $n nft delete table inet gwd
done

# charon may be in the middle of a rekey, whose SAs come after: then once more
policies_stop() {
	local before

	for n in hq branch; do
		ip -n $n xfrm state flush
	done
	before=$(policies_stopped hq)
	lab_sleep 1
	more_than hq policies_stopped "$before"
}
ok "the policies alone stop the protected one" lab_wait 20 policies_stop
plain_works "the policies alone"
is "nothing of the protected one in clear: the policies alone" "$(clear_protected)" 0
both lab_gwd_start
ok "up once more" both_up
sed -i 's/^    gre-key: 1/    enabled: false\n&/' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "the protected one disabled" lab_gwctl hq reload
plain_works "the protected one disabled"
sed -i '/enabled/d' "$LAB_DIR/hq/gwd/gwd.yaml"
ok "and enabled" lab_gwctl hq reload
ok "up yet again" both_up
is "0 canaries read between the gateways" "$(lab_capture_canary between)" 0
is "nothing of the protected one in clear" "$(clear_protected)" 0
cmp_ok "the plain one is seen in clear all the while" "$(clear_plain)" '>=' 16

# ---- the plain one to the box without IPsec never noticed
lab_udp_stop to from
cmp_ok "the plain flow was there all the time" "$(lab_udp_get to sent)" '>=' 1500
is "and lost nothing" "$(lab_udp_get to lost) $(lab_udp_get from lost)" "0 0"

# ---- the captures see what the protected one sends when nothing protects it
both lab_gwd_kill
for n in hq branch; do
	lab_run $n nft delete table inet gwd
	ip -n $n xfrm policy flush
done
lab_sleep 1
lab_udp_stop there back
lab_capture_stop between
cmp_ok "unprotected its GRE is seen" "$(clear_protected)" '>' 50
cmp_ok "and read" "$(lab_capture_canary between)" '>' 50
done_testing
