/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes of ESP algorithms by the kernel's names, for xfrm/state.c; the rest of xfrm/overhead.c is
 * in xfrm/state.h. */
#ifndef GWD_XFRM_OVERHEAD_H
#define GWD_XFRM_OVERHEAD_H

#include <stdbool.h>

/*
 * IV and block size in bytes of a cipher ("cbc(aes)") or AEAD ("rfc4106(gcm(aes))"), as the
 * kernel's xfrm_algo.c names them. False, and nothing written, for one that is not known.
 */
bool xfrm_algorithm_overhead(const char *name, unsigned *iv, unsigned *block);

#endif
