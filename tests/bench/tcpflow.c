// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Goodput of one TCP connection.
 *
 *	tcpflow -r PORT				receive connection after connection
 *	tcpflow -s ADDR PORT SECONDS		send for so long, wait until all has arrived; prints Mbit/s
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define CHUNK 131072

static char chunk[CHUNK];

static int receive(const char *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 4))
		bench_die("listen", errno);
	for (;;) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (peer < 0)
			bench_die("accept", errno);
		while (read(peer, chunk, sizeof(chunk)) > 0)
			;
		close(peer);
	}
}

static int transmit(const char *addr, const char *port, double seconds)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	double start, bytes = 0;

	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		bench_die(addr, errno);
	start = bench_ms();
	while (bench_ms() - start < seconds * 1e3) {
		ssize_t n = write(fd, chunk, sizeof(chunk));

		if (n < 0)
			bench_die("write", errno);
		bytes += (double)n;
	}
	/* The other end closes when it has read everything. */
	shutdown(fd, SHUT_WR);
	(void)!read(fd, chunk, 1);
	printf("%.3f\n", bytes * 8 / (bench_ms() - start) / 1e3);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "-r"))
		return receive(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "-s"))
		return transmit(argv[2], argv[3], atof(argv[4]));
	fprintf(stderr, "usage: tcpflow -r PORT | tcpflow -s ADDR PORT SECONDS\n");
	return 1;
}
