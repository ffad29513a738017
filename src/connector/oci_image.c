#include "connector/oci_image.h"

#include <sys/utsname.h>

/* --- names ---------------------------------------------------------------------------------------- */

bool oci_image_name_valid(const char *image)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
    return *image && *image != '-' && image[strspn(image, allowed)] == '\0';
}

static bool has_registry(const char *image)
{
    size_t size = strcspn(image, "/");
    return image[size] == '/' && (memchr(image, '.', size) || memchr(image, ':', size) ||
                                  slice_is((struct slice){image, size}, "localhost"));
}

const char *oci_image_full_name(const char *image, struct arena *arena)
{
    bool tagged = strchr(image, '@') != NULL;
    const char *slash = strrchr(image, '/');
    tagged |= strchr(slash ? slash : image, ':') != NULL;
    return arena_printf(arena, "%s%s%s",
                        has_registry(image) ? ""
                        : slash             ? "docker.io/"
                                            : "docker.io/library/",
                        image, tagged ? "" : ":latest");
}

struct slice oci_image_registry(const char *full_name)
{
    return (struct slice){full_name, strcspn(full_name, "/")};
}

const char *oci_machine_architecture(void)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"},    {"aarch64", "arm64"}, {"armv7l", "arm"},      {"i686", "386"},
        {"ppc64le", "ppc64le"}, {"s390x", "s390x"},   {"riscv64", "riscv64"},
    };
    struct utsname machine;
    if (uname(&machine) < 0)
        return "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(machine.machine, names[i][0]) == 0)
            return names[i][1];
    }
    return "";
}

/* --- an inspection -------------------------------------------------------------------------------- */

struct inspection {
    const char *image;
    struct json doc;
    uint32_t root, config;
    struct arena *arena;
};

/* The value of a variable that the image sets, or NULL. */
static const char *variable(const struct inspection *of, const char *name)
{
    uint32_t list = json_get(&of->doc, of->config, "Env");
    size_t size = strlen(name);
    for (uint32_t at = json_first(&of->doc, list); at != JSON_NONE; at = json_next(&of->doc, list, at)) {
        const char *text = json_cstring(&of->doc, at, of->arena);
        if (text && strncmp(text, name, size) == 0 && text[size] == '=')
            return text + size + 1;
    }
    return NULL;
}

static const char *label(const struct inspection *of, const char *name)
{
    uint32_t labels = json_get(&of->doc, of->config, "Labels");
    return json_cstring(&of->doc, json_get(&of->doc, labels, name), of->arena);
}

/* Flow's connectors say which of its protocols they speak; whatever else is run as a connector speaks
 * Airbyte's, which asks for no mark. */
static int read_protocol(const struct inspection *of, enum connector_protocol *ret_protocol,
                         struct error *err)
{
    static const char *const known[] = {"capture", "materialize", "derive"};
    const char *flow = label(of, "FLOW_RUNTIME_PROTOCOL");
    *ret_protocol = flow ? CONNECTOR_FLOW : CONNECTOR_AIRBYTE;
    for (size_t i = 0; flow && i < sizeof known / sizeof *known; i++) {
        if (strcmp(flow, known[i]) == 0)
            return 0;
    }
    return !flow
               ? 0
               : error_set(err, ERROR_INVALID,
                           "the image %s has the label FLOW_RUNTIME_PROTOCOL=%.40s, but it must be capture, "
                           "materialize or derive",
                           of->image, flow);
}

/* The strings of an array as words; 0 if it is none or empty, -1 if there are too many. */
static int read_words(const struct inspection *of, const char *name, const char *const **ret_words)
{
    uint32_t list = json_get(&of->doc, of->config, name), count = 0;
    if (!json_is(&of->doc, list, JSON_ARRAY) || json_count(&of->doc, list) == 0)
        return 0;
    if (json_count(&of->doc, list) > OCI_WORDS_MAX)
        return -1;
    const char **words = arena_zalloc(of->arena, (json_count(&of->doc, list) + 1) * sizeof *words);
    for (uint32_t at = json_first(&of->doc, list); at != JSON_NONE; at = json_next(&of->doc, list, at)) {
        words[count] = json_cstring(&of->doc, at, of->arena);
        if (words[count])
            count++;
    }
    *ret_words = words;
    return count > 0 && *words[0] ? 1 : 0;
}

/* AIRBYTE_ENTRYPOINT is one text; Airbyte's platform has always cut it at blanks. */
static int split_words(const struct inspection *of, const char *text, const char *const **ret_words)
{
    const char **words = arena_zalloc(of->arena, (OCI_WORDS_MAX + 1) * sizeof *words);
    char *rest = arena_strdup(of->arena, text ? text : ""), *state = NULL;
    int count = 0;
    for (char *word = strtok_r(rest, " \t\n", &state); word; word = strtok_r(NULL, " \t\n", &state)) {
        if (count == OCI_WORDS_MAX)
            return -1;
        words[count++] = word;
    }
    *ret_words = words;
    return count > 0;
}

static int read_entrypoint(const struct inspection *of, const char *const **ret_words, struct error *err)
{
    int found = read_words(of, "Entrypoint", ret_words);
    if (found == 0)
        found = split_words(of, variable(of, "AIRBYTE_ENTRYPOINT"), ret_words);
    if (found == 0)
        found = read_words(of, "Cmd", ret_words);
    if (found > 0)
        return 0;
    if (found < 0)
        return error_set(err, ERROR_LIMIT, "the entrypoint of the image %s has more than %d words", of->image,
                         OCI_WORDS_MAX);
    return error_set(
        err, ERROR_INVALID,
        "the image %s has nothing to run: a connector's image has an ENTRYPOINT (or a CMD, or the "
        "variable AIRBYTE_ENTRYPOINT)",
        of->image);
}

static int check_system(const struct inspection *of, struct error *err)
{
    const char *system = json_cstring(&of->doc, json_get(&of->doc, of->root, "Os"), of->arena);
    if (!system || !*system || strcmp(system, "linux") == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "the image %s is for %.40s, but Firth runs images for linux",
                     of->image, system);
}

static int read_id(const struct inspection *of, const char **ret_id, struct error *err)
{
    const char *id = json_cstring(&of->doc, json_get(&of->doc, of->root, "Id"), of->arena);
    if (id && string_starts_with(id, "sha256:"))
        id += sizeof "sha256:" - 1;
    if (!id || !*id || id[strspn(id, "0123456789abcdef")] != '\0')
        return error_set(err, ERROR_PROTOCOL, "the inspection of the image %s has no Id", of->image);
    *ret_id = id;
    return 0;
}

int oci_image_read(const char *image, struct slice inspection, struct arena *arena,
                   struct oci_image *ret_image, struct error *err)
{
    struct inspection of = {.image = image, .arena = arena};
    if (json_parse_copy(arena, inspection.data, inspection.size, &of.doc, err) < 0)
        return error_wrap(err, "the inspection of the image %s", image);
    of.root = json_is(&of.doc, 0, JSON_ARRAY) ? json_at(&of.doc, 0, 0) : 0;
    of.config = json_get(&of.doc, of.root, "Config");
    if (read_id(&of, &ret_image->id, err) < 0 || check_system(&of, err) < 0 ||
        read_protocol(&of, &ret_image->protocol, err) < 0 || read_entrypoint(&of, &ret_image->words, err) < 0)
        return -1;
    ret_image->architecture = json_cstring(&of.doc, json_get(&of.doc, of.root, "Architecture"), arena);
    return 0;
}
