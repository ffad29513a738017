/* `firth password`: the password of the API's user. */
#include "cli/deployed.h"
#include "cli/output.h"
#include "server/auth.h"
#include "store/store.h"
#include "web/http.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

struct password_options {
    bool reset;
};

/* One line of standard input, not echoed at a terminal. */
static int read_password(char text[AUTH_PASSWORD_MAX + 2], struct error *err)
{
    struct termios before, silent;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        fputs("New password: ", stderr);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    char *line = fgets(text, AUTH_PASSWORD_MAX + 2, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputs("\n", stderr);
    }
    if (!line)
        return error_set(err, ERROR_INVALID, "no password came on standard input");
    text[strcspn(text, "\r\n")] = 0;
    return 0;
}

/* A running daemon listens where other machines reach it: its address, of "http://0.0.0.0:8000". */
static bool others_reach(const struct deployed *deployed)
{
    const char *address = deployed->url ? strstr(deployed->url, "://") : NULL;
    struct error err;
    bool local;
    return address && http_listen_is_local(address + 3, &local, &err) == 0 && !local;
}

/* What the password is now, and whom that shuts out. */
static void tell_reset(const char *data_dir)
{
    struct deployed deployed;
    struct error err;
    fputs("the password is the well-known one, '" AUTH_PASSWORD_DEFAULT
          "', again: only this machine's programs are answered\n",
          stderr);
    if (deployed_load(data_dir, &deployed, &err) == 0 && others_reach(&deployed))
        fprintf(
            stderr,
            "warning: the daemon listens at %s, where other machines reach it: it refuses them (403) until "
            "'firth password' sets a password, and does not start there again before\n",
            deployed.url);
    deployed_done(&deployed);
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct password_options *options = cli->options;
    char text[AUTH_PASSWORD_MAX + 2] = "";
    struct error err;
    if (!options->reset && read_password(text, &err) < 0)
        return cli_usage(cli, &err);
    /* Before there is a data directory: one that is refused makes none. */
    if (!options->reset && auth_check_password(text, &err) < 0) {
        explicit_bzero(text, sizeof text);
        return cli_fail(cli, &err);
    }
    auto_free char *data_dir = file_absolute(cli->data_dir);
    mem_auto(store_close) struct store *store = store_open(data_dir, NULL, &err);
    if (!store)
        return cli_fail(cli, &err);
    mem_auto(control_close) struct control *control = control_open(data_dir, CONTROL_CHANGE, &err);
    int result = control ? auth_set_password(control, options->reset ? NULL : text, &err) : -1;
    explicit_bzero(text, sizeof text);
    if (result < 0)
        return cli_fail(cli, &err);
    if (options->reset)
        tell_reset(data_dir);
    return CLI_OK;
}

static const struct option_spec options[] = {
    {.name = "reset",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct password_options, reset),
     .help = "the well-known one again, with which only this machine's programs are answered"},
    {0},
};

const struct command cli_password = {
    .name = "password",
    .arguments = "",
    .summary = "set the password of the API's user, airbyte",
    .help =
        "Reads the password, one line, from standard input. Only its hash is kept. Until one is set, the\n"
        "password is 'password', and 'firth serve' refuses to listen where other machines reach it.\n"
        "\n"
        "  firth password < password.txt\n",
    .options = options,
    .options_size = sizeof(struct password_options),
    .run = run,
};
