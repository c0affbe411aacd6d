// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bulk: so many bytes there and back over one TCP connection, IPv4 or IPv6, for the lab's tests.
 *
 *	bulk -r PORT			serve connection after connection, until SIGTERM
 *	bulk -s ADDR PORT BYTES		send BYTES, read as many back; prints them. Fails after 30 s of silence
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHUNK 65536
#define SILENCE_S 30

static char chunk[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "bulk: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void patience(int fd)
{
	struct timeval tv = {.tv_sec = SILENCE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static bool put(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = send(fd, chunk, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes -= (uint64_t)n;
	}
	return true;
}

static bool take(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = recv(fd, chunk, bytes < CHUNK ? bytes : CHUNK, 0);

		if (n <= 0)
			return false;
		bytes -= (uint64_t)n;
	}
	return true;
}

static int serve(const char *port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 4))
		die("listen");
	fprintf(stderr, "ready\n");
	while (true) {
		int peer = accept(fd, NULL, NULL);
		uint64_t bytes;

		if (peer < 0)
			die("accept");
		patience(peer);
		if (recv(peer, &bytes, sizeof(bytes), MSG_WAITALL) == sizeof(bytes) &&
		    take(peer, bytes))
			put(peer, bytes);
		close(peer);
	}
	return 0;
}

static int ask(const char *addr, const char *port, uint64_t bytes)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
			*ai;

	if (getaddrinfo(addr, port, &hints, &ai)) {
		fprintf(stderr, "bulk: no address: %s port %s\n", addr, port);
		return 1;
	}
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	patience(fd);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		die(addr);
	if (send(fd, &bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes) || !put(fd, bytes))
		die("sending");
	if (!take(fd, bytes))
		die("receiving");
	printf("%llu\n", (unsigned long long)bytes);
	freeaddrinfo(ai);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-r"))
		return serve(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "-s"))
		return ask(argv[2], argv[3], strtoull(argv[4], NULL, 10));
	fprintf(stderr, "usage: bulk -r PORT | bulk -s ADDR PORT BYTES\n");
	return 2;
}
