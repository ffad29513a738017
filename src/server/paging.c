#include "server/paging.h"

#include "server/internal.h"
#include "server/public_url.h"

#include <stdio.h>

enum { IDS_MAX = 200 };

static bool read_number(struct call *call, const char *name, uint64_t least, uint64_t most,
                        uint64_t otherwise, uint32_t *ret_value)
{
    const char *text = http_query(call->http, name, 0);
    uint64_t value = otherwise;
    if (text && (!string_to_u64(text, most, &value) || value < least)) {
        call_invalid(call, name, "%s: a number from %llu to %llu is wanted", name, (unsigned long long)least,
                     (unsigned long long)most);
        return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

bool paging_read(struct call *call, struct control_page *ret_page)
{
    const char *deleted = http_query(call->http, "includeDeleted", 0);
    *ret_page = (struct control_page){.deleted = deleted && strcmp(deleted, "true") == 0};
    if (deleted && strcmp(deleted, "true") != 0 && strcmp(deleted, "false") != 0) {
        call_invalid(call, "includeDeleted", "includeDeleted: true or false is wanted");
        return false;
    }
    return read_number(call, "limit", 1, PAGING_LIMIT_MAX, PAGING_LIMIT_DEFAULT, &ret_page->limit) &&
           read_number(call, "offset", 0, INT32_MAX, 0, &ret_page->offset);
}

bool paging_ids(struct call *call, const char *name, const char *const **ret_items, size_t *ret_count)
{
    const char **items = arena_zalloc(call->arena, (IDS_MAX + 1) * sizeof *items);
    const char *value;
    *ret_items = items;
    *ret_count = 0;
    for (size_t number = 0; (value = http_query(call->http, name, number)); number++) {
        while (*value) {
            char id[CONTROL_UUID_SIZE];
            size_t size = strcspn(value, ",");
            if (*ret_count == IDS_MAX || !control_uuid_parse((struct slice){value, size}, id)) {
                call_invalid(call, name, "%s: at most %d ids (UUIDs) are wanted, got %.100s", name, IDS_MAX,
                             value);
                return false;
            }
            items[(*ret_count)++] = arena_strdup(call->arena, id);
            value += size + (value[size] == ',');
        }
    }
    return true;
}

static void escape(const char *text, struct buffer *out)
{
    for (; *text; text++) {
        if (strchr("-_.~,:", *text) || (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
            (*text >= 'a' && *text <= 'z'))
            buffer_byte(out, *text);
        else
            buffer_printf(out, "%%%02X", (unsigned char)*text);
    }
}

/* What else the query asks for stays. */
static const char *url_of(struct call *call, uint32_t limit, uint64_t offset)
{
    struct notation_member member;
    const char *url = arena_printf(call->arena, "%s%s?limit=%u&offset=%llu", public_url(call),
                                   call->http->path, limit, (unsigned long long)offset);
    for (const char *at = call->route->query; at && notation_next(&at, &member);) {
        const char *name = arena_strndup(call->arena, member.name.data, member.name.size), *value;
        if (strcmp(name, "limit") == 0 || strcmp(name, "offset") == 0)
            continue;
        for (size_t number = 0; (value = http_query(call->http, name, number)); number++) {
            struct buffer escaped;
            buffer_init(&escaped, 3 * strlen(value) + 1);
            escape(value, &escaped);
            url = arena_printf(call->arena, "%s&%s=%s", url, name, buffer_cstr(&escaped));
            buffer_done(&escaped);
        }
    }
    return url;
}

void paging_write(struct call *call, const struct control_page *page, uint64_t total)
{
    uint64_t end = (uint64_t)page->offset + page->limit;
    uint32_t before = page->offset > page->limit ? page->offset - page->limit : 0;
    json_member_string(&call->out, "previous", page->offset ? url_of(call, page->limit, before) : "");
    json_member_string(&call->out, "next", end < total ? url_of(call, page->limit, end) : "");
}

/* False: answered. */
static bool take_number(struct call *call, uint32_t object, const char *name, const char *place,
                        int64_t least, uint32_t *value)
{
    uint32_t at = json_get(&call->body, object, name);
    int64_t given = 0;
    if (at == JSON_NONE || !json_to_i64(&call->body, at, &given))
        return true;
    if (given < least) {
        call_invalid(call, place, "%s: a number from %lld is wanted", place, (long long)least);
        return false;
    }
    *value = (uint32_t)given;
    return true;
}

bool paging_of_body(struct call *call, uint32_t otherwise, struct control_page *page)
{
    uint32_t at = call_member(call, "pagination");
    page->limit = otherwise;
    if (at == JSON_NONE)
        return true;
    if (!take_number(call, at, "pageSize", "pagination.pageSize", 1, &page->limit) ||
        !take_number(call, at, "rowOffset", "pagination.rowOffset", 0, &page->offset))
        return false;
    if (page->limit > CONTROL_PAGE_MAX)
        page->limit = CONTROL_PAGE_MAX;
    return true;
}

bool paging_by_cursor(struct call *call, size_t *ret_size, const char **ret_cursor)
{
    uint32_t size = CONTROL_PAGE_MAX;
    if (!take_number(call, 0, "pageSize", "pageSize", 1, &size))
        return false;
    *ret_size = size;
    *ret_cursor = call_text(call, "cursor");
    return true;
}
