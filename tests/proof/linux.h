/* linux.h: what the model of Linux and a harness tell each other. */
#include "xboot.h"

#include "__fc_builtin.h"

#define ENDLESS ~0ul
extern unsigned long left_to_read, left_to_list; /* bytes of files, and of listings of folders, that are left; or ENDLESS */
extern unsigned long stated_size;                /* what statx says of a file's size; ENDLESS: anything */
extern const char *said, *said_last;             /* what is read byte by byte begins and ends so, with `left_to_read` in between */
long map(unsigned long size);                    /* memory of the harness: an error, or its address */
void unmap(void *memory);
