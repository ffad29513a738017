#include "flow.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The program around a connector: the command line, the files, the verbs, how it ends. */

enum verb { VERB_SPEC, VERB_CHECK, VERB_DISCOVER, VERB_READ, VERB_WRITE, VERB_COUNT };
static const char *const verb_names[VERB_COUNT] = {"spec", "check", "discover", "read", "write"};

enum { EXIT_DONE = 0, EXIT_FAILED_RUN = 1, EXIT_USAGE = 2, EXIT_WRONG_CONFIG = 3 };

struct arguments {
    enum verb verb;
    const char *config, *catalog, *state;
};

struct program {
    const struct firth_connector_class *class_;
    struct arguments arguments;
    struct firth_host host;
    struct arena arena;
    void *config;
};

/* A signal handler has nowhere else to leave its message. */
static volatile sig_atomic_t stop_signal;

static void on_stop(int signal_number)
{
    stop_signal = signal_number;
}

enum { READ_GRACE_S = SDK_STOP_WRITE_MS / 1000 };

static void on_stop_reading(int signal_number)
{
    stop_signal = signal_number;
    alarm(READ_GRACE_S);
}

/* It computes and looks at nothing, a template over a million records: what was read counts up to the last
 * state, however it ends. */
static void on_grace_over(int signal_number)
{
    (void)signal_number;
    signal(stop_signal, SIG_DFL);
    raise(stop_signal);
}

static void handle_signals(bool reads)
{
    /* No SA_RESTART: waits are to be interrupted. The second signal ends the program at once. */
    struct sigaction stop = {.sa_handler = reads ? on_stop_reading : on_stop, .sa_flags = (int)SA_RESETHAND};
    struct sigaction over = {.sa_handler = on_grace_over};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGALRM, &over, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Fewer switches between the two ends of a pipe; what is no pipe stays as it is. */
static void widen_pipes(void)
{
    fcntl(STDIN_FILENO, F_SETPIPE_SZ, 1 << 20);
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
}

/* End as somebody who is told to, by the signal: 0 would say that everything had been read. */
static int end_by_signal(int signal_number)
{
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    return 128 + signal_number; /* only if the signal is blocked */
}

/* --- the command line ---------------------------------------------------------------------------------- */

static int usage(const struct firth_connector_class *class_, FILE *to, int status)
{
    bool source = class_->source.read != NULL;
    fprintf(to, "%s: %s\n\n", class_->name, class_->summary ? class_->summary : class_->title);
    fprintf(to, "  %s spec\n  %s check    --config FILE\n", class_->name, class_->name);
    if (source)
        fprintf(to,
                "  %s discover --config FILE\n  %s read     --config FILE --catalog FILE [--state FILE]\n",
                class_->name, class_->name);
    else
        fprintf(to, "  %s write    --config FILE --catalog FILE < messages\n", class_->name);
    fprintf(to, "  %s < requests, of Flow's protocol\n", class_->name);
    for (size_t i = 0; class_->own && class_->own->flags && class_->own->flags[i]; i++)
        fprintf(to, "%s%s", i ? ", " : "\nEach of them also takes ", class_->own->flags[i]);
    if (class_->own && class_->own->flags)
        fputc('\n', to);
    return status;
}

/* The command line's words are in it, and a file's name may have any character. */
static void tell(const struct firth_connector_class *class_, const char *what, const char *word)
{
    struct buffer safe;
    buffer_init(&safe, BUFFER_UNLIMITED);
    text_append_printable_lines(&safe, word, strlen(word));
    fprintf(stderr, "%s: %s%s\n", class_->name, what, buffer_cstr(&safe));
    buffer_done(&safe);
}

static int usage_error(const struct firth_connector_class *class_, const char *what, const char *word)
{
    tell(class_, what, word);
    fputc('\n', stderr);
    return usage(class_, stderr, EXIT_USAGE);
}

static bool verb_fits(const struct firth_connector_class *class_, enum verb verb)
{
    if (verb == VERB_WRITE)
        return class_->destination.store != NULL;
    return verb < VERB_DISCOVER || class_->source.read != NULL;
}

/* "--config FILE" or "--config=FILE"; NULL if it is another option. */
static const char **option_field(struct arguments *arguments, const char *word, const char **ret_value)
{
    const struct {
        const char *name;
        const char **field;
    } options[] = {
        {"--config", &arguments->config}, {"--catalog", &arguments->catalog}, {"--state", &arguments->state}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        size_t size = strlen(options[i].name);
        if (strncmp(word, options[i].name, size) != 0 || (word[size] && word[size] != '='))
            continue;
        *ret_value = word[size] ? word + size + 1 : NULL;
        return options[i].field;
    }
    return NULL;
}

/* 0, or the exit status plus one. */
static int parse_arguments(const struct firth_connector_class *class_, int argc, char **argv,
                           struct arguments *arguments)
{
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(class_, stdout, EXIT_DONE) + 1;
    enum verb verb = VERB_SPEC;
    while (verb < VERB_COUNT && strcmp(argv[1], verb_names[verb]) != 0)
        verb++;
    if (verb == VERB_COUNT || !verb_fits(class_, verb))
        return usage_error(class_, "it does not know the verb ", argv[1]) + 1;
    arguments->verb = verb;
    for (int i = 2; i < argc; i++) {
        const char *value = NULL;
        if (strcmp(argv[i], "--debug") == 0)
            continue; /* Airbyte's development kit has it */
        const char **field = option_field(arguments, argv[i], &value);
        if (!field)
            return usage_error(class_, "it does not know the option ", argv[i]) + 1;
        if (!value && i + 1 == argc)
            return usage_error(class_, "a file name is missing after ", argv[i]) + 1;
        *field = value ? value : argv[++i];
    }
    if (verb != VERB_SPEC && !arguments->config)
        return usage_error(class_, "--config is missing for ", argv[1]) + 1;
    if (verb >= VERB_READ && !arguments->catalog)
        return usage_error(class_, "--catalog is missing for ", argv[1]) + 1;
    return 0;
}

/* --- files ------------------------------------------------------------------------------------------------
 */

static int read_whole(struct program *program, const char *path, size_t max, const char *what,
                      struct slice *ret_text, struct error *err)
{
    struct buffer text;
    buffer_init(&text, max);
    int result = file_read(path, max, &text, err);
    if (result < 0)
        error_wrap(err, "the %s", what);
    else
        *ret_text =
            (struct slice){arena_strndup(&program->arena, text.data ? text.data : "", text.size), text.size};
    buffer_done(&text);
    return result;
}

/* *ret_wrong: the file could be read, its content is wrong. */
static int read_config(struct program *program, bool *ret_wrong, struct firth_error *err)
{
    struct slice text;
    struct json doc;
    struct error library_err;
    *ret_wrong = false;
    if (read_whole(program, program->arguments.config, SDK_CONFIG_MAX, "config", &text, &library_err) < 0)
        return sdk_error(err, &library_err);
    *ret_wrong = true;
    if (json_parse_copy(&program->arena, text.data, text.size, &doc, &library_err) < 0) {
        error_wrap(&library_err, "the config is not JSON");
        return sdk_error(err, &library_err);
    }
    if (program->class_->own) {
        int result = sdk_own_open(&program->host, text, &program->config, err);
        *ret_wrong = err->failure == FIRTH_FAILURE_CONFIG;
        return result;
    }
    program->config = arena_zalloc(&program->arena, program->class_->config_size);
    if (sdk_options_read(sdk_options_of(program->class_, &doc, false), &doc, 0, program->config,
                         &program->arena, &library_err) < 0)
        return sdk_error(err, &library_err);
    return 0;
}

static int read_catalog(struct program *program, struct airbyte_configured_catalog *ret_catalog,
                        struct error *err)
{
    struct slice text;
    struct json *doc = arena_zalloc(&program->arena, sizeof *doc);
    if (read_whole(program, program->arguments.catalog, SDK_CATALOG_MAX, "catalog", &text, err) < 0)
        return -1;
    if (json_parse_copy(&program->arena, text.data, text.size, doc, err) < 0)
        return error_wrap(err, "the catalog is not JSON");
    if (airbyte_configured_catalog_read(doc, 0, &program->arena, ret_catalog, err) == 0)
        return 0;
    err->code = ERROR_INVALID; /* it is the user's, whoever wrote it: not a peer's message */
    return error_wrap(err, "the catalog");
}

/* --- verbs
 * --------------------------------------------------------------------------------------------------- */

static int run_spec(struct program *program, struct firth_error *err)
{
    struct buffer spec;
    struct firth_spec own;
    buffer_init(&spec, SDK_CATALOG_MAX);
    if (program->class_->own) {
        int result = sdk_own_spec(&program->host, &own, err);
        if (result == 0)
            sdk_own_spec_write(&spec, &own);
        sdk_own_spec_done(&own);
        if (result < 0)
            return -1;
    } else {
        sdk_spec_write(&spec, program->class_);
    }
    airbyte_write_spec(&program->host.out, (struct slice){spec.data, spec.size});
    buffer_done(&spec);
    return sdk_host_flush(&program->host);
}

static int (*check_of(const struct firth_connector_class *class_))(struct firth_host *, const void *,
                                                                   struct firth_error *)
{
    return class_->source.read ? class_->source.check : class_->destination.check;
}

static void write_trace(struct program *program, const struct firth_error *err)
{
    static const enum airbyte_failure failures[] = {
        [FIRTH_FAILURE_SYSTEM] = AIRBYTE_SYSTEM_ERROR,
        [FIRTH_FAILURE_CONFIG] = AIRBYTE_CONFIG_ERROR,
        [FIRTH_FAILURE_TRANSIENT] = AIRBYTE_TRANSIENT_ERROR,
    };
    struct airbyte_trace_error error = {.message = slice_of(err->message), .failure = failures[err->failure]};
    airbyte_write_trace_error(&program->host.out, program->host.now_ms, &error);
}

/* FAILED is an answer, not a failure: the exit status is 0. It does not say whether another try would help;
 * the trace behind it does. */
static int write_status(struct program *program, const struct firth_error *failure)
{
    airbyte_write_connection_status(&program->host.out, !failure,
                                    failure ? slice_of(failure->message) : (struct slice){0});
    if (failure)
        write_trace(program, failure);
    return sdk_host_flush(&program->host);
}

static int run_check(struct program *program, struct firth_error *err)
{
    bool wrong;
    program->host.checking = true;
    if (read_config(program, &wrong, err) < 0)
        return wrong ? write_status(program, err) : -1;
    int (*check)(struct firth_host *, const void *, struct firth_error *) = check_of(program->class_);
    bool succeeded = !check || check(&program->host, program->config, err) == 0;
    return write_status(program, succeeded ? NULL : err);
}

static int run_discover(struct program *program, struct firth_error *err)
{
    struct firth_catalog catalog;
    sdk_catalog_init(&catalog);
    int result = program->class_->source.discover(&program->host, program->config, &catalog, err);
    if (result == 0) {
        sdk_catalog_write_message(&program->host.out, &catalog);
        result = sdk_host_flush(&program->host);
    }
    sdk_catalog_done(&catalog);
    return result;
}

static int run_long(struct program *program, struct firth_error *err)
{
    struct airbyte_configured_catalog catalog;
    struct slice state = {0};
    struct error library_err;
    if (read_catalog(program, &catalog, &library_err) < 0 ||
        (program->arguments.state &&
         read_whole(program, program->arguments.state, SDK_STATE_MAX, "state", &state, &library_err) < 0))
        return sdk_error(err, &library_err);
    handle_signals(program->arguments.verb == VERB_READ);
    widen_pipes();
    return program->arguments.verb == VERB_READ
               ? sdk_run_read(&program->host, program->config, &catalog, state, err)
               : sdk_run_write(&program->host, program->config, &catalog, STDIN_FILENO, err);
}

static int run_verb(struct program *program, struct firth_error *err)
{
    bool wrong;
    if (program->arguments.verb == VERB_SPEC)
        return run_spec(program, err);
    if (program->arguments.verb == VERB_CHECK)
        return run_check(program, err);
    if (read_config(program, &wrong, err) < 0)
        return -1;
    return program->arguments.verb == VERB_DISCOVER ? run_discover(program, err) : run_long(program, err);
}

/* The one place that says why it failed: to the protocol, and to whoever looks at stderr. */
static void report(struct program *program, const struct firth_error *err)
{
    tell(program->class_, "", err->message);
    write_trace(program, err);
    sdk_host_flush(&program->host);
}

/* Without a verb it speaks Flow's protocol; a person who only typed its name is told what it can do. */
static int run_flow(const struct firth_connector_class *class_, const char *const *flags)
{
    struct firth_host host;
    struct firth_error err = {.message = "it failed and did not say why"};
    const char *codec = getenv("FLOW_RUNTIME_CODEC");
    if (!codec && isatty(STDIN_FILENO))
        return usage_error(class_, "which verb? ", "");
    sdk_host_init(&host, class_, &sdk_face_flow, STDOUT_FILENO, &stop_signal);
    memcpy(host.flags, flags, sizeof host.flags);
    handle_signals(false);
    widen_pipes();
    int result = codec && *codec && strcmp(codec, "json") != 0
                     ? firth_fail(&err, FIRTH_FAILURE_CONFIG,
                                  "FLOW_RUNTIME_CODEC is %.40s, but this connector speaks JSON alone: set it "
                                  "to json",
                                  codec)
                     : sdk_run_flow(&host, STDIN_FILENO, &err);
    bool gone = host.gone;
    int status = result == 0                           ? EXIT_DONE
                 : err.failure == FIRTH_FAILURE_CONFIG ? EXIT_WRONG_CONFIG
                                                       : EXIT_FAILED_RUN;
    if (result < 0 && !gone && !stop_signal)
        host.face->log(&host, LOG_ERROR, slice_of(err.message));
    sdk_host_done(&host);
    if (result > 0)
        return usage_error(class_, "no verb was given, and no request came", "");
    if (result < 0 && stop_signal)
        return end_by_signal(stop_signal);
    return gone ? end_by_signal(SIGPIPE) : status;
}

int firth_connector_main(const struct firth_connector_class *class_, int argc, char **argv)
{
    struct program program = {.class_ = class_};
    struct firth_error err = {.message = "it failed and did not say why"};
    const char *flags[FIRTH_FLAGS_MAX] = {NULL}, *flag;
    if (class_->own && sdk_own_flags(class_->own, &argc, argv, flags, &flag) < 0)
        return usage_error(class_, "a value is missing after ", flag);
    if (argc < 2)
        return run_flow(class_, flags);
    int parsed = parse_arguments(class_, argc, argv, &program.arguments);
    if (parsed)
        return parsed - 1;
    arena_init(&program.arena);
    sdk_host_init(&program.host, class_, &sdk_face_airbyte, STDOUT_FILENO, &stop_signal);
    memcpy(program.host.flags, flags, sizeof flags);
    int result = run_verb(&program, &err);
    bool gone = program.host.gone;
    const struct firth_error *why = program.host.failed ? &program.host.error : &err;
    int status = result == 0                            ? EXIT_DONE
                 : why->failure == FIRTH_FAILURE_CONFIG ? EXIT_WRONG_CONFIG
                                                        : EXIT_FAILED_RUN;
    if (result < 0 && !gone && !stop_signal)
        report(&program, why);
    sdk_host_done(&program.host);
    arena_done(&program.arena);
    if (stop_signal)
        return end_by_signal(stop_signal);
    return gone ? end_by_signal(SIGPIPE) : status;
}
