/* memory.c: brk, mmap, mprotect, mremap, thread areas. */

static void memory(void)
{
    char *p, *q, *b;
    int fd, pid, i;
    word tls[4];

    section("memory");
    b = (char *)sys(BRK, 0);
    say("brk grows", (char *)sys(BRK, b + 100000) == b + 100000);
    say("and is zero", b[0] == 0 && b[99999] == 0);
    b[99999] = 7;
    say("brk shrinks", (char *)sys(BRK, b) == b);
    say("brk too low", (char *)sys(BRK, 4096) == b);
    p = (char *)sys(MMAP2, 0, 100000, 3, 0x22, -1, 0);
    say("mmap", (word)p < (word)-4096 && !((word)p & 4095));
    say("zero", p[0] == 0 && p[99999] == 0);
    p[50000] = 1;
    say("munmap middle", sys(MUNMAP, p + 8192, 4096));
    say("munmap again", sys(MUNMAP, p + 8192, 4096));
    pid = sys(FORK);
    if (!pid) {
        p[8192] = 1;
        sys(EXIT, 0);
    }
    say("touch the hole", child_status(pid) & 127);
    say("rest is there", p[50000]);
    say("mmap fixed", (char *)sys(MMAP2, p + 8192, 4096, 3, 0x32, -1, 0) == p + 8192);
    say("mprotect read", sys(MPROTECT, p, 4096, 1));
    pid = sys(FORK);
    if (!pid) {
        p[0] = 1;
        sys(EXIT, 0);
    }
    say("write to read only", child_status(pid) & 127);
    say("read into read only", (fd = make("m", "file content", 0644), sys(LSEEK, fd, 0, 0), sys(READ, fd, p, 4)));
    say("mprotect none", sys(MPROTECT, p, 4096, 0));
    say("write from it", sys(WRITE, fd, p, 4));
    say("mprotect write", sys(MPROTECT, p, 4096, 3));
    say("content kept", p[0]);
    say("mprotect hole", sys(MPROTECT, 4096, 4096, 3));
    say("mprotect odd", sys(MPROTECT, p + 1, 4096, 3));
    say("mmap of nothing", sys(MMAP2, 0, 0, 3, 0x22, -1, 0));
    say("mmap without kind", sys(MMAP2, 0, 4096, 3, 0x20, -1, 0));
    say("mmap bad file", sys(MMAP2, 0, 4096, 3, 2, 99, 0));
    say("mmap too much", sys(MMAP2, 0, WIDE ? (word)1 << (WIDE ? 47 : 0) : 0xf0000000u, 3, 0x22, -1, 0));
    say("mmap odd fixed", sys(MMAP2, p + 1, 4096, 3, 0x32, -1, 0));
    say("munmap odd", sys(MUNMAP, p + 1, 4096));
    sys(LSEEK, fd, 0, 0);
    sys(WRITE, fd, "file content", 12);
    q = (char *)sys(MMAP2, 0, 4096, 3, 2, fd, 0);
    say("mmap file", same(q, "file content", 12));
    say("zeros behind it", q[4095]);
    q[0] = 'F';
    sys(PREAD, fd, p, 1, 0, 0);
    say("private write stays private", p[0]);
    sys(MUNMAP, q, 4096);
    q = (char *)sys(MMAP2, 0, 4096, 1, 2, fd, 0);
    sys(CLOSE, fd);
    sys(UNLINK, "m");
    say("mapping outlives the name", same(q, "file content", 12));
    say("madvise on what is there", sys(219, q, 4096, 0));
    p[0] = 5;
    pid = sys(FORK);
    if (!pid) {
        p[0] = 6;
        sys(EXIT, p[0]);
    }
    say("child wrote", child_status(pid));
    say("parent sees", p[0]);
    q = (char *)sys(MMAP2, 0, 64 << 20, 3, 0x22, -1, 0);
    for (i = 0; i < 64; i++)
        q[i << 20] = (char)i;
    for (i = 0; i < 64 && q[i << 20] == i; i++)
        ;
    say("64 MiB", i);
    say("munmap 64 MiB", sys(MUNMAP, q, 64 << 20));
    q = (char *)sys(MMAP2, 0, 40960, 3, 0x22, -1, 0);
    q[20000] = 9;
    say("mremap shrinks", (char *)sys(MREMAP, q, 40960, 24576, 0) == q && q[20000] == 9);
    say("mremap odd", sys(MREMAP, q + 1, 4096, 8192, 1));
    say("mremap to nothing", sys(MREMAP, q, 4096, 0, 1));
    sys(MUNMAP, q, 24576);
    q = (char *)sys(MMAP2, 0, 40960, 3, 0x22, -1, 0);
    sys(MUNMAP, q, 32768);
    q[32768] = 7;
    say("mremap moves and grows", (char *)sys(MREMAP, q + 32768, 4096, 8192, 3, q) == q && q[0] == 7);
    say("mremap grows that again", (char *)sys(MREMAP, q, 8192, 16384, 1) == q && q[0] == 7);
    sys(MPROTECT, q + 4096, 4096, 1);
    say("mremap of two rights", sys(MREMAP, q, 16384, 20480, 1));
    sys(MPROTECT, q + 4096, 4096, 3);
    say("mremap of one again", (char *)sys(MREMAP, q, 16384, 20480, 1) == q && q[0] == 7);
    sys(MUNMAP, q, 20480);
    fd = make("m", "ABCD", 0644);
    sys(FTRUNCATE, fd, 8192);
    q = (char *)sys(MMAP2, 0, 16384, 1, 1, fd, 0);
    sys(MUNMAP, q + 4096, 12288);
    say("mremap of a file grows", (char *)sys(MREMAP, q, 4096, 8192, 1) == q && q[0] == 'A' && !q[4096]);
    say("mremap of a file grows again", (char *)sys(MREMAP, q, 8192, 12288, 1) == q && q[3] == 'D');
    sys(MUNMAP, q, 12288);
    sys(CLOSE, fd);
    sys(UNLINK, "m");
#ifdef __x86_64__
    say("arch_prctl", sys(ARCH_PRCTL, 0x1001, p));
    say("arch_prctl asks", (sys(ARCH_PRCTL, 0x1004, tls), tls[0] == (word)p));
    say("arch_prctl bad pointer", sys(ARCH_PRCTL, 0x1004, BAD));
    say("arch_prctl kernel pointer", sys(ARCH_PRCTL, 0x1001, KERNEL));
    say("arch_prctl 999", sys(ARCH_PRCTL, 999, p));
#else
    fill(tls, 0, sizeof tls);
    tls[0] = ~0u;
    tls[1] = (u32)p;
    tls[2] = 0xfffff;
    tls[3] = 0x51;
    say("set_thread_area", sys(SET_THREAD_AREA, tls));
    asm volatile("mov %0, %%gs" : : "r"(tls[0] * 8 + 3));
    say("set_thread_area bad pointer", sys(SET_THREAD_AREA, BAD));
    say("set_thread_area 999", (tls[0] = 999, sys(SET_THREAD_AREA, tls)));
#endif
    asm volatile("movb %%gs:0, %b0" : "=a"(i));
    say("reads through gs", i & 255);
    sys(GETPID);
    asm volatile("movb %%gs:0, %b0" : "=a"(i));
    say("after a call too", i & 255);
    fd = make("s", "AAAA", 0644);
    q = (char *)sys(MMAP2, 0, 4096, 1, 1, fd, 0);
    say("shared sees a later write", (sys(PWRITE, fd, "B", 1, 0, 0), q[0]));
    say("shared gets the right to write", sys(MPROTECT, q, 4096, 3));
    say("and is shared still", (q[1] = 'C', sys(PREAD, fd, p, 1, 1, 0), p[0]));
    sys(CLOSE, fd);
    sys(UNLINK, "s");
}
