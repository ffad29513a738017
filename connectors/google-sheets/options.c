#include "connectors/google-sheets/options.h"

#define AT(field) .offset = offsetof(struct sheets_config, field)

static const struct firth_option oauth_fields[] = {
    {.name = "client_id",
     .type = FIRTH_SECRET,
     AT(client_id),
     .required = true,
     .title = "Client ID",
     .help = "The client ID of your application at Google."},
    {.name = "client_secret",
     .type = FIRTH_SECRET,
     AT(client_secret),
     .required = true,
     .title = "Client Secret",
     .help = "The client secret of your application at Google."},
    {.name = "refresh_token",
     .type = FIRTH_SECRET,
     AT(refresh_token),
     .required = true,
     .title = "Refresh Token",
     .help = "What Google gave when a person allowed the application to see their spreadsheets."},
    {0},
};

static const struct firth_option service_fields[] = {
    {.name = "service_account_info",
     .type = FIRTH_SECRET,
     AT(service_account_info),
     .required = true,
     .multiline = true,
     .title = "Service Account Information",
     .help = "The content of the service account's key file, JSON. The spreadsheet has to be shared with the "
             "account's address."},
    {0},
};

const struct firth_choice sheets_oauth_choices[] = {
    [SHEETS_AUTH_OAUTH] = {.value = "oauth2.0",
                           .title = "Authenticate via Google (OAuth)",
                           .help = "As a person who has allowed it.",
                           .fields = oauth_fields},
    [SHEETS_AUTH_SERVICE] = {.value = "service",
                             .title = "Service Account Key Authentication",
                             .help = "As a service account.",
                             .fields = service_fields},
    {0},
};

const struct firth_choice sheets_client_choices[] = {
    [SHEETS_AUTH_OAUTH] = {.value = "Client",
                           .title = "Authenticate via Google (OAuth)",
                           .help = "As a person who has allowed it.",
                           .fields = oauth_fields},
    [SHEETS_AUTH_SERVICE] = {.value = "Service",
                             .title = "Service Account Key Authentication",
                             .help = "As a service account.",
                             .fields = service_fields},
    {0},
};
