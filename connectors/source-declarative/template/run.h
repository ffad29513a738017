/* One rendering: what it is allowed, where it writes, and how it fails. Functions give 0, or -1 with the
 * run's error set. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_RUN_H
#define FIRTH_DECLARATIVE_TEMPLATE_RUN_H

#include "ast.h"
#include "big.h"
#include "registry.h"

/* A slot that nothing was loaded into, an argument that was not given. */
enum { TVALUE_ABSENT = TVALUE_KIND_MAX };

struct frame {
    struct tvalue *slots;
    struct frame *outer; /* where the function was defined */
};

struct run {
    const struct template *template;
    const struct template_scope *scope;
    struct arena *arena;
    struct error *err;
    enum template_failure failure;
    struct frame *frame;
    struct ttext *out;
    struct tdict *exports; /* names assigned at the top, for blocks; NULL without blocks */
    uint32_t at;           /* offset of the node being evaluated */
    unsigned steps, depth;
    size_t memory;
};

/* What `loop` is inside a loop. */
struct tloop {
    const struct node *node;
    struct frame *outer;
    struct tvalue items; /* a list */
    uint32_t index;      /* from 0 */
    unsigned depth;
    struct tvalue changed; /* what loop.changed() was last given */
};

struct call {
    struct tvalue *positional;
    uint32_t count;
    struct {
        struct slice name;
        struct tvalue value;
    } * keywords;
    uint32_t keyword_count;
};

/* --- failing ------------------------------------------------------------------------------------- */

int run_type_error(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
int run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
int run_limit(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
/* A name for a message: as it is if it stands in the template, else "…": it may be a value then, and secret.
 */
struct slice run_shown(const struct run *run, struct slice name);
/* Something was done with an undefined value. */
int run_undefined(struct run *run, const struct tvalue *undefined) __attribute__((cold));
/* What err of another library function says. */
int run_error(struct run *run, const struct error *err) __attribute__((cold));
/* `what` cannot be done with this value: run_undefined for undefined ones, else a TypeError. */
int run_bad_operand(struct run *run, const struct tvalue *value, const char *what) __attribute__((cold));
#ifdef __clang_analyzer__ /* as in base/error.h */
#define run_type_error(...) (run_type_error(__VA_ARGS__), -1)
#define run_fail(...) (run_fail(__VA_ARGS__), -1)
#define run_limit(...) (run_limit(__VA_ARGS__), -1)
#define run_undefined(...) (run_undefined(__VA_ARGS__), -1)
#define run_error(...) (run_error(__VA_ARGS__), -1)
#define run_bad_operand(...) (run_bad_operand(__VA_ARGS__), -1)
#endif

/* Bytes that are about to be made, beyond a few. */
int run_charge(struct run *run, size_t bytes);
int run_step(struct run *run);
/* A value as large as it is once written, however few lists it is made of: takes that off *left, or fails. */
int run_weigh(struct run *run, const struct tvalue *value, unsigned *left);
/* A key is about to be hashed: -1 if that takes too many steps. */
int run_key(struct run *run, const struct tvalue *key);
int run_push(struct run *run, struct tlist *list, struct tvalue item);
/* A text that was written within the run's limit: -1 if it went past it. */
void run_text_init(struct run *run, struct ttext *text);
int run_text(struct run *run, const struct ttext *text, struct tvalue *ret_value);
int64_t run_now(const struct run *run); /* microseconds since 1970 */

/* --- evaluating (evaluate.c, execute.c, call.c) --------------------------------------------------- */

int run_evaluate(struct run *run, const struct node *node, struct tvalue *ret_value);
int run_execute(struct run *run, const struct node_list *body);
int run_enter(struct run *run, const struct frame_plan *plan);
void run_leave(struct run *run, const struct frame_plan *plan);
struct frame *run_frame(struct run *run, const struct function_plan *function, struct frame *outer);
int run_assign(struct run *run, const struct node *target, const struct tvalue *value);
/* Executes a body and gives what it wrote. */
int run_capture(struct run *run, const struct node_list *body, struct tvalue *ret_text);
int run_call(struct run *run, const struct tvalue *function, const struct call *call,
             struct tvalue *ret_value);
int run_call_node(struct run *run, const struct node *node, const struct tvalue *caller,
                  struct tvalue *ret_value);
int run_arguments(struct run *run, const struct arguments *arguments, struct call *ret_call);
int run_filter(struct run *run, const struct node *node, const struct tvalue *value,
               struct tvalue *ret_value);
int run_block(struct run *run, const struct node *node);
/* `outer` is the frame that the loop stands in; depth counts how often it called itself. */
int run_loop(struct run *run, const struct node *node, const struct tvalue *items, struct frame *outer,
             unsigned depth);
struct tvalue run_macro(struct run *run, const struct node *node);

/* A filter or test called by name, as map and select do. */
int run_filter_named(struct run *run, struct slice name, const struct tvalue *value, const struct call *call,
                     struct tvalue *ret_value);
int run_test_named(struct run *run, struct slice name, const struct tvalue *value, const struct call *call,
                   bool *ret_truth);
int run_test(struct run *run, const struct test *test, const struct tvalue *value, const struct call *call,
             bool *ret_truth);

/* --- values under Python's rules (operate.c, compare.c, attribute.c) ------------------------------ */

int run_operate(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                struct tvalue *ret_value);
int run_operate_time(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                     struct tvalue *ret_value, bool *ret_done);
int run_negate(struct run *run, const struct tvalue *value, bool negative, struct tvalue *ret_value);
int run_equal(struct run *run, const struct tvalue *a, const struct tvalue *b, bool *ret_equal);
int run_compare(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                bool *ret_truth);
/* Python's a < b; TypeErrors included. */
int run_less(struct run *run, const struct tvalue *a, const struct tvalue *b, bool *ret_less);
int run_contains(struct run *run, const struct tvalue *container, const struct tvalue *item, bool *ret_truth);
/* environment.getattr and environment.getitem */
int run_getattr(struct run *run, const struct tvalue *value, struct slice name, struct tvalue *ret_value);
int run_getitem(struct run *run, const struct tvalue *value, const struct tvalue *key,
                struct tvalue *ret_value);
int run_slice(struct run *run, const struct tvalue *value, const struct tvalue bounds[3],
              struct tvalue *ret_value);
/* An attribute and nothing else; false if there is none. */
bool run_attribute(struct run *run, const struct tvalue *value, struct slice name, struct tvalue *ret_value);

struct slice run_str(struct run *run, const struct tvalue *value);
int run_str_value(struct run *run, const struct tvalue *value, struct tvalue *ret_value);
/* Iterate it, or a TypeError. */
int run_iterate(struct run *run, const struct tvalue *value, struct titer *ret_iter);
/* list(value) */
int run_to_list(struct run *run, const struct tvalue *value, struct tvalue *ret_list);
/* sorted(): stable; `keys` are compared, `items` follow. */
int run_sort(struct run *run, struct tvalue *keys, struct tvalue *items, size_t count, bool reverse);
/* An index or count: int or bool; a TypeError for others. What is too large becomes the largest. */
int run_index(struct run *run, const struct tvalue *value, int64_t *ret_index);
/* A str argument, or a TypeError. */
int run_string(struct run *run, const struct tvalue *value, const char *what, struct slice *ret_text);
/* int(), float() of Python, for numbers and texts. */
int run_to_integer(struct run *run, const struct tvalue *value, unsigned base, struct tvalue *ret_value);
int run_to_float(struct run *run, const struct tvalue *value, double *ret_number);
/* Text with HTML's characters escaped, marked safe. */
int run_escape(struct run *run, const struct tvalue *value, struct tvalue *ret_value);

/* --- formats (format.c, format_spec.c) ------------------------------------------------------------ */

/* "%s" % value */
int run_format_percent(struct run *run, const struct tvalue *format, const struct tvalue *value,
                       struct tvalue *ret_value);
/* "{}".format(…) */
int run_format_braces(struct run *run, struct slice format, const struct call *call,
                      struct tvalue *ret_value);
/* format(value, spec) */
int run_format_value(struct run *run, const struct tvalue *value, struct slice spec, struct ttext *out);
/* A float with precision and type letter (e, f, g, %), as Python writes it, without sign. */
void format_float(struct ttext *out, double number, int precision, char type, bool alternate);

/* --- arguments (bind.c) --------------------------------------------------------------------------- */

enum { BIND_MAX = 8 };
/* Arguments by position and name; those that were not given are TVALUE_ABSENT. The first `required` must be.
 */
int run_bind(struct run *run, const char *what, const char *const *names, size_t count, size_t required,
             const struct call *call, struct tvalue *ret_values);

/* --- builtins ------------------------------------------------------------------------------------- */

typedef int run_function(struct run *run, const struct tvalue *self, const struct tvalue *arguments,
                         struct tvalue *ret_value);
typedef int run_function_any(struct run *run, const struct tvalue *self, const struct call *call,
                             struct tvalue *ret_value);

/* A filter, a global function or a method: its parameters, or all arguments as they come. */
struct builtin {
    const char *name;
    run_function *function;
    run_function_any *any; /* instead */
    uint8_t required;
    const char *parameters[BIND_MAX];
};
struct filter {
    struct builtin builtin;
};
struct test {
    const char *name;
    int (*function)(struct run *run, const struct tvalue *value, const struct tvalue *arguments,
                    bool *ret_truth);
    uint8_t required, count; /* arguments besides the value */
};
int run_builtin(struct run *run, const struct builtin *builtin, const struct tvalue *self,
                const struct call *call, struct tvalue *ret_value);

/* A TVALUE_METHOD's pointer; block: self.name of a template's blocks. */
struct bound {
    struct tvalue self;
    const struct builtin *builtin;
    const struct node *block;
};

/* The tables, each ended by a row without name. */
extern const struct filter filters_text[], filters_more_text[], filters_sequence[], filters_number[],
    filters_cdk[], filters_wrap[], filters_pprint[], filters_link[];
extern const struct builtin globals_cdk[], globals_jinja[];
extern const struct builtin methods_string[], methods_more_string[], methods_bytes[], methods_list[],
    methods_tuple[], methods_dict[], methods_set[], methods_datetime[], methods_date[], methods_time[],
    methods_timedelta[], methods_integer[], methods_float[], methods_loop[], methods_cycler[],
    methods_object[];
/* Attributes of dates and durations that are no methods. */
bool datetime_attribute(struct run *run, const struct tvalue *value, struct slice name,
                        struct tvalue *ret_value);
bool loop_attribute(struct run *run, const struct tvalue *value, struct slice name, struct tvalue *ret_value);
int loop_call(struct run *run, const struct tvalue *loop, const struct call *call, struct tvalue *ret_value);
int macro_call(struct run *run, const struct tvalue *macro, const struct call *call,
               struct tvalue *ret_value);
struct tvalue datetime_from(struct run *run, struct datetime datetime);

/* re.search and re.sub (regex.c) */
int run_regex_search(struct run *run, struct slice text, struct slice pattern, struct tvalue *ret_value);
/* The matches, and what is between them: a list of texts, none of them empty. */
int run_regex_chunks(struct run *run, struct slice text, struct slice pattern, struct tvalue *ret_list);
int run_regex_replace(struct run *run, struct slice text, struct slice pattern, struct slice replacement,
                      struct tvalue *ret_value);

static inline struct tvalue absent(void)
{
    return (struct tvalue){.kind = TVALUE_ABSENT};
}
static inline bool is_absent(const struct tvalue *value)
{
    return value->kind == TVALUE_ABSENT;
}
/* Not given, or none. */
static inline bool is_unset(const struct tvalue *value)
{
    return value->kind == TVALUE_ABSENT || value->kind == TVALUE_NONE;
}

#endif
