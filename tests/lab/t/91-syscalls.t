#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gwd killed as it makes its Nth system call, and that call failing (ENOBUFS, ENOMEM, EINTR, EAGAIN, EIO, ENOSPC, EMFILE), in a
# start, a start on what stands, a reload, a removal, a teardown and the handling of events, while traffic is sent into
# the tunnel. Every LAB_EVERYth call (160), from LAB_FIRST (7) on, or with LAB_EVERY=1 (`make syscalls`) every one with every
# error; LAB_SWEEPS names sweeps of tests/lab/syscalls/main.c.

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by ok
. tests/lab/lib.sh

every=${LAB_EVERY:-160} first=${LAB_FIRST:-7}
[ "$every" != 1 ] || first=1

# NAME REMOTE
configuration() {
	cat >"$LAB_DIR/hq/gwd/$1.yaml" <<-END
	gateway:
	  id: hq.example.net
	  local: wan0
	tunnels:
	  branch1:
	    remote: $2
	    peer: {id: branch.example.net, public-key: $key}
	    addresses: [10.255.0.1/30]
	    routes: [10.2.0.0/24]
	END
}

sweeps() {
	lab_run hq build/tests/syscalls "$LAB_GWD" "$PWD/build/tests/inject.so" "$LAB_DIR/hq/log/gwd.log" "$every" "$first" "$@" \
		2> >(tee "$LAB_DIR/hq/log/findings.log" | sed -u 's/^/# /' >&2) | tee "$LAB_DIR/hq/log/sweeps.log" | sed -u 's/^/# /' >&2
}

lab_node hq inet
lab_link hq wan0 198.51.100.1/24 -- inet hq0 198.51.100.254/24
lab_defaults hq 198.51.100.254
ip -n hq route add blackhole 10.255.0.0/16
lab_gwctl hq keygen >/dev/null 2>&1
key=$(lab_gwctl hq pubkey)
configuration a 203.0.113.7
configuration b 203.0.113.8
printf 'gateway:\n  id: hq.example.net\n  local: wan0\n' >"$LAB_DIR/hq/gwd/none.yaml"
[[ ${LAB_SWEEPS-} != *threads* ]] || lab_charon_start hq
lab_capture_start clear inet any 256 "proto 47"
lab_spawn hq flow build/tests/udpflow -s 10.255.0.2 7000 100

diag "every ${every}th call, from the ${first}th on (LAB_EVERY, LAB_FIRST)"
# shellcheck disable=SC2086 # words
sweeps ${LAB_SWEEPS-}
is "after each hit all is well" "$(cat "$LAB_DIR/hq/log/findings.log")" ""
is "the sweeps came to their end" "$(tail -1 "$LAB_DIR/hq/log/sweeps.log")" "failed: 0"
cmp_ok "calls were hit" "$(grep -Eo '[0-9]+ hit' "$LAB_DIR/hq/log/sweeps.log" | awk '{ n += $1 } END { print n }')" '>' 20

# ---- and the capture sees GRE in clear when nothing protects the link that stands
before=$(lab_capture_count clear '')
lab_run hq nft delete table inet gwd
ip -n hq xfrm policy flush
lab_sleep 1
lab_stop hq flow
lab_capture_stop clear
is "0 packets of GRE in clear" "$before" 0
cmp_ok "the capture sees them where nothing protects" "$(lab_capture_count clear 'proto 47')" '>' 20

done_testing
