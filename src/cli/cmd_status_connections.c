/* `firth status`: connections of the API, each with its last job. */
#include "cli/cmd_status.h"

#include "cli/columns.h"
#include "control/connections.h"
#include "control/jobs.h"
#include "json/writer.h"

struct status_connection {
    struct control_connection row;
    struct control_job job; /* id 0: there was none */
};

int status_load_connections(struct status *status, const char *data_dir, struct error *err)
{
    const struct control_connection_filter all = {.any_status = true, .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_connection *rows;
    size_t count = 0;
    mem_auto(control_close) struct control *control = control_open(data_dir, CONTROL_LOOK, err);
    if (!control)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    if (control_connections(control, &all, &status->arena, &rows, &count, NULL, err) < 0)
        return -1;
    status->connections = arena_zalloc(&status->arena, (count + 1) * sizeof *status->connections);
    for (size_t i = 0; i < count; i++) {
        struct status_connection *connection = &status->connections[status->connection_count++];
        connection->row = rows[i];
        /* One that is gone by now was none. */
        if (rows[i].job && control_job_get(control, rows[i].job, &status->arena, &connection->job, err) < 0) {
            if (err->code != ERROR_NOT_FOUND)
                return -1;
            connection->job.id = 0;
        }
    }
    return 0;
}

/* "active", "inactive", or why it is not synced though it is active. */
static const char *state_of(const struct control_connection *row)
{
    return row->breaking_change && row->status == CONTROL_ACTIVE
               ? "breaking change"
               : control_connection_status_name(row->status);
}

static const char *schedule_of(const struct control_connection *row, struct arena *arena)
{
    return row->schedule == CONTROL_CRON ? row->cron
           : row->schedule == CONTROL_BASIC
               ? arena_printf(arena, "every %u %s", row->every, control_unit_name(row->unit))
               : "manual";
}

void status_print_connections(struct status *status, const struct cli *cli, struct output *output)
{
    static const char *const headings[] = {"CONNECTION", "STATE",    "SCHEDULE", ">JOB",
                                           "LAST JOB",   ">RECORDS", "LAST END", NULL};
    struct table table;
    char records[32], ended[40];
    if (status->connection_count == 0)
        return;
    table_init(&table, headings);
    for (size_t i = 0; i < status->connection_count; i++) {
        const struct status_connection *connection = &status->connections[i];
        const struct control_job *job = &connection->job;
        table_cell(&table, connection->row.name);
        table_cell(&table, state_of(&connection->row));
        table_cell(&table, schedule_of(&connection->row, &status->arena));
        if (job->id == 0) {
            for (int empty = 0; empty < 4; empty++)
                table_cell(&table, "");
            continue;
        }
        string_human_count((uint64_t)job->stats.records_committed, records, sizeof records);
        status_when(job->ended_ms, ended, sizeof ended);
        table_cellf(&table, "%lld", (long long)job->id);
        table_cellf(&table, "%s %s", control_job_type_name(job->type), control_job_status_name(job->status));
        table_cell(&table, records);
        table_cell(&table, job->ended_ms ? ended : "");
    }
    table_finish(&table, cli->terminal, output);
    output_str(output, "\n");
}

static void json_when(struct json_writer *writer, const char *member, int64_t ms)
{
    char when[32];
    clock_format_rfc3339(ms, when, sizeof when);
    json_member_string(writer, member, ms > 0 ? when : NULL);
}

static void json_job(struct json_writer *writer, const struct control_job *job)
{
    json_put_key(writer, "job");
    if (job->id == 0) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_i64(writer, "id", job->id);
    json_member_string(writer, "type", control_job_type_name(job->type));
    json_member_string(writer, "status", control_job_status_name(job->status));
    json_member_u64(writer, "attempts", job->attempts);
    json_member_i64(writer, "records", job->stats.records_committed);
    json_member_i64(writer, "bytes", job->stats.bytes_committed);
    json_when(writer, "created_at", job->created_ms);
    json_when(writer, "ended_at", job->ended_ms);
    json_end_object(writer);
}

void status_json_connections(struct json_writer *writer, struct status *status)
{
    json_put_key(writer, "connections");
    json_begin_array(writer);
    for (size_t i = 0; i < status->connection_count; i++) {
        const struct control_connection *row = &status->connections[i].row;
        json_begin_object(writer);
        json_member_string(writer, "id", row->id);
        json_member_string(writer, "name", row->name);
        json_member_string(writer, "status", control_connection_status_name(row->status));
        json_member_bool(writer, "breaking_change", row->breaking_change);
        json_member_string(writer, "schedule", schedule_of(row, &status->arena));
        json_job(writer, &status->connections[i].job);
        json_end_object(writer);
    }
    json_end_array(writer);
}
