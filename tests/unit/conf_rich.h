/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder with a configuration that has every key, and the files it names, for tests of what
 * happens to one. Entries: rich_make, rich_remove. Certificates by openssl, for 9000 days.
 */
#ifndef GWD_TESTS_UNIT_CONF_RICH_H
#define GWD_TESTS_UNIT_CONF_RICH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/key.h"
#include "lib/seal.h"
#include "lib/secret.h"

struct rich {
	char folder[64];
	char conf[96], part[96]; /* gwd.yaml, tunnels.d/more.yaml */
};

#define RICH_PEER "MCowBQYDK2VwAyEA4NOT4eXW2MG2Z1Pk17wlr/jmkSmMSxeW/HHk00CQ31k="
#define RICH_PEER2 "MCowBQYDK2VwAyEANQ+01+ca8RQiy6yMjf2igxmB+8OCDNeA8x4vL+Ro/Gs="

static const char rich_ca[] = "-----BEGIN CERTIFICATE-----\n"
			      "MIIBcTCCARegAwIBAgIUFFiFhDCiZBxLge+OCkIWsTKZvx8wCgYIKoZIzj0EAwIw\n"
			      "DTELMAkGA1UEAwwCQ0EwIBcNMjYxMTI2MTQyMTA3WhgPMjA1MTA3MTgxNDIxMDda\n"
			      "MA0xCzAJBgNVBAMMAkNBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjtYZgG1W\n"
			      "TFZByNGZdgrBqn7v+Qtm8+YcHoCgTOp/JScmtROa4andzIbd2fAYaObhPJHiyZVR\n"
			      "5WlGPlnXgZ6aJqNTMFEwHQYDVR0OBBYEFHohtHPiyXs+hZs710+aonq15CNbMB8G\n"
			      "A1UdIwQYMBaAFHohtHPiyXs+hZs710+aonq15CNbMA8GA1UdEwEB/wQFMAMBAf8w\n"
			      "CgYIKoZIzj0EAwIDSAAwRQIhAPav4qja8G6ZXRCuRSvA5DDD9gQdXqv3E6iP1zAp\n"
			      "NJS1AiBk1Ly+5uPVWchBEJN8QVFkzDSVeYjIo8xw/HScVHBURA==\n"
			      "-----END CERTIFICATE-----\n";
static const char rich_cert[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBejCCASGgAwIBAgIUSxm+Q0qBeYbRYMzgkEiE5qiWjnswCgYIKoZIzj0EAwIw\n"
				"DTELMAkGA1UEAwwCQ0EwIBcNMjYxMTI2MTQyMTA3WhgPMjA1MTA3MTgxNDIxMDda\n"
				"MA0xCzAJBgNVBAMMAmhxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMHJiA0yu\n"
				"P3R4xp8OSWNOIaEklgsSauJHDZNMvEyExk6pnlz/+QIJercZrWTiGQ65l0TuAMem\n"
				"Qe5FIeZNLDmJ0qNdMFswGQYDVR0RBBIwEIIOaHEuZXhhbXBsZS5uZXQwHQYDVR0O\n"
				"BBYEFAaqX7UlFFLzbXa5Pd+LLT+ERkLsMB8GA1UdIwQYMBaAFHohtHPiyXs+hZs7\n"
				"10+aonq15CNbMAoGCCqGSM49BAMCA0cAMEQCIEiB+kXmbydLHZX9WWIA8Kuef1YZ\n"
				"IkacpP0Yq5zJebsXAiBKuk3hMpOjxq5BV0SWySaRU2Y/rs3ApWzw4uKn38maig==\n"
				"-----END CERTIFICATE-----\n";
static const char rich_cert_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQbPmcDgUB6WrHaW5\n"
	"u4g1vwn35xjQAY/LMgait1ghHUmhRANCAAQwcmIDTK4/dHjGnw5JY04hoSSWCxJq\n"
	"4kcNk0y8TITGTqmeXP/5Agl6txmtZOIZDrmXRO4Ax6ZB7kUh5k0sOYnS\n"
	"-----END PRIVATE KEY-----\n";
static const char rich_crl[] = "-----BEGIN X509 CRL-----\n"
			       "MIG7MGMCAQEwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCQ0EXDTI2MTEyNjE0MjEw\n"
			       "N1oYDzIwNTEwNzE4MTQyMTA3WqAjMCEwHwYDVR0jBBgwFoAUeiG0c+LJez6FmzvX\n"
			       "T5qierXkI1swCgYIKoZIzj0EAwIDSAAwRQIgWkNZsHsI3T0Ox3xb5PgXaJlbNf9O\n"
			       "nhEFRnWnA5KphdACIQCEy/htKbuIy5iUEgHpVYJq2nAuP4GBFvOL2qjsGvZFaw==\n"
			       "-----END X509 CRL-----\n";

/* @ stands for the folder, $ for a sealed secret. */
static const char rich_yaml[] =
	"gateway: {id: hq.example.net, local: 198.51.100.1, key: @/gwd.key, certificate: @/hq.pem,\n"
	"  certificate-key: @/hq.key, ca: @/ca.pem, crl: [@/crl.pem]}\n"
	"charon: {socket: @/charon.vici}\n"
	"defaults:\n"
	"  ospf: {area: 0.0.0.1, cost: 10, hello-interval: 10s, dead-interval: 40s, bfd: true,\n"
	"    passive: false, authentication: {key-id: 3, key-file: @/ospf.key}}\n"
	"tunnels:\n"
	"  all-of-it:\n"
	"    description: everything a tunnel can be told\n"
	"    enabled: true\n"
	"    local: 198.51.100.1\n"
	"    remote: 203.0.113.7\n"
	"    peer: {id: b1.example.net, public-key: [" RICH_PEER ", " RICH_PEER2 "]}\n"
	"    id: other.example.net\n"
	"    interface: gre-all\n"
	"    addresses: [10.255.0.1/30, \"2001:db8:255::1/64\"]\n"
	"    routes: [10.1.0.0/16, {to: \"2001:db8:1::/48\", metric: 20, table: 100, hold: false}]\n"
	"    gre-key: {in: 7, out: 8}\n"
	"    checksum: true\n"
	"    sequence: true\n"
	"    ttl: 17\n"
	"    tos: 8\n"
	"    pmtudisc: true\n"
	"    mpls: true\n"
	"    mss-clamp: false\n"
	"    mtu: 1300\n"
	"    auth: public-key\n"
	"    ppk: {id: ppk1, secret: @/ppk, required: true}\n"
	"    ike: {proposals: [aes256gcm16-prfsha384-x25519, aes128gcm16-prfsha256-x25519],\n"
	"      rekey-time: 2h, dpd-delay: 10s, encap: true}\n"
	"    esp: {proposals: aes256gcm16-x25519, rekey-time: 30m, replay-window: 256,\n"
	"      rekey-bytes: 64G, rekey-packets: 1000000000, hw-offload: auto}\n"
	"    start: on-traffic\n"
	"  old-cipher:\n"
	"    remote: 203.0.113.8\n"
	"    peer: {id: b2.example.net}\n"
	"    psk: [@/psk, \"$\"]\n"
	"    addresses: [10.255.0.5/30]\n"
	"    allow-weak: true\n"
	"    esp: {proposals: aes128-sha1-modp1024}\n"
	"    tos: inherit\n"
	"    ospf: {enabled: false}\n"
	"  plain:\n"
	"    remote: 192.0.2.80\n"
	"    protect: none\n"
	"    addresses: [10.254.0.1/30]\n"
	"    ttl: inherit\n"
	"    ospf: {enabled: false}\n"
	"  v6:\n"
	"    local: 2001:db8::1\n"
	"    remote: 2001:db8::7\n"
	"    peer: {id: b3.example.net, public-key: " RICH_PEER "}\n"
	"    gre-key: 5\n"
	"    ignore-df: false\n"
	"    addresses: [10.255.0.9/30]\n";
static const char rich_part[] = "tunnels:\n"
				"  by-certificate:\n"
				"    remote: 203.0.113.9\n"
				"    auth: certificate\n"
				"    peer: {id: b4.example.net}\n"
				"    ca: [@/ca.pem]\n"
				"    crl: [@/crl.pem]\n"
				"    addresses: [10.255.0.13/30]\n"
				"  caller:\n"
				"    remote: any\n"
				"    gre-key: 9\n"
				"    peer: {id: b5.example.net, public-key: " RICH_PEER "}\n"
				"    addresses: [10.255.0.17/30]\n"
				"    start: passive\n"
				"  off:\n"
				"    enabled: false\n"
				"    remote: b6.example.net\n"
				"    remote-family: ipv4\n"
				"    peer: {id: b6.example.net, public-key: " RICH_PEER "}\n"
				"    addresses: [10.255.0.21/30]\n";

static inline bool rich_write(const char *path, const char *text, const char *folder,
			      const char *sealed)
{
	FILE *f = fopen(path, "w");

	if (!f || chmod(path, 0600))
		return false;
	for (; *text; text++) {
		if (*text == '@' && folder)
			fputs(folder, f);
		else if (*text == '$' && sealed)
			fputs(sealed, f);
		else
			fputc(*text, f);
	}
	return fclose(f) == 0;
}

static inline bool rich_file(const struct rich *r, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", r->folder, name);
	return rich_write(path, text, NULL, NULL);
}

static inline char *rich_key(const struct rich *r, const struct secret *psk)
{
	char public_text[KEY_PUBLIC_TEXT_SIZE], path[128], err[256];
	struct secret *key = key_generate(public_text);
	char *sealed = key ? seal_make(psk, public_text, err, sizeof(err)) : NULL;

	snprintf(path, sizeof(path), "%s/gwd.key", r->folder);
	if (key && secret_write_file(path, key, err, sizeof(err))) {
		free(sealed);
		sealed = NULL;
	}
	secret_free(key);
	return sealed;
}

/* False when something could not be made. */
static inline bool rich_make(struct rich *r)
{
	static const char text[] = "correct-horse-battery-staple";
	char parts[96], err[256];
	struct secret *psk = secret_init(err, sizeof(err)) ? NULL : secret_new(sizeof(text) - 1);

	strcpy(r->folder, "/tmp/gwd-rich.XXXXXX");
	if (!psk || !mkdtemp(r->folder))
		return false;
	memcpy(psk->bytes, text, psk->size);
	snprintf(r->conf, sizeof(r->conf), "%s/gwd.yaml", r->folder);
	snprintf(parts, sizeof(parts), "%s/tunnels.d", r->folder);
	snprintf(r->part, sizeof(r->part), "%s/tunnels.d/more.yaml", r->folder);
	char *sealed = mkdir(parts, 0700) ? NULL : rich_key(r, psk);
	bool made = sealed && rich_file(r, "hq.pem", rich_cert) &&
		    rich_file(r, "hq.key", rich_cert_key) && rich_file(r, "ca.pem", rich_ca) &&
		    rich_file(r, "crl.pem", rich_crl) && rich_file(r, "psk", text) &&
		    rich_file(r, "ppk", "0123456789abcdef0123456789abcdef\n") &&
		    rich_file(r, "ospf.key", "sixteen\n") &&
		    rich_write(r->conf, rich_yaml, r->folder, sealed) &&
		    rich_write(r->part, rich_part, r->folder, NULL);
	secret_free(psk);
	free(sealed);
	return made;
}

static inline void rich_remove(const struct rich *r)
{
	static const char *const names[] = {
		"gwd.key", "hq.pem", "hq.key",	 "ca.pem",   "crl.pem",
		"psk",	   "ppk",    "ospf.key", "gwd.yaml", "tunnels.d/more.yaml"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->folder, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/tunnels.d", r->folder);
	rmdir(path);
	rmdir(r->folder);
}

#endif
