/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of the scalars that describe a GRE device; what is wrong goes to the value's findings. */
#ifndef GWD_CONF_READ_GRE_H
#define GWD_CONF_READ_GRE_H

#include "conf/read.h"

/* Into a uint8_t: 1 for inherit, else a multiple of 4 (the bits of ECN are the passenger's, RFC 6040). */
void read_tos(const struct value *v);

/* Into a uint32_t. */
void read_gre_key(const struct value *v);

/* Into a char[IF_NAMESIZE]: the name of an interface that is not ours. */
void read_device(const struct value *v);

#endif
