#include "connector/image.h"

/* The first component names a registry if it could be a host: it has a dot or a port, or is localhost. */
static bool is_registry(struct slice component)
{
    return memchr(component.data, '.', component.size) || memchr(component.data, ':', component.size) ||
           slice_is(component, "localhost");
}

struct slice connector_image_repository(const char *image)
{
    struct slice name = slice_of(image);
    const char *digest = memchr(name.data, '@', name.size);
    if (digest)
        name.size = (size_t)(digest - name.data);
    const char *slash = memchr(name.data, '/', name.size);
    if (slash && is_registry((struct slice){name.data, (size_t)(slash - name.data)})) {
        name.size -= (size_t)(slash + 1 - name.data);
        name.data = slash + 1;
    }
    const char *last = memrchr(name.data, '/', name.size);
    const char *base = last ? last + 1 : name.data;
    const char *tag = memchr(base, ':', (size_t)(name.data + name.size - base));
    if (tag)
        name.size = (size_t)(tag - name.data);
    return name;
}

bool connector_image_is_name(const char *image)
{
    return image[strcspn(image, "/:@")] == '\0';
}
