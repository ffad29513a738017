/* The values that templates compute with: Python's, as far as templates can tell.
 *
 * A value is 24 bytes and owns nothing: what it points to lives in the arena it was made in, or in the
 * caller's documents. JSON is looked at where it is (TVALUE_JSON_LIST, TVALUE_JSON_DICT): a look-up of one
 * field of a record copies nothing and parses nothing twice. Scalars of a document become values at once.
 *
 * Strings are UTF-8; their lengths and positions, as Python counts them, are code points. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_VALUE_H
#define FIRTH_DECLARATIVE_TEMPLATE_VALUE_H

#include "datetime.h"
#include "json/json.h"

#include <math.h>

enum tvalue_kind {
    TVALUE_UNDEFINED, /* Jinja's: text is the name that was looked for */
    TVALUE_NONE,
    TVALUE_BOOL,
    TVALUE_INT,
    TVALUE_BIG, /* an integer that does not fit: sign and decimal digits (big.h) */
    TVALUE_FLOAT,
    TVALUE_STRING,
    TVALUE_BYTES,
    TVALUE_LIST,
    TVALUE_TUPLE,
    TVALUE_SET,
    TVALUE_DICT,
    TVALUE_JSON_LIST, /* of a document: cannot be changed */
    TVALUE_JSON_DICT,
    TVALUE_OBJECT, /* a mapping with attributes: stream_slice, last_record */
    TVALUE_DATETIME,
    TVALUE_DATE,
    TVALUE_TIME,
    TVALUE_TIMEDELTA,
    TVALUE_DURATION, /* of years and months too */
    /* The rest only occurs while a template runs. */
    TVALUE_GENERATOR, /* what filters such as map give: can be walked once */
    TVALUE_VIEW,      /* dict.keys(), .values(), .items() */
    TVALUE_FUNCTION,
    TVALUE_METHOD, /* of a value: text.upper */
    TVALUE_MACRO,
    TVALUE_LOOP,
    TVALUE_NAMESPACE,
    TVALUE_CYCLER,
    TVALUE_JOINER,
    TVALUE_BLOCKS, /* the name `self` */
    TVALUE_KIND_MAX
};

enum tvalue_flags {
    TVALUE_SAFE = 1,      /* string: Markup, which escapes what is added to it */
    TVALUE_GROUP = 2,     /* tuple: of groupby, its parts are .grouper and .list */
    TVALUE_CALENDAR = 16, /* tuple: of isocalendar(), its parts are .year, .week and .weekday */
    TVALUE_SECRET = 4,    /* undefined: an attribute that the sandbox hides */
    TVALUE_HINT = 8,      /* undefined: text says what is wrong, it is no name */
};

/* The id of a TVALUE_VIEW; its pointer is to the mapping's value. */
enum tvalue_view { TVALUE_VIEW_KEYS = 1, TVALUE_VIEW_VALUES, TVALUE_VIEW_ITEMS };

struct tlist {
    struct tvalue *items;
    uint32_t count, capacity;
};

struct tvalue {
    uint8_t kind;
    uint8_t flags;
    uint16_t id; /* function, method, view: which */
    uint32_t at; /* JSON: the node; timedelta: microseconds below a second; undefined: the kind looked into;
                    float: how many digits */
    union {
        bool boolean;
        int64_t integer;
        struct {
            double number;
            const char *digits; /* as the document has it (tvalue_json), which goes out again as it came; a
                                   number that was computed has none: make it with tvalue_float */
        };
        struct slice text; /* string, bytes, undefined */
        const struct big *big;
        struct tlist *list; /* list, tuple, set */
        struct tdict *dict;
        const struct json *doc;
        const struct tobject *object;
        const struct datetime *datetime; /* datetime, date, time */
        int64_t seconds;                 /* timedelta */
        const struct duration *duration;
        void *pointer;
    };
};

struct tentry {
    struct tvalue key, value;
    uint64_t hash;
    bool removed;
};

/* Ordered; a set of keys is the same with values that nobody looks at. */
struct tdict {
    struct tentry *entries;
    uint32_t used, count, capacity; /* used: removed ones included */
    uint32_t *index;                /* of entry + 1; none while there are few */
    uint32_t index_size;
};

struct tattribute {
    const char *name;
    struct tvalue value;
};

struct tobject {
    const char *type;      /* Python's name of it, for messages and tests: "StreamSlice" */
    struct tvalue mapping; /* TVALUE_DICT or TVALUE_JSON_DICT: what it is as a mapping */
    bool has_dict_methods; /* keys, values, items and get give a dict's; else those of any mapping */
    const struct tattribute *attributes;
    uint32_t attribute_count;
    bool true_anyway; /* also when the mapping is empty */
};

/* --- making -------------------------------------------------------------------------------------- */

static inline struct tvalue tvalue_none(void)
{
    return (struct tvalue){.kind = TVALUE_NONE};
}
static inline struct tvalue tvalue_bool(bool boolean)
{
    return (struct tvalue){.kind = TVALUE_BOOL, .boolean = boolean};
}
static inline struct tvalue tvalue_int(int64_t integer)
{
    return (struct tvalue){.kind = TVALUE_INT, .integer = integer};
}
static inline struct tvalue tvalue_float(double number)
{
    return (struct tvalue){.kind = TVALUE_FLOAT, .number = number};
}
/* The text is not copied. */
static inline struct tvalue tvalue_string(struct slice text)
{
    return (struct tvalue){.kind = TVALUE_STRING, .text = text};
}
static inline struct tvalue tvalue_cstring(const char *text)
{
    return tvalue_string(slice_of(text));
}
static inline struct tvalue tvalue_undefined(struct slice name)
{
    return (struct tvalue){.kind = TVALUE_UNDEFINED, .text = name};
}
static inline struct tvalue tvalue_timedelta(int64_t seconds, uint32_t microseconds)
{
    return (struct tvalue){.kind = TVALUE_TIMEDELTA, .at = microseconds, .seconds = seconds};
}
static inline struct tvalue tvalue_object(const struct tobject *object)
{
    return (struct tvalue){.kind = TVALUE_OBJECT, .object = object};
}
struct tvalue tvalue_list(struct arena *arena);
struct tvalue tvalue_tuple(struct arena *arena, const struct tvalue *items, size_t count);
struct tvalue tvalue_dict(struct arena *arena);
struct tvalue tvalue_datetime(struct arena *arena, struct datetime datetime);
struct tvalue tvalue_date(struct arena *arena, int64_t days);
/* A node of a document; JSON_NONE is none. The document and its source must outlive the value. The arena
 * takes strings with escapes and long integers. Floats past the range are infinite, as in Python. */
struct tvalue tvalue_json(struct arena *arena, const struct json *doc, uint32_t at);
/* A stream_slice: partition and cursor slice merged, and each as an attribute. All three are mappings
 * (or none, which is an empty one). */
struct tvalue tvalue_stream_slice(struct arena *arena, struct tvalue partition, struct tvalue cursor_slice,
                                  struct tvalue extra_fields);
/* A record as paginators and the like have it: a mapping that is no dict, with .data, .stream_name,
 * .associated_slice and .file_reference. */
struct tvalue tvalue_record(struct arena *arena, struct tvalue data, const char *stream_name,
                            struct tvalue associated_slice);

/* --- lists and mappings -------------------------------------------------------------------------- */

void tlist_push(struct arena *arena, struct tlist *list, struct tvalue item);

/* The key must be hashable (tvalue_hash). A key that is there keeps its place. */
void tdict_set(struct arena *arena, struct tdict *dict, struct tvalue key, struct tvalue value);
void tdict_set_name(struct arena *arena, struct tdict *dict, const char *name, struct tvalue value);
bool tdict_get(const struct tdict *dict, const struct tvalue *key, struct tvalue *ret_value);
bool tdict_remove(struct tdict *dict, const struct tvalue *key, struct tvalue *ret_value);

/* dict, JSON dict, object */
static inline bool tvalue_is_mapping(const struct tvalue *value)
{
    return value->kind == TVALUE_DICT || value->kind == TVALUE_JSON_DICT || value->kind == TVALUE_OBJECT;
}
/* list, JSON list, tuple */
static inline bool tvalue_is_sequence(const struct tvalue *value)
{
    return value->kind == TVALUE_LIST || value->kind == TVALUE_JSON_LIST || value->kind == TVALUE_TUPLE;
}
static inline bool tvalue_is_list(const struct tvalue *value)
{
    return value->kind == TVALUE_LIST || value->kind == TVALUE_JSON_LIST;
}
static inline bool tvalue_is_integer(const struct tvalue *value)
{
    return value->kind == TVALUE_INT || value->kind == TVALUE_BIG;
}
/* What Python's numbers are: booleans too. */
static inline bool tvalue_is_number(const struct tvalue *value)
{
    return value->kind >= TVALUE_BOOL && value->kind <= TVALUE_FLOAT;
}

/* Of a mapping. False if it has no such member; keys that are not hashable are in none. */
bool tvalue_member(struct arena *arena, const struct tvalue *mapping, const struct tvalue *key,
                   struct tvalue *ret_value);
bool tvalue_member_name(struct arena *arena, const struct tvalue *mapping, struct slice name,
                        struct tvalue *ret_value);
/* Of a sequence, from 0; the position must be there. */
struct tvalue tvalue_at(struct arena *arena, const struct tvalue *sequence, size_t position);
/* Elements of a sequence, set, view or generator, members of a mapping, code points of a string, bytes. */
size_t tvalue_count(const struct tvalue *value);

/* Walks what can be iterated: elements, keys of a mapping, characters. A mapping's values come along. */
struct titer {
    struct arena *arena;
    struct tvalue over;
    size_t position;
    uint32_t node;        /* JSON: the next element or key */
    struct tvalue of_key; /* after a key: its value */
};
/* False if the value cannot be iterated. */
bool titer_init(struct titer *iter, struct arena *arena, struct tvalue over);
bool titer_next(struct titer *iter, struct tvalue *ret_item);

/* --- properties ---------------------------------------------------------------------------------- */

bool tvalue_true(const struct tvalue *value);
/* Python's ==. */
bool tvalue_equal(struct arena *arena, const struct tvalue *a, const struct tvalue *b);
/* The same in *left steps at most, which it takes its own off: false with *left 0 is no answer. */
enum { TVALUE_STEP_BYTES = 128 }; /* of a text that cost as much as one value */
bool tvalue_equal_within(struct arena *arena, const struct tvalue *a, const struct tvalue *b, unsigned *left);
/* Of two numbers, by value, exactly; false if one is no number (NaN). */
bool tvalue_compare_numbers(const struct tvalue *a, const struct tvalue *b, int *ret_order);
/* False if Python cannot hash it: lists, dicts, sets, and tuples of such. */
bool tvalue_hash(struct arena *arena, const struct tvalue *value, uint64_t *ret_hash);
/* Python's name of the type: "str", "datetime.datetime". */
const char *tvalue_type(const struct tvalue *value);
/* Of a bool, int or float; a large integer may become infinite. */
double tvalue_to_double(const struct tvalue *value);

/* --- text ---------------------------------------------------------------------------------------- */

/* Text being made in an arena. Past its maximum it is cut and `overflowed`. */
struct ttext {
    struct arena *arena;
    char *data;
    size_t size, capacity, max;
    bool overflowed;
};
void ttext_init(struct ttext *text, struct arena *arena, size_t max);
void ttext_grow(struct ttext *text, size_t more);
void ttext_printf(struct ttext *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void ttext_add(struct ttext *text, const char *bytes, size_t size)
{
    if (text->capacity - text->size < size)
        ttext_grow(text, size);
    if (text->capacity - text->size < size || size == 0)
        return;
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
}
static inline void ttext_slice(struct ttext *text, struct slice slice)
{
    ttext_add(text, slice.data, slice.size);
}
static inline void ttext_cstring(struct ttext *text, const char *bytes)
{
    ttext_add(text, bytes, strlen(bytes));
}
static inline void ttext_byte(struct ttext *text, char byte)
{
    ttext_add(text, &byte, 1);
}
void ttext_code(struct ttext *text, uint32_t code_point);
static inline struct slice ttext_slice_of(const struct ttext *text)
{
    return (struct slice){text->data ? text->data : "", text->size};
}

enum { TVALUE_DEPTH_MAX = 512 }; /* containers in containers; what is deeper is written as "..." */
/* Python's str() and repr(). */
void tvalue_str(struct ttext *out, const struct tvalue *value);
struct slice tvalue_text(struct arena *arena, const struct tvalue *value); /* str(); a string is itself */
void tvalue_repr(struct ttext *out, const struct tvalue *value);
void tvalue_repr_float(struct ttext *out, double number);
void tvalue_repr_string(struct ttext *out, struct slice text);
/* json.dumps(): ASCII, ", " and ": " (with an indent: lines). -1 with what cannot be written. */
struct tvalue_json_style {
    int indent; /* -1: one line */
    bool sorted;
};
int tvalue_json_dumps(struct ttext *out, const struct tvalue *value, struct tvalue_json_style style,
                      struct tvalue *ret_wrong);

#endif
