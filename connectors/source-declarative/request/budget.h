/* HTTPAPIBudget: how many calls may be made when. A pure machine over the clock; who is over the budget
 * waits. */
#ifndef FIRTH_DECLARATIVE_REQUEST_BUDGET_H
#define FIRTH_DECLARATIVE_REQUEST_BUDGET_H

#include "matcher.h"

struct api_budget;
int api_budget_compile(struct engine *engine, struct component component, struct api_budget **ret_budget,
                       struct error *err);
/* Take one call at now_ms. 0: it may be made; else milliseconds to wait before asking again. -1: it weighs
 * more than there ever is. */
int api_budget_take(struct api_budget *budget, const struct matched_call *call, uint64_t now_ms,
                    uint64_t *ret_wait_ms, struct error *err);
/* What the answer's headers and status say of the budget. */
void api_budget_told(struct api_budget *budget, const struct matched_call *call,
                     const struct http_response *response, int64_t wall_ms, uint64_t now_ms);

#endif
