/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks a cipher proposal word by word and as a whole: entry function proposal_check, called by
 * conf/list.c. The words are those of strongSwan 5.9.8 (proposal_keywords_static.txt) that its
 * openssl, gcm, hmac and kdf plugins and the kernel's ESP implement; which of them are weak
 * follows RFC 8247 (IKEv2) and RFC 8221 (ESP). The whole must name what RFC 7296 section 3.3.3
 * demands. Pure.
 */
#include "conf/proposal.h"

#include <stdio.h>
#include <string.h>

#include "lib/text.h"

#define PROPOSAL_TEXT_MAX 128
#define N(list) (sizeof(list) / sizeof((list)[0]))

enum word_kind {
	WORD_AEAD,
	WORD_CIPHER,
	WORD_INTEGRITY,
	WORD_PRF,
	WORD_GROUP,
	WORD_ESN,
	WORD_KINDS,
};

static const struct {
	const char *name;
	enum word_kind kind;
} words[] = {
	{"aes128gcm16", WORD_AEAD},
	{"aes192gcm16", WORD_AEAD},
	{"aes256gcm16", WORD_AEAD},
	{"aes128gcm128", WORD_AEAD},
	{"aes192gcm128", WORD_AEAD},
	{"aes256gcm128", WORD_AEAD},
	{"chacha20poly1305", WORD_AEAD},
	{"aes", WORD_CIPHER},
	{"aes128", WORD_CIPHER},
	{"aes192", WORD_CIPHER},
	{"aes256", WORD_CIPHER},
	{"sha256", WORD_INTEGRITY},
	{"sha2_256", WORD_INTEGRITY},
	{"sha384", WORD_INTEGRITY},
	{"sha2_384", WORD_INTEGRITY},
	{"sha512", WORD_INTEGRITY},
	{"sha2_512", WORD_INTEGRITY},
	{"prfsha256", WORD_PRF},
	{"prfsha384", WORD_PRF},
	{"prfsha512", WORD_PRF},
	{"x25519", WORD_GROUP},
	{"curve25519", WORD_GROUP},
	{"x448", WORD_GROUP},
	{"curve448", WORD_GROUP},
	{"ecp256", WORD_GROUP},
	{"ecp384", WORD_GROUP},
	{"ecp521", WORD_GROUP},
	{"ecp256bp", WORD_GROUP},
	{"ecp384bp", WORD_GROUP},
	{"ecp512bp", WORD_GROUP},
	{"modp2048", WORD_GROUP},
	{"modp3072", WORD_GROUP},
	{"modp4096", WORD_GROUP},
	{"modp6144", WORD_GROUP},
	{"modp8192", WORD_GROUP},
	{"esn", WORD_ESN},
	{"noesn", WORD_ESN},
};

static const struct {
	const char *name, *instead;
} weak[] = {
	{"null", "aes256gcm16"},
	{"des", "aes256gcm16"},
	{"3des", "aes256gcm16"},
	{"blowfish", "aes256gcm16"},
	{"blowfish128", "aes256gcm16"},
	{"blowfish192", "aes256gcm16"},
	{"blowfish256", "aes256gcm16"},
	{"cast128", "aes256gcm16"},
	{"md5", "sha256"},
	{"md5_128", "sha256"},
	{"sha", "sha256"},
	{"sha1", "sha256"},
	{"sha1_160", "sha256"},
	{"prfmd5", "prfsha256"},
	{"prfsha1", "prfsha256"},
	{"sha256_96", "sha256"},
	{"modpnone", "x25519"},
	{"modpnull", "x25519"},
	{"modp768", "x25519"},
	{"modp1024", "x25519"},
	{"modp1536", "x25519"},
	{"modp1024s160", "x25519"},
	{"modp2048s224", "x25519"},
	{"modp2048s256", "x25519"},
	{"ecp192", "x25519"},
	{"ecp224", "x25519"},
	{"ecp224bp", "x25519"},
};

struct verdict {
	char *err, *hint;
	size_t err_size, hint_size;
};

#define REFUSE(v, ...) (snprintf((v)->err, (v)->err_size, __VA_ARGS__), false)
#define HINT(v, ...) snprintf((v)->hint, (v)->hint_size, __VA_ARGS__)

static bool word_unknown(const char *word, const struct verdict *v)
{
	const char *names[N(words) + 1] = {0};

	for (size_t i = 0; i < N(words); i++)
		names[i] = words[i].name;
	const char *near = text_nearest(word, names);
	if (near)
		HINT(v, "did you mean %s?", near);
	if (!*word)
		return REFUSE(v, "a proposal is words joined by single dashes");
	return REFUSE(v, "%s is no algorithm gwd knows", word);
}

static bool word_count(const char *word, unsigned *count, const struct verdict *v)
{
	for (size_t i = 0; i < N(weak); i++) {
		if (strcmp(word, weak[i].name) == 0) {
			HINT(v, "%s is strong", weak[i].instead);
			return REFUSE(v, "%s is too weak to protect anything", word);
		}
	}
	for (size_t i = 0; i < N(words); i++) {
		if (strcmp(word, words[i].name) == 0) {
			count[words[i].kind]++;
			return true;
		}
	}
	return word_unknown(word, v);
}

static bool whole_check_ike(const unsigned *count, const struct verdict *v)
{
	if (count[WORD_ESN])
		return REFUSE(v, "esn and noesn belong into an ESP proposal");
	if (!count[WORD_GROUP]) {
		HINT(v, "add one, such as -x25519");
		return REFUSE(v, "an IKE proposal needs a key exchange");
	}
	if (count[WORD_AEAD] && !count[WORD_PRF]) {
		HINT(v, "add one, such as -prfsha384");
		return REFUSE(v, "an IKE proposal with a combined cipher needs a PRF");
	}
	return true;
}

static bool whole_check(enum proposal_for what, const unsigned *count, const struct verdict *v)
{
	if (!count[WORD_AEAD] && !count[WORD_CIPHER]) {
		HINT(v, "add one, such as aes256gcm16");
		return REFUSE(v, "a proposal needs a cipher");
	}
	if (count[WORD_AEAD] && (count[WORD_CIPHER] || count[WORD_INTEGRITY])) {
		HINT(v, "make two proposals of it");
		return REFUSE(v, "a combined cipher goes with no other cipher and no integrity");
	}
	if (count[WORD_CIPHER] && !count[WORD_INTEGRITY]) {
		HINT(v, "add one, such as -sha384");
		return REFUSE(v, "a cipher that is not combined needs an integrity algorithm");
	}
	if (what == PROPOSAL_IKE)
		return whole_check_ike(count, v);
	if (count[WORD_PRF])
		return REFUSE(v, "a PRF belongs into an IKE proposal");
	return true;
}

bool proposal_check(enum proposal_for what, const char *text, char *err, size_t err_size,
		    char *hint, size_t hint_size)
{
	struct verdict v = {err, hint, err_size, hint_size};
	unsigned count[WORD_KINDS] = {0};
	char copy[PROPOSAL_TEXT_MAX], *rest = copy;

	*hint = '\0';
	if (strlen(text) >= sizeof(copy))
		return REFUSE(&v, "a proposal has at most %d characters", PROPOSAL_TEXT_MAX - 1);
	strcpy(copy, text);
	for (char *word; (word = strsep(&rest, "-"));) {
		if (!word_count(word, count, &v))
			return false;
	}
	return whole_check(what, count, &v);
}
