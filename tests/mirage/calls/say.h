/* Programs that print what system calls answer, run on this machine's Linux and in the guest: the lines must be the same. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A call's result, or its error number negated. */
#define R(call) ({ long r_ = (long)(call); r_ < 0 ? -errno : r_; })
#define SAY(what, value) (printf("%s = %ld\n", what, (long)(value)), fflush(stdout))
#define CALL(call) SAY(#call, R(call))
/* How a child that does this ends: wait's status. */
#define CHILD(what, code) ({ fflush(stdout); int pid_ = fork(), end_ = 0; if (!pid_) { code; _exit(0); } waitpid(pid_, &end_, 0); SAY(what, end_ & ~0x80 /* no core */); })

static long size_of(const char *name) { struct stat s; return lstat(name, &s) ? -errno : (long)s.st_size; }
static void make(const char *name, long size) { int f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644); for (long i = 0; i < size; i++) if (write(f, "A", 1) != 1) abort(); close(f); }
