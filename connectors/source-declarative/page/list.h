/* Private to this folder: what record/ reads whole lists with. */
#ifndef FIRTH_DECLARATIVE_PAGE_LIST_H
#define FIRTH_DECLARATIVE_PAGE_LIST_H

#include "source-declarative/record/extractor.h"

extern const struct list_reading page_lists;

#endif
