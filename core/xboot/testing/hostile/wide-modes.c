/* Wins: the processor's privileges, or the kernel's memory, through code or calls of 32 bits in a 64-bit program
   System: x86_64-linux
   Verdict: ok

   The calls of i386 are made with registers whose upper halves are set (a kernel that looks at one half and uses the whole reads its own memory); every selector that may
   be code of 32 bits is gone to, by far jumps, returns and iretq, and from there the ways into the kernel are tried: int $0x80, syscall (another entry, which takes the
   stack as it is), sysenter (which brings none). A kernel may end such a program or serve it: but nobody becomes privileged. */

#include "attack64.h"

static u64 where, number, entry, way, selector;
static int ends[2];
static struct { u32 at; unsigned short segment; } __attribute__((packed)) target;
static u64 page[1024] __attribute__((aligned(4096)));

static int calls(void) /* write, read, open, stat, brk, sigreturn, mmap, writev of i386 */
{
	long result;

	asm volatile("int $0x80" : "=a"(result) : "a"(number | where << 32), "b"((u64)(u32)ends[1] | (where & 0xffffffff00000000)), "c"(where), "d"(8l) : "memory", "r8", "r9", "r10", "r11");
	return result > 0 && (number == 4 || number == 146) ? 42 : 0;
}

/* 32-bit code: the call number and its way are in memory, by absolute addresses that lie below 4 GiB. Then a privileged instruction; exit(42) by int $0x80. */
void narrow_int(void), narrow_syscall(void), narrow_sysenter(void), narrow_sysret(void);
asm(".globl narrow_int\nnarrow_int:\n\tmov $20, %eax\n\tint $0x80\n\tcli\n\tmov $1, %eax\n\tmov $42, %ebx\n\tint $0x80\n\thlt\n"
    ".globl narrow_syscall\nnarrow_syscall:\n\tmov $20, %eax\n\tsyscall\n\tcli\n\tmov $1, %eax\n\tmov $42, %ebx\n\tint $0x80\n\thlt\n"
    ".globl narrow_sysenter\nnarrow_sysenter:\n\tmov $20, %eax\n\t.byte 0x0f, 0x34\n\tcli\n\tmov $1, %eax\n\tmov $42, %ebx\n\tint $0x80\n\thlt\n"
    ".globl narrow_sysret\nnarrow_sysret:\n\txor %ecx, %ecx\n\t.byte 0x0f, 0x07\n\tcli\n\tmov $1, %eax\n\tmov $42, %ebx\n\tint $0x80\n\thlt\n");

static int goes(void)
{
	u64 stack = where ? where : (u64)(page + 1000);

	target.at = (u32)entry;
	target.segment = (unsigned short)selector;
	if (way == 0)
		asm volatile("mov %1, %%rsp\n\t.byte 0xff, 0x28" : : "a"(&target), "d"(stack)); /* ljmp *(%rax) */
	else if (way == 1)
		asm volatile("push %0\n\tpush %1\n\t.byte 0x48, 0xcb" : : "a"(selector), "d"(entry)); /* lretq */
	else
		asm volatile("mov %%ss, %%ecx\n\tpush %%rcx\n\tpush %2\n\tpush $0x202\n\tpush %0\n\tpush %1\n\t.byte 0x48, 0xcf" : : "a"(selector), "d"(entry), "S"(stack) : "rcx");
	return 9;
}

static u32 is_code(u32 s)
{
	u32 rights = 0;

	asm volatile("lar %1, %0\n\tje 1f\n\txor %0, %0\n1:" : "=r"(rights) : "r"(s));
	return rights & 0x800;
}

int attack(void)
{
	static const u32 numbers[] = { 3, 4, 5, 45, 90, 119, 146, 173, 192, 195 };
	u64 entries[4] = { (u64)narrow_int, (u64)narrow_syscall, (u64)narrow_sysenter, (u64)narrow_sysret };
	u32 i, k, s;
	int end;

	if (sys(PIPE, ends))
		return 1;
	for (i = 0; i < FOREIGN; i++)
		for (k = 0; k < sizeof numbers / sizeof *numbers; k++) {
			where = foreign[i];
			number = numbers[k];
			end = in_child(calls);
			must(end == 0 || (end & 127), "a call of i386 takes an upper half");
		}
	for (s = 0; s < 0x100; s++) {
		if (!is_code(s | 3))
			continue;
		for (k = 0; k < 4; k++)
			for (way = 0; way < 3; way++)
				for (i = 0; i < 3; i++) {
					selector = s;
					entry = entries[k];
					where = i == 0 ? 0 : i == 1 ? 0xffff800000200000 : 0x800000000000;
					must(in_child(goes) != 42 << 8, "code of 32 bits became privileged");
				}
	}
	must(sys(GETPID) > 0, "no more calls");
	return 0;
}
