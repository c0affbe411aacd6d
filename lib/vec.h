/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growable array of any element type, by macros over one function.
 *
 *	VEC(struct addr) v = {0};
 *	struct addr *slot = vec_push(&v);	zeroed; NULL when out of memory
 *	for (size_t i = 0; i < v.len; i++) use(&v.at[i]);
 *	vec_free(&v);
 */
#ifndef GWD_LIB_VEC_H
#define GWD_LIB_VEC_H

#include <stdlib.h>

#define VEC(type)            \
	struct {             \
		type *at;    \
		size_t len;  \
		size_t room; \
	}

/* Grows *at by one zeroed element of size bytes; returns it, or NULL and leaves all as it was. */
void *vec_grow(void **at, size_t *len, size_t *room, size_t size);

#define vec_push(v) \
	((__typeof__((v)->at))vec_grow((void **)&(v)->at, &(v)->len, &(v)->room, sizeof(*(v)->at)))

#define vec_sort(v, cmp)                                                   \
	do {                                                               \
		if ((v)->len > 1)                                          \
			qsort((v)->at, (v)->len, sizeof(*(v)->at), (cmp)); \
	} while (0)

#define vec_free(v)             \
	do {                    \
		free((v)->at);  \
		(v)->at = NULL; \
		(v)->len = 0;   \
		(v)->room = 0;  \
	} while (0)

#endif
