/* Options that both connectors have. */
#ifndef FIRTH_CONNECTORS_GOOGLE_SHEETS_OPTIONS_H
#define FIRTH_CONNECTORS_GOOGLE_SHEETS_OPTIONS_H

#include "connectors/google-sheets/api.h"

/* Into a struct sheets_config that is the first member of the connector's. */
extern const struct firth_choice
    sheets_oauth_choices[]; /* the destination's spelling: "oauth2.0", "service" */
extern const struct firth_choice sheets_client_choices[]; /* the source's: "Client", "Service" */

#define SHEETS_API_BASE_OPTION                                                                        \
    {                                                                                                 \
        .name = "api_base", .type = FIRTH_STRING, .offset = offsetof(struct sheets_config, api_base), \
        .title = "API Base URL", .example = SHEETS_API_BASE,                                          \
        .help = "Advanced: where the Sheets API is, if not at " SHEETS_API_BASE                       \
                ". Access tokens are then fetched from /token below it."                              \
    }

#endif
