#include "task/push_figures.h"

#include "json/writer.h"

const char *push_figure_name(enum push_figure figure)
{
    static const char *const names[PUSH_FIGURES] = {[PUSH_DURABLE] = "durable",
                                                    [PUSH_DUPLICATE] = "duplicate",
                                                    [PUSH_REFUSED] = "refused",
                                                    [PUSH_FULL] = "full",
                                                    [PUSH_STOPPED] = "stopped",
                                                    [PUSH_WAITING] = "waiting",
                                                    [PUSH_WAITING_BYTES] = "waiting bytes",
                                                    [PUSH_HTTP] = "http",
                                                    [PUSH_WEBSOCKETS] = "websocket",
                                                    [PUSH_KAFKA] = "kafka"};
    return names[figure];
}

void push_figures_write(struct buffer *out, const struct push_figures *figures)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, "figures");
    json_begin_object(&writer);
    for (enum push_figure figure = 0; figure < PUSH_FIGURES; figure++)
        json_member_u64(&writer, push_figure_name(figure), figures->values[figure]);
    json_end_object(&writer);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}

bool push_figures_read(const struct json *line, struct push_figures *ret_figures)
{
    uint32_t object = json_get(line, 0, "figures");
    if (!json_is(line, object, JSON_OBJECT))
        return false;
    *ret_figures = (struct push_figures){0};
    for (enum push_figure figure = 0; figure < PUSH_FIGURES; figure++)
        json_to_u64(line, json_get(line, object, push_figure_name(figure)), &ret_figures->values[figure]);
    return true;
}
