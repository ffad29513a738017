/* A program without the web UI. */
#include "server/pages.h"

const struct page_file page_files[] = {{0}};
const size_t page_file_count = 0;
