/* Names, sizes and positions of files. */
#include "say.h"
#include <sys/resource.h>
#include <sys/uio.h>

static char big[20000];

static void times(void) {
    struct timespec before[2] = {{-1, 500000000}, {-10, 1}};
    struct stat s;
    CALL(utimensat(AT_FDCWD, "times", before, 0));
    stat("times", &s);
    SAY("seconds", s.st_atim.tv_sec), SAY("nanoseconds", s.st_atim.tv_nsec), SAY("seconds", s.st_mtim.tv_sec), SAY("nanoseconds", s.st_mtim.tv_nsec);
}

int main(int argc, char **argv) {
    int f;
    struct iovec v = {big, 4};
    char name[64];
    (void)argc;
    make("append", 10);
    f = open("append", O_WRONLY | O_APPEND);
    CALL(pwrite(f, "xyz", 3, 0)), SAY("size", size_of("append")), CALL(lseek(f, 0, SEEK_CUR)), CALL(pwritev(f, &v, 1, 2)), SAY("size", size_of("append"));
    CALL(write(f, "q", 1)), CALL(lseek(f, 0, SEEK_CUR));
    f = open("append", O_RDONLY | O_APPEND);
    CALL(writev(f, &v, 1)), CALL(lseek(f, 0, SEEK_CUR)), CALL(write(f, "x", 0));
    CALL(preadv(f, &v, 1, -1)), CALL(pread(f, big, 4, 1ul << 60)), CALL(preadv(f, &v, 1, 1l << 61));

    mkdir("folder", 0755), symlink("folder", "link"), symlink("nowhere", "dangling");
    CALL(rmdir("link/")), CALL(access("folder", F_OK)), CALL(rename("link/", "moved")), CALL(unlink("link/")), CALL(unlink("folder/")), CALL(unlink("append/"));
    CALL(rmdir("append/")), CALL(mkdir("dangling/", 0755)), CALL(mkdir("link/", 0755)), CALL(symlink("x", "link/")), CALL(symlink("x", "new/")), CALL(link("append", "new/"));
    CALL(rename("append", "new/")), CALL(rename("folder", "link/")), CALL(rename("folder", "new/")), CALL(rename("new/", "folder")), CALL(rename("append/", "x"));
    CALL(open("folder", O_RDONLY | O_TRUNC)), CALL(open("new/", O_RDWR | O_CREAT, 0644));

    make("one", 1), make("two", 2), mkdir("folder/inner", 0755), mkdir("other", 0755);
    CALL(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE)), SAY("one", size_of("one")), SAY("two", size_of("two"));
    CALL(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_NOREPLACE)), CALL(renameat2(AT_FDCWD, "one", AT_FDCWD, "three", RENAME_NOREPLACE));
    CALL(renameat2(AT_FDCWD, "three", AT_FDCWD, "none", RENAME_EXCHANGE)), CALL(renameat2(AT_FDCWD, "three", AT_FDCWD, "two", 3)), CALL(renameat2(AT_FDCWD, "three", AT_FDCWD, "two", 8));
    CALL(renameat2(AT_FDCWD, "three", AT_FDCWD, "other", RENAME_EXCHANGE)), SAY("other", size_of("other")), CALL(access("three/.", F_OK));
    CALL(renameat2(AT_FDCWD, "folder", AT_FDCWD, "folder/inner", RENAME_EXCHANGE)), CALL(renameat2(AT_FDCWD, "folder/inner", AT_FDCWD, "folder", RENAME_EXCHANGE));
    CALL(renameat2(AT_FDCWD, "folder/inner", AT_FDCWD, "two", RENAME_EXCHANGE)), SAY("folder/inner", size_of("folder/inner")), CALL(access("two/.", F_OK));

    make("allocated", 10);
    f = open("allocated", O_RDWR);
    CALL(fallocate(f, FALLOC_FL_KEEP_SIZE, 0, 8192)), SAY("size", size_of("allocated")), CALL(fallocate(f, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 2, 5));
    CALL(pread(f, big, 10, 0)), SAY("before the hole", big[1]), SAY("in the hole", big[2]), SAY("behind it", big[7]);
    CALL(fallocate(f, 0, 0, 10000)), SAY("size", size_of("allocated")), CALL(fallocate(f, FALLOC_FL_PUNCH_HOLE, 0, 1)), CALL(fallocate(f, 0, -1, 1)), CALL(fallocate(f, 0, 0, 0));

    f = open(".", O_TMPFILE | O_RDWR, 0644);
    SAY("nameless", f >= 0), CALL(write(f, "hello", 5));
    sprintf(name, "/proc/self/fd/%d", f);
    CALL(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW)), SAY("named", size_of("named"));
    f = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0644);
    sprintf(name, "/proc/self/fd/%d", f);
    CALL(linkat(AT_FDCWD, name, AT_FDCWD, "never", AT_SYMLINK_FOLLOW)), CALL(open(".", O_TMPFILE | O_RDONLY, 0644)), CALL(open("append", O_TMPFILE | O_RDWR, 0644));

    make("times", 1), times();
    int ends[2];
    struct stat s;
    pipe(ends), fstat(ends[0], &s), SAY("links of a pipe", s.st_nlink), sprintf(name, "/proc/self/fd/%d", ends[0]), CALL(linkat(AT_FDCWD, name, AT_FDCWD, "pipe", AT_SYMLINK_FOLLOW));
    CALL(open("made", O_CREAT | O_DIRECTORY | O_RDWR, 0755)), CALL(access("made", F_OK));
    CALL(open(argv[0], O_WRONLY) == -1 && errno == ETXTBSY), CALL(truncate(argv[0], 0) == -1);

    signal(SIGXFSZ, SIG_IGN);
    struct rlimit size = {4096, 4096}, few = {20, 20};
    CALL(setrlimit(RLIMIT_FSIZE, &size));
    f = open("limited", O_RDWR | O_CREAT, 0644);
    CALL(write(f, big, 9000)), CALL(write(f, big, 1)), CALL(ftruncate(f, 5000)), CALL(ftruncate(f, 4096)), CALL(lseek(f, 0, SEEK_CUR));
    signal(SIGXFSZ, SIG_DFL);
    CHILD("written beyond", pwrite(f, "x", 1, 4096));
    for (int i = 3; i < 60; i++) close(i);
    CALL(setrlimit(RLIMIT_NOFILE, &few));
    for (f = 0; dup(2) >= 0; f++) ;
    SAY("descriptors left", f), SAY("errno", errno), CALL(dup2(0, 20)), CALL(fcntl(0, F_DUPFD, 20));
    return 0;
}
