/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `ospf:` block of a tunnel. gwd itself does not route: the block is what "gwctl frr" makes
 * FRR's configuration of, so that both ends of what belongs together stand in one file.
 */
#ifndef GWD_CONF_OSPF_H
#define GWD_CONF_OSPF_H

#include "conf/draft.h"
#include "lib/secret.h"

/*
 * RFC 2328 section D.3 has keys of 16 bytes; FRR takes the same for OSPFv3 (RFC 7166), where
 * longer ones would be possible.
 */
#define OSPF_KEY_MAX 16

/* Appendix C.3 of RFC 2328 has these hello and dead intervals; dead 0: four hellos. */
#define OSPF_BUILTIN ((struct conf_ospf){.enabled = true, .hello = 10, .key_id = 1})

/*
 * Rules of the block, and what follows from it: enabled is true only when the tunnel or defaults
 * have one, dead has a value. Pure.
 */
void ospf_check(struct drafts *drafts, struct draft *d);

/* Reads the key files of all tunnels, each once. */
void ospf_check_files(struct drafts *drafts);

/*
 * What is wrong with a key, as half a sentence without the key ("is longer than 16 bytes"), or
 * NULL: FRR reads it as one word of a line.
 */
const char *ospf_key_fault(const struct secret *key);

/* Which protocols the tunnel needs: OSPFv2 with an IPv4 address, OSPFv3 with an IPv6 one. */
bool ospf_runs(const struct conf_tunnel *t, int family);

#endif
