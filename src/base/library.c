#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

int library_load(const char *const *names, const struct library_function *functions, size_t count,
                 void *ret_table, struct error *err)
{
    void *library = NULL;
    for (size_t i = 0; names[i] && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return error_set(err, ERROR_UNSUPPORTED,
                         "the library %s could not be loaded (%s); install it, and try again", names[0],
                         dlerror());
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return error_set(err, ERROR_UNSUPPORTED, "the library %s has no '%s': it is of another version",
                             names[0], functions[i].name);
        memcpy((char *)ret_table + functions[i].offset, &function, sizeof function);
    }
    return 0;
}
