/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversion between our flat messages and libvici's opaque ones; entry functions ike_codec_encode
 * and ike_codec_decode. Neighbours: ike/vici_conn.c, which calls it from our thread and from
 * libvici's callbacks, ike/msg.c. Follows the vici plugin's README.
 */
#include "ike/vici_codec.h"

#include <stdlib.h>

/* A message is at most IKE_MSG_MAX bytes and an item at least one. */
#define ITEMS_MAX IKE_MSG_MAX

vici_req_t *ike_codec_encode(const struct ike_msg *m)
{
	vici_req_t *req = vici_begin((char *)ike_msg_name(m));

	for (size_t i = 0; req && i < ike_msg_len(m); i++) {
		const struct ike_item *item = ike_msg_at(m, i);

		switch (item->type) {
		case IKE_ITEM_SECTION:
			vici_begin_section(req, (char *)item->name);
			break;
		case IKE_ITEM_SECTION_END:
			vici_end_section(req);
			break;
		case IKE_ITEM_VALUE:
			vici_add_key_value(req, (char *)item->name, (void *)item->value,
					   (int)item->size);
			break;
		case IKE_ITEM_LIST:
			vici_begin_list(req, (char *)item->name);
			break;
		case IKE_ITEM_LIST_VALUE:
			vici_add_list_item(req, (void *)item->value, (int)item->size);
			break;
		case IKE_ITEM_LIST_END:
			vici_end_list(req);
			break;
		}
	}
	return req;
}

/* Adds the one item that vici_parse stands at. False at the end, and when the message is
 * malformed. */
static bool decode_item(struct ike_msg *m, vici_res_t *res, int found)
{
	int size = 0;
	const void *value;

	switch ((enum ike_vici_parse)found) {
	case IKE_VICI_BEGIN_SECTION:
		ike_msg_section(m, vici_parse_name(res));
		return true;
	case IKE_VICI_END_SECTION:
		ike_msg_section_end(m);
		return true;
	case IKE_VICI_KEY_VALUE:
		value = vici_parse_value(res, &size);
		ike_msg_bytes(m, vici_parse_name(res), value, (size_t)size);
		return true;
	case IKE_VICI_BEGIN_LIST:
		ike_msg_list(m, vici_parse_name(res));
		return true;
	case IKE_VICI_LIST_ITEM:
		value = vici_parse_value(res, &size);
		ike_msg_list_bytes(m, value, (size_t)size);
		return true;
	case IKE_VICI_END_LIST:
		ike_msg_list_end(m);
		return true;
	case IKE_VICI_END:
	case IKE_VICI_ERROR:
		break;
	}
	return false;
}

struct ike_msg *ike_codec_decode(vici_res_t *res, const char *name)
{
	struct ike_msg *m = ike_msg_new(name);
	int found = IKE_VICI_ERROR;

	for (size_t i = 0; m && i < ITEMS_MAX; i++) {
		found = vici_parse(res);
		if (!decode_item(m, res, found))
			break;
	}
	if (m && found == IKE_VICI_END && ike_msg_valid(m))
		return m;
	ike_msg_free(m);
	return NULL;
}
