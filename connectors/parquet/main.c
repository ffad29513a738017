/* firth-parquet read FILE SKIP text|number: the rows of a Parquet file from SKIP on as JSON, one a line, on
 * standard output. Decimals are texts of all their digits, or numbers.
 * firth-parquet write CODEC: rows from standard input as a Parquet file on standard output.
 *
 * A program of its own since DuckDB's library is large; connectors/files starts it. What goes wrong is one
 * line on standard error, and exit status 1. */
#include "connectors/parquet/program.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>

int program_fail(const char *why)
{
    auto_free char *text = mem_strdup(why ? why : "it cannot be read");
    string_one_line(text);
    fprintf(stderr, "%s\n", text);
    return -1;
}

void program_put_name(struct buffer *out, const char *name)
{
    buffer_quoted(out, name, strlen(name), '"');
}

void program_put_text(struct buffer *out, const char *text)
{
    buffer_quoted(out, text, strlen(text), '\'');
}

/* One thread: order is what rows have, and memory what one needs. */
static int open_database(struct program *program)
{
    duckdb_config config = NULL;
    duckdb_result result;
    char *message = NULL;
    if (duckdb_create_config(&config) == DuckDBSuccess) {
        duckdb_set_config(config, "autoinstall_known_extensions", "false");
        duckdb_set_config(config, "autoload_known_extensions", "false");
        duckdb_set_config(config, "threads", "1");
    }
    bool open = duckdb_open_ext(NULL, &program->database, config, &message) == DuckDBSuccess &&
                duckdb_connect(program->database, &program->connection) == DuckDBSuccess;
    duckdb_destroy_config(&config);
    if (!open)
        return program_fail(message);
    duckdb_query(program->connection, "SET TimeZone = 'UTC'", &result);
    duckdb_destroy_result(&result);
    return 0;
}

static int usage(void)
{
    fputs("usage: firth-parquet read FILE SKIP text|number\n       firth-parquet write CODEC\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t skip;
    bool reads = argc == 5 && strcmp(argv[1], "read") == 0 && string_to_u64(argv[3], INT64_MAX, &skip);
    bool writes = argc == 3 && strcmp(argv[1], "write") == 0;
    if (!reads && !writes)
        return usage();
    struct program program = {.decimals_as_numbers = reads && strcmp(argv[4], "number") == 0};
    if (open_database(&program) < 0)
        return 1;
    int outcome = reads ? program_read(&program, argv[2], argv[3]) : program_write(&program, argv[2]);
    duckdb_disconnect(&program.connection);
    duckdb_close(&program.database);
    return outcome < 0;
}
