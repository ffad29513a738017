/* The payloads of a materialization's triggers: templates as Handlebars has them, the part of it that Flow's
 * variables need. Nothing is escaped, and a variable that is not there is an error (strict).
 *
 *   {{name}} {{headers.Name}} {{headers.[X-Name]}} {{{name}}} {{this}} {{../name}} {{@index}} {{@first}}
 * {{@last}}
 *   {{#each list}}…{{else}}…{{/each}}   {{#if name}}…{{else}}…{{/if}}   {{#unless name}}…{{/unless}}
 *   {{! a comment}}   {{~ trims the white space beside it ~}}
 */
#ifndef FIRTH_CATALOG_TRIGGER_TEMPLATE_H
#define FIRTH_CATALOG_TRIGGER_TEMPLATE_H

#include "base/buffer.h"
#include "json/json.h"

enum {
    TRIGGER_PAYLOAD_MAX = 4 << 20, /* bytes of a rendered one */
    TRIGGER_DEPTH_MAX = 16,        /* of blocks in blocks */
};

/* Append what the template becomes of the object that the document is. ERROR_INVALID says what is wrong with
 * it; ERROR_LIMIT. No value is in a message. */
int trigger_template_render(struct slice text, const struct json *context, struct buffer *out,
                            struct error *err);

#endif
