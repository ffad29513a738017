#include "value.h"

#include "base/hash.h"
#include "big.h"
#include "unicode.h"
#include "json/number.h"

enum { LIST_FIRST = 4, DICT_INDEXED = 8 };

/* --- making -------------------------------------------------------------------------------------- */

struct tvalue tvalue_list(struct arena *arena)
{
    return (struct tvalue){.kind = TVALUE_LIST, .list = arena_zalloc(arena, sizeof(struct tlist))};
}

struct tvalue tvalue_tuple(struct arena *arena, const struct tvalue *items, size_t count)
{
    struct tvalue tuple = {.kind = TVALUE_TUPLE, .list = arena_zalloc(arena, sizeof(struct tlist))};
    tuple.list->items = arena_dup(arena, items, count * sizeof *items);
    tuple.list->count = tuple.list->capacity = (uint32_t)count;
    return tuple;
}

struct tvalue tvalue_dict(struct arena *arena)
{
    return (struct tvalue){.kind = TVALUE_DICT, .dict = arena_zalloc(arena, sizeof(struct tdict))};
}

struct tvalue tvalue_datetime(struct arena *arena, struct datetime datetime)
{
    return (struct tvalue){.kind = TVALUE_DATETIME, .datetime = arena_dup(arena, &datetime, sizeof datetime)};
}

struct tvalue tvalue_date(struct arena *arena, int64_t days)
{
    struct datetime date = {.local = days * DATETIME_DAY};
    return (struct tvalue){.kind = TVALUE_DATE, .datetime = arena_dup(arena, &date, sizeof date)};
}

static struct tvalue json_number(struct arena *arena, const struct json *doc, uint32_t at)
{
    struct slice raw = json_raw(doc, at);
    if (json_is(doc, at, JSON_INTEGER)) {
        bool negative = *raw.data == '-';
        return integer_of_digits(arena, (struct slice){raw.data + negative, raw.size - negative}, negative);
    }
    double number;
    if (!json_to_double(doc, at, &number))
        number = *raw.data == '-' ? -HUGE_VAL : HUGE_VAL;
    return (struct tvalue){
        .kind = TVALUE_FLOAT, .at = (uint32_t)raw.size, .number = number, .digits = raw.data};
}

struct tvalue tvalue_json(struct arena *arena, const struct json *doc, uint32_t at)
{
    if (at == JSON_NONE)
        return tvalue_none();
    switch (json_tag(doc, at)) {
    case JSON_FALSE:
    case JSON_TRUE:
        return tvalue_bool(json_is(doc, at, JSON_TRUE));
    case JSON_INTEGER:
    case JSON_NUMBER:
        return json_number(arena, doc, at);
    case JSON_STRING:
    case JSON_KEY:
        return tvalue_string(json_string(doc, at, arena));
    case JSON_ARRAY:
        return (struct tvalue){.kind = TVALUE_JSON_LIST, .at = at, .doc = doc};
    case JSON_OBJECT:
        return (struct tvalue){.kind = TVALUE_JSON_DICT, .at = at, .doc = doc};
    default:
        return tvalue_none();
    }
}

static void merge_into(struct arena *arena, struct tdict *dict, const struct tvalue *mapping)
{
    struct titer iter;
    struct tvalue key;
    if (!tvalue_is_mapping(mapping) || !titer_init(&iter, arena, *mapping))
        return;
    while (titer_next(&iter, &key))
        tdict_set(arena, dict, key, iter.of_key);
}

static struct tvalue mapping_or_empty(struct arena *arena, struct tvalue value)
{
    return tvalue_is_mapping(&value) ? value : tvalue_dict(arena);
}

struct tvalue tvalue_stream_slice(struct arena *arena, struct tvalue partition, struct tvalue cursor_slice,
                                  struct tvalue extra_fields)
{
    struct tvalue merged = tvalue_dict(arena);
    merge_into(arena, merged.dict, &partition);
    merge_into(arena, merged.dict, &cursor_slice);
    struct tattribute attributes[] = {
        {"partition", mapping_or_empty(arena, partition)},
        {"cursor_slice", mapping_or_empty(arena, cursor_slice)},
        {"extra_fields", mapping_or_empty(arena, extra_fields)},
        {"_partition", mapping_or_empty(arena, partition)},
    };
    struct tobject object = {
        .type = "StreamSlice",
        .mapping = merged,
        .has_dict_methods = true,
        .attributes = arena_dup(arena, attributes, sizeof attributes),
        .attribute_count = sizeof attributes / sizeof *attributes,
        .true_anyway = tvalue_true(&attributes[2].value),
    };
    return tvalue_object(arena_dup(arena, &object, sizeof object));
}

struct tvalue tvalue_record(struct arena *arena, struct tvalue data, const char *stream_name,
                            struct tvalue associated_slice)
{
    struct tattribute attributes[] = {
        {"data", data},
        {"stream_name", tvalue_cstring(stream_name)},
        {"associated_slice", associated_slice},
        {"file_reference", tvalue_none()},
    };
    struct tobject object = {
        .type = "Record",
        .mapping = mapping_or_empty(arena, data),
        .attributes = arena_dup(arena, attributes, sizeof attributes),
        .attribute_count = sizeof attributes / sizeof *attributes,
    };
    return tvalue_object(arena_dup(arena, &object, sizeof object));
}

/* --- lists --------------------------------------------------------------------------------------- */

void tlist_push(struct arena *arena, struct tlist *list, struct tvalue item)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : LIST_FIRST;
        struct tvalue *items = arena_alloc(arena, capacity * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

struct tvalue tvalue_at(struct arena *arena, const struct tvalue *sequence, size_t position)
{
    if (sequence->kind == TVALUE_JSON_LIST)
        return tvalue_json(arena, sequence->doc, json_at(sequence->doc, sequence->at, (uint32_t)position));
    assert(position < sequence->list->count);
    return sequence->list->items[position];
}

/* --- dicts --------------------------------------------------------------------------------------- */

/* Equality of keys: the arena is only needed for members of JSON containers, which are no keys. */
static bool key_is(const struct tentry *entry, const struct tvalue *key, uint64_t hash)
{
    if (entry->removed || entry->hash != hash)
        return false;
    if (entry->key.kind == TVALUE_STRING && key->kind == TVALUE_STRING)
        return slice_equal(entry->key.text, key->text);
    return tvalue_equal(NULL, &entry->key, key);
}

static struct tentry *find(const struct tdict *dict, const struct tvalue *key, uint64_t hash)
{
    if (!dict->index) {
        for (uint32_t i = 0; i < dict->used; i++) {
            if (key_is(&dict->entries[i], key, hash))
                return &dict->entries[i];
        }
        return NULL;
    }
    for (uint32_t at = (uint32_t)hash & (dict->index_size - 1); dict->index[at];
         at = (at + 1) & (dict->index_size - 1)) {
        struct tentry *entry = &dict->entries[dict->index[at] - 1];
        if (key_is(entry, key, hash))
            return entry;
    }
    return NULL;
}

static void index_entry(struct tdict *dict, uint32_t number)
{
    uint32_t at = (uint32_t)dict->entries[number].hash & (dict->index_size - 1);
    while (dict->index[at])
        at = (at + 1) & (dict->index_size - 1);
    dict->index[at] = number + 1;
}

/* Room for one more; leaves out what was removed. */
static void dict_grow(struct arena *arena, struct tdict *dict)
{
    uint32_t capacity = dict->count < LIST_FIRST ? LIST_FIRST : dict->count * 2;
    struct tentry *entries = arena_alloc(arena, capacity * sizeof *entries);
    uint32_t used = 0;
    for (uint32_t i = 0; i < dict->used; i++) {
        if (!dict->entries[i].removed)
            entries[used++] = dict->entries[i];
    }
    dict->entries = entries;
    dict->capacity = capacity;
    dict->used = used;
    dict->index = NULL;
    if (capacity <= DICT_INDEXED)
        return;
    dict->index_size = 16;
    while (dict->index_size < capacity * 2)
        dict->index_size *= 2;
    dict->index = arena_zalloc(arena, dict->index_size * sizeof *dict->index);
    for (uint32_t i = 0; i < used; i++)
        index_entry(dict, i);
}

void tdict_set(struct arena *arena, struct tdict *dict, struct tvalue key, struct tvalue value)
{
    uint64_t hash = 0;
    bool hashable = tvalue_hash(arena, &key, &hash);
    assert(hashable);
    struct tentry *entry = find(dict, &key, hash);
    if (entry) {
        entry->value = value;
        return;
    }
    if (dict->used == dict->capacity)
        dict_grow(arena, dict);
    dict->entries[dict->used] = (struct tentry){.key = key, .value = value, .hash = hash};
    if (dict->index)
        index_entry(dict, dict->used);
    dict->used++;
    dict->count++;
}

void tdict_set_name(struct arena *arena, struct tdict *dict, const char *name, struct tvalue value)
{
    tdict_set(arena, dict, tvalue_cstring(name), value);
}

bool tdict_get(const struct tdict *dict, const struct tvalue *key, struct tvalue *ret_value)
{
    uint64_t hash;
    if (dict->count == 0 || !tvalue_hash(NULL, key, &hash))
        return false;
    struct tentry *entry = find(dict, key, hash);
    if (entry)
        *ret_value = entry->value;
    return entry;
}

bool tdict_remove(struct tdict *dict, const struct tvalue *key, struct tvalue *ret_value)
{
    uint64_t hash;
    if (!tvalue_hash(NULL, key, &hash))
        return false;
    struct tentry *entry = find(dict, key, hash);
    if (!entry)
        return false;
    *ret_value = entry->value;
    entry->removed = true;
    dict->count--;
    return true;
}

/* --- mappings ------------------------------------------------------------------------------------ */

bool tvalue_member_name(struct arena *arena, const struct tvalue *mapping, struct slice name,
                        struct tvalue *ret_value)
{
    if (mapping->kind == TVALUE_OBJECT)
        mapping = &mapping->object->mapping;
    if (mapping->kind == TVALUE_JSON_DICT) {
        uint32_t at = json_get_slice(mapping->doc, mapping->at, name);
        if (at == JSON_NONE)
            return false;
        *ret_value = tvalue_json(arena, mapping->doc, at);
        return true;
    }
    struct tvalue key = tvalue_string(name);
    return mapping->kind == TVALUE_DICT && tdict_get(mapping->dict, &key, ret_value);
}

bool tvalue_member(struct arena *arena, const struct tvalue *mapping, const struct tvalue *key,
                   struct tvalue *ret_value)
{
    if (mapping->kind == TVALUE_OBJECT)
        mapping = &mapping->object->mapping;
    if (key->kind == TVALUE_STRING)
        return tvalue_member_name(arena, mapping, key->text, ret_value);
    return mapping->kind == TVALUE_DICT && tdict_get(mapping->dict, key, ret_value);
}

size_t tvalue_count(const struct tvalue *value)
{
    switch (value->kind) {
    case TVALUE_STRING:
        return unicode_count(value->text);
    case TVALUE_BYTES:
        return value->text.size;
    case TVALUE_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
    case TVALUE_GENERATOR:
        return value->list->count;
    case TVALUE_DICT:
        return value->dict->count;
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
        return json_count(value->doc, value->at);
    case TVALUE_OBJECT:
        return tvalue_count(&value->object->mapping);
    case TVALUE_VIEW:
        return tvalue_count(value->pointer);
    default:
        return 0;
    }
}

/* --- iteration ----------------------------------------------------------------------------------- */

bool titer_init(struct titer *iter, struct arena *arena, struct tvalue over)
{
    if (over.kind == TVALUE_OBJECT)
        over = over.object->mapping;
    *iter = (struct titer){.arena = arena, .over = over, .node = JSON_NONE};
    switch (over.kind) {
    case TVALUE_JSON_LIST:
        iter->node = json_first(over.doc, over.at);
        return true;
    case TVALUE_JSON_DICT:
        iter->node = json_first_key(over.doc, over.at);
        return true;
    case TVALUE_VIEW: {
        uint16_t view = over.id;
        bool begun = titer_init(iter, arena, *(const struct tvalue *)over.pointer);
        iter->over.id = view;
        return begun;
    }
    case TVALUE_UNDEFINED:
        return !(over.flags & TVALUE_SECRET);
    case TVALUE_STRING:
    case TVALUE_BYTES:
    case TVALUE_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
    case TVALUE_DICT:
    case TVALUE_GENERATOR:
        return true;
    default:
        return false;
    }
}

static bool next_of_dict(struct titer *iter, struct tvalue *ret_item)
{
    const struct tdict *dict = iter->over.dict;
    while (iter->position < dict->used) {
        const struct tentry *entry = &dict->entries[iter->position++];
        if (entry->removed)
            continue;
        *ret_item = entry->key;
        iter->of_key = entry->value;
        return true;
    }
    return false;
}

static bool next_of_json(struct titer *iter, struct tvalue *ret_item)
{
    const struct json *doc = iter->over.doc;
    if (iter->node == JSON_NONE)
        return false;
    *ret_item = tvalue_json(iter->arena, doc, iter->node);
    if (iter->over.kind == TVALUE_JSON_LIST) {
        iter->node = json_next(doc, iter->over.at, iter->node);
    } else {
        iter->of_key = tvalue_json(iter->arena, doc, json_value(iter->node));
        iter->node = json_next_key(doc, iter->over.at, iter->node);
    }
    return true;
}

static bool next_plain(struct titer *iter, struct tvalue *ret_item)
{
    struct slice text = iter->over.text;
    size_t length;
    switch (iter->over.kind) {
    case TVALUE_STRING:
        if (iter->position >= text.size)
            return false;
        utf8_decode(text.data + iter->position, text.size - iter->position, &length);
        *ret_item = tvalue_string((struct slice){text.data + iter->position, length});
        iter->position += length;
        return true;
    case TVALUE_BYTES:
        if (iter->position >= text.size)
            return false;
        *ret_item = tvalue_int((unsigned char)text.data[iter->position++]);
        return true;
    case TVALUE_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
        if (iter->position >= iter->over.list->count)
            return false;
        *ret_item = iter->over.list->items[iter->position++];
        return true;
    case TVALUE_GENERATOR: /* what was taken is gone, for whoever walks it next */
        if (iter->over.list->count == 0)
            return false;
        *ret_item = *iter->over.list->items++;
        iter->over.list->count--;
        iter->over.list->capacity--;
        return true;
    case TVALUE_DICT:
        return next_of_dict(iter, ret_item);
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
        return next_of_json(iter, ret_item);
    default:
        return false;
    }
}

bool titer_next(struct titer *iter, struct tvalue *ret_item)
{
    if (!next_plain(iter, ret_item))
        return false;
    if (iter->over.id == TVALUE_VIEW_VALUES) {
        *ret_item = iter->of_key;
    } else if (iter->over.id == TVALUE_VIEW_ITEMS) {
        struct tvalue pair[] = {*ret_item, iter->of_key};
        *ret_item = tvalue_tuple(iter->arena, pair, 2);
    }
    return true;
}

/* --- properties ---------------------------------------------------------------------------------- */

bool tvalue_true(const struct tvalue *value)
{
    switch (value->kind) {
    case TVALUE_UNDEFINED:
    case TVALUE_NONE:
        return false;
    case TVALUE_BOOL:
        return value->boolean;
    case TVALUE_INT:
        return value->integer != 0;
    case TVALUE_FLOAT:
        return value->number != 0;
    case TVALUE_STRING:
    case TVALUE_BYTES:
        return value->text.size != 0;
    case TVALUE_OBJECT:
        return value->object->true_anyway || tvalue_count(value) != 0;
    case TVALUE_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
    case TVALUE_DICT:
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
    case TVALUE_VIEW:
        return tvalue_count(value) != 0;
    case TVALUE_TIMEDELTA:
        return value->seconds != 0 || value->at != 0;
    default:
        return true;
    }
}

const char *tvalue_type(const struct tvalue *value)
{
    static const char *const NAMES[TVALUE_KIND_MAX] = {
        [TVALUE_UNDEFINED] = "Undefined",
        [TVALUE_NONE] = "NoneType",
        [TVALUE_BOOL] = "bool",
        [TVALUE_INT] = "int",
        [TVALUE_BIG] = "int",
        [TVALUE_FLOAT] = "float",
        [TVALUE_STRING] = "str",
        [TVALUE_BYTES] = "bytes",
        [TVALUE_LIST] = "list",
        [TVALUE_TUPLE] = "tuple",
        [TVALUE_SET] = "set",
        [TVALUE_DICT] = "dict",
        [TVALUE_JSON_LIST] = "list",
        [TVALUE_JSON_DICT] = "dict",
        [TVALUE_OBJECT] = "object",
        [TVALUE_DATETIME] = "datetime.datetime",
        [TVALUE_DATE] = "datetime.date",
        [TVALUE_TIME] = "datetime.time",
        [TVALUE_TIMEDELTA] = "datetime.timedelta",
        [TVALUE_DURATION] = "Duration",
        [TVALUE_GENERATOR] = "generator",
        [TVALUE_VIEW] = "dict view",
        [TVALUE_FUNCTION] = "function",
        [TVALUE_METHOD] = "builtin_function_or_method",
        [TVALUE_MACRO] = "Macro",
        [TVALUE_LOOP] = "LoopContext",
        [TVALUE_NAMESPACE] = "Namespace",
        [TVALUE_CYCLER] = "Cycler",
        [TVALUE_JOINER] = "Joiner",
        [TVALUE_BLOCKS] = "TemplateReference",
    };
    return value->kind == TVALUE_OBJECT ? value->object->type : NAMES[value->kind];
}

double tvalue_to_double(const struct tvalue *value)
{
    return value->kind == TVALUE_FLOAT ? value->number : integer_to_double(value);
}
