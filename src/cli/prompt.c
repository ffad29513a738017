#include "cli/prompt.h"

#include "base/file.h"
#include "cli/columns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

void prompt_init(struct prompt *prompt, bool color)
{
    *prompt = (struct prompt){.color = color};
    buffer_init(&prompt->input, PROMPT_LINE_MAX);
}

void prompt_done(struct prompt *prompt)
{
    if (prompt->input.data)
        explicit_bzero(prompt->input.data, prompt->input.capacity);
    buffer_done(&prompt->input);
}

/* --- saying ---------------------------------------------------------------------------------------- */

/* A terminal that went away is noticed at the next question. */
static void put(const char *text, size_t size)
{
    struct error unused;
    (void)file_write_all(STDERR_FILENO, text, size, "the terminal", &unused);
}

void prompt_print(struct prompt *prompt, const char *format, ...)
{
    char *text;
    va_list args;
    (void)prompt;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0)
        abort();
    put(text, (size_t)size);
    free(text);
}

static void put_line(const char *text, size_t size, size_t indent)
{
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_printf(&line, "%*s", (int)indent, "");
    text_append_printable(&line, text, size);
    buffer_byte(&line, '\n');
    put(line.data, line.size);
    buffer_done(&line);
}

void prompt_paragraph(struct prompt *prompt, const char *text, size_t indent)
{
    size_t size = strlen(text);
    (void)prompt;
    while (size) {
        while (size && (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t'))
            text++, size--;
        const char *end = memchr(text, '\n', size);
        size_t part = end ? (size_t)(end - text) : size;
        size_t fits = text_cut_columns(text, part, PROMPT_WIDTH - indent);
        if (fits < part) {
            size_t cut = fits;
            while (cut && text[cut] != ' ')
                cut--;
            part = cut ? cut : fits ? fits : 1;
        }
        if (part)
            put_line(text, part, indent);
        text += part;
        size -= part;
    }
}

void prompt_title(struct prompt *prompt, const char *text, size_t indent)
{
    struct buffer line;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_printf(&line, "%*s%s", (int)indent, "", prompt->color ? "\033[1m" : "");
    text_append_printable(&line, text, strlen(text));
    buffer_str(&line, prompt->color ? "\033[0m\n" : "\n");
    put(line.data, line.size);
    buffer_done(&line);
}

static void put_label(const char *label)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    text_append_printable(&text, label, strlen(label));
    buffer_byte(&text, ' ');
    put(text.data, text.size);
    buffer_done(&text);
}

/* --- lines ----------------------------------------------------------------------------------------- */

static bool take_line(struct prompt *prompt, struct buffer *ret_line)
{
    const char *end = prompt->input.size ? memchr(prompt->input.data, '\n', prompt->input.size) : NULL;
    if (!end && !prompt->ended)
        return false;
    size_t size = end ? (size_t)(end - prompt->input.data) : prompt->input.size;
    buffer_append(ret_line, prompt->input.data, size);
    buffer_consume(&prompt->input, size + (end != NULL));
    return true;
}

/* `signals` is a signalfd or -1. 1: a line; 0: a signal came; -1: the input ended. */
static int read_line(struct prompt *prompt, int signals, struct buffer *ret_line, struct error *err)
{
    buffer_clear(ret_line);
    while (!take_line(prompt, ret_line)) {
        char bytes[4096];
        struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            return 0;
        ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (size <= 0)
            prompt->ended = true;
        else
            buffer_append(&prompt->input, bytes, (size_t)size);
        explicit_bzero(bytes, sizeof bytes);
        if (prompt->input.overflowed)
            return error_set(err, ERROR_LIMIT, "a line of more than %d bytes was given", PROMPT_LINE_MAX);
        if (prompt->ended && prompt->input.size == 0) {
            put("\n", 1);
            return error_set(err, ERROR_CANCELLED, "the input ended; nothing was written");
        }
    }
    return 1;
}

static void trim(struct buffer *line)
{
    size_t begin = 0;
    while (line->size && strchr(" \t\r", line->data[line->size - 1]))
        line->size--;
    while (begin < line->size && strchr(" \t", line->data[begin]))
        begin++;
    buffer_consume(line, begin);
}

int prompt_line(struct prompt *prompt, const char *label, struct buffer *ret_line, struct error *err)
{
    put_label(label);
    if (read_line(prompt, -1, ret_line, err) < 0)
        return -1;
    trim(ret_line);
    return 0;
}

/* Every signal that ends a process by the terminal or by its user: put the terminal right first. */
static void end_by(int signals, const struct termios *before, const sigset_t *mask)
{
    struct signalfd_siginfo info;
    ssize_t size = read(signals, &info, sizeof info);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
    put("\n", 1);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (size == sizeof info)
        raise((int)info.ssi_signo);
}

int prompt_secret(struct prompt *prompt, const char *label, struct buffer *ret_line, struct error *err)
{
    struct termios before, hidden;
    sigset_t ending, mask;
    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return error_errno(err, errno, "cannot hide what is typed");
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGQUIT);
    sigprocmask(SIG_BLOCK, &ending, &mask);
    auto_close int signals = signalfd(-1, &ending, SFD_CLOEXEC);
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    hidden.c_lflag |= ECHONL;
    hidden.c_cc[VSUSP] = _POSIX_VDISABLE; /* a shell would be left without echo */
    int result = -1;
    if (signals < 0 || tcsetattr(STDIN_FILENO, TCSANOW, &hidden) < 0) {
        error_errno(err, errno, "cannot hide what is typed");
    } else {
        put_label(label); /* now: whoever answers at once must not be shown either */
        while ((result = read_line(prompt, signals, ret_line, err)) == 0) {
            end_by(signals, &before, &mask); /* comes back if the signal is ignored: go on as before */
            sigprocmask(SIG_BLOCK, &ending, NULL);
            tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
        }
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (result > 0 && ret_line->size && ret_line->data[ret_line->size - 1] == '\r')
        ret_line->size--;
    return result < 0 ? -1 : 0;
}

/* --- choices --------------------------------------------------------------------------------------- */

int prompt_yes(struct prompt *prompt, const char *question, bool otherwise, struct error *err)
{
    struct buffer line;
    int answer = -2;
    auto_free char *label = mem_printf("%s [%s]", question, otherwise ? "Y/n" : "y/N");
    buffer_init(&line, PROMPT_LINE_MAX);
    while (answer == -2) {
        if (prompt_line(prompt, label, &line, err) < 0)
            answer = -1;
        else if (line.size == 0)
            answer = otherwise;
        else if (strcasecmp(buffer_cstr(&line), "y") == 0 || strcasecmp(buffer_cstr(&line), "yes") == 0)
            answer = 1;
        else if (strcasecmp(buffer_cstr(&line), "n") == 0 || strcasecmp(buffer_cstr(&line), "no") == 0)
            answer = 0;
        else
            prompt_print(prompt, "  answer y or n\n");
    }
    buffer_done(&line);
    return answer;
}

static bool find_choice(const char *const *choices, size_t count, const char *text, size_t *ret_choice)
{
    uint64_t number;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(choices[i], text) == 0) {
            *ret_choice = i;
            return true;
        }
    }
    if (string_to_u64(text, count, &number) && number > 0) {
        *ret_choice = number - 1;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strncasecmp(choices[i], text, strlen(text)) == 0) {
            *ret_choice = i;
            found++;
        }
    }
    return found == 1;
}

int prompt_choose(struct prompt *prompt, const char *const *choices, size_t count, size_t otherwise,
                  size_t *ret_choice, struct error *err)
{
    struct buffer line;
    int result = 0;
    bool chosen = false;
    for (size_t i = 0; i < count; i++) {
        auto_free char *text = mem_printf("%zu) %s", i + 1, choices[i]);
        put_line(text, strlen(text), 4);
    }
    auto_free char *label = otherwise == PROMPT_NONE ? mem_printf("  1-%zu:", count)
                                                     : mem_printf("  1-%zu [%zu]:", count, otherwise + 1);
    buffer_init(&line, PROMPT_LINE_MAX);
    while (!chosen && result == 0) {
        result = prompt_line(prompt, label, &line, err);
        if (result < 0)
            break;
        if (line.size == 0 && otherwise != PROMPT_NONE) {
            *ret_choice = otherwise;
            chosen = true;
        } else if (line.size && find_choice(choices, count, buffer_cstr(&line), ret_choice)) {
            chosen = true;
        } else {
            prompt_print(prompt, "  choose a number from 1 to %zu\n", count);
        }
    }
    buffer_done(&line);
    return result;
}

/* --- the spinner ----------------------------------------------------------------------------------- */

enum { SPINNER_MS = 120 };

struct spinner {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stop, moves;
    char *what;
};

static void *spin(void *context)
{
    static const char signs[] = "|/-\\";
    struct spinner *spinner = context;
    pthread_mutex_lock(&spinner->mutex);
    for (size_t i = 0; !spinner->stop; i++) {
        auto_free char *text = mem_printf("\r%c %s", signs[i % 4], spinner->what);
        struct timespec until;
        put(text, strlen(text));
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += SPINNER_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&spinner->changed, &spinner->mutex, &until);
    }
    pthread_mutex_unlock(&spinner->mutex);
    return NULL;
}

struct spinner *spinner_start(const char *what, bool color)
{
    struct spinner *spinner = mem_zalloc(sizeof *spinner);
    struct buffer text;
    sigset_t all, before;
    buffer_init(&text, BUFFER_UNLIMITED);
    text_append_printable(&text, what, strlen(what));
    spinner->what = buffer_steal(&text);
    pthread_mutex_init(&spinner->mutex, NULL);
    pthread_cond_init(&spinner->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    spinner->moves = color && pthread_create(&spinner->thread, NULL, spin, spinner) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!spinner->moves) {
        put("  ", 2);
        put(spinner->what, strlen(spinner->what));
    }
    return spinner;
}

void spinner_stop(struct spinner *spinner, bool well)
{
    pthread_mutex_lock(&spinner->mutex);
    spinner->stop = true;
    pthread_cond_signal(&spinner->changed);
    pthread_mutex_unlock(&spinner->mutex);
    if (spinner->moves) {
        pthread_join(spinner->thread, NULL);
        auto_free char *text = mem_printf("\r%c %s", well ? ' ' : '!', spinner->what);
        put(text, strlen(text));
    }
    const char *end = well ? " done\n" : " failed\n";
    put(end, strlen(end));
    pthread_cond_destroy(&spinner->changed);
    pthread_mutex_destroy(&spinner->mutex);
    free(spinner->what);
    free(spinner);
}
