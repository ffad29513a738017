#include "host.h"

/* The option table as JSON Schema, the way Airbyte's forms read it: draft 7, `order`, `airbyte_secret`, and
 * a oneOf of objects told apart by a constant; and the way Flow's do: `secret`, `discriminator`. */

struct form {
    struct json_writer writer;
    bool flow;
};

static void write_table(struct form *form, const struct firth_option *options, const char *tag,
                        const char *value);

/* A default or an example: text in the table, a value of the option's type in the schema. */
static void write_value(struct form *form, const struct firth_option *option, const char *text)
{
    if (option->type == FIRTH_STRING || option->type == FIRTH_SECRET || option->type == FIRTH_ENUM)
        json_put_string(&form->writer, text);
    else
        json_put_raw(&form->writer, slice_of(text));
}

static void write_choices(struct form *form, const struct firth_option *option)
{
    if (form->flow) {
        json_put_key(&form->writer, "discriminator");
        json_begin_object(&form->writer);
        json_member_string(&form->writer, "propertyName", option->tag);
        json_end_object(&form->writer);
    }
    json_put_key(&form->writer, "oneOf");
    json_begin_array(&form->writer);
    for (const struct firth_choice *choice = option->choices; choice->value; choice++) {
        json_begin_object(&form->writer);
        if (choice->title)
            json_member_string(&form->writer, "title", choice->title);
        if (choice->help)
            json_member_string(&form->writer, "description", choice->help);
        write_table(form, choice->fields, option->tag, choice->value);
        json_end_object(&form->writer);
    }
    json_end_array(&form->writer);
}

static void write_type(struct form *form, const struct firth_option *option)
{
    static const char *const types[] = {
        [FIRTH_STRING] = "string", [FIRTH_SECRET] = "string",   [FIRTH_INTEGER] = "integer",
        [FIRTH_NUMBER] = "number", [FIRTH_BOOLEAN] = "boolean", [FIRTH_ENUM] = "string",
        [FIRTH_STRINGS] = "array", [FIRTH_JSON] = "object",     [FIRTH_OBJECT] = "object",
        [FIRTH_CHOICE] = "object", [FIRTH_OBJECTS] = "array",
    };
    if (option->type != FIRTH_OBJECT) /* write_table says it */
        json_member_string(&form->writer, "type", types[option->type]);
    if (option->type == FIRTH_SECRET)
        json_member_bool(&form->writer, form->flow ? "secret" : "airbyte_secret", true);
    if (option->type == FIRTH_STRINGS)
        json_member_raw(&form->writer, "items", SLICE_LITERAL("{\"type\":\"string\"}"));
    if (option->type == FIRTH_OBJECTS) {
        json_put_key(&form->writer, "items");
        json_begin_object(&form->writer);
        write_table(form, option->fields, NULL, NULL);
        json_end_object(&form->writer);
    }
    if (option->type == FIRTH_ENUM) {
        json_put_key(&form->writer, "enum");
        json_begin_array(&form->writer);
        for (size_t i = 0; option->values[i]; i++)
            json_put_string(&form->writer, option->values[i]);
        json_end_array(&form->writer);
    }
    if (option->type == FIRTH_OBJECT)
        write_table(form, option->fields, NULL, NULL);
    if (option->type == FIRTH_CHOICE)
        write_choices(form, option);
}

static void write_option(struct form *form, const struct firth_option *option, int position)
{
    json_put_key(&form->writer, option->name);
    json_begin_object(&form->writer);
    json_member_string(&form->writer, "title", option->title ? option->title : option->name);
    if (option->help)
        json_member_string(&form->writer, "description", option->help);
    write_type(form, option);
    if (option->preset) {
        json_put_key(&form->writer, "default");
        write_value(form, option, option->preset);
    }
    if (option->minimum)
        json_member_raw(&form->writer, "minimum", slice_of(option->minimum));
    if (option->maximum)
        json_member_raw(&form->writer, "maximum", slice_of(option->maximum));
    if (option->pattern)
        json_member_string(&form->writer, "pattern", option->pattern);
    if (option->pattern_help)
        json_member_string(&form->writer, "pattern_descriptor", option->pattern_help);
    if (option->multiline)
        json_member_bool(&form->writer, "multiline", true);
    if (option->example) {
        json_put_key(&form->writer, "examples");
        json_begin_array(&form->writer);
        write_value(form, option, option->example);
        json_end_array(&form->writer);
    }
    json_member_i64(&form->writer, "order", option->order ? option->order : position);
    json_end_object(&form->writer);
}

/* type, required and properties into the object that is open. */
static void write_table(struct form *form, const struct firth_option *options, const char *tag,
                        const char *value)
{
    json_member_string(&form->writer, "type", "object");
    json_put_key(&form->writer, "required");
    json_begin_array(&form->writer);
    if (tag)
        json_put_string(&form->writer, tag);
    for (const struct firth_option *option = options; option && option->name; option++) {
        if (option->required)
            json_put_string(&form->writer, option->name);
    }
    json_end_array(&form->writer);
    json_put_key(&form->writer, "properties");
    json_begin_object(&form->writer);
    if (tag) {
        json_put_key(&form->writer, tag);
        json_begin_object(&form->writer);
        json_member_string(&form->writer, "type", "string");
        json_member_string(&form->writer, "const", value);
        json_member_i64(&form->writer, "order", 0);
        json_end_object(&form->writer);
    }
    int position = tag ? 1 : 0;
    for (const struct firth_option *option = options; option && option->name; option++)
        write_option(form, option, position++);
    json_end_object(&form->writer);
    json_member_bool(&form->writer, "additionalProperties", true);
}

static void write_destination_modes(struct json_writer *writer, unsigned modes)
{
    static const struct {
        unsigned mode;
        const char *name;
    } names[] = {
        {FIRTH_OVERWRITE, "overwrite"}, {FIRTH_APPEND, "append"}, {FIRTH_APPEND_DEDUP, "append_dedup"}};
    json_put_key(writer, "supported_destination_sync_modes");
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (modes & names[i].mode)
            json_put_string(writer, names[i].name);
    }
    json_end_array(writer);
    /* No word of the protocol: its readers refuse it above, and take no notice of it here. */
    if (modes & FIRTH_OVERWRITE_DEDUP)
        json_member_raw(writer, "firth_destination_sync_modes", SLICE_LITERAL("[\"overwrite_dedup\"]"));
}

static void write_config(struct form *form, const struct firth_connector_class *class_)
{
    json_begin_object(&form->writer);
    json_member_string(&form->writer, "$schema",
                       form->flow ? "https://json-schema.org/draft/2020-12/schema"
                                  : "http://json-schema.org/draft-07/schema#");
    json_member_string(&form->writer, "title", class_->title);
    bool own = form->flow && class_->flow_options;
    write_table(form, own ? class_->flow_options : class_->options, NULL, NULL);
    json_end_object(&form->writer);
}

void sdk_spec_write(struct buffer *out, const struct firth_connector_class *class_)
{
    struct form form = {0};
    struct json_writer *writer = &form.writer;
    json_writer_init(writer, out);
    json_begin_object(writer);
    if (class_->documentation_url)
        json_member_string(writer, "documentationUrl", class_->documentation_url);
    json_put_key(writer, "connectionSpecification");
    write_config(&form, class_);
    json_member_bool(writer, "supportsIncremental", true);
    if (class_->destination.store)
        write_destination_modes(writer, class_->destination.sync_modes);
    json_member_string(writer, "protocol_version", "0.3.2");
    json_end_object(writer);
}

void sdk_spec_write_flow(struct buffer *out, const struct firth_connector_class *class_)
{
    struct form form = {.flow = true};
    json_writer_init(&form.writer, out);
    write_config(&form, class_);
}
