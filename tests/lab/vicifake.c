// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vicifake SOCKET MODE: something else than charon on its socket, until it is ended. It confirms the registration of events as
 * charon does and treats commands as MODE says, the names being those of tests/unit/ike_fake.h. The folder of the socket
 * must exist; what is at its place is removed. Prints "ready", and at SIGTERM how many commands came.
 */
#include <signal.h>

#include "tests/unit/ike_fake.h"

static const struct {
	const char *name;
	enum fake_mode mode;
} modes[] = {
	{"answer", FAKE_ANSWER},      {"silent", FAKE_SILENT},	 {"no-confirm", FAKE_NO_CONFIRM},
	{"close", FAKE_CLOSE},	      {"half", FAKE_HALF},	 {"garbage", FAKE_GARBAGE},
	{"oversize", FAKE_HUGE},      {"empty", FAKE_EMPTY},	 {"malformed", FAKE_BAD_BODY},
	{"unclosed", FAKE_OPEN_BODY}, {"unknown", FAKE_UNKNOWN}, {"flood", FAKE_FLOOD},
	{"older", FAKE_OLDER},	      {"newer", FAKE_NEWER},	 {"half-closed", FAKE_CLOSE_WATCH},
};

int main(int argc, char **argv)
{
	static struct fake fake;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; argc == 3 && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].name, argv[2]) != 0)
			continue;
		unlink(argv[1]);
		if (!fake_start(&fake, argv[1], modes[i].mode)) {
			perror(argv[1]);
			return 1;
		}
		fake.flood = 20000;
		puts("ready");
		fflush(stdout);
		sigwait(&set, &sig);
		printf("%u commands\n", atomic_load(&fake.commands));
		fflush(stdout);
		unlink(argv[1]);
		return 0;
	}
	fputs("usage: vicifake SOCKET MODE\n", stderr);
	return 1;
}
