/* What a deployed catalog says of a collection: in the process `firth ask`, since a catalog may be large and
 * its schemas are compiled. */
#include "server/ask_collection.h"

#include "catalog/snapshot.h"
#include "supervisor/plan.h"
#include "task/flow_collection.h"
#include "json/writer.h"

static void put_texts(struct json_writer *writer, const char *name, const struct flow_texts *texts)
{
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; i < texts->count; i++)
        json_put_slice(writer, texts->items[i]);
    json_end_array(writer);
}

/* The root is a projection too, and no field. */
static void put_fields(struct json_writer *writer, const struct flow_projections *projections)
{
    static const struct flow_inference nothing;
    json_put_key(writer, "fields");
    json_begin_array(writer);
    for (size_t i = 0; i < projections->count; i++) {
        const struct flow_projection *field = &projections->items[i];
        const struct flow_inference *inference = field->inference ? field->inference : &nothing;
        if (!field->pointer.size)
            continue;
        json_begin_object(writer);
        json_member_slice(writer, "field", field->field);
        json_member_slice(writer, "pointer", field->pointer);
        put_texts(writer, "types", &inference->types);
        json_member_bool(writer, "required", inference->exists == FLOW_EXISTS_MUST);
        json_member_bool(writer, "key", field->is_primary_key);
        if (inference->description.size)
            json_member_slice(writer, "description", inference->description);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_collection(struct buffer *out, const struct flow_collection *collection, bool inferred)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_slice(&writer, "name", collection->name);
    put_texts(&writer, "key", &collection->key);
    json_member_raw(&writer, "writeSchema", collection->raw_write_schema);
    json_member_raw(&writer, "readSchema",
                    collection->raw_read_schema.size ? collection->raw_read_schema
                                                     : collection->raw_write_schema);
    json_member_bool(&writer, "inferred", inferred);
    put_fields(&writer, &collection->projections);
    json_end_object(&writer);
}

int ask_collection(struct slice snapshot_text, const char *name, const char *data_dir, struct arena *arena,
                   struct json *ret_payload, struct error *err)
{
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot =
        catalog_snapshot_read(snapshot_text, err);
    if (!snapshot)
        return -1;
    mem_auto(catalog_free) struct catalog *catalog =
        plan_load_inferred(snapshot, catalog_snapshot_path(snapshot), data_dir, err);
    const struct catalog_collection *found = catalog ? catalog_collection(catalog, name) : NULL;
    if (!catalog)
        return -1;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "the catalog of this task declares no collection '%.200s'",
                         name);
    struct flow_collection collection;
    struct buffer text;
    task_flow_collection(catalog, found, arena, &collection);
    buffer_init(&text, BUFFER_UNLIMITED);
    write_collection(&text, &collection, found->inferred);
    int result = json_parse_copy(arena, text.data, text.size, ret_payload, err);
    buffer_done(&text);
    return result;
}
