#include "server/auth.h"

#include "base/memory.h"
#include "base/text.h"
#include "control/applications.h"
#include "control/settings.h"
#include "server/throttle.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

/* Of the user's password: what OWASP recommends, and modest in memory, since the daemon is. */
enum { HASH_OPERATIONS = 2, HASH_MEMORY = 19 << 20, MEMORY_BYTES = THROTTLE_PRINT_SIZE };

struct auth {
    struct control *control;
    pthread_mutex_t lock; /* one key derivation at a time: of what follows, too */
    unsigned char key[crypto_generichash_KEYBYTES];
    unsigned char right[MEMORY_BYTES]; /* keyed hash of the stored hash and the password that it accepted */
    bool remembered;
    struct throttle throttle;
};

struct auth *auth_new(struct control *control, struct error *err)
{
    if (sodium_init() < 0) {
        error_set(err, ERROR_IO, "libsodium cannot be used: the system gives no random numbers");
        return NULL;
    }
    struct auth *auth = mem_zalloc(sizeof *auth);
    auth->control = control;
    throttle_init(&auth->throttle);
    pthread_mutex_init(&auth->lock, NULL);
    randombytes_buf(auth->key, sizeof auth->key);
    return auth;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    pthread_mutex_destroy(&auth->lock);
    sodium_memzero(auth, sizeof *auth);
    free(auth);
}

/* --- the password ------------------------------------------------------------------------------------- */

/* Of both at once: a changed password is none that was right, or wrong. */
static void remember(const struct auth *auth, struct slice stored, struct slice password,
                     unsigned char ret_memory[MEMORY_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, auth->key, sizeof auth->key, MEMORY_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)&stored.size, sizeof stored.size);
    crypto_generichash_update(&state, (const unsigned char *)stored.data, stored.size);
    crypto_generichash_update(&state, (const unsigned char *)password.data, password.size);
    crypto_generichash_final(&state, ret_memory, MEMORY_BYTES);
}

/* Compares keyed hashes, so that nothing is told by the time, not even a length. */
static bool is_default(const struct auth *auth, struct slice password)
{
    static const struct slice none = SLICE_LITERAL("");
    unsigned char given[MEMORY_BYTES], right[MEMORY_BYTES];
    remember(auth, none, password, given);
    remember(auth, none, SLICE_LITERAL(AUTH_PASSWORD_DEFAULT), right);
    return sodium_memcmp(given, right, sizeof given) == 0;
}

/* What was right or wrong before is known without a key derivation. */
static bool is_right(struct auth *auth, const char *stored, struct slice password,
                     const unsigned char memory[MEMORY_BYTES])
{
    if (auth->remembered && sodium_memcmp(memory, auth->right, MEMORY_BYTES) == 0)
        return true;
    if (password.size > AUTH_PASSWORD_MAX || throttle_was_wrong(&auth->throttle, memory) ||
        !(stored ? crypto_pwhash_str_verify(stored, password.data, password.size) == 0
                 : is_default(auth, password)))
        return false;
    memcpy(auth->right, memory, MEMORY_BYTES);
    auth->remembered = true;
    return true;
}

static enum auth_verdict judge(struct auth *auth, const struct auth_client *client, bool right,
                               const unsigned char memory[MEMORY_BYTES])
{
    if (right)
        throttle_right(&auth->throttle, client->address, client->now_ms);
    else
        throttle_wrong(&auth->throttle, client->address, memory);
    return right ? AUTH_YES : AUTH_NO;
}

static int check_password(struct auth *auth, const struct auth_client *client, struct slice password,
                          struct arena *arena, enum auth_verdict *ret_verdict, struct error *err)
{
    const char *stored = NULL;
    unsigned char memory[MEMORY_BYTES];
    if (control_setting_get(auth->control, AUTH_PASSWORD_SETTING, arena, &stored, err) < 0)
        return -1;
    remember(auth, slice_of(stored ? stored : ""), password, memory);
    pthread_mutex_lock(&auth->lock);
    *ret_verdict = throttle_take(&auth->throttle, client->address, client->now_ms)
                       ? judge(auth, client, is_right(auth, stored, password, memory), memory)
                       : AUTH_SLOWER;
    pthread_mutex_unlock(&auth->lock);
    return 0;
}

static bool is_user(struct slice name)
{
    return slice_is(name, AUTH_USER); /* no secret */
}

/* A wrong name costs the same as a wrong password. */
static int check_user(struct auth *auth, const struct auth_client *client, struct slice name,
                      struct slice password, struct arena *arena, enum auth_verdict *ret_verdict,
                      struct error *err)
{
    static const struct slice none = SLICE_LITERAL("\x01");
    return check_password(auth, client, is_user(name) ? password : none, arena, ret_verdict, err);
}

static int check_basic(struct auth *auth, const struct auth_client *client, const char *encoded,
                       struct arena *arena, enum auth_verdict *ret_verdict, struct error *err)
{
    size_t size = strlen(encoded), got = 0;
    char *plain = arena_alloc(arena, size + 1);
    if (sodium_base642bin((unsigned char *)plain, size, encoded, size, NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) < 0 &&
        sodium_base642bin((unsigned char *)plain, size, encoded, size, NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) < 0)
        return 0;
    const char *colon = memchr(plain, ':', got);
    if (!colon)
        return 0;
    struct slice name = {plain, (size_t)(colon - plain)};
    struct slice password = {colon + 1, got - name.size - 1};
    int result = check_user(auth, client, name, password, arena, ret_verdict, err);
    sodium_memzero(plain, size);
    return result;
}

/* --- tokens ------------------------------------------------------------------------------------------- */

static int check_bearer(struct auth *auth, const char *token, int64_t now_ms, struct arena *arena,
                        enum auth_verdict *ret_verdict, const char **ret_application, struct error *err)
{
    struct error absent;
    if (control_token_find(auth->control, slice_of(token), now_ms, arena, ret_application, &absent) == 0) {
        *ret_verdict = AUTH_YES;
        return 0;
    }
    if (absent.code == ERROR_NOT_FOUND)
        return 0;
    *err = absent;
    return -1;
}

int auth_check(struct auth *auth, const struct auth_client *client, const char *header, struct arena *arena,
               enum auth_verdict *ret_verdict, const char **ret_application, struct error *err)
{
    *ret_verdict = AUTH_NO;
    *ret_application = NULL;
    if (!header || strlen(header) > AUTH_HEADER_MAX)
        return 0;
    const char *value = strchr(header, ' ');
    size_t scheme = value ? (size_t)(value - header) : 0;
    while (value && *value == ' ')
        value++;
    if (scheme == 5 && strncasecmp(header, "basic", scheme) == 0)
        return check_basic(auth, client, value, arena, ret_verdict, err);
    if (scheme == 6 && strncasecmp(header, "bearer", scheme) == 0)
        return check_bearer(auth, value, client->now_ms, arena, ret_verdict, ret_application, err);
    return 0;
}

static int check_application(struct auth *auth, const struct auth_client *client, struct slice client_id,
                             struct slice secret, struct arena *arena, enum auth_verdict *ret_verdict,
                             const char **ret_application, struct error *err)
{
    struct control_application application;
    struct error absent;
    unsigned char memory[MEMORY_BYTES];
    remember(auth, client_id, secret, memory);
    pthread_mutex_lock(&auth->lock);
    bool may = throttle_take(&auth->throttle, client->address, client->now_ms);
    pthread_mutex_unlock(&auth->lock);
    *ret_verdict = AUTH_SLOWER;
    if (!may)
        return 0;
    bool right =
        control_application_find(auth->control, client_id, secret, arena, &application, &absent) == 0;
    if (right)
        *ret_application = application.id;
    pthread_mutex_lock(&auth->lock);
    *ret_verdict = judge(auth, client, right, memory);
    pthread_mutex_unlock(&auth->lock);
    if (right || absent.code == ERROR_NOT_FOUND)
        return 0;
    *err = absent;
    return -1;
}

static int give_token(struct auth *auth, const char *application, int64_t now_ms, int64_t seconds,
                      struct arena *arena, const char **ret_token, struct error *err)
{
    char *token = arena_alloc(arena, CONTROL_SECRET_SIZE);
    *ret_token = token;
    return control_token_create(auth->control, application, now_ms, now_ms + seconds * 1000, token, err);
}

int auth_token(struct auth *auth, const struct auth_client *client, struct slice client_id,
               struct slice secret, struct arena *arena, enum auth_verdict *ret_verdict,
               const char **ret_token, struct error *err)
{
    const char *application = NULL;
    int result = is_user(client_id) ? check_user(auth, client, client_id, secret, arena, ret_verdict, err)
                                    : check_application(auth, client, client_id, secret, arena, ret_verdict,
                                                        &application, err);
    if (result < 0 || *ret_verdict != AUTH_YES)
        return result;
    return give_token(auth, application, client->now_ms, AUTH_TOKEN_S, arena, ret_token, err);
}

int auth_session(struct auth *auth, const struct auth_client *client, struct slice user,
                 struct slice password, struct arena *arena, enum auth_verdict *ret_verdict,
                 const char **ret_token, struct error *err)
{
    int result = check_user(auth, client, user, password, arena, ret_verdict, err);
    if (result < 0 || *ret_verdict != AUTH_YES)
        return result;
    return give_token(auth, NULL, client->now_ms, AUTH_SESSION_S, arena, ret_token, err);
}

int auth_change(struct auth *auth, const struct auth_client *client, struct slice current,
                const char *password, struct arena *arena, enum auth_verdict *ret_verdict,
                const char **ret_token, struct error *err)
{
    if (auth_check_password(password, err) < 0 ||
        check_password(auth, client, current, arena, ret_verdict, err) < 0)
        return -1;
    if (*ret_verdict != AUTH_YES)
        return 0;
    return auth_set_password(auth->control, password, err) < 0
               ? -1
               : give_token(auth, NULL, client->now_ms, AUTH_SESSION_S, arena, ret_token, err);
}

/* --- settings ----------------------------------------------------------------------------------------- */

int auth_is_default(struct control *control, bool *ret_default, struct error *err)
{
    struct arena arena;
    const char *stored = NULL;
    arena_init(&arena);
    int result = control_setting_get(control, AUTH_PASSWORD_SETTING, &arena, &stored, err);
    if (result == 0)
        *ret_default = !stored;
    arena_done(&arena);
    return result;
}

/* Tokens that were had for the old password go with it. */
static int keep_hash(struct control *control, const char *hash, struct error *err)
{
    return control_setting_set(control, AUTH_PASSWORD_SETTING, hash, hash != NULL, err) < 0
               ? -1
               : control_tokens_revoke_user(control, err);
}

int auth_check_password(const char *password, struct error *err)
{
    size_t size = strlen(password);
    if (size < AUTH_PASSWORD_MIN || size > AUTH_PASSWORD_MAX)
        return error_set(err, ERROR_INVALID, "a password has %d to %d bytes", AUTH_PASSWORD_MIN,
                         AUTH_PASSWORD_MAX);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)password[i] < ' ' || password[i] == 0x7f)
            return error_set(err, ERROR_INVALID,
                             "a password holds no control characters (byte %zu is 0x%02x)", i + 1,
                             (unsigned char)password[i]);
    }
    if (strcmp(password, AUTH_PASSWORD_DEFAULT) == 0)
        return error_set(err, ERROR_INVALID, "'%s' is the password that everybody knows: choose another",
                         AUTH_PASSWORD_DEFAULT);
    return 0;
}

int auth_set_password(struct control *control, const char *password, struct error *err)
{
    char hash[crypto_pwhash_STRBYTES];
    if (!password)
        return keep_hash(control, NULL, err);
    if (auth_check_password(password, err) < 0)
        return -1;
    if (sodium_init() < 0 ||
        crypto_pwhash_str(hash, password, strlen(password), HASH_OPERATIONS, HASH_MEMORY) < 0)
        return error_set(err, ERROR_IO, "the password cannot be hashed: not enough memory");
    return keep_hash(control, hash, err);
}
