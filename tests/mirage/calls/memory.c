/* Mappings: of files, between processes, behind the end. */
#include "say.h"

static int status(int pid) { int end; waitpid(pid, &end, 0); return end; }

int main(void) {
    int f, g;
    unsigned char resident[8], page[4096];
    make("m", 5000);
    f = open("m", O_RDWR);
    char *m = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
    CHILD("a private mapping behind the end", (void)*(volatile char *)(m + 8192));
    pwrite(f, "CC", 2, 100), SAY("not touched yet: as the file is", m[100]);
    m[100] = 'D', pwrite(f, "EE", 2, 100), SAY("a copy: mine", m[100]), SAY("same page", m[101]);
    ftruncate(f, 12288), pwrite(f, "F", 1, 8192), SAY("the file grew", m[8192]);
    ftruncate(f, 100);
    CHILD("and was cut", (void)*(volatile char *)(m + 4096));
    CHILD("the page of its end stays", (void)*(volatile char *)(m + 200));
    munmap(m, 16384);

    ftruncate(f, 8192);
    char *s = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0), *r = mmap(0, 8192, PROT_READ, MAP_SHARED, f, 0);
    s[10] = 'x', SAY("seen by another mapping", r[10]), pread(f, page, 20, 0), SAY("and by read", page[10]);
    pwrite(f, "y", 1, 10), SAY("written by write", s[10]), SAY("read only", r[10]);
    CHILD("a child writes", s[4096] = 'z'), SAY("and is seen", s[4096]), SAY("in the file", (pread(f, page, 1, 4096), page[0]));
    g = open("m", O_RDONLY);
    char *o = mmap(0, 8192, PROT_READ, MAP_SHARED, g, 0);
    CALL(mprotect(o, 4096, PROT_READ | PROT_WRITE)), CALL(mprotect(r, 4096, PROT_READ | PROT_WRITE)), r[11] = 'w', SAY("shared still", s[11]);
    CALL(mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, g, 0) == MAP_FAILED), SAY("errno", errno);
    CALL(mmap(0, 4096, PROT_READ, MAP_SHARED, f, 1) == MAP_FAILED), CALL(mmap(0, 0, PROT_READ, MAP_SHARED, f, 0) == MAP_FAILED), SAY("errno", errno);
    CALL(mmap(0, 4096, PROT_READ, MAP_PRIVATE, f, 0x7ffffffffffff000) == MAP_FAILED), SAY("errno", errno);

    char *a = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHILD("anonymous and shared", a[5000] = 'q'), SAY("seen", a[5000]);
    CHILD("forks on", if (!fork()) { a[9000] = 'r'; _exit(0); } wait(0)), SAY("seen", a[9000]);
    munmap(a + 8192, 4096), CALL(mprotect(a, 1 << 20, PROT_READ)), CHILD("before the hole", a[0] = 1), CHILD("behind it", a[12288] = 1);

    char *p = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1, p[4096] = 2;
    CALL(mremap(p, 8192, 16384, MREMAP_MAYMOVE | MREMAP_FIXED, p + 32768) == p + 32768), SAY("moved", p[32768] + p[32768 + 4096]);
    CHILD("gone", p[0] = 1);
    CALL(mremap(p + 32768, 16384, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, p + 49152) == p + 49152), SAY("shorter", p[49152 + 4096]);
    CALL(mremap(p + 49152, 8192, 8192, MREMAP_FIXED, p) == MAP_FAILED), CALL(mremap(p + 49152, 8192, 8192, MREMAP_FIXED | MREMAP_MAYMOVE, p + 49152 + 4096) == MAP_FAILED), SAY("errno", errno);
    CALL(mremap(p, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED), SAY("errno", errno);

    char *q = mmap(0, 32768, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(q, 7, 32768), CALL(madvise(q + 4096, 8192, MADV_DONTNEED)), SAY("kept", q[0]), SAY("zero", q[4096] + q[12287]), SAY("kept", q[12288]);
    CALL(madvise(q + 1, 4096, MADV_DONTNEED)), CALL(madvise(q, 4096, MADV_WILLNEED)), CALL(madvise(q, 4096, 77)), CALL(madvise(q, 0, MADV_DONTNEED));
    munmap(q + 4096, 4096), CALL(madvise(q, 32768, MADV_DONTNEED)), SAY("zero before the hole", q[0]), SAY("and behind it", q[28672]);
    memset(q + 16384, 1, 8192), CALL(mincore(q + 16384, 8192, resident)), SAY("resident", resident[0] & resident[1] & 1), CALL(mincore(q, 32768, resident)), CALL(mincore(q + 1, 4096, resident));
    CALL(msync(q, 4096, MS_SYNC)), CALL(msync(q, 32768, MS_SYNC)), CALL(msync(q, 4096, MS_SYNC | MS_ASYNC)), CALL(msync(q, 4096, 64));
    CALL(munmap(q + 1, 4096)), CALL(munmap(q, 0));
    CHILD("the break, when there are too many areas", {
        long b = syscall(SYS_brk, 0);
        char *place = mmap(0, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(place, 1 << 30);
        while (mmap(place, 4096, PROT_READ, MAP_SHARED, f, 0) != MAP_FAILED)
            place += 4096;
        _exit(errno == ENOMEM && syscall(SYS_brk, b + (1 << 20)) == b ? 3 : 4);
    });
    fflush(stdout);
    (void)status;
    return 0;
}
