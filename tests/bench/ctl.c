// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks gwd over its control socket (doc/CONTROL.md) as gwctl does, without the cost of starting gwctl.
 *
 *	ctl SOCKET VERB [TIMES]		prints, for each time, the milliseconds from connect to the answer's end, the number of
 *					changes in the plan, and of those the failed ones
 */
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static FILE *control_open(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		bench_die(path, errno);
	return fdopen(fd, "r+e");
}

static int count_failed(const json_t *actions)
{
	int n = 0;
	size_t i;
	json_t *a;

	json_array_foreach(actions, i, a) n += json_is_string(json_object_get(a, "error"));
	return n;
}

static void ask(const char *path, const char *verb)
{
	double start = bench_ms(), end;
	FILE *f = control_open(path);
	char *line = NULL;
	size_t room = 0;
	json_t *answer, *result;

	if (!f || getline(&line, &room, f) < 0)
		bench_die("no greeting", errno);
	fprintf(f, "{\"verb\": \"%s\"}\n", verb);
	fflush(f);
	if (getline(&line, &room, f) < 0)
		bench_die("no answer", errno);
	end = bench_ms();
	answer = json_loads(line, 0, NULL);
	result = json_object_get(answer, "result");
	printf("%.3f %lld %d\n", end - start,
	       (long long)json_integer_value(json_object_get(result, "changes")),
	       count_failed(json_object_get(result, "actions")));
	if (json_is_string(json_object_get(answer, "error")))
		fprintf(stderr, "%s\n", json_string_value(json_object_get(answer, "error")));
	json_decref(answer);
	free(line);
	fclose(f);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: ctl SOCKET VERB [TIMES]\n");
		return 1;
	}
	for (int i = argc > 3 ? atoi(argv[3]) : 1; i > 0; i--)
		ask(argv[1], argv[2]);
	return 0;
}
