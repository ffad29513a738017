/* The program: make the process sane, parse, dispatch. */
#include "cli/built_ins.h"
#include "cli/global.h"
#include "cli/images.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* No file that we open later may land on 0, 1 or 2: a closed standard descriptor is replaced by one whose
 * use fails (read where we write, written where we read), so that the failure is seen and said. */
static void keep_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

/* Configs, with the secrets in them, are in our memory: it goes into no core file, and other processes of the
 * same user cannot look at it. */
static void keep_memory_private(void)
{
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

static void take_signals_in_hand(void)
{
    /* A peer that goes away is an error value of a write, not the process's death. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    /* A parent may have left these blocked; a blocked SIGTERM would make us unstoppable. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void on_stop(int number)
{
    (void)number;
    _exit(CLI_INTERRUPTED);
}

/* A command that has nothing to finish ends at once, with the code that docs/cli.md names. What the parent
 * wants ignored stays ignored. */
static void end_when_told(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction stop = {.sa_handler = on_stop}, inherited;
        if (sigaction(numbers[i], NULL, &inherited) == 0 && inherited.sa_handler == SIG_DFL)
            sigaction(numbers[i], &stop, NULL);
    }
}

/* Whether the command line says -o json anywhere: its errors are told so, even where parsing stopped before.
 */
static bool asks_for_json(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc && argv[i] && strcmp(argv[i], "--") != 0; i++) {
        const char *value = NULL;
        if (strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0)
            value = i + 1 < argc ? argv[i + 1] : NULL;
        else if (strncmp(argv[i], "-o", 2) == 0)
            value = argv[i] + 2;
        else if (strncmp(argv[i], "--output=", 9) == 0)
            value = argv[i] + 9;
        if (value)
            json = strcmp(value, "json") == 0;
    }
    return json;
}

static bool wants_color(int fd, bool no_color)
{
    const char *plain = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !no_color && !(plain && *plain) && terminal && *terminal && strcmp(terminal, "dumb") != 0 &&
           isatty(fd);
}

static const char *own_path(const char *argv0, char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size <= 0)
        return argv0;
    path[size] = 0;
    /* Replaced by an upgrade while we run: the running image is still to be had there. */
    return string_ends_with(path, " (deleted)") ? "/proc/self/exe" : path;
}

/* Take over the global options; the environment stands in for those not given. */
static int apply_globals(struct cli *cli, const struct global_options *globals, struct error *err)
{
    const char *level = globals->log_level ? globals->log_level : getenv("FIRTH_LOG_LEVEL");
    const char *data_dir = globals->data_dir ? globals->data_dir : getenv("FIRTH_DATA_DIR");
    char shown[OPTION_SHOWN_MAX];
    cli->color_error = wants_color(STDERR_FILENO, globals->no_color);
    cli->terminal = cli->color_error && isatty(STDOUT_FILENO);
    cli->log =
        (struct log){.fd = STDERR_FILENO, .level = LOG_INFO, .json = cli->json, .color = cli->color_error};
    if (globals->data_dir && !*globals->data_dir)
        return error_set(err, ERROR_INVALID, "--data-dir is empty, but it must be a folder's path");
    cli->data_dir = data_dir && *data_dir ? data_dir : ".firth";
    if (level && *level) {
        int parsed = log_level_parse(level);
        if (parsed < 0)
            return error_set(
                err, ERROR_INVALID, "%s is '%s', but it must be trace, debug, info, warn or error",
                globals->log_level ? "--log-level" : "FIRTH_LOG_LEVEL", option_show(level, shown));
        cli->log.level = (enum log_level)parsed;
    }
    return 0;
}

static int check_operands(const struct command *command, int argc, char **argv, struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    int operands = argc - 1;
    if (operands < command->operands_min)
        return error_set(err, ERROR_INVALID, "'firth %s' needs more: firth %s %s", command->name,
                         command->name, command->arguments);
    if (command->operands_max >= 0 && operands > command->operands_max)
        return error_set(err, ERROR_INVALID, "'firth %s' does not take '%s'", command->name,
                         option_show(argv[command->operands_max + 1], shown));
    return 0;
}

/* argv[0] is the command's name. */
static int run_command(struct cli *cli, struct connector_catalog *built_ins, struct global_options *globals,
                       int argc, char **argv)
{
    const struct command *command = cli->command;
    struct error err;
    auto_free void *fields = mem_zalloc(command->options_size ? command->options_size : 1);
    struct image_options images = {0};
    const struct option_group groups[] = {{command->options, fields},
                                          {global_option_specs, globals},
                                          {command->images ? image_option_specs : NULL, &images}};
    if (options_parse(argc, argv, groups, 3, false, &argc, &err) < 0)
        return cli_usage(cli, &err);
    cli->json = globals->output == 1;
    if (apply_globals(cli, globals, &err) < 0)
        return cli_usage(cli, &err);
    built_ins->data_dir = cli->data_dir;
    if (globals->help)
        return help_command(cli, command);
    if (globals->version)
        return help_version(cli);
    if (check_operands(command, argc, argv, &err) < 0)
        return cli_usage(cli, &err);
    cli->options = fields;
    if (!command->stops_itself)
        end_when_told();
    if (!command->images)
        return command->run(cli, argc, argv);
    int code =
        images_open(cli, &images, built_ins, &err) < 0 ? cli_usage(cli, &err) : command->run(cli, argc, argv);
    images_close(cli, built_ins);
    return code;
}

int main(int argc, char **argv)
{
    __attribute__((cleanup(arena_done))) struct arena arena = {0};
    struct connector_catalog built_ins;
    struct global_options globals = {0};
    struct cli cli = {.built_ins = &built_ins};
    struct error err;
    char path[PATH_MAX], name[] = "firth", *empty[] = {name, NULL};

    keep_standard_descriptors();
    keep_memory_private();
    take_signals_in_hand();
    if (argc < 1) {
        argc = 1;
        argv = empty;
    }
    cli.json = asks_for_json(argc, argv);
    cli.program = own_path(argv[0], path);
    built_ins_catalog(cli.program, &arena, &built_ins);

    const struct option_group group = {global_option_specs, &globals};
    int kept = argc;
    if (options_parse(argc, argv, &group, 1, true, &kept, &err) < 0) {
        apply_globals(&cli, &globals, &(struct error){0});
        return cli_usage(&cli, &err);
    }
    if (kept > 1) {
        cli.command = cli_command_find(argv[1]);
        if (cli.command)
            return run_command(&cli, &built_ins, &globals, kept - 1, argv + 1);
    }
    if (apply_globals(&cli, &globals, &err) < 0)
        return cli_usage(&cli, &err);
    if (kept > 1) {
        help_unknown_command(argv[1], &err);
        return cli_usage(&cli, &err);
    }
    if (globals.version)
        return help_version(&cli);
    if (globals.help)
        return help_overview(&cli, STDOUT_FILENO);
    if (cli.json) {
        error_set(&err, ERROR_INVALID, "a command is missing; 'firth --help' lists them");
        return cli_usage(&cli, &err);
    }
    help_overview(&cli, STDERR_FILENO);
    return CLI_USAGE;
}
