/* A destination that speaks Flow's materialize protocol: each message, the order of a transaction, odd
 * requests, what a class is given. */
#include "harness.h"

#include "base/text.h"

#include <signal.h>

/* --- a destination that tells what it is given --------------------------------------------------------- */

struct test_config {
    const char *act;
};
static const struct firth_option test_options[] = {
    {.name = "act", .type = FIRTH_STRING, .offset = offsetof(struct test_config, act), .preset = "plain"},
    {0},
};

struct test_destination {
    const char *act;
    char asked[8][64]; /* keys */
    size_t asked_of[8], asked_count;
    size_t field_counts[8];
};

static int test_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    (void)host;
    if (strcmp(((const struct test_config *)config)->act, "no") == 0)
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "act is no");
    return 0;
}

static int test_validate(struct firth_host *host, const void *config, struct firth_target *target,
                         struct firth_constraint *constraints, struct firth_error *err)
{
    (void)host, (void)err;
    for (size_t i = 0; i < target->field_count; i++) {
        if (strcmp(target->fields[i].name, "odd") != 0)
            continue;
        constraints[i].type = FIRTH_INCOMPATIBLE;
        snprintf(constraints[i].reason, sizeof constraints[i].reason, "types %u", target->fields[i].types);
    }
    if (strcmp(((const struct test_config *)config)->act, "append") == 0)
        target->sync_mode = FIRTH_APPEND;
    if (strcmp(((const struct test_config *)config)->act, "overwrite") == 0)
        target->sync_mode = FIRTH_OVERWRITE;
    return 0;
}

static int test_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                      size_t count, struct firth_error *err)
{
    (void)config, (void)err;
    for (size_t i = 0; i < count; i++)
        firth_did(host, "%s %s for %s", targets[i].anew ? "replaced" : "kept", targets[i].name,
                  firth_task(host));
    return 0;
}

static int test_open(struct firth_host *host, const void *config, struct firth_target *targets, size_t count,
                     void **ret_self, struct firth_error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++) {
        const struct firth_target *target = &targets[i];
        firth_log(host, FIRTH_INFO, "target %s.%s mode %u live %d resource %.*s key %s",
                  target->name_space ? target->name_space : "", target->name, target->sync_mode, target->live,
                  (int)target->resource.size, target->resource.data, target->primary_key[0]);
        for (size_t k = 0; k < target->field_count; k++) {
            const struct firth_field *field = &target->fields[k];
            firth_log(host, FIRTH_INFO, "field %s at %s types %u format %s key %d document %d always %d %.*s",
                      field->name, field->pointer, field->types, field->format ? field->format : "-",
                      field->is_key, field->is_document, field->always, (int)field->config.size,
                      field->config.data);
        }
    }
    struct test_destination *self = mem_zalloc(sizeof *self);
    self->act = ((const struct test_config *)config)->act;
    for (size_t i = 0; i < count; i++)
        self->field_counts[i] = targets[i].field_count;
    *ret_self = self;
    return 0;
}

static int test_checkpoint(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                           struct firth_error *err)
{
    (void)host, (void)err;
    if (strcmp(((struct test_destination *)self)->act, "kept") == 0)
        *ret_checkpoint = text("{\"sources\":{}}");
    return 0;
}

static int test_load(void *self_, struct firth_host *host, size_t target, const struct firth_record *key,
                     struct firth_error *err)
{
    struct test_destination *self = self_;
    struct firth_slice value = {"", 0}, packed;
    if (firth_record_key(host, key, &packed, err) < 0)
        return -1;
    firth_record_field(host, key, 0, &value);
    firth_log(host, FIRTH_INFO, "load %zu %.*s, packed %zu", target, (int)value.size, value.data,
              packed.size);
    if (strcmp(self->act, "at-once") == 0)
        return firth_emit_loaded(host, target, text("{\"id\":1}"));
    if (strcmp(self->act, "bad-load") == 0)
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "the endpoint is gone");
    self->asked_of[self->asked_count] = target;
    snprintf(self->asked[self->asked_count++], 64, "{\"id\":\n%.*s}", (int)value.size, value.data);
    return 0;
}

static int test_flush(void *self_, struct firth_host *host, struct firth_error *err)
{
    (void)err;
    struct test_destination *self = self_;
    for (size_t i = 0; i < self->asked_count; i++) {
        if (firth_emit_loaded(host, self->asked_of[i], text(self->asked[i])) < 0)
            return -1;
    }
    self->asked_count = 0;
    return 0;
}

static int test_store(void *self_, struct firth_host *host, size_t target, const struct firth_record *record,
                      struct firth_error *err)
{
    (void)err;
    struct test_destination *self = self_;
    char line[256];
    int size = snprintf(line, sizeof line, "store %zu op %d", target, record->operation);
    for (size_t i = 0; i < self->field_counts[target]; i++) {
        struct firth_slice value = {"-", 1};
        int type = firth_record_field(host, record, i, &value);
        size +=
            snprintf(line + size, sizeof line - (size_t)size, " %d:%.*s", type, (int)value.size, value.data);
    }
    struct firth_slice value = {"-", 1};
    int type = firth_record_get(host, record, "/deep/0", &value);
    firth_log(host, FIRTH_INFO, "%s; %d:%.*s; %.*s", line, type, (int)value.size, value.data,
              (int)record->data.size, record->data.data);
    if (strcmp(self->act, "late") == 0)
        firth_emit_loaded(host, target, text("{}"));
    return 0;
}

static int test_commit(void *self, struct firth_host *host, const struct firth_commit *commit,
                       struct firth_error *err)
{
    if (strcmp(((struct test_destination *)self)->act, "bad-commit") == 0)
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "fenced off by another session");
    firth_log(host, FIRTH_INFO, "commit with <%.*s>", (int)commit->checkpoint.size, commit->checkpoint.data);
    return 0;
}

static int test_acknowledged(void *self, struct firth_host *host, struct firth_error *err)
{
    (void)self, (void)err;
    firth_log(host, FIRTH_INFO, "acknowledged");
    return 0;
}

static int test_finish(void *self, struct firth_host *host, size_t stream, bool complete,
                       struct firth_error *err)
{
    (void)self, (void)stream, (void)complete, (void)err;
    firth_log(host, FIRTH_INFO, "finish");
    return 0;
}

static void test_close(void *self)
{
    fprintf(stderr, "closed\n");
    free(self);
}

#define CLASS(...)                                                                              \
    {                                                                                           \
        .name = "destination-test", .title = "Test", .config_size = sizeof(struct test_config), \
        .options = test_options, .destination = {                                               \
            .check = test_check,                                                                \
            .open = test_open,                                                                  \
            .store = test_store,                                                                \
            .commit = test_commit,                                                              \
            .finish = test_finish,                                                              \
            .close = test_close,                                                                \
            __VA_ARGS__                                                                         \
        }                                                                                       \
    }
static const struct firth_connector_class full_class =
    CLASS(.validate = test_validate, .apply = test_apply, .checkpoint = test_checkpoint, .load = test_load,
          .flush = test_flush, .acknowledged = test_acknowledged, .folds_case = true);
static const struct firth_connector_class least_class = CLASS(.sync_modes = FIRTH_APPEND);
static const struct firth_connector_class whole_class = CLASS(.whole_documents = true);

/* --- requests ------------------------------------------------------------------------------------------ */

#define COLLECTION                                                                                          \
    "\"collection\":{\"name\":\"x/y\",\"writeSchema\":{},\"key\":[\"/id\"],\"projections\":["               \
    "{\"field\":\"deep/0\",\"ptr\":\"/deep/0\",\"inference\":{\"types\":[\"string\"],\"exists\":\"MAY\"}}," \
    "{\"field\":\"flow_document\",\"inference\":{\"types\":[\"object\"],\"exists\":\"MUST\"}},"             \
    "{\"field\":\"id\",\"ptr\":\"/"                                                                         \
    "id\",\"isPrimaryKey\":true,\"inference\":{\"types\":[\"integer\"],\"exists\":"                         \
    "\"MUST\"}},"                                                                                           \
    "{\"field\":\"never\",\"ptr\":\"/never\",\"inference\":{\"types\":[\"null\"]}},"                        \
    "{\"field\":\"odd\",\"ptr\":\"/odd\",\"inference\":{\"types\":[\"string\",\"boolean\"]}},"              \
    "{\"field\":\"when\",\"ptr\":\"/"                                                                       \
    "when\",\"inference\":{\"types\":[\"string\",\"null\"],\"string\":{\"format\":"                         \
    "\"date-time\"}}}]}"
#define VALIDATE(config, resource)                                                                      \
    "{\"validate\":{\"name\":\"x/m\",\"config\":" config ",\"bindings\":[{\"resourceConfig\":" resource \
    "," COLLECTION "}]}}\n"
#define BINDING(table, backfill, delta, document)                                                     \
    "{\"resourceConfig\":{\"table\":\"" table "\",\"schema\":\"s\"},\"resourcePath\":[\"s\",\"" table \
    "\"]," COLLECTION ",\"fieldSelection\":{\"keys\":[\"id\"],\"values\":[\"when\"]" document         \
    ",\"fieldConfig\":{\"when\":{\"c\":1}}},\"backfill\":" backfill ",\"deltaUpdates\":" delta "}"
#define DOCUMENT ",\"document\":\"flow_document\""
#define SPEC(config, bindings) "{\"name\":\"x/m\",\"config\":" config ",\"bindings\":[" bindings "]}"
#define OPEN(config, bindings) \
    "{\"open\":{\"materialization\":" SPEC(config, bindings) ",\"version\":\"1\",\"range\":{}}}\n"
#define T1 BINDING("t1", "0", "false", DOCUMENT)
#define D1 BINDING("t1", "0", "true", "")
#define ACK "{\"acknowledge\":{}}\n"
#define FLUSH "{\"flush\":{}}\n"
#define COMMIT "{\"startCommit\":{\"runtimeCheckpoint\":{\"sources\":{\"a\":1}}}}\n"

struct request_case {
    const struct firth_connector_class *class_;
    const char *input;
    int exit;
    const char *pieces[8]; /* of the output, in order */
    const char *said[6];   /* on stderr, in order */
    const char *unsaid;
};

static void run_cases(const struct request_case *cases, size_t count)
{
    for (const struct request_case *one = cases; one < cases + count; one++) {
        struct run run;
        run_start(&run);
        run_class(&run, one->class_, WORDS(NULL), slice_of(one->input));
        if (!WIFEXITED(run.status) || WEXITSTATUS(run.status) != one->exit)
            fail_msg("case %zu ended with %x and said %s", (size_t)(one - cases), run.status,
                     buffer_cstr(&run.err));
        expect_lines(&run, one->pieces);
        const char *at = buffer_cstr(&run.err);
        for (size_t i = 0; i < 6 && one->said[i]; i++) {
            const char *found = strstr(at, one->said[i]);
            if (!found)
                fail_msg("case %zu did not say \"%s\" in its place, but: %s", (size_t)(one - cases),
                         one->said[i], buffer_cstr(&run.err));
            else
                at = found;
        }
        if (one->unsaid && strstr(buffer_cstr(&run.err), one->unsaid))
            fail_msg("case %zu said: %s", (size_t)(one - cases), buffer_cstr(&run.err));
        run_end(&run);
    }
}
#define RUN(cases) run_cases((cases), sizeof(cases) / sizeof *(cases))

#define FIELD(name, type, reason) \
    "{\"field\":\"" name "\",\"constraint\":{\"type\":\"" type "\",\"reason\":\"" reason "\"}}"

static const struct request_case unary_cases[] = {
    {&full_class,
     "{\"spec\":{\"connectorType\":\"LOCAL\",\"config\":{}}}\n",
     0,
     {"{\"spec\":{\"protocol\":3032023,\"configSchema\":{"},
     {NULL},
     NULL},
    {&full_class,
     "{\"spec\":{}}\n",
     0,
     {"\"description\":\"The stream to write.\",\"x-collection-name\":true},"},
     {NULL},
     NULL},
    {&full_class, "{\"spec\":{}}\n", 0, {"\"x-schema-name\":true},\"deltaUpdates\":{"}, {NULL}, NULL},
    /* What is proposed, and what the class makes of it. */
    {&full_class,
     VALIDATE("{}", "{\"table\":\"t\",\"schema\":\"s\"}"),
     0,
     {"{\"validated\":{\"bindings\":[{\"resourcePath\":[\"s\",\"t\"],"
      "\"caseInsensitiveFields\":true,"
      "\"projectionConstraints\":[" FIELD("deep/0", "FIELD_OPTIONAL", "it can be stored") "," FIELD(
          "flow_document", "LOCATION_REQUIRED",
          "the document is kept, to be reduced with what "
          "comes") "," FIELD("id", "LOCATION_REQUIRED",
                             "the collection's key is "
                             "always needed") "," FIELD("nev"
                                                        "er",
                                                        "FIE"
                                                        "LD_"
                                                        "FOR"
                                                        "BID"
                                                        "DE"
                                                        "N",
                                                        "it "
                                                        "is "
                                                        "nev"
                                                        "er "
                                                        "any"
                                                        "thi"
                                                        "ng "
                                                        "but"
                                                        " nu"
                                                        "ll") "," FIELD("odd", "INCOMPATIBLE",
                                                                        "types 18") "," FIELD("when",
                                                                                              "LOCATION_"
                                                                                              "RECOMMENDE"
                                                                                              "D",
                                                                                              "a single "
                                                                                              "scalar of "
                                                                                              "the first "
                                                                                              "level") "]"
                                                                                                       "}"
                                                                                                       "]"
                                                                                                       "}"
                                                                                                       "}"},
     {NULL},
     NULL},
    {&full_class,
     VALIDATE("{\"act\":\"append\"}", "{\"table\":\"t\"}"),
     0,
     {"{\"resourcePath\":[\"t\"],\"deltaUpdates\":true,"},
     {NULL},
     NULL},
    {&full_class,
     VALIDATE("{}", "{\"table\":\"t\",\"delta_updates\":true}"),
     0,
     {"{\"resourcePath\":[\"t\"],\"deltaUpdates\":true,"},
     {NULL},
     NULL},
    {&full_class,
     VALIDATE("{}", "{\"stream\":\"t\",\"deltaUpdates\":true}"),
     0,
     {"\"deltaUpdates\":true,\"caseInsensitiveFields\":true,\"projectionConstraints\":"
      "[" FIELD("deep/0", "FIELD_OPTIONAL",
                "it can be stored") "," FIELD("flow_document", "LOCATION_RECOMMENDED", "the whole document")},
     {NULL},
     NULL},
    {&least_class, VALIDATE("{}", "{\"name\":\"t\"}"), 0, {"\"deltaUpdates\":true"}, {NULL}, NULL},
    {&whole_class,
     VALIDATE("{}", "{\"name\":\"t\"}"),
     0,
     {FIELD("flow_document", "LOCATION_REQUIRED", "documents are stored whole") "," FIELD(
         "id", "LOCATION_REQUIRED",
         "the collection's key is always needed") "," FIELD("never", "FIELD_FORBIDDEN",
                                                            "documents are stored whole, not "
                                                            "by their fields")},
     {NULL},
     NULL},
    {&full_class,
     VALIDATE("{\"act\":\"overwrite\"}", "{\"table\":\"t\"}"),
     1,
     {NULL},
     {"asks for a sync mode of t other than to append"},
     NULL},
    {&full_class, VALIDATE("{\"act\":\"no\"}", "{\"table\":\"t\"}"), 3, {NULL}, {"act is no"}, NULL},
    {&full_class, VALIDATE("{\"act\":7}", "{\"table\":\"t\"}"), 3, {NULL}, {"act must be a string"}, NULL},
    {&full_class, VALIDATE("{}", "{}"), 3, {NULL}, {"the resource must name a stream"}, NULL},
    {&full_class, VALIDATE("{}", "{\"tabel\":\"t\"}"), 3, {NULL}, {"did you mean 'table'?"}, NULL},
    {&full_class,
     "{\"validate\":{\"bindings\":[{\"resourceConfig\":{\"table\":\"t\"}}]}}\n",
     1,
     {NULL},
     {"a binding has no 'collection'"},
     NULL},
    {&full_class,
     "{\"apply\":{\"materialization\":" SPEC(
         "{}", T1 "," BINDING("t2", "3", "false", DOCUMENT)) ",\"version\":\"2\","
                                                             "\"lastMaterialization\":" SPEC(
                                                                 "{}", BINDING("t2", "2", "false",
                                                                               DOCUMENT) "," T1) "}}\n",
     0,
     {"{\"applied\":{\"actionDescription\":\"kept t1 for x/m; replaced t2 for x/m\"}}"},
     {NULL},
     NULL},
    {&least_class,
     "{\"apply\":{\"materialization\":" SPEC("{}", D1) "}}\n",
     0,
     {"{\"applied\":{}}"},
     {NULL},
     NULL},
    {&full_class, "{\"apply\":{}}\n", 1, {NULL}, {"'apply' has no 'materialization'"}, NULL},
    {&full_class, "{\"open\":{}}\n", 1, {NULL}, {"'open' has no 'materialization'"}, NULL},
    {&full_class, ACK, 1, {NULL}, {"'acknowledge' came before 'open'"}, NULL},
    {&full_class, "{\"discover\":{}}\n", 1, {NULL}, {"line 1 of the input: "}, NULL},
};

static void test_unary(void **state)
{
    (void)state;
    RUN(unary_cases);
}

static const struct request_case transactions_cases[] = {
    {&full_class,
     OPEN("{}", T1),
     0,
     {"{\"opened\":{\"runtimeCheckpoint\":{}}}"},
     {"target s.t1 mode 4 live 1 resource {\"table\":\"t1\",\"schema\":\"s\"} key /id",
      "field id at /id types 4 format - key 1 document 0 always 1",
      "field when at /when types 17 format date-time key 0 document 0 always 0 {\"c\":1}",
      "field flow_document at  types 64 format - key 0 document 1 always 1", "closed"},
     "finish"},
    {&full_class,
     OPEN("{\"act\":\"kept\"}", T1),
     0,
     {"{\"opened\":{\"runtimeCheckpoint\":{\"sources\":{}}}}"},
     {NULL},
     NULL},
    {&least_class, OPEN("{}", D1), 0, {"{\"opened\":{}}"}, {"mode 1"}, "finish"},
    {&full_class,
     OPEN("{}", T1 "," D1) ACK
     "{\"load\":{\"key\":[7],\"keyPacked\":\"FQc=\",\"later\":{}}}\n"
     "{\"load\":{\"binding\":0,\"key\":[8]}}\n" FLUSH
     "{\"store\":{\"key\":[7],\"keyPacked\":\"FQc=\",\"values\":[\"2026\\u0041\"],\"doc\":{\"id\":7,"
     "\"deep\":[\"x\"]},\"exists\":true}}\n"
     "{\"store\":{\"key\":[9],\"values\":[null],\"doc\":{\"id\":9.0}}}\n"
     "{\"store\":{\"key\":[8],\"values\":[\"a\"],\"exists\":true,\"delete\":true,\"doc\":{\"id\":8}}}\n"
     "{\"store\":{\"binding\":1,\"key\":[8],\"values\":[\"b\"],\"exists\":true,\"doc\":null}}\n" COMMIT ACK,
     0,
     {"{\"opened\":", "{\"acknowledged\":{}}", "{\"loaded\":{\"doc\":{\"id\": 7}}}",
      "{\"loaded\":{\"doc\":{\"id\": 8}}}", "{\"flushed\":{}}", "{\"startedCommit\":{}}",
      "{\"acknowledged\":{}}"},
     {"acknowledged\n", "load 0 7, packed 2",
      "store 0 op 2 3:7 4:2026A 6:{\"id\":7,\"deep\":[\"x\"]}; 4:x; {\"id\":7",
      "store 0 op 1 3:9 1:null 6:{\"id\":9.0}; 0:-;",
      "store 0 op 3 3:8 4:a 6:", "commit with <{\"sources\":{\"a\":1}}>"},
     "finish"},
    {&full_class,
     OPEN("{\"act\":\"at-once\"}", D1 "," T1) ACK "{\"load\":{\"binding\":1,\"key\":[1]}}\n" FLUSH COMMIT,
     0,
     {"{\"acknowledged\":{}}", "{\"loaded\":{\"binding\":1,\"doc\":{\"id\":1}}}", "{\"flushed\":{}}",
      "{\"startedCommit\":{}}"},
     {NULL},
     NULL},
    /* Without a place for it, the checkpoint is the runtime's business. */
    {&least_class,
     OPEN("{}", D1) ACK FLUSH "{\"store\":{\"key\":[1],\"values\":[2]}}\n{\"startCommit\":{}}\n",
     0,
     {"{\"startedCommit\":{}}"},
     {"store 0 op 1 3:1 3:2; 0:-; ", "commit with <>", "closed"},
     NULL},
    {&full_class, OPEN("{}", T1) ACK, 0, {"{\"acknowledged\":{}}"}, {"closed"}, "error"},
    {&full_class,
     OPEN("{}", T1) ACK "{\"load\":{\"key\":[1]}}\n",
     0,
     {"{\"acknowledged\":{}}"},
     {"closed"},
     "error"},
};

static void test_transactions(void **state)
{
    (void)state;
    RUN(transactions_cases);
}

static const struct request_case wrong_order_cases[] = {
    {&full_class,
     OPEN("{}", T1) FLUSH,
     1,
     {"opened"},
     {"closed", "line 2 of the input: 'flush' came where"},
     NULL},
    {&full_class,
     OPEN("{}", T1) "{\"load\":{\"key\":[1]}}\n",
     1,
     {NULL},
     {"'load' came before 'acknowledge'"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK ACK,
     1,
     {NULL},
     {"'acknowledge' came in the middle of a transaction"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK FLUSH "{\"load\":{\"key\":[1]}}\n",
     1,
     {NULL},
     {"'load' came after 'flush'"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK "{\"store\":{\"key\":[1]}}\n",
     1,
     {NULL},
     {"'store' came before 'flush'"},
     NULL},
    {&full_class, OPEN("{}", T1) ACK COMMIT, 1, {NULL}, {"'startCommit' came before 'flush'"}, NULL},
    {&full_class,
     OPEN("{}", T1) ACK FLUSH,
     1,
     {NULL},
     {"the input ended in the middle of a transaction"},
     NULL},
    {&full_class, OPEN("{}", T1) "{\"spec\":{}}\n", 1, {NULL}, {"'spec' has no place in a session"}, NULL},
    {&full_class, OPEN("{}", T1) "{}\n", 1, {NULL}, {"line 2 of the input is no request"}, NULL},
    {&full_class, OPEN("{}", T1) "7\n", 1, {NULL}, {"line 2 of the input is no request"}, NULL},
    {&full_class, OPEN("{}", T1) "{\n", 1, {NULL}, {"line 2 of the input is no JSON"}, NULL},
    /* Members that are not as they should be. */
    {&full_class,
     OPEN("{}", T1) ACK "{\"load\":{\"keyPacked\":\"FQc=\"}}\n",
     1,
     {NULL},
     {"'key' of 'load' is missing: this connector reads keys as JSON"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK "{\"load\":{\"key\":[1,2]}}\n",
     1,
     {NULL},
     {"'key' of 'load' has not as many"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK "{\"load\":{\"key\":{}}}\n",
     1,
     {NULL},
     {"'key' of 'load' is not as it should be"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK "{\"load\":{\"binding\":1,\"key\":[1]}}\n",
     1,
     {NULL},
     {"'load' of binding 1, of 1"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK "{\"load\":{\"binding\":-1,\"key\":[1]}}\n",
     1,
     {NULL},
     {"'binding' of 'load' is not"},
     NULL},
    {&full_class,
     OPEN("{}", D1) ACK "{\"load\":{\"key\":[1]}}\n",
     1,
     {NULL},
     {"'load' is of a binding of delta updates"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK FLUSH "{\"store\":{\"key\":[1],\"values\":[1]}}\n",
     1,
     {NULL},
     {"'doc' of 'store' is missing"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK FLUSH "{\"store\":{\"key\":[1],\"values\":[],\"doc\":{}}}\n",
     1,
     {NULL},
     {"'values' of 'store' has not as many"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK FLUSH "{\"store\":{\"key\":[1],\"exists\":1,\"doc\":{}}}\n",
     1,
     {NULL},
     {"'exists' of 'store' is not"},
     NULL},
    {&full_class,
     OPEN("{}", T1) ACK FLUSH "{\"startCommit\":{}}\n",
     1,
     {NULL},
     {"'runtimeCheckpoint' of 'startCommit' must be an object"},
     NULL},
    {&least_class, OPEN("{}", T1), 3, {NULL}, {"destination-test only takes delta updates"}, "closed"},
    {&full_class,
     OPEN("{}", "{\"resourceConfig\":{\"table\":\"t\"}," COLLECTION "}"),
     1,
     {NULL},
     {"a binding has no 'fieldSelection'"},
     NULL},
    {&full_class,
     OPEN("{}",
          "{\"resourceConfig\":{\"table\":\"t\"}," COLLECTION ",\"fieldSelection\":{\"keys\":[\"no\"]}}"),
     1,
     {NULL},
     {"the field 'no' is selected"},
     NULL},
    /* What fails at the endpoint. */
    {&full_class,
     OPEN("{\"act\":\"bad-load\"}", T1) ACK "{\"load\":{\"key\":[1]}}\n",
     1,
     {NULL},
     {"closed", "the endpoint is gone"},
     NULL},
    {&full_class,
     OPEN("{\"act\":\"bad-commit\"}", T1) ACK FLUSH COMMIT,
     1,
     {"{\"flushed\":{}}"},
     {"closed", "fenced off by another session"},
     NULL},
    {&full_class,
     OPEN("{\"act\":\"late\"}", T1) ACK FLUSH "{\"store\":{\"key\":[1],\"values\":[1],\"doc\":{}}}\n" COMMIT,
     1,
     {NULL},
     {"gave a loaded document outside of load and flush"},
     "commit with"},
};

static void test_wrong_order(void **state)
{
    (void)state;
    RUN(wrong_order_cases);
}

/* The same class under Airbyte: fields of the schema's first level, apply before open, finish at the end. */
static void test_airbyte(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    auto_free char *config = put_file(&run, "config", "{}");
    auto_free char *catalog = put_file(
        &run, "catalog",
        "{\"streams\":[{\"stream\":{\"name\":\"t\",\"json_schema\":{\"required\":[\"id\"],\"properties\":{"
        "\"id\":{\"type\":\"integer\"},\"a/"
        "b\":{\"type\":[\"null\",\"string\"],\"format\":\"date\"},\"any\":{}}}},"
        "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append_dedup\",\"primary_key\":[[\"id\"]]}"
        "]}");
    run_class(&run, &full_class, WORDS("write", "--config", config, "--catalog", catalog),
              slice_of("{\"type\":\"RECORD\",\"record\":{\"stream\":\"t\",\"data\":{\"id\":1,\"a/b\":\"x\"},"
                       "\"emitted_at\":1}}\n"));
    expect_exit(&run, 0);
    static const char *const wanted[] = {
        "kept t for \"",
        "target .t mode 4 live 0 resource  key /id",
        "field id at /id types 4 format - key 1 document 0 always 1",
        "field a/b at /a~1b types 17 format date key 0 document 0 always 0",
        "field any at /any types 127",
        "store 0 op 0 3:1 4:x 0:-; 0:-; {",
        "commit with <>",
        "finish",
        NULL,
    };
    expect_lines(&run, wanted);
    run_end(&run);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unary),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_wrong_order),
        cmocka_unit_test(test_airbyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
