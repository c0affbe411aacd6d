/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scalar of the configuration: text in, field of the structure out, or a finding. */
#ifndef GWD_CONF_READ_H
#define GWD_CONF_READ_H

#include "conf/report.h"
#include "conf/schema.h"
#include "conf/value.h"
#include "lib/addr.h"

struct value {
	struct findings *found;
	const struct schema_key *key;
	struct spot at;
	const char *text;
	void *field; /* where schema says; untouched when the text is wrong */
};

/* False when the key's type is no scalar: then nothing was done. */
bool read_scalar(const struct value *v);

/* A route's destination; errors become findings at v. */
bool read_destination(const struct value *v, struct prefix *out);

/* An address with its prefix length, as an interface has it. */
bool read_address(const struct value *v, struct prefix *out);

/* The index of the text among the words (NULL-terminated), or -1 after an error, whose hint is remedy where no word is near. */
int read_word(const struct value *v, const char *const *words, const char *remedy);

/* Says what is wrong with a number; false then. */
bool read_number_report(const struct value *v, enum value_result result);

#endif
