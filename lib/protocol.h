/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gwd and gwctl must agree on: the version and the control socket of doc/CONTROL.md.
 */
#ifndef GWD_LIB_PROTOCOL_H
#define GWD_LIB_PROTOCOL_H

#ifndef GWD_VERSION
#define GWD_VERSION "0.1.0"
#endif

#define PROTOCOL_NUMBER 1 /* raised when an old gwctl could misread a new gwd */
#define PROTOCOL_RUN_DIR "/run/gwd" /* unless --run-dir */
#define PROTOCOL_SOCKET "gwd.sock" /* within the run dir */
#define PROTOCOL_USER "gwd" /* as whom gwd.service runs gwd */
#define PROTOCOL_GROUP "gwd" /* its members may read */
#define PROTOCOL_REQUEST_MAX 65536 /* bytes of a request line, newline included */
#define PROTOCOL_GREETING_MAX 4096 /* bytes of the greeting line */
#define PROTOCOL_ANSWER_MAX 67108864 /* bytes of an answer line: 10 000 tunnels take 15 MB */

#endif
