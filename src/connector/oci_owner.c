#include "connector/oci_owner.h"

#include "base/file.h"
#include "base/hash.h"
#include "connector/oci_command.h"

#include <inttypes.h>
#include <unistd.h>

enum { SWEEP_MAX = 256, REMOVE_WORDS = 4, INSPECT_WORDS = 5, SMALL_FILE_MAX = 4096 };

/* --- identity ------------------------------------------------------------------------------------- */

static bool read_small(const char *path, char *text, size_t size)
{
    struct buffer content;
    struct error unused;
    buffer_init(&content, size - 1);
    bool good = file_read(path, size - 1, &content, &unused) == 0 && content.size > 0;
    if (good) {
        memcpy(text, content.data, content.size);
        text[content.size] = '\0';
        text[strcspn(text, "\n")] = '\0';
    }
    buffer_done(&content);
    return good;
}

/* When a process started, in ticks since the boot: field 22 of its stat. The second field, its name, may hold
 * blanks and parentheses. */
static bool start_of(uint64_t pid, uint64_t *ret_start)
{
    enum { START_FIELD = 22, AFTER_NAME = 3 };
    char path[64], text[SMALL_FILE_MAX];
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
    if (!read_small(path, text, sizeof text))
        return false;
    char *at = strrchr(text, ')'), *state = NULL;
    at = at ? strtok_r(at + 1, " ", &state) : NULL;
    for (int field = AFTER_NAME; at && field < START_FIELD; field++)
        at = strtok_r(NULL, " ", &state);
    return at && string_to_u64(at, UINT64_MAX, ret_start);
}

/* "NAMESPACE.BOOT": what pids of this machine mean. */
static bool read_world(char world[OCI_OWNER_SIZE])
{
    char namespace[64], boot[64];
    ssize_t size = readlink("/proc/self/ns/pid", namespace, sizeof namespace - 1);
    if (size <= 0 || !read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot))
        return false;
    namespace[size] = '\0'; /* "pid:[4026531836]" */
    char *number = strpbrk(namespace, "0123456789");
    snprintf(world, OCI_OWNER_SIZE, "%.*s.%s", number ? (int)strspn(number, "0123456789") : 0,
             number ? number : "", boot);
    return number != NULL;
}

void oci_owner_own(char owner[OCI_OWNER_SIZE])
{
    char world[OCI_OWNER_SIZE];
    uint64_t pid = (uint64_t)getpid(), start;
    owner[0] = '\0';
    if (read_world(world) && start_of(pid, &start))
        snprintf(owner, OCI_OWNER_SIZE, "%" PRIu64 ".%" PRIu64 ".%.80s", pid, start, world);
}

bool oci_owner_gone(const char *owner)
{
    char world[OCI_OWNER_SIZE];
    unsigned long long pid, start;
    int used = 0;
    if (sscanf(owner, "%llu.%llu.%n", &pid, &start, &used) != 2 || used == 0 || !read_world(world))
        return false;
    size_t digits = strspn(owner + used, "0123456789");
    const char *boot = strrchr(world, '.'), *its_boot = owner + used + digits;
    if (digits == 0 || *its_boot != '.' || strlen(its_boot) != strlen(boot))
        return false; /* not written by us */
    if (strcmp(boot, its_boot) != 0)
        return true; /* nothing outlives a boot */
    uint64_t start_now;
    if (strcmp(owner + used, world) != 0)
        return false;
    return !start_of(pid, &start_now) || start_now != start;
}

void oci_owner_data(const char *data_dir, char label[OCI_DATA_SIZE])
{
    snprintf(label, OCI_DATA_SIZE, "%016" PRIx64, hash_xxh3(data_dir, strlen(data_dir), 0));
}

/* --- what a killed Firth left --------------------------------------------------------------------- */

/* Ids and owners of all containers of the data directory, a pair a line. */
static bool list(const char *engine, const char *data_dir, struct oci_answer *answer)
{
    char filter[64], data[OCI_DATA_SIZE];
    struct error unused;
    oci_owner_data(data_dir, data);
    snprintf(filter, sizeof filter, "label=" OCI_LABEL_DATA "=%s", data);
    const char *ps[] = {engine, "ps", "--all", "--quiet", "--no-trunc", "--filter", filter, NULL};
    if (oci_command(ps, OCI_COMMAND_MS, NULL, NULL, answer, &unused) < 0 || answer->status != 0 ||
        answer->out.size == 0)
        return false;
    auto_free char *ids = mem_strdup(buffer_cstr(&answer->out));
    static const char format[] = "{{.Id}} {{index .Config.Labels \"" OCI_LABEL_OWNER "\"}}";
    const char *inspect[INSPECT_WORDS + SWEEP_MAX + 1] = {engine, "container", "inspect", "--format", format};
    size_t count = INSPECT_WORDS;
    char *state = NULL;
    for (char *id = strtok_r(ids, "\n", &state); id && count < INSPECT_WORDS + SWEEP_MAX;
         id = strtok_r(NULL, "\n", &state))
        inspect[count++] = id;
    buffer_clear(&answer->out);
    /* One that has gone meanwhile makes the status 1; the others are printed all the same. */
    return oci_command(inspect, OCI_COMMAND_MS, NULL, NULL, answer, &unused) == 0;
}

size_t oci_owner_sweep(const char *engine, const char *data_dir)
{
    struct oci_answer answer;
    struct error unused;
    const char *remove[REMOVE_WORDS + SWEEP_MAX + 1] = {engine, "rm", "--force", "--volumes"};
    size_t count = REMOVE_WORDS;
    oci_answer_init(&answer, 1 << 20);
    auto_free char *lines =
        list(engine, data_dir, &answer) ? mem_strdup(buffer_cstr(&answer.out)) : mem_strdup("");
    char *state = NULL;
    for (char *line = strtok_r(lines, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        char *owner = strchr(line, ' ');
        if (!owner || count == REMOVE_WORDS + SWEEP_MAX)
            continue;
        *owner++ = '\0';
        if (oci_owner_gone(owner))
            remove[count++] = line;
    }
    buffer_clear(&answer.out);
    if (count > REMOVE_WORDS)
        (void)oci_command(remove, OCI_COMMAND_MS, NULL, NULL, &answer, &unused);
    oci_answer_done(&answer);
    return count - REMOVE_WORDS;
}
