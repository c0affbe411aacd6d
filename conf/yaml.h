/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One YAML document through libfyaml: its root, texts of scalars, and where a node stands. */
#ifndef GWD_CONF_YAML_H
#define GWD_CONF_YAML_H

#include <libfyaml.h>
#include <stdbool.h>

#include "conf/report.h"

#define YAML_TEXT_MAX 4096 /* bytes of one scalar; nothing we take is longer */

struct yaml;

/*
 * Parses the source of this index, which must outlive the result. NULL after an error (recorded:
 * bytes that are no text, YAML's own errors, a second document), or when out of memory. The
 * result is the caller's.
 */
struct yaml *yaml_open(struct findings *found, uint32_t file);
void yaml_close(struct yaml *yaml);

/* NULL when the file holds nothing but comments. */
struct fy_node *yaml_root(const struct yaml *yaml);

/* No value at all, or a plain ~ or null. */
bool yaml_is_null(struct fy_node *node);

/* "map", "list", "text", "nothing" or "an alias", for messages. */
const char *yaml_kind(struct fy_node *node);

/*
 * Where a scalar stands; of anything else, and of an empty scalar, the fallback. Where that has
 * no place (size 0), the first scalar within.
 */
struct spot yaml_spot(uint32_t file, struct fy_node *node, struct spot fallback);

/*
 * The text of a scalar without the newline a block ends in, the caller's; NULL after an error
 * (recorded): no scalar, too long, control characters. Tabs and newlines inside stay.
 */
char *yaml_text(struct findings *found, struct fy_node *node, struct spot at, const char *what);

#endif
