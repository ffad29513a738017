/* Configs as clients see them: what is secret in them is "**********", and a config that comes back with that
 * keeps what was there. */
#ifndef FIRTH_SERVER_MASK_H
#define FIRTH_SERVER_MASK_H

#include "supervisor/config_check.h"
#include "json/writer.h"

#define MASK_TEXT CONFIG_SHOWN

/* Append the config (JSON) without its secrets: what the spec's schema marks, what names tell, and any other
 * value that shows one of these. Without a schema (size 0) every string is one. */
void mask_config(struct json_writer *writer, struct slice schema, struct slice config);
/* Append a workspace's notifications (JSON, in any of supervisor/webhook.h's spellings) without the URLs in
 * them, of which each holds a token. */
void mask_notifications(struct json_writer *writer, struct slice notifications);
/* Does a text in it say MASK_TEXT? */
bool mask_is_in(struct slice json);
/* The config, with each MASK_TEXT replaced by what `before` has in its place. Items of lists may have moved:
 * one is known by what is shown of it. Where that does not tell it, MASK_TEXT stays, for config_check_shown
 * to refuse. In the arena. */
int mask_merge(struct slice config, struct slice before, struct arena *arena, struct slice *ret_config,
               struct error *err);

#endif
