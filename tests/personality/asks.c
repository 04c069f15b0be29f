/* asks.c: asks twice for more address space than a process has half of. Ends with 0 when the second answer is ENOMEM. */

int mmap2(unsigned length); /* anonymous, private, for reading and writing */
asm(".globl mmap2\nmmap2:\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\tpush %ebp\n\tmov 20(%esp), %ecx\n\txor %ebx, %ebx\n\tmov $3, %edx\n\tmov $0x22, %esi\n"
    "\tmov $-1, %edi\n\txor %ebp, %ebp\n\tmov $192, %eax\n\tint $0x80\n\tpop %ebp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tret\n");
asm(".globl _start\n_start:\n\tcall asks\n\tmov %eax, %ebx\n\tmov $1, %eax\n\tint $0x80\n");

int asks(void)
{
    if (mmap2(4096) == -12)
        return 1;
    mmap2(0xb0000000u);
    return mmap2(0xb0000000u) != -12;
}
