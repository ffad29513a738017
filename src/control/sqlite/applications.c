#include "control/applications.h"

#include "control/sqlite/query.h"

#include "base/clock.h"

#include <sodium.h>

enum { HASH_SIZE = 32 };

/* Keyed: the database alone does not tell whether a guess is right. What is looked up is random and 256 bits
 * long, so no slow hash is needed. */
static struct slice hash_of(const struct control *control, struct slice secret, unsigned char out[HASH_SIZE])
{
    crypto_generichash(out, HASH_SIZE, (const unsigned char *)secret.data, secret.size, control->key.bytes,
                       sizeof control->key.bytes);
    return (struct slice){(const char *)out, HASH_SIZE};
}

static void make_secret(char ret_secret[CONTROL_SECRET_SIZE])
{
    unsigned char bytes[(CONTROL_SECRET_SIZE - 1) / 2];
    random_bytes(bytes, sizeof bytes);
    sodium_bin2hex(ret_secret, CONTROL_SECRET_SIZE, bytes, sizeof bytes);
    sodium_memzero(bytes, sizeof bytes);
}

static int check_keyed(const struct control *control, struct error *err)
{
    return control->keyed ? 0 : error_set(err, ERROR_INVALID, "%s was opened without its key", control->path);
}

static int read_application(struct control *control, sqlite3_stmt *row, struct arena *arena, void *ret_item,
                            struct error *err)
{
    (void)control, (void)err;
    *(struct control_application *)ret_item =
        (struct control_application){.id = database_text(row, 0, arena),
                                     .client_id = database_text(row, 1, arena),
                                     .name = database_text(row, 2, arena),
                                     .created_ms = sqlite3_column_int64(row, 3)};
    return 0;
}

static const struct query_table table = {.columns = "id, client_id, name, created_ms",
                                         .from = "applications",
                                         .item_size = sizeof(struct control_application),
                                         .read = read_application,
                                         .what = "application"};

int control_application_create(struct control *control, const char *name, int64_t now_ms, struct arena *arena,
                               struct control_application *ret_application,
                               char ret_secret[CONTROL_SECRET_SIZE], struct error *err)
{
    DATABASE_HOLD(control);
    char id[CONTROL_UUID_SIZE], client_id[CONTROL_UUID_SIZE], secret[CONTROL_SECRET_SIZE];
    unsigned char hash[HASH_SIZE];
    int64_t count = 0;
    if (check_keyed(control, err) < 0 || query_check_name("an application's name", name, err) < 0 ||
        database_number(control, "SELECT count(*) FROM applications", 0, &count, err) < 0)
        return -1;
    if (count >= CONTROL_APPLICATIONS_MAX)
        return error_set(err, ERROR_LIMIT, "there are %d applications, which is the limit: delete some",
                         CONTROL_APPLICATIONS_MAX);
    control_uuid_new(id);
    control_uuid_new(client_id);
    make_secret(secret);
    if (QUERY_RUN(control, err,
                  "INSERT INTO applications (id, client_id, secret, name, created_ms) VALUES (?, ?, ?, ?, ?)",
                  query_text(id), query_text(client_id), query_blob(hash_of(control, slice_of(secret), hash)),
                  query_text(name), query_number(now_ms)) < 0)
        return -1;
    *ret_application = (struct control_application){arena_strdup(arena, id), arena_strdup(arena, client_id),
                                                    arena_strdup(arena, name), now_ms};
    memcpy(ret_secret, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    return 0;
}

int control_application_get(struct control *control, const char *id, struct arena *arena,
                            struct control_application *ret_application, struct error *err)
{
    DATABASE_HOLD(control);
    return query_find(control, &table, "id = ?", query_text(id), id, arena, ret_application, err);
}

int control_applications(struct control *control, const struct control_page *page, struct arena *arena,
                         struct control_application **ret_items, size_t *ret_count, uint64_t *ret_total,
                         struct error *err)
{
    DATABASE_HOLD(control);
    struct query_where where;
    query_where_init(&where);
    int result = query_list(control, &table, &where, "created_ms, id", page, arena, ret_items, ret_count,
                            ret_total, err);
    query_where_done(&where);
    return result;
}

int control_application_delete(struct control *control, const char *id, struct error *err)
{
    DATABASE_HOLD(control);
    if (QUERY_RUN(control, err, "DELETE FROM applications WHERE id = ?", query_text(id)) < 0)
        return -1;
    return sqlite3_changes(control->db)
               ? 0
               : error_set(err, ERROR_NOT_FOUND, "there is no application '%.64s'", id);
}

int control_application_find(struct control *control, struct slice client_id, struct slice secret,
                             struct arena *arena, struct control_application *ret_application,
                             struct error *err)
{
    DATABASE_HOLD(control);
    unsigned char hash[HASH_SIZE];
    if (check_keyed(control, err) < 0)
        return -1;
    mem_auto(sqlite3_finalize) sqlite3_stmt *row = query_prepare(
        control, "SELECT id, client_id, name, created_ms, secret FROM applications WHERE client_id = ?",
        QUERY_VALUES((struct query_value){.kind = QUERY_TEXT, .bytes = client_id}), err);
    int step = row ? database_step(control, row, err) : -1;
    if (step < 0)
        return -1;
    hash_of(control, secret, hash);
    if (step == 0 || sqlite3_column_bytes(row, 4) != HASH_SIZE ||
        sodium_memcmp(sqlite3_column_blob(row, 4), hash, HASH_SIZE) != 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no application with this client id and secret");
    return read_application(control, row, arena, ret_application, err);
}

/* --- tokens -------------------------------------------------------------------------------------- */

int control_token_create(struct control *control, const char *application, int64_t now_ms, int64_t expires_ms,
                         char ret_token[CONTROL_SECRET_SIZE], struct error *err)
{
    DATABASE_HOLD(control);
    char token[CONTROL_SECRET_SIZE];
    unsigned char hash[HASH_SIZE];
    if (check_keyed(control, err) < 0 || database_begin_lightly(control, err) < 0)
        return -1;
    make_secret(token);
    int result =
        QUERY_RUN(control, err, "DELETE FROM tokens WHERE expires_ms <= ?", query_number(now_ms)) < 0 ||
                QUERY_RUN(
                    control, err,
                    "DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens ORDER BY created_ms DESC "
                    "LIMIT -1 OFFSET ?)",
                    query_number(CONTROL_TOKENS_MAX - 1)) < 0 ||
                QUERY_RUN(
                    control, err,
                    "INSERT INTO tokens (hash, application, created_ms, expires_ms) VALUES (?, ?, ?, ?)",
                    query_blob(hash_of(control, slice_of(token), hash)), query_text(application),
                    query_number(now_ms), query_number(expires_ms)) < 0
            ? -1
            : 0;
    if (result == 0)
        result = database_commit(control, err);
    else
        database_rollback(control);
    database_end_lightly(control);
    if (result == 0)
        memcpy(ret_token, token, sizeof token);
    sodium_memzero(token, sizeof token);
    return result;
}

int control_token_find(struct control *control, struct slice token, int64_t now_ms, struct arena *arena,
                       const char **ret_application, struct error *err)
{
    DATABASE_HOLD(control);
    unsigned char hash[HASH_SIZE];
    if (check_keyed(control, err) < 0)
        return -1;
    mem_auto(sqlite3_finalize) sqlite3_stmt *row =
        query_prepare(control, "SELECT application FROM tokens WHERE hash = ? AND expires_ms > ?",
                      QUERY_VALUES(query_blob(hash_of(control, token, hash)), query_number(now_ms)), err);
    int step = row ? database_step(control, row, err) : -1;
    if (step < 0)
        return -1;
    if (step == 0)
        return error_set(err, ERROR_NOT_FOUND, "the token is unknown or has expired");
    *ret_application = database_text(row, 0, arena);
    return 0;
}

int control_token_revoke(struct control *control, struct slice token, struct error *err)
{
    DATABASE_HOLD(control);
    unsigned char hash[HASH_SIZE];
    if (check_keyed(control, err) < 0)
        return -1;
    return QUERY_RUN(control, err, "DELETE FROM tokens WHERE hash = ?",
                     query_blob(hash_of(control, token, hash)));
}

int control_tokens_revoke_user(struct control *control, struct error *err)
{
    DATABASE_HOLD(control);
    return query_run(control, "DELETE FROM tokens WHERE application IS NULL", NULL, 0, err);
}
