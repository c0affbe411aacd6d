/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memfind PID: where in the memory of a process patterns are; a tool of the lab's tests. Each line of standard input is
 * "NAME HEX"; for each it prints "NAME locked=N elsewhere=N", how often its bytes were found in locked mappings and in others,
 * and on stderr where the latter are. At the end "searched locked=KIB elsewhere=KIB". Reads /proc/PID/smaps and /proc/PID/mem (proc(5)),
 * as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATTERNS_MAX 64
#define PATTERN_SIZE 256 /* bytes */
#define MAPPINGS_MAX 4096
#define WINDOW (1 << 20)

static struct pattern {
	char name[64];
	unsigned char bytes[PATTERN_SIZE];
	size_t size;
	unsigned long locked, elsewhere;
} patterns[PATTERNS_MAX];
static size_t n_patterns;

static struct mapping {
	uint64_t from, to;
	bool readable, locked;
	char head[200]; /* its line in smaps */
} mappings[MAPPINGS_MAX];
static size_t n_mappings;

static void die(const char *what)
{
	fprintf(stderr, "memfind: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void patterns_read(void)
{
	static char line[1024], hex[2 * PATTERN_SIZE + 1];

	while (fgets(line, sizeof(line), stdin)) {
		struct pattern *p = &patterns[n_patterns];
		unsigned byte;

		if (n_patterns == PATTERNS_MAX || sscanf(line, "%63s %512s", p->name, hex) != 2) {
			errno = EINVAL;
			die(line);
		}
		while (sscanf(hex + 2 * p->size, "%2x", &byte) == 1)
			p->bytes[p->size++] = (unsigned char)byte;
		if (p->size < 8) {
			errno = EINVAL;
			die(p->name);
		}
		n_patterns++;
	}
}

static void mappings_read(const char *pid)
{
	char path[64], line[512], mode[8];
	unsigned long long from, to;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/smaps", pid);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		struct mapping *m = &mappings[n_mappings];

		if (sscanf(line, "%llx-%llx %7s", &from, &to, mode) == 3 &&
		    n_mappings + 1 < MAPPINGS_MAX) {
			m->from = from;
			m->to = to;
			m->readable = mode[0] == 'r';
			snprintf(m->head, sizeof(m->head), "%.*s", (int)strcspn(line, "\n"), line);
			n_mappings++;
		} else if (n_mappings && !strncmp(line, "VmFlags:", 8)) {
			mappings[n_mappings - 1].locked = strstr(line, " lo") != NULL;
		}
	}
	fclose(f);
}

/* How often p begins in the first size bytes of the window that has room bytes. */
static unsigned long window_count(const struct pattern *p, const struct mapping *m, uint64_t at,
				  const unsigned char *window, size_t size, size_t room)
{
	const unsigned char *hit = window;
	unsigned long n = 0;

	while ((hit = memmem(hit, room - (size_t)(hit - window), p->bytes, p->size)) &&
	       (size_t)(hit - window) < size) {
		n++;
		if (!m->locked)
			fprintf(stderr, "memfind: %s at %#llx in %s\n", p->name,
				(unsigned long long)(at + (uint64_t)(hit - window)), m->head);
		hit++;
	}
	return n;
}

static uint64_t mapping_search(int mem, const struct mapping *m)
{
	static unsigned char window[WINDOW + PATTERN_SIZE];
	uint64_t searched = 0;

	for (uint64_t at = m->from; at < m->to; at += WINDOW) {
		size_t room = m->to - at < sizeof(window) ? m->to - at : sizeof(window);
		size_t size = room < WINDOW ? room : WINDOW;
		ssize_t n = pread(mem, window, room, (off_t)at);

		if (n <= 0) /* [vvar] */
			continue;
		room = (size_t)n;
		size = size < room ? size : room;
		searched += size;
		for (size_t i = 0; i < n_patterns; i++) {
			struct pattern *p = &patterns[i];

			*(m->locked ? &p->locked : &p->elsewhere) += window_count(p, m, at, window,
										  size, room);
		}
	}
	return searched;
}

int main(int argc, char **argv)
{
	uint64_t searched[2] = {0};
	char path[64];

	if (argc != 2) {
		fputs("usage: memfind PID <PATTERNS\n", stderr);
		return 2;
	}
	patterns_read();
	mappings_read(argv[1]);
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	int mem = open(path, O_RDONLY | O_CLOEXEC);
	if (mem < 0)
		die(path);
	for (size_t i = 0; i < n_mappings; i++)
		if (mappings[i].readable)
			searched[mappings[i].locked] += mapping_search(mem, &mappings[i]);
	close(mem);
	for (size_t i = 0; i < n_patterns; i++)
		printf("%s locked=%lu elsewhere=%lu\n", patterns[i].name, patterns[i].locked,
		       patterns[i].elsewhere);
	printf("searched locked=%llu elsewhere=%llu\n", (unsigned long long)searched[1] >> 10,
	       (unsigned long long)searched[0] >> 10);
	return 0;
}
