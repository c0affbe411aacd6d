// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pick PATH: one value out of the JSON on stdin, for the lab, where starting jq takes a quarter of a second under emulation.
 * Parts of PATH are joined by dots: NAME is an object's member, NAME[2] an element of its array, NAME[KEY=TEXT] the first
 * element whose member KEY is TEXT, NAME[*] each element, a line for each. An array at the top is [0] alone. A string comes as it is,
 * anything else as JSON; what is not there is "null", as jq has it. Status 1 when stdin is no JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX 256

static json_t *element(json_t *array, char *which)
{
	char *text = strchr(which, '=');
	json_t *one;
	size_t i;

	if (!text)
		return json_array_get(array, strtoul(which, NULL, 10));
	*text++ = '\0';
	json_array_foreach(array, i, one)
	{
		const char *value = json_string_value(json_object_get(one, which));
		if (value && !strcmp(value, text))
			return one;
	}
	return NULL;
}

static json_t *step(json_t *value, char *part)
{
	char *bracket = strchr(part, '[');

	if (bracket) {
		*bracket++ = '\0';
		bracket[strcspn(bracket, "]")] = '\0';
	}
	if (*part)
		value = json_object_get(value, part);
	return bracket ? element(value, bracket) : value;
}

/* A dot within brackets belongs to the text there. */
static size_t part_length(const char *path)
{
	size_t n = strcspn(path, ".[");

	if (path[n] == '[')
		n += strcspn(path + n, "]") + 1;
	return n;
}

static void print(const json_t *value)
{
	if (json_is_string(value))
		puts(json_string_value(value));
	else if (value && json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
		putchar('\n');
	else
		puts("null");
}

static void pick(json_t *value, const char *path)
{
	char part[PART_MAX], *each;

	for (; *path && value; path += *path == '.') {
		size_t n = part_length(path);

		if (n >= strlen(path))
			n = strlen(path);
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		path += n;
		each = strstr(part, "[*]");
		if (each) {
			*each = '\0';
			value = step(value, part);
			for (size_t i = 0; i < json_array_size(value); i++)
				pick(json_array_get(value, i), path + (*path == '.'));
			return;
		}
		value = step(value, part);
	}
	print(value);
}

int main(int argc, char **argv)
{
	json_t *root = argc == 2 ? json_loadf(stdin, JSON_DECODE_ANY, NULL) : NULL;

	if (!root)
		return 1;
	pick(root, argv[1]);
	json_decref(root);
	return 0;
}
