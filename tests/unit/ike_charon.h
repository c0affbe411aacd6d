/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real charon for tests, in a network and a mount namespace of its own, with the plugins and
 * settings gwd runs it with. Needs root, /usr/sbin/charon-systemd and ip(8).
 */
#ifndef GWD_TESTS_IKE_CHARON_H
#define GWD_TESTS_IKE_CHARON_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHARON "/usr/sbin/charon-systemd"

struct charon {
	char folder[96], socket[128];
	pid_t pid;
};

static inline bool charon_there(void)
{
	return geteuid() == 0 && access(CHARON, X_OK) == 0 && system("ip -V >/dev/null 2>&1") == 0;
}

/* Every process of the test lives in namespaces of its own from here on. */
static inline bool charon_namespaces(void)
{
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("run", "/run", "tmpfs", 0, NULL) == 0 && system("ip link set lo up") == 0;
}

static inline bool charon_configure(const struct charon *c)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/strongswan.conf", c->folder);
	f = fopen(path, "w");
	if (!f)
		return false;
	fprintf(f,
		"charon {\n"
		"  load = random nonce aes sha1 sha2 hmac kdf gcm openssl pem pkcs1 pkcs8 pubkey"
		" x509"
		" revocation constraints kernel-netlink socket-default vici updown counters\n"
		"  install_routes = no\n  process_route = no\n  install_virtual_ip = no\n"
		"  retransmit_timeout = 0.2\n  retransmit_tries = 2\n"
		"  plugins {\n"
		"    vici {\n      socket = unix://%s\n    }\n"
		"    kernel-netlink {\n      roam_events = no\n"
		"      set_proto_port_transport_sa = yes\n    }\n"
		"  }\n"
		"  filelog {\n    file {\n      path = %s/log\n      default = 1\n"
		"      flush_line = yes\n"
		"    }\n  }\n"
		"}\n",
		c->socket, c->folder);
	return fclose(f) == 0;
}

/* In the child: charon, silent on the terminal, where its log file is not. */
static inline void charon_exec(const struct charon *c)
{
	char conf[128];
	int null = open("/dev/null", O_RDWR);

	snprintf(conf, sizeof(conf), "%s/strongswan.conf", c->folder);
	setenv("STRONGSWAN_CONF", conf, 1);
	dup2(null, 1);
	dup2(null, 2);
	execl(CHARON, CHARON, (char *)NULL);
	_exit(127);
}

/* netns_ready: the descriptor that tells "my namespace is there", and the one that says "go on";
 * -1 to stay in ours. */
static inline bool charon_start(struct charon *c, const char *folder, int netns_ready, int go)
{
	snprintf(c->folder, sizeof(c->folder), "%s", folder);
	snprintf(c->socket, sizeof(c->socket), "%s/vici", folder);
	if (!charon_configure(c))
		return false;
	c->pid = fork();
	if (c->pid == 0) {
		char byte = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */

		if (netns_ready >= 0 && (unshare(CLONE_NEWNET) || write(netns_ready, "x", 1) != 1 ||
					 read(go, &byte, 1) != 1))
			_exit(126);
		if (netns_ready >= 0 &&
		    system("ip link set lo up; ip addr add 192.0.2.2/24 dev ike1;"
			   "ip link set ike1 up"))
			_exit(125);
		charon_exec(c);
	}
	return c->pid > 0;
}

/* Until its socket listens. */
static inline bool charon_wait(const struct charon *c)
{
	struct stat st;

	for (int i = 0; i < 500; i++) {
		if (stat(c->socket, &st) == 0)
			return true;
		usleep(10000);
	}
	return false;
}

static inline void charon_kill(struct charon *c, int signal)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, signal);
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

static inline void charon_remove(struct charon *c)
{
	static const char *const names[] = {"vici", "log", "strongswan.conf"};
	char path[160];

	charon_kill(c, SIGKILL);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", c->folder, names[i]);
		unlink(path);
	}
	rmdir(c->folder);
}

/* Two of them: ours, 192.0.2.1, and the peer's, 192.0.2.2, in a namespace of its own. */
static char folder[64];
static struct charon charon[2];

static bool start(int i, int netns_ready, int go)
{
	char sub[80];

	snprintf(sub, sizeof(sub), "%s/%d", folder, i);
	mkdir(sub, 0700);
	return charon_start(&charon[i], sub, netns_ready, go);
}

static bool start_both(void)
{
	int ready[2], go[2];
	char byte, command[128];

	if (pipe(ready) || pipe(go) || !start(1, ready[1], go[0]) || read(ready[0], &byte, 1) != 1)
		return false;
	snprintf(command, sizeof(command), "ip link add ike0 type veth peer name ike1 netns %d",
		 (int)charon[1].pid);
	if (system(command) || system("ip addr add 192.0.2.1/24 dev ike0; ip link set ike0 up") ||
	    write(go[1], "x", 1) != 1)
		return false;
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
	return start(0, -1, -1) && charon_wait(&charon[0]) && charon_wait(&charon[1]);
}

#endif
