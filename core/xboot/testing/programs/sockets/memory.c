/* memory.c: files of memory, and seals. */

static void memory(void)
{
    static char long_name[300], own_name[] = "/proc/self/fd/?";
    int fd, other, n, map, s[2], pid;
    u32 st[24];

    section("memory");
    fd = sane("memfd_create", sys(MEMFD_CREATE, "name", 1 | 2));
    say("closes on exec", sys(FCNTL64, fd, 1));
    say("bad flags", sys(MEMFD_CREATE, "name", 0x8000));
    say("bad name", sys(MEMFD_CREATE, KERNEL, 0));
    fill(long_name, 'n', 250);
    say("long name", sys(MEMFD_CREATE, long_name, 0));
    long_name[249] = 0;
    n = sane("longest name", sys(MEMFD_CREATE, long_name, 0));
    say("sealed against seals", sys(FCNTL64, n, 1034));
    say("add one", sys(FCNTL64, n, 1033, 2));
    sys(CLOSE, n);
    say("mode", (sys(FSTAT64, fd, st), (int)st[4]));
    say("links", (int)st[5]);
    say("no seals", sys(FCNTL64, fd, 1034));
    say("write", sys(WRITE, fd, "content", 7));
    say("truncate", sys(FTRUNCATE, fd, 8192));
    map = sys(MMAP2, 0, 8192, 3, 1, fd, 0);
    say("is mapped", same((char *)map, "content", 8));
    pid = sys(FORK);
    if (!pid) {
        *(char *)(map + 5000) = 'c';
        sys(EXIT, 0);
    }
    child_status(pid);
    say("shared", *(char *)(map + 5000));
    say("seal of writing, while it is mapped", sys(FCNTL64, fd, 1033, 8));
    say("seal of what is no seal", sys(FCNTL64, fd, 1033, 64));
    say("seals of a pipe", (sys(PIPE, s), sys(FCNTL64, s[0], 1034)));
    say("seal against new writers", sys(FCNTL64, fd, 1033, 16));
    say("no write", sys(WRITE, fd, "x", 1));
    say("not one at its start", (sys(LSEEK, fd, 0, 0), sys(WRITE, fd, "x", 1)));
    *(char *)map = 'C';
    say("the mapping writes", (sys(PREAD, fd, long_name, 1, 0, 0), long_name[0]));
    say("no new one", sys(MMAP2, 0, 4096, 3, 1, fd, 0));
    n = sys(MMAP2, 0, 4096, 1, 1, fd, 0);
    say("but to read", (u32)n < 0xfffff000u);
    say("which stays so", sys(MPROTECT, n, 4096, 3));
    sys(MUNMAP, n, 4096);
    n = sys(MMAP2, 0, 4096, 3, 2, fd, 0);
    say("or private", (*(char *)n = 'p', sys(PREAD, fd, long_name, 1, 0, 0), long_name[0]));
    sys(MUNMAP, n, 4096);
    sys(MUNMAP, map, 8192);
    say("seal of writing", sys(FCNTL64, fd, 1033, 8));
    say("seal of the size", sys(FCNTL64, fd, 1033, 2 | 4));
    say("seals", sys(FCNTL64, fd, 1034));
    say("no less", sys(FTRUNCATE, fd, 100));
    say("no more", sys(FTRUNCATE, fd, 10000));
    say("the same", sys(FTRUNCATE, fd, 8192));
    say("no room behind", sys(FALLOCATE, fd, 0, 0, 0, 9000, 0));
    say("no hole", sys(FALLOCATE, fd, 3, 0, 0, 4096, 0));
    say("room within", sys(FALLOCATE, fd, 0, 0, 0, 4096, 0));
    say("seal of seals", sys(FCNTL64, fd, 1033, 1));
    say("and no more of them", sys(FCNTL64, fd, 1033, 2));
    sys(CLOSE, fd);

    fd = sys(MEMFD_CREATE, "grows", 2);
    sys(WRITE, fd, "1234", 4);
    sys(FCNTL64, fd, 1033, 4);
    say("within its size", (sys(LSEEK, fd, 0, 0), sys(WRITE, fd, "abcd", 4)));
    say("not behind it", sys(WRITE, fd, "e", 1));
    say("nor across", (sys(LSEEK, fd, 2, 0), sys(WRITE, fd, "efgh", 4)));
    sys(SOCKETPAIR, 1, STREAM, 0, s);
    passing_send(s[0], &fd, 1);
    sys(CLOSE, fd);
    say("passed", passing_receive(s[1], 100, 0));
    other = (int)passing_control[3];
    say("holds what it held", (sys(PREAD, other, long_name, 10, 0, 0)));
    say("and its seals", sys(FCNTL64, other, 1034));
    close_all();
    fd = sys(OPEN, "f", O_RDWR | O_CREAT, 0644);
    say("a file is not sealed", sys(FCNTL64, fd, 1033, 2));
    n = sys(OPEN, "f", O_RDONLY, 0);
    say("nor by who only reads", sys(FCNTL64, n, 1033, 2));
    close_all();
    sys(UNLINK, "f");

    fd = sys(MEMFD_CREATE, "bytes", 2);
    say("a byte", sys(WRITE, fd, "1", 1));
    say("another", sys(WRITE, fd, "2", 1));
    sys(FCNTL64, fd, 1033, 4);
    say("none behind a seal of growing", sys(WRITE, fd, "3", 1));
    sys(LSEEK, fd, 0, 0);
    say("one within it", sys(WRITE, fd, "4", 1));
    sys(FCNTL64, fd, 1033, 16);
    say("none behind a seal of writing", sys(WRITE, fd, "5", 1));
    own_name[14] = '0' + fd;
    sys(FCNTL64, fd, 1033, 2);
    say("no less by its name", sys(TRUNCATE, own_name, 1));
    say("nor by opening it", sys(OPEN, own_name, O_RDWR | O_TRUNC, 0));
    close_all();
}
