/* newc.c: writes a newc archive as xboot's own host does (core/xboot/package/cpio.py): owner 0, time 1, inodes counted from 1.

   Standard input says what goes in, a line each, with single spaces and without blanks in names; the archive goes to standard output:

       dir MODE NAME                    link NAME TARGET
       chr MODE MAJOR MINOR NAME        file MODE NAME PATH

   MODE is octal. Anything else, or a file that cannot be read, ends it with status 1 and a word on standard error. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LIST (1 << 20)
#define MAX_FILE (16 << 20)
#define MAX_WORDS 5
#define DIRECTORY 040000
#define DEVICE 020000
#define REGULAR 0100000
#define LINK 0120000

static char list[MAX_LIST];
static char content[MAX_FILE];
static unsigned inode, written;

static void die(const char *what, const char *detail)
{
	fputs("newc: ", stderr);
	fputs(what, stderr);
	fputs(": ", stderr);
	fputs(detail, stderr);
	fputs("\n", stderr);
	exit(1);
}

/* All of an open file; how many bytes. Ends the program when there are more than `limit`. */
static unsigned read_all(int file, char *to, unsigned limit, const char *name)
{
	unsigned size = 0;
	int n;

	if (file < 0)
		die("cannot be opened", name);
	while ((n = read(file, to + size, limit - size)) > 0)
		size += n;
	if (n < 0)
		die("cannot be read", name);
	if (size == limit)
		die("is too large", name);
	return size;
}

static void put(const char *bytes, unsigned size)
{
	int n;

	written += size;
	for (; size; bytes += n, size -= n) {
		n = write(1, bytes, size);
		if (n <= 0)
			die("cannot be written", "the archive");
	}
}

static void pad(unsigned to)
{
	while (written % to)
		put("", 1);
}

static void put_hex(unsigned number)
{
	char text[8];
	int i;

	for (i = 7; i >= 0; i--, number >>= 4)
		text[i] = "0123456789ABCDEF"[number & 15];
	put(text, 8);
}

/* One entry's header and name. Its fields, in the format's order, are those that do not tell where or when the archive was made. */
static void entry(const char *name, unsigned mode, unsigned size, unsigned major, unsigned minor)
{
	put("070701", 6);
	put_hex(mode ? ++inode : 0); /* the trailer has neither mode, time nor inode */
	put_hex(mode);
	put_hex(0); /* owner */
	put_hex(0); /* group */
	put_hex((mode & 0170000) == DIRECTORY ? 2 : 1);
	put_hex(mode ? 1 : 0); /* time */
	put_hex(size);
	put_hex(0); /* the device that it is on */
	put_hex(0);
	put_hex(major);
	put_hex(minor);
	put_hex(strlen(name) + 1);
	put_hex(0); /* checksum: none in this format */
	put(name, strlen(name) + 1);
	pad(4);
}

static unsigned number(const char *text, unsigned base)
{
	unsigned value = 0;
	const char *s;

	for (s = text; *s; s++) {
		if (*s < '0' || *s >= '0' + base)
			die("not a number", text);
		value = value * base + (*s - '0');
	}
	return value;
}

static void add(char **word, int words)
{
	unsigned size;
	int file;

	if (words == 3 && !strcmp(word[0], "dir")) {
		entry(word[2], DIRECTORY | number(word[1], 8), 0, 0, 0);
	} else if (words == 5 && !strcmp(word[0], "chr")) {
		entry(word[4], DEVICE | number(word[1], 8), 0, number(word[2], 10), number(word[3], 10));
	} else if (words == 3 && !strcmp(word[0], "link")) {
		entry(word[1], LINK | 0777, strlen(word[2]), 0, 0);
		put(word[2], strlen(word[2]));
		pad(4);
	} else if (words == 4 && !strcmp(word[0], "file")) {
		file = open(word[3], O_RDONLY);
		size = read_all(file, content, MAX_FILE, word[3]);
		close(file);
		entry(word[2], REGULAR | number(word[1], 8), size, 0, 0);
		put(content, size);
		pad(4);
	} else {
		die("not understood", word[0]);
	}
}

int main(void)
{
	char *at = list, *word[MAX_WORDS];
	int words;

	list[read_all(0, list, MAX_LIST, "the list")] = 0;
	while (*at) {
		for (words = 0; words < MAX_WORDS; words++) {
			word[words] = at;
			while (*at && *at != ' ' && *at != '\n')
				at++;
			if (*at != ' ')
				break;
			*at++ = 0;
		}
		if (words == MAX_WORDS || *at != '\n')
			die("a line has too many words, or no end", word[0]);
		*at++ = 0;
		add(word, words + 1);
	}
	entry("TRAILER!!!", 0, 0, 0, 0);
	pad(512);
	return 0;
}
