/* Looking things up: members, elements, pointers. */
#include "json/parser.h"

#include <stdio.h>

uint32_t json_get_slice(const struct json *doc, uint32_t object, struct slice name)
{
    uint32_t key = json_first_key(doc, object);
    if (key == JSON_NONE)
        return JSON_NONE;
    uint32_t hash = json_key_hash(name.data, name.size);
    for (; key != JSON_NONE; key = json_next_key(doc, object, key)) {
        if (json_hash_of_key(doc, key) == hash && json_text_is(doc, key, name))
            return json_value(key);
    }
    return JSON_NONE;
}

uint32_t json_get(const struct json *doc, uint32_t object, const char *name)
{
    return json_get_slice(doc, object, slice_of(name));
}

uint32_t json_at(const struct json *doc, uint32_t array, uint32_t position)
{
    if (!json_is(doc, array, JSON_ARRAY) || position >= json_count(doc, array))
        return JSON_NONE;
    uint32_t element = array + 1;
    while (position-- > 0)
        element = json_after(doc, element);
    return element;
}

/* An array index of RFC 6901: "0", or digits without a leading zero. */
static bool token_to_position(struct slice token, uint32_t *ret_position)
{
    if (token.size == 0 || token.size > 9 || (token.size > 1 && token.data[0] == '0'))
        return false;
    uint32_t position = 0;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return false;
        position = position * 10 + (uint32_t)(token.data[i] - '0');
    }
    *ret_position = position;
    return true;
}

/* Is the name at `key` the token, whose ~0 and ~1 are resolved on the way? */
static bool key_is_token(const struct json *doc, uint32_t key, struct slice token, struct buffer *name)
{
    buffer_clear(name);
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] != '~')
            buffer_byte(name, token.data[i]);
        else
            buffer_byte(name, token.data[++i] == '0' ? '~' : '/');
    }
    return json_text_is(doc, key, (struct slice){name->data, name->size});
}

static bool token_valid(struct slice token, bool *ret_tilde)
{
    *ret_tilde = false;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] != '~')
            continue;
        *ret_tilde = true;
        if (i + 1 == token.size || (token.data[i + 1] != '0' && token.data[i + 1] != '1'))
            return false;
    }
    return true;
}

static uint32_t step(const struct json *doc, uint32_t at, struct slice token)
{
    bool tilde;
    if (!token_valid(token, &tilde))
        return JSON_NONE;
    if (json_is(doc, at, JSON_ARRAY)) {
        uint32_t position;
        return token_to_position(token, &position) ? json_at(doc, at, position) : JSON_NONE;
    }
    if (!tilde)
        return json_get_slice(doc, at, token);
    struct buffer name;
    buffer_init(&name, token.size);
    uint32_t value = JSON_NONE;
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        if (key_is_token(doc, key, token, &name)) {
            value = json_value(key);
            break;
        }
    }
    buffer_done(&name);
    return value;
}

uint32_t json_pointer(const struct json *doc, uint32_t at, struct slice pointer)
{
    const char *from = pointer.data, *end = pointer.data + pointer.size;
    while (from < end && at != JSON_NONE) {
        if (*from++ != '/')
            return JSON_NONE;
        const char *slash = memchr(from, '/', (size_t)(end - from));
        const char *to = slash ? slash : end;
        at = step(doc, at, (struct slice){from, (size_t)(to - from)});
        from = to;
    }
    return at;
}

void json_pointer_push(struct buffer *buffer, struct slice name)
{
    buffer_byte(buffer, '/');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '~')
            buffer_str(buffer, "~0");
        else if (name.data[i] == '/')
            buffer_str(buffer, "~1");
        else
            buffer_byte(buffer, name.data[i]);
    }
}

static void put_token(const struct json *doc, uint32_t key, struct buffer *buffer)
{
    struct arena arena;
    arena_init(&arena);
    json_pointer_push(buffer, json_string(doc, key, &arena));
    arena_done(&arena);
}

void json_pointer_of(const struct json *doc, uint32_t at, struct buffer *buffer)
{
    uint32_t here = 0;
    while (here != at && at < json_after(doc, here) && at > here) {
        if (json_is(doc, here, JSON_ARRAY)) {
            uint32_t position = 0;
            uint32_t element = here + 1;
            while (json_after(doc, element) <= at) {
                element = json_after(doc, element);
                position++;
            }
            buffer_printf(buffer, "/%u", position);
            here = element;
        } else {
            uint32_t key = here + 1;
            while (json_after(doc, json_value(key)) <= at)
                key = json_after(doc, json_value(key));
            put_token(doc, key, buffer);
            if (at == key)
                return;
            here = json_value(key);
        }
    }
}
