/* Shapes from the inside: making, changing, taking apart. Private to this folder. */
#ifndef FIRTH_SCHEMA_SHAPE_TREE_H
#define FIRTH_SCHEMA_SHAPE_TREE_H

#include "schema/shape/shape.h"
#include "schema/value.h"
#include "json/key.h"

/* --- values ---------------------------------------------------------------------------------------- */

struct shape_values *shape_values_of(const struct json *doc, uint32_t at);
struct shape_values *shape_values_of_one(const struct json *doc, uint32_t at); /* an array of the one value */
struct shape_values *shape_values_hold(const struct shape_values *values);     /* NULL is kept */
void shape_values_release(struct shape_values *values);
bool shape_values_equal(const struct shape_values *a, const struct shape_values *b); /* NULL: none */
/* Is the value one of the array's? */
bool shape_values_contain(const struct shape_values *array, const struct json *doc, uint32_t at);
/* The values that are in either; in both; of these types. NULL if there are more than can be held. */
struct shape_values *shape_values_union(const struct shape_values *a, const struct shape_values *b);
struct shape_values *shape_values_both(const struct shape_values *a, const struct shape_values *b);
struct shape_values *shape_values_of_types(const struct shape_values *array, unsigned types);
unsigned shape_values_types(const struct shape_values *array);

/* The one type bit of a value. */
unsigned shape_type_of(const struct json *doc, uint32_t at);

/* --- parts ----------------------------------------------------------------------------------------- */

/* What a type's parts say is reset: anything of these types fits. */
void shape_open_numbers(struct shape *shape);
void shape_open_strings(struct shape *shape);
void shape_open_arrays(struct shape *shape);
void shape_open_objects(struct shape *shape);
/* Parts of types that the shape has not are dropped. */
void shape_normalise(struct shape *shape);

void shape_bound_set(struct shape_bound *bound, struct slice text); /* a JSON number */
void shape_bound_clear(struct shape_bound *bound);
void shape_bound_copy(struct shape_bound *into, const struct shape_bound *from);
/* NULL: none. */
void shape_text_set(char **text, const char *to);

/* Properties are appended in any order, then shape_properties_sort puts them right; of those with the same
 * name one stays. */
struct shape_property *shape_property_add(struct shape *shape, struct slice name, bool required,
                                          struct shape *owned);
void shape_properties_sort(struct shape *shape);
void shape_property_drop_last(struct shape *shape); /* the sorted last one, its shape freed */
/* limit.c: the sorted last property becomes one of the other members. */
void shape_property_squash_last(struct shape *shape);
/* Behind sorted properties some have been appended: they can be found from now on. They are sorted at once,
 * or later, when it is worth it. */
void shape_properties_grown(struct shape *shape, uint32_t added);
/* Does the name come behind all of the first `count`, sorted properties? Of an overflowed shape it is then
 * one of those that have gone, or would go at once: what is kept are the first by depth and name of all there
 * are, and their number does not fall. */
bool shape_is_beyond(const struct shape *shape, uint32_t count, struct slice name);
/* JSON_NONE if there is none. */
uint32_t shape_property_find(const struct shape *shape, const struct json *doc, uint32_t key);
uint32_t shape_property_number(const struct shape *shape, struct slice name);
struct shape_pattern *shape_pattern_add(struct shape *shape, const char *source, struct shape *owned);
bool shape_pattern_matches(struct shape_pattern *pattern, struct slice name);
/* What holds for a member that is no property: the patterns' shapes and else `additional`, a new shape. */
struct shape *shape_of_other(const struct shape *shape, struct slice name);

/* --- formats and bounds ---------------------------------------------------------------------------- */

void shape_format_set(struct shape *shape, const char *format); /* NULL: none */
/* The format that a first string is seen to have, or NULL. */
const char *shape_format_detect(struct slice text);
/* The narrowest format that both have; NULL: none. */
const char *shape_format_join(const char *a, const char *b);
/* Are the shape's strings numbers, by their format? */
bool shape_text_is_number(const struct shape *shape);

/* The text is a number at least, or at most, as the bound: else the bound is moved to the next power of ten,
 * or dropped. True if it moved. */
bool shape_bound_lower(struct shape_bound *minimum, struct slice number, int64_t power_max);
bool shape_bound_raise(struct shape_bound *maximum, struct slice number, int64_t power_max);
void shape_bound_start(struct shape_bound *minimum, struct shape_bound *maximum, struct slice number,
                       int64_t power_max);
enum { SHAPE_POWER_MAX = 308, SHAPE_TEXT_POWER_MAX = 40 };

uint32_t shape_power_below(uint32_t count); /* the largest power of two at most count; 0 for 0 */
uint32_t shape_power_above(uint32_t count); /* the smallest at least count; 0 for 0 */

/* --- locations ------------------------------------------------------------------------------------- */

/* From a location to one below it. */
void shape_step(struct shape_location *at, const struct key_step *step);

#endif
