/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML by libfyaml 0.7.12: entry function yaml_open, used by conf/load.c; conf/parse.c walks the
 * nodes. libfyaml's own errors are collected and become findings like ours. Its check for
 * duplicate keys is off: it stops at the first and cannot say where the key was given before;
 * conf/parse.c has its own.
 */
#include "conf/yaml.h"

#include <stdlib.h>
#include <string.h>

struct yaml {
	struct fy_diag *diag;
	struct fy_parser *parser;
	struct fy_document *document;
};

/* libfyaml asks for an output even when errors are collected. */
static void output_drop(struct fy_diag *diag, void *user, const char *buf, size_t len)
{
	(void)diag;
	(void)user;
	(void)buf;
	(void)len;
}

static bool yaml_init(struct yaml *yaml, const struct source *source)
{
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg parse_cfg = {
		.flags = FYPCF_COLLECT_DIAG | FYPCF_ALLOW_DUPLICATE_KEYS |
			 FYPCF_DISABLE_ACCELERATORS | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
	};

	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.output_fn = output_drop;
	yaml->diag = fy_diag_create(&diag_cfg);
	if (!yaml->diag)
		return false;
	fy_diag_set_collect_errors(yaml->diag, true);
	parse_cfg.diag = yaml->diag;
	yaml->parser = fy_parser_create(&parse_cfg);
	return yaml->parser && fy_parser_set_string(yaml->parser, source->text, source->size) == 0;
}

void yaml_close(struct yaml *yaml)
{
	if (!yaml)
		return;
	if (yaml->document)
		fy_parse_document_destroy(yaml->parser, yaml->document);
	if (yaml->parser)
		fy_parser_destroy(yaml->parser);
	if (yaml->diag)
		fy_diag_destroy(yaml->diag);
	free(yaml);
}

/* The offset of a line and column as libfyaml counts them: from 1, columns in characters. */
static size_t offset_of(const struct source *source, int line, int column)
{
	const char *p = source->text, *end = source->text + source->size;

	while (line > 1 && p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		p = newline ? newline + 1 : end;
		line--;
	}
	for (; column > 1 && p < end && *p != '\n'; column--) {
		p++;
		while (p < end && (*p & 0xc0) == 0x80)
			p++;
	}
	return (size_t)(p - source->text);
}

static void errors_take(const struct yaml *yaml, struct findings *found, uint32_t file)
{
	const struct source *source = &found->sources.at[file];
	struct fy_diag_error *error;
	void *iter = NULL;
	bool any = false;

	while ((error = fy_diag_errors_iterate(yaml->diag, &iter))) {
		size_t offset = offset_of(source, error->line, error->column);
		struct spot at = {.file = file, .offset = (uint32_t)offset, .size = 1};
		struct finding *finding = findings_add(found, FINDING_ERROR, at, "%s", error->msg);
		if (strspn(source->text + offset, " \r\n") == source->size - offset)
			finding_hint(finding, "the file ends here: is all of it there?");
		any = true;
	}
	if (!any)
		findings_add(found, FINDING_ERROR, (struct spot){.file = file}, "no valid YAML");
}

/* Bytes of a UTF-8 character that YAML allows (YAML 1.2.2 section 5.1); 0 when it is none. */
static size_t yaml_char(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (n == 1)
		return (p[0] >= 0x20 && p[0] != 0x7f) || strchr("\t\n\r", p[0] ? p[0] : 'x');
	if (n > left || p[0] < 0xc2 || p[0] > 0xf4 || (p[0] == 0xc2 && p[1] < 0xa0))
		return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

static bool text_check(struct findings *found, uint32_t file)
{
	const struct source *source = &found->sources.at[file];
	const unsigned char *text = (const unsigned char *)source->text;

	for (size_t i = 0; i < source->size;) {
		size_t n = yaml_char(text + i, source->size - i);
		if (n == 0) {
			struct spot at = {.file = file, .offset = (uint32_t)i, .size = 1};
			finding_hint(findings_add(found, FINDING_ERROR, at,
						  "byte 0x%02x is no text in UTF-8", text[i]),
				     "is this a YAML file?");
			return false;
		}
		i += n;
	}
	return true;
}

/*
 * The scalar a map or list begins with, or what stands in its place; nesting is libfyaml's, at
 * most 64.
 */
static struct fy_node *first_scalar(struct fy_node *node)
{
	while (node && !fy_node_is_scalar(node)) {
		void *iter = NULL;
		if (fy_node_is_mapping(node)) {
			struct fy_node_pair *pair = fy_node_mapping_iterate(node, &iter);
			node = pair ? fy_node_pair_key(pair) : NULL;
		} else {
			node = fy_node_sequence_iterate(node, &iter);
		}
	}
	return node;
}

struct spot yaml_spot(uint32_t file, struct fy_node *node, struct spot fallback)
{
	struct fy_node *scalar = fallback.size ? node : first_scalar(node);
	struct fy_token *token = scalar ? fy_node_get_scalar_token(scalar) : NULL;
	const struct fy_mark *begin = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;

	if (!begin || !end || end->input_pos <= begin->input_pos)
		return fallback;
	return (struct spot){.file = file,
			     .offset = (uint32_t)begin->input_pos,
			     .size = (uint32_t)(end->input_pos - begin->input_pos)};
}

/* True when there is a second document; also finds errors that come after the first. */
static bool more_documents(struct yaml *yaml, struct findings *found, uint32_t file)
{
	struct fy_document *second = fy_parse_load_document(yaml->parser);
	struct fy_node *root = second ? fy_document_root(second) : NULL;

	if (!second)
		return false;
	struct spot at = yaml_spot(file, root, (struct spot){.file = file});
	finding_hint(findings_add(found, FINDING_ERROR, at, "the file holds a second document"),
		     "one file, one document: remove the line of dashes above");
	fy_parse_document_destroy(yaml->parser, second);
	return true;
}

struct yaml *yaml_open(struct findings *found, uint32_t file)
{
	struct yaml *yaml;

	if (!text_check(found, file))
		return NULL;
	yaml = calloc(1, sizeof(*yaml));
	if (!yaml || !yaml_init(yaml, &found->sources.at[file])) {
		found->failed = true;
		yaml_close(yaml);
		return NULL;
	}
	yaml->document = fy_parse_load_document(yaml->parser);
	bool more = yaml->document && more_documents(yaml, found, file);
	if (!more && !fy_parser_get_stream_error(yaml->parser))
		return yaml;
	if (!more)
		errors_take(yaml, found, file);
	yaml_close(yaml);
	return NULL;
}

struct fy_node *yaml_root(const struct yaml *yaml)
{
	return yaml->document ? fy_document_root(yaml->document) : NULL;
}

bool yaml_is_null(struct fy_node *node)
{
	size_t len = 0;

	if (!node)
		return true;
	if (!fy_node_is_scalar(node) || fy_node_get_style(node) != FYNS_PLAIN)
		return false;
	const char *text = fy_node_get_scalar(node, &len);
	return !text || len == 0 || (len == 1 && *text == '~') ||
	       (len == 4 && memcmp(text, "null", 4) == 0);
}

const char *yaml_kind(struct fy_node *node)
{
	if (yaml_is_null(node))
		return "nothing";
	if (fy_node_is_alias(node))
		return "an alias";
	switch (fy_node_get_type(node)) {
	case FYNT_SCALAR:
		return "a text";
	case FYNT_SEQUENCE:
		return "a list";
	case FYNT_MAPPING:
		return "a map";
	}
	return "something else";
}

/* Escapes in quotes can make what text_check kept out of the file itself. */
static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)text[i] < 0x20 && !strchr("\t\n", text[i] ? text[i] : 'x')) ||
		    text[i] == 0x7f)
			return true;
	}
	return false;
}

char *yaml_text(struct findings *found, struct fy_node *node, struct spot at, const char *what)
{
	size_t len = 0;

	if (!node || !fy_node_is_scalar(node) || fy_node_is_alias(node)) {
		finding_hide(findings_add(found, FINDING_ERROR, at, "%s: expected a text, found %s",
					  what, yaml_kind(node)),
			     FINDING_SHOW_TO_END);
		return NULL;
	}
	const char *text = fy_node_get_scalar(node, &len);
	if (len > YAML_TEXT_MAX) {
		findings_add(found, FINDING_ERROR, at, "%s: a text has at most %d bytes", what,
			     YAML_TEXT_MAX);
		return NULL;
	}
	if (has_control(text, len)) {
		findings_add(found, FINDING_ERROR, at, "%s: the text has a control character",
			     what);
		return NULL;
	}
	while (len && text[len - 1] == '\n')
		len--;
	char *copy = strndup(len ? text : "", len);
	if (!copy)
		found->failed = true;
	return copy;
}
