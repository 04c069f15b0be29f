/* files.c: reading and writing, offsets, sizes, holes. */

static void files(void)
{
    static char buffer[10000];
    int fd, i;
    u64 at;

    section("files");
    say("open missing", sys(OPEN, "missing", O_RDONLY));
    say("open empty path", sys(OPEN, "", O_RDONLY));
    say("open bad pointer", sys(OPEN, BAD, O_RDONLY));
    say("open kernel pointer", sys(OPEN, KERNEL, O_RDONLY));
    fd = sane("creat", sys(CREAT, "a", 0666));
    say("mode under umask 022", (int)stat_word("a", STAT_MODE));
    say("write", sys(WRITE, fd, "hello world\n", 12));
    say("write bad pointer", sys(WRITE, fd, BAD, 5));
    say("write kernel pointer", sys(WRITE, fd, KERNEL, 5));
    say("write nothing from nowhere", sys(WRITE, fd, BAD, 0));
    say("read what is write only", sys(READ, fd, buffer, 5));
    say("close", sys(CLOSE, fd));
    say("close again", sys(CLOSE, fd));
    say("close -1", sys(CLOSE, -1));
    say("read closed", sys(READ, fd, buffer, 5));
    say("open excl of what is there", sys(OPEN, "a", O_CREAT | O_EXCL | O_RDWR, 0644));
    say("open as directory", sys(OPEN, "a", O_DIRECTORY));
    say("open a/", sys(OPEN, "a/", O_RDONLY));
    say("open a/b", sys(OPEN, "a/b", O_RDONLY));
    say("open . for writing", sys(OPEN, ".", O_WRONLY));
    fd = sane("open read only", sys(OPEN, "a", O_RDONLY));
    say("write what is read only", sys(WRITE, fd, "x", 1));
    say("read", sys(READ, fd, buffer, sizeof buffer));
    say("content", same(buffer, "hello world\n", 12));
    say("read at the end", sys(READ, fd, buffer, 10));
    say("lseek set", sys(LSEEK, fd, 6, 0));
    say("read after", sys(READ, fd, buffer, 3));
    say("lseek cur", sys(LSEEK, fd, -2, 1));
    say("lseek end", sys(LSEEK, fd, -1, 2));
    say("lseek before start", sys(LSEEK, fd, -100, 2));
    say("lseek whence 9", sys(LSEEK, fd, 0, 9));
    say("lseek beyond the end", sys(LSEEK, fd, 1000, 0));
    say("read beyond the end", sys(READ, fd, buffer, 10));
    if (!WIDE) {
        say("llseek", sys(LLSEEK, fd, 1, 5, &at, 0));
        say("llseek answer", at == 0x100000005ull);
        say("llseek bad pointer", sys(LLSEEK, fd, 0, 0, BAD, 0));
    }
    sys(LSEEK, fd, 0, 0);
    say("read to bad pointer", sys(READ, fd, BAD, 5));
    say("offset after that", sys(LSEEK, fd, 0, 1));
    say("pread", sys(PREAD, fd, buffer, 5, 6, 0));
    say("pread content", same(buffer, "world", 5));
    say("pread moves nothing", sys(LSEEK, fd, 0, 1));
    say("pread negative offset", sys(PREAD, fd, buffer, 5, -1, -1));
    say("ftruncate read only", sys(FTRUNCATE, fd, 0));
    sys(CLOSE, fd);
    fd = sys(OPEN, "a", O_RDWR | O_APPEND);
    say("append", sys(WRITE, fd, "more", 4));
    say("offset after append", sys(LSEEK, fd, 0, 1));
    say("pwrite", sys(PWRITE, fd, "J", 1, 0, 0));
    say("ftruncate shorter", sys(FTRUNCATE, fd, 3));
    say("ftruncate longer", sys(FTRUNCATE, fd, 9000));
    say("read over the hole", sys(PREAD, fd, buffer, 9000, 0, 0));
    for (i = 3; i < 9000 && !buffer[i]; i++)
        ;
    say("zeros up to", i);
    say("truncate", sys(TRUNCATE, "a", 5));
    say("size", (int)stat_word("a", STAT_SIZE));
    say("truncate missing", sys(TRUNCATE, "missing", 5));
    say("truncate directory", sys(TRUNCATE, ".", 5));
    say("truncate64 negative", sys(TRUNCATE64, "a", 0, 0x80000000));
    say("fallocate", sys(FALLOCATE, fd, 0, 0, 0, 6000, 0));
    say("size after", (int)stat_word("a", STAT_SIZE));
    sys(CLOSE, fd);
    fd = sys(OPEN, "a", O_TRUNC | O_WRONLY);
    say("size after O_TRUNC", (int)stat_word("a", STAT_SIZE));
    sys(LSEEK, fd, 5000, 0);
    say("write behind a hole", sys(WRITE, fd, "end", 3));
    say("size with a hole", (int)stat_word("a", STAT_SIZE));
    sys(CLOSE, fd);
    fd = sys(OPEN, "big", O_CREAT | O_RDWR, 0600);
    fill(buffer, 'x', sizeof buffer);
    for (i = 0; i < 100; i++)
        if (sys(WRITE, fd, buffer, sizeof buffer) != sizeof buffer)
            break;
    say("a megabyte in pieces", i);
    sys(LSEEK, fd, 123456, 0);
    say("read is not short", sys(READ, fd, buffer, sizeof buffer));
    say("sendfile64", sys(SENDFILE64, fd, fd, 0, 0));
    sys(CLOSE, fd);
    say("unlink open file's name", sys(UNLINK, "big"));
}
