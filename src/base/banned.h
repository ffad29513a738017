/* C library calls that invite mistakes are errors at compile time: meson.build puts this header before
 * every file (-include). */
#ifndef FIRTH_BASE_BANNED_H
#define FIRTH_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncat sprintf vsprintf gets strtok atoi atol atof gmtime localtime ctime

#endif
