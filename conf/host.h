/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of a host's DNS name, with what is wrong with one that is none. Pure. */
#ifndef GWD_CONF_HOST_H
#define GWD_CONF_HOST_H

#define HOST_NAME_BYTES_MAX 253 /* RFC 1035 section 2.3.4, as text without the last dot */

/*
 * NULL when text is a name as a host has it (RFC 1123 section 2.1, and the underscore that is met in practice); a dot at its
 * end is fine. Else what follows "NAME " in a sentence, and the remedy in *hint (NULL: none).
 */
const char *host_fault(const char *text, const char **hint);

#endif
