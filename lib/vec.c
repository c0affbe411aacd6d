/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one function under the VEC macros: vec_grow makes room for one more element, doubling, so
 * that n pushes cost O(n). Neighbour: lib/vec.h, which gives it its types.
 */
#include "lib/vec.h"

#include <stdint.h>
#include <string.h>

#define VEC_FIRST_ROOM 8

void *vec_grow(void **at, size_t *len, size_t *room, size_t size)
{
	if (*len == *room) {
		size_t want = *room ? *room * 2 : VEC_FIRST_ROOM;
		if (want < *room || want > SIZE_MAX / size)
			return NULL;
		void *grown = realloc(*at, want * size);
		if (!grown)
			return NULL;
		*at = grown;
		*room = want;
	}
	void *slot = (char *)*at + *len * size;
	memset(slot, 0, size);
	(*len)++;
	return slot;
}
