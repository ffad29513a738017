/* Settings of the whole: small named values. Names are the owner's to choose, with its room before a dot
 * ("jobs.attempts_max", "server.password_hash"). A value that is `sealed` is encrypted at rest. */
#ifndef FIRTH_CONTROL_SETTINGS_H
#define FIRTH_CONTROL_SETTINGS_H

#include "control/page.h"

enum { CONTROL_SETTING_MAX = 64 << 10 /* bytes of a value */ };

/* NULL in *ret_value: it is not set. */
int control_setting_get(struct control *control, const char *name, struct arena *arena,
                        const char **ret_value, struct error *err);
/* NULL: it is not set any more. */
int control_setting_set(struct control *control, const char *name, const char *value, bool sealed,
                        struct error *err);

struct control_setting {
    const char *name, *value;
};
/* Those that are not sealed and whose names begin so, by name. */
int control_settings(struct control *control, const char *prefix, struct arena *arena,
                     struct control_setting **ret_items, size_t *ret_count, struct error *err);

#endif
