/* What /proc says of this process, as far as it is the same everywhere. */
#include "say.h"
#include <dirent.h>
#include <pthread.h>
#include <poll.h>
#include <sys/eventfd.h>

static char text[1 << 16];
static char *slurp(const char *name) { int f = open(name, O_RDONLY); long n = f < 0 ? 0 : read(f, text, sizeof text - 1); close(f); text[n < 0 ? 0 : n] = 0; return text; }
static void leads(const char *name) { char to[300]; long n = readlink(name, to, 299); to[n < 0 ? 0 : n] = 0; char *base = strrchr(to, '/'); printf("%s -> %s\n", name, base ? base + 1 : to); }
static void field(const char *name, const char *key) { char *at = strstr(slurp(name), key); if (at) *strchrnul(at, '\n') = 0; printf("%s\n", at ? at : "none"); }
static int entries(const char *name, const char *wanted) { int n = 0; DIR *d = opendir(name); for (struct dirent *e; d && (e = readdir(d));) n += !wanted ? e->d_name[0] != '.' : !strcmp(e->d_name, wanted); if (d) closedir(d); return n; }
/* Does a mapping of this name hold the address? */
static int mapped(void *at, const char *name) {
    char *line = slurp("/proc/self/maps");
    for (; *line; line = strchrnul(line, '\n') + 1) {
        unsigned long from, to;
        char flags[8], path[300] = "";
        if (sscanf(line, "%lx-%lx %7s %*x %*s %*d %299[^\n]", &from, &to, flags, path) >= 3 && from <= (unsigned long)at && (unsigned long)at < to) return printf("%s %s\n", flags, name ? strstr(path, name) ? name : path : ""), 1;
        if (!strchr(line, '\n')) break;
    }
    return 0;
}

int main(int argc, char **argv) {
    int local, f = open("file", O_RDWR | O_CREAT, 0644), ends[2];
    mkdir("folder", 0755), chdir("folder"), pipe(ends);
    struct stat s;
    char name[64];
    leads("/proc/self/cwd"), leads("/proc/self/root"), sprintf(name, "/proc/%d/fd/%d", getpid(), f), SAY("by number", readlink(name, text, 10) > 0);
    sprintf(name, "/proc/self/fd/%d", f), write(f, "abc", 3), stat(name, &s), SAY("through a descriptor", s.st_size), unlink("../file"), SAY("deleted", (text[readlink(name, text, 300)] = 0, strstr(text, " (deleted)") != 0));
    sprintf(name, "/proc/self/fd/%d", ends[0]), SAY("a pipe", readlink(name, text, 300) > 0 && !strncmp(text, "pipe:[", 6)), SAY("descriptors", entries("/proc/self/fd", 0)), leads("/proc/self/fd/77");
    sprintf(name, "/proc/self/fd/%d", eventfd(0, 0)), leads(name);
    SAY("command line", strlen(slurp("/proc/self/cmdline")) == strlen(argv[0])), SAY("writing", R(open("/proc/self/comm", O_RDONLY | O_TRUNC)) != 0), SAY("making", R(mkdir("/proc/x", 0755)) < 0), SAY("no such", R(open("/proc/self/nothing", O_RDONLY)));
    printf("%d\n", atoi(slurp("/proc/self/stat")) == getpid()), field("/proc/self/status", "Threads:"), field("/proc/self/status", "Uid:"), field("/proc/self/status", "TracerPid:");
    signal(SIGUSR1, SIG_IGN), field("/proc/self/status", "SigIgn:");
    SAY("stack", mapped(&local, "[stack]")), SAY("heap", mapped(sbrk(0) - 1, "[heap]")), SAY("code", mapped(main, 0)), SAY("nowhere", mapped((void *)16, 0));
    SAY("a mapping", mapped(mmap(0, 4096, PROT_READ, MAP_SHARED, f, 0), 0));
    SAY("tasks", entries("/proc/self/task", 0)), SAY("myself", entries("/proc", (sprintf(name, "%d", getpid()), name))), SAY("cpuinfo", entries("/proc", "cpuinfo"));
    field("/proc/sys/kernel/ostype", "Linux"), field("/proc/cpuinfo", "processor"), field("/proc/filesystems", "tmpfs"), SAY("mounts", strstr(slurp("/proc/self/mounts"), " /proc proc ") != 0), SAY("link", strstr(slurp("/proc/mounts"), " /proc proc ") != 0), SAY("memory", strstr(slurp("/proc/meminfo"), "MemTotal:") != 0);
    SAY("version", !strncmp(slurp("/proc/version"), "Linux version ", 14)), SAY("load", strchr(slurp("/proc/loadavg"), '.') != 0), SAY("cpu", !strncmp(slurp("/proc/stat"), "cpu  ", 5)), SAY("uptime", slurp("/proc/uptime")[0] > 0);
    int pid = fork();
    if (!pid) for (;;) pause();
    sprintf(name, "/proc/%d/status", pid), usleep(50000), field(name, "State:"), sprintf(name, "/proc/%d/fd", pid), SAY("its descriptors", entries(name, 0) > 3);
    kill(pid, SIGKILL), usleep(50000), sprintf(name, "/proc/%d/status", pid), field(name, "State:"), wait(0), SAY("reaped", R(open(name, O_RDONLY)));
    /* looking costs nothing that stays */
    for (int i = 0; i < 20000; i++) stat("/proc/self/status", &s), stat("/proc/self/maps", &s);
    return 0;
}
