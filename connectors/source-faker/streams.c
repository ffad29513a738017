#include "streams.h"

#define TEXT "{\"type\":[\"string\",\"null\"]}"
#define WHOLE "{\"type\":\"integer\"}"
#define TIME \
    "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\",\"airbyte_type\":\"timestamp_with_timezone\"}"
#define FIELD(name, type) "\"" name "\":" type
#define OBJECT(properties)                            \
    "{\"$schema\":\"http://json-schema.org/draft-07/" \
    "schema#\",\"type\":\"object\",\"properties\":{" properties "},\"additionalProperties\":true}"
#define ADDRESS                                                                                              \
    "{\"type\":[\"object\",\"null\"],\"properties\":{" FIELD("street_number", TEXT) "," FIELD(               \
        "street_name",                                                                                       \
        TEXT) "," FIELD("city",                                                                              \
                        TEXT) "," FIELD("state",                                                             \
                                        TEXT) "," FIELD("province",                                          \
                                                        TEXT) "," FIELD("postal_code",                       \
                                                                        TEXT) "," FIELD("country_code",      \
                                                                                        TEXT) "},"           \
                                                                                              "\"additional" \
                                                                                              "Properties\"" \
                                                                                              ":true}"

/* clang-format off */
static const char products_schema[] = OBJECT(
    FIELD("id", WHOLE) "," FIELD("make", TEXT) "," FIELD("model", TEXT) "," FIELD("year", WHOLE) ","
    FIELD("price", "{\"type\":\"number\"}") "," FIELD("created_at", TIME) "," FIELD("updated_at", TIME));

static const char users_schema[] = OBJECT(
    FIELD("id", WHOLE) "," FIELD("created_at", TIME) "," FIELD("updated_at", TIME) "," FIELD("name", TEXT) ","
    FIELD("title", TEXT) "," FIELD("age", WHOLE) "," FIELD("email", TEXT) "," FIELD("telephone", TEXT) ","
    FIELD("gender", TEXT) "," FIELD("language", TEXT) "," FIELD("academic_degree", TEXT) ","
    FIELD("nationality", TEXT) "," FIELD("occupation", TEXT) "," FIELD("height", TEXT) ","
    FIELD("blood_type", TEXT) "," FIELD("weight", WHOLE) "," FIELD("address", ADDRESS));

static const char purchases_schema[] = OBJECT(
    FIELD("id", WHOLE) "," FIELD("user_id", WHOLE) "," FIELD("product_id", WHOLE) ","
    FIELD("created_at", TIME) "," FIELD("updated_at", TIME) "," FIELD("added_to_cart_at", TIME) ","
    FIELD("purchased_at", TIME) "," FIELD("returned_at", TIME));
/* clang-format on */

static const char *const by_id[] = {"/id", NULL};

#define STREAM(stream_name, schema)                                                                       \
    {                                                                                                     \
        .name = stream_name, .json_schema = schema, .sync_modes = FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL, \
        .cursor = "/updated_at", .primary_key = by_id                                                     \
    }

const struct faker_stream_info faker_streams[FAKER_STREAM_COUNT] = {
    [FAKER_STREAM_PRODUCTS] = {STREAM("products", products_schema), 180},
    [FAKER_STREAM_USERS] = {STREAM("users", users_schema), 450},
    [FAKER_STREAM_PURCHASES] = {STREAM("purchases", purchases_schema), 230},
};
