/* Which parsers this machine can run. */
#include "json/fast.h"
#include "json/parser.h"

size_t json_variants(struct json_variant variants[static 4])
{
    size_t count = 0;
#ifdef __x86_64__
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
                __builtin_cpu_supports("pclmul");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd") &&
                  __builtin_cpu_supports("avx512vbmi2");
    if (avx512)
        variants[count++] = (struct json_variant){"avx512", json_parse_avx512};
    if (avx2)
        variants[count++] = (struct json_variant){"avx2", json_parse_avx2};
#endif
    variants[count++] = (struct json_variant){"plain", NULL};
    return count;
}
