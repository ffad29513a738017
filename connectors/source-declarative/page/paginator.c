#include "paginator.h"

enum strategy { STRATEGY_NONE, STRATEGY_PAGE, STRATEGY_OFFSET, STRATEGY_CURSOR };

struct paginator {
    struct engine *engine;
    enum strategy strategy;
    struct component where;
    int64_t page_size; /* 0: not known */
    int64_t first_page;
    bool inject_first;
    struct expression cursor_value, stop_condition;
    struct request_option *token_option, *size_option;
    bool token_is_path;
};

/* --- compiling -------------------------------------------------------------------------------------------
 */

static int compile_size(struct paginator *paginator, struct error *err)
{
    struct expression size;
    struct scope scope;
    scope_init(&scope, paginator->engine);
    if (expression_compile(paginator->engine, paginator->where, "page_size", &size, err) != 0)
        return -1;
    if (expression_is_absent(&size))
        return 0;
    return expression_integer(&size, &scope, &paginator->engine->arena, &paginator->page_size, err);
}

static int compile_strategy(struct paginator *paginator, struct error *err)
{
    struct component where = paginator->where;
    if (component_is(where, "CursorPagination")) {
        paginator->strategy = STRATEGY_CURSOR;
        if (expression_compile(paginator->engine, where, "cursor_value", &paginator->cursor_value, err) !=
                0 ||
            expression_compile(paginator->engine, where, "stop_condition", &paginator->stop_condition, err) !=
                0)
            return -1;
        return compile_size(paginator, err);
    }
    if (component_is(where, "PageIncrement")) {
        paginator->strategy = STRATEGY_PAGE;
        component_integer(where, "start_from_page", &paginator->first_page);
    } else if (component_is(where, "OffsetIncrement")) {
        paginator->strategy = STRATEGY_OFFSET;
    } else {
        error_set(err, ERROR_UNSUPPORTED, "this pagination strategy is not one that Firth has");
        return component_error(err, where);
    }
    paginator->inject_first = component_bool(where, "inject_on_first_request");
    return compile_size(paginator, err);
}

int paginator_compile(struct engine *engine, struct component component, struct component decoder,
                      struct paginator **ret_paginator, struct error *err)
{
    (void)decoder;
    struct paginator *paginator = arena_zalloc(&engine->arena, sizeof *paginator);
    *ret_paginator = paginator;
    paginator->engine = engine;
    if (component_is_none(component) || component_is(component, "NoPagination"))
        return 0;
    paginator->where = component_get(component, "pagination_strategy");
    struct component token = component_get(component, "page_token_option");
    paginator->token_is_path = !component_is_none(token) && component_is(token, "RequestPath");
    if (compile_strategy(paginator, err) != 0 ||
        request_option_compile(engine, component, "page_token_option", &paginator->token_option, err) != 0 ||
        request_option_compile(engine, component, "page_size_option", &paginator->size_option, err) != 0)
        return -1;
    if (paginator->size_option && paginator->page_size == 0) {
        error_set(err, ERROR_INVALID,
                  "page_size_option says where the page's size goes, and the strategy has no page_size");
        return component_error(err, component);
    }
    return 0;
}

int64_t paginator_page_size(const struct paginator *paginator)
{
    return paginator->page_size;
}

/* --- asking ----------------------------------------------------------------------------------------------
 */

struct tvalue paginator_initial_token(const struct paginator *paginator)
{
    if (!paginator->inject_first)
        return tvalue_none();
    return tvalue_int(paginator->strategy == STRATEGY_PAGE ? paginator->first_page : 0);
}

int paginator_add(const struct paginator *paginator, struct scope *scope, struct tvalue token,
                  int64_t page_size, struct options *options, struct slice *ret_path, struct error *err)
{
    *ret_path = (struct slice){NULL, 0};
    if (token.kind != TVALUE_NONE && paginator->token_is_path) {
        struct ttext path;
        ttext_init(&path, options->arena, HTTP_URL_MAX);
        tvalue_str(&path, &token);
        *ret_path = ttext_slice_of(&path);
    } else if (token.kind != TVALUE_NONE && paginator->token_option &&
               request_option_set(paginator->token_option, scope, token, options, err) != 0) {
        return -1;
    }
    if (!paginator->size_option)
        return 0;
    struct tvalue size = tvalue_int(page_size ? page_size : paginator->page_size);
    return request_option_set(paginator->size_option, scope, size, options, err);
}

/* --- the next token --------------------------------------------------------------------------------------
 */

static int next_cursor(const struct paginator *paginator, struct scope *scope, const struct page_result *page,
                       struct arena *arena, struct tvalue *ret_token, struct error *err)
{
    struct tvalue last = tvalue_none();
    if (page->last)
        last = tvalue_record(arena, page->last->data, page->last->stream_name, page->last->stream_slice);
    int64_t size = page->page_size ? page->page_size : paginator->page_size;
    scope_set(scope, "response", page->body);
    scope_set(scope, "headers", answer_headers(page->answer, arena));
    scope_set(scope, "last_record", last);
    scope_set(scope, "last_page_size", tvalue_int((int64_t)page->records));
    scope_set(scope, "page_size", size ? tvalue_int(size) : tvalue_none());
    bool stops;
    if (expression_bool(&paginator->stop_condition, scope, false, arena, &stops, err) != 0)
        return -1;
    if (stops)
        return 0;
    struct tvalue token;
    if (expression_string(&paginator->cursor_value, scope, arena, &token, err) != 0)
        return -1;
    if (tvalue_true(&token))
        *ret_token = token;
    return 0;
}

int paginator_next(const struct paginator *paginator, struct scope *scope, const struct page_result *page,
                   struct arena *arena, struct tvalue *ret_token, struct error *err)
{
    *ret_token = tvalue_none();
    if (paginator->strategy == STRATEGY_NONE)
        return 0;
    if (paginator->strategy == STRATEGY_CURSOR)
        return next_cursor(paginator, scope, page, arena, ret_token, err);
    int64_t size = page->page_size ? page->page_size : paginator->page_size;
    int64_t count = (int64_t)page->extracted;
    if (count == 0 || count < size)
        return 0;
    bool is_page = paginator->strategy == STRATEGY_PAGE;
    int64_t before = is_page ? paginator->first_page : 0;
    if (page->token.kind == TVALUE_INT)
        before = page->token.integer;
    int64_t next;
    if (__builtin_add_overflow(before, is_page ? 1 : count, &next))
        return error_set(err, ERROR_LIMIT, "the page's number is too large");
    *ret_token = tvalue_int(next);
    return 0;
}
