/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of ike/sa.c that ike/event.c uses, where the same keys stand in other places. Pure.
 * Private to ike/. All take a range of a valid message, and return false when it is malformed.
 */
#ifndef GWD_IKE_SA_BODY_H
#define GWD_IKE_SA_BODY_H

#include "ike/sa.h"

/* Not empty, and short enough to be one of ours. */
bool ike_sa_parse_name(const char *name, struct ike_sa *sa);
/* The keys of an IKE_SA, into sa; children are left alone. */
bool ike_sa_parse_body(const struct ike_msg *m, size_t from, size_t to, struct ike_sa *sa);
/* Addresses and ports only. */
bool ike_sa_parse_host(const struct ike_msg *m, size_t from, size_t to, struct ike_sa *sa);
bool ike_sa_parse_child(const struct ike_msg *m, size_t from, size_t to, struct ike_child *c);
/* A whole IKE_SA section, its child-sas too when asked for. */
bool ike_sa_parse_section(const struct ike_msg *m, const char *name, size_t from, size_t to,
			  bool children, struct ike_sa *sa);

#endif
