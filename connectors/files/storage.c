#include "storage.h"

#include <stdlib.h>

void files_object_copy(struct files_object *to, const struct files_object *from)
{
    *to = *from;
    to->name = mem_strdup(from->name);
    to->etag = from->etag ? mem_strdup(from->etag) : NULL;
}

void files_object_done(struct files_object *object)
{
    free(object->name);
    free(object->etag);
    *object = (struct files_object){0};
}
