/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks a cipher proposal word by word and as a whole: entry functions proposal_check, called by
 * conf/list.c, and proposal_weak, by conf/weak.c. The words are those of strongSwan
 * (proposal_keywords_static.txt of 5.9.8, and ML-KEM of 6.0) that its openssl plugin and the
 * kernel's ESP implement; which of them the charon that runs has, daemon/loading.c asks it. Which
 * are weak follows RFC 8247 (IKEv2) and RFC 8221 (ESP). The whole must name what RFC 7296 section
 * 3.3.3 demands, and RFC 9370 for further key exchanges. Pure.
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

struct word {
	const char *name;
	enum word_kind kind;
	const char *instead; /* of a weak one; NULL: it is strong */
};

static const struct word words[] = {
	{"aes128gcm16", WORD_AEAD, NULL},
	{"aes192gcm16", WORD_AEAD, NULL},
	{"aes256gcm16", WORD_AEAD, NULL},
	{"aes128gcm128", WORD_AEAD, NULL},
	{"aes192gcm128", WORD_AEAD, NULL},
	{"aes256gcm128", WORD_AEAD, NULL},
	{"aes128ccm16", WORD_AEAD, NULL},
	{"aes192ccm16", WORD_AEAD, NULL},
	{"aes256ccm16", WORD_AEAD, NULL},
	{"chacha20poly1305", WORD_AEAD, NULL},
	{"aes", WORD_CIPHER, NULL},
	{"aes128", WORD_CIPHER, NULL},
	{"aes192", WORD_CIPHER, NULL},
	{"aes256", WORD_CIPHER, NULL},
	{"camellia128", WORD_CIPHER, NULL},
	{"camellia192", WORD_CIPHER, NULL},
	{"camellia256", WORD_CIPHER, NULL},
	{"sha256", WORD_INTEGRITY, NULL},
	{"sha2_256", WORD_INTEGRITY, NULL},
	{"sha384", WORD_INTEGRITY, NULL},
	{"sha2_384", WORD_INTEGRITY, NULL},
	{"sha512", WORD_INTEGRITY, NULL},
	{"sha2_512", WORD_INTEGRITY, NULL},
	{"aescmac", WORD_INTEGRITY, NULL},
	{"prfsha256", WORD_PRF, NULL},
	{"prfsha384", WORD_PRF, NULL},
	{"prfsha512", WORD_PRF, NULL},
	{"prfaescmac", WORD_PRF, NULL},
	{"x25519", WORD_GROUP, NULL},
	{"curve25519", WORD_GROUP, NULL},
	{"x448", WORD_GROUP, NULL},
	{"curve448", WORD_GROUP, NULL},
	{"ecp256", WORD_GROUP, NULL},
	{"ecp384", WORD_GROUP, NULL},
	{"ecp521", WORD_GROUP, NULL},
	{"ecp256bp", WORD_GROUP, NULL},
	{"ecp384bp", WORD_GROUP, NULL},
	{"ecp512bp", WORD_GROUP, NULL},
	{"modp2048", WORD_GROUP, NULL},
	{"modp3072", WORD_GROUP, NULL},
	{"modp4096", WORD_GROUP, NULL},
	{"modp6144", WORD_GROUP, NULL},
	{"modp8192", WORD_GROUP, NULL},
	{"mlkem512", WORD_GROUP, NULL},
	{"mlkem768", WORD_GROUP, NULL},
	{"mlkem1024", WORD_GROUP, NULL},
	{"esn", WORD_ESN, NULL},
	{"noesn", WORD_ESN, NULL},

	{"null", WORD_CIPHER, "aes256gcm16"},
	{"des", WORD_CIPHER, "aes256gcm16"},
	{"3des", WORD_CIPHER, "aes256gcm16"},
	{"blowfish", WORD_CIPHER, "aes256gcm16"},
	{"blowfish128", WORD_CIPHER, "aes256gcm16"},
	{"blowfish192", WORD_CIPHER, "aes256gcm16"},
	{"blowfish256", WORD_CIPHER, "aes256gcm16"},
	{"cast128", WORD_CIPHER, "aes256gcm16"},
	{"md5", WORD_INTEGRITY, "sha256"},
	{"md5_128", WORD_INTEGRITY, "sha256"},
	{"sha", WORD_INTEGRITY, "sha256"},
	{"sha1", WORD_INTEGRITY, "sha256"},
	{"sha1_160", WORD_INTEGRITY, "sha256"},
	{"sha256_96", WORD_INTEGRITY, "sha256"},
	{"prfmd5", WORD_PRF, "prfsha256"},
	{"prfsha1", WORD_PRF, "prfsha256"},
	{"modp768", WORD_GROUP, "x25519"},
	{"modp1024", WORD_GROUP, "x25519"},
	{"modp1536", WORD_GROUP, "x25519"},
	{"modp1024s160", WORD_GROUP, "x25519"},
	{"modp2048s224", WORD_GROUP, "x25519"},
	{"modp2048s256", WORD_GROUP, "x25519"},
	{"ecp192", WORD_GROUP, "x25519"},
	{"ecp224", WORD_GROUP, "x25519"},
	{"ecp224bp", WORD_GROUP, "x25519"},
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
	size_t n = 0;

	for (size_t i = 0; i < N(words); i++)
		if (!words[i].instead)
			names[n++] = words[i].name;
	const char *near = text_nearest(word, names);
	if (near)
		HINT(v, "did you mean %s?", near);
	if (!*word)
		return REFUSE(v, "a proposal is words joined by single dashes");
	return REFUSE(v, "%s is no algorithm gwd knows", word);
}

/* A further key exchange is one with the prefix ke1_ to ke7_ (RFC 9370 section 2.2.1). */
static bool is_further(const char *word)
{
	return strncmp(word, "ke", 2) == 0 && word[2] >= '1' && word[2] <= '7' && word[3] == '_';
}

static const struct word *word_find(const char *word)
{
	bool further = is_further(word);

	if (further)
		word += 4;
	for (size_t i = 0; i < N(words); i++)
		if (strcmp(word, words[i].name) == 0 && (!further || words[i].kind == WORD_GROUP))
			return &words[i];
	return NULL;
}

static bool word_count(const char *word, unsigned *count, const struct verdict *v)
{
	const struct word *w = word_find(word);

	if (!w)
		return word_unknown(word, v);
	count[w->kind] += !is_further(word);
	return true;
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

bool proposal_weak(const char *text, char *word, size_t size, const char **instead)
{
	while (*text) {
		size_t len = strcspn(text, "-");
		if (len < size) {
			memcpy(word, text, len);
			word[len] = '\0';
			const struct word *w = word_find(word);
			if (w && w->instead) {
				*instead = w->instead;
				return true;
			}
		}
		text += len;
		text += *text == '-';
	}
	return false;
}
