/* Ids: UUIDs of version 4 (random) and 8 (a hash of a name; RFC 9562), in lower case. */
#include "control/page.h"

#include "base/clock.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

void control_uuid_new(char ret_uuid[CONTROL_UUID_SIZE])
{
    random_uuid(ret_uuid);
}

void control_uuid_of(const char *name, char ret_uuid[CONTROL_UUID_SIZE])
{
    static const char context[] = "firth: an id by name";
    unsigned char hash[16];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)name, strlen(name),
                       (const unsigned char *)context, sizeof context - 1);
    hash[6] = (hash[6] & 0x0f) | 0x80;
    hash[8] = (hash[8] & 0x3f) | 0x80;
    int at = 0;
    for (size_t i = 0; i < sizeof hash; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        at += snprintf(ret_uuid + at, CONTROL_UUID_SIZE - (size_t)at, "%s%02x", dash ? "-" : "", hash[i]);
    }
}

bool control_uuid_parse(struct slice text, char ret_uuid[CONTROL_UUID_SIZE])
{
    char lower[CONTROL_UUID_SIZE] = {0};
    if (text.size != CONTROL_UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? byte != '-' : !isxdigit(byte))
            return false;
        lower[i] = (char)tolower(byte);
    }
    memcpy(ret_uuid, lower, sizeof lower);
    return true;
}
