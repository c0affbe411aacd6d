/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalars that say how SAs come about: volumes, who starts, offload; as those of conf/read.h. */
#ifndef GWD_CONF_READ_ESP_H
#define GWD_CONF_READ_ESP_H

#include "conf/read.h"

void read_volume(const struct value *v);
void read_start(const struct value *v);
void read_offload(const struct value *v);

#endif
