/* destination-files: files of JSON lines, CSV or Parquet in a folder of this machine. */
#include "bridge.h"
#include "connectors/destination-local-json/path.h"
#include "connectors/files/destination.h"
#include "registry.h"

#include <stdlib.h>

struct config {
    struct files_output_options output; /* first: files_output_formats */
    const char *destination_path, *template;
};

static const struct firth_option options[] = {
    {.name = "destination_path",
     .type = FIRTH_STRING,
     .offset = offsetof(struct config, destination_path),
     .required = true,
     .title = "Destination Path",
     .example = "/local/files",
     .pattern = LOCAL_JSON_PATH_PATTERN,
     .pattern_help = LOCAL_JSON_PATH_HELP,
     .help = "The folder. It lies under /local, which is /tmp/airbyte_local on this machine (the environment "
             "variable "
             "FIRTH_LOCAL_ROOT names another)."},
    {.name = "path_template",
     .type = FIRTH_STRING,
     .offset = offsetof(struct config, template),
     .preset = "{namespace}/{stream}/",
     .example = "{stream}/year={year}/month={month}/",
     .title = "Path Template",
     .help = "What files' names begin with, below the folder: {stream} (which it must have), {namespace}, "
             "{date}, {year}, "
             "{month}, {day}, {hour}, {minute}, {second}, {epoch}, {generation}, {part_number}, {sync_id}, "
             "{uuid}. What "
             "follows is the connector's."},
    {.name = "format",
     .type = FIRTH_CHOICE,
     .offset = offsetof(struct config, output.format),
     .tag = "format_type",
     .choices = files_output_formats,
     .title = "Output Format",
     .help = "Not given: JSON lines, compressed with gzip."},
    FILES_PACE_OPTIONS,
    {0},
};

static int output_of(struct firth_host *host, const void *config_, struct files_output *ret_output,
                     struct firth_error *err)
{
    const struct config *config = config_;
    struct error library_err;
    (void)host;
    auto_free char *folder =
        local_json_folder(config->destination_path, getenv("FIRTH_LOCAL_ROOT"), &library_err);
    *ret_output = (struct files_output){.place = config->destination_path, .template = config->template};
    if (!folder || files_output_take(&config->output, ret_output, &library_err) < 0 ||
        !(ret_output->target = files_folder_open(folder, &library_err)))
        return sdk_error(err, &library_err);
    return 0;
}

static const struct files_destination family = {.output = output_of};

const struct firth_connector_class destination_files = {
    .name = "destination-files",
    .version = FIRTH_VERSION,
    .title = "Files",
    .summary = "files of JSON lines, CSV or Parquet in a folder",
    .config_size = sizeof(struct config),
    .options = options,
    .family = &family,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE,
                    .whole_documents = true,
                    .pace = files_destination_pace,
                    .check = files_destination_check,
                    .apply = files_destination_apply,
                    .open = files_destination_open,
                    .checkpoint = files_destination_checkpoint,
                    .store = files_destination_store,
                    .commit = files_destination_commit,
                    .finish = files_destination_finish,
                    .close = files_destination_close},
};
