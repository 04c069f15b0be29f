/* stream.c: streams above open, read, write and lseek, which are the files of what stands below. Nothing is kept back: each call is done at once. */

#include "libc.h"

#define STREAMS 64

struct libc_stream {
	int fd;
};

static FILE streams[STREAMS] = { { 0 }, { 1 }, { 2 } };
FILE *stdin = &streams[0], *stdout = &streams[1], *stderr = &streams[2];

FILE *fdopen(int fd, const char *mode)
{
	if (fd < 0 || fd >= STREAMS)
		return 0;
	streams[fd].fd = fd;
	return &streams[fd];
}

FILE *fopen(const char *path, const char *mode)
{
	return fdopen(open(path, mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0666), mode);
}

FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	return 0;
}

int fclose(FILE *stream)
{
	return close(stream->fd);
}

int fflush(FILE *stream)
{
	return 0;
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *stream)
{
	if (size * count == 0)
		return 0;
	return write(stream->fd, from, size * count) < 0 ? 0 : count;
}

size_t fread(void *to, size_t size, size_t count, FILE *stream)
{
	ssize_t n = read(stream->fd, to, size * count);
	return n < 0 ? 0 : n / size;
}

int fputc(int c, FILE *stream)
{
	char byte = c;
	return write(stream->fd, &byte, 1) == 1 ? (unsigned char)c : -1;
}

int fputs(const char *s, FILE *stream)
{
	return write(stream->fd, s, strlen(s));
}

int fseek(FILE *stream, long offset, int whence)
{
	return lseek(stream->fd, offset, whence) < 0 ? -1 : 0;
}

long ftell(FILE *stream)
{
	return lseek(stream->fd, 0, SEEK_CUR);
}
