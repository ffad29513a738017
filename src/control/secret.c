#include "control/secret.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 4096 };

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* 64 digits, white space around them. The message shows nothing of the text. */
static int parse_key(struct slice text, struct secret_key *key, struct error *err)
{
    while (text.size && strchr(" \t\r\n", text.data[text.size - 1]))
        text.size--;
    bool fine = text.size == SECRET_KEY_DIGITS;
    for (size_t i = 0; fine && i < SECRET_KEY_BYTES; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);
        fine = high >= 0 && low >= 0;
        if (fine)
            key->bytes[i] = (unsigned char)(high << 4 | low);
    }
    if (fine)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "%s holds no key: a key is %d hexadecimal digits, such as 'openssl rand -hex %d' prints",
                     key->origin, SECRET_KEY_DIGITS, SECRET_KEY_BYTES);
}

static int read_file(const char *path, struct secret_key *key, struct error *err)
{
    struct stat info;
    struct buffer text;
    if (stat(path, &info) < 0)
        return error_errno(err, errno, "cannot read the secret key %s", path);
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, ERROR_INVALID,
                         "the secret key %s may be used by others than its owner (mode %03o): "
                         "'chmod 600 %s' puts that right",
                         path, (unsigned)(info.st_mode & 0777), path);
    buffer_init(&text, KEY_FILE_MAX);
    int result = file_read(path, KEY_FILE_MAX, &text, err);
    if (result == 0)
        result = parse_key((struct slice){text.data ? text.data : "", text.size}, key, err);
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&text);
    return result;
}

/* Of several that make one at the same time, one wins (link fails for a name that is there), and all read
 * the winner's. */
static int make_file(const char *data_dir, const char *path, struct error *err)
{
    unsigned char bytes[SECRET_KEY_BYTES];
    char digits[SECRET_KEY_DIGITS + 2], uuid[37];
    random_uuid(uuid);
    auto_free char *temporary = mem_printf("%s.%.8s.tmp", path, uuid);
    auto_close int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "cannot make the secret key %s", path);
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    digits[SECRET_KEY_DIGITS] = '\n';
    int result = file_write_all(fd, digits, SECRET_KEY_DIGITS + 1, temporary, err);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(digits, sizeof digits);
    if (result == 0 && fsync(fd) < 0)
        result = error_errno(err, errno, "cannot sync %s", temporary);
    if (result == 0 && link(temporary, path) < 0 && errno != EEXIST)
        result = error_errno(err, errno, "cannot make the secret key %s", path);
    unlink(temporary);
    return result < 0 ? -1 : file_sync_folder(data_dir, err);
}

int secret_key_load(const char *data_dir, bool make, struct secret_key *ret_key, struct error *err)
{
    const char *given = getenv("FIRTH_SECRET_KEY"), *file = getenv("FIRTH_SECRET_KEY_FILE");
    struct secret_key key = {0};
    if (sodium_init() < 0)
        return error_set(err, ERROR_IO, "libsodium cannot be used on this machine");
    int result;
    if (given && *given) {
        snprintf(key.origin, sizeof key.origin, "FIRTH_SECRET_KEY");
        result = parse_key(slice_of(given), &key, err);
    } else {
        auto_free char *own = mem_printf("%s/secret.key", data_dir);
        const char *path = file && *file ? file : own;
        snprintf(key.origin, sizeof key.origin, "%s", path);
        if (path == own && make && !file_exists(own) && make_file(data_dir, own, err) < 0)
            return -1;
        result = read_file(path, &key, err);
    }
    if (result == 0)
        *ret_key = key;
    secret_key_done(&key);
    return result;
}

void secret_key_done(struct secret_key *key)
{
    explicit_bzero(key, sizeof *key);
}

void secret_seal(const struct secret_key *key, struct slice plain, struct buffer *out)
{
    unsigned char nonce[crypto_secretbox_NONCEBYTES];
    random_bytes(nonce, sizeof nonce);
    if (!buffer_reserve(out, sizeof nonce + crypto_secretbox_MACBYTES + plain.size))
        return;
    buffer_append(out, nonce, sizeof nonce);
    crypto_secretbox_easy((unsigned char *)out->data + out->size, (const unsigned char *)plain.data,
                          plain.size, nonce, key->bytes);
    out->size += crypto_secretbox_MACBYTES + plain.size;
}

int secret_unseal(const struct secret_key *key, struct slice sealed, struct buffer *out, struct error *err)
{
    const unsigned char *bytes = (const unsigned char *)sealed.data;
    const size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (sealed.size >= overhead && !buffer_reserve(out, sealed.size - overhead))
        return error_set(err, ERROR_LIMIT, "a secret is larger than the limit of %zu bytes", out->max);
    if (sealed.size < overhead ||
        crypto_secretbox_open_easy((unsigned char *)out->data + out->size,
                                   bytes + crypto_secretbox_NONCEBYTES,
                                   sealed.size - crypto_secretbox_NONCEBYTES, bytes, key->bytes) < 0)
        return error_set(err, ERROR_INVALID,
                         "the secret key of %s does not open what was encrypted: it was encrypted with "
                         "another key, or changed since",
                         key->origin);
    out->size += sealed.size - overhead;
    return 0;
}

/* --- as text ------------------------------------------------------------------------------------- */

void secret_seal_text(const struct secret_key *key, struct slice plain, struct buffer *out)
{
    struct buffer sealed;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    secret_seal(key, plain, &sealed);
    size_t size = sodium_base64_encoded_len(sealed.size, sodium_base64_VARIANT_ORIGINAL);
    if (buffer_reserve(out, size)) {
        sodium_bin2base64(out->data + out->size, size, (const unsigned char *)sealed.data, sealed.size,
                          sodium_base64_VARIANT_ORIGINAL);
        out->size += size - 1;
    }
    buffer_done(&sealed);
}

int secret_unseal_text(const struct secret_key *key, struct slice sealed, struct buffer *out,
                       struct error *err)
{
    auto_free unsigned char *bytes = mem_alloc(sealed.size + 1);
    size_t size = 0;
    if (sodium_base642bin(bytes, sealed.size, sealed.data, sealed.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) < 0)
        return error_set(err, ERROR_CORRUPT, "what was encrypted is no base64");
    return secret_unseal(key, (struct slice){(const char *)bytes, size}, out, err);
}

/* --- the tasks' ---------------------------------------------------------------------------------- */

static void derive(const struct secret_key *key, unsigned char ret_bytes[SECRET_KEY_BYTES])
{
    static const char purpose[] = "firth: what tasks keep";
    crypto_generichash(ret_bytes, SECRET_KEY_BYTES, (const unsigned char *)purpose, sizeof purpose - 1,
                       key->bytes, SECRET_KEY_BYTES);
}

void secret_task_key(const struct secret_key *key, char ret_digits[SECRET_KEY_DIGITS + 1])
{
    unsigned char bytes[SECRET_KEY_BYTES];
    derive(key, bytes);
    sodium_bin2hex(ret_digits, SECRET_KEY_DIGITS + 1, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
}

int secret_task_key_read(const char *digits, struct secret_key *ret_key, struct error *err)
{
    struct secret_key key = {.origin = "FIRTH_TASK_KEY"};
    if (sodium_init() < 0)
        return error_set(err, ERROR_IO, "libsodium cannot be used on this machine");
    if (parse_key(slice_of(digits), &key, err) < 0)
        return -1;
    *ret_key = key;
    secret_key_done(&key);
    return 0;
}

int secret_task_key_load(const char *data_dir, struct secret_key *ret_key, struct error *err)
{
    struct secret_key own;
    if (secret_key_load(data_dir, true, &own, err) < 0)
        return -1;
    *ret_key = own;
    derive(&own, ret_key->bytes);
    secret_key_done(&own);
    return 0;
}
