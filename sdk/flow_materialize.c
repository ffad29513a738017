#include "flow.h"

int flow_materialize_answer(struct flow *flow, bool *ret_session, struct firth_error *err)
{
    (void)ret_session;
    return flow_out_of_place(flow, "request", "x", err);
}
