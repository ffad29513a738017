// The measure for src/json: simdjson's DOM parser, reused, on a buffer that already has its padding.
#include <simdjson.h>

extern "C" {
void *peer_new()
{
    return new simdjson::dom::parser;
}
void peer_free(void *parser)
{
    delete static_cast<simdjson::dom::parser *>(parser);
}
int peer_parse(void *parser, const char *source, size_t size)
{
    simdjson::dom::element root;
    return static_cast<simdjson::dom::parser *>(parser)->parse(source, size, false).get(root);
}
const char *peer_name()
{
    return simdjson::get_active_implementation()->name().c_str();
}
size_t peer_padding()
{
    return simdjson::SIMDJSON_PADDING;
}
}
