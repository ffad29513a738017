#include "cli/built_ins.h"

#include "cli/manifest_reader.h"
#include "connectors/registry.h"
#include "supervisor/definitions.h"

void built_ins_catalog(const char *program, struct arena *arena, struct connector_catalog *ret_catalog)
{
    static const char *const no_images[] = {NULL};
    size_t count = 0;
    while (connectors_registry[count])
        count++;
    struct connector_built_in *items = arena_zalloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const struct firth_connector_class *class_ = connectors_registry[i];
        items[i] = (struct connector_built_in){
            .name = class_->name,
            .image_names = class_->image_names ? class_->image_names : no_images,
            .title = class_->title,
            .summary = class_->summary,
            .two_spellings = class_->flow_options || (class_->own && class_->own->two_spellings),
            .finds_streams = class_->source.find != NULL,
        };
    }
    *ret_catalog = (struct connector_catalog){.items = items,
                                              .count = count,
                                              .read_manifest = manifest_read,
                                              .find_added = definitions_find_added,
                                              .program = program};
}
