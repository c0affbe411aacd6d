/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl keygen and gwctl pubkey: the gateway's key file, without gwd. Entry functions verb_keygen
 * and verb_pubkey. Neighbours: lib/key.c (the format) and lib/secret.c (the file).
 */
#include "ctl/verb.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/output.h"
#include "lib/file.h"
#include "lib/key.h"

#define KEY_FOLDER "/etc/gwd"
#define KEY_FILE KEY_FOLDER "/gwd.key"

static int public_print(const char *file, const char *public_text, const struct options *opt)
{
	struct text out = {0};

	if (!opt->json) {
		text_add(&out, "%s\n", public_text);
		return output_text(&out, EXIT_WELL);
	}
	json_t *both = json_pack("{s:s, s:s}", "public_key", public_text, "file", file);
	if (!both)
		return output_error("%s is not UTF-8", file);
	int rc = output_json(both, EXIT_WELL);
	json_decref(both);
	return rc;
}

/*
 * 0755 whatever the umask: the configuration in it is for everyone to read, the key guards itself.
 */
static int folder_make(const char *folder)
{
	int rc = mkdir(folder, 0755) || chmod(folder, 0755) ? -errno : file_sync_entry(folder);

	if (!rc || rc == -EEXIST)
		return EXIT_WELL;
	return output_error("cannot make %s: %s", folder, strerror(-rc));
}

static int key_write(const char *file, const struct secret *pem)
{
	char err[512];

	int rc = secret_write_file(file, pem, err, sizeof(err));
	if (rc == -EEXIST)
		return output_error(
			"%s exists already and is not overwritten. \"gwctl pubkey %s\" "
			"prints its public key. To rotate it: \"gwctl keygen %s.new\", give "
			"the new public key to every peer, then \"mv %s.new %s\" and "
			"\"gwctl reload\"",
			file, file, file, file, file);
	return rc ? output_error("%s", err) : EXIT_WELL;
}

int verb_keygen(const struct verb *verb, const char *arg, const struct options *opt)
{
	const char *file = arg ? arg : KEY_FILE;
	char public_text[KEY_PUBLIC_TEXT_SIZE], err[512];

	(void)verb;
	if (secret_init(err, sizeof(err)))
		return output_error("%s", err);
	if (!arg && folder_make(KEY_FOLDER))
		return EXIT_ERROR;
	struct secret *pem = key_generate(public_text);
	if (!pem) {
		secret_no_memory(err, sizeof(err));
		return output_error("%s", err);
	}
	int rc = key_write(file, pem);
	secret_free(pem);
	if (rc)
		return rc;
	fprintf(stderr,
		"The private key is in %s and stays there. The peers' peer.public-key is:\n", file);
	return public_print(file, public_text, opt);
}

int verb_pubkey(const struct verb *verb, const char *arg, const struct options *opt)
{
	const char *file = arg ? arg : KEY_FILE;
	char public_text[KEY_PUBLIC_TEXT_SIZE], err[512];
	struct secret *pem;

	(void)verb;
	if (secret_init(err, sizeof(err)))
		return output_error("%s", err);
	int rc = secret_read_file(file, &pem, err, sizeof(err));
	if (rc)
		return output_error("%s%s", err,
				    rc == -ENOENT ? ": \"gwctl keygen\" makes it" : "");
	rc = key_public_from_pem(pem, public_text, err, sizeof(err));
	secret_free(pem);
	if (rc)
		return output_error("%s: %s", file, err);
	return public_print(file, public_text, opt);
}
