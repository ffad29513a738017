/* A capture connector of Flow's that says as fast as it can what it is asked for: `count` documents of about
 * 300 bytes in groups of `group`, and then ends. For bench/run; it knows of the protocol what it needs for
 * that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20, OUT_BYTES = 256 << 10, ROOM = 1024 };

static char line[LINE_MAX_BYTES];
static char out[OUT_BYTES];
static size_t used;

static void flush_out(void)
{
    if (fwrite(out, 1, used, stdout) != used)
        exit(1);
    used = 0;
}

static size_t put_number(char *at, unsigned long value)
{
    char digits[24];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    for (size_t i = 0; i < count; i++)
        at[i] = digits[count - 1 - i];
    return count;
}

static void put_text(const char *text)
{
    size_t size = strlen(text);
    memcpy(out + used, text, size);
    used += size;
}

/* What compression finds nothing in, the same in every run. */
static void put_random(unsigned long *state, int digits)
{
    for (int i = 0; i < digits; i++) {
        *state = *state * 6364136223846793005UL + 1442695040888963407UL;
        out[used++] = "0123456789abcdef"[*state >> 60];
    }
}

static void put_document(unsigned long n)
{
    unsigned long state = n;
    put_text("{\"captured\":{\"doc\":{\"id\":");
    used += put_number(out + used, n);
    put_text(",\"created\":\"2026-11-21T09:42:33.002Z\",\"customer\":{\"name\":\"Ann Example\",\"email\":\"");
    put_random(&state, 16);
    put_text("@example.com\",\"tags\":[\"new\",\"mail\"]},\"amount\":");
    used += put_number(out + used, state >> 54);
    put_text(".95,\"paid\":true,\"items\":[{\"sku\":\"A-");
    put_random(&state, 8);
    put_text("\",\"count\":2},{\"sku\":\"B-");
    put_random(&state, 8);
    put_text("\",\"count\":1}],\"note\":\"Please leave it with the neighbours if out.\"}}}\n");
}

static void put_checkpoint(unsigned long n)
{
    used += (size_t)snprintf(
        out + used, ROOM, "{\"checkpoint\":{\"state\":{\"updated\":{\"cursor\":%lu},\"mergePatch\":true}}}\n",
        n);
}

static void say(unsigned long count, unsigned long group)
{
    for (unsigned long n = 1; n <= count; n++) {
        put_document(n);
        if (n % group == 0 || n == count)
            put_checkpoint(n);
        if (used > OUT_BYTES - 2 * ROOM)
            flush_out();
    }
    flush_out();
}

int main(int argc, char **argv)
{
    if (argc != 3 || !fgets(line, sizeof line, stdin))
        return 1;
    if (strncmp(line, "{\"spec\"", 7) == 0)
        puts("{\"spec\":{\"protocol\":3032023,\"configSchema\":{},\"resourceConfigSchema\":{}}}");
    else if (strncmp(line, "{\"validate\"", 11) == 0)
        puts("{\"validated\":{\"bindings\":[{\"resourcePath\":[\"orders\"]}]}}");
    else if (strncmp(line, "{\"apply\"", 8) == 0)
        puts("{\"applied\":{}}");
    else {
        puts("{\"opened\":{}}");
        say(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
    }
    return 0;
}
