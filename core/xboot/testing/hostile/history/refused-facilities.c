/* CVE: CVE-2013-1858, CVE-2022-0185, CVE-2023-0386, CVE-2022-0492, CVE-2017-16995, CVE-2021-3490, CVE-2013-2094, CVE-2016-0728, CVE-2022-29582, CVE-2021-22555, CVE-2022-34918, CVE-2020-14386, CVE-2017-7308, CVE-2026-31431, CVE-2009-2692, CVE-2003-0961, CVE-2015-3290, CVE-2004-1235, CVE-2024-1086
   Wins: a large part of Linux that nothing of a build needs, and that had faults
   Verdict: ok
   Output: ok

   Each facility is asked for as a program would that uses it, and must be refused: user namespaces and mounts (the first four), programs and counters in the kernel,
   keys, rings, faults served by programs, filters of packets, raw packets, ciphers, memory at zero and above the end of the program's, old loaders, modules. */

#include "../attack.h"

enum { SOCKET = 359 };

static u32 zeros[64], bpf_map[18] = { 2, 4, 8, 1 }, counter[28] = { 1, 112, 0 };

int attack(char **arguments, char **environment)
{
	static const struct {
		const char *name;
		int number;
		u32 a, b, c, d, e;
	} calls[] = {
		{ "unshare: users", 310, 0x10000000, 0, 0, 0, 0 },
		{ "unshare: mounts", 310, 0x00020000, 0, 0, 0, 0 },
		{ "unshare: groups", 310, 0x02000000, 0, 0, 0, 0 },
		{ "mount", 21, (u32) "none", (u32) "/tmp", (u32) "tmpfs", 0, 0 },
		{ "mount: overlay", 21, (u32) "overlay", (u32) "/tmp", (u32) "overlay", 0, (u32) "lowerdir=/,upperdir=/tmp,workdir=/tmp" },
		{ "mount: bind", 21, (u32) "/", (u32) "/tmp", 0, 4096, 0 },
		{ "umount", 52, (u32) "/proc", 2, 0, 0, 0 },
		{ "pivot_root", 217, (u32) ".", (u32) ".", 0, 0, 0 },
		{ "fsopen", 430, (u32) "tmpfs", 0, 0, 0, 0 },
		{ "open_tree", 428, (u32)HERE, (u32) "/", 1, 0, 0 },
		{ "chroot", 61, (u32) "/tmp", 0, 0, 0, 0 },
		{ "bpf", 357, 0, (u32)bpf_map, 72, 0, 0 },
		{ "perf_event_open", 336, (u32)counter, 0, ~0u, ~0u, 0 },
		{ "add_key", 286, (u32) "user", (u32) "x", (u32) "y", 1, (u32)-2 },
		{ "keyctl: join a session", 288, 1, (u32) "x", 0, 0, 0 },
		{ "request_key", 287, (u32) "user", (u32) "x", 0, (u32)-2, 0 },
		{ "io_uring_setup", 425, 1, (u32)zeros, 0, 0, 0 },
		{ "userfaultfd", 374, 0, 0, 0, 0, 0 },
		{ "userfaultfd: of the user alone", 374, 1, 0, 0, 0, 0 },
		{ "modify_ldt: write", 123, 17, (u32)zeros, 16, 0, 0 },
		{ "uselib", 86, (u32) "/proc/self/exe", 0, 0, 0, 0 },
		{ "init_module", 128, (u32)zeros, 64, (u32) "", 0, 0 },
		{ "finit_module", 350, 0, (u32) "", 0, 0, 0 },
		{ "kexec_load", 283, 0, 0, 0, 0, 0 },
		{ "iopl", 110, 3, 0, 0, 0, 0 },
		{ "ioperm", 101, 0xf4, 1, 1, 0, 0 },
		{ "ioperm: all", 101, 0, 0x10000, 1, 0, 0 },
		{ "vm86", 166, 0, (u32)zeros, 0, 0, 0 },
		{ "swapon", 87, (u32) "/proc/self/exe", 0, 0, 0, 0 },
		{ "acct", 51, (u32) "/tmp", 0, 0, 0, 0 },
		{ "quotactl", 131, 0x800002, 0, 0, 0, 0 },
		{ "open_by_handle_at", 342, (u32)HERE, (u32)zeros, 0, 0, 0 },
		{ "fanotify_init", 338, 0, 0, 0, 0, 0 },
		{ "setuid", 213, 0, 0, 0, 0, 0 },
		{ "setgid", 214, 0, 0, 0, 0, 0 },
		{ "setresuid", 208, ~0u, 0, ~0u, 0, 0 },
		{ "setgroups", 206, 1, (u32)zeros, 0, 0, 0 },
		{ "settimeofday", 79, (u32)zeros, 0, 0, 0, 0 },
		{ "sethostname", 74, (u32) "x", 1, 0, 0, 0 },
		{ "reboot", 88, 0xfee1dead, 672274793, 0x4321fedc, 0, 0 },
		{ "memory at address zero", 192, 0, PAGE, 7, 0x32, ~0u },
	};
	/* each family of sockets by stream, datagram and raw, but UNIX (1), INET (2) and INET6 (10), of which raw ones are asked for alone */
	u32 i, k, end;
	int answer;

	for (i = 0; i < sizeof calls / sizeof *calls; i++) {
		answer = sys(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, calls[i].e, 0);
		must(FAILED(answer), calls[i].name);
	}
	for (i = 0; i < 48; i++)
		for (k = 1; k < 6; k++)
			if ((i != 1 && i != 2 && i != 10) || k == 3)
				if (i != 1)
					must(FAILED(sys(SOCKET, i, k, 0)), "a family of sockets, or a raw one");
	end = sys(BRK, 0);
	must((u32)sys(BRK, 0xfffff000) == end && (u32)sys(BRK, 0xffffffff) == end, "the program's data reaches into the kernel");
	answer = sys(CLONE, 0x10000000 | 17, 0, 0, 0, 0);
	if (!answer)
		sys(EXIT, 0);
	must(FAILED(answer), "clone: users");
	return 0;
}
