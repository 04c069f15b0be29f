/* Wins: the executor, the result channel, the machine's end
   Verdict: fails ended with status 42 \[exit\]

   Every door that leads to process 1, the channel, memory, ports and the machine's end, by name, by number and by call; through device nodes that are made, and through
   processes that are not one's own. What opens, is written to; a run that still fails with this builder's own status has lost nothing. */

#include "attack.h"

static const char *const doors[] = {
	"/dev/mem", "/dev/kmem", "/dev/port", "/dev/ttyS0", "/dev/ttyS1", "/dev/console", "/dev/tty", "/dev/kmsg", "/dev/vport0p1", "/dev/hvc0", "/dev/pts/0",
	"/proc/1/mem", "/proc/0/mem", "/proc/2/mem", "/proc/1/fd/0", "/proc/1/fd/1", "/proc/1/fd/3", "/proc/1/root/init", "/proc/1/cwd/init", "/proc/1/exe",
	"/proc/kcore", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/sys/kernel", "/init", "/script", "/../init", "/proc/self/root/../init", "/proc/self/mem",
};
static const char line[] = "(done \"00000000000000000000000000000000\")\n";

int attack(char **arguments, char **environment)
{
	static u32 buffer[64];
	u32 i, k, vector[2], kind;
	int fd, pid;

	sys(CHDIR, "/tmp");
	for (i = 0; i < sizeof doors / sizeof *doors; i++)
		for (k = 0; k < 3; k++) {
			fd = sys(OPEN, doors[i], k);
			if (fd < 0)
				continue;
			sys(LSEEK, fd, 0xf4, 0);
			sys(WRITE, fd, k ? line : "1", k ? length_of(line) : 1);
			sys(LSEEK, fd, 0xf4, 0);
			sys(WRITE, fd, "1", 1);
			sys(MMAP2, 0, PAGE, 3, 1, fd, 0);
			sys(CLOSE, fd);
		}
	for (i = 0; i < 12; i++)
		for (k = 0; k < 80; k++) {
			kind = (k & 1 ? 0060000 : 0020000) | 0666;
			if (sys(14, "node", kind, i << 8 | k) == 0) {
				fd = sys(OPEN, "node", O_RDWR);
				must(fd < 0 || (i | k) == 0, "a device that the builder made can be opened");
				if (fd >= 0) {
					sys(WRITE, fd, line, length_of(line));
					sys(CLOSE, fd);
				}
				sys(UNLINK, "node");
			}
		}
	for (pid = -1; pid < 6; pid++) {
		vector[0] = (u32)buffer;
		vector[1] = sizeof buffer;
		if (pid > 1)
			must(FAILED(sys(347, pid, vector, 1, vector, 1, 0)), "another process's memory is read"); /* process_vm_readv */
		sys(26, 16, pid, 0, 0);                  /* ptrace: attach */
		sys(438, pid, 1, 0);                     /* pidfd_getfd */
		sys(340, pid, 6, vector, 0);             /* prlimit64 */
		sys(97, 0, pid, -20);                    /* setpriority */
		if (pid > 1)
			sys(KILL, pid, 9);
		sys(312, pid, buffer, buffer + 1);       /* get_robust_list */
	}
	must(FAILED(sys(101, 0xf4, 4, 1)) && FAILED(sys(110, 3)), "ports are given");  /* ioperm, iopl */
	must(FAILED(sys(88, 0xfee1dead, 672274793, 0x4321fedc, 0)), "the machine ends"); /* reboot */
	must(FAILED(sys(21, "/tmp", "/mnt", "tmpfs", 0, 0)) && FAILED(sys(52, "/", 0)) && FAILED(sys(217, "/tmp", "/tmp")), "a mount"); /* mount umount2 pivot_root */
	must(FAILED(sys(128, buffer, 64, "")) && FAILED(sys(283, 0, 0, 0, 0)) && FAILED(sys(79, buffer, 0)) && FAILED(sys(264, 0, buffer)), "a module, a kernel, the clock");
	must(FAILED(sys(23, 0)) && FAILED(sys(46, 0)) && FAILED(sys(208, 0, 0, 0)) && FAILED(sys(210, 0, 0, 0)) && FAILED(sys(81, 1, buffer)), "another user");
	return losses ? 1 : 42;
}
