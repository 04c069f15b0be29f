/* stubs.c: what TCC asks of an operating system, answered for a machine that has none. Nothing here influences the code that is made. */

#include "libc.h"

int errno;
static char *no_environment[1];
char **environ = no_environment;
static struct tm epoch;

/* __DATE__ and __TIME__ in a kernel tree would give the epoch: the same kernel on every boot. */
time_t time(time_t *where)
{
	if (where)
		*where = 0;
	return 0;
}

struct tm *localtime(const time_t *when)
{
	epoch.tm_mday = 1;
	epoch.tm_year = 70;
	return &epoch;
}

int gettimeofday(struct timeval *when, void *zone)
{
	when->tv_sec = when->tv_usec = 0;
	return 0;
}

char *getenv(const char *name)
{
	return 0;
}

char *getcwd(char *to, size_t room)
{
	return strcpy(to, "/");
}

char *realpath(const char *path, char *to)
{
	return to ? strcpy(to, path) : strcpy(malloc(strlen(path) + 1), path);
}

char *strerror(int error)
{
	return "error";
}

int sem_init(sem_t *s, int shared, unsigned value)
{
	return 0;
}

int sem_wait(sem_t *s)
{
	return 0;
}

int sem_post(sem_t *s)
{
	return 0;
}

/* Asked by tcc_run and tcc_relocate only, which nobody here calls. */
int mprotect(void *at, size_t length, int protection)
{
	return -1;
}

int execvp(const char *file, char *const argv[])
{
	return -1;
}
