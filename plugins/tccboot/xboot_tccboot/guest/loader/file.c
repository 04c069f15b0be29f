/* file.c: the loader's files. Those of the kernel tree lie in the newc archive where QEMU put it and are read in place; those that TCC writes grow on
   the heap. Standard output and error are the serial console. A path is taken without leading "./" and "/". */

#include "loader.h"

#define FILES 512
#define OPENS 32

struct file {
	char *name;
	unsigned char *data;
	size_t size, room;
	int readonly;
};

struct opened {
	struct file *file;
	size_t at;
};

static struct file files[FILES];
static int file_count;
static struct opened opened[OPENS];

static const char *plain(const char *path)
{
	for (;;) {
		if (path[0] == '/')
			path++;
		else if (path[0] == '.' && path[1] == '/')
			path += 2;
		else
			return path;
	}
}

static struct file *find(const char *path)
{
	int i;

	path = plain(path);
	for (i = 0; i < file_count; i++)
		if (!strcmp(files[i].name, path))
			return &files[i];
	return 0;
}

static struct file *add(const char *path)
{
	struct file *f;

	if (file_count == FILES)
		libc_die("limit: too many files in the kernel tree", path);
	f = &files[file_count++];
	f->name = strcpy(malloc(strlen(plain(path)) + 1), plain(path));
	return f;
}

static size_t hex8(const unsigned char *s)
{
	size_t value = 0;
	int i, c;

	for (i = 0; i < 8; i++) {
		c = s[i] | 32;
		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else
			libc_die("the kernel tree is not a newc archive", "a number in a header is not hexadecimal");
	}
	return value;
}

/* Registers every regular file of a newc archive. */
void loader_files(const unsigned char *cpio, size_t size)
{
	size_t at = 0, name_size, file_size, mode, body;
	const char *name;
	struct file *f;

	for (;;) {
		if (size - at < 110 || memcmp(cpio + at, "070701", 6))
			libc_die("the kernel tree is not a newc archive", "a header is missing");
		mode = hex8(cpio + at + 14);
		file_size = hex8(cpio + at + 54);
		name_size = hex8(cpio + at + 94);
		name = (const char *)cpio + at + 110;
		if (!name_size || name_size > 4096 || name_size > size - at - 110 || name[name_size - 1])
			libc_die("the kernel tree is not a newc archive", "a name is too long");
		body = (at + 110 + name_size + 3) & ~3u;
		if (!strcmp(name, "TRAILER!!!"))
			return;
		if (body > size || file_size > size - body)
			libc_die("the kernel tree's archive is cut short in", name);
		if ((mode & 0170000) == 0100000) {
			f = add(name);
			f->data = (unsigned char *)cpio + body;
			f->size = file_size;
			f->readonly = 1;
		}
		at = (body + file_size + 3) & ~3u;
		if (at > size)
			libc_die("the kernel tree's archive is cut short in", name);
	}
}

const unsigned char *loader_file(const char *path, size_t *size)
{
	struct file *f = find(path);

	if (!f)
		return 0;
	*size = f->size;
	return f->data;
}

int open(const char *path, int flags, ...)
{
	struct file *f = find(path);
	int fd;

	if (flags & O_CREAT) {
		if (f && f->readonly)
			return -1;
		if (!f)
			f = add(path);
		if (flags & O_TRUNC)
			f->size = 0;
	}
	if (!f)
		return -1;
	for (fd = 3; fd < OPENS; fd++)
		if (!opened[fd].file) {
			opened[fd].file = f;
			opened[fd].at = 0;
			return fd;
		}
	libc_die("limit: too many open files (includes nested too deeply?)", path);
	return -1;
}

static struct opened *handle(int fd)
{
	return fd >= 3 && fd < OPENS && opened[fd].file ? &opened[fd] : 0;
}

int close(int fd)
{
	struct opened *o = handle(fd);

	if (!o)
		return -1;
	o->file = 0;
	return 0;
}

ssize_t read(int fd, void *to, size_t length)
{
	struct opened *o = handle(fd);

	if (!o)
		return -1;
	if (o->at >= o->file->size)
		return 0;
	if (length > o->file->size - o->at)
		length = o->file->size - o->at;
	memcpy(to, o->file->data + o->at, length);
	o->at += length;
	return length;
}

ssize_t write(int fd, const void *from, size_t length)
{
	struct opened *o = handle(fd);
	struct file *f;

	if (fd == 1 || fd == 2) {
		libc_put(from, length);
		return length;
	}
	if (!o || o->file->readonly)
		return -1;
	f = o->file;
	if (o->at + length > f->room) {
		f->room = (o->at + length) * 2;
		f->data = realloc(f->data, f->room);
	}
	if (o->at > f->size)
		memset(f->data + f->size, 0, o->at - f->size);
	memcpy(f->data + o->at, from, length);
	o->at += length;
	if (o->at > f->size)
		f->size = o->at;
	return length;
}

off_t lseek(int fd, off_t offset, int whence)
{
	struct opened *o = handle(fd);

	if (!o)
		return -1;
	if (whence == SEEK_CUR)
		offset += o->at;
	else if (whence == SEEK_END)
		offset += o->file->size;
	if (offset < 0)
		return -1;
	o->at = offset;
	return offset;
}

int unlink(const char *path)
{
	struct file *f = find(path);

	if (!f || f->readonly)
		return -1;
	f->size = 0;
	return 0;
}
