/* loader.h: what the loader has beside C's library. */

#ifndef LOADER_H
#define LOADER_H

#include "libc.h"

/* file.c: files in memory: those of the kernel tree (read only, in place), and those that TCC writes */
void loader_files(const unsigned char *cpio, size_t size);
const unsigned char *loader_file(const char *path, size_t *size);

/* sha256.c */
void sha256(const void *data, size_t length, unsigned char digest[32]);

#endif
