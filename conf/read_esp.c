/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalars that say how SAs come about, called by conf/read.c through its table: entry functions read_volume, read_start and
 * read_offload. conf/value.c knows the syntax.
 */
#include "conf/read_esp.h"

#include <string.h>

#define ERROR(v, ...) findings_add((v)->found, FINDING_ERROR, (v)->at, __VA_ARGS__)
#define WARNING(v, ...) findings_add((v)->found, FINDING_WARNING, (v)->at, __VA_ARGS__)

void read_volume(const struct value *v)
{
	uint32_t min = v->key->min, max = v->key->max;
	uint64_t *field = v->field;
	char low[16], high[16];

	switch (value_volume(v->text, min, max, field)) {
	case VALUE_OK:
		if (*field >> 10 < v->key->warn_below)
			WARNING(v, "%s: below %s the gateways are busy with keys", v->key->name,
				value_volume_format(v->key->warn_below, low));
		break;
	case VALUE_MALFORMED:
		finding_hint(ERROR(v, "%s: \"%s\" is no number of bytes", v->key->name, v->text),
			     "a number and K, M, G or T, such as 64G");
		break;
	case VALUE_NO_UNIT:
		finding_hint(ERROR(v, "%s: %s has no unit", v->key->name, v->text),
			     "K, M, G or T, such as %sG", v->text);
		break;
	case VALUE_RANGE:
		ERROR(v, "%s: %s is out of range, which is %s to %s", v->key->name, v->text,
		      value_volume_format(min, low), value_volume_format(max, high));
		break;
	}
}

void read_start(const struct value *v)
{
	static const char *const words[] = {[CONF_START_ALWAYS] = "always",
					    [CONF_START_ON_TRAFFIC] = "on-traffic",
					    [CONF_START_PASSIVE] = "passive",
					    NULL};
	int word = read_word(v, words, "always, on-traffic or passive");

	if (word >= 0)
		*(enum conf_start *)v->field = (enum conf_start)word;
}

void read_offload(const struct value *v)
{
	static const char *const words[] = {[CONF_OFFLOAD_NO] = "no",
					    [CONF_OFFLOAD_CRYPTO] = "crypto",
					    [CONF_OFFLOAD_AUTO] = "auto",
					    NULL};

	if (strcmp(v->text, "packet") == 0) {
		finding_hint(ERROR(v,
				   "hw-offload: packet takes the policies into the card as well, "
				   "and gwd keeps them in the kernel"),
			     "crypto, auto or no");
		return;
	}
	int word = read_word(v, words, "no, crypto or auto");
	if (word >= 0)
		*(enum conf_offload *)v->field = (enum conf_offload)word;
}
